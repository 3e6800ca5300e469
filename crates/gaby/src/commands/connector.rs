//! `gaby connector`: what the operator decides about a connector.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gaby_connect::mcp::{Host, Override};
use gaby_gate::{Key, Scope, Standing, consent};
use gaby_model::{Autonomy, Clock as _, SystemClock};

use crate::commands::connectors::{Granted, show};
use crate::failure::usage;
use crate::input;
use crate::output::{self, Output};
use crate::prompt;
use crate::workplace::Workplace;

const REACH: Duration = Duration::from_secs(20);
/// More than a scope is long.
const MAX_SCOPE: u64 = 1024 * 1024;

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
    /// What it may be used for: read_only, read_write, dry_run (writes are only shown), or @FILE with a
    /// JSON list of tools and conditions on their arguments
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// The environment that it stands for, such as production
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Connectors that may be told what it says, or * for any; replaces the earlier list
    #[arg(long, value_name = "NAME", num_args = 0..)]
    may_tell: Option<Vec<String>>,
    /// Take back what it was granted: from now on no call of it is let through, also not for an
    /// investigation that runs. --scope grants it again
    #[arg(long, value_name = "WHY", num_args = 0..=1, default_missing_value = "no reason given",
        conflicts_with_all = ["autonomy", "read", "role", "accept", "scope", "environment", "may_tell"])]
    revoke: Option<String>,
    /// Disconnect it, and forget its settings and secrets
    #[arg(long, conflicts_with_all = ["autonomy", "read", "role", "accept", "scope", "environment",
        "may_tell", "revoke"])]
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
            let workspace = place.workspace().await?;
            let why = "it was removed";
            consent::revoke(&workspace, &args.name, why, None, SystemClock.now()).await?;
        }
        return Ok(());
    }
    if let Some(why) = &args.revoke {
        known(place, &args.name).await?;
        let workspace = place.workspace().await?;
        consent::revoke(&workspace, &args.name, why, None, SystemClock.now()).await?;
    }
    host.settled(REACH).await;
    for tool in &args.accept {
        host.accept_definition(&args.name, tool).await?;
    }
    if args.scope.is_some() || args.environment.is_some() || args.may_tell.is_some() {
        grant(&args, &host, place).await?;
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
    let standing = consent::standing(&place.workspace().await?, &args.name).await?;
    if args.json {
        return output::json(&Granted { status, standing });
    }
    let mut out = Output::new();
    show(&mut out, status, &standing)?;
    out.end()
}

async fn known(place: &Workplace, name: &str) -> anyhow::Result<()> {
    match place.workspace().await?.connectors().get(name).await? {
        Some(_) => Ok(()),
        None => bail!("there is no connector `{name}`"),
    }
}

/// Grants what was said, and leaves the rest as it was.
async fn grant(args: &Args, host: &Host<Key>, place: &Workplace) -> anyhow::Result<()> {
    known(place, &args.name).await?;
    let workspace = place.workspace().await?;
    let before = consent::standing(&workspace, &args.name).await?;
    let scope = match &args.scope {
        Some(scope) => read_scope(scope)?,
        None => before.scope,
    };
    let status = host.status().await;
    let tools = status
        .iter()
        .filter(|status| status.name == args.name)
        .flat_map(|status| &status.tools);
    let offered: Vec<&str> = tools.map(|tool| tool.name.as_str()).collect();
    if let Some(unknown) = scope.unknown(&offered).first() {
        bail!("`{}` offers no tool `{unknown}`", args.name);
    }
    let standing = Standing {
        scope,
        environment: args.environment.clone().unwrap_or(before.environment),
        may_tell: args.may_tell.clone().unwrap_or(before.may_tell),
        // Only a scope that is named grants again what was taken back.
        revoked: before.revoked.filter(|_| args.scope.is_none()),
    };
    if standing.revoked.is_some() {
        bail!(
            "what `{}` was granted is taken back: --scope grants it again",
            args.name
        );
    }
    Ok(consent::grant(&workspace, &args.name, &standing, None, SystemClock.now()).await?)
}

/// A scope by its name, or from a file.
pub(crate) fn read_scope(text: &str) -> anyhow::Result<Scope> {
    Ok(match text {
        "read_only" => Scope::ReadOnly,
        "read_write" => Scope::ReadWrite,
        "dry_run" => Scope::DryRun,
        _ => {
            let Some(file) = text.strip_prefix('@') else {
                return Err(usage(format!(
                    "`{text}` is no scope: read_only, read_write, dry_run, or @FILE"
                )));
            };
            let (bytes, name) = input::bytes(file.as_ref(), MAX_SCOPE)?;
            Scope::Custom(serde_json::from_slice(&bytes).with_context(|| {
                format!(
                    "{name} is not a list such as [{{\"tool\": \"restart\", \"when\": \
                     {{\"namespace\": {{\"one_of\": [\"staging\"]}}}}}}]"
                )
            })?)
        }
    })
}
