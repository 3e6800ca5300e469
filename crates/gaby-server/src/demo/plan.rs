//! `demo.yaml`: what a demo consists of. `docs/demo.md` describes it.

use std::collections::BTreeMap;

use gaby_model::Autonomy;
use serde::Deserialize;

use super::DemoError;

/// The file's name within a demo's folder.
pub(super) const FILE: &str = "demo.yaml";

/// What a demo consists of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) workspace: PlannedWorkspace,
    #[serde(default)]
    pub(super) source: Option<PlannedSource>,
    #[serde(default)]
    pub(super) knowledge: Vec<String>,
    #[serde(default)]
    pub(super) databases: Vec<PlannedDatabase>,
    #[serde(default)]
    pub(super) connectors: Vec<PlannedConnector>,
    #[serde(default)]
    pub(super) tickets: Vec<PlannedTicket>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlannedWorkspace {
    pub(super) slug: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) autonomy: Autonomy,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlannedSource {
    pub(super) name: String,
    #[serde(default)]
    pub(super) vouches: bool,
    #[serde(default)]
    pub(super) autonomy: Autonomy,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlannedDatabase {
    pub(super) name: String,
    pub(super) scripts: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlannedConnector {
    pub(super) manifest: String,
    #[serde(default)]
    pub(super) autonomy: Autonomy,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlannedTicket {
    pub(super) file: String,
    /// Seconds after the start.
    #[serde(default)]
    pub(super) after: u64,
}

impl Plan {
    /// Reads and checks a plan.
    pub(super) fn parse(text: &str) -> Result<Self, DemoError> {
        let options = serde_saphyr::options! { strict_booleans: true };
        let plan: Self = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| DemoError::Plan(error.to_string()))?;
        for database in &plan.databases {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if database.name.is_empty() || !database.name.chars().all(plain) {
                return Err(DemoError::Plan(format!(
                    "`databases`: `{}` cannot name a database: use letters, digits, `_` and `-`",
                    database.name
                )));
            }
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_needs_little_and_starts_careful() {
        let plan = Plan::parse("workspace: { slug: acme, name: Acme }").unwrap();
        assert_eq!(plan.workspace.autonomy, Autonomy::Investigate);
        assert!(plan.tickets.is_empty());
    }

    #[test]
    fn a_plan_that_cannot_be_read_says_where() {
        for (text, part) in [
            ("workspace: {slug: a, name: A}\nticket: []", "ticket"),
            ("workspace: {slug: a}", "name"),
            ("[]", ""),
            (
                "workspace: {slug: a, name: A}\ndatabases: [{name: ../x, scripts: []}]",
                "../x",
            ),
            (
                "workspace: {slug: a, name: A, autonomy: godlike}",
                "godlike",
            ),
        ] {
            let error = Plan::parse(text).unwrap_err().to_string();
            assert!(
                error.contains("demo.yaml") && error.contains(part),
                "{error}"
            );
        }
    }
}
