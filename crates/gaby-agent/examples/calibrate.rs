//! How good are the builtin brain's answers, and does it know? Runs it over tickets whose right
//! section is known, and over what the knowledge base found for each:
//!
//! `calibrate PASSAGES QRELS [OUT]`
//!
//! PASSAGES is what the example `passages` of `gaby-knowledge` wrote. OUT gets one line of JSON a
//! ticket with its features, from which the weights of the confidence are fitted.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use gaby_agent::Playbooks;
use gaby_agent::brain::builtin::Builtin;
use gaby_agent::brain::{Case, Conclusion, FoundPassage, Outcome, Transcript, Turn, Want};
use gaby_agent::settings::DEFAULT_THRESHOLD;
use gaby_model::{
    ChunkId, DocumentId, Evidence, EvidenceId, Integrity, InvestigationId, Label, Origin, StepId,
    Timestamp,
};
use serde_json::{Value, json};

/// One ticket and how its answer turned out.
struct Judged {
    confidence: f64,
    right: bool,
    said_something: bool,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(passages), Some(qrels)) = (arguments.first(), arguments.get(1)) else {
        println!("calibrate PASSAGES QRELS [OUT]");
        return;
    };
    let right = judgements(&std::fs::read_to_string(qrels).unwrap());
    let brain = Builtin::new(Playbooks::built_in().unwrap(), DEFAULT_THRESHOLD);
    let mut out = arguments
        .get(2)
        .map(|path| std::fs::File::create(path).unwrap());
    let mut judged = Vec::new();
    for line in std::fs::read_to_string(passages).unwrap().lines() {
        let ticket: Value = serde_json::from_str(line).unwrap();
        let id = ticket["id"].as_str().unwrap();
        let (conclusion, sections) = investigate(&brain, &ticket);
        let cited: BTreeSet<&str> = conclusion
            .sentences
            .iter()
            .flat_map(|sentence| &sentence.evidence)
            .filter_map(|number| sections.get(number).map(String::as_str))
            .collect();
        let is_right = right
            .get(id)
            .is_some_and(|known| cited.iter().any(|s| known.contains(*s)));
        if let Some(out) = &mut out {
            let reply: Vec<&str> = conclusion
                .sentences
                .iter()
                .map(|s| s.text.as_str())
                .collect();
            let line = json!({
                "id": id, "text": ticket["text"], "right": is_right, "cited": cited,
                "known": right.get(id), "confidence": conclusion.confidence,
                "features": conclusion.features, "reply": reply, "because": conclusion.escalation,
            });
            writeln!(out, "{line}").unwrap();
        }
        judged.push(Judged {
            confidence: conclusion.confidence,
            right: is_right,
            said_something: !conclusion.sentences.is_empty(),
        });
    }
    report(&judged);
}

fn judgements(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut right: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines() {
        let mut columns = line.split_whitespace();
        if let (Some(query), Some(section)) = (columns.next(), columns.next()) {
            right
                .entry(query.to_owned())
                .or_default()
                .insert(section.to_owned());
        }
    }
    right
}

/// Lets the brain come to its end over what was found, and says which evidence is which section.
fn investigate(brain: &Builtin, ticket: &Value) -> (Conclusion, BTreeMap<u32, String>) {
    let body = json!({"body": ticket["text"], "requester": "customer@example.com"});
    let case = Case {
        ticket: serde_json::from_value(body).unwrap(),
        tools: Vec::new(),
        now: Timestamp::from_millis(0),
        work: gaby_agent::brain::Work::default(),
    };
    let mut transcript = Transcript {
        plan: brain.plan_for(&case),
        case,
        turns: Vec::new(),
        evidence: Vec::new(),
    };
    let mut sections = BTreeMap::new();
    for step in 1..20 {
        match brain.want_after(&transcript) {
            Want::Search(wish) => {
                let found = ticket["hits"].as_array().unwrap().iter().take(wish.top);
                let mut hits = Vec::new();
                for hit in found {
                    let number = transcript.evidence.len() as u32 + 1;
                    sections.insert(number, hit["section"].as_str().unwrap().to_owned());
                    transcript.evidence.push(evidence(number, hit));
                    hits.push(FoundPassage {
                        evidence: number,
                        score: hit["score"].as_f64().unwrap(),
                        bm25: hit["bm25"].as_f64().unwrap(),
                        similarity: hit["similarity"].as_f64(),
                        bm25_rank: hit["bm25_rank"].as_u64().map(|rank| rank as usize),
                        vector_rank: hit["vector_rank"].as_u64().map(|rank| rank as usize),
                    });
                }
                transcript.turns.push(Turn {
                    label: None,
                    step,
                    want: Want::Search(wish),
                    outcome: Outcome::Found { hits },
                });
            }
            Want::Conclude(conclusion) => return (conclusion, sections),
            Want::Ask { .. } | Want::Call(_) | Want::Several { .. } => break,
        }
    }
    panic!(
        "the brain wants a tool, and there is none: {}",
        ticket["text"]
    );
}

fn evidence(number: u32, hit: &Value) -> Evidence {
    let text = |name: &str| hit[name].as_str().unwrap().to_owned();
    let place = |name: &str| hit[name].as_u64().unwrap() as usize;
    // One document a path, so that the brain can tell documents apart.
    let path = text("path");
    let document = path.bytes().fold(7_u128, |sum, byte| {
        sum.wrapping_mul(257).wrapping_add(byte.into())
    });
    Evidence {
        id: EvidenceId::generate(),
        investigation: InvestigationId::generate(),
        step: StepId::generate(),
        number,
        origin: Origin::Passage {
            document: format!("{}_{document:032x}", DocumentId::PREFIX)
                .parse()
                .unwrap(),
            chunk: ChunkId::generate(),
            title: text("title"),
            heading: text("heading"),
            start: place("start"),
            end: place("end"),
            path,
        },
        text: text("text"),
        value: Value::Null,
        label: Label::of(Integrity::Operator),
    }
}

fn report(judged: &[Judged]) {
    let all = judged.len();
    let reachable = judged.iter().filter(|one| one.right).count();
    println!("{all} tickets; the right section is cited by {reachable} drafts");
    println!("threshold  right  wrong only  escalated");
    for threshold in [0.3, 0.4, DEFAULT_THRESHOLD, 0.6, 0.7, 0.8] {
        let answered = judged
            .iter()
            .filter(|one| one.confidence >= threshold && one.said_something);
        let (right, wrong): (Vec<&Judged>, Vec<&Judged>) = answered.partition(|one| one.right);
        let escalated = all - right.len() - wrong.len();
        println!(
            "{threshold:9.1}  {:5}  {:10}  {escalated:9}",
            right.len(),
            wrong.len()
        );
    }
    println!("confidence  tickets  mean  right");
    let mut error = 0.0;
    for tenth in 0..10 {
        let low = f64::from(tenth) / 10.0;
        let within: Vec<&Judged> = judged
            .iter()
            .filter(|one| (one.confidence * 10.0).floor().min(9.0) as i32 == tenth)
            .collect();
        if within.is_empty() {
            continue;
        }
        let count = within.len() as f64;
        let mean = within.iter().map(|one| one.confidence).sum::<f64>() / count;
        let share = within.iter().filter(|one| one.right).count() as f64 / count;
        error += (mean - share).abs() * count / all as f64;
        println!(
            "{low:.1} to {:.1}  {:7}  {mean:.2}  {share:.2}",
            low + 0.1,
            within.len()
        );
    }
    println!("expected calibration error {error:.3}");
}
