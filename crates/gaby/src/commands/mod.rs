//! The commands, one a file: each has its arguments and its `run`.

pub(crate) mod approvals;
pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod connect;
pub(crate) mod connector;
pub(crate) mod connectors;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod ingest;
pub(crate) mod investigate;
pub(crate) mod mcp;
pub(crate) mod playbook;
pub(crate) mod policy;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod tickets;
pub(crate) mod token;
pub(crate) mod workspace;

use crate::cli::{Cli, Command};
use crate::logging;
use crate::settings::Settings;

/// Runs the command that was asked for.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = Settings::load(&cli.global)?;
    match cli.command {
        Command::Serve(_) => logging::of_server(),
        _ => logging::of_command(),
    }
    match cli.command {
        Command::Serve(args) => serve::run(args, settings).await,
        Command::Ingest(args) => ingest::run(args, &settings).await,
        Command::Search(args) => search::run(args, &settings).await,
        Command::Ask(args) => ask::run(args, &settings).await,
        Command::Investigate(args) => investigate::run(args, &settings).await,
        Command::Approvals(args) => approvals::run(args, &settings).await,
        Command::Tickets(args) => tickets::run(args, &settings).await,
        Command::Connect(args) => connect::run(args, &settings).await,
        Command::Connectors(args) => connectors::run(args, &settings).await,
        Command::Connector(args) => connector::run(args, &settings).await,
        Command::Mcp(args) => mcp::run(args, &settings).await,
        Command::Playbook(args) => playbook::run(args, &settings).await,
        Command::Policy(args) => policy::run(args, &settings).await,
        Command::Eval(args) => eval::run(args, &settings).await,
        Command::Audit(args) => audit::run(args, &settings).await,
        Command::Workspace(args) => workspace::run(args, &settings).await,
        Command::Doctor(args) => doctor::run(args, &settings).await,
        Command::Token(args) => token::run(args, &settings).await,
    }
}
