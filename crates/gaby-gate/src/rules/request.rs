//! A call, as the rules see it.

use std::str::FromStr as _;

use cedar_policy::{Context, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression};
use gaby_model::ToolRef;
use serde_json::{Value, json};

use super::schema::{ANSWER, ArgType};
use crate::situation::Situation;

/// What the rules are asked about.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The tool and its arguments; none for a reply to the requester.
    pub call: Option<(&'a ToolRef, &'a Value)>,
    /// The requester's address, in small letters; empty when nobody is named.
    pub requester: &'a str,
    /// Whether a source vouches for the requester.
    pub verified: bool,
    /// What surrounds it.
    pub situation: &'a Situation,
    /// How far Gaby may go, as a word.
    pub autonomy: &'a str,
    /// The call's risk, 0 to 100.
    pub risk: u8,
    /// How many records it changes.
    pub records: u64,
    /// Whether anything that steers it comes from text that anybody could have written.
    pub steered_by_outsider: bool,
}

impl Question<'_> {
    /// The action's name in policies.
    #[must_use]
    pub fn action(&self) -> String {
        self.call
            .map_or_else(|| ANSWER.to_owned(), |(tool, _)| tool.to_string())
    }

    fn words(&self) -> [(&'static str, &str); 6] {
        let situation = self.situation;
        [
            ("source", &situation.source),
            ("category", &situation.category),
            ("playbook", &situation.playbook),
            ("autonomy", self.autonomy),
            ("environment", &situation.environment),
            (
                "weekday",
                situation.moment.map_or("", |moment| moment.weekday()),
            ),
        ]
    }

    fn numbers(&self) -> [(&'static str, i64); 3] {
        let hour = self
            .situation
            .moment
            .map_or(-1, |moment| i64::from(moment.hour));
        [
            ("hour", hour),
            ("risk", i64::from(self.risk)),
            ("records", i64::try_from(self.records).unwrap_or(i64::MAX)),
        ]
    }

    fn truths(&self) -> [(&'static str, bool); 2] {
        [
            ("verified", self.verified),
            ("steered_by_outsider", self.steered_by_outsider),
        ]
    }

    /// What the rules are told, for people.
    #[must_use]
    pub fn facts(&self) -> Value {
        let mut context = serde_json::Map::new();
        context.extend(
            self.words()
                .map(|(name, word)| (name.to_owned(), json!(word))),
        );
        context.extend(
            self.numbers()
                .map(|(name, number)| (name.to_owned(), json!(number))),
        );
        context.extend(self.truths().map(|(name, is)| (name.to_owned(), json!(is))));
        context.insert("facts".to_owned(), json!(self.situation.facts));
        if let Some((_, arguments)) = self.call {
            context.insert("arguments".to_owned(), arguments.clone());
        }
        json!({
            "principal": format!("Requester::{:?}", self.requester),
            "action": format!("Action::{:?}", self.action()),
            "resource": format!("Workspace::{:?}", self.situation.workspace),
            "context": context,
        })
    }

    /// The request for Cedar. `kind` is the type of the tool's arguments.
    pub(super) fn request(&self, kind: Option<&ArgType>) -> Result<Request, String> {
        let mut context: Vec<(String, RestrictedExpression)> = Vec::new();
        for (name, word) in self.words() {
            context.push((
                name.to_owned(),
                RestrictedExpression::new_string(word.to_owned()),
            ));
        }
        for (name, number) in self.numbers() {
            context.push((name.to_owned(), RestrictedExpression::new_long(number)));
        }
        for (name, is) in self.truths() {
            context.push((name.to_owned(), RestrictedExpression::new_bool(is)));
        }
        let facts = self.situation.facts.iter();
        let facts = facts.map(|fact| RestrictedExpression::new_string(fact.clone()));
        context.push(("facts".to_owned(), RestrictedExpression::new_set(facts)));
        if let (Some((_, arguments)), Some(kind)) = (self.call, kind) {
            context.push(("arguments".to_owned(), kind.value(arguments, "arguments")?));
        }
        let context = Context::from_pairs(context).map_err(|error| error.to_string())?;
        Request::new(
            entity("Requester", self.requester)?,
            entity("Action", &self.action())?,
            entity("Workspace", &self.situation.workspace)?,
            context,
            None,
        )
        .map_err(|error| error.to_string())
    }
}

pub(super) fn entity(kind: &str, id: &str) -> Result<EntityUid, String> {
    let kind = EntityTypeName::from_str(kind).map_err(|error| error.to_string())?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}
