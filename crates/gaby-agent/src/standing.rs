//! Standing approvals: a person who decides on one action says yes to its like in advance, for so many
//! calls and so long.

use std::collections::BTreeMap;

use gaby_gate::approvals::{Approver, same_person};
use gaby_gate::scope::Condition;
use gaby_gate::{GateError, Pattern, patterns};
use gaby_model::{Action, ActionId, PatternId, ToolDefinition};

use crate::agent::Agent;
use crate::error::AgentError;
use crate::tools;

/// How far back is looked for what a standing approval would have covered, in milliseconds.
const LOOKED_BACK_MILLIS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// The most actions that are looked at for it.
const MOST_LOOKED_AT: u32 = 2_000;

/// What a person says yes to in advance.
#[derive(Debug, Clone, PartialEq)]
pub struct Like {
    /// What must hold of the arguments, by name. One that is not named must be as it is in the
    /// action.
    pub arguments: BTreeMap<String, Condition>,
    /// For how many calls.
    pub calls: u32,
    /// For how many hours.
    pub hours: u32,
}

/// A standing approval, with what it would have covered in the last 30 days.
#[derive(Debug, Clone, PartialEq)]
pub struct Considered {
    /// The approval.
    pub pattern: Pattern,
    /// The actions that it would have covered, oldest first.
    pub would_have_covered: Vec<Action>,
}

impl Agent {
    /// What a standing approval for the like of an action would be, and what it would have covered.
    ///
    /// # Errors
    /// When it would not be bounded, is for what always needs a human, or the tool is gone.
    pub async fn consider_like(
        &self,
        action: &ActionId,
        like: &Like,
        by: Approver<'_>,
    ) -> Result<Considered, AgentError> {
        Ok(self.like(action, like, by).await?.0)
    }

    /// Says yes in advance to the like of an action.
    ///
    /// # Errors
    /// As [`Self::consider_like`], and when it cannot be stored.
    pub async fn allow_like(
        &self,
        action: &ActionId,
        like: &Like,
        by: Approver<'_>,
    ) -> Result<Considered, AgentError> {
        let (considered, tool) = self.like(action, like, by).await?;
        patterns::give(self.workspace(), &considered.pattern, &tool, self.now()).await?;
        Ok(considered)
    }

    /// The standing approvals that hold now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn standing_approvals(&self) -> Result<Vec<Pattern>, AgentError> {
        Ok(patterns::standing(self.workspace(), self.now()).await?)
    }

    /// Ends a standing approval at once. Tells whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_standing_approval(
        &self,
        pattern: &PatternId,
        by: Approver<'_>,
    ) -> Result<bool, AgentError> {
        Ok(patterns::end(self.workspace(), pattern, by.user, self.now()).await?)
    }

    async fn like(
        &self,
        action: &ActionId,
        like: &Like,
        by: Approver<'_>,
    ) -> Result<(Considered, ToolDefinition), AgentError> {
        let (action, ticket) = self.action(action).await?;
        let asker = ticket.requester.as_ref().and_then(|r| r.email.as_deref());
        if same_person(by.email, asker) {
            return Err(GateError::OwnRequest { action: action.id }.into());
        }
        let catalog = self.toolbox().catalog().await;
        let tool = tools::named(&catalog, &action.call.tool).ok_or_else(|| AgentError::NoLike {
            action: action.id.clone(),
            why: format!("`{}` is no longer offered", action.call.tool),
        })?;
        let now = self.now();
        let as_it_is = action.call.arguments.as_object().into_iter().flatten();
        let mut arguments: BTreeMap<String, Condition> = as_it_is
            .map(|(name, value)| (name.clone(), Condition::Equals(value.clone())))
            .collect();
        arguments.extend(like.arguments.clone());
        let pattern = Pattern {
            id: PatternId::generate(),
            tool: tool.tool.clone(),
            definition_hash: tool.definition_hash.clone(),
            arguments,
            remaining: like.calls,
            ends_at: now.plus_millis(i64::from(like.hours) * 60 * 60 * 1_000),
            by: by.user.clone(),
        };
        pattern.check(tool, now).map_err(GateError::from)?;
        let since = now.plus_millis(-LOOKED_BACK_MILLIS);
        let lately = self
            .workspace()
            .actions()
            .since(since, MOST_LOOKED_AT)
            .await?;
        let would_have_covered = pattern
            .would_have_covered(&lately)
            .into_iter()
            .cloned()
            .collect();
        let considered = Considered {
            pattern,
            would_have_covered,
        };
        Ok((considered, tool.clone()))
    }
}
