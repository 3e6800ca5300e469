//! Connectors: how Gaby looks into other systems, and, where the operator allows it, changes them.
//!
//! A connector is a [`manifest`] run by one of the drivers, or a third-party MCP server; either way
//! the [`mcp::Host`] reaches it as an MCP server, and a gate's key is the only way in.

mod connector;
mod drivers;
pub mod manifest;
pub mod mcp;
mod net;
mod output;
mod sql;
mod template;

pub use manifest::Registry;
pub use mcp::{
    CallError, ConnectError, Connected, ConnectorState, ConnectorStatus, Host, Override, ToolStatus,
};
