//! Sealed persistence for Gaby, on SQLite or PostgreSQL with the same statements.
//!
//! A [`Store`] is one database with one master key. Whatever belongs to a tenant hangs on a
//! [`Workspace`], a handle that owns the tenant's keys: nothing takes a bare workspace id, so a
//! query cannot forget whose data it reads. Everything that people wrote is sealed cell by cell
//! before it reaches the database ([`seal`]); ids, states, times and counters stay in the clear so
//! that the database can sort and join them.
//!
//! Changes go through a [`Tx`]: rows, queue, audit entries and live events of one change commit
//! together or not at all, and events are published only after the commit.

pub mod accounts;
pub mod actions;
mod approvals;
pub mod audit;
pub mod connectors;
pub mod consents;
mod db;
pub mod documents;
mod error;
pub mod events;
mod failpoint;
mod index_blobs;
pub mod investigations;
mod keys;
mod keystore;
pub mod llm_calls;
mod migrate;
mod policies;
pub mod queue;
pub mod seal;
mod settings;
mod sql;
mod store;
pub mod tickets;
mod tx;
mod workspace;

pub use db::DatabaseUrl;
pub use error::StoreError;
pub use failpoint::failpoint;
pub use keys::{MasterKey, MasterKeySource};
pub use store::{Store, StoreConfig, WorkspaceInfo};
pub use tx::Tx;
pub use workspace::Workspace;

/// What most functions of this crate return.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
