//! Telling people of actions that wait for them.

use std::time::Duration;

use gaby_agent::queue::Agents as _;
use gaby_gate::links;
use gaby_model::{Action, ActionState, Clock as _, SystemClock};
use gaby_store::accounts::User;
use gaby_store::{StoreError, Workspace};
use tokio_util::sync::CancellationToken;

use super::post::Post;
use crate::app::App;
use crate::auth::caller::decides;
use crate::operator::is_operator;

/// How often it is looked for actions that nobody was told of.
const LOOK: Duration = Duration::from_secs(5);
/// How long a server that does not take mail is left alone.
const LATER: Duration = Duration::from_secs(60);
/// Actions that are looked at in one workspace at a time, the latest.
const AT_ONCE: u32 = 200;

/// Tells everybody who decides of each waiting action, once, until the server goes down.
pub(crate) async fn tell(app: App, post: Post, shutdown: CancellationToken) {
    let mut failing = false;
    loop {
        let told = async {
            for agent in app.tenants.all().await {
                tell_of(&app, &post, agent.workspace()).await?;
            }
            Ok::<_, Failure>(())
        };
        let told = tokio::select! {
            told = told => told,
            () = shutdown.cancelled() => return,
        };
        // Said when it begins and when it ends, and not each time between.
        match (&told, failing) {
            (Err(error), false) => {
                tracing::error!(%error, "people are not told of waiting actions")
            }
            (Ok(()), true) => tracing::info!("people are told of waiting actions again"),
            _ => {}
        }
        failing = told.is_err();
        tokio::select! {
            () = tokio::time::sleep(if failing { LATER } else { LOOK }) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Gate(#[from] gaby_gate::GateError),
    #[error(transparent)]
    Mail(#[from] super::MailError),
}

async fn tell_of(app: &App, post: &Post, workspace: &Workspace) -> Result<(), Failure> {
    let waiting = workspace
        .actions()
        .list(Some(ActionState::Proposed), AT_ONCE)
        .await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let told = workspace.mailed_actions().await?;
    let people = app.store.accounts().users().await?;
    let is_told = |user: &&User| {
        decides(user, workspace.id()) && !is_operator(user) && post.tells(&user.email)
    };
    for user in people.iter().filter(is_told) {
        for action in &waiting {
            let over = action.expires_at <= SystemClock.now();
            if over || told.contains(&(action.id.clone(), user.id.clone())) {
                continue;
            }
            // Made before it is sent, and noted after: a process that is killed between tells twice
            // rather than never.
            let token = links::make(workspace, action, &user.id).await?;
            let link = links::address(&app.url, workspace.slug(), &token);
            let to = (user.name.as_str(), user.email.as_str());
            match post.send(to, &subject(action), text(action, &link)).await {
                // Nobody can be told at such an address, today or tomorrow.
                Err(super::MailError::Address(address)) => {
                    tracing::warn!(address, "no mail can be sent to this account");
                }
                sent => sent?,
            }
            let mut tx = workspace.begin().await?;
            tx.note_mailed(&action.id, &user.id, SystemClock.now())
                .await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

fn subject(action: &Action) -> String {
    let tool = &action.call.tool;
    format!(
        "Gaby asks for a decision: {} of {}",
        tool.tool, tool.connector
    )
}

fn text(action: &Action, link: &str) -> String {
    let tool = &action.call.tool;
    format!(
        "Gaby would like to call `{}` of `{}`. Its risk is {} of 100.\n\n\
         See what she found and what would change, and decide:\n\n{link}\n\n\
         The link is yours alone, works once, and asks you to sign in. The action waits until {}.\n",
        tool.tool, tool.connector, action.risk, action.expires_at
    )
}
