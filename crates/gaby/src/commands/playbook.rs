//! `gaby playbook`: check the recipes for recurring tickets, and see which work here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use gaby_agent::Playbooks;
use gaby_agent::playbook::{PlaybookError, lint};
use serde_json::json;

use crate::failure::{Ended, usage};
use crate::input;
use crate::output::{self, Output};
use crate::workplace::Workplace;

/// More than a playbook may have, so that the lint says how much it may.
const MAX_READ: u64 = 1024 * 1024;
const REACH: Duration = Duration::from_secs(10);

/// Check playbooks, and see which work here
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Lint(Lint),
    List(List),
}

/// Check playbook files; ends with 1 when one has a fault
#[derive(Debug, clap::Args)]
struct Lint {
    /// Files and folders [default: those of --playbooks]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print a JSON list of faults
    #[arg(long)]
    json: bool,
}

/// List playbooks, with the tool that does each job here
#[derive(Debug, clap::Args)]
struct List {
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    match args.what {
        What::Lint(args) => check(args, place),
        What::List(args) => list(args, place).await,
    }
}

fn check(args: Lint, place: &Workplace) -> anyhow::Result<()> {
    let paths = if args.paths.is_empty() {
        place.settings.playbooks()
    } else {
        &args.paths
    };
    if paths.is_empty() {
        return Err(usage("name a file or folder with playbooks to check"));
    }
    let mut files = Vec::new();
    for path in paths {
        files_of(path, &mut files)?;
    }
    let mut faults: Vec<PlaybookError> = Vec::new();
    for file in &files {
        let (bytes, name) = input::bytes(file, MAX_READ)?;
        faults.extend(lint(&name, &bytes));
    }
    if args.json {
        output::json(&faults)?;
    } else {
        let mut out = Output::new();
        for fault in &faults {
            out.line(fault.to_string())?;
        }
        if faults.is_empty() {
            out.line(format!("{} playbooks, no fault.", files.len()))?;
        }
        out.end()?;
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Ended(1).into())
    }
}

/// A file, or the YAML files of a folder.
fn files_of(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries =
        std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .filter(|path| {
            path.extension()
                .is_some_and(|kind| kind == "yaml" || kind == "yml")
        })
        .collect();
    found.sort();
    files.append(&mut found);
    Ok(())
}

async fn list(args: List, place: &Workplace) -> anyhow::Result<()> {
    let playbooks = Playbooks::load(place.settings.playbooks())?;
    let host = place.host().await?;
    host.settled(REACH).await;
    let catalog = host.catalog().await;
    let all: Vec<_> = playbooks
        .iter()
        .map(|playbook| (playbook, gaby_agent::tools::mapping(&catalog, playbook)))
        .collect();
    if args.json {
        let all: Vec<_> = all
            .iter()
            .map(|(playbook, tools)| {
                json!({
                    "name": playbook.name.value,
                    "title": playbook.title,
                    "category": playbook.category,
                    "description": playbook.description,
                    "tools": tools,
                })
            })
            .collect();
        return output::json(&all);
    }
    let mut out = Output::new();
    for (playbook, tools) in all {
        let missing = tools
            .iter()
            .any(|tool| tool.mapped_to.is_none() && !tool.optional);
        let state = if missing { "lacks a tool" } else { "ready" };
        out.line(format!(
            "{}  {state}  {}",
            playbook.name.value, playbook.title
        ))?;
        for tool in tools {
            let does = match (tool.mapped_to, tool.optional) {
                (Some(tool), _) => tool,
                (None, true) => "nothing (it can do without)".to_owned(),
                (None, false) => "nothing".to_owned(),
            };
            out.line(format!("  {}: {does}", tool.role))?;
        }
    }
    out.end()
}
