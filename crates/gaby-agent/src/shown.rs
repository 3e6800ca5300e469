//! A write as the person who decides needs to see it: where each value comes from, and what it
//! reaches.

use gaby_model::{Action, ArgumentRole, Evidence, Integrity, Origin};
use gaby_store::Workspace;
use serde::Serialize;

use crate::error::AgentError;

/// An argument of a write, with where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArgumentShown {
    /// Its name.
    pub argument: String,
    /// What it is for; none where nothing declares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<ArgumentRole>,
    /// How far its value can be trusted.
    pub integrity: Integrity,
    /// Where its value comes from, for people; never empty.
    pub from: Vec<String>,
}

/// The arguments of an action, with where their values come from.
///
/// # Errors
/// When the store fails.
pub async fn arguments(
    workspace: &Workspace,
    action: &Action,
) -> Result<Vec<ArgumentShown>, AgentError> {
    let evidence = workspace
        .investigations()
        .evidence(&action.investigation)
        .await?;
    let shown = action.weighing.arguments.iter().map(|known| {
        let recorded = evidence
            .iter()
            .filter(|evidence| known.origins.contains(&evidence.id));
        let mut from: Vec<String> = recorded.map(source).collect();
        if from.is_empty() {
            from.push(in_words(known.integrity).to_owned());
        }
        ArgumentShown {
            argument: known.argument.clone(),
            role: known.role,
            integrity: known.integrity,
            from,
        }
    });
    Ok(shown.collect())
}

/// How far a value can be trusted, in words.
#[must_use]
pub fn in_words(integrity: Integrity) -> &'static str {
    match integrity {
        Integrity::Outsider => "text that anybody could have written",
        Integrity::System => "a connected system's own record",
        Integrity::VerifiedRequester => "what the source vouches for about the requester",
        Integrity::Playbook => "the playbook",
        Integrity::Operator => "a person of your team",
    }
}

/// What an action reaches, in a few words.
#[must_use]
pub fn reach(action: &Action) -> String {
    let records = match action.weighing.records {
        0 | 1 => "1 record".to_owned(),
        several => format!("{several} records"),
    };
    let targets: Vec<String> = action
        .weighing
        .arguments
        .iter()
        .filter(|known| known.role == Some(ArgumentRole::Target))
        .map(|known| format!("`{}`", known.argument))
        .collect();
    let mut reach = match targets.is_empty() {
        true => format!("{records}, and no argument says which"),
        false => format!("{records}, named by {}", targets.join(" and ")),
    };
    if !action.weighing.environment.is_empty() {
        reach.push_str(&format!(", in {}", action.weighing.environment));
    }
    reach
}

fn source(evidence: &Evidence) -> String {
    let number = evidence.number;
    match &evidence.origin {
        Origin::Passage { title, .. } => format!("[{number}] the article \"{title}\""),
        Origin::ToolCall { tool, .. } => format!("[{number}] what `{tool}` answered"),
        Origin::Ticket => format!("[{number}] the ticket's own text"),
    }
}
