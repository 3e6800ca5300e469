//! `gaby user`: who can sign in.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use gaby_server::accounts::{self, NewAccount};
use gaby_store::accounts::Role;
use serde_json::json;

use crate::failure::usage;
use crate::input;
use crate::output::{self, Output, note};
use crate::prompt;
use crate::workplace::Workplace;

const MAX_PASSWORD_FILE: u64 = 64 * 1024;

/// Say who can sign in
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Add(Add),
    Password(Password),
    Remove(Remove),
}

/// List who can sign in
#[derive(Debug, clap::Args)]
struct List {
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// Make an account; asks for its password
#[derive(Debug, clap::Args)]
struct Add {
    /// The address to sign in with
    email: String,
    /// What to be called [default: the address]
    #[arg(long)]
    name: Option<String>,
    /// What they may do: look, also answer and decide, also set up
    #[arg(long, value_enum, default_value = "agent")]
    role: RoleWord,
    /// A file with the password, or - for a line of stdin
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Give an account another password, and sign it out everywhere
#[derive(Debug, clap::Args)]
struct Password {
    /// The address that signs in
    email: String,
    /// A file with the password, or - for a line of stdin
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Remove an account
#[derive(Debug, clap::Args)]
struct Remove {
    /// The address that signs in
    email: String,
    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleWord {
    Viewer,
    Agent,
    Admin,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Agent => Self::Agent,
            RoleWord::Admin => Self::Admin,
        }
    }
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let store = place.store().await?;
    match args.what {
        What::List(list) => show(accounts::people(store).await?, list.json),
        What::Add(add) => {
            let account = NewAccount {
                name: add.name.unwrap_or_else(|| add.email.clone()),
                email: add.email,
                role: add.role.into(),
                workspaces: None,
                password: password(add.password_file.as_deref())?,
            };
            let user = account.make(store).await?;
            note(format!("{} can sign in.", user.email));
            Ok(())
        }
        What::Password(change) => {
            // Whether there is such a person is said before a password is asked for.
            accounts::person(store, &change.email).await?;
            let password = password(change.password_file.as_deref())?;
            let user = accounts::set_password(store, &change.email, password).await?;
            note(format!("{} signs in with the new password.", user.email));
            Ok(())
        }
        What::Remove(remove) => {
            let user = accounts::person(store, &remove.email).await?;
            let question = format!("Remove the account of {}?", user.email);
            if remove.yes || prompt::confirm(&question, "--yes")? {
                store.accounts().remove_user(&user.id).await?;
                note("Removed.");
            }
            Ok(())
        }
    }
}

fn show(people: Vec<gaby_store::accounts::User>, json: bool) -> anyhow::Result<()> {
    if json {
        let all: Vec<_> = people
            .iter()
            .map(|user| {
                json!({
                    "id": user.id,
                    "email": user.email,
                    "name": user.name,
                    "role": user.role,
                    "created_at": user.created_at,
                })
            })
            .collect();
        return output::json(&all);
    }
    let mut out = Output::new();
    if people.is_empty() {
        out.line("Nobody can: `gaby serve` prints a link that makes the first account.")?;
    } else {
        let rows: Vec<Vec<String>> = people
            .into_iter()
            .map(|user| {
                let role = match user.role {
                    Role::Viewer => "viewer",
                    Role::Agent => "agent",
                    Role::Admin => "admin",
                };
                vec![user.email, role.to_owned(), user.name]
            })
            .collect();
        out.line(output::table(&rows))?;
    }
    out.end()
}

/// The password from the file or stdin, or from the person at the terminal, typed twice.
fn password(file: Option<&Path>) -> anyhow::Result<String> {
    if let Some(file) = file {
        let (bytes, name) = input::bytes(file, MAX_PASSWORD_FILE)?;
        let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name} is not UTF-8"))?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if !prompt::somebody_is_there() {
        return Err(usage(
            "nobody is there to type a password: give --password-file FILE, or - for stdin",
        ));
    }
    let password = prompt::secret("Password")?;
    if prompt::secret("The same again")? != password {
        return Err(usage("the two are not the same: nothing was changed"));
    }
    Ok(password)
}
