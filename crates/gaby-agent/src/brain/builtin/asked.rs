//! What a ticket asks: one question, or several that are looked up one by one.

use std::collections::BTreeSet;

use crate::text::sentences::{Kind, sentences};
use crate::text::words;

/// More questions than these are not taken apart: such a ticket is for a person.
const MOST: usize = 3;
/// A question of fewer words that carry meaning says too little without the rest of the ticket.
const FEWEST_WORDS: usize = 2;
/// Questions that share more of their words than this ask the same.
const ALIKE: f64 = 0.5;

/// The questions of a ticket, each of which can be looked up by itself. One that cannot be taken
/// apart is given back whole.
#[must_use]
pub(super) fn questions(text: &str) -> Vec<String> {
    let asked: Vec<&str> = sentences(text)
        .into_iter()
        .filter(|sentence| sentence.kind != Kind::Verbatim)
        .filter_map(|sentence| text.get(sentence.start..sentence.end))
        .filter(|sentence| sentence.ends_with('?'))
        .flat_map(joined)
        .collect();
    let mut parts: Vec<(String, BTreeSet<String>)> = Vec::new();
    for question in asked {
        let stems: BTreeSet<String> = words::content_stems(question).into_iter().collect();
        let stands_alone = stems.len() >= FEWEST_WORDS && !points_back(question);
        if !stands_alone || parts.iter().any(|(_, known)| alike(known, &stems) > ALIKE) {
            return vec![text.to_owned()];
        }
        parts.push((question.to_owned(), stems));
    }
    if !(2..=MOST).contains(&parts.len()) {
        return vec![text.to_owned()];
    }
    parts.into_iter().map(|(question, _)| question).collect()
}

/// `How do I …, and where do I …?` asks twice.
fn joined(question: &str) -> Vec<&str> {
    const SECOND: [&str; 7] = ["how", "what", "where", "when", "why", "who", "which"];
    let lower = question.to_ascii_lowercase();
    let cut = SECOND
        .iter()
        .filter_map(|word| lower.find(&format!(" and {word} ")))
        .min();
    match cut {
        Some(at) => vec![
            question[..at].trim_end_matches(','),
            &question[at + " and ".len()..],
        ],
        None => vec![question],
    }
}

/// Whether a question is about something that was named before it: `what if it fails?`
fn points_back(question: &str) -> bool {
    const BACK: [&str; 8] = [
        "it", "its", "this", "that", "they", "them", "these", "those",
    ];
    words::stems(question)
        .iter()
        .any(|stem| BACK.contains(&stem.as_str()) || matches!(stem.as_str(), "thi" | "thes"))
}

fn alike(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let shared = a.intersection(b).count() as f64;
    shared / a.len().min(b.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn several_questions_are_taken_apart_and_one_stays_whole() {
        let export = "How do I export my data?";
        let address = "Where can I change the billing address?";
        assert_eq!(
            questions(&format!("Two things. {export} {address}")),
            [export, address]
        );
        assert_eq!(
            questions("How do I export my data, and where do I change the billing address?"),
            [
                "How do I export my data",
                "where do I change the billing address?"
            ]
        );
        for whole in [
            "My export fails. Why? What can I do?",
            "What is the universal remote? How do I use the universal remote?",
            "The export fails since Monday.",
            "What is the rate limit, and what should our script do when it hits the limit?",
            "Can I export? Can I import files? Is there an API for reports? Where are audit logs?",
            "",
        ] {
            assert_eq!(questions(whole), [whole]);
        }
    }

    proptest! {
        #[test]
        fn any_text_asks_something(text in "(.|\n){0,200}", more in "[a-zA-Z ?,]{0,200}") {
            let asked = questions(&(text + &more));
            prop_assert!(!asked.is_empty());
        }
    }
}
