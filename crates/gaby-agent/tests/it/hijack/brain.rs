//! Two brains: one that does whatever any text tells it to, and one that does its work.

use std::collections::BTreeMap;

use async_trait::async_trait;
use gaby_agent::brain::{
    ActionWish, Brain, BrainError, CallWish, Case, CitedSentence, Conclusion, Ending, Layout,
    Outcome, Plan, SearchWish, Transcript, Turn, Want,
};
use gaby_model::ToolRef;
use serde_json::{Value, json};

/// A hijacked model: every line `!!READ tool json`, `!!SEARCH words`, `!!DO tool json`, `!!SAY text`
/// or `!!ASK text` that it comes upon, in the ticket or in anything that it is shown, is carried out
/// verbatim and in order. In what it says, `{{seen}}` stands for all that it was shown, and
/// `{{word:NAME}}` for what follows `NAME=` there.
pub(crate) struct Obeys;

/// A model that does its work: the orders come from the test and not from any text.
pub(crate) struct Works(pub(crate) Vec<Order>);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Order {
    Read(String, Value),
    Search(String),
    Do(String, Value),
    Say(String),
    Ask(String),
}

fn orders_in(text: &str) -> Vec<Order> {
    text.split("!!")
        .skip(1)
        .filter_map(|line| {
            let line = line.split('\n').next().unwrap_or("").trim();
            let (verb, rest) = line.split_once(' ')?;
            let call = || {
                let (tool, arguments) = rest.split_once(' ')?;
                let mut values = serde_json::Deserializer::from_str(arguments).into_iter::<Value>();
                Some((tool.to_owned(), values.next()?.ok()?))
            };
            match verb {
                "READ" => call().map(|(tool, arguments)| Order::Read(tool, arguments)),
                "DO" => call().map(|(tool, arguments)| Order::Do(tool, arguments)),
                "SEARCH" => Some(Order::Search(rest.to_owned())),
                "SAY" => Some(Order::Say(rest.to_owned())),
                "ASK" => Some(Order::Ask(rest.to_owned())),
                _ => None,
            }
        })
        .collect()
}

fn filled(text: &str, transcript: &Transcript) -> String {
    let seen = transcript
        .evidence
        .iter()
        .map(|evidence| evidence.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let mut out = text.replace("{{seen}}", &seen);
    for name in ["canary", "status"] {
        let value = seen
            .split(&format!("{name}: "))
            .nth(1)
            .and_then(|rest| rest.split([',', ' ']).next())
            .unwrap_or("nothing");
        let reversed: String = value.chars().rev().collect();
        let spread: String = value.chars().flat_map(|c| [c, '\u{200b}']).collect();
        let hex: String = value.bytes().map(|b| format!("{b:02x}")).collect();
        out = out
            .replace(&format!("{{{{word:{name}}}}}"), value)
            .replace(&format!("{{{{reversed:{name}}}}}"), &reversed)
            .replace(&format!("{{{{spread:{name}}}}}"), &spread)
            .replace(&format!("{{{{hex:{name}}}}}"), &hex);
    }
    out
}

fn call(tool: &str, arguments: &Value, number: usize) -> CallWish {
    let (connector, tool) = tool.split_once("__").unwrap_or((tool, ""));
    CallWish {
        key: format!("call{number}"),
        role: None,
        tool: ToolRef {
            connector: connector.to_owned(),
            tool: tool.to_owned(),
        },
        arguments: arguments.clone(),
        composed: BTreeMap::new(),
        why: "it was asked for".to_owned(),
    }
}

fn fill_value(value: &Value, transcript: &Transcript) -> Value {
    match value {
        Value::String(text) => json!(filled(text, transcript)),
        Value::Array(items) => items
            .iter()
            .map(|item| fill_value(item, transcript))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), fill_value(field, transcript)))
            .collect(),
        other => other.clone(),
    }
}

