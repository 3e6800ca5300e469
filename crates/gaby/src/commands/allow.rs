//! `gaby approvals allow`: a yes in advance to the like of an action, for so many calls and so long.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gaby_agent::{Approver, Like};
use gaby_gate::scope::Condition;
use gaby_gate::{Pattern, display};
use gaby_model::{ActionId, PatternId};
use serde_json::json;

use crate::input;
use crate::output::{self, Output};
use crate::prompt;
use crate::workplace::Workplace;

const REACH: Duration = Duration::from_secs(10);

/// Say yes in advance to the like of an action, for so many calls and so long
///
/// It never stands in for what always needs a person, and shows first what it would have covered.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The action's id
    action: ActionId,
    /// For how many calls, at most 500
    #[arg(long, value_name = "N")]
    calls: u32,
    /// For how many hours, at most 336 (14 days)
    #[arg(long, value_name = "N")]
    hours: u32,
    /// What must hold of an argument instead of being as it is, such as
    /// amount={"at_most":20} or note={"starts_with":""}
    #[arg(long = "where", value_name = "ARGUMENT=CONDITION", value_parser = input::pair)]
    conditions: Vec<(String, String)>,
    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,
}

/// List what is allowed in advance
#[derive(Debug, clap::Args)]
pub(crate) struct Allowed {}

/// End what was allowed in advance, at once
#[derive(Debug, clap::Args)]
pub(crate) struct Disallow {
    /// The id that `allowed` shows
    pattern: PatternId,
}

pub(crate) async fn run(args: Args, as_json: bool, place: &Workplace) -> anyhow::Result<()> {
    let mut arguments = BTreeMap::new();
    for (name, condition) in args.conditions {
        let read: Condition = serde_json::from_str(&condition).with_context(|| {
            format!("`{condition}` is no condition: write one such as {{\"at_most\":20}}")
        })?;
        arguments.insert(name, read);
    }
    let like = Like {
        arguments,
        calls: args.calls,
        hours: args.hours,
    };
    let tenant = place.tenant().await?;
    tenant.host.settled(REACH).await;
    let user = gaby_server::operator(tenant.workspace.store()).await?;
    let by = Approver {
        user: &user.id,
        email: &user.email,
    };
    if !args.yes {
        let considered = tenant.agent.consider_like(&args.action, &like, by).await?;
        let mut out = Output::new();
        tell(&mut out, &considered.pattern)?;
        out.line(format!(
            "  would have covered {} of the last 30 days' actions",
            considered.would_have_covered.len()
        ))?;
        for action in &considered.would_have_covered {
            out.line(format!("    {}", display::escape(&action.summary)))?;
        }
        out.end()?;
        if !prompt::confirm("Allow this in advance?", "--yes")? {
            return Ok(());
        }
    }
    let given = tenant.agent.allow_like(&args.action, &like, by).await?;
    if as_json {
        return output::json(&json!({
            "pattern": given.pattern,
            "would_have_covered": given.would_have_covered.len(),
        }));
    }
    let mut out = Output::new();
    out.line("Allowed in advance:")?;
    tell(&mut out, &given.pattern)?;
    out.end()
}

pub(crate) async fn list(as_json: bool, place: &Workplace) -> anyhow::Result<()> {
    let tenant = place.tenant().await?;
    let standing = tenant.agent.standing_approvals().await?;
    if as_json {
        return output::json(&standing);
    }
    let mut out = Output::new();
    if standing.is_empty() {
        out.line("Nothing is allowed in advance.")?;
    }
    for pattern in &standing {
        tell(&mut out, pattern)?;
    }
    out.end()
}

pub(crate) async fn end(args: Disallow, place: &Workplace) -> anyhow::Result<()> {
    let tenant = place.tenant().await?;
    let user = gaby_server::operator(tenant.workspace.store()).await?;
    let by = Approver {
        user: &user.id,
        email: &user.email,
    };
    if !tenant
        .agent
        .end_standing_approval(&args.pattern, by)
        .await?
    {
        bail!("nothing is allowed in advance under {}", args.pattern);
    }
    Ok(())
}

fn tell(out: &mut Output, pattern: &Pattern) -> anyhow::Result<()> {
    out.line(format!(
        "{}  {}  {} more calls, until {}",
        pattern.id, pattern.tool, pattern.remaining, pattern.ends_at
    ))?;
    for (name, condition) in &pattern.arguments {
        let condition = serde_json::to_string(condition)?;
        out.line(format!(
            "  {}: {}",
            display::escape(name),
            display::escape(&condition)
        ))?;
    }
    Ok(())
}
