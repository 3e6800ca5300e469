//! Searches a knowledge base made of a test collection, as an investigation would, and writes what
//! was found, one line of JSON a query:
//!
//! `passages sections|manuals CORPUS QUERIES OUT`
//!
//! `sections` makes one Markdown file of each document of the collection; `manuals` makes one file
//! with a heading for each, of those whose ids begin alike. `calibrate` of `gaby-agent` reads it.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use gaby_knowledge::eval::{Entry, read_entries};
use gaby_knowledge::{Hit, IngestRequest, Knowledge, SearchOptions, Silent, embed};
use gaby_store::{Store, StoreConfig};
use serde_json::json;

const TOP: usize = 8;

/// Where the documents of the collection ended up: by path, the byte at which each begins.
type Places = BTreeMap<String, Vec<(usize, String)>>;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [layout, corpus, queries, out] = &arguments[..] else {
        println!("passages sections|manuals CORPUS QUERIES OUT");
        return;
    };
    let corpus = read_entries(Path::new(corpus)).unwrap();
    let queries = read_entries(Path::new(queries)).unwrap();
    let docs = tempfile::tempdir().unwrap();
    let places = lay_out(layout, &corpus, docs.path());
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(StoreConfig::in_folder(data.path()))
        .await
        .unwrap();
    let workspace = store.create_workspace("measure", "Measure").await.unwrap();
    let knowledge = Knowledge::open(workspace, embed::builtin().unwrap())
        .await
        .unwrap();
    let request = IngestRequest {
        paths: vec![docs.path().to_string_lossy().into_owned()],
        source_name: None,
    };
    let report = knowledge.ingest(request, &Silent).await.unwrap();
    knowledge.embed_pending(&Silent).await.unwrap();
    let options = SearchOptions {
        top: TOP,
        explain: true,
        ..SearchOptions::default()
    };
    let mut file = std::io::BufWriter::new(std::fs::File::create(PathBuf::from(out)).unwrap());
    for query in &queries {
        let hits = knowledge.search(&query.whole(), &options).await.unwrap();
        let hits: Vec<_> = hits.iter().map(|hit| shown(hit, &places)).collect();
        let line = json!({"id": query.id, "text": query.whole(), "hits": hits});
        writeln!(file, "{line}").unwrap();
    }
    println!(
        "{} documents, {} chunks, {} queries",
        report.documents,
        report.chunks,
        queries.len()
    );
}

fn lay_out(layout: &str, corpus: &[Entry], folder: &Path) -> Places {
    let mut places = Places::new();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for entry in corpus {
        let (name, mark) = match layout {
            "sections" => (format!("{}.md", entry.id), "#"),
            _ => (
                format!("{}.md", entry.id.split('-').next().unwrap_or("manual")),
                "##",
            ),
        };
        let text = files.entry(name.clone()).or_default();
        places
            .entry(name)
            .or_default()
            .push((text.len(), entry.id.clone()));
        text.push_str(&format!("{mark} {}\n\n{}\n\n", entry.title, entry.text));
    }
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    places
}

fn shown(hit: &Hit, places: &Places) -> serde_json::Value {
    let sections = &places[&hit.path];
    let at = sections.partition_point(|(start, _)| *start <= hit.start);
    let why = hit.explain.as_ref().unwrap();
    json!({
        "section": sections[at - 1].1, "score": hit.score, "bm25": why.bm25,
        "similarity": why.similarity, "bm25_rank": why.bm25_rank, "vector_rank": why.vector_rank,
        "path": hit.path, "title": hit.title, "heading": hit.heading,
        "start": hit.start, "end": hit.end, "text": hit.text,
    })
}
