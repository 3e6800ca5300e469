//! The investigation: what becomes of a ticket.
//!
//! The modules read in the order of a ticket's life. [`intake`] checks it and stores it with its
//! work; [`queue`] hands the work out under leases; [`investigate`] runs the loop around the
//! [`brain`], which only says what it wants next; `hands` reads and `act` writes, both through the
//! gate; [`reply`] builds what is told from cited sentences, and [`escalate`] what is handed over.
//! [`playbook`]s are recipes for recurring tickets. [`Agent`] is the door to all of it.

mod act;
mod agent;
pub mod ask;
pub mod brain;
pub mod budget;
mod error;
pub mod escalate;
mod followup;
mod hands;
pub mod intake;
pub mod investigate;
pub mod playbook;
mod policies;
pub mod queue;
pub mod reach;
pub mod reply;
pub mod settings;
mod shadow;
pub mod shown;
mod standing;
pub mod text;
pub mod tools;
mod trace;
mod turns;

pub use agent::Agent;
pub use ask::Answer;
pub use brain::llm::Models;
pub use budget::BudgetSettings;
pub use error::AgentError;
pub use gaby_gate::approvals::Approver;
pub use intake::TakenIn;
pub use investigate::{CitationView, InvestigationResult};
pub use playbook::Playbooks;
pub use settings::{AgentSettings, SourceSettings};
pub use shadow::Shadow;
pub use standing::{Considered, Like};
