//! The hand-over: what a human needs to go on where Gaby stops.

use gaby_model::{Evidence, Origin, Step, StepKind};
use serde::{Deserialize, Serialize};

use crate::reply::Reply;

/// Everything for the person who takes over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceBundle {
    /// Why it is handed over.
    pub reason: String,
    /// What was asked.
    pub asked: String,
    /// What Gaby did, step by step.
    pub looked_at: Vec<String>,
    /// What she found, sentence by sentence, with the numbers of the evidence.
    pub found: String,
    /// Where to read on.
    pub links: Vec<Link>,
    /// What might be done next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// A passage or a tool's answer, to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The number of the evidence.
    pub number: u32,
    /// What it is, for people.
    pub label: String,
    /// The document's path or address, or the tool's name.
    pub target: String,
}

/// The longest question that is repeated in a hand-over, in characters.
const LONGEST_QUESTION: usize = 600;
/// The most evidence that is linked.
const MOST_LINKS: usize = 12;

impl EvidenceBundle {
    /// Puts together what is known.
    #[must_use]
    pub fn new(
        reason: String,
        asked: &str,
        steps: &[Step],
        evidence: &[Evidence],
        found: &Reply,
        next_step: Option<String>,
    ) -> Self {
        let looked_at = steps
            .iter()
            .filter(|step| matches!(step.kind, StepKind::Retrieve | StepKind::Call))
            .map(|step| step.summary.clone())
            .collect();
        Self {
            reason,
            asked: asked.chars().take(LONGEST_QUESTION).collect(),
            looked_at,
            found: found.text.clone(),
            links: evidence.iter().filter_map(link).take(MOST_LINKS).collect(),
            next_step,
        }
    }

    /// Why it is handed over and what might be done next, in a line.
    #[must_use]
    pub fn short(&self) -> String {
        match &self.next_step {
            Some(next) => format!("{} Suggested next step: {next}", self.reason),
            None => self.reason.clone(),
        }
    }

    /// The hand-over as a note for the ticket, and the byte offset in it of what was found.
    #[must_use]
    pub fn note(&self) -> (String, usize) {
        let mut note = format!(
            "{}\n\nAsked: {}",
            self.reason,
            self.asked.replace('\n', " ")
        );
        if !self.looked_at.is_empty() {
            note.push_str("\n\nLooked at:");
            for line in &self.looked_at {
                note.push_str(&format!("\n- {line}"));
            }
        }
        let mut found_at = 0;
        if !self.found.is_empty() {
            note.push_str("\n\nFound:\n");
            found_at = note.len();
            note.push_str(&self.found);
        }
        if !self.links.is_empty() {
            note.push_str("\n\nEvidence:");
            for link in &self.links {
                note.push_str(&format!(
                    "\n- [{}] {} ({})",
                    link.number, link.label, link.target
                ));
            }
        }
        if let Some(next) = &self.next_step {
            note.push_str(&format!("\n\nSuggested next step: {next}"));
        }
        (note, found_at)
    }
}

fn link(evidence: &Evidence) -> Option<Link> {
    let (label, target) = match &evidence.origin {
        Origin::Passage {
            path,
            title,
            heading,
            ..
        } => {
            let label = match (title.as_str(), heading.as_str()) {
                (title, "") => title.to_owned(),
                (title, heading) if heading.starts_with(title) => heading.to_owned(),
                (title, heading) => format!("{title} › {heading}"),
            };
            (label, path.clone())
        }
        Origin::ToolCall { tool, pointer, .. } => {
            (format!("{}{pointer}", tool.tool), tool.to_string())
        }
        Origin::Ticket => return None,
    };
    Some(Link {
        number: evidence.number,
        label,
        target,
    })
}
