//! The names that a playbook's expressions can use, and the references behind them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::inputs;
use crate::brain::{FoundPassage, Outcome, Transcript, Turn};
use crate::playbook::expression::{ExpressionError, Expressions};
use crate::playbook::lint::reference;
use crate::playbook::schema::{InputFrom, Playbook, RequesterField, ResultShape, StepSpec};

/// A record that a step gave, and where it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) value: Value,
    pub(super) evidence: u32,
    /// Its reference, such as `$step3/rows/0`.
    pub(super) path: String,
}

/// What a step gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub(super) records: Vec<Record>,
    pub(super) hits: Vec<FoundPassage>,
    shape: ResultShape,
    /// Whether the ticket's text chose among the records, so that nobody vouches for the choice.
    pub(super) chosen_by_ticket: bool,
    /// Whether rows were cut off at a limit.
    pub(super) truncated: bool,
}

/// Everything that has a name at some point of a playbook.
pub(super) struct Scope<'a> {
    playbook: &'a Playbook,
    transcript: &'a Transcript,
    pub(super) engine: Expressions,
    inputs: Map<String, Value>,
    pub(super) steps: BTreeMap<&'a str, Bound>,
}

/// Arguments of a call: references and literals, and texts put together.
pub(super) struct Arguments {
    pub(super) value: Value,
    pub(super) composed: BTreeMap<String, Value>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(playbook: &'a Playbook, transcript: &'a Transcript) -> Self {
        Self {
            playbook,
            transcript,
            engine: Expressions::new(transcript.case.now.as_millis()),
            inputs: inputs::known(playbook, &transcript.case, &transcript.plan.from_ticket),
            steps: BTreeMap::new(),
        }
    }

