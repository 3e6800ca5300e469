//! `gaby connector`: what the operator decides about a connector.

use std::collections::BTreeMap;
use std::time::Duration;

use gaby_connect::mcp::Override;
use gaby_model::Autonomy;

use crate::commands::connectors::show;
use crate::input;
use crate::output::{self, Output};
use crate::prompt;
use crate::workplace::Workplace;

const REACH: Duration = Duration::from_secs(20);

/// Decide what Gaby may do with a connector, or look at it
///
/// A running `gaby serve` goes by it from the next investigation on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name, as `gaby connectors` shows it
    name: String,
    /// How far Gaby may go: investigate (read only), propose (a human approves) or act
    #[arg(long, value_name = "MODE")]
    autonomy: Option<Autonomy>,
    /// The tools of a third party's server that only read; replaces the earlier list
    #[arg(long, value_name = "TOOL", num_args = 1..)]
    read: Option<Vec<String>>,
    /// The generic job that a tool does, for playbooks; an empty ROLE takes it back
    #[arg(long, value_name = "TOOL=ROLE", value_parser = input::pair)]
    role: Vec<(String, String)>,
    /// Accept the definition that a suspended tool has now
    #[arg(long, value_name = "TOOL", num_args = 1..)]
    accept: Vec<String>,
    /// Disconnect it, and forget its settings and secrets
    #[arg(long, conflicts_with_all = ["autonomy", "read", "role", "accept"])]
    remove: bool,
    /// Do not ask whether it is meant
    #[arg(long, requires = "remove")]
    yes: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let host = place.host().await?;
    if args.remove {
        let question = format!(
            "Disconnect {} and forget its settings and secrets?",
            args.name
        );
        if args.yes || prompt::confirm(&question, "--yes")? {
            host.remove(&args.name).await?;
        }
        return Ok(());
    }
    host.settled(REACH).await;
    for tool in &args.accept {
        host.accept_definition(&args.name, tool).await?;
    }
    let change = Override {
        autonomy: args.autonomy,
        read_tools: args.read,
        roles: args.role.into_iter().collect::<BTreeMap<_, _>>(),
    };
    host.set_override(&args.name, change).await?;
    let status = host.status().await;
    let Some(status) = status.iter().find(|status| status.name == args.name) else {
        return Ok(());
    };
    if args.json {
        return output::json(status);
    }
    let mut out = Output::new();
    show(&mut out, status)?;
    out.end()
}
