//! `gaby approvals`: writes that wait for a person.

use std::time::Duration;

use anyhow::bail;
use clap::Subcommand;
use gaby_agent::Approver;
use gaby_agent::shown::{self, ArgumentShown};
use gaby_gate::display;
use gaby_model::{Action, ActionId, ActionState, ArgumentRole};
use gaby_store::Workspace;
use serde::Serialize;
use serde_json::Value;

use crate::commands::{allow, edit, link};
use crate::failure::{Ended, usage};
use crate::output::{self, Output, indent};
use crate::prompt;
use crate::workplace::Workplace;

const MOST: u32 = 500;
const REACH: Duration = Duration::from_secs(10);

/// See, approve or reject the changes that Gaby proposes
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Show(Show),
    Approve(Approve),
    Reject(Reject),
    Edit(edit::Args),
    Allow(allow::Args),
    Allowed(allow::Allowed),
    Disallow(allow::Disallow),
    Link(link::Args),
}

/// List what waits (the default)
#[derive(Debug, Default, clap::Args)]
struct List {
    /// Those that were decided too
    #[arg(long)]
    all: bool,
}

/// Show one with everything that is decided on
#[derive(Debug, clap::Args)]
struct Show {
    /// The action's id
    action: ActionId,
}

/// Say yes: it is carried out once, if what was decided on still holds
///
/// Ends with 1 when it was not carried out, or nobody knows.
#[derive(Debug, clap::Args)]
struct Approve {
    /// The action's id
    action: ActionId,
    /// The decision hash that `show` gave; with another one nothing happens
    #[arg(long, value_name = "HASH")]
    hash: Option<String>,
    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,
}

/// Say no: its ticket goes to a person
#[derive(Debug, clap::Args)]
struct Reject {
    /// The action's id
    action: ActionId,
    /// Why, for the record
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// An action as it is shown before somebody decides.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    action: Action,
    ticket_subject: String,
    display: Displayed,
    reach: String,
    sources: Vec<ArgumentShown>,
}

#[derive(Serialize)]
struct Displayed {
    arguments: Value,
    warnings: Vec<String>,
    #[serde(skip)]
    text: String,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    match args.what.unwrap_or(What::List(List::default())) {
        What::List(list) => {
            let workspace = place.workspace().await?;
            let state = (!list.all).then_some(ActionState::Proposed);
            let actions = workspace.actions().list(state, MOST).await?;
            show_all(&workspace, actions, args.json).await
        }
        What::Show(show) => {
            let workspace = place.workspace().await?;
            let shown = look(&workspace, &show.action).await?;
            if args.json {
                return output::json(&shown);
            }
            let mut out = Output::new();
            tell(&mut out, &shown)?;
            out.end()
        }
        What::Approve(approve) => decide_yes(approve, args.json, place).await,
        What::Reject(reject) => {
            let tenant = place.tenant().await?;
            let user = gaby_server::operator(tenant.workspace.store()).await?;
            let approver = Approver {
                user: &user.id,
                email: &user.email,
            };
            let rejected = tenant
                .agent
                .reject(&reject.action, approver, &reject.reason)
                .await?;
            ended(&rejected, args.json)
        }
        What::Edit(edit) => edit::run(edit, args.json, place).await,
        What::Allow(allow) => allow::run(allow, args.json, place).await,
        What::Allowed(_) => allow::list(args.json, place).await,
        What::Disallow(end) => allow::end(end, place).await,
        What::Link(link) => link::run(link, args.json, place).await,
    }
}

async fn decide_yes(args: Approve, json: bool, place: &Workplace) -> anyhow::Result<()> {
    let tenant = place.tenant().await?;
    let shown = look(&tenant.workspace, &args.action).await?;
    if shown.action.state != ActionState::Proposed {
        bail!(
            "the action {} is {} already",
            args.action,
            shown.action.state.as_str()
        );
    }
    // The yes is for what was seen: the hash of an earlier look, or of this one.
    let seen = match args.hash {
        Some(hash) => hash,
        None => {
            if args.yes {
                return Err(usage(
                    "--yes needs --hash HASH: what `gaby approvals show` showed you",
                ));
            }
            let mut out = Output::new();
            tell(&mut out, &shown)?;
            out.end()?;
            let flags = format!("--yes --hash {}", shown.action.decision_hash);
            if !prompt::confirm("Carry this out?", &flags)? {
                return Ok(());
            }
            shown.action.decision_hash.clone()
        }
    };
    tenant.host.settled(REACH).await;
    // A server that starts meanwhile must not take this for something that a crash left behind.
    let _working = tenant.workspace.store().lock_worker().await?;
    let user = gaby_server::operator(tenant.workspace.store()).await?;
    let approver = Approver {
        user: &user.id,
        email: &user.email,
    };
    let done = tenant.agent.approve(&args.action, &seen, approver).await?;
    ended(&done, json)?;
    if done.state == ActionState::Done {
        Ok(())
    } else {
        Err(Ended(1).into())
    }
}

