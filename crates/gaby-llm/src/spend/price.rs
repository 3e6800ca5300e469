//! What tokens cost.

use serde::{Deserialize, Serialize};

use crate::chat::TokenUsage;
use crate::config::{ProviderConfig, ProviderKind};

/// The prices that come with Gaby.
const SHIPPED: &str = include_str!("prices.yaml");

/// Prices of one model, or of models whose names begin alike, in US dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Whose models; all, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderKind>,
    /// How the models' names begin; `*` for all.
    pub model: String,
    /// Of a token that is sent.
    pub input: f64,
    /// Of one that the vendor has in its cache; as `input`, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<f64>,
    /// Of one that is written to the vendor's cache; as `input`, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    /// Of a token that the model writes.
    pub output: f64,
}

/// Why a price table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// It cannot be read.
    #[error("the price table cannot be read: {0}")]
    Unreadable(String),
    /// A price is not one.
    #[error("the price of `{0}` must be 0 or more, in US dollars per million tokens")]
    NoPrice(String),
}

/// The price table: the operator's rows before the shipped ones.
#[derive(Debug, Clone)]
pub struct Prices {
    own: Vec<Price>,
    shipped: Vec<Price>,
}

impl Prices {
    /// The shipped table, with the operator's rows before it.
    ///
    /// # Errors
    /// When a price is not one.
    pub fn with(own: Vec<Price>) -> Result<Self, PriceError> {
        let shipped: Vec<Price> = serde_saphyr::from_str(SHIPPED)
            .map_err(|error| PriceError::Unreadable(error.to_string()))?;
        for price in own.iter().chain(&shipped) {
            let numbers = [
                Some(price.input),
                price.cached,
                price.cache_write,
                Some(price.output),
            ];
            if numbers
                .into_iter()
                .flatten()
                .any(|n| !n.is_finite() || n < 0.0)
            {
                return Err(PriceError::NoPrice(price.model.clone()));
            }
        }
        Ok(Self { own, shipped })
    }

    /// The price of a provider's model. Nothing is free because it is unknown.
    #[must_use]
    pub fn of(&self, config: &ProviderConfig) -> Price {
        let find = |rows: &[Price]| {
            rows.iter()
                .filter_map(|row| Some((rank(row, config)?, row)))
                .max_by_key(|(rank, _)| *rank)
                .map(|(_, row)| row.clone())
        };
        find(&self.own)
            .or_else(|| find(&self.shipped))
            .unwrap_or_else(|| Price {
                provider: None,
                model: "*".into(),
                input: 15.0,
                cached: None,
                cache_write: None,
                output: 75.0,
            })
    }
}

/// How well a row fits; none if it does not. A row for this very provider goes before a longer name.
fn rank(row: &Price, config: &ProviderConfig) -> Option<(bool, usize)> {
    if row.provider.is_some_and(|kind| kind != config.kind) {
        return None;
    }
    let names = [
        config.model.as_str(),
        config
            .model
            .split_once("anthropic.")
            .map_or("", |(_, name)| name),
        config.model.split_once('.').map_or("", |(_, name)| name),
    ];
    let fits = row.model == "*" || names.iter().any(|name| name.starts_with(&row.model));
    let length = if row.model == "*" { 0 } else { row.model.len() };
    fits.then_some((row.provider.is_some(), length))
}

/// Billionths of a dollar for one token.
fn nano(dollars_per_million: f64) -> u128 {
    // Checked when the table was made: finite and not negative; the cast saturates.
    (dollars_per_million * 1_000.0).round() as u128
}

impl Price {
    /// Cost in millionths of a dollar, rounded up.
    #[must_use]
    pub fn cost(&self, usage: &TokenUsage) -> u64 {
        let known = usage
            .cached
            .saturating_add(usage.cache_write)
            .min(usage.input);
        let fresh = usage.input - known;
        let parts = [
            (fresh, self.input),
            (usage.cached, self.cached.unwrap_or(self.input)),
            (usage.cache_write, self.cache_write.unwrap_or(self.input)),
            (usage.output, self.output),
        ];
        let nanos = parts.iter().fold(0_u128, |sum, (tokens, price)| {
            sum.saturating_add(u128::from(*tokens).saturating_mul(nano(*price)))
        });
        u64::try_from(nanos.div_ceil(1_000)).unwrap_or(u64::MAX)
    }

    /// The most that so many tokens may cost, whatever the cache does, in millionths of a dollar.
    #[must_use]
    pub fn most(&self, input: u64, output: u64) -> u64 {
        let dearest = self.input.max(self.cache_write.unwrap_or(0.0));
        let nanos = u128::from(input)
            .saturating_mul(nano(dearest))
            .saturating_add(u128::from(output).saturating_mul(nano(self.output)));
        u64::try_from(nanos.div_ceil(1_000)).unwrap_or(u64::MAX)
    }

    /// How many tokens a model may write for so much money.
    #[must_use]
    pub fn output_for(&self, micro_usd: u64) -> u64 {
        match nano(self.output) {
            0 => u64::MAX,
            price => u64::try_from(u128::from(micro_usd) * 1_000 / price).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(kind: ProviderKind, model: &str) -> ProviderConfig {
        ProviderConfig::new(kind, model)
    }

    #[test]
    fn the_longest_name_wins_the_operators_rows_before_all_and_nothing_unknown_is_free() {
        let own = vec![Price {
            provider: None,
            model: "gpt-4o".into(),
            input: 1.0,
            cached: None,
            cache_write: None,
            output: 2.0,
        }];
        let prices = Prices::with(own).unwrap();
        let output = |kind, model| prices.of(&config(kind, model)).output;
        assert_eq!(output(ProviderKind::OpenAi, "gpt-4.1-mini-2025-04-14"), 1.6);
        assert_eq!(output(ProviderKind::OpenAi, "gpt-4o-mini"), 2.0);
        assert_eq!(
            output(
                ProviderKind::Bedrock,
                "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
            ),
            15.0
        );
        assert_eq!(
            output(ProviderKind::Bedrock, "us.amazon.nova-lite-v1:0"),
            0.24
        );
        assert_eq!(output(ProviderKind::Ollama, "gemini-2.5-pro"), 0.0);
        assert_eq!(
            output(ProviderKind::OpenAiCompatible, "something-new"),
            75.0
        );
    }

    #[test]
    fn cost_counts_every_token_once_and_rounds_up() {
        let price = Price {
            provider: None,
            model: "m".into(),
            input: 3.0,
            cached: Some(0.3),
            cache_write: Some(3.75),
            output: 15.0,
        };
        let usage = TokenUsage {
            input: 1_000,
            cached: 600,
            cache_write: 100,
            output: 200,
            ..TokenUsage::default()
        };
        // 300 × 3 + 600 × 0.3 + 100 × 3.75 + 200 × 15
        assert_eq!(price.cost(&usage), 900 + 180 + 375 + 3_000);
        let one = TokenUsage {
            input: 1,
            cached: 1,
            ..TokenUsage::default()
        };
        assert_eq!(price.cost(&one), 1);
        let wild = TokenUsage {
            input: u64::MAX,
            output: u64::MAX,
            ..TokenUsage::default()
        };
        assert_eq!(price.cost(&wild), u64::MAX);
        assert!(price.most(1_000, 200) >= price.cost(&usage));
        assert_eq!(price.output_for(1_500), 100);
    }
}
