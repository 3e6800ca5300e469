//! `gaby token`: keys for programs that use the API.

use anyhow::bail;
use clap::Subcommand;
use gaby_model::{Clock as _, SystemClock, TokenId};
use gaby_server::{DEFAULT_DAYS, Scope, TokenOrder, scopes_of, sources_of};
use serde_json::json;

use crate::output::{self, Output, note};
use crate::workplace::Workplace;

/// Make, list and revoke API tokens
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a token and print it, once
#[derive(Debug, clap::Args)]
struct Create {
    /// What it is for
    name: String,
    /// What it may do: read, tickets:write or admin; may be given again
    #[arg(long, value_name = "SCOPE", required = true, num_args = 1..)]
    scope: Vec<Scope>,
    /// A source that it may speak for, of those that you settled something about; may be given again
    #[arg(long, value_name = "SOURCE")]
    source: Vec<String>,
    /// For how many days, at most 365
    #[arg(long, value_name = "DAYS", default_value_t = DEFAULT_DAYS)]
    days: u32,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// List tokens
#[derive(Debug, clap::Args)]
struct List {
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// Revoke a token
#[derive(Debug, clap::Args)]
struct Revoke {
    /// Its id, as `gaby token list` shows it
    id: TokenId,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    match args.what {
        What::Create(create) => {
            let order = TokenOrder {
                name: create.name,
                scopes: create.scope,
                sources: create.source,
                days: create.days,
            };
            let (token, record) = order.place(&workspace, SystemClock.now()).await?;
            if create.json {
                return output::json(&json!({
                    "id": record.id,
                    "token": token,
                    "scopes": scopes_of(&record),
                    "sources": sources_of(&record),
                    "expires_at": record.expires_at,
                }));
            }
            let mut out = Output::new();
            out.line(token)?;
            out.end()?;
            note("Keep it now: it is not shown again.");
            Ok(())
        }
        What::List(list) => {
            let tokens = workspace.store().accounts().tokens(&workspace).await?;
            if list.json {
                let all: Vec<_> = tokens
                    .iter()
                    .map(|token| {
                        json!({
                            "id": token.id,
                            "name": token.name,
                            "scopes": scopes_of(token),
                            "sources": sources_of(token),
                            "created_at": token.created_at,
                            "expires_at": token.expires_at,
                            "used_at": token.used_at,
                        })
                    })
                    .collect();
                return output::json(&all);
            }
            let rows: Vec<Vec<String>> = tokens
                .into_iter()
                .map(|token| {
                    let until = token
                        .expires_at
                        .map_or(String::new(), |at| format!("until {at}"));
                    vec![
                        token.id.to_string(),
                        token.name,
                        token.scopes.join(" "),
                        until,
                    ]
                })
                .collect();
            let mut out = Output::new();
            if rows.is_empty() {
                out.line("There are none.")?;
            } else {
                out.line(output::table(&rows))?;
            }
            out.end()
        }
        What::Revoke(revoke) => {
            let accounts = workspace.store().accounts();
            if !accounts.remove_token(&workspace, &revoke.id).await? {
                bail!("there is no token `{}` in this workspace", revoke.id);
            }
            note("Revoked.");
            Ok(())
        }
    }
}
