//! What one investigation may use; a hard stop.

use std::time::{Duration, Instant};

use gaby_gate::BudgetLeft;
use gaby_model::{Depth, LlmUsed, Usage};
use serde::{Deserialize, Serialize};

/// The most that one investigation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Searches of the knowledge base.
    pub searches: u32,
    /// Calls of tools, those of the gate's own reads included.
    pub tool_calls: u32,
    /// Wall time in seconds.
    pub seconds: u32,
    /// Turns of the brain: what stops one that never comes to an end.
    pub turns: u32,
    /// Tokens of language models, sent and written.
    pub tokens: u64,
    /// What language models may cost, in millionths of a US dollar.
    pub micro_usd: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            searches: 12,
            tool_calls: 24,
            seconds: 120,
            turns: 40,
            tokens: 400_000,
            micro_usd: 1_000_000,
        }
    }
}

/// What an operator settles of the budget for all workspaces; what is not said stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// See [`Budget::searches`].
    pub searches: Option<u32>,
    /// See [`Budget::tool_calls`].
    pub tool_calls: Option<u32>,
    /// See [`Budget::seconds`].
    pub seconds: Option<u32>,
    /// See [`Budget::turns`].
    pub turns: Option<u32>,
    /// See [`Budget::tokens`].
    pub tokens: Option<u64>,
    /// See [`Budget::micro_usd`].
    pub micro_usd: Option<u64>,
}

impl BudgetSettings {
    /// A workspace's budget with what is settled here in the place of its own.
    #[must_use]
    pub fn over(self, own: Budget) -> Budget {
        Budget {
            searches: self.searches.unwrap_or(own.searches),
            tool_calls: self.tool_calls.unwrap_or(own.tool_calls),
            seconds: self.seconds.unwrap_or(own.seconds),
            turns: self.turns.unwrap_or(own.turns),
            tokens: self.tokens.unwrap_or(own.tokens),
            micro_usd: self.micro_usd.unwrap_or(own.micro_usd),
        }
    }
}

impl Budget {
    /// The budget for an investigation as thorough as this.
    #[must_use]
    pub fn at_depth(self, depth: Depth) -> Self {
        let scale = |n: u32| match depth {
            Depth::Quick => n.div_ceil(2),
            Depth::Standard => n,
            Depth::Deep => n.saturating_mul(2),
        };
        let scale_long = |n: u64| match depth {
            Depth::Quick => n.div_ceil(2),
            Depth::Standard => n,
            Depth::Deep => n.saturating_mul(2),
        };
        Self {
            searches: scale(self.searches),
            tool_calls: scale(self.tool_calls),
            seconds: scale(self.seconds),
            turns: scale(self.turns),
            tokens: scale_long(self.tokens),
            micro_usd: scale_long(self.micro_usd),
        }
    }
}

/// What is left of a budget, and what was used.
#[derive(Debug)]
pub struct Meter {
    budget: Budget,
    usage: Usage,
    began: Instant,
}

/// What is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Spent {
    /// Searches.
    #[error("the budget of {0} searches is used up")]
    Searches(u32),
    /// Calls.
    #[error("the budget of {0} tool calls is used up")]
    ToolCalls(u32),
    /// Time.
    #[error("the {0} seconds that the investigation may take are over")]
    Time(u32),
    /// Turns.
    #[error("the brain did not come to an end within {0} turns")]
    Turns(u32),
}

impl Meter {
    /// A meter that goes on from what was used before a restart.
    #[must_use]
    pub fn resume(budget: Budget, usage: Usage) -> Self {
        Self {
            budget,
            usage,
            began: Instant::now(),
        }
    }

    /// Takes one search, before it is made.
    ///
    /// # Errors
    /// When none is left.
    pub fn take_search(&mut self) -> Result<(), Spent> {
        self.check_time()?;
        if self.usage.searches >= self.budget.searches {
            return Err(Spent::Searches(self.budget.searches));
        }
        self.usage.searches += 1;
        Ok(())
    }

