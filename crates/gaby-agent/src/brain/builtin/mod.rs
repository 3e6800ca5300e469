//! The brain that needs no model and no network: the same ticket over the same knowledge always
//! gives the same answer.
//!
//! It sorts the ticket ([`classify`]), takes values from its text ([`slots`]), follows the playbook
//! for it ([`follow`]), and without one quotes the best passages of the knowledge base
//! ([`answer`]), as sure as it has reason to be ([`confidence`]).

mod answer;
mod asked;
pub mod classify;
pub mod confidence;
pub mod extract;
mod follow;
pub mod inputs;
mod scope;
pub mod slots;

use async_trait::async_trait;

use super::{Brain, BrainError, Case, Plan, Transcript, Want};
use crate::playbook::Playbooks;
use crate::text::question::question;

/// The name under which investigations record this brain.
pub const NAME: &str = "builtin";

/// The deterministic brain.
#[derive(Debug, Clone)]
pub struct Builtin {
    playbooks: Playbooks,
    /// From this confidence on an answer is given without a human.
    threshold: f64,
}

impl Builtin {
    /// A brain that follows these playbooks and answers from `threshold` confidence on.
    #[must_use]
    pub fn new(playbooks: Playbooks, threshold: f64) -> Self {
        Self {
            playbooks,
            threshold,
        }
    }

    /// The plan for a ticket.
    #[must_use]
    pub fn plan_for(&self, case: &Case) -> Plan {
        let ticket = &case.ticket;
        let asked = question(&ticket.subject, &ticket.body);
        let found = classify::classify(&self.playbooks, &ticket.subject, &asked);
        let playbook = found
            .playbook
            .as_ref()
            .and_then(|matched| self.playbooks.get(&matched.name));
        let from_ticket = playbook.map(|playbook| inputs::from_ticket(playbook, case));
        let (summary, reason) = match (&found.playbook, playbook) {
            (Some(matched), Some(playbook)) => (
                format!("Follow the playbook \"{}\"", playbook.title),
                format!("The ticket fits it: {}.", matched.because),
            ),
            _ => (
                "Look for an answer in the knowledge base".to_owned(),
                "No playbook is for this ticket.".to_owned(),
            ),
        };
        Plan {
            category: found.category,
            playbook: playbook.map(|playbook| playbook.name.value.clone()),
            question: asked,
            summary,
            reason,
            from_ticket: from_ticket.unwrap_or_default(),
        }
    }

    /// What to do next.
    #[must_use]
    pub fn want_after(&self, transcript: &Transcript) -> Want {
        let playbook = transcript
            .plan
            .playbook
            .as_deref()
            .and_then(|name| self.playbooks.get(name));
        match playbook {
            Some(playbook) => follow::next(playbook, transcript, self.threshold),
            None => answer::next(transcript, self.threshold, None),
        }
    }
}

#[async_trait]
impl Brain for Builtin {
    fn name(&self) -> &str {
        NAME
    }

    async fn plan(&self, case: &Case) -> Result<Plan, BrainError> {
        Ok(self.plan_for(case))
    }

    async fn next(&self, transcript: &Transcript) -> Result<Want, BrainError> {
        Ok(self.want_after(transcript))
    }
}

#[cfg(test)]
mod tests;
