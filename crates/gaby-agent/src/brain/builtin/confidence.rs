//! How sure the builtin brain is of an answer that it quotes.
//!
//! A logistic model over features that any knowledge base has. Its weights were fitted with
//! `examples/calibrate.rs` on questions whose right section is known, and on the same questions with
//! that section taken away, since a real knowledge base lacks answers. A feature is a number from 0
//! to 1, so that a weight says how much it matters. How high an answer scores, how close its vector
//! is and what its headings name were tried, and said nothing beyond these.

use std::collections::BTreeMap;

use super::answer::{self, Passage};
use super::extract::Question;
use crate::brain::CitedSentence;

/// What is known about the best passage, before it is believed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Features {
    /// How far the best passage is before the best one that is not quoted.
    pub margin: f64,
    /// How much of the question the best passage speaks of, rare words counting more.
    pub coverage: f64,
    /// How many of the question's neighbouring words stand together there.
    pub together: f64,
    /// Whether words and vectors agree on the best passage.
    pub agreement: f64,
    /// How much the question says: a question of one word can mean anything.
    pub substance: f64,
}

impl Features {
    /// Measures an answer: passages, best first, and what was quoted of them.
    #[must_use]
    pub(super) fn measure(
        question: &Question,
        passages: &[Passage<'_>],
        quoted: &[CitedSentence],
    ) -> Self {
        let Some(first) = passages.first() else {
            return Self::default();
        };
        let is_quoted = |passage: &Passage<'_>| {
            quoted
                .iter()
                .any(|sentence| sentence.evidence.contains(&passage.found.evidence))
        };
        let worth = |passage| answer::worth(question, passage);
        let next = passages.iter().find(|passage| !is_quoted(passage));
        let agreement = match (first.found.bm25_rank, first.found.vector_rank) {
            (Some(1), Some(1)) => 1.0,
            (Some(a), Some(b)) if a.max(b) <= 3 => 0.5,
            _ => 0.0,
        };
        Self {
            // Being the only one found says no more than being far ahead.
            margin: (worth(first) - next.map_or(0.0, worth)).clamp(0.0, 0.5),
            coverage: question.coverage(&first.whole()),
            together: question.together(&[&first.headings(), first.text]),
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
    pub fn in_order(&self) -> [(&'static str, f64); 5] {
        [
            ("margin", self.margin),
            ("coverage", self.coverage),
            ("together", self.together),
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
        let likely = 1.0 / (1.0 + (-(sum + BIAS)).exp());
        likely * (self.coverage / LEAST_COVERAGE).min(1.0)
    }
}

/// Weights of the features, in the order of [`Features::in_order`].
const WEIGHTS: [f64; 5] = [3.2, 1.4, 0.6, 0.5, 1.1];
/// The logit of an answer that has nothing for it.
const BIAS: f64 = -2.1;
/// A passage that speaks of less than this of the question is believed less in proportion: by being
/// alone it is no answer.
const LEAST_COVERAGE: f64 = 0.4;

#[cfg(test)]
mod tests {
    use super::*;

    fn features(change: impl Fn(&mut Features)) -> f64 {
        let mut features = Features {
            margin: 0.3,
            coverage: 0.8,
            together: 0.5,
            agreement: 1.0,
            substance: 0.8,
        };
        change(&mut features);
        features.confidence()
    }

    #[test]
    fn what_speaks_for_an_answer_makes_it_surer() {
        let usual = features(|_| {});
        assert!(features(|f| f.coverage = 0.5) < usual);
        assert!(features(|f| f.margin = 0.0) < usual);
        assert!(features(|f| f.together = 0.0) < usual);
        assert!(features(|f| f.agreement = 0.0) < usual);
        assert!((0.0..=1.0).contains(&usual));
    }

    #[test]
    fn what_does_not_speak_of_the_question_is_not_believed_however_far_ahead() {
        assert_eq!(Features::default().confidence(), 0.0);
        let lonely = features(|f| {
            f.coverage = 0.1;
            f.margin = 1.0;
        });
        assert!(lonely < 0.3, "{lonely}");
    }
}
