//! The siblings that a write names: undo, verify, preview, owner check.

use gaby_model::Access;
use gaby_model::tool::{FollowUp, Reversibility};

use super::Faults;
use crate::manifest::{Manifest, Tool};
use crate::template::names_in;

pub(super) fn follow_ups(field: &str, tool: &Tool, manifest: &Manifest, faults: &mut Faults) {
    let all = [
        ("undo", &tool.undo, Access::Write),
        ("verify", &tool.verify, Access::Read),
        ("preview", &tool.preview, Access::Read),
        ("owner_check", &tool.owner_check, Access::Read),
    ];
    for (kind, follow_up, wanted) in all {
        let Some(follow_up) = follow_up else { continue };
        let field = format!("{field}.{kind}");
        if tool.access == Access::Read {
            faults.add(field.clone(), "belongs to writes only");
        }
        follow_up_of(&field, follow_up, wanted, manifest, faults);
    }
    if tool.reversibility == Reversibility::Reversible && tool.undo.is_none() {
        faults.add(
            format!("{field}.reversibility"),
            "`reversible` needs `undo`, the tool that takes it back",
        );
    }
}

fn follow_up_of(
    field: &str,
    follow_up: &FollowUp,
    wanted: Access,
    manifest: &Manifest,
    faults: &mut Faults,
) {
    let Some(sibling) = manifest.tools.iter().find(|t| t.name == follow_up.tool) else {
        return faults.add(
            format!("{field}.tool"),
            format!("there is no tool `{}` in this manifest", follow_up.tool),
        );
    };
    if sibling.access != wanted {
        let word = match wanted {
            Access::Read => "read",
            Access::Write => "write",
        };
        faults.add(
            format!("{field}.tool"),
            format!("`{}` is not a {word}", follow_up.tool),
        );
    }
    let known = sibling.argument_names();
    for (name, template) in &follow_up.arguments {
        let field = format!("{field}.arguments.{name}");
        if !known.contains(name) {
            faults.add(
                field.clone(),
                format!("`{}` has no parameter `{name}`", follow_up.tool),
            );
        }
        if let Err(error) = names_in(template) {
            faults.add(field, error.to_string());
        }
    }
    let schema = sibling.schema();
    for name in schema["required"].as_array().into_iter().flatten() {
        if let Some(name) = name.as_str()
            && !follow_up.arguments.contains_key(name)
        {
            faults.add(
                format!("{field}.arguments"),
                format!("`{}` needs `{name}`", follow_up.tool),
            );
        }
    }
}
