//! What Gaby would have done with a connector that is only rehearsed, and how things stand now: what
//! people did instead.

use gaby_gate::dry_run::{self, Afterwards, Rehearsal, ShadowReport};
use gaby_model::{Timestamp, Usage};
use serde::Serialize;

use crate::act;
use crate::agent::Agent;
use crate::budget::{Budget, Meter};
use crate::error::AgentError;
use crate::hands::Hands;

/// The most rehearsals whose target is looked at again; those before stay *not looked*.
const MOST_LOOKED_AT: usize = 200;

/// What Gaby would have done with a connector, and what became of it without her.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shadow {
    /// What she would have done.
    #[serde(flatten)]
    pub report: ShadowReport,
    /// For each rehearsal of the report, in its order: how things stand now.
    pub afterwards: Vec<Afterwards>,
    /// How many stand now as Gaby would have made them.
    pub as_gaby_would_have: usize,
    /// How many stand as they were.
    pub as_it_was: usize,
    /// How many stand otherwise.
    pub otherwise: usize,
    /// How many nobody could look at.
    pub not_looked: usize,
}

impl Agent {
    /// What Gaby would have done with a connector since this moment, compared with how things stand
    /// now, by the preview reads of the tools.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shadow_report(
        &self,
        connector: &str,
        since: Timestamp,
    ) -> Result<Shadow, AgentError> {
        let report = dry_run::report(self.workspace(), connector, since).await?;
        let skipped = report.rehearsals.len().saturating_sub(MOST_LOOKED_AT);
        let mut afterwards = vec![Afterwards::NotLooked; skipped];
        for rehearsal in &report.rehearsals[skipped..] {
            afterwards.push(self.how_it_stands(rehearsal).await?);
        }
        let count =
            |wanted: fn(&Afterwards) -> bool| afterwards.iter().filter(|a| wanted(a)).count();
        Ok(Shadow {
            as_gaby_would_have: count(|a| *a == Afterwards::AsGabyWouldHave),
            as_it_was: count(|a| *a == Afterwards::AsItWas),
            otherwise: count(|a| matches!(a, Afterwards::Otherwise(_))),
            not_looked: count(|a| *a == Afterwards::NotLooked),
            report,
            afterwards,
        })
    }

    async fn how_it_stands(&self, rehearsal: &Rehearsal) -> Result<Afterwards, AgentError> {
        let ticket = self.ticket(&rehearsal.ticket).await?;
        let hands = Hands::open(self, &ticket.source, ticket.requester).await?;
        let Some(tool) = hands.tool(&rehearsal.call.tool) else {
            return Ok(Afterwards::NotLooked);
        };
        let mut meter = Meter::resume(Budget::default(), Usage::default());
        let now = act::preview(&hands, &mut meter, tool, &rehearsal.call.arguments).await;
        Ok(rehearsal.afterwards(Some(&now)))
    }
}
