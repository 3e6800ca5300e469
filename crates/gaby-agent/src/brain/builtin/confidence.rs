//! How sure the builtin brain is of an answer that it quotes.
//!
//! A logistic model over features that any knowledge base has; its weights were fitted with
//! `examples/calibrate.rs` on questions whose right section is known. A feature is a number from 0
//! to 1, so that a weight says how much it matters.

use std::collections::BTreeMap;

use super::extract::Question;
use crate::brain::FoundPassage;

/// What is known about the best passage, before it is believed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Features {
    /// The fused score of the best passage.
    pub score: f64,
    /// How far the second one is behind.
    pub margin: f64,
    /// Cosine of the best passage with the question; 0 while vectors are missing.
    pub similarity: f64,
    /// How much of the question the best passage speaks of, rare words counting more.
    pub coverage: f64,
    /// How much of the question its headings name.
    pub heading: f64,
    /// How much of the question the quoted sentences speak of.
    pub quoted: f64,
    /// Whether words and vectors agree on the best passage.
    pub agreement: f64,
    /// How much the question says: a question of one word can mean anything.
    pub substance: f64,
}

impl Features {
    /// Measures an answer.
    #[must_use]
    pub fn measure(
        question: &Question,
        hits: &[FoundPassage],
        heading: &str,
        passage: &str,
        quoted: &str,
    ) -> Self {
        let Some(first) = hits.first() else {
            return Self::default();
        };
        let second = hits.get(1).map_or(0.0, |hit| hit.score);
        let whole = format!("{heading}\n{passage}");
        let agreement = match (first.bm25_rank, first.vector_rank) {
            (Some(1), Some(1)) => 1.0,
            (Some(a), Some(b)) if a.max(b) <= 3 => 0.5,
            _ => 0.0,
        };
        Self {
            score: first.score.clamp(0.0, 1.0),
            margin: (first.score - second).clamp(0.0, 1.0),
            similarity: first.similarity.unwrap_or(0.0).clamp(0.0, 1.0),
            coverage: question.coverage(&whole),
            heading: question.coverage(heading),
            quoted: question.coverage(quoted),
            agreement,
            substance: (question.len().min(5) as f64) / 5.0,
        }
    }

    /// The features by name.
    #[must_use]
    pub fn named(&self) -> BTreeMap<String, f64> {
        self.in_order()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), (value * 1e4).round() / 1e4))
            .collect()
    }

    /// The features in the order of the weights.
    #[must_use]
    pub fn in_order(&self) -> [(&'static str, f64); 8] {
        [
            ("score", self.score),
            ("margin", self.margin),
            ("similarity", self.similarity),
            ("coverage", self.coverage),
            ("heading", self.heading),
            ("quoted", self.quoted),
            ("agreement", self.agreement),
            ("substance", self.substance),
        ]
    }

    /// How likely the answer is right, 0 to 1.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        let sum: f64 = self
            .in_order()
            .into_iter()
            .zip(WEIGHTS)
            .map(|((_, value), weight)| value * weight)
            .sum();
        1.0 / (1.0 + (-(sum + BIAS)).exp())
    }
}

/// Weights of the features, in the order of [`Features::in_order`].
const WEIGHTS: [f64; 8] = [1.0, 2.0, 2.5, 2.0, 1.0, 1.0, 0.6, 0.5];
/// The logit of an answer that has nothing for it.
const BIAS: f64 = -4.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn features(change: impl Fn(&mut Features)) -> f64 {
        let mut features = Features {
            score: 0.9,
            margin: 0.3,
            similarity: 0.6,
            coverage: 0.8,
            heading: 0.5,
            quoted: 0.7,
            agreement: 1.0,
            substance: 0.8,
        };
        change(&mut features);
        features.confidence()
    }

    #[test]
    fn what_speaks_for_an_answer_makes_it_surer() {
        let usual = features(|_| {});
        assert!(features(|f| f.similarity = 0.1) < usual);
        assert!(features(|f| f.coverage = 0.2) < usual);
        assert!(features(|f| f.margin = 0.0) < usual);
        assert!((0.0..=1.0).contains(&usual));
    }

    #[test]
    fn nothing_found_is_nothing_believed() {
        assert!(Features::default().confidence() < 0.1);
    }
}
