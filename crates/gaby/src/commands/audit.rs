//! `gaby audit`: what happened, and whether the record of it is whole.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use gaby_store::audit::verify::{Problem, Report, verify};
use gaby_store::audit::{ExportedLog, read_verifying_key};
use serde_json::json;

use crate::failure::Ended;
use crate::input;
use crate::output::{self, Output, note};
use crate::workplace::Workplace;

/// The largest exported log that is read.
const MAX_EXPORT_BYTES: u64 = 4 * 1024 * 1024 * 1024;
const MAX_NOTE_BYTES: u64 = 64 * 1024;

/// See and verify the record of what happened
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(Verify),
    List(List),
    /// Print the public key that checkpoints are signed with
    Key,
    /// Print a signed checkpoint of the log as it is, to be kept elsewhere
    Checkpoint,
    Export(Export),
}

/// Check the whole log: chain, signatures, and what was cut off
///
/// Ends with 0 when it is whole, 1 when it was tampered with, 2 when that cannot be told. That
/// database and head were set back together shows only beside a checkpoint kept elsewhere: --from.
#[derive(Debug, clap::Args)]
struct Verify {
    /// Checkpoints that were kept elsewhere, as `gaby audit checkpoint` prints them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    from: Vec<PathBuf>,
    /// An exported log instead of this store's, for which --public-key is needed
    #[arg(long, value_name = "FILE", requires = "public_key")]
    export: Option<PathBuf>,
    /// The key to check signatures with, as `gaby audit key` prints it
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// List entries, latest first
#[derive(Debug, clap::Args)]
struct List {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Only entries before this number
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

/// Write the whole log as JSON, to be verified elsewhere
#[derive(Debug, clap::Args)]
struct Export {
    /// The file to write [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    match args.what {
        What::Verify(args) => match verified(&args, place).await {
            Ok(found) => tell(&found, args.json),
            Err(error) => {
                crate::failure::report(&error);
                Err(Ended(2).into())
            }
        },
        What::List(args) => list(args, place).await,
        What::Key => {
            let workspace = place.workspace().await?;
            let mut out = Output::new();
            out.line(workspace.audit().verifying_key_text())?;
            out.end()
        }
        What::Checkpoint => {
            let workspace = place.workspace().await?;
            let checkpoint = workspace.audit().checkpoint().await?;
            let mut out = Output::new();
            out.line(checkpoint.trim_end())?;
            out.end()
        }
        What::Export(args) => export(args, place).await,
    }
}

async fn verified(args: &Verify, place: &Workplace) -> anyhow::Result<Result<Report, Problem>> {
    let mut kept = Vec::with_capacity(args.from.len());
    for path in &args.from {
        let (bytes, name) = input::bytes(path, MAX_NOTE_BYTES)?;
        kept.push(String::from_utf8(bytes).map_err(|_| anyhow!("{name} is not a checkpoint"))?);
    }
    let given = args.public_key.as_deref().map(|text| {
        read_verifying_key(text)
            .ok_or_else(|| anyhow!("--public-key is not a key as `gaby audit key` prints it"))
    });
    let given = given.transpose()?;
    let Some(file) = &args.export else {
        let workspace = place.workspace().await?;
        let mut log = workspace.audit().export().await?;
        log.checkpoints.extend(kept);
        let own = workspace.audit().verifying_key();
        return Ok(verify(&log, &given.unwrap_or(own)));
    };
    let (bytes, name) = input::bytes(file, MAX_EXPORT_BYTES)?;
    let mut log: ExportedLog = serde_json::from_slice(&bytes)
        .map_err(|error| anyhow!("{name} is not an exported log: {error}"))?;
    log.checkpoints.extend(kept);
    let key = given.ok_or_else(|| anyhow!("--public-key is missing"))?;
    Ok(verify(&log, &key))
}

fn tell(found: &Result<Report, Problem>, json: bool) -> anyhow::Result<()> {
    match found {
        Ok(report) if json => output::json(&json!({
            "ok": true,
            "entries": report.entries,
            "checkpoints": report.checkpoints,
            "head": report.head,
        })),
        Ok(report) => {
            let mut out = Output::new();
            out.line(format!(
                "The log is whole: {} entries, {} checkpoints agree.",
                report.entries, report.checkpoints
            ))?;
            out.end()
        }
        Err(problem) => {
            if json {
                output::json(&json!({
                    "ok": false,
                    "seq": problem.seq,
                    "kind": problem.kind,
                    "detail": problem.detail,
                }))?;
            } else {
                let mut out = Output::new();
                out.line(format!("Tampered with: {problem}."))?;
                out.end()?;
            }
            Err(Ended(1).into())
        }
    }
}

async fn list(args: List, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let entries = workspace.audit().list(args.before, args.limit).await?;
    if args.json {
        let entries: Vec<_> = entries.into_iter().map(|(entry, _)| entry).collect();
        return output::json(&entries);
    }
    let rows: Vec<Vec<String>> = entries
        .into_iter()
        .map(|(entry, _)| {
            let actor = match entry.actor.id.as_str() {
                "" => entry.actor.kind,
                id => format!("{}:{id}", entry.actor.kind),
            };
            vec![
                entry.seq.to_string(),
                entry.ts,
                actor,
                entry.action,
                entry.object,
            ]
        })
        .collect();
    let mut out = Output::new();
    out.line(output::table(&rows))?;
    out.end()
}

async fn export(args: Export, place: &Workplace) -> anyhow::Result<()> {
    let workspace = place.workspace().await?;
    let log = workspace.audit().export().await?;
    let Some(file) = args.output else {
        return output::json(&log);
    };
    write_whole(&file, &serde_json::to_vec_pretty(&log)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    note(format!(
        "{} entries written to {}.",
        log.entries.len(),
        file.display()
    ));
    Ok(())
}

/// The file is there as a whole, or as it was before.
fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file)?;
    Ok(())
}
