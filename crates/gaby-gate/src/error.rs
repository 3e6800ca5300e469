//! What can stop a write on its way from the decision to its outcome.

use gaby_model::canonical::CanonicalError;
use gaby_model::{ActionId, ActionState, PatternId};
use gaby_store::StoreError;

use crate::patterns::PatternError;

/// Why an action was not proposed, approved, sent or recorded.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The store failed; nothing happened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What would be decided on has no canonical form.
    #[error("this cannot be put up for a decision: {0}")]
    NotCanonical(#[from] CanonicalError),
    /// The action is no longer where it would have to be.
    #[error("the action {action} is {state} already")]
    Settled {
        /// Which.
        action: ActionId,
        /// Where it stands, in words.
        state: &'static str,
    },
    /// The offer ended before anybody decided.
    #[error("the action {action} expired before it was approved: investigate the ticket again")]
    Expired {
        /// Which.
        action: ActionId,
    },
    /// What is approved is not what was shown.
    #[error(
        "the approval is for something else than what the action {action} holds: load it again"
    )]
    OtherDecision {
        /// Which.
        action: ActionId,
    },
    /// What it was decided on changed meanwhile.
    #[error("the action {action} is void: {why}; investigate the ticket again")]
    Void {
        /// Which.
        action: ActionId,
        /// What changed.
        why: String,
    },
    /// Somebody else takes it back, or nobody knows whether it was.
    #[error("the action {action} is taken back by {by} already, which is {state}")]
    TakenBackAlready {
        /// Which.
        action: ActionId,
        /// The action that takes it back.
        by: ActionId,
        /// Where that one stands, in words.
        state: &'static str,
    },
    /// A standing approval was used up meanwhile.
    #[error("the standing approval {0} has no calls left: ask again")]
    PatternSpent(PatternId),
    /// A standing approval is not one that may be given.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A link does not lead to an action.
    #[error("this link was used already, has ended, or was made for somebody else")]
    Link,
    /// Who approves is who asks.
    #[error(
        "the action {action} was asked for by the person who approves it: somebody else must decide"
    )]
    OwnRequest {
        /// Which.
        action: ActionId,
    },
}

impl GateError {
    pub(crate) fn settled(action: &ActionId, state: ActionState) -> Self {
        Self::Settled {
            action: action.clone(),
            state: state.as_str(),
        }
    }
}
