//! Measures this crate by itself, for the scripts beside it in `tools/bench`.
//!
//! `measure eval CORPUS QUERIES QRELS` prints the measures of a test collection;
//! `measure ingest FOLDER` the times of a first ingest, of its vectors, and of a second ingest;
//! `measure query CHUNKS FOLDER` the time of a query over so many chunks made from a folder's.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::time::Instant;

use gaby_knowledge::eval::{EvalRequest, run};
use gaby_knowledge::{IngestRequest, Knowledge, SearchOptions, Silent, Timings, embed};
use gaby_store::{Store, StoreConfig};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["eval", corpus, queries, qrels] => evaluate(corpus, queries, qrels).await,
        ["ingest", folder] => ingest(folder).await,
        ["query", folder, queries] => query(folder, queries).await,
        _ => println!("measure eval CORPUS QUERIES QRELS | ingest FOLDER | query FOLDER QUERIES"),
    }
}

async fn evaluate(corpus: &str, queries: &str, qrels: &str) {
    let folder = tempfile::tempdir().unwrap();
    let request = EvalRequest {
        corpus: corpus.into(),
        queries: queries.into(),
        qrels: Some(qrels.into()),
        run: folder.path().join("run"),
    };
    let words_only = std::env::var_os("WORDS_ONLY").is_some();
    let embedder = (!words_only).then(|| embed::builtin().unwrap());
    let report = tokio::task::spawn_blocking(move || run(&request, embedder, &Silent))
        .await
        .unwrap()
        .unwrap();
    println!("{}", serde_json::to_string(&report).unwrap());
}

async fn open() -> (tempfile::TempDir, Knowledge) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(StoreConfig::in_folder(folder.path()))
        .await
        .unwrap();
    let workspace = store.create_workspace("bench", "Bench").await.unwrap();
    let knowledge = Knowledge::open(workspace, embed::builtin().unwrap())
        .await
        .unwrap();
    (folder, knowledge)
}

fn request(folder: &str) -> IngestRequest {
    IngestRequest {
        paths: vec![folder.to_owned()],
        source_name: None,
    }
}

async fn ingest(folder: &str) {
    let (_data, knowledge) = open().await;
    let first = knowledge.ingest(request(folder), &Silent).await.unwrap();
    let second = knowledge.ingest(request(folder), &Silent).await.unwrap();
    let clock = Instant::now();
    let vectors = if std::env::var_os("WORDS_ONLY").is_some() {
        0
    } else {
        knowledge.embed_pending(&Silent).await.unwrap()
    };
    println!(
        "{}",
        serde_json::json!({
            "documents": first.documents, "chunks": first.chunks, "skipped": first.skipped.len(),
            "words_seconds": first.seconds, "again_seconds": second.seconds,
            "again_unchanged": second.unchanged, "vectors": vectors,
            "vectors_seconds": clock.elapsed().as_secs_f64(),
        })
    );
}

async fn query(folder: &str, queries: &str) {
    let (_data, knowledge) = open().await;
    let report = knowledge.ingest(request(folder), &Silent).await.unwrap();
    knowledge.embed_pending(&Silent).await.unwrap();
    let queries: Vec<String> = std::fs::read_to_string(queries)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].to_string())
        .collect();
    let options = SearchOptions::default();
    let mut all: Vec<Timings> = Vec::new();
    for query in &queries {
        let (_, timings) = knowledge.search_timed(query, &options).await.unwrap();
        all.push(timings);
    }
    let median = |part: fn(&Timings) -> f64| {
        let mut values: Vec<f64> = all.iter().map(part).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!(
        "{}",
        serde_json::json!({
            "chunks": report.chunks, "queries": queries.len(),
            "median_ms": median(|t| t.total), "embed_query_ms": median(|t| t.embed_query),
            "bm25_ms": median(|t| t.bm25), "vectors_ms": median(|t| t.vectors),
            "fusion_ms": median(|t| t.fusion), "load_ms": median(|t| t.load),
        })
    );
}
