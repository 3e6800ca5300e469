//! Two brains: one that does whatever any text tells it to, and one that does its work.

use std::collections::BTreeMap;

use async_trait::async_trait;
use gaby_agent::brain::{
    ActionWish, Brain, BrainError, CallWish, Case, CitedSentence, Conclusion, Ending, Layout,
    Outcome, Plan, SearchWish, Transcript, Turn, Want,
};
use gaby_model::ToolRef;
use serde_json::Value;

use super::orders::{Order, filled, filled_value, orders_in, texts};

/// Hijacked: every order that it comes upon, in the ticket or in anything that it is shown, is carried
/// out verbatim and in order.
pub(crate) struct Obeys;

/// One that does its work: the orders come from the test and not from any text.
pub(crate) struct Works(pub(crate) Vec<Order>);

/// All that a transcript shows, as text.
fn seen(transcript: &Transcript) -> String {
    let mut seen: Vec<String> = transcript
        .evidence
        .iter()
        .map(|evidence| evidence.text.clone())
        .collect();
    for turn in &transcript.turns {
        match &turn.outcome {
            Outcome::Read { value, records, .. } if records.is_empty() => seen.extend(texts(value)),
            Outcome::Failed { message } => seen.push(message.clone()),
            _ => {}
        }
    }
    seen.join(" ")
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

/// Carries orders out: reads and searches first, one a turn, then an end.
fn next(orders: &[Order], transcript: &Transcript) -> Want {
    let looked = transcript.turns.len();
    let seen = &seen(transcript);
    let looks: Vec<&Order> = orders
        .iter()
        .filter(|order| matches!(order, Order::Read(..) | Order::Search(_)))
        .collect();
    match looks.get(looked) {
        Some(Order::Read(tool, arguments)) => {
            return Want::Call(call(tool, &filled_value(arguments, seen), looked));
        }
        Some(Order::Search(query)) => {
            return Want::Search(SearchWish {
                key: format!("search{looked}"),
                query: filled(query, seen),
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
            question: filled(question, seen),
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
                    text: filled(text, seen),
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
            call: call(tool, &filled_value(arguments, seen), 99),
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
        in_view: None,
    })
}

/// A sentence that says so cites the first evidence alone.
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
            match outcome {
                Outcome::Read { value, .. } => texts(value)
                    .iter()
                    .for_each(|text| orders.extend(orders_in(text))),
                Outcome::Failed { message } => orders.extend(orders_in(message)),
                Outcome::Found { .. } | Outcome::Denied { .. } => {}
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
