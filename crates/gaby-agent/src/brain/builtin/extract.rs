//! The sentences of a passage that answer a question.
//!
//! A sentence is worth what it shares with the question, rare words counting more; what stands
//! right after a heading that names the matter is worth its place. The steps of a procedure are
//! taken together, since half a procedure is no answer.

use std::collections::{BTreeMap, BTreeSet};

use crate::brain::Layout;
use crate::text::sentences::{Kind, Sentence, sentences};
use crate::text::words;

/// The most steps of a procedure that are quoted.
const LONGEST_PROCEDURE: usize = 12;

/// A question, weighed by how rare its words are among the passages at hand.
#[derive(Debug, Clone)]
pub struct Question {
    weights: BTreeMap<String, f64>,
    pairs: BTreeSet<(String, String)>,
    /// Whether it asks how to do something.
    pub how_to: bool,
}

/// A sentence of a passage that is to be quoted.
#[derive(Debug, Clone, PartialEq)]
pub struct Extract {
    /// Byte offset of its first character in the passage.
    pub start: usize,
    /// Byte offset after its last character.
    pub end: usize,
    /// As a reply shows it.
    pub text: String,
    /// How it stands in the reply.
    pub layout: Layout,
}

impl Question {
    /// Weighs the words of a question against the passages that were found for it.
    #[must_use]
    pub fn weigh<'a>(question: &str, passages: impl Iterator<Item = &'a str>) -> Self {
        let stems = words::content_stems(question);
        let mut texts = 0_u32;
        let mut seen_in: BTreeMap<&str, u32> = BTreeMap::new();
        let wanted: BTreeSet<&str> = stems.iter().map(String::as_str).collect();
        for passage in passages {
            texts += 1;
            let present: BTreeSet<String> = words::content_stems(passage).into_iter().collect();
            for stem in &wanted {
                if present.contains(*stem) {
                    *seen_in.entry(stem).or_default() += 1;
                }
            }
        }
        let weights = wanted
            .iter()
            .map(|stem| {
                let seen = f64::from(seen_in.get(stem).copied().unwrap_or(0));
                let weight = (1.0 + f64::from(texts.max(1)) / (seen + 0.5)).ln();
                ((*stem).to_owned(), weight)
            })
            .collect();
        let lower = question.to_lowercase();
        let how_to = [
            "how ",
            "steps",
            "set up",
            "way to",
            "can i ",
            "procedure",
            "instructions",
        ]
        .iter()
        .any(|sign| lower.contains(sign));
        Self {
            weights,
            pairs: stems
                .windows(2)
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect(),
            how_to,
        }
    }

    /// How many different words carry meaning.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether no word carries meaning.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// How much of the question a text speaks of, 0 to 1.
    #[must_use]
    pub fn coverage(&self, text: &str) -> f64 {
        let stems: BTreeSet<String> = words::content_stems(text).into_iter().collect();
        self.covered_by(&stems)
    }

    /// How many of the question's neighbouring words stand together in one of the texts too, as a
    /// share. A question of one word is taken by that word.
    #[must_use]
    pub fn together(&self, texts: &[&str]) -> f64 {
        if self.pairs.is_empty() {
            return self.coverage(&texts.join("\n"));
        }
        let mut found = BTreeSet::new();
        for text in texts {
            let stems = words::content_stems(text);
            found.extend(
                stems
                    .windows(2)
                    .map(|pair| (pair[0].clone(), pair[1].clone()))
                    .filter(|pair| self.pairs.contains(pair)),
            );
        }
        found.len() as f64 / self.pairs.len() as f64
    }

    fn covered_by(&self, stems: &BTreeSet<String>) -> f64 {
        let all: f64 = self.weights.values().sum();
        if all <= 0.0 {
            return 0.0;
        }
        let shared: f64 = self
            .weights
            .iter()
            .filter(|(stem, _)| stems.contains(*stem))
            .map(|(_, weight)| weight)
            .sum();
        shared / all
    }

    fn score(&self, text: &str) -> f64 {
        let stems = words::content_stems(text);
        let set: BTreeSet<String> = stems.iter().cloned().collect();
        let pairs = stems
            .windows(2)
            .filter(|pair| self.pairs.contains(&(pair[0].clone(), pair[1].clone())))
            .count();
        let coverage = self.covered_by(&set);
        // Words that stand together in the question and in the sentence mean the same thing.
        coverage + 0.15 * coverage * pairs.min(3) as f64
    }
}

