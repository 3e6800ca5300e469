//! The demo: a company described as data, made real for as long as the server runs.
//!
//! Nothing here knows which company. `docs/demo.md` describes the data.

mod database;
mod feed;
mod files;
mod load;
mod plan;

use std::path::PathBuf;

use gaby_agent::AgentError;
use gaby_connect::manifest::ManifestErrors;
use gaby_connect::mcp::ConnectError;
use gaby_knowledge::KnowledgeError;
use gaby_store::StoreError;

use crate::setup::ComposeError;

pub use load::{Demo, DemoAdmin};

/// Why a demo cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// `demo.yaml` is not good.
    #[error("demo.yaml: {0}")]
    Plan(String),
    /// A file cannot be read or written.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A script of a database fails.
    #[error("the database script {script} fails: {reason}")]
    Script {
        /// Which.
        script: String,
        /// Why.
        reason: String,
    },
    /// A ticket is none.
    #[error("{file} is not a ticket: {reason}")]
    Ticket {
        /// Which.
        file: String,
        /// Why not.
        reason: String,
    },
    /// Its administrator cannot be made.
    #[error("the demo's administrator cannot be made: {0}")]
    Admin(String),
    /// A manifest has faults.
    #[error(transparent)]
    Manifest(#[from] ManifestErrors),
    /// A connector cannot be connected.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Articles cannot be ingested.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    /// Its connectors cannot be entered in the consent log.
    #[error(transparent)]
    Consent(#[from] gaby_gate::GateError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Parts cannot be put together.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// A ticket is not taken in.
    #[error(transparent)]
    Agent(#[from] AgentError),
}
