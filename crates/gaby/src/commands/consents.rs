//! `gaby consents`: who connected what, with which scope, and who took it back.

use gaby_gate::consent;
use gaby_gate::display;
use gaby_store::Workspace;
use gaby_store::consents::{Consent, ConsentKind};

use crate::output::{self, Output};
use crate::workplace::Workplace;

const MOST: u32 = 1_000;

/// Show who connected what with which scope, what was changed, and what was taken back
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this connector
    connector: Option<String>,
    /// Print a JSON list, newest first
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let mut consents = workspace.consents(MOST).await?;
    if let Some(connector) = &args.connector {
        consents.retain(|consent| consent.connector == *connector);
    }
    if args.json {
        return output::json(&consents);
    }
    let mut out = Output::new();
    if consents.is_empty() {
        out.line("Nothing was connected yet.")?;
    }
    for consent in &consents {
        out.line(line(&workspace, consent).await?)?;
    }
    out.end()
}

async fn line(workspace: &Workspace, consent: &Consent) -> anyhow::Result<String> {
    let by = match &consent.by {
        None => "command line".to_owned(),
        Some(id) => {
            let user = workspace.store().accounts().user_by_id(id).await?;
            user.map_or_else(|| id.to_string(), |user| user.email)
        }
    };
    let after = consent::standing_of(&consent.connector, &consent.after)?.unwrap_or_default();
    let what = match consent.kind {
        ConsentKind::Connected => format!("connected, scope {}", after.scope.as_str()),
        ConsentKind::Changed => format!("changed, scope {}", after.scope.as_str()),
        ConsentKind::Revoked => format!(
            "taken back: {}",
            display::escape(after.revoked.as_deref().unwrap_or_default())
        ),
    };
    Ok(format!(
        "{}  {}  {what}  by {by}",
        consent.at, consent.connector
    ))
}