/// The best stretch of a passage, of at most `limit` sentences (a procedure counts as one), in the
/// order in which it stands there.
#[must_use]
pub fn best(question: &Question, heading: &str, passage: &str, limit: usize) -> Vec<Extract> {
    let all = sentences(passage);
    let usable: Vec<usize> = (0..all.len())
        .filter(|index| all[*index].kind != Kind::Heading && says_something(&all[*index], passage))
        .collect();
    if usable.is_empty() || limit == 0 {
        return Vec::new();
    }
    let named = question.coverage(heading);
    let mut under = 0.0_f64;
    let mut since_heading = 0_i32;
    let mut scores = vec![0.0; all.len()];
    for (index, sentence) in all.iter().enumerate() {
        if sentence.kind == Kind::Heading {
            under = question.score(&sentence.shown(passage));
            since_heading = 0;
            continue;
        }
        let own = question.score(&sentence.shown(passage));
        let place = named.max(under) * 0.5_f64.powi(since_heading.min(8));
        scores[index] = own + 0.6 * place;
        since_heading += 1;
    }
    // What follows a sentence that answers mostly explains it.
    for index in (1..all.len()).rev() {
        if all[index].block == all[index - 1].block {
            scores[index] += 0.35 * scores[index - 1];
        }
    }
    let chosen = best_window(&all, &usable, &scores, limit);
    let chosen = with_whole_procedure(question, &all, &usable, chosen, limit);
    render(&all, passage, &chosen)
}

/// Whether a piece says something by itself: neither a stray word nor a page number.
fn says_something(sentence: &Sentence, passage: &str) -> bool {
    let shown = sentence.shown(passage);
    let letters = shown.chars().filter(|c| c.is_alphabetic()).count();
    (letters >= 5 && shown.split_whitespace().count() >= 2) || sentence.kind == Kind::Step
}

/// The neighbouring sentences that together are worth most; a weak sentence at either end is not
/// worth its length.
fn best_window(all: &[Sentence], usable: &[usize], scores: &[f64], limit: usize) -> Vec<usize> {
    const COST: f64 = 0.22;
    let mut best: (f64, usize, usize) = (f64::MIN, 0, 0);
    for from in 0..usable.len() {
        let mut worth = 0.0;
        for to in from..usable.len().min(from + limit) {
            let jump = to > from && all[usable[to]].block.abs_diff(all[usable[to - 1]].block) > 1;
            if jump {
                break;
            }
            worth += scores[usable[to]] - COST;
            if worth > best.0 {
                best = (worth, from, to);
            }
        }
    }
    usable[best.1..=best.2].to_vec()
}

/// A chosen step brings the other steps of its list, and a sentence that announces a list (`Do the
/// following:`) brings the list.
fn with_whole_procedure(
    question: &Question,
    all: &[Sentence],
    usable: &[usize],
    chosen: Vec<usize>,
    limit: usize,
) -> Vec<usize> {
    let is_list = |index: usize| matches!(all[index].kind, Kind::Step | Kind::Item);
    let next_list = chosen.last().and_then(|last| {
        let after = usable.iter().find(|index| *index > last)?;
        (is_list(*after) && all[*last].kind == Kind::Prose).then_some(all[*after].block)
    });
    let block = chosen
        .iter()
        .find(|index| is_list(**index))
        .map(|index| all[*index].block)
        .or(next_list.filter(|_| question.how_to || limit > 1));
    let Some(block) = block else {
        return chosen;
    };
    let list: Vec<usize> = usable
        .iter()
        .copied()
        .filter(|index| all[*index].block == block && is_list(*index))
        .collect();
    let steps = list.iter().any(|index| all[*index].kind == Kind::Step);
    // A long list of remarks is not a procedure: its best items are enough.
    if list.len() > LONGEST_PROCEDURE || (!steps && list.len() > 8) {
        return chosen;
    }
    let mut together: BTreeSet<usize> = chosen.into_iter().collect();
    if let Some(first) = list.first()
        && let Some(intro) = usable.iter().rev().find(|index| *index < first)
        && all[*intro].kind == Kind::Prose
        && all[*intro].block + 1 >= block
    {
        together.insert(*intro);
    }
    together.extend(list);
    together.into_iter().collect()
}

