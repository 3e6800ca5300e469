//! The commands, one a file: each has its arguments and its `run`.

pub(crate) mod allow;
pub(crate) mod approvals;
pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod connect;
pub(crate) mod connector;
pub(crate) mod connectors;
pub(crate) mod consents;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod eval;
pub(crate) mod ingest;
pub(crate) mod investigate;
pub(crate) mod link;
pub(crate) mod llm;
pub(crate) mod mcp;
pub(crate) mod playbook;
pub(crate) mod policy;
pub(crate) mod redact;
pub(crate) mod replay;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod shadow_report;
pub(crate) mod stub_llm;
pub(crate) mod tickets;
pub(crate) mod token;
pub(crate) mod undo;
pub(crate) mod user;
pub(crate) mod workspace;

use crate::cli::{Cli, Command};
use crate::logging;
use crate::settings::Settings;
use crate::telemetry::Traces;
use crate::workplace::Workplace;

/// Runs the command that was asked for.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    let place = Workplace::new(Settings::load(&cli.global)?);
    let traces = match &place.settings.traces {
        Some(export) => Some(Traces::start(export)?),
        None => None,
    };
    match cli.command {
        Command::Serve(_) => logging::of_server(traces.as_ref()),
        _ => logging::of_command(traces.as_ref()),
    }
    let ended = match cli.command {
        Command::Serve(args) => serve::run(args, &place).await,
        Command::Ingest(args) => ingest::run(args, &place).await,
        Command::Search(args) => search::run(args, &place).await,
        Command::Ask(args) => ask::run(args, &place).await,
        Command::Investigate(args) => investigate::run(args, &place).await,
        Command::Approvals(args) => approvals::run(args, &place).await,
        Command::Undo(args) => undo::run(args, &place).await,
        Command::Tickets(args) => tickets::run(args, &place).await,
        Command::Connect(args) => connect::run(args, &place).await,
        Command::Connectors(args) => connectors::run(args, &place).await,
        Command::Connector(args) => connector::run(args, &place).await,
        Command::Consents(args) => consents::run(args, &place).await,
        Command::ShadowReport(args) => shadow_report::run(args, &place).await,
        Command::Mcp(args) => mcp::run(args, &place).await,
        Command::Playbook(args) => playbook::run(args, &place).await,
        Command::Policy(args) => policy::run(args, &place).await,
        Command::Llm(args) => llm::run(args, &place).await,
        Command::Redact(args) => redact::run(args, &place).await,
        Command::Eval(args) => eval::run(args, &place).await,
        Command::Audit(args) => audit::run(args, &place).await,
        Command::Workspace(args) => workspace::run(args, &place).await,
        Command::Doctor(args) => doctor::run(args, &place).await,
        Command::User(args) => user::run(args, &place).await,
        Command::Completions(args) => completions::run(&args),
        Command::Replay(args) => replay::run(args, &place).await,
        Command::StubLlm(args) => stub_llm::run(args).await,
        Command::Token(args) => token::run(args, &place).await,
    };
    place.close().await;
    if let Some(traces) = traces {
        traces.flush().await;
    }
    ended
}
