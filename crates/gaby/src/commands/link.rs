//! `gaby approvals link`: a link that leads one person to an action.

use anyhow::bail;
use gaby_gate::links;
use gaby_model::{ActionId, ActionState};
use gaby_store::accounts::Role;
use serde_json::json;

use crate::commands::serve::USUAL_ADDRESS;
use crate::output::{self, Output};
use crate::workplace::Workplace;

/// Make a link that leads one person to an action, once, such as for a mail
///
/// The link decides nothing: whoever follows it must be signed in as that person, and then sees the
/// action. It ends when the action does.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The action's id
    action: ActionId,
    /// The address of the person's account
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// The address under which browsers reach the server [default: what the settings say]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(crate) async fn run(args: Args, as_json: bool, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let action = workspace.actions().get(&args.action).await?;
    if action.state != ActionState::Proposed {
        bail!(
            "the action {} is {} already",
            action.id,
            action.state.as_str()
        );
    }
    let user = workspace.store().accounts().user_by_email(&args.to).await?;
    let decides = user.filter(|user| {
        let here = user.workspaces.as_ref();
        user.role >= Role::Agent && here.is_none_or(|all| all.contains(workspace.id()))
    });
    let Some(user) = decides else {
        bail!(
            "nobody with the address `{}` decides in this workspace: see `gaby user list`",
            args.to
        );
    };
    let token = links::make(&workspace, &action, &user.id).await?;
    // Where the server runs if nothing says otherwise.
    let browser = match (args.url, &place.settings.public_url, &place.settings.listen) {
        (Some(url), _, _) => url,
        (None, Some(url), _) => url.clone(),
        (None, None, Some(listen)) => format!("http://{listen}"),
        (None, None, None) => format!("http://{USUAL_ADDRESS}"),
    };
    let url = links::address(&browser, workspace.slug(), &token);
    if as_json {
        return output::json(&json!({"url": url, "ends_at": action.expires_at}));
    }
    let mut out = Output::new();
    out.line(url)?;
    out.end()
}
