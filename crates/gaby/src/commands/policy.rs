//! `gaby policy`: the operator's rules, and why the gate decides as it does.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use gaby_gate::rules::check::CheckCall;
use gaby_gate::rules::files;
use gaby_gate::{AutonomyLevels, Policy, PolicyFile, Rules, consent};
use gaby_model::ToolDefinition;
use gaby_store::Workspace;
use serde_json::json;

use crate::input;
use crate::output::{self, Output};
use crate::workplace::Workplace;

/// More than a call that could be made is long.
const MAX_CALL: u64 = 1024 * 1024;
const REACH: Duration = Duration::from_secs(10);

/// See your rules, and why the gate decides as it does
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    Check(Check),
    /// List the rules of the workspace
    List,
}

/// Say what the gate would decide about a call, which rules apply, and what they were told
///
/// The file holds `{"tool": "connector__tool", "arguments": {…}}`, and where it matters `requester`,
/// `verified`, `trusted` (names of arguments that a connected system gave), `owned`, `records` and
/// `situation`.
#[derive(Debug, clap::Args)]
struct Check {
    /// The file, or - for standard input
    #[arg(value_name = "CALL.json")]
    call: PathBuf,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let host = place.host().await?;
    host.settled(REACH).await;
    let tools = host.catalog().await;
    let workspace = place.workspace().await?;
    let rules = rules(&workspace, place, &tools).await?;
    match args.what {
        What::Check(check) => explain(&check, args.json, &workspace, &tools, &rules).await,
        What::List => list(args.json, &rules),
    }
}

/// The rules that hold in a workspace.
async fn rules(
    workspace: &Workspace,
    place: &Workplace,
    tools: &[ToolDefinition],
) -> anyhow::Result<Rules> {
    let own = files::read_folder(&place.settings.policies()?)?;
    let stored = workspace.policy_files().await?;
    let stored = stored
        .into_iter()
        .map(|(name, text)| PolicyFile::of_workspace(name, text))
        .collect();
    let all = files::layered([files::built_in(), own, stored]);
    Ok(Rules::compile(&all, tools)?)
}

async fn explain(
    check: &Check,
    as_json: bool,
    workspace: &Workspace,
    tools: &[ToolDefinition],
    rules: &Rules,
) -> anyhow::Result<()> {
    let (bytes, name) = input::bytes(&check.call, MAX_CALL)?;
    let mut call: CheckCall =
        serde_json::from_slice(&bytes).with_context(|| format!("{name} is not a call to check"))?;
    let connector = call.tool.split("__").next().unwrap_or_default().to_owned();
    let standing = consent::standing(workspace, &connector).await?;
    let record = workspace.connectors().get(&connector).await?;
    let autonomy = record.map(|record| record.autonomy).unwrap_or_default();
    let policy = Policy {
        autonomy: AutonomyLevels {
            connector: autonomy,
            ..AutonomyLevels::all(gaby_model::Autonomy::Act)
        },
        scope: standing.scope,
        ..Policy::default()
    };
    if call.situation.workspace.is_empty() {
        workspace.slug().clone_into(&mut call.situation.workspace);
    }
    if call.situation.environment.is_empty() {
        call.situation.environment = standing.environment;
    }
    let explained = call.explain(tools, &policy, rules, standing.revoked.as_deref());
    if as_json {
        return output::json(&explained);
    }
    let mut out = Output::new();
    out.line(explained.to_string().trim_end())?;
    out.end()
}

fn list(as_json: bool, rules: &Rules) -> anyhow::Result<()> {
    if as_json {
        let all: Vec<_> = rules.iter().collect();
        return output::json(&json!({"rules": all, "unused": rules.unused()}));
    }
    let mut out = Output::new();
    for rule in rules.iter() {
        out.line(format!("{}/{}  {}", rule.file, rule.name, rule.why))?;
    }
    for rule in rules.unused() {
        out.line(format!(
            "{}/{}  is only about tools that nobody offers",
            rule.file, rule.name
        ))?;
    }
    out.end()
}
