//! Writes that are only shown as they would be: the state before, the state after as far as it can
//! be told, and later what people did instead.

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use gaby_model::Change;
use gaby_model::{InvestigationId, RehearsalId, TicketId, Timestamp, ToolCall, ToolDefinition};
use gaby_store::Workspace;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Rehearsed;
use crate::error::GateError;
use crate::execute::About;
use crate::risk::Risk;

/// The most rehearsals that one report holds.
const MOST: u32 = 10_000;

/// What a write would change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// What the preview read showed; null where the tool has none.
    pub before: Value,
    /// What it would show afterwards, as far as the tool's definition tells.
    pub after: Value,
    /// The fields that differ.
    pub changes: Vec<Change>,
}

impl Diff {
    /// What a call of this tool would change, given what its preview read shows. A field takes the
    /// value that the tool's own `verify` read expects of it afterwards, or else that of an
    /// argument of the same name; what neither tells stays as it is.
    #[must_use]
    pub fn simulated(tool: &ToolDefinition, before: &Value, arguments: &Value) -> Self {
        let mut after = before.clone();
        if let Some(fields) = after.as_object_mut() {
            let named = arguments.as_object().into_iter().flatten();
            for (name, value) in named.filter(|(name, _)| before.get(name.as_str()).is_some()) {
                fields.insert(name.clone(), value.clone());
            }
            let expected = tool
                .verify
                .as_ref()
                .and_then(|verify| verify.expect.as_deref());
            for (name, value) in expectations(expected.unwrap_or_default()) {
                fields.insert(name, value);
            }
        }
        Self::between(before, &after)
    }

    /// What differs between two states.
    #[must_use]
    pub fn between(before: &Value, after: &Value) -> Self {
        let mut changes = Vec::new();
        compare("", before, after, 0, &mut changes);
        Self {
            before: before.clone(),
            after: after.clone(),
            changes,
        }
    }
}

/// `result.FIELD == VALUE`, as far as an expectation is made of such.
fn expectations(condition: &str) -> Vec<(String, Value)> {
    static EQUALS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"\bresult\.(\w+)\s*==\s*(?:'([^']*)'|"([^"]*)"|(-?\d+)|(true|false))"#).ok()
    });
    let either = Regex::new(r"\b(or|not)\b").ok();
    // With alternatives nobody knows which one comes to be.
    if either.is_some_and(|either| either.is_match(condition)) {
        return Vec::new();
    }
    let Some(equals) = EQUALS.as_ref() else {
        return Vec::new();
    };
    equals
        .captures_iter(condition)
        .filter_map(|found| {
            let text = found
                .get(2)
                .or(found.get(3))
                .map(|text| json!(text.as_str()));
            let other = found.get(4).or(found.get(5));
            let value = text.or_else(|| serde_json::from_str(other?.as_str()).ok())?;
            Some((found[1].to_owned(), value))
        })
        .collect()
}

fn compare(place: &str, before: &Value, after: &Value, depth: usize, changes: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) if depth < 16 => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                let (old, new) = (old.get(name), new.get(name));
                let null = Value::Null;
                compare(
                    &place,
                    old.unwrap_or(&null),
                    new.unwrap_or(&null),
                    depth + 1,
                    changes,
                );
            }
        }
        _ => changes.push(Change {
            field: place.to_owned(),
            before: before.clone(),
            after: after.clone(),
        }),
    }
}

/// A write that was only shown as it would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Its id.
    pub id: RehearsalId,
    /// The investigation that wanted it.
    pub investigation: InvestigationId,
    /// The ticket it was for.
    pub ticket: TicketId,
    /// The exact call.
    pub call: ToolCall,
    /// What it would have done, for people.
    pub summary: String,
    /// Why Gaby wanted it.
    pub reason: String,
    /// What it would have changed.
    pub diff: Diff,
    /// Its risk.
    pub risk: Risk,
    /// Why a human would have been asked; empty when none would have been.
    pub would_ask_because: Vec<String>,
    /// When.
    pub at: Timestamp,
}

impl Rehearsed {
    /// The call that would be made.
    #[must_use]
    pub fn call(&self) -> &ToolCall {
        &self.call
    }

    /// Stores what would have been done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(
        self,
        workspace: &Workspace,
        about: About,
        tool: &ToolDefinition,
        now: Timestamp,
    ) -> Result<Rehearsal, GateError> {
        let rehearsal = Rehearsal {
            id: RehearsalId::generate(),
            investigation: about.investigation,
            ticket: about.ticket,
            diff: Diff::simulated(tool, &about.state_before, &self.call.arguments),
            call: self.call,
            summary: about.summary,
            reason: about.reason,
            risk: self.risk,
            would_ask_because: self.reasons.iter().map(ToString::to_string).collect(),
            at: now,
        };
        let mut tx = workspace.begin().await?;
        let connector = &rehearsal.call.tool.connector;
        tx.add_rehearsal(&rehearsal.id, connector, &rehearsal.ticket, &rehearsal, now)
            .await?;
        tx.audit(gaby_store::audit::AuditRecord {
            actor: gaby_store::audit::Actor::gaby(),
            action: "action.rehearsed".to_owned(),
            object: rehearsal.id.to_string(),
            decision: json!({
                "tool": rehearsal.call.tool.to_string(),
                "risk": rehearsal.risk.score,
            }),
            content: json!(rehearsal),
            at: now,
        });
        tx.commit().await?;
        Ok(rehearsal)
    }
}

