//! What a model said, as what the brain wants. A model may say anything; what cannot be understood is
//! told back to it.

use std::collections::BTreeMap;

use gaby_llm::chat::{Arguments, AssistantTurn, ToolCall};
use gaby_model::{Access, ToolDefinition, ToolRef};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::offer;
use crate::brain::{
    ActionWish, CallWish, CitedSentence, Conclusion, Ending, Layout, Look, SearchWish, Want,
};

/// Passages that a search gives.
const TOP: usize = 6;
/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 300;
/// The most looks of one turn; a model that wants more may say so in the next.
const MOST_LOOKS: usize = 12;

/// What a model's turn comes to.
#[derive(Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one of them lives at a time, for one turn"
)]
pub(super) enum Heard {
    /// Something that the loop can do.
    Wants(Want),
    /// Nothing that can be done; for each call, why.
    Nonsense(Vec<String>),
}

/// Understands a turn. `turn` numbers it, so that each look has a key of its own.
pub(super) fn hear(said: &AssistantTurn, tools: &[ToolDefinition], turn: usize) -> Heard {
    let why = reason(&said.text);
    let mut looks = Vec::new();
    let mut end = None;
    let mut faults = Vec::new();
    for (place, call) in said.calls.iter().enumerate() {
        let key = format!("m{turn}_{}", place + 1);
        match understood(call, tools, key, &why) {
            Ok(Part::Look(look)) => looks.push(look),
            Ok(Part::End(want)) => end = Some(want),
            Err(fault) => faults.push(fault),
        }
    }
    looks.truncate(MOST_LOOKS);
    match (looks.len(), end) {
        // An end beside looks was thought of without what they will show.
        (0, Some(end)) => Heard::Wants(end),
        (0, None) => Heard::Nonsense(faults),
        _ => Heard::Wants(Want::Several { looks }),
    }
}

#[expect(
    clippy::large_enum_variant,
    reason = "one of them lives at a time, for one turn"
)]
enum Part {
    Look(Look),
    End(Want),
}

fn understood(
    call: &ToolCall,
    tools: &[ToolDefinition],
    key: String,
    why: &str,
) -> Result<Part, String> {
    let arguments = match &call.arguments {
        Arguments::Object(arguments) => arguments,
        Arguments::Invalid { why, .. } => {
            return Err(format!("The arguments cannot be read: {why}."));
        }
    };
    match call.name.as_str() {
        offer::SEARCH => match text(arguments, "query") {
            query if query.is_empty() => Err("`query` is empty.".to_owned()),
            query => Ok(Part::Look(Look::Search(SearchWish {
                key,
                query,
                top: TOP,
                why: why.to_owned(),
            }))),
        },
        offer::ASK => match text(arguments, "question") {
            question if question.is_empty() => Err("`question` is empty.".to_owned()),
            question => Ok(Part::End(Want::Ask {
                question,
                why: text(arguments, "why"),
            })),
        },
        offer::CONCLUDE => conclusion(arguments, tools).map(|end| Part::End(Want::Conclude(end))),
        name => {
            let known = tools.iter().find(|tool| tool.tool.to_string() == name);
            match known {
                Some(tool) if tool.access == Access::Read => Ok(Part::Look(Look::Call(wish(
                    tool,
                    key,
                    Value::Object(arguments.clone()),
                    why.to_owned(),
                )))),
                Some(_) => Err(format!(
                    "`{name}` changes something: name it as `action` when you call `conclude`."
                )),
                None => Err(format!("There is no tool `{name}`.")),
            }
        }
    }
}

fn wish(tool: &ToolDefinition, key: String, arguments: Value, why: String) -> CallWish {
    CallWish {
        key,
        role: tool.role.clone(),
        tool: tool.tool.clone(),
        arguments,
        composed: BTreeMap::new(),
        why,
    }
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    confidence: Value,
    #[serde(default)]
    sentences: Vec<SaidSentence>,
    #[serde(default)]
    action: Option<SaidAction>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    next_step: Option<String>,
}

#[derive(Deserialize)]
struct SaidSentence {
    text: String,
    #[serde(default)]
    evidence: Vec<Value>,
    #[serde(default)]
    layout: Option<String>,
}

#[derive(Deserialize)]
struct SaidAction {
    tool: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    risk: Option<String>,
    #[serde(default)]
    done: Vec<SaidSentence>,
}

