//! `gaby ingest`: documents into the knowledge base.

use gaby_knowledge::{IngestReport, IngestRequest, Phase, Progress as _};
use serde::Serialize;
use std::time::Instant;

use crate::output::{self, Output, note};
use crate::progress::Bars;
use crate::workplace::Workplace;

/// Read documents into the knowledge base
///
/// Takes Markdown, plain text, HTML and PDF files, folders of them, and Git repositories, here or at
/// an address. Run again on the same place, it touches only what changed, and forgets what is gone.
/// Documents are found by their words at once; vectors follow.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders, and addresses of Git repositories
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// What to call this source [default: made from its place]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Leave the vectors to `gaby serve` or a later run: found by words only until then
    #[arg(long)]
    words_only: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    report: IngestReport,
    /// Vectors made, and the seconds they took; `seconds` counts until all was found by words.
    embedded: usize,
    embedding_seconds: f64,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let knowledge = place.knowledge().await?;
    let bars = Bars::new();
    let request = IngestRequest {
        paths: args.paths,
        source_name: args.name,
    };
    let report = knowledge.ingest(request, &bars).await;
    bars.end();
    let report = report?;
    if !args.json {
        tell(&report)?;
    }
    let begun = Instant::now();
    let mut embedded = 0;
    if !args.words_only {
        if !args.json {
            bars.report(Phase::Embedding, 0, report.chunks);
        }
        let made = knowledge.embed_pending(&bars).await;
        bars.end();
        embedded = made?;
    }
    let embedding_seconds = begun.elapsed().as_secs_f64();
    if args.json {
        return output::json(&Told {
            report,
            embedded,
            embedding_seconds,
        });
    }
    if embedded > 0 {
        note(format!(
            "{embedded} vectors made in {embedding_seconds:.1} s."
        ));
    }
    Ok(())
}

fn tell(report: &IngestReport) -> anyhow::Result<()> {
    let mut out = Output::new();
    out.line(format!(
        "{} documents in {} chunks: {} added, {} updated, {} unchanged, {} removed, {} skipped; {:.1} s.",
        report.documents,
        report.chunks,
        report.added,
        report.updated,
        report.unchanged,
        report.removed,
        report.skipped.len(),
        report.seconds
    ))?;
    for skipped in &report.skipped {
        out.line(format!("  skipped {}: {}", skipped.path, skipped.reason))?;
    }
    out.end()
}
