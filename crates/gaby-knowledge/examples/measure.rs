//! Measures this crate by itself; `tools/bench/compare.py` puts the figures beside its peers'.
//!
//! `measure eval CORPUS QUERIES QRELS` prints the measures of a test collection (`WORDS_ONLY=1`: by
//! words alone). `measure ingest FOLDER TEXTS` prints the times of a first ingest, of a second one
//! and of the vectors, and writes the texts that were embedded. `measure query FOLDER CHUNKS OUT`
//! prints how the time of a query divides over so many chunks made from a folder's, and writes
//! their texts, vectors and the queries.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

#[path = "measure/crowd.rs"]
mod crowd;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gaby_knowledge::embed::EmbedError;
use gaby_knowledge::eval::{EvalRequest, run};
use gaby_knowledge::{Embedder, IngestRequest, Knowledge, SearchOptions, Silent, Timings, embed};
use gaby_store::{Store, StoreConfig};
use serde_json::{Value, json};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let line = match words[..] {
        ["eval", corpus, queries, qrels] => evaluate(corpus, queries, qrels).await,
        ["ingest", folder, texts] => ingest(folder, Path::new(texts)).await,
        ["query", folder, chunks, out] => query(folder, chunks.parse().unwrap(), out).await,
        _ => json!(
            "measure eval CORPUS QUERIES QRELS | ingest FOLDER TEXTS | query FOLDER CHUNKS OUT"
        ),
    };
    println!("{line}");
}

async fn evaluate(corpus: &str, queries: &str, qrels: &str) -> Value {
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
    serde_json::to_value(&report).unwrap()
}

async fn open(embedder: Arc<dyn Embedder>) -> (tempfile::TempDir, Knowledge) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(StoreConfig::in_folder(folder.path()))
        .await
        .unwrap();
    let workspace = store.create_workspace("bench", "Bench").await.unwrap();
    let knowledge = Knowledge::open(workspace, embedder).await.unwrap();
    (folder, knowledge)
}

fn request(folder: &str) -> IngestRequest {
    IngestRequest {
        paths: vec![folder.to_owned()],
        source_name: None,
    }
}

/// Notes what is embedded, for those who embed the same.
struct Noting {
    model: Arc<dyn Embedder>,
    file: std::sync::Mutex<std::io::BufWriter<std::fs::File>>,
}

impl Embedder for Noting {
    fn id(&self) -> &str {
        self.model.id()
    }

    fn dimensions(&self) -> usize {
        self.model.dimensions()
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut file = self.file.lock().unwrap();
        for text in texts {
            writeln!(file, "{}", json!({"text": text})).unwrap();
        }
        self.model.embed(texts)
    }

    fn texts_at_once(&self) -> usize {
        self.model.texts_at_once()
    }
}

async fn ingest(folder: &str, texts: &Path) -> Value {
    let file = std::io::BufWriter::new(std::fs::File::create(texts).unwrap());
    let noting = Noting {
        model: embed::builtin().unwrap(),
        file: file.into(),
    };
    let (_data, knowledge) = open(Arc::new(noting)).await;
    let first = knowledge.ingest(request(folder), &Silent).await.unwrap();
    let second = knowledge.ingest(request(folder), &Silent).await.unwrap();
    let clock = Instant::now();
    let vectors = knowledge.embed_pending(&Silent).await.unwrap();
    json!({
        "documents": first.documents, "chunks": first.chunks, "skipped": first.skipped.len(),
        "words_seconds": first.seconds, "again_seconds": second.seconds,
        "again_unchanged": second.unchanged, "vectors": vectors,
        "vectors_seconds": clock.elapsed().as_secs_f64(),
    })
}

async fn query(folder: &str, chunks: usize, out: &str) -> Value {
    let out = Path::new(out);
    let crowd = crowd::Crowd::of(folder, embed::builtin().unwrap(), out);
    let docs = tempfile::tempdir().unwrap();
    crowd.write(chunks, docs.path());
    let queries = crowd.queries();
    let (_data, knowledge) = open(Arc::new(crowd)).await;
    let folder = docs.path().to_string_lossy();
    let report = knowledge.ingest(request(&folder), &Silent).await.unwrap();
    knowledge.embed_pending(&Silent).await.unwrap();
    let options = SearchOptions::default();
    let mut all: Vec<Timings> = Vec::new();
    // A warm-up, then the measured round.
    for query in queries.iter().chain(&queries) {
        let (_, timings) = knowledge.search_timed(query, &options).await.unwrap();
        all.push(timings);
    }
    all.drain(..queries.len());
    let median = |part: fn(&Timings) -> f64| {
        let mut values: Vec<f64> = all.iter().map(part).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let mut file = std::fs::File::create(out.join("queries.jsonl")).unwrap();
    for query in &queries {
        writeln!(file, "{}", json!({"text": query})).unwrap();
    }
    json!({
        "chunks": report.chunks, "queries": queries.len(),
        "median_ms": median(|t| t.total), "embed_query_ms": median(|t| t.embed_query),
        "bm25_ms": median(|t| t.bm25), "vectors_ms": median(|t| t.vectors),
        "fusion_ms": median(|t| t.fusion), "load_ms": median(|t| t.load),
    })
}
