//! `gaby connectors`: what is connected, and whether it answers.

use std::time::Duration;

use gaby_connect::mcp::{ConnectorState, ConnectorStatus};
use gaby_gate::{Standing, consent};
use gaby_model::Access;
use serde::Serialize;

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
    let workspace = place.workspace().await?;
    let mut all = Vec::with_capacity(status.len());
    for status in &status {
        let standing = consent::standing(&workspace, &status.name).await?;
        all.push(Granted { status, standing });
    }
    if args.json {
        return output::json(&all);
    }
    let mut out = Output::new();
    if status.is_empty() {
        let names = host.registry().names().join(", ");
        out.line(format!(
            "Nothing is connected. `gaby connect NAME` connects one of: {names}; \
             `gaby connect mcp NAME -- COMMAND` any MCP server."
        ))?;
    }
    for one in &all {
        show(&mut out, one.status, &one.standing)?;
    }
    out.end()
}

/// A connector, and what it was granted.
#[derive(Serialize)]
pub(crate) struct Granted<'a> {
    #[serde(flatten)]
    pub(crate) status: &'a ConnectorStatus,
    #[serde(rename = "grant")]
    pub(crate) standing: Standing,
}

/// A connector with its tools.
pub(crate) fn show(
    out: &mut Output,
    connector: &ConnectorStatus,
    standing: &Standing,
) -> anyhow::Result<()> {
    let state = match connector.state {
        ConnectorState::Connecting => "not reached yet",
        ConnectorState::Up => "up",
        ConnectorState::Down => "down",
        ConnectorState::Suspended => "suspended",
    };
    out.line(format!(
        "{}  {state}  {}  autonomy {}  scope {}",
        connector.name,
        connector.kind,
        connector.autonomy,
        standing.scope.as_str()
    ))?;
    if !standing.environment.is_empty() {
        out.line(format!("  stands for {}", standing.environment))?;
    }
    if let Some(why) = &standing.revoked {
        out.line(format!("  taken back, no call is let through: {why}"))?;
    }
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
