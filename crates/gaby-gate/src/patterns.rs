//! Standing approvals: a person says yes in advance to a bounded pattern of calls.
//!
//! A pattern names one tool, what must hold of its arguments, how often, and until when. It stands
//! in for the human's yes on single calls, but never for what always needs a human, for a requester
//! nobody vouches for, for mass changes, or for what a rule leaves to a human.

use std::collections::BTreeMap;

use gaby_model::{Action, PatternId, Timestamp, ToolDefinition, ToolRef, UserId};
use gaby_store::Workspace;
use gaby_store::audit::{Actor, AuditRecord};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::GateError;
use crate::reason::Reason;
use crate::scope::{Condition, meets};

/// The longest that a pattern may stand, in milliseconds: 14 days.
pub const LONGEST_MILLIS: i64 = 14 * 24 * 60 * 60 * 1_000;
/// The most calls that a pattern may stand in for.
pub const MOST_CALLS: u32 = 500;

/// A standing approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// Its id.
    pub id: PatternId,
    /// The tool.
    pub tool: ToolRef,
    /// The definition of the tool that was looked at; another one is not covered.
    pub definition_hash: String,
    /// What must hold of the arguments, by name. Arguments that are not named are not covered.
    pub arguments: BTreeMap<String, Condition>,
    /// For how many more calls.
    pub remaining: u32,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who gave it.
    pub by: UserId,
}

/// Why a pattern is not taken on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It would never end.
    #[error(
        "a standing approval needs an end within 14 days and at most {MOST_CALLS} calls: set both"
    )]
    Unbounded,
    /// It would hold for any arguments.
    #[error(
        "a standing approval of `{tool}` must say which values its target `{argument}` may have"
    )]
    AnyTarget {
        /// The tool.
        tool: ToolRef,
        /// The argument.
        argument: String,
    },
    /// It is for what always needs a human.
    #[error("`{0}` always needs a human, each time")]
    AlwaysHuman(ToolRef),
}