fn render(all: &[Sentence], passage: &str, chosen: &[usize]) -> Vec<Extract> {
    let mut last_block = None;
    chosen
        .iter()
        .map(|index| {
            let sentence = &all[*index];
            let layout = match sentence.kind {
                Kind::Step => Layout::Step,
                Kind::Item => Layout::Item,
                _ if last_block.is_some_and(|block| block != sentence.block) => Layout::Paragraph,
                _ => Layout::Text,
            };
            last_block = Some(sentence.block);
            Extract {
                start: sentence.start,
                end: sentence.end,
                text: sentence.shown(passage),
                layout,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSAGE: &str = "Reports show what happened.\n\n## Export a report\n\nOnly administrators can export a report. To do so:\n\n1. Open **Reports**.\n2. Choose *Export*.\n3. Pick CSV or PDF.\n\nExports are kept for 30 days.\n\n## Delete a report\n\nDeleted reports cannot be restored.\n";

    fn quoted(asked: &str, heading: &str, passage: &str, limit: usize) -> Vec<String> {
        let question = Question::weigh(asked, [passage].into_iter());
        best(&question, heading, passage, limit)
            .into_iter()
            .map(|extract| extract.text)
            .collect()
    }

    #[test]
    fn the_sentence_that_speaks_of_the_matter_is_quoted() {
        assert_eq!(
            quoted("Can deleted reports be restored?", "Reports", PASSAGE, 1),
            ["Deleted reports cannot be restored."]
        );
        assert_eq!(
            quoted("How long are exports kept?", "Reports", PASSAGE, 1),
            ["Exports are kept for 30 days."]
        );
    }

    #[test]
    fn a_procedure_is_quoted_whole_with_the_sentence_before_it() {
        assert_eq!(
            quoted("How do I export a report?", "Reports", PASSAGE, 3),
            [
                "Only administrators can export a report.",
                "To do so:",
                "Open Reports.",
                "Choose Export.",
                "Pick CSV or PDF."
            ]
        );
    }

    #[test]
    fn under_a_heading_that_names_the_matter_the_first_sentences_answer() {
        let passage =
            "Select the list. Then choose the name. Enter a new one and confirm. Weather may vary.";
        assert_eq!(
            quoted(
                "How do I rename a favorites list?",
                "Renaming a favorites list",
                passage,
                2
            )[0],
            "Select the list."
        );
    }

    #[test]
    fn words_that_stand_together_are_told_from_words_apart() {
        let question = Question::weigh("reset the smart hub", ["x"].into_iter());
        assert_eq!(question.together(&["Reset Smart Hub"]), 1.0);
        assert_eq!(question.together(&["Smart Hub", "how to reset a hub"]), 0.5);
        assert_eq!(question.together(&["a smart reset"]), 0.0);
        let word = Question::weigh("bixby?", ["x"].into_iter());
        assert_eq!(word.together(&["Using Bixby"]), 1.0);
    }

    #[test]
    fn every_extract_points_at_the_text_it_shows() {
        let question = Question::weigh("export a report", [PASSAGE].into_iter());
        for extract in best(&question, "Reports", PASSAGE, 4) {
            assert_eq!(
                crate::text::sentences::plain(&PASSAGE[extract.start..extract.end]),
                extract.text
            );
        }
    }

    #[test]
    fn nothing_is_quoted_from_nothing() {
        assert!(quoted("anything", "", "", 3).is_empty());
        assert!(quoted("anything", "", "# Only a heading", 3).is_empty());
        assert!(quoted("", "", "- 7 -", 3).is_empty());
    }
}
