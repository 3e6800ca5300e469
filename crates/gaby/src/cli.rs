//! The tree of commands.

use clap::{Parser, Subcommand};

use crate::commands::{
    approvals, ask, audit, connect, connector, connectors, doctor, eval, ingest, investigate, mcp,
    playbook, policy, search, serve, tickets, token, workspace,
};
use crate::settings::Global;

/// AI support agent that actually investigates.
#[derive(Debug, Parser)]
#[command(name = "gaby", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Args),
    Ingest(ingest::Args),
    Search(search::Args),
    Ask(ask::Args),
    Investigate(investigate::Args),
    Approvals(approvals::Args),
    Tickets(tickets::Args),
    Connect(connect::Args),
    Connectors(connectors::Args),
    Connector(connector::Args),
    Mcp(mcp::Args),
    Playbook(playbook::Args),
    Policy(policy::Args),
    Eval(eval::Args),
    Audit(audit::Args),
    Workspace(workspace::Args),
    Doctor(doctor::Args),
    Token(token::Args),
}