impl Pattern {
    /// Checks that a pattern is bounded.
    ///
    /// # Errors
    /// When it has no end, leaves a target open, or is for what always needs a human.
    pub fn check(&self, tool: &ToolDefinition, now: Timestamp) -> Result<(), PatternError> {
        let life = self.ends_at.millis_since(now);
        if !(1..=LONGEST_MILLIS).contains(&life) || !(1..=MOST_CALLS).contains(&self.remaining) {
            return Err(PatternError::Unbounded);
        }
        let asked = Value::Object(
            self.arguments
                .keys()
                .map(|name| (name.clone(), Value::Null))
                .collect(),
        );
        if !crate::always::kinds(tool, &asked).is_empty() {
            return Err(PatternError::AlwaysHuman(self.tool.clone()));
        }
        let open = tool.arguments.iter().find(|(name, role)| {
            **role == gaby_model::ArgumentRole::Target && !self.arguments.contains_key(*name)
        });
        match open {
            Some((argument, _)) => Err(PatternError::AnyTarget {
                tool: self.tool.clone(),
                argument: argument.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Whether it covers a call of this tool with these arguments now.
    #[must_use]
    pub fn covers(&self, tool: &ToolDefinition, arguments: &Value, now: Timestamp) -> bool {
        let named = arguments
            .as_object()
            .is_some_and(|fields| fields.keys().all(|name| self.arguments.contains_key(name)));
        self.tool == tool.tool
            && self.definition_hash == tool.definition_hash
            && self.remaining > 0
            && now < self.ends_at
            && named
            && meets(&self.arguments, arguments)
    }

    /// Whether it stands in for a human who is asked for this reason.
    #[must_use]
    pub fn answers(&self, reason: &Reason) -> bool {
        match reason {
            Reason::Proposes { .. }
            | Reason::Risky { .. }
            | Reason::NoWayBack
            | Reason::NotBounded { .. } => true,
            // A person who wrote the target down has named it; one who wrote a range has not.
            Reason::TargetNotTrusted { argument } | Reason::TargetNotChecked { argument } => {
                self.names(argument)
            }
            Reason::NotOwned(_) => {
                !self.arguments.is_empty() && self.arguments.values().all(Condition::is_closed)
            }
            _ => false,
        }
    }

    fn names(&self, argument: &str) -> bool {
        self.arguments
            .get(argument)
            .is_some_and(Condition::is_closed)
    }

    /// The actions that it would have covered, of those given: shown before it is taken on.
    #[must_use]
    pub fn would_have_covered<'a>(&self, actions: &'a [Action]) -> Vec<&'a Action> {
        actions
            .iter()
            .filter(|action| {
                let arguments = &action.call.arguments;
                let named = arguments
                    .as_object()
                    .is_some_and(|f| f.keys().all(|name| self.arguments.contains_key(name)));
                action.call.tool == self.tool && named && meets(&self.arguments, arguments)
            })
            .collect()
    }
}

/// Takes on a standing approval.
///
/// # Errors
/// When it is not bounded, or cannot be stored.
pub async fn give(
    workspace: &Workspace,
    pattern: &Pattern,
    tool: &ToolDefinition,
    now: Timestamp,
) -> Result<(), GateError> {
    pattern.check(tool, now)?;
    let mut tx = workspace.begin().await?;
    tx.add_pattern(&pattern.id, pattern, pattern.remaining, pattern.ends_at)
        .await?;
    tx.audit(AuditRecord {
        actor: Actor::new("user", pattern.by.as_str()),
        action: "pattern.given".to_owned(),
        object: pattern.id.to_string(),
        decision: json!({"tool": pattern.tool.to_string(), "calls": pattern.remaining}),
        content: json!(pattern),
        at: now,
    });
    Ok(tx.commit().await?)
}

/// Ends a standing approval at once. Tells whether it was there.
///
/// # Errors
/// When the store fails.
pub async fn end(
    workspace: &Workspace,
    pattern: &PatternId,
    by: &UserId,
    now: Timestamp,
) -> Result<bool, GateError> {
    let mut tx = workspace.begin().await?;
    let ended = tx.end_pattern(pattern).await?;
    tx.audit(AuditRecord {
        actor: Actor::new("user", by.as_str()),
        action: "pattern.ended".to_owned(),
        object: pattern.to_string(),
        decision: Value::Null,
        content: Value::Null,
        at: now,
    });
    tx.commit().await?;
    Ok(ended)
}

/// The standing approvals that hold now.
///
/// # Errors
/// When the store fails.
pub async fn standing(workspace: &Workspace, now: Timestamp) -> Result<Vec<Pattern>, GateError> {
    let stored = workspace.patterns::<Pattern>(now).await?;
    Ok(stored
        .into_iter()
        .map(|(pattern, remaining)| Pattern {
            remaining,
            ..pattern
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::unlock;
    use gaby_model::tool::AlwaysHuman;
    use serde_json::json;

    fn pattern() -> Pattern {
        let tool = unlock();
        Pattern {
            id: PatternId::generate(),
            tool: tool.tool,
            definition_hash: tool.definition_hash,
            arguments: [(
                "account".to_owned(),
                Condition::OneOf(vec![json!(7), json!(8)]),
            )]
            .into(),
            remaining: 2,
            ends_at: Timestamp::from_millis(1_000),
            by: UserId::generate(),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(0)
    }

    #[test]
    fn it_covers_what_it_names_and_nothing_else() {
        let covers = |change: &dyn Fn(&mut Pattern, &mut ToolDefinition, &mut Value)| {
            let (mut pattern, mut tool, mut arguments) =
                (pattern(), unlock(), json!({"account": 7}));
            change(&mut pattern, &mut tool, &mut arguments);
            pattern.covers(&tool, &arguments, now())
        };
        assert!(covers(&|_, _, _| {}));
        assert!(!covers(
            &|_, _, arguments| *arguments = json!({"account": 9})
        ));
        assert!(!covers(
            &|_, _, arguments| *arguments = json!({"account": 7, "note": "x"})
        ));
        assert!(!covers(&|_, _, arguments| *arguments = json!({})));
        assert!(!covers(
            &|_, tool, _| tool.definition_hash = "other".to_owned()
        ));
        assert!(!covers(&|_, tool, _| tool.tool.tool = "lock".to_owned()));
        assert!(!covers(&|pattern, _, _| pattern.remaining = 0));
        assert!(!covers(&|pattern, _, _| pattern.ends_at = now()));
    }

    #[test]
    fn it_must_have_an_end_and_name_its_targets() {
        let check = |change: &dyn Fn(&mut Pattern, &mut ToolDefinition)| {
            let (mut pattern, mut tool) = (pattern(), unlock());
            change(&mut pattern, &mut tool);
            pattern.check(&tool, now())
        };
        assert_eq!(check(&|_, _| {}), Ok(()));
        for unbounded in [0, MOST_CALLS + 1] {
            assert_eq!(
                check(&|p, _| p.remaining = unbounded),
                Err(PatternError::Unbounded)
            );
        }
        let too_long = Timestamp::from_millis(LONGEST_MILLIS + 1);
        assert_eq!(
            check(&|p, _| p.ends_at = too_long),
            Err(PatternError::Unbounded)
        );
        assert!(matches!(
            check(&|p, _| p.arguments.clear()),
            Err(PatternError::AnyTarget { .. })
        ));
        assert!(matches!(
            check(&|_, tool| tool.always_human = Some(AlwaysHuman::Money)),
            Err(PatternError::AlwaysHuman(_))
        ));
    }

    #[test]
    fn it_never_stands_in_for_what_always_needs_a_human() {
        let pattern = pattern();
        for reason in [
            Reason::AlwaysHuman(AlwaysHuman::Money),
            Reason::NotVerified,
            Reason::Mass {
                records: 2,
                limit: 1,
            },
            Reason::NoRole {
                argument: "note".to_owned(),
            },
        ] {
            assert!(!pattern.answers(&reason), "{reason}");
        }
        assert!(pattern.answers(&Reason::TargetNotTrusted {
            argument: "account".to_owned()
        }));
        let mut range = pattern;
        range.arguments = [("account".to_owned(), Condition::AtMost(9.0))].into();
        assert!(!range.answers(&Reason::TargetNotTrusted {
            argument: "account".to_owned()
        }));
        assert!(!range.answers(&Reason::NotOwned(String::new())));
    }
}
