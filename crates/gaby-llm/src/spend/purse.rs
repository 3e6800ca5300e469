//! Purses: what models may use, taken before each call and settled after it.
//!
//! A purse may stand in others: an investigation's in its ticket's and in the workspace's of the day.
//! A call is made only if all of them have enough, and the answer's length is cut to what is left,
//! so that no limit is passed by more than the vendor's own count differs from the estimate.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::price::Price;
use crate::chat::TokenUsage;

/// An answer shorter than this is not worth a call.
const SHORTEST_ANSWER: u64 = 64;

/// What may be used; nothing said is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allowance {
    /// Tokens, sent and written.
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    pub micro_usd: Option<u64>,
    /// Calls.
    pub calls: Option<u32>,
}

/// What is used up, and whose purse it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Spent {
    /// Tokens.
    #[error("the budget of {limit} tokens ({whose}) is used up")]
    Tokens {
        /// Whose.
        whose: String,
        /// The limit.
        limit: u64,
    },
    /// Money.
    #[error("the budget of {} US dollars ({whose}) is used up", dollars(*.limit))]
    Money {
        /// Whose.
        whose: String,
        /// The limit in millionths of a US dollar.
        limit: u64,
    },
    /// Calls.
    #[error("the budget of {limit} calls of a model ({whose}) is used up")]
    Calls {
        /// Whose.
        whose: String,
        /// The limit.
        limit: u32,
    },
}

fn dollars(micro_usd: u64) -> String {
    format!(
        "{}.{:02}",
        micro_usd / 1_000_000,
        micro_usd % 1_000_000 / 10_000
    )
}

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Tokens sent.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Millionths of a US dollar.
    pub micro_usd: u64,
    /// Calls.
    pub calls: u32,
}

#[derive(Debug, Default)]
struct State {
    used: Used,
    /// Held for calls that are out.
    held_tokens: u64,
    held_micro_usd: u64,
}

struct Inner {
    whose: String,
    allowance: Allowance,
    state: Mutex<State>,
    within: Vec<Purse>,
}

/// What models may use. Cheap to clone; clones are the same purse.
#[derive(Clone)]
pub struct Purse(Arc<Inner>);

impl std::fmt::Debug for Purse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Purse({}: {:?} of {:?})",
            self.0.whose,
            self.used(),
            self.0.allowance
        )
    }
}

impl Purse {
    /// A purse that goes on from what was used before.
    #[must_use]
    pub fn new(
        whose: impl Into<String>,
        allowance: Allowance,
        used: Used,
        within: Vec<Self>,
    ) -> Self {
        Self(Arc::new(Inner {
            whose: whose.into(),
            allowance,
            state: Mutex::new(State {
                used,
                ..State::default()
            }),
            within,
        }))
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was used so far.
    #[must_use]
    pub fn used(&self) -> Used {
        self.state(|state| state.used)
    }

    /// Itself and all that it stands in, in one order for everybody.
    fn all(&self) -> Vec<Self> {
        let mut all: Vec<Self> = self.0.within.iter().flat_map(Self::all).collect();
        all.push(self.clone());
        all.sort_by_key(|purse| Arc::as_ptr(&purse.0) as usize);
        all.dedup_by(|a, b| Arc::ptr_eq(&a.0, &b.0));
        all
    }

    /// Takes what a call may use at most. `input` is an estimate on the high side.
    ///
    /// # Errors
    /// When some purse has not enough for any answer.
    pub fn reserve(
        &self,
        input: u64,
        most_output: u32,
        price: &Price,
    ) -> Result<Reservation, Spent> {
        let all = self.all();
        let mut locked: Vec<_> = all
            .iter()
            .map(|purse| purse.0.state.lock().unwrap_or_else(PoisonError::into_inner))
            .collect();
        let mut output = u64::from(most_output);
        let least = SHORTEST_ANSWER.min(output);
        for (purse, state) in all.iter().zip(&locked) {
            let whose = || purse.0.whose.clone();
            let Allowance {
                tokens,
                micro_usd,
                calls,
            } = purse.0.allowance;
            if let Some(limit) = calls
                && state.used.calls >= limit
            {
                return Err(Spent::Calls {
                    whose: whose(),
                    limit,
                });
            }
            if let Some(limit) = tokens {
                let used = state.used.input.saturating_add(state.used.output);
                let left = limit.saturating_sub(used).saturating_sub(state.held_tokens);
                output = output.min(left.saturating_sub(input));
                if output < least || left < input {
                    return Err(Spent::Tokens {
                        whose: whose(),
                        limit,
                    });
                }
            }
            if let Some(limit) = micro_usd {
                let left = limit
                    .saturating_sub(state.used.micro_usd)
                    .saturating_sub(state.held_micro_usd);
                let sent = price.most(input, 0);
                output = output.min(price.output_for(left.saturating_sub(sent)));
                if output < least || left < sent {
                    return Err(Spent::Money {
                        whose: whose(),
                        limit,
                    });
                }
            }
        }
        let tokens = input.saturating_add(output);
        let micro_usd = price.most(input, output);
        for state in &mut locked {
            state.used.calls = state.used.calls.saturating_add(1);
            state.held_tokens = state.held_tokens.saturating_add(tokens);
            state.held_micro_usd = state.held_micro_usd.saturating_add(micro_usd);
        }
        drop(locked);
        Ok(Reservation {
            purses: all,
            input,
            output,
            tokens,
            micro_usd,
            price: price.clone(),
            open: true,
        })
    }
}

/// What is held for a call that is out. Dropped without being settled, as when the process stops
/// waiting, all of it counts as used: nobody knows what the vendor will bill.
#[derive(Debug)]
pub struct Reservation {
    purses: Vec<Purse>,
    input: u64,
    output: u64,
    tokens: u64,
    micro_usd: u64,
    price: Price,
    open: bool,
}

impl Reservation {
    /// The longest answer that there is enough for.
    #[must_use]
    pub fn output(&self) -> u32 {
        u32::try_from(self.output).unwrap_or(u32::MAX)
    }

