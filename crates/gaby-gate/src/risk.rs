//! How much harm a call could do, 0 to 100, with the parts that make it up.

pub use gaby_model::RiskPart;
use gaby_model::{Integrity, Reversibility, ToolDefinition};
use serde::{Deserialize, Serialize};

use crate::situation::Situation;

/// A call's risk, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// 0 (none) to 100.
    pub score: u8,
    /// What adds up to it, before it is capped at 100.
    pub parts: Vec<RiskPart>,
}

/// What about a call matters for its risk, beside its tool.
#[derive(Debug, Clone, Copy)]
pub struct Exposure<'a> {
    /// How many records it changes.
    pub records: u64,
    /// The least trusted of its arguments that are not free text.
    pub integrity: Integrity,
    /// Whether a source vouches for who asks.
    pub verified: bool,
    /// What surrounds it.
    pub situation: &'a Situation,
}

/// Adds up the risk of a write.
#[must_use]
pub fn of_write(tool: &ToolDefinition, exposure: Exposure<'_>) -> Risk {
    let mut parts = vec![RiskPart {
        name: "the tool itself".to_owned(),
        points: tool.risk.min(100),
    }];
    let mut add = |name: &str, points: u8| {
        parts.push(RiskPart {
            name: name.to_owned(),
            points,
        });
    };
    match exposure.records {
        0 | 1 => {}
        2..=10 => add("changes several records", 10),
        11..=100 => add("changes many records", 25),
        _ => add("changes very many records", 50),
    }
    if is_production(&exposure.situation.environment) {
        add("in production", 10);
    }
    if tool.reversibility == Reversibility::Irreversible {
        add("cannot be taken back", 15);
    }
    if !tool.idempotent {
        add("twice is not the same as once", 5);
    }
    if exposure.integrity == Integrity::Outsider {
        add("steered by text that anybody could have written", 10);
    }
    if !exposure.verified {
        add("nobody vouches for who asks", 15);
    }
    if exposure
        .situation
        .moment
        .is_some_and(|moment| moment.is_quiet())
    {
        add("at night or at the weekend", 3);
    }
    match exposure.situation.done_before {
        None | Some(0) => add("never done here before", 5),
        Some(1..=4) => add("seldom done here before", 2),
        Some(_) => {}
    }
    total(parts)
}

fn is_production(environment: &str) -> bool {
    let environment = environment.trim().to_lowercase();
    environment == "live" || environment.starts_with("prod")
}

/// The risk of a read: the tool's own.
#[must_use]
pub fn of_read(tool: &ToolDefinition) -> Risk {
    total(vec![RiskPart {
        name: "the tool itself".to_owned(),
        points: tool.risk.min(100),
    }])
}

fn total(parts: Vec<RiskPart>) -> Risk {
    let sum: u32 = parts.iter().map(|part| u32::from(part.points)).sum();
    Risk {
        score: u8::try_from(sum.min(100)).unwrap_or(100),
        parts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::unlock;
    use crate::situation::Moment;

    fn score(change: impl FnOnce(&mut ToolDefinition, &mut Exposure<'_>, &mut Situation)) -> u8 {
        let mut tool = unlock();
        let mut situation = Situation {
            done_before: Some(9),
            ..Situation::default()
        };
        let nothing = Situation::default();
        let mut exposure = Exposure {
            records: 1,
            integrity: Integrity::System,
            verified: true,
            situation: &nothing,
        };
        change(&mut tool, &mut exposure, &mut situation);
        let exposure = Exposure {
            situation: &situation,
            ..exposure
        };
        of_write(&tool, exposure).score
    }

    #[test]
    fn each_part_adds_what_it_says() {
        assert_eq!(score(|_, _, _| {}), 10);
        assert_eq!(score(|tool, _, _| tool.risk = 200), 100);
        assert_eq!(
            score(|tool, _, _| tool.reversibility = Reversibility::Irreversible),
            25
        );
        assert_eq!(score(|tool, _, _| tool.idempotent = false), 15);
        assert_eq!(score(|_, exposure, _| exposure.records = 2), 20);
        assert_eq!(score(|_, exposure, _| exposure.records = 20), 35);
        assert_eq!(score(|_, exposure, _| exposure.records = 200), 60);
        assert_eq!(
            score(|_, exposure, _| exposure.integrity = Integrity::Outsider),
            20
        );
        assert_eq!(score(|_, exposure, _| exposure.verified = false), 25);
        assert_eq!(
            score(|_, _, around| around.environment = "Production".to_owned()),
            20
        );
        assert_eq!(
            score(|_, _, around| around.environment = "staging".to_owned()),
            10
        );
        assert_eq!(
            score(|_, _, around| around.moment = Some(Moment { day: 6, hour: 12 })),
            13
        );
        assert_eq!(score(|_, _, around| around.done_before = Some(0)), 15);
        assert_eq!(score(|_, _, around| around.done_before = Some(1)), 12);
    }
}