/// What became of what Gaby would have changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Afterwards {
    /// Nobody looked.
    NotLooked,
    /// It is as Gaby would have made it: people did the same.
    AsGabyWouldHave,
    /// It is as it was: people changed nothing.
    AsItWas,
    /// It is otherwise: what people did instead.
    Otherwise(Vec<Change>),
}

impl Rehearsal {
    /// Compares what would have been with what is now, where somebody looked.
    #[must_use]
    pub fn afterwards(&self, now: Option<&Value>) -> Afterwards {
        let Some(now) = now.filter(|now| !now.is_null()) else {
            return Afterwards::NotLooked;
        };
        let as_expected = self
            .diff
            .changes
            .iter()
            .all(|change| now.pointer(&change.field).unwrap_or(&Value::Null) == &change.after);
        if !self.diff.changes.is_empty() && as_expected {
            return Afterwards::AsGabyWouldHave;
        }
        match Diff::between(&self.diff.before, now).changes {
            changes if changes.is_empty() => Afterwards::AsItWas,
            changes => Afterwards::Otherwise(changes),
        }
    }
}

/// What Gaby would have done with a connector in a span of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShadowReport {
    /// The connector.
    pub connector: String,
    /// From when.
    pub since: Timestamp,
    /// How many writes she would have made by herself.
    pub would_have_acted: usize,
    /// How many she would have asked for.
    pub would_have_asked: usize,
    /// How many of each tool.
    pub by_tool: BTreeMap<String, usize>,
    /// How often each reason to ask would have been given.
    pub by_reason: BTreeMap<String, usize>,
    /// Each of them, oldest first.
    pub rehearsals: Vec<Rehearsal>,
}

/// What Gaby would have done with a connector since this moment.
///
/// # Errors
/// When the store fails.
pub async fn report(
    workspace: &Workspace,
    connector: &str,
    since: Timestamp,
) -> Result<ShadowReport, GateError> {
    let rehearsals: Vec<Rehearsal> = workspace.rehearsals(connector, since, MOST).await?;
    let mut report = ShadowReport {
        connector: connector.to_owned(),
        since,
        would_have_acted: 0,
        would_have_asked: 0,
        by_tool: BTreeMap::new(),
        by_reason: BTreeMap::new(),
        rehearsals: Vec::new(),
    };
    for rehearsal in &rehearsals {
        match rehearsal.would_ask_because.is_empty() {
            true => report.would_have_acted += 1,
            false => report.would_have_asked += 1,
        }
        *report
            .by_tool
            .entry(rehearsal.call.tool.tool.clone())
            .or_default() += 1;
        for reason in &rehearsal.would_ask_because {
            *report.by_reason.entry(reason.clone()).or_default() += 1;
        }
    }
    report.rehearsals = rehearsals;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::unlock;
    use gaby_model::tool::FollowUp;

    fn expecting(expect: &str) -> ToolDefinition {
        let mut tool = unlock();
        tool.verify = Some(FollowUp {
            tool: "state".to_owned(),
            arguments: BTreeMap::new(),
            expect: Some(expect.to_owned()),
        });
        tool
    }

    #[test]
    fn a_diff_tells_what_the_tool_says_about_itself() {
        let before = json!({"status": "locked", "failed": 5, "note": "old", "name": "Ann"});
        let arguments = json!({"account": 7, "note": "new"});
        let diff = Diff::simulated(
            &expecting("result.status == 'active' and result.failed == 0"),
            &before,
            &arguments,
        );
        let changed: Vec<_> = diff
            .changes
            .iter()
            .map(|c| (c.field.as_str(), &c.after))
            .collect();
        assert_eq!(
            changed,
            [
                ("/failed", &json!(0)),
                ("/note", &json!("new")),
                ("/status", &json!("active"))
            ]
        );
        assert_eq!(diff.after["name"], "Ann");
    }

    #[test]
    fn what_may_come_out_in_two_ways_is_not_foretold() {
        let before = json!({"status": "locked"});
        let tool = expecting("result.status == 'active' or result.status == 'pending'");
        assert_eq!(Diff::simulated(&tool, &before, &json!({})).changes, []);
        assert_eq!(
            Diff::simulated(&unlock(), &Value::Null, &json!({"note": 1})).changes,
            []
        );
    }

    #[test]
    fn afterwards_tells_whether_people_did_the_same() {
        let rehearsal = Rehearsal {
            id: RehearsalId::generate(),
            investigation: InvestigationId::generate(),
            ticket: TicketId::generate(),
            call: ToolCall {
                tool: unlock().tool,
                arguments: json!({"account": 7}),
            },
            summary: String::new(),
            reason: String::new(),
            diff: Diff::between(
                &json!({"status": "locked", "seen": 1}),
                &json!({"status": "active", "seen": 1}),
            ),
            risk: crate::risk::of_read(&unlock()),
            would_ask_because: Vec::new(),
            at: Timestamp::from_millis(0),
        };
        let after = |now: Value| rehearsal.afterwards(Some(&now));
        assert_eq!(rehearsal.afterwards(None), Afterwards::NotLooked);
        assert_eq!(
            after(json!({"status": "active", "seen": 9})),
            Afterwards::AsGabyWouldHave
        );
        assert_eq!(
            after(json!({"status": "locked", "seen": 1})),
            Afterwards::AsItWas
        );
        assert!(matches!(
            after(json!({"status": "disabled", "seen": 1})),
            Afterwards::Otherwise(changes) if changes.len() == 1
        ));
    }
}
