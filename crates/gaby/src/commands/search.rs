//! `gaby search`: passages of the knowledge base, and why they were found.

use gaby_knowledge::{Explanation, Hit, SearchOptions};

use crate::output::{self, Output, indent};
use crate::workplace::Workplace;

/// Search the knowledge base
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to look for, in any words
    query: String,
    /// How many passages at most
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Say why each passage was found
    #[arg(long)]
    explain: bool,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, place: &Workplace) -> anyhow::Result<()> {
    let knowledge = place.knowledge().await?;
    let options = SearchOptions {
        top: args.top.into(),
        explain: args.explain,
        ..SearchOptions::default()
    };
    let hits = knowledge.search(&args.query, &options).await?;
    if args.json {
        return output::json(&hits);
    }
    let mut out = Output::new();
    if hits.is_empty() {
        let empty = knowledge.stats().await?.documents == 0;
        out.line(if empty {
            "The knowledge base is empty: fill it with `gaby ingest PATH`."
        } else {
            "Nothing was found."
        })?;
    }
    for hit in &hits {
        show(&mut out, hit)?;
    }
    out.end()
}

fn show(out: &mut Output, hit: &Hit) -> anyhow::Result<()> {
    let heading = if hit.heading.is_empty() || hit.heading == hit.title {
        String::new()
    } else {
        format!(" › {}", hit.heading)
    };
    out.line(format!(
        "{}. {}{heading}  ({:.2})",
        hit.rank, hit.title, hit.score
    ))?;
    out.line(format!("   {}:{}-{}", hit.path, hit.start, hit.end))?;
    if let Some(why) = &hit.explain {
        out.line(format!("   {}", explained(why)))?;
    }
    out.line(indent(hit.text.trim(), 3))?;
    out.line("")?;
    Ok(())
}

fn explained(why: &Explanation) -> String {
    let place =
        |rank: Option<usize>| rank.map_or("not found".to_owned(), |rank| format!("rank {rank}"));
    let terms: Vec<String> = why
        .terms
        .iter()
        .map(|term| format!("{} {:.2}", term.term, term.bm25))
        .collect();
    let mut text = format!("words {:.2}, {}", why.bm25, place(why.bm25_rank));
    if !terms.is_empty() {
        text.push_str(&format!(" ({})", terms.join(", ")));
    }
    match why.similarity {
        Some(similarity) => {
            text.push_str(&format!(
                "; meaning {similarity:.2}, {}",
                place(why.vector_rank)
            ));
        }
        None => text.push_str("; no vector yet"),
    }
    if let Some(days) = why.recency {
        text.push_str(&format!("; changed {days:.0} days ago"));
    }
    text
}
