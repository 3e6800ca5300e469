//! `gaby eval`: how good is the search, on a test collection of one's own.

use std::path::PathBuf;

use clap::Subcommand;
use gaby_knowledge::eval::{self, EvalReport, EvalRequest};

use crate::output::{self, Output};
use crate::progress::Bars;
use crate::workplace::Workplace;

/// Measure how good the search is
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Retrieval(Retrieval),
}

/// Run a test collection through the search and score the ranking
///
/// In memory: no workspace is touched. Files are as BEIR has them.
#[derive(Debug, clap::Args)]
struct Retrieval {
    /// Documents: JSON lines with `_id` or `id`, `title`, `text`
    #[arg(long, value_name = "FILE")]
    corpus: PathBuf,
    /// Queries: JSON lines with `_id` or `id`, `text`
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Where to write the ranking, as a TREC run
    #[arg(long, value_name = "FILE")]
    run: PathBuf,
    /// Judgements: query, document and relevance in columns; gives nDCG@10, recall@10, MRR@10
    #[arg(long, value_name = "FILE")]
    qrels: Option<PathBuf>,
    /// Search by words alone
    #[arg(long)]
    words_only: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let What::Retrieval(args) = args.what;
    let embedding = place.settings.parts()?.embedding;
    let request = EvalRequest {
        corpus: args.corpus,
        queries: args.queries,
        qrels: args.qrels,
        run: args.run,
    };
    let report = tokio::task::spawn_blocking(move || -> anyhow::Result<EvalReport> {
        let embedder = if args.words_only {
            None
        } else {
            Some(embedding.embedder()?)
        };
        let bars = Bars::new();
        let report = eval::run(&request, embedder, &bars);
        bars.end();
        Ok(report?)
    })
    .await??;
    if args.json {
        return output::json(&report);
    }
    let mut out = Output::new();
    out.line(format!(
        "{} documents in {} chunks, {} queries, {:.1} s",
        report.documents, report.chunks, report.queries, report.seconds
    ))?;
    if let Some(found) = report.measures {
        out.line(format!("nDCG@10    {:.4}", found.ndcg_at_10))?;
        out.line(format!("recall@10  {:.4}", found.recall_at_10))?;
        out.line(format!("MRR@10     {:.4}", found.mrr_at_10))?;
        out.line(format!("judged     {}", found.judged_queries))?;
    }
    out.end()
}