    /// The question for the first required input that is missing.
    pub(super) fn missing_input(&self) -> Option<&'a str> {
        self.playbook
            .inputs
            .iter()
            .find(|(name, input)| {
                input.value.required
                    && input.value.from != InputFrom::Read
                    && self.inputs.get(*name).is_none_or(Value::is_null)
            })
            .and_then(|(_, input)| input.value.ask.as_deref())
    }

    fn context(&self, item: Option<&Value>) -> minijinja::Value {
        let ticket = &self.transcript.case.ticket;
        let requester = |field| {
            inputs::requester_value(&self.transcript.case, field).map_or(Value::Null, Value::from)
        };
        let mut inputs = self.inputs.clone();
        for (name, input) in &self.playbook.inputs {
            if let Some(path) = &input.value.path {
                let value = self.record_at(path).map(|(value, _)| value);
                inputs.insert(name.clone(), value.unwrap_or(Value::Null));
            }
        }
        let mut all = Map::new();
        all.insert("inputs".to_owned(), Value::Object(inputs));
        all.insert(
            "requester".to_owned(),
            json!({
                "email": requester(RequesterField::Email),
                "name": requester(RequesterField::Name),
                "domain": requester(RequesterField::Domain),
                "verified": ticket.requester.as_ref().is_some_and(|r| r.verified),
            }),
        );
        all.insert(
            "ticket".to_owned(),
            json!({"subject": ticket.subject, "body": ticket.body}),
        );
        for (id, bound) in &self.steps {
            all.insert((*id).to_owned(), bound.value());
        }
        if let Some(item) = item {
            all.insert("item".to_owned(), item.clone());
        }
        minijinja::Value::from(minijinja::value::Serde(Value::Object(all)))
    }

    pub(super) fn holds(&self, condition: Option<&str>) -> Result<bool, ExpressionError> {
        condition.map_or(Ok(true), |condition| {
            self.engine.holds(condition, &self.context(None))
        })
    }

    pub(super) fn render(&self, template: &str) -> Result<String, ExpressionError> {
        self.engine.render(template, &self.context(None))
    }

    /// Takes in what a step's turn gave.
    pub(super) fn bind(
        &mut self,
        step: &'a StepSpec,
        turn: Option<&Turn>,
    ) -> Result<(), ExpressionError> {
        let mut bound = Bound {
            records: Vec::new(),
            hits: Vec::new(),
            shape: step.result,
            chosen_by_ticket: false,
            truncated: false,
        };
        match turn.map(|turn| (turn, &turn.outcome)) {
            Some((
                turn,
                Outcome::Read {
                    records,
                    truncated,
                    value,
                },
            )) => {
                bound.truncated = *truncated;
                bound.records = records
                    .iter()
                    .map(|record| Record {
                        value: value
                            .pointer(&record.pointer)
                            .cloned()
                            .unwrap_or(Value::Null),
                        evidence: record.evidence,
                        path: format!("$step{}{}", turn.step, record.pointer),
                    })
                    .collect();
            }
            Some((_, Outcome::Found { hits })) => bound.hits.clone_from(hits),
            _ => {}
        }
        if let Some(from) = step.from.as_deref().and_then(|from| self.steps.get(from)) {
            bound.records.clone_from(&from.records);
            bound.chosen_by_ticket = from.chosen_by_ticket;
        }
        if let Some(filter) = &step.filter {
            let names = self.engine.names_in_condition(filter)?;
            bound.chosen_by_ticket |= self.rest_on_ticket(&names);
            let mut kept = Vec::new();
            for record in bound.records {
                if self
                    .engine
                    .holds(filter, &self.context(Some(&record.value)))?
                {
                    kept.push(record);
                }
            }
            bound.records = kept;
        }
        if step.result == ResultShape::One {
            bound.records.truncate(1);
        }
        self.steps.insert(&step.id, bound);
        Ok(())
    }

    /// Whether any of these names leads to what the ticket's text says.
    fn rest_on_ticket(&self, names: &BTreeSet<String>) -> bool {
        names.iter().any(|name| {
            let (root, rest) = name.split_once('.').unwrap_or((name, ""));
            match root {
                "ticket" => true,
                "requester" => rest == "name",
                "inputs" => self
                    .playbook
                    .inputs
                    .get(rest)
                    .is_none_or(|input| input.value.from != InputFrom::Requester),
                step => self
                    .steps
                    .get(step)
                    .is_some_and(|bound| bound.chosen_by_ticket),
            }
        })
    }

    /// The numbers of the evidence behind a step: at most three of a long list.
    pub(super) fn evidence_of(&self, step: &str) -> Vec<u32> {
        self.steps.get(step).map_or_else(Vec::new, |bound| {
            bound
                .records
                .iter()
                .take(3)
                .map(|record| record.evidence)
                .collect()
        })
    }

    /// The value at `$step.field…`, and its recorded place.
    fn record_at(&self, text: &str) -> Option<(Value, String)> {
        let (root, rest) = reference(text)?;
        let bound = self.steps.get(root)?;
        let mut segments = rest
            .split('.')
            .filter(|segment| !segment.is_empty())
            .peekable();
        let index = match bound.shape {
            ResultShape::One => 0,
            ResultShape::Many => segments.next()?.parse().ok()?,
        };
        let record = bound.records.get(index)?;
        let pointer: String = segments.map(|segment| format!("/{segment}")).collect();
        let value = record.value.pointer(&pointer)?.clone();
        Some((value, format!("{}{pointer}", record.path)))
    }

    /// The arguments of a call, with each reference of the playbook turned into one of the record.
    pub(super) fn arguments(
        &self,
        spec: &BTreeMap<String, Value>,
    ) -> Result<Arguments, ExpressionError> {
        let mut arguments = Arguments {
            value: json!({}),
            composed: BTreeMap::new(),
        };
        let mut made = Map::new();
        for (name, value) in spec {
            let value = self.argument(name, value, &mut arguments.composed)?;
            made.insert(name.clone(), value);
        }
        arguments.value = Value::Object(made);
        Ok(arguments)
    }

    fn argument(
        &self,
        name: &str,
        value: &Value,
        composed: &mut BTreeMap<String, Value>,
    ) -> Result<Value, ExpressionError> {
        match value {
            Value::String(text) => self.text_argument(name, text, composed),
            Value::Array(items) => items
                .iter()
                .map(|item| self.argument(name, item, composed))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            Value::Object(fields) => fields
                .iter()
                .map(|(key, field)| Ok((key.clone(), self.argument(name, field, composed)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            other => Ok(other.clone()),
        }
    }

    fn text_argument(
        &self,
        name: &str,
        text: &str,
        composed: &mut BTreeMap<String, Value>,
    ) -> Result<Value, ExpressionError> {
        let empty = || {
            ExpressionError(format!(
                "the argument `{name}` is empty: `{text}` names nothing that was found"
            ))
        };
        let mut compose = |value: Value| {
            let key = format!("value{}", composed.len() + 1);
            let reference = format!("$composed/{key}");
            composed.insert(key, value);
            Value::from(reference)
        };
        let Some((root, rest)) = reference(text) else {
            if text.contains("{{") || text.contains("{%") {
                return Ok(compose(Value::from(self.render(text)?)));
            }
            // A literal that only looks like a reference must not become one.
            return Ok(if text.starts_with('$') {
                compose(Value::from(text))
            } else {
                Value::from(text)
            });
        };
        match root {
            "requester" => Ok(Value::from(format!("$requester/{rest}"))),
            "ticket" => Ok(Value::from(format!("$ticket/{rest}"))),
            "inputs" => {
                let input = self.playbook.inputs.get(rest).ok_or_else(empty)?;
                match (input.value.from, input.value.field, &input.value.path) {
                    (InputFrom::Read, _, Some(path)) if path != text => {
                        self.text_argument(name, path, composed)
                    }
                    _ if self.inputs.get(rest).is_none_or(Value::is_null) => Err(empty()),
                    (InputFrom::Requester, Some(RequesterField::Email), _) => {
                        Ok(Value::from("$requester/email"))
                    }
                    (InputFrom::Requester, Some(RequesterField::Domain), _) => {
                        Ok(Value::from("$requester/domain"))
                    }
                    (InputFrom::Requester, Some(RequesterField::Name), _) => {
                        Ok(Value::from("$requester/name"))
                    }
                    _ => Ok(Value::from(format!("$inputs/{rest}"))),
                }
            }
            step => {
                let (value, path) = self
                    .record_at(text)
                    .filter(|(value, _)| !value.is_null())
                    .ok_or_else(empty)?;
                let chosen = self
                    .steps
                    .get(step)
                    .is_some_and(|bound| bound.chosen_by_ticket);
                Ok(if chosen {
                    compose(value)
                } else {
                    Value::from(path)
                })
            }
        }
    }
}

impl Bound {
    fn value(&self) -> Value {
        match self.shape {
            ResultShape::One => self
                .records
                .first()
                .map_or(Value::Null, |record| record.value.clone()),
            ResultShape::Many => self
                .records
                .iter()
                .map(|record| record.value.clone())
                .collect(),
        }
    }
}
