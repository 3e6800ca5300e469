//! `gaby connectors`: what is connected, and whether it answers.

use std::time::Duration;

use gaby_connect::mcp::{ConnectorState, ConnectorStatus};
use gaby_model::Access;

use crate::output::{self, Output, short};
use crate::workplace::Workplace;

/// How long a connector may take to be reached.
const REACH: Duration = Duration::from_secs(20);

/// Show what is connected, and whether it answers
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let host = place.host().await?;
    host.settled(REACH).await;
    let status = host.status().await;
    if args.json {
        return output::json(&status);
    }
    let mut out = Output::new();
    if status.is_empty() {
        let names = host.registry().names().join(", ");
        out.line(format!(
            "Nothing is connected. `gaby connect NAME` connects one of: {names}; \
             `gaby connect mcp NAME -- COMMAND` any MCP server."
        ))?;
    }
    for connector in &status {
        show(&mut out, connector)?;
    }
    out.end()
}

/// A connector with its tools.
pub(crate) fn show(out: &mut Output, connector: &ConnectorStatus) -> anyhow::Result<()> {
    let state = match connector.state {
        ConnectorState::Connecting => "not reached yet",
        ConnectorState::Up => "up",
        ConnectorState::Down => "down",
        ConnectorState::Suspended => "suspended",
    };
    out.line(format!(
        "{}  {state}  {}  autonomy {}",
        connector.name, connector.kind, connector.autonomy
    ))?;
    if let Some(error) = connector
        .last_error
        .as_ref()
        .filter(|_| connector.state != ConnectorState::Up)
    {
        out.line(format!("  {error}"))?;
    }
    for warning in &connector.warnings {
        out.line(format!("  warning: {warning}"))?;
    }
    let rows: Vec<Vec<String>> = connector
        .tools
        .iter()
        .map(|tool| {
            let access = match tool.access {
                Access::Read => "read",
                Access::Write => "write",
            };
            let about = match &tool.suspended {
                Some(why) => format!("suspended: {why}"),
                None => short(&tool.description, 70),
            };
            let role = tool.role.clone().unwrap_or_default();
            vec![format!("  {}", tool.name), access.to_owned(), role, about]
        })
        .collect();
    if !rows.is_empty() {
        out.line(output::table(&rows))?;
    }
    out.line("")?;
    Ok(())
}
