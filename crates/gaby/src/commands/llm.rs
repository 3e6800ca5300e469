//! `gaby llm`: which language models a workspace asks, as the console's settings have it.

use std::path::Path;

use anyhow::{anyhow, bail};
use clap::Subcommand;
use gaby_llm::address::Reach;
use gaby_llm::{LlmSettings, ProviderConfig, ProviderKind, WorkspaceLlm, probe};
use gaby_model::{Clock as _, SystemClock};
use gaby_server::ModelParts;
use gaby_server::models::own;
use gaby_store::Workspace;
use gaby_store::audit::Actor;
use secrecy::SecretString;
use serde_json::json;

use crate::failure::{Ended, usage};
use crate::input;
use crate::output::{self, Output};
use crate::workplace::Workplace;

/// More than a key is long.
const MAX_KEY: u64 = 64 * 1024;

/// Say which language models a workspace asks, or look
///
/// What is set here goes before what the operator set in gaby.toml or by GABY_LLM_*, within the
/// operator's rules. A running `gaby serve` goes by it from the next investigation on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show who is asked, and who set it; never a key
    Show,
    /// Ask this provider from now on
    Set(Set),
    /// Ask each provider something short, and say whether it answers
    Try,
    /// Go back to the operator's models
    Reset,
}

#[derive(Debug, clap::Args)]
struct Set {
    /// Its kind, such as anthropic, ollama or openai-compatible
    #[arg(value_name = "PROVIDER")]
    kind: ProviderKind,
    /// The model
    model: String,
    /// Its name, where there are several of one kind
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where it is, if not at the vendor's usual address
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The key: - reads it from standard input, @FILE from a file
    #[arg(long, value_name = "-|@FILE")]
    key: Option<String>,
    /// AWS or Google region
    #[arg(long)]
    region: Option<String>,
    /// Google project
    #[arg(long)]
    project: Option<String>,
    /// AWS access key id; the key is the secret that belongs to it
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// Azure's api-version
    #[arg(long, value_name = "VERSION")]
    api_version: Option<String>,
    /// Ask it when those before it do not answer, instead of in their place
    #[arg(long)]
    fallback: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let parts = place.model_parts()?;
    let before = own(&workspace).await?;
    match args.what {
        What::Show => {}
        What::Set(set) => settle(&parts, &workspace, set.over(before)?).await?,
        What::Reset => settle(&parts, &workspace, WorkspaceLlm::default()).await?,
        What::Try => return ask_all(&before.within(parts.operator())?, &before, args.json).await,
    }
    show(&parts, &own(&workspace).await?, args.json)
}

async fn settle(parts: &ModelParts, place: &Workspace, own: WorkspaceLlm) -> anyhow::Result<()> {
    let by = Actor::new("cli", "");
    Ok(parts.settle(place, &own, by, SystemClock.now()).await?)
}

impl Set {
    /// What was set before, with this provider in its place.
    fn over(self, mut own: WorkspaceLlm) -> anyhow::Result<WorkspaceLlm> {
        let mut provider = ProviderConfig {
            base_url: self.base_url,
            region: self.region,
            project: self.project,
            access_key_id: self.access_key_id,
            api_version: self.api_version,
            ..ProviderConfig::new(self.kind, self.model)
        };
        provider.name = self.name.unwrap_or_else(|| provider.label());
        provider.api_key = match &self.key {
            Some(from) => Some(read_key(from)?),
            None => own.same_as(&provider).and_then(|same| same.api_key.clone()),
        };
        match self.fallback {
            true => own
                .providers
                .retain(|known| known.label() != provider.label()),
            false => own.providers.clear(),
        }
        own.providers.push(provider);
        Ok(own)
    }
}

fn read_key(from: &str) -> anyhow::Result<SecretString> {
    let path = match (from, from.strip_prefix('@')) {
        ("-", _) => Path::new("-"),
        (_, Some(file)) => Path::new(file),
        _ => {
            return Err(usage(
                "--key KEY would be seen by others on this machine: use --key - and give it on \
                 standard input, or --key @FILE",
            ));
        }
    };
    let (bytes, name) = input::bytes(path, MAX_KEY)?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{name} is not UTF-8"))?;
    match text.trim() {
        "" => bail!("{name} holds no key"),
        key => Ok(SecretString::from(key)),
    }
}

async fn ask_all(settings: &LlmSettings, own: &WorkspaceLlm, json: bool) -> anyhow::Result<()> {
    let mut asked = Vec::new();
    for config in settings.providers()? {
        let named = format!("{} {}", config.name, config.model);
        let reach = Reach {
            local_only: settings.local_only(own),
            ..Reach::default()
        };
        asked.push((named, probe(config, reach).await));
    }
    if json {
        let all: Vec<_> = asked
            .iter()
            .map(|(model, asked)| json!({"model": model, "works": asked.works, "says": asked.says, "millis": asked.millis}))
            .collect();
        output::json(&all)?;
    } else {
        let mut out = Output::new();
        if asked.is_empty() {
            out.line("No model is set: the built-in brain does all.")?;
        }
        for (model, asked) in &asked {
            let sign = if asked.works { "ok     " } else { "WRONG  " };
            out.line(format!("{sign}{model}: {}", asked.says))?;
        }
        out.end()?;
    }
    match asked.iter().all(|(_, asked)| asked.works) {
        true => Ok(()),
        false => Err(Ended(1).into()),
    }
}

fn show(parts: &ModelParts, own: &WorkspaceLlm, json: bool) -> anyhow::Result<()> {
    let settings = own.within(parts.operator())?;
    let providers = settings.providers()?;
    let set_by = match (own.providers.is_empty(), providers.is_empty()) {
        (false, _) => "workspace",
        (true, false) => "operator",
        (true, true) => "nobody",
    };
    if json {
        return output::json(&json!({
            "set_by": set_by,
            "providers": providers.iter().map(shown).collect::<Vec<_>>(),
            "local_only": settings.local_only(own),
            "per_day": settings.per_day,
        }));
    }
    let mut out = Output::new();
    out.line(match set_by {
        "workspace" => "Set by this workspace, asked in this order:",
        "operator" => "Set by the operator (gaby.toml, GABY_LLM_*), asked in this order:",
        _ => {
            "No model is set: the built-in brain does all. `gaby llm set PROVIDER MODEL` sets one."
        }
    })?;
    for config in &providers {
        let place = config.base_url.as_deref().unwrap_or("its usual address");
        let key = match config.api_key {
            Some(_) => "with a key",
            None => "without a key",
        };
        out.line(format!(
            "  {} {} at {place}, {key}",
            config.name, config.model
        ))?;
    }
    if settings.local_only(own) {
        out.line("Only loopback and private addresses are asked.")?;
    }
    out.end()
}

fn shown(config: &ProviderConfig) -> serde_json::Value {
    let mut shown = serde_json::to_value(config).unwrap_or_default();
    shown["has_key"] = config.api_key.is_some().into();
    shown
}