    /// Takes one call, before it is made.
    ///
    /// # Errors
    /// When none is left.
    pub fn take_call(&mut self) -> Result<(), Spent> {
        self.check_time()?;
        if self.usage.tool_calls >= self.budget.tool_calls {
            return Err(Spent::ToolCalls(self.budget.tool_calls));
        }
        self.usage.tool_calls += 1;
        Ok(())
    }

    /// Checks that a further turn may begin.
    ///
    /// # Errors
    /// When time or turns are over.
    pub fn check_turn(&self, turns: usize) -> Result<(), Spent> {
        self.check_time()?;
        if turns >= self.budget.turns as usize {
            return Err(Spent::Turns(self.budget.turns));
        }
        Ok(())
    }

    /// Takes over what language models have used so far.
    pub fn models_used(&mut self, used: LlmUsed) {
        self.usage.model_calls = used.calls;
        self.usage.input_tokens = used.input_tokens;
        self.usage.output_tokens = used.output_tokens;
        self.usage.micro_usd = used.micro_usd;
    }

    /// Says that the time is over.
    #[must_use]
    pub fn time_is_over(&self) -> Spent {
        Spent::Time(self.budget.seconds)
    }

    fn check_time(&self) -> Result<(), Spent> {
        if self.left().millis == 0 {
            return Err(Spent::Time(self.budget.seconds));
        }
        Ok(())
    }

    /// What was used so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Usage {
            millis: self.usage.millis.saturating_add(millis),
            ..self.usage
        }
    }

    /// What is left, as the gate weighs it.
    #[must_use]
    pub fn left(&self) -> BudgetLeft {
        let whole = u64::from(self.budget.seconds) * 1_000;
        BudgetLeft {
            tool_calls: self.budget.tool_calls.saturating_sub(self.usage.tool_calls),
            millis: whole.saturating_sub(self.usage().millis),
        }
    }

    /// How long what is begun now may take at most.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        Duration::from_millis(self.left().millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_beyond_the_budget() {
        let budget = Budget {
            searches: 2,
            tool_calls: 1,
            seconds: 60,
            turns: 3,
            ..Budget::default()
        };
        let mut meter = Meter::resume(budget, Usage::default());
        assert!(meter.take_search().is_ok() && meter.take_search().is_ok());
        assert_eq!(meter.take_search(), Err(Spent::Searches(2)));
        assert!(meter.take_call().is_ok());
        assert_eq!(meter.take_call(), Err(Spent::ToolCalls(1)));
        assert_eq!(meter.left().tool_calls, 0);
        assert_eq!(meter.check_turn(3), Err(Spent::Turns(3)));
        assert_eq!((meter.usage().searches, meter.usage().tool_calls), (2, 1));
    }

    #[test]
    fn what_the_operator_settles_goes_before_a_workspaces_own() {
        let settled = BudgetSettings {
            turns: Some(3),
            micro_usd: Some(0),
            ..BudgetSettings::default()
        };
        let own = Budget {
            turns: 9,
            tokens: 7,
            ..Budget::default()
        };
        let held = settled.over(own);
        assert_eq!((held.turns, held.tokens, held.micro_usd), (3, 7, 0));
        assert_eq!(BudgetSettings::default().over(own), own);
    }

    #[test]
    fn what_was_used_before_a_restart_counts() {
        let usage = Usage {
            searches: 12,
            millis: 119_000,
            ..Usage::default()
        };
        let mut meter = Meter::resume(Budget::default(), usage);
        assert_eq!(meter.take_search(), Err(Spent::Searches(12)));
        assert!(meter.left().millis <= 1_000);
        let over = Usage {
            millis: 120_000,
            ..Usage::default()
        };
        assert_eq!(
            Meter::resume(Budget::default(), over).take_call(),
            Err(Spent::Time(120))
        );
    }
}
