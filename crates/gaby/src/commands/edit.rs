//! `gaby approvals edit`: other arguments in the place of those that wait.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use gaby_agent::Approver;
use gaby_model::ActionId;
use serde_json::{Map, Value};

use crate::input;
use crate::output::{self, Output};
use crate::workplace::Workplace;

const REACH: Duration = Duration::from_secs(10);
/// More than the arguments of a call are long.
const MAX_ARGUMENTS: u64 = 1024 * 1024;

/// Put other arguments in the place of those that wait: a new action, to be decided on anew
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The action's id
    action: ActionId,
    /// A file with all arguments of the call as a JSON object, or - for standard input
    #[arg(value_name = "ARGUMENTS.json")]
    arguments: PathBuf,
    /// The decision hash that `show` gave; with another one nothing happens
    #[arg(long, value_name = "HASH")]
    hash: Option<String>,
}

pub(crate) async fn run(args: Args, json: bool, place: &Workplace) -> anyhow::Result<()> {
    let (bytes, name) = input::bytes(&args.arguments, MAX_ARGUMENTS)?;
    let arguments: Map<String, Value> = serde_json::from_slice(&bytes)
        .with_context(|| format!("{name} is not a JSON object with the arguments of a call"))?;
    let tenant = place.tenant().await?;
    let hash = match args.hash {
        Some(hash) => hash,
        None => {
            tenant
                .workspace
                .actions()
                .get(&args.action)
                .await?
                .decision_hash
        }
    };
    tenant.host.settled(REACH).await;
    let user = gaby_server::operator(tenant.workspace.store()).await?;
    let editor = Approver {
        user: &user.id,
        email: &user.email,
    };
    let new = tenant
        .agent
        .edit(&args.action, &hash, Value::Object(arguments), editor)
        .await?;
    if json {
        return output::json(&new);
    }
    let mut out = Output::new();
    out.line(format!(
        "{} takes its place, and waits for a decision:",
        new.id
    ))?;
    out.line(format!("  gaby approvals show {}", new.id))?;
    out.end()
}
