//! `gaby undo`: takes back what was done.

use std::time::Duration;

use anyhow::bail;
use gaby_agent::Approver;
use gaby_gate::display;
use gaby_model::{ActionId, ActionState};

use crate::commands::approvals::ended;
use crate::failure::Ended;
use crate::prompt;
use crate::workplace::Workplace;

const REACH: Duration = Duration::from_secs(10);

/// Take back a change that was carried out, where its tool has a way back
///
/// Ends with 1 when it was not taken back, or nobody knows.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The action's id
    action: ActionId,
    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,
    /// Print the action that took it back as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let tenant = place.tenant().await?;
    let action = tenant.workspace.actions().get(&args.action).await?;
    if action.state != ActionState::Done {
        bail!(
            "the action {} is {}, so there is nothing to take back",
            action.id,
            action.state.as_str()
        );
    }
    if !args.yes {
        let question = format!("Take this back: {}?", display::escape(&action.summary));
        if !prompt::confirm(&question, "--yes")? {
            return Ok(());
        }
    }
    tenant.host.settled(REACH).await;
    // A server that starts meanwhile must not take this for something that a crash left behind.
    let _working = tenant.workspace.store().lock_worker().await?;
    let user = gaby_server::operator(tenant.workspace.store()).await?;
    let by = Approver {
        user: &user.id,
        email: &user.email,
    };
    let undo = tenant.agent.undo(&args.action, by).await?;
    ended(&undo, args.json)?;
    match undo.state {
        ActionState::Done => Ok(()),
        _ => Err(Ended(1).into()),
    }
}
