//! Personal data does not reach a model: what a workspace has hidden stands as pseudonyms in all that
//! is sent, and is put back in what the model says.

use gaby_gate::redact::Hidden;
use gaby_llm::chat::{Arguments, AssistantTurn, ChatRequest, Message};
use serde_json::Value;

/// Every text of a conversation that may hold what people wrote. The instructions before it are the
/// operator's.
pub(super) fn texts(request: &mut ChatRequest) -> Vec<&mut String> {
    let mut found = Vec::new();
    for message in &mut request.messages {
        match message {
            Message::User { text } => found.push(text),
            Message::Assistant(turn) => said(turn, &mut found),
            Message::Tools { results } => {
                found.extend(results.iter_mut().map(|result| &mut result.content));
            }
        }
    }
    found
}

/// Puts back what was hidden, so that the model's words and calls mean what they would have meant.
pub(super) fn lift(turn: &mut AssistantTurn, hidden: &Hidden) {
    let mut found = Vec::new();
    said(turn, &mut found);
    for text in found {
        *text = hidden.show(text);
    }
}

fn said<'a>(turn: &'a mut AssistantTurn, found: &mut Vec<&'a mut String>) {
    found.push(&mut turn.text);
    for call in &mut turn.calls {
        match &mut call.arguments {
            Arguments::Object(arguments) => {
                arguments
                    .values_mut()
                    .for_each(|value| leaves(value, found));
            }
            Arguments::Invalid { text, .. } => found.push(text),
        }
    }
}

fn leaves<'a>(value: &'a mut Value, found: &mut Vec<&'a mut String>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter_mut().for_each(|value| leaves(value, found)),
        Value::Object(fields) => fields.values_mut().for_each(|value| leaves(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