pub(crate) fn ended(action: &Action, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(action);
    }
    let mut out = Output::new();
    out.line(format!("{}: {}", action.state.as_str(), action.summary))?;
    if action.state == ActionState::Unknown {
        out.line("It was sent, and nobody knows what became of it: look in the system itself.")?;
    }
    if let Some(error) = action.outcome.get("error").and_then(Value::as_str) {
        out.line(format!("  {error}"))?;
    }
    out.end()
}

async fn show_all(workspace: &Workspace, actions: Vec<Action>, json: bool) -> anyhow::Result<()> {
    let mut all = Vec::with_capacity(actions.len());
    for action in actions {
        all.push(with_subject(workspace, action).await?);
    }
    if json {
        return output::json(&all);
    }
    let mut out = Output::new();
    if all.is_empty() {
        out.line("Nothing waits for a decision.")?;
    }
    for shown in &all {
        let action = &shown.action;
        out.line(format!(
            "{}  {}  risk {}  until {}",
            action.id,
            action.state.as_str(),
            action.risk,
            action.expires_at
        ))?;
        out.line(format!("  {}", action.summary))?;
        out.line(format!(
            "  ticket {}: {}",
            action.ticket, shown.ticket_subject
        ))?;
    }
    out.end()
}

async fn look(workspace: &Workspace, id: &ActionId) -> anyhow::Result<Shown> {
    let action = workspace.actions().get(id).await?;
    with_subject(workspace, action).await
}

async fn with_subject(workspace: &Workspace, action: Action) -> anyhow::Result<Shown> {
    let ticket = workspace.tickets().get(&action.ticket).await?;
    let display = display::render(&action.call.arguments)?;
    Ok(Shown {
        reach: shown::reach(&action),
        sources: shown::arguments(workspace, &action).await?,
        action,
        ticket_subject: ticket.subject,
        display: Displayed {
            arguments: display.arguments,
            warnings: display.warnings,
            text: display.text,
        },
    })
}

fn role(role: ArgumentRole) -> &'static str {
    match role {
        ArgumentRole::Target => "what is changed",
        ArgumentRole::Parameter => "how",
        ArgumentRole::Content => "text",
    }
}

fn tell(out: &mut Output, shown: &Shown) -> anyhow::Result<()> {
    let action = &shown.action;
    let seen = |text: &str| display::escape(text);
    out.line(format!("{}  {}", action.id, action.state.as_str()))?;
    out.line(format!("  {}", seen(&action.summary)))?;
    out.line(format!("  because {}", seen(&action.reason)))?;
    out.line(format!(
        "  ticket {}: {}",
        action.ticket,
        seen(&shown.ticket_subject)
    ))?;
    out.line(format!("  calls {} with", action.call.tool))?;
    out.line(indent(&shown.display.text, 4))?;
    for warning in &shown.display.warnings {
        out.line(format!("  warning: {warning}"))?;
    }
    for source in &shown.sources {
        let role = source.role.map_or("not declared", role);
        out.line(format!(
            "  {} ({role}) from {}",
            seen(&source.argument),
            seen(&source.from.join(", "))
        ))?;
    }
    out.line(format!("  reaches {}", seen(&shown.reach)))?;
    for change in &action.weighing.changes {
        let (before, after) = (change.before.to_string(), change.after.to_string());
        out.line(format!(
            "  would change {} from {} to {}",
            seen(&change.field),
            seen(&before),
            seen(&after)
        ))?;
    }
    if !action.state_before.is_null() {
        out.line("  what is there now")?;
        let before = serde_json::to_string_pretty(&action.state_before)?;
        out.line(indent(&seen(&before), 4))?;
    }
    for why in &action.needs_human_because {
        out.line(format!("  needs a person: {}", seen(why)))?;
    }
    out.line(format!(
        "  risk {}, until {}",
        action.risk, action.expires_at
    ))?;
    for part in &action.weighing.risk_parts {
        out.line(format!("    {:>3} {}", part.points, part.name))?;
    }
    out.line(match action.undoable {
        true => "  can be taken back: gaby undo",
        false => "  cannot be taken back",
    })?;
    out.line(format!("  decision hash {}", action.decision_hash))?;
    Ok(())
}
