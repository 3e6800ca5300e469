//! Which tool does a role's job.

use gaby_model::{Access, ToolDefinition, ToolRef};

use crate::playbook::{Playbook, RoleMapping};

/// The tools at hand at some time, as far as what is made from them depends on them.
#[derive(Debug)]
pub(crate) struct AtHand(Vec<AsItWas>);

#[derive(Debug)]
struct AsItWas {
    tool: ToolRef,
    role: Option<String>,
    access: Access,
    definition_hash: String,
}

impl AtHand {
    pub(crate) fn of(tools: &[ToolDefinition]) -> Self {
        let as_it_is = |tool: &ToolDefinition| AsItWas {
            tool: tool.tool.clone(),
            role: tool.role.clone(),
            access: tool.access,
            definition_hash: tool.definition_hash.clone(),
        };
        Self(tools.iter().map(as_it_is).collect())
    }

    /// Whether these are the same.
    pub(crate) fn are_still(&self, tools: &[ToolDefinition]) -> bool {
        let same = |was: &AsItWas, tool: &ToolDefinition| {
            was.tool == tool.tool
                && was.role == tool.role
                && was.access == tool.access
                && was.definition_hash == tool.definition_hash
        };
        self.0.len() == tools.len() && self.0.iter().zip(tools).all(|(was, tool)| same(was, tool))
    }
}

/// The tool with this role; the first by name when several have it, so that the same workspace
/// always uses the same one.
#[must_use]
pub fn with_role<'a>(tools: &'a [ToolDefinition], role: &str) -> Option<&'a ToolDefinition> {
    tools
        .iter()
        .filter(|tool| tool.role.as_deref() == Some(role))
        .min_by(|a, b| a.tool.cmp(&b.tool))
}

/// The tool of this name.
#[must_use]
pub fn named<'a>(tools: &'a [ToolDefinition], tool: &ToolRef) -> Option<&'a ToolDefinition> {
    tools.iter().find(|known| known.tool == *tool)
}

/// Which tools a playbook would use.
#[must_use]
pub fn mapping(tools: &[ToolDefinition], playbook: &Playbook) -> Vec<RoleMapping> {
    playbook
        .roles()
        .into_iter()
        .map(|(role, optional)| RoleMapping {
            role: role.to_owned(),
            optional,
            mapped_to: with_role(tools, role).map(|tool| tool.tool.to_string()),
        })
        .collect()
}

/// The roles that a playbook cannot do without and that no tool has.
#[must_use]
pub fn missing<'p>(tools: &[ToolDefinition], playbook: &'p Playbook) -> Vec<&'p str> {
    playbook
        .roles()
        .into_iter()
        .filter(|(role, optional)| !optional && with_role(tools, role).is_none())
        .map(|(role, _)| role)
        .collect()
}
