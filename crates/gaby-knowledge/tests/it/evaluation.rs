//! Measuring a search by a test collection.

use std::path::{Path, PathBuf};

use gaby_knowledge::Silent;
use gaby_knowledge::eval::{EvalReport, EvalRequest, run};

use crate::Letters;

const CORPUS: &str = r#"{"_id": "a", "title": "Refund", "text": "Refunds take five days."}
{"id": 2, "text": "The tunnel needs a certificate."}
{"_id": "empty", "title": "", "text": ""}
"#;

fn evaluate(folder: &Path, corpus: &str, queries: &str, qrels: &str) -> Result<EvalReport, String> {
    let file = |name: &str, content: &str| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let request = EvalRequest {
        corpus: file("corpus.jsonl", corpus),
        queries: file("queries.jsonl", queries),
        qrels: Some(file("qrels.tsv", qrels)),
        run: folder.join("out.run"),
    };
    run(&request, Some(Letters::new("letters")), &Silent).map_err(|error| error.to_string())
}

#[test]
fn a_collection_is_ranked_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let queries =
        "{\"_id\": \"q1\", \"text\": \"refund\"}\n{\"id\": \"q2\", \"text\": \"certificates\"}\n";
    for qrels in [
        "query-id\tcorpus-id\tscore\nq1\ta\t1\nq2\t2\t1\n",
        "q1 0 a 1\nq2 0 2 1\n",
        "q1\ta\t1\nq2\t2\t1",
    ] {
        let report = evaluate(folder.path(), CORPUS, queries, qrels).unwrap();
        assert_eq!((report.documents, report.queries), (3, 2));
        let measures = report.measures.unwrap();
        assert_eq!((measures.ndcg_at_10, measures.mrr_at_10), (1.0, 1.0));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["recall@10"], 1.0);
    }
    let run = std::fs::read_to_string(folder.path().join("out.run")).unwrap();
    let first: Vec<&str> = run.lines().next().unwrap().split(' ').collect();
    assert_eq!(
        (first[0], first[1], first[2], first[3], first[5]),
        ("q1", "Q0", "a", "1", "gaby")
    );
}

#[test]
fn what_is_wrong_is_named_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let queries = "{\"_id\": \"q1\", \"text\": \"refund\"}";
    for (corpus, queries, qrels, expected) in [
        (
            "{\"_id\": \"a\", \"text\": \"x\"}\nnot json",
            queries,
            "q1 a 1",
            "corpus.jsonl:2: not a JSON object",
        ),
        (
            "{\"text\": \"x\"}",
            queries,
            "q1 a 1",
            "corpus.jsonl:1: neither `_id` nor `id`",
        ),
        (
            "{\"_id\": \"a\", \"text\": 5}",
            queries,
            "q1 a 1",
            "corpus.jsonl:1: `text` must be a text",
        ),
        (
            "{\"_id\":\"a\",\"text\":\"x\"}\n{\"_id\":\"a\",\"text\":\"y\"}",
            queries,
            "q1 a 1",
            "corpus.jsonl:2: the id `a` is already that of line 1",
        ),
        (
            "",
            queries,
            "q1 a 1",
            "corpus.jsonl: there is nothing in it",
        ),
        (
            CORPUS,
            "[1]",
            "q1 a 1",
            "queries.jsonl:1: not a JSON object",
        ),
        (CORPUS, queries, "q1 a 1\nq1 a", "qrels.tsv:2: 2 columns"),
        (
            CORPUS,
            queries,
            "q1 a 1\nq1 b high",
            "qrels.tsv:2: the relevance `high`",
        ),
    ] {
        let error = evaluate(folder.path(), corpus, queries, qrels).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let deep = "[".repeat(5_000_000);
    assert!(
        evaluate(folder.path(), &deep, queries, "q1 a 1")
            .unwrap_err()
            .contains("corpus.jsonl:1")
    );
}
