//! `gaby redact`: what of a text would be hidden before a model sees it.

use std::path::PathBuf;

use anyhow::anyhow;
use gaby_gate::redact::{self, Finding, Kind, Profile};
use gaby_model::{Clock as _, SystemClock};
use gaby_store::audit::Actor;
use serde::Serialize;

use crate::input;
use crate::output::{self, Output, indent};
use crate::workplace::Workplace;

const MAX_TEXT: u64 = 8 * 1024 * 1024;

/// Show what of a text would be hidden before a model sees it, or settle what is
///
/// Nothing is stored of the text. Names of people are a best effort: try it on texts of your own.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file, or - for standard input
    #[arg(value_name = "FILE|-", required_unless_present = "settle")]
    file: Option<PathBuf>,
    /// Only these kinds, such as email phone card iban person secret [default: the workspace's]
    #[arg(long, value_name = "KIND", num_args = 1.., value_delimiter = ',')]
    kinds: Option<Vec<Kind>>,
    /// Leave what is less sure than this, 0 to 100 [default: the workspace's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: Option<u8>,
    /// Have --kinds and --threshold hold for the workspace from now on
    #[arg(long)]
    settle: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Something that was found, with the text of it.
#[derive(Serialize)]
struct Found<'t> {
    #[serde(flatten)]
    finding: Finding,
    text: &'t str,
}

#[derive(Serialize)]
struct Tried<'t> {
    text: String,
    found: Vec<Found<'t>>,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let mut profile = redact::profile(&workspace).await?;
    if let Some(kinds) = args.kinds {
        profile.kinds = kinds.into_iter().collect();
    }
    if let Some(threshold) = args.threshold {
        profile.threshold = threshold;
    }
    if args.settle {
        let by = Actor::new("cli", "");
        redact::settle(&workspace, &profile, by, SystemClock.now()).await?;
    }
    let Some(file) = args.file else {
        return settled(&profile, args.json);
    };
    let (bytes, name) = input::bytes(&file, MAX_TEXT)?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{name} is not UTF-8"))?;
    // The same pseudonyms as a model would see; what they stand for is not kept.
    let keyed = |value: &[u8]| workspace.keyed_hash("pseudonym", value);
    let hidden = redact::redact(&text, &profile, &keyed).text;
    let found: Vec<Found<'_>> = redact::find(&text, &profile)
        .into_iter()
        .map(|finding| Found {
            text: &text[finding.start..finding.end],
            finding,
        })
        .collect();
    if args.json {
        return output::json(&Tried {
            text: hidden,
            found,
        });
    }
    let mut out = Output::new();
    out.line(hidden.trim_end())?;
    out.line("")?;
    for found in &found {
        let kind = found.finding.kind.as_str();
        let line = format!(
            "{kind}, {} of 100 sure: {}",
            found.finding.score, found.text
        );
        out.line(indent(&line, 2))?;
    }
    out.end()
}

fn settled(profile: &Profile, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(profile);
    }
    let kinds: Vec<&str> = profile.kinds.iter().map(|kind| kind.as_str()).collect();
    let mut out = Output::new();
    out.line(match kinds.is_empty() {
        true => "Nothing is hidden.".to_owned(),
        false => format!(
            "Hidden, where at least {} of 100 sure: {}.",
            profile.threshold,
            kinds.join(", ")
        ),
    })?;
    out.end()
}
