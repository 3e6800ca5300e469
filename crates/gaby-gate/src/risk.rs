//! How much harm a call could do, 0 to 100, with the parts that make it up.

use gaby_model::{Integrity, Reversibility, ToolDefinition};
use serde::{Deserialize, Serialize};

/// A call's risk, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// 0 (none) to 100.
    pub score: u8,
    /// What adds up to it, before it is capped at 100.
    pub parts: Vec<RiskPart>,
}

/// One contribution to a call's risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskPart {
    /// What it is, for people.
    pub name: String,
    /// How much it adds.
    pub points: u8,
}

/// What about a call matters for its risk, beside its tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// How many records it changes.
    pub records: u64,
    /// The least trusted of its arguments that are not free text.
    pub integrity: Integrity,
    /// Whether a source vouches for who asks.
    pub verified: bool,
}

/// Adds up the risk of a write.
#[must_use]
pub fn of_write(tool: &ToolDefinition, exposure: Exposure) -> Risk {
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
    if tool.reversibility == Reversibility::Irreversible {
        add("cannot be taken back", 15);
    }
    if !tool.idempotent {
        add("twice is not the same as once", 5);
    }
    match exposure.records {
        0 | 1 => {}
        2..=10 => add("changes several records", 10),
        11..=100 => add("changes many records", 25),
        _ => add("changes very many records", 50),
    }
    if exposure.integrity == Integrity::Outsider {
        add("steered by text that anybody could have written", 10);
    }
    if !exposure.verified {
        add("nobody vouches for who asks", 15);
    }
    total(parts)
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
