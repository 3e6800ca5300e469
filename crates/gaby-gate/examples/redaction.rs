//! Measures redaction on labelled texts: `cargo run -p gaby-gate --example redaction -- FILE.json`.
//!
//! The file holds a list of `{"full_text", "spans": [{"entity_type", "start_position",
//! "end_position"}]}`, with offsets in characters, as Presidio's generated sets do. A span is found
//! when a finding of its kind covers at least half of it and is no more than twice as long.

use std::collections::BTreeMap;

use anyhow::Context as _;
use gaby_gate::redact::{Kind, Profile, find};
use serde::Deserialize;

#[derive(Deserialize)]
struct Sample {
    full_text: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    entity_type: String,
    start_position: usize,
    end_position: usize,
}

#[derive(Default)]
struct Count {
    there: usize,
    found: usize,
    right: usize,
    said: usize,
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "EMAIL_ADDRESS" => Kind::Email,
        "PHONE_NUMBER" => Kind::Phone,
        "CREDIT_CARD" => Kind::Card,
        "IBAN_CODE" => Kind::Iban,
        "US_SSN" => Kind::UsSsn,
        "CA_SIN" => Kind::CaSin,
        "UK_NINO" => Kind::UkNino,
        "DE_TAX_ID" => Kind::DeTaxId,
        "FR_NIR" => Kind::FrNir,
        "IP_ADDRESS" => Kind::Ip,
        "PERSON" => Kind::Person,
        "SECRET" | "API_KEY" | "CRYPTO_KEY" => Kind::Secret,
        _ => return None,
    })
}

fn covers(span: (usize, usize), finding: (usize, usize)) -> bool {
    let shared = span.1.min(finding.1).saturating_sub(span.0.max(finding.0));
    let (length, said) = (span.1 - span.0, finding.1 - finding.0);
    shared * 2 >= length && said <= length * 2
}

#[allow(clippy::print_stdout)]
fn main() -> anyhow::Result<()> {
    let path = std::env::args()
        .nth(1)
        .context("name a file of labelled texts")?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
    let samples: Vec<Sample> = serde_json::from_str(&text)?;
    let show = std::env::args().nth(2);
    let mut counts: BTreeMap<Kind, Count> = BTreeMap::new();
    for sample in &samples {
        let mut bytes: Vec<usize> = sample.full_text.char_indices().map(|(at, _)| at).collect();
        bytes.push(sample.full_text.len());
        let spans: Vec<(Kind, (usize, usize))> = sample
            .spans
            .iter()
            .filter_map(|span| {
                let place = (
                    *bytes.get(span.start_position)?,
                    *bytes.get(span.end_position)?,
                );
                Some((kind(&span.entity_type)?, place))
            })
            .collect();
        let found = find(&sample.full_text, &Profile::default());
        for (kind, span) in &spans {
            let count = counts.entry(*kind).or_default();
            count.there += 1;
            let hit = found
                .iter()
                .any(|f| f.kind == *kind && covers(*span, (f.start, f.end)));
            count.found += usize::from(hit);
            if !hit && show.as_deref() == Some(kind.as_str()) {
                println!(
                    "missed {:?} in {:?}",
                    &sample.full_text[span.0..span.1],
                    sample.full_text
                );
            }
        }
        for finding in &found {
            let count = counts.entry(finding.kind).or_default();
            count.said += 1;
            let right = spans.iter().any(|(kind, span)| {
                *kind == finding.kind && covers(*span, (finding.start, finding.end))
            });
            count.right += usize::from(right);
            if !right && show.as_deref() == Some(finding.kind.as_str()) {
                println!(
                    "wrong {:?} in {:?}",
                    &sample.full_text[finding.start..finding.end],
                    sample.full_text
                );
            }
        }
    }
    println!(
        "{:<10} {:>6} {:>6} {:>7} {:>10}",
        "kind", "there", "said", "recall", "precision"
    );
    let share = |part: usize, whole: usize| match whole {
        0 => "-".to_owned(),
        _ => format!("{:.3}", part as f64 / whole as f64),
    };
    for (kind, count) in &counts {
        println!(
            "{:<10} {:>6} {:>6} {:>7} {:>10}",
            kind.as_str(),
            count.there,
            count.said,
            share(count.found, count.there),
            share(count.right, count.said),
        );
    }
    Ok(())
}