    /// Gives back what was not used. Gives the cost in millionths of a US dollar.
    pub fn settle(mut self, usage: &TokenUsage) -> u64 {
        let cost = self.price.cost(usage);
        self.close(usage.input, usage.output, cost);
        cost
    }

    fn close(&mut self, input: u64, output: u64, micro_usd: u64) {
        self.open = false;
        for purse in &self.purses {
            purse.state(|state| {
                state.held_tokens = state.held_tokens.saturating_sub(self.tokens);
                state.held_micro_usd = state.held_micro_usd.saturating_sub(self.micro_usd);
                let used = &mut state.used;
                used.input = used.input.saturating_add(input);
                used.output = used.output.saturating_add(output);
                used.micro_usd = used.micro_usd.saturating_add(micro_usd);
            });
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.open {
            self.close(self.input, self.output, self.micro_usd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price() -> Price {
        Price {
            provider: None,
            model: "m".into(),
            input: 1.0,
            cached: None,
            cache_write: None,
            output: 2.0,
        }
    }

    fn purse(allowance: Allowance) -> Purse {
        Purse::new("this investigation", allowance, Used::default(), Vec::new())
    }

    fn used(input: u64, output: u64) -> TokenUsage {
        TokenUsage {
            input,
            output,
            ..TokenUsage::default()
        }
    }

    #[test]
    fn a_model_that_never_stops_is_stopped_exactly_in_tokens_money_and_calls() {
        for (allowance, expected) in [
            (
                Allowance {
                    tokens: Some(1_000),
                    ..Allowance::default()
                },
                1_000,
            ),
            (
                Allowance {
                    micro_usd: Some(1_500),
                    ..Allowance::default()
                },
                1_500,
            ),
            (
                Allowance {
                    calls: Some(7),
                    ..Allowance::default()
                },
                7,
            ),
        ] {
            let purse = purse(allowance);
            let mut refused = None;
            for _ in 0..1_000 {
                match purse.reserve(100, 200, &price()) {
                    // It always writes all that it may.
                    Ok(held) => {
                        let output = u64::from(held.output());
                        held.settle(&used(100, output));
                    }
                    Err(spent) => {
                        refused = Some(spent);
                        break;
                    }
                }
            }
            assert!(refused.is_some());
            let all = purse.used();
            let amount = match (allowance.tokens, allowance.micro_usd) {
                (Some(_), _) => all.input + all.output,
                (_, Some(_)) => all.micro_usd,
                _ => u64::from(all.calls),
            };
            assert!(amount <= expected, "{amount} of {expected}");
            assert!(
                amount >= expected.saturating_sub(164),
                "{amount} of {expected} was left unused"
            );
        }
    }

    #[test]
    fn every_purse_that_it_stands_in_must_have_enough() {
        let day = Purse::new(
            "the workspace today",
            Allowance {
                tokens: Some(500),
                ..Allowance::default()
            },
            Used {
                input: 100,
                ..Used::default()
            },
            Vec::new(),
        );
        let one = Purse::new(
            "one",
            Allowance::default(),
            Used::default(),
            vec![day.clone()],
        );
        let two = Purse::new(
            "two",
            Allowance::default(),
            Used::default(),
            vec![day.clone()],
        );
        let held = one.reserve(100, 100, &price()).unwrap();
        let other = two.reserve(100, 1_000, &price()).unwrap();
        assert_eq!(other.output(), 100, "the answer is cut to what is left");
        let refused = two.reserve(10, 100, &price()).unwrap_err();
        assert!(
            refused.to_string().contains("the workspace today"),
            "{refused}"
        );
        held.settle(&used(50, 10));
        drop(other);
        assert_eq!(
            day.used(),
            Used {
                input: 100 + 50 + 100,
                output: 10 + 100,
                micro_usd: 70 + 300,
                calls: 2
            }
        );
        assert_eq!((one.used().input, two.used().input), (50, 100));
    }

    #[test]
    fn what_a_vendor_counts_beyond_the_estimate_stops_the_next_call() {
        let purse = purse(Allowance {
            tokens: Some(300),
            ..Allowance::default()
        });
        let held = purse.reserve(10, 100, &price()).unwrap();
        held.settle(&used(400, 100));
        assert!(matches!(
            purse.reserve(1, 100, &price()),
            Err(Spent::Tokens { limit: 300, .. })
        ));
    }

    proptest! {
        #[test]
        fn whatever_is_reserved_together_fits_the_purse(
            limit in 0u64..5_000, asks in proptest::collection::vec((0u64..400, 1u32..600, any::<bool>()), 0..40),
        ) {
            let purse = purse(Allowance { tokens: Some(limit), micro_usd: Some(limit * 2), calls: None });
            let mut held = Vec::new();
            for (input, output, keep) in asks {
                if let Ok(reservation) = purse.reserve(input, output, &price()) {
                    let wrote = u64::from(reservation.output());
                    if keep { held.push((reservation, input, wrote)) } else { reservation.settle(&used(input, wrote)); }
                }
            }
            for (reservation, input, wrote) in held { reservation.settle(&used(input, wrote)); }
            let all = purse.used();
            prop_assert!(all.input + all.output <= limit);
            prop_assert!(all.micro_usd <= limit * 2);
        }
    }
}
