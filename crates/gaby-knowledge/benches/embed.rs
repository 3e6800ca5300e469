//! How many texts a second the built-in model embeds, by the wall and by the processor's clock,
//! and how long a query takes. `GABY_BENCH_TEXTS` names a JSONL file of objects with `text`;
//! without it the texts of the tests are taken. Prints one JSON object, as
//! `tools/bench/embedding_peer.py` does for its peers.

use std::time::Instant;

use gaby_knowledge::embed::{self, EmbedError};
use serde_json::{Value, json};

/// Times that everything is embedded; the best counts, as others may use the machine too.
const ROUNDS: usize = 3;
const QUERIES: usize = 200;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let texts = texts()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let start = Instant::now();
    let model = embed::builtin()?;
    let load = start.elapsed();
    let (mut wall, mut cpu) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let (before, start) = (processor_seconds(), Instant::now());
        model.embed(&texts)?;
        wall = wall.min(start.elapsed().as_secs_f64());
        cpu = cpu.min(processor_seconds() - before);
    }
    let start = Instant::now();
    for number in 0..QUERIES {
        model.embed(&[&format!("how do I reset my password, try {number}")])?;
    }
    let count = texts.len() as f64;
    let line = json!({
        "name": "gaby", "texts": texts.len(), "load_ms": load.as_secs_f64() * 1e3,
        "texts_per_second": count / wall, "texts_per_cpu_second": count / cpu,
        "query_ms": start.elapsed().as_secs_f64() * 1e3 / QUERIES as f64,
    });
    println!("{line}");
    Ok(())
}

fn texts() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let Some(path) = std::env::var_os("GABY_BENCH_TEXTS") else {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/minilm-texts.json");
        return Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?);
    };
    let text = |line: &str| {
        let value: Value = serde_json::from_str(line)?;
        let text = value["text"].as_str().map(str::to_owned);
        text.ok_or_else(|| EmbedError::Tokens("a line has no `text`".to_owned()).into())
    };
    std::fs::read_to_string(path)?.lines().map(text).collect()
}

/// User and system seconds of this process; NaN where the system does not tell.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(f64::NAN)
    };
    (ticks(11) + ticks(12)) / 100.0
}
