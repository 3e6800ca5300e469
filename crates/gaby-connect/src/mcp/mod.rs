//! MCP: every connector is a server, Gaby is the host.
//!
//! [`Host`] is the only way in. A first-party connector ([`server`]) is reached over a pipe inside
//! the process, a third party's over stdio ([`process`]) or streamable HTTP; above the transport
//! all are one [`session`].

mod bounded;
mod error;
mod follow;
mod host;
mod manage;
mod pin;
mod process;
mod record;
mod remote;
mod result;
mod server;
mod session;
mod supervise;

pub use error::{CallError, ConnectError};
pub use host::{ConnectorState, ConnectorStatus, Host, ToolStatus};
pub use manage::{Connected, Override};
pub use server::{serve_manifest, serve_stdio};
