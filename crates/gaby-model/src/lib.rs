//! The words of Gaby as types: plain data, no I/O, no async.
//!
//! Every other crate speaks in these terms, and each term has one meaning (see `ARCHITECTURE.md`,
//! *Words*). What belongs here is what more than one crate must name: identifiers, tickets,
//! evidence, tools, actions, labels, and the canonical JSON form that hashes and chains rest on.

pub mod action;
pub mod autonomy;
pub mod canonical;
pub mod event;
pub mod evidence;
pub mod id;
pub mod investigation;
pub mod label;
pub mod llm_call;
pub mod telemetry;
pub mod ticket;
pub mod time;
pub mod tool;

pub use action::{Action, ActionState, ArgumentOrigin, Change, RiskPart, Weighing};
pub use autonomy::Autonomy;
pub use event::Event;
pub use evidence::{Citation, Evidence, Origin};
pub use id::*;
pub use investigation::{
    Confidence, Depth, Investigation, InvestigationState, Step, StepKind, Usage, Verdict,
};
pub use label::{Integrity, Label, Readers};
pub use llm_call::{LlmCall, LlmOutcome, LlmReply, LlmTalk, LlmUsed};
pub use ticket::{Author, IncomingTicket, Message, Priority, Requester, Ticket, TicketState};
pub use time::{Clock, SystemClock, Timestamp};
pub use tool::{
    Access, ArgumentRole, CallKey, Reversibility, ToolCall, ToolDefinition, ToolRef, ToolResult,
};
