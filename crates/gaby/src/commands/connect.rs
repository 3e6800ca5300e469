//! `gaby connect`: reach another system, and remember how.

use std::collections::BTreeMap;
use std::io::BufRead as _;

use clap::Subcommand;
use gaby_connect::manifest::Setting;
use gaby_connect::mcp::Connected;
use gaby_gate::{Key, Scope, Standing, consent};
use gaby_model::{Access, Clock as _, SystemClock};

use crate::commands::connector::read_scope;
use crate::failure::usage;
use crate::input;
use crate::output::{Output, note};
use crate::prompt;
use crate::workplace::Workplace;

/// Connect another system
///
/// Asks for what is missing, tests the connection, and stores its settings sealed. Every connector
/// starts at autonomy `investigate`: it can change nothing until `gaby connector NAME --autonomy`
/// says so.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    /// What to connect: sqlite, postgres, github, or a manifest of your own
    #[arg(required = true)]
    name: Option<String>,
    /// The name to give it here [default: the same]
    #[arg(long = "as", value_name = "NAME")]
    own_name: Option<String>,
    #[command(flatten)]
    given: Given,
    #[command(subcommand)]
    third_party: Option<ThirdParty>,
}

#[derive(Debug, clap::Args)]
struct Given {
    /// A setting; may be given again
    #[arg(long, value_name = "KEY=VALUE", value_parser = input::pair)]
    set: Vec<(String, String)>,
    /// A secret: KEY=- reads a line of stdin, KEY=@FILE a file; may be given again
    #[arg(long, value_name = "KEY=-", value_parser = input::pair)]
    secret: Vec<(String, String)>,
    /// What it may be used for: read_only, read_write, dry_run (writes are only shown), or @FILE with a
    /// JSON list of tools and conditions on their arguments
    #[arg(long, value_name = "SCOPE", default_value = "read_write")]
    scope: String,
}

#[derive(Debug, Subcommand)]
enum ThirdParty {
    Mcp(Mcp),
}

/// Connect any MCP server: a command that speaks over stdio, or an address
///
/// Its tools count as writes until `gaby connector NAME --read TOOL…` says otherwise, and their
/// definitions are pinned: a tool that changes is suspended until you accept it.
#[derive(Debug, clap::Args)]
struct Mcp {
    /// The name to give it
    name: String,
    /// The address of a server that speaks streamable HTTP; --set and --secret are its headers
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    url: Option<String>,
    #[command(flatten)]
    given: Given,
    /// The command and its arguments; --set and --secret are its environment, which is empty
    /// otherwise
    #[arg(last = true, required_unless_present = "url", value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let host = place.host().await?;
    if let Some(ThirdParty::Mcp(mcp)) = args.third_party {
        let scope = read_scope(&mcp.given.scope)?;
        let mut values = plain(mcp.given.set);
        values.extend(secrets(mcp.given.secret)?);
        let connected = match &mcp.url {
            Some(url) => host.connect_mcp_http(&mcp.name, url, values).await?,
            None => {
                note(format!("Starting {}", mcp.command.join(" ")));
                host.connect_mcp_stdio(&mcp.name, mcp.command, values)
                    .await?
            }
        };
        granted(&mcp.name, scope, place).await?;
        return tell(&mcp.name, &connected, true);
    }
    let Some(manifest) = args.name else {
        return Err(usage("what is to be connected? See `gaby connect --help`"));
    };
    let scope = read_scope(&args.given.scope)?;
    let name = args.own_name.unwrap_or_else(|| manifest.clone());
    let mut values = plain(args.given.set);
    let mut secrets = secrets(args.given.secret)?;
    ask_for_the_rest(&host, &manifest, &mut values, &mut secrets)?;
    let connected = host
        .connect_manifest(&name, &manifest, values, secrets)
        .await?;
    granted(&name, scope, place).await?;
    tell(&name, &connected, false)
}

/// Notes in the consent log who connected it, and what it may be used for.
async fn granted(name: &str, scope: Scope, place: &Workplace) -> anyhow::Result<()> {
    let standing = Standing {
        scope,
        ..Standing::default()
    };
    let workspace = place.workspace().await?;
    Ok(consent::grant(&workspace, name, &standing, None, SystemClock.now()).await?)
}

/// Asks for what is needed and was not given.
fn ask_for_the_rest(
    host: &gaby_connect::mcp::Host<Key>,
    manifest: &str,
    values: &mut BTreeMap<String, String>,
    secrets: &mut BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let mut given = values.clone();
    given.extend(secrets.clone());
    let missing = host.missing_settings(manifest, &given)?;
    if missing.is_empty() {
        return Ok(());
    }
    if !prompt::somebody_is_there() {
        let needed: Vec<String> = missing.iter().map(flag).collect();
        return Err(usage(format!(
            "{manifest} needs more: {}",
            needed.join(", ")
        )));
    }
    for setting in missing {
        if let Some(help) = &setting.help {
            note(help.trim());
        }
        let question = match &setting.example {
            Some(example) => format!("{} (such as {example})", setting.label),
            None if setting.choices.is_empty() => setting.label.clone(),
            None => format!("{} ({})", setting.label, setting.choices.join(", ")),
        };
        if setting.secret {
            secrets.insert(setting.key, prompt::secret(&question)?);
        } else {
            values.insert(
                setting.key,
                prompt::line(&question, setting.default.as_deref())?,
            );
        }
    }
    Ok(())
}

/// The flag that gives a setting, with what it is.
fn flag(setting: &Setting) -> String {
    if setting.secret {
        format!("--secret {}=- ({})", setting.key, setting.label)
    } else {
        let example = setting.example.as_deref().unwrap_or("…");
        format!("--set {}={example} ({})", setting.key, setting.label)
    }
}

fn plain(given: Vec<(String, String)>) -> BTreeMap<String, String> {
    given.into_iter().collect()
}

/// Secrets never stand in the arguments themselves, which other users of the machine can see.
fn secrets(given: Vec<(String, String)>) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (key, from) in given {
        let value = if from == "-" {
            if prompt::somebody_is_there() {
                prompt::secret(&key)?
            } else {
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line)?;
                line
            }
        } else if let Some(path) = from.strip_prefix('@') {
            let (bytes, name) = input::bytes(path.as_ref(), 64 * 1024)?;
            String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name} is not UTF-8"))?
        } else {
            return Err(usage(format!(
                "--secret {key}=… would be seen by others on this machine: \
                 use --secret {key}=- and give it on stdin, or --secret {key}=@FILE"
            )));
        };
        let value = value.trim_end_matches(['\r', '\n']).to_owned();
        if value.is_empty() {
            return Err(usage(format!("the secret `{key}` is empty")));
        }
        found.insert(key, value);
    }
    Ok(found)
}

fn tell(name: &str, connected: &Connected, third_party: bool) -> anyhow::Result<()> {
    let mut out = Output::new();
    let names: Vec<&str> = connected
        .tools
        .iter()
        .map(|tool| tool.tool.tool.as_str())
        .collect();
    out.line(format!(
        "{name} is connected. Its tools: {}.",
        names.join(", ")
    ))?;
    for warning in &connected.warnings {
        out.line(format!("Warning: {warning}"))?;
    }
    let writes = connected
        .tools
        .iter()
        .any(|tool| tool.access == Access::Write);
    if third_party {
        out.line(format!(
            "All of them count as writes, and none is called, until you say which only read:\n  \
             gaby connector {name} --read TOOL..."
        ))?;
    } else if writes {
        out.line(format!(
            "It can change nothing yet; to let it:\n  gaby connector {name} --autonomy propose"
        ))?;
    }
    out.end()
}