/// Reads a conclusion.
///
/// # Errors
/// What is wrong with it, for the model.
pub(super) fn conclusion(
    arguments: &Map<String, Value>,
    tools: &[ToolDefinition],
) -> Result<Conclusion, String> {
    let said: Said = serde_json::from_value(Value::Object(arguments.clone()))
        .map_err(|error| format!("The conclusion cannot be read: {error}."))?;
    let ending = match said.verdict.as_str() {
        "answer" => Ending::Answer,
        "escalate" => Ending::Escalate,
        _ => return Err("`verdict` must be `answer` or `escalate`.".to_owned()),
    };
    if ending == Ending::Answer && said.sentences.is_empty() && said.action.is_none() {
        return Err("An answer needs `sentences`.".to_owned());
    }
    let because = match said.reason.trim() {
        "" => "The model gave no reason.".to_owned(),
        reason => shortened(reason),
    };
    let action = said
        .action
        .map(|action| wanted(action, tools, &because))
        .transpose()?;
    Ok(Conclusion {
        ending,
        confidence: number(&said.confidence).clamp(0.0, 1.0),
        sentences: said
            .sentences
            .into_iter()
            .map(|s| cited(s, false))
            .collect(),
        action,
        escalation: (ending == Ending::Escalate).then(|| because.clone()),
        next_step: said.next_step.filter(|next| !next.trim().is_empty()),
        because,
        features: BTreeMap::new(),
        in_view: None,
    })
}

fn wanted(
    action: SaidAction,
    tools: &[ToolDefinition],
    because: &str,
) -> Result<ActionWish, String> {
    let tool = tools
        .iter()
        .find(|tool| tool.tool.to_string() == action.tool && tool.access == Access::Write)
        .ok_or_else(|| {
            format!(
                "`action`: there is no tool `{}` that changes something.",
                action.tool
            )
        })?;
    let summary = match action.summary.trim() {
        "" => described_call(&tool.tool),
        summary => shortened(summary),
    };
    Ok(ActionWish {
        call: wish(
            tool,
            "action".to_owned(),
            Value::Object(action.arguments),
            because.to_owned(),
        ),
        summary,
        risk: action.risk.filter(|risk| !risk.trim().is_empty()),
        done: action.done.into_iter().map(|s| cited(s, true)).collect(),
    })
}

fn described_call(tool: &ToolRef) -> String {
    format!("Call `{tool}`")
}

fn cited(said: SaidSentence, on_action: bool) -> CitedSentence {
    CitedSentence {
        text: without_numbers(&said.text),
        evidence: said
            .evidence
            .iter()
            .filter_map(|value| u32::try_from(number(value) as i64).ok())
            .filter(|number| *number > 0)
            .collect(),
        on_action,
        layout: match said.layout.as_deref() {
            Some("paragraph") => Layout::Paragraph,
            Some("step") => Layout::Step,
            Some("item") => Layout::Item,
            _ => Layout::Text,
        },
    }
}

/// A sentence without the numbers of its evidence, which models write although they are added.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim();
    while let Some(open) = rest.find('[') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let inner = from[1..].split(']').next().unwrap_or_default();
        let numbers = from[1..].contains(']')
            && !inner.is_empty()
            && inner
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, ',' | ' '));
        if numbers {
            out.truncate(out.trim_end().len());
            rest = &from[inner.len() + 2..];
        } else {
            out.push('[');
            rest = &from[1..];
        }
    }
    out.push_str(rest);
    out.trim().to_owned()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap_or(0.0),
        // Some models quote numbers, or write them as they stand in the text.
        Value::String(text) => text
            .trim_matches(|c: char| !c.is_ascii_digit() && c != '.')
            .parse()
            .unwrap_or(0.0),
        _ => 0.0,
    }
}

fn text(arguments: &Map<String, Value>, name: &str) -> String {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn reason(text: &str) -> String {
    match text.trim() {
        "" => "The model wants to know.".to_owned(),
        text => shortened(text),
    }
}

/// A text on one line, not longer than a reason may be.
pub(super) fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_REASON {
        return line;
    }
    line.chars().take(LONGEST_REASON - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_evidence_that_a_model_writes_into_a_sentence_are_taken_out() {
        for (said, told) in [
            ("It is locked [3].", "It is locked."),
            ("See [3, 4] and [x].", "See and [x]."),
            ("An open [ stays", "An open [ stays"),
            ("Nothing here.", "Nothing here."),
        ] {
            assert_eq!(without_numbers(said), told);
        }
    }

    #[test]
    fn numbers_are_read_as_models_write_them() {
        for (value, read) in [
            (serde_json::json!(0.9), 0.9),
            (serde_json::json!("0.9"), 0.9),
            (serde_json::json!("[7]"), 7.0),
            (serde_json::json!(null), 0.0),
            (serde_json::json!("very"), 0.0),
        ] {
            assert!((number(&value) - read).abs() < f64::EPSILON, "{value}");
        }
    }
}
