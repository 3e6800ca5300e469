//! What a BERT-family model looks like: its sizes and the few choices that its family leaves open.

use serde::{Deserialize, Serialize};

use super::kernel::BLOCK;

/// The sizes and choices of a model, as its asset's header holds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// Name of the model; part of the identity of its vectors.
    pub(super) name: String,
    /// SHA-256 of the original weights, in hex.
    pub(super) source: String,
    /// Numbers per token.
    pub(super) hidden: usize,
    /// Layers.
    pub(super) layers: usize,
    /// Attention heads per layer.
    pub(super) heads: usize,
    /// Numbers per token inside the feed-forward part.
    pub(super) intermediate: usize,
    /// Tokens in the vocabulary.
    pub(super) vocabulary: usize,
    /// Rows of the position table.
    pub(super) positions: usize,
    /// The row of a text's first token: 0, and 2 in RoBERTa.
    pub(super) first_position: usize,
    /// Added to the variance in layer normalisation.
    pub(super) epsilon: f32,
    /// The feed-forward part's activation.
    pub(super) activation: Activation,
    /// How token vectors become one.
    pub(super) pooling: Pooling,
    /// Tokens of a text that are read, the special ones included.
    pub(super) max_tokens: usize,
}

/// The feed-forward part's activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Activation {
    /// Gaussian error linear unit.
    Gelu,
    /// Rectified linear unit.
    Relu,
}

/// How token vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pooling {
    /// Their mean.
    Mean,
    /// The first token's.
    First,
}

impl Shape {
    /// Numbers per attention head.
    pub(super) fn head(&self) -> usize {
        self.hidden / self.heads.max(1)
    }

    /// Says what of this shape cannot be run, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: usize, most: usize| {
            if value == 0 || value > most {
                Err(format!("{name} is {value}, and must be from 1 to {most}"))
            } else {
                Ok(())
            }
        };
        within("the hidden size", self.hidden, 8192)?;
        within("the number of layers", self.layers, 128)?;
        within("the number of heads", self.heads, 256)?;
        within("the intermediate size", self.intermediate, 65_536)?;
        within("the vocabulary", self.vocabulary, 4_000_000)?;
        within("the number of positions", self.positions, 65_536)?;
        if !self.epsilon.is_finite() || self.epsilon < 0.0 {
            return Err(format!("the layer norm epsilon is {}", self.epsilon));
        }
        for (name, value, factor) in [
            ("the hidden size", self.hidden, BLOCK),
            ("the intermediate size", self.intermediate, BLOCK),
            ("the hidden size", self.hidden, self.heads),
            ("the size of a head", self.head(), 16),
        ] {
            if !value.is_multiple_of(factor) {
                return Err(format!(
                    "{name} is {value}, which is no multiple of {factor}"
                ));
            }
        }
        let room = self.positions.saturating_sub(self.first_position);
        if self.max_tokens < 3 || self.max_tokens > room {
            return Err(format!(
                "a text may have {} tokens, and the position table allows 3 to {room}",
                self.max_tokens
            ));
        }
        Ok(())
    }
}
