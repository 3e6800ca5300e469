//! `gaby workspace`: one for each company whose tickets are kept apart.

use clap::Subcommand;

use crate::failure::usage;
use crate::output::{self, Output, note};
use crate::prompt;
use crate::workplace::Workplace;

/// List, create and delete workspaces
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Create(Create),
    Delete(Delete),
}

/// List workspaces
#[derive(Debug, clap::Args)]
struct List {
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// Create a workspace, with a key of its own
#[derive(Debug, clap::Args)]
struct Create {
    /// Its short name, for commands: lower case letters, digits and hyphens
    slug: String,
    /// Its name for people [default: the short name]
    #[arg(long)]
    name: Option<String>,
}

/// Delete a workspace and destroy its key
///
/// Everything in it is gone: tickets, knowledge, connectors, audit log. What a backup still holds
/// of it opens no longer, unless the backup has the key too.
#[derive(Debug, clap::Args)]
struct Delete {
    /// Its short name
    slug: String,
    /// Do not ask for the name
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let store = place.store().await?;
    match args.what {
        What::List(list) => {
            let all = store.workspaces().await?;
            if list.json {
                return output::json(&all);
            }
            let mut out = Output::new();
            if all.is_empty() {
                out.line("There are none yet; the first command that needs one makes `default`.")?;
            } else {
                let row = |cells: [String; 3]| cells.to_vec();
                let rows: Vec<_> = all
                    .into_iter()
                    .map(|info| row([info.slug, info.name, info.created_at.to_string()]))
                    .collect();
                out.line(output::table(&rows))?;
            }
            out.end()
        }
        What::Create(create) => {
            let name = create.name.as_deref().unwrap_or(&create.slug);
            store.create_workspace(&create.slug, name).await?;
            note(format!("Created {}.", create.slug));
            Ok(())
        }
        What::Delete(delete) => {
            let workspace = store.workspace(&delete.slug).await?;
            if !delete.yes {
                if !prompt::somebody_is_there() {
                    return Err(usage(format!(
                        "this destroys everything in {}: add --yes if it is meant",
                        delete.slug
                    )));
                }
                let question = format!(
                    "This destroys everything in {0}. Type {0} to go on",
                    delete.slug
                );
                if prompt::line(&question, Some(""))? != delete.slug {
                    note("Nothing was deleted.");
                    return Ok(());
                }
            }
            store.delete_workspace(workspace).await?;
            note(format!("Deleted {}; its key is destroyed.", delete.slug));
            Ok(())
        }
    }
}
