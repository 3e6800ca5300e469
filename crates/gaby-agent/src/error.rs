//! What can go wrong around an investigation. What goes wrong within one is told by its steps.

use gaby_gate::GateError;
use gaby_gate::rules::RulesError;
use gaby_model::ticket::TicketError;
use gaby_model::{ActionId, ActionState, TicketId, TicketState};
use gaby_store::StoreError;

use crate::brain::BrainError;
use crate::reach::SearchFailure;

/// Why the agent did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The ticket is empty or too long.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// There is no such ticket.
    #[error("there is no ticket {0} in this workspace")]
    NoTicket(TicketId),
    /// Somebody else works on the ticket.
    #[error("somebody else works on the ticket {0} right now: see what comes of it")]
    Busy(TicketId),
    /// The source gave the ticket before, and it was worked on.
    #[error(
        "the ticket was handed in before, as {ticket}, and is {}: nothing was done", .state.as_str()
    )]
    TakenBefore {
        /// Which.
        ticket: TicketId,
        /// Where it stands.
        state: TicketState,
    },
    /// The rules cannot be taken on.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A file of rules cannot be taken on, whatever is in it.
    #[error("{0}")]
    PolicyFile(String),
    /// There is no such action.
    #[error("there is no action {0} in this workspace")]
    NoAction(ActionId),
    /// The action cannot be undone.
    #[error("the action {action} cannot be undone: {why}")]
    NotUndoable {
        /// Which.
        action: ActionId,
        /// Why not.
        why: String,
    },
    /// The action cannot be edited so.
    #[error("the action {action} cannot be edited so: {why}")]
    NotEdited {
        /// Which.
        action: ActionId,
        /// Why not.
        why: String,
    },
    /// Its like cannot be allowed in advance.
    #[error("the like of the action {action} cannot be allowed in advance: {why}")]
    NoLike {
        /// Which.
        action: ActionId,
        /// Why not.
        why: String,
    },
    /// The action is not where it would have to be.
    #[error("the action {action} is {}, so this cannot be done with it", .state.as_str())]
    WrongState {
        /// Which.
        action: ActionId,
        /// Where it stands.
        state: ActionState,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The gate stopped it.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The knowledge base failed.
    #[error(transparent)]
    Knowledge(#[from] SearchFailure),
    /// The brain failed.
    #[error(transparent)]
    Brain(#[from] BrainError),
    /// Something recorded does not read back.
    #[error("what is recorded of {what} does not read back: {why}")]
    Record {
        /// Of what.
        what: String,
        /// Why.
        why: String,
    },
}

impl AgentError {
    /// Whether the same thing may well work later, with nothing changed but the machine's state.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Store(error) | Self::Gate(GateError::Store(error)) => error.is_temporary(),
            _ => false,
        }
    }
}