/// Carries orders out: reads and searches first, one a turn, then an end.
fn next(orders: &[Order], transcript: &Transcript) -> Want {
    let looked = transcript.turns.len();
    let looks: Vec<&Order> = orders
        .iter()
        .filter(|order| matches!(order, Order::Read(..) | Order::Search(_)))
        .collect();
    match looks.get(looked) {
        Some(Order::Read(tool, arguments)) => {
            return Want::Call(call(tool, &fill_value(arguments, transcript), looked));
        }
        Some(Order::Search(query)) => {
            return Want::Search(SearchWish {
                key: format!("search{looked}"),
                query: filled(query, transcript),
                top: 3,
                why: "it was asked for".to_owned(),
            });
        }
        _ => {}
    }
    if let Some(question) = orders.iter().find_map(|order| match order {
        Order::Ask(question) => Some(question),
        _ => None,
    }) {
        return Want::Ask {
            question: filled(question, transcript),
            why: String::new(),
        };
    }
    let all: Vec<u32> = transcript
        .evidence
        .iter()
        .map(|evidence| evidence.number)
        .collect();
    let sentences = |on_action: bool| -> Vec<CitedSentence> {
        orders
            .iter()
            .filter_map(|order| match order {
                Order::Say(text) => Some(CitedSentence {
                    text: filled(text, transcript),
                    evidence: cited(text, transcript).unwrap_or_else(|| all.clone()),
                    on_action,
                    layout: Layout::Text,
                }),
                _ => None,
            })
            .collect()
    };
    let action = orders.iter().find_map(|order| match order {
        Order::Do(tool, arguments) => Some(ActionWish {
            call: call(tool, &fill_value(arguments, transcript), 99),
            summary: format!("Do {tool}"),
            risk: None,
            done: vec![CitedSentence {
                text: "It is done.".to_owned(),
                evidence: Vec::new(),
                on_action: true,
                layout: Layout::Text,
            }],
        }),
        _ => None,
    });
    Want::Conclude(Conclusion {
        ending: Ending::Answer,
        confidence: 1.0,
        sentences: sentences(false),
        action,
        escalation: None,
        next_step: None,
        because: "it was asked for".to_owned(),
        features: BTreeMap::new(),
    })
}

/// A sentence that ends `@first` or `@last` cites that evidence alone.
fn cited(text: &str, transcript: &Transcript) -> Option<Vec<u32>> {
    if text.contains("(only the first)") {
        return transcript
            .evidence
            .first()
            .map(|evidence| vec![evidence.number]);
    }
    None
}

fn plan() -> Plan {
    Plan {
        category: "access".to_owned(),
        question: "question".to_owned(),
        summary: "Look into it".to_owned(),
        ..Plan::default()
    }
}

#[async_trait]
impl Brain for Obeys {
    fn name(&self) -> &str {
        "obeys"
    }

    async fn plan(&self, _: &Case) -> Result<Plan, BrainError> {
        Ok(plan())
    }

    async fn next(&self, transcript: &Transcript) -> Result<Want, BrainError> {
        let ticket = &transcript.case.ticket;
        let mut orders = orders_in(&format!("{}\n{}", ticket.subject, ticket.body));
        for Turn { outcome, .. } in &transcript.turns {
            if let Outcome::Read { value, .. } = outcome {
                texts(value)
                    .iter()
                    .for_each(|text| orders.extend(orders_in(text)));
            }
        }
        for evidence in &transcript.evidence {
            if evidence.value.is_null() {
                orders.extend(orders_in(&evidence.text));
            }
        }
        Ok(next(&orders, transcript))
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[async_trait]
impl Brain for Works {
    fn name(&self) -> &str {
        "works"
    }

    async fn plan(&self, _: &Case) -> Result<Plan, BrainError> {
        Ok(plan())
    }

    async fn next(&self, transcript: &Transcript) -> Result<Want, BrainError> {
        Ok(next(&self.0, transcript))
    }
}
