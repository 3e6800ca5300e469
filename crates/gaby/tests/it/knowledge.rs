//! Ingest, search, ask, and the evaluation of a search.

use serde_json::Value;

use crate::gaby::Gaby;

const UNLOCK: &str = "# Unlock an account\n\nAfter five failed sign-ins the account stays locked for 30 minutes. \
     An administrator can unlock it sooner.\n";
const REFUND: &str =
    "# Refunds\n\nA refund goes back to the card that was charged, within five working days.\n";

fn with_articles() -> Gaby {
    let gaby = Gaby::new();
    gaby.file("docs/unlock.md", UNLOCK);
    gaby.file("docs/refund.md", REFUND);
    gaby.ok(&["ingest", "docs"]);
    gaby
}

fn count(report: &Value, field: &str) -> u64 {
    report[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} in {report}"))
}

#[test]
fn ingesting_again_touches_only_what_changed_and_forgets_what_is_gone() {
    let gaby = Gaby::new();
    gaby.file("docs/unlock.md", UNLOCK);
    gaby.file("docs/refund.md", REFUND);
    gaby.file("docs/logo.md", [0u8, 159, 146, 150].repeat(50));
    let report = gaby.json(&["ingest", "docs", "--json"]);
    assert_eq!(
        (count(&report, "documents"), count(&report, "added")),
        (2, 2)
    );
    assert_eq!(report["skipped"][0]["path"], "logo.md", "{report}");
    assert_eq!(count(&report, "embedded"), count(&report, "chunks"));

    let report = gaby.json(&["ingest", "docs", "--json"]);
    assert_eq!(
        (count(&report, "unchanged"), count(&report, "embedded")),
        (2, 0)
    );

    gaby.file("docs/unlock.md", UNLOCK.replace("five", "seven"));
    std::fs::remove_file(gaby.path("docs/refund.md")).unwrap();
    let report = gaby.json(&["ingest", "docs", "--json"]);
    assert_eq!(
        (count(&report, "updated"), count(&report, "removed")),
        (1, 1)
    );
    let found = gaby.json(&["search", "account locked, refund to a card", "--json"]);
    let found = found.to_string();
    assert!(!found.contains("working days"), "{found}");
    assert!(found.contains("seven failed"), "{found}");
}

#[test]
fn a_hit_says_where_it_stands_and_why_it_was_found() {
    let gaby = with_articles();
    let hits = gaby.json(&[
        "search",
        "how long is an account locked",
        "--top",
        "1",
        "--explain",
        "--json",
    ]);
    let hit = &hits[0];
    for field in [
        "rank", "score", "document", "title", "heading", "start", "end", "text",
    ] {
        assert!(!hit[field].is_null(), "{field}: {hit}");
    }
    assert_eq!(hit["title"], "Unlock an account");
    let terms = hit["explain"]["terms"].to_string();
    assert!(terms.contains("lock"), "{terms}");
    assert!(
        hit["explain"]["similarity"].as_f64().unwrap() > 0.3,
        "{hit}"
    );

    let text = gaby.ok(&["search", "how long is an account locked", "--explain"]);
    assert!(
        text.contains("1. Unlock an account") && text.contains("rank 1"),
        "{text}"
    );
}

#[test]
fn words_are_found_at_once_and_vectors_may_follow_later() {
    let gaby = Gaby::new();
    gaby.file("docs/unlock.md", UNLOCK);
    let report = gaby.json(&["ingest", "docs", "--words-only", "--json"]);
    assert_eq!(count(&report, "embedded"), 0);
    let hits = gaby.json(&["search", "account locked", "--explain", "--json"]);
    assert!(hits[0]["explain"]["similarity"].is_null(), "{hits}");
    let report = gaby.json(&["ingest", "docs", "--json"]);
    assert_eq!(
        (count(&report, "unchanged"), count(&report, "embedded")),
        (1, 1)
    );
}

#[test]
fn a_question_is_answered_with_citations_or_not_at_all() {
    let gaby = with_articles();
    let answer = gaby.json(&["ask", "How long does an account stay locked?", "--json"]);
    assert_eq!(answer["answered"], true, "{answer}");
    let reply = answer["reply"].as_str().unwrap();
    assert!(reply.contains("30 minutes"), "{reply}");
    assert_eq!(
        answer["citations"][0]["source"]["title"],
        "Unlock an account"
    );

    let answer = gaby.json(&["ask", "Who won the cup final in 1954?", "--json"]);
    assert_eq!(answer["answered"], false, "{answer}");
    // Nothing was stored: asking leaves no ticket.
    assert_eq!(
        gaby.json(&["tickets", "list", "--json"]),
        serde_json::json!([])
    );
}

#[test]
fn an_empty_knowledge_base_says_how_to_fill_it() {
    let gaby = Gaby::new();
    let text = gaby.ok(&["search", "anything"]);
    assert!(text.contains("gaby ingest"), "{text}");
    assert_eq!(
        gaby.json(&["search", "anything", "--json"]),
        serde_json::json!([])
    );
}

#[test]
fn a_test_collection_gives_a_run_and_its_measures() {
    let gaby = Gaby::new();
    gaby.file(
        "corpus.jsonl",
        "{\"_id\": \"a\", \"title\": \"Unlock\", \"text\": \"An account stays locked for 30 minutes.\"}\n\
         {\"id\": 7, \"text\": \"A refund goes back to the card.\"}\n",
    );
    gaby.file(
        "queries.jsonl",
        "{\"_id\": \"q\", \"text\": \"when is my account unlocked\"}\n",
    );
    gaby.file("qrels.tsv", "query-id\tcorpus-id\tscore\nq\ta\t1\n");
    let report = gaby.json(&[
        "eval",
        "retrieval",
        "--corpus",
        "corpus.jsonl",
        "--queries",
        "queries.jsonl",
        "--run",
        "out.trec",
        "--qrels",
        "qrels.tsv",
        "--json",
    ]);
    assert_eq!(report["ndcg@10"], 1.0, "{report}");
    let run = std::fs::read_to_string(gaby.path("out.trec")).unwrap();
    assert!(run.starts_with("q Q0 a 1 "), "{run}");
    assert!(
        !gaby.data().join("gaby.db").exists(),
        "the store was touched"
    );
}

#[test]
fn what_would_be_hidden_from_a_model_is_shown_and_settled() {
    let gaby = crate::gaby::Gaby::new();
    let text = "Call Anna Miller on +49 30 901820, or write to ann@example.com.";
    let ran = gaby.run_with(&["redact", "-", "--json"], text);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let tried: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let found: Vec<&str> = tried["found"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["text"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["Anna Miller", "+49 30 901820", "ann@example.com"]);
    gaby.ok(&["redact", "--settle", "--kinds", "email"]);
    let ran = gaby.run_with(&["redact", "-"], text);
    assert!(
        ran.out.contains("Anna Miller") && ran.out.contains("[email_"),
        "{ran:?}"
    );
    let ran = gaby.run_with(&["redact", "-", "--kinds", "horoscope"], text);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}
