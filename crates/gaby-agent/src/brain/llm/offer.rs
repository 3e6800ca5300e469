//! What a model may call: the reads at hand, the knowledge base, a question to the requester, and the
//! end. Writes are not among them; one can only be named in the end.

use std::sync::{Arc, Mutex, PoisonError};

use gaby_llm::chat::ToolSpec;
use gaby_model::{Access, ToolDefinition};
use serde_json::{Map, Value, json};

use crate::tools::AtHand;

/// Searches the knowledge base.
pub(super) const SEARCH: &str = "search_knowledge";
/// Asks the requester.
pub(super) const ASK: &str = "ask_requester";
/// Comes to an end.
pub(super) const CONCLUDE: &str = "conclude";
/// Sorts a ticket.
pub(super) const CLASSIFY: &str = "classify";

/// The most tools that a model is offered.
const MOST_TOOLS: usize = 96;
/// The longest description of a tool that a model is shown, in characters: it is written by third
/// parties, and each call pays for it.
const LONGEST_DESCRIPTION: usize = 600;

/// What is offered with some tools at hand, worked out once for as long as they stay the same.
#[derive(Debug, Default)]
pub(super) struct Offers(Mutex<Option<(AtHand, Arc<Offer>)>>);

/// What is offered.
#[derive(Debug)]
pub(super) struct Offer {
    /// What may be called while looking.
    pub(super) looks: Arc<[ToolSpec]>,
    /// What may be changed at the end, in words.
    pub(super) changes: String,
}

impl Offers {
    pub(super) fn of(&self, tools: &[ToolDefinition]) -> Arc<Offer> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((from, offer)) = &*made
            && from.are_still(tools)
        {
            return Arc::clone(offer);
        }
        let offer = Arc::new(Offer {
            looks: while_looking(tools).into(),
            changes: super::tell::changes(tools),
        });
        *made = Some((AtHand::of(tools), Arc::clone(&offer)));
        offer
    }
}

/// Everything that a model may call while it investigates.
#[must_use]
fn while_looking(tools: &[ToolDefinition]) -> Vec<ToolSpec> {
    let reads = tools.iter().filter(|tool| tool.access == Access::Read);
    let mut offered = vec![search()];
    offered.extend(reads.take(MOST_TOOLS).map(read));
    offered.push(ask());
    offered.push(conclude(&writes(tools)));
    offered
}

/// The writes that a model may want when it concludes.
#[must_use]
pub(super) fn writes(tools: &[ToolDefinition]) -> Vec<&ToolDefinition> {
    let writes = tools.iter().filter(|tool| tool.access == Access::Write);
    writes.take(MOST_TOOLS).collect()
}

/// A description, not longer than is shown.
#[must_use]
pub(super) fn described(tool: &ToolDefinition) -> String {
    let text: String = tool.description.chars().take(LONGEST_DESCRIPTION).collect();
    match &tool.role {
        Some(role) => format!("{text} ({role})"),
        None => text,
    }
}

fn read(tool: &ToolDefinition) -> ToolSpec {
    ToolSpec {
        name: tool.tool.to_string(),
        description: described(tool),
        parameters: with_references(&tool.input_schema),
    }
}

/// A schema whose arguments may also be named by where they stand.
#[must_use]
pub(super) fn with_references(schema: &Value) -> Value {
    let mut out = json!({"type": "object", "properties": {}});
    let properties = schema.get("properties").and_then(Value::as_object);
    let widened: Map<String, Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| {
            let text = property.get("type").and_then(Value::as_str) == Some("string")
                && property.get("enum").is_none()
                && property.get("pattern").is_none()
                && property.get("format").is_none();
            let property = match text {
                true => property.clone(),
                false => json!({"anyOf": [property, {"type": "string", "description": "a reference such as $step3/result/0/id"}]}),
            };
            (name.clone(), property)
        })
        .collect();
    out["properties"] = Value::Object(widened);
    if let Some(required) = schema.get("required").filter(|list| list.is_array()) {
        out["required"] = required.clone();
    }
    out
}

fn search() -> ToolSpec {
    ToolSpec {
        name: SEARCH.to_owned(),
        description:
            "Searches the knowledge base. Gives passages, each with the number of its evidence."
                .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"query": {"type": "string", "description": "what to search for, in a few words"}},
            "required": ["query"],
        }),
    }
}

fn ask() -> ToolSpec {
    ToolSpec {
        name: ASK.to_owned(),
        description: "Asks the requester one question, and ends here until they answer.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "question": {"type": "string"},
                "why": {"type": "string", "description": "why only they can tell"},
            },
            "required": ["question", "why"],
        }),
    }
}

fn sentences(what: &str) -> Value {
    json!({
        "type": "array",
        "description": what,
        "items": {
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "one sentence"},
                "evidence": {"type": "array", "items": {"type": "integer"}, "description": "numbers of the evidence that it rests on"},
                "layout": {"type": "string", "enum": ["text", "paragraph", "step", "item"]},
            },
            "required": ["text", "evidence"],
        },
    })
}

/// The end: what is told, and what is to be changed.
#[must_use]
pub(super) fn conclude(writes: &[&ToolDefinition]) -> ToolSpec {
    let mut properties = json!({
        "verdict": {"type": "string", "enum": ["answer", "escalate"]},
        "confidence": {"type": "number", "description": "how sure you are, 0 to 1"},
        "sentences": sentences("the reply, or the findings for whoever takes over"),
        "reason": {"type": "string", "description": "why it ends so, in a sentence"},
        "next_step": {"type": "string", "description": "when it is handed over: what a human might do next"},
    });
    if !writes.is_empty() {
        let names: Vec<String> = writes.iter().map(|tool| tool.tool.to_string()).collect();
        properties["action"] = json!({
            "type": "object",
            "description": "one change that you want made",
            "properties": {
                "tool": {"type": "string", "enum": names},
                "arguments": {"type": "object", "description": "as the tool's schema says; name values by where they stand"},
                "summary": {"type": "string", "description": "what it does, for the person who decides"},
                "risk": {"type": "string", "description": "what could go wrong"},
                "done": sentences("what to tell the requester once it has happened"),
            },
            "required": ["tool", "arguments", "summary"],
        });
    }
    ToolSpec {
        name: CONCLUDE.to_owned(),
        description: "Ends the investigation.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": properties,
            "required": ["verdict", "confidence", "sentences", "reason"],
        }),
    }
}

/// Sorting a ticket.
#[must_use]
pub(super) fn classify() -> ToolSpec {
    ToolSpec {
        name: CLASSIFY.to_owned(),
        description: "Says what kind of request the ticket is.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "category": {"type": "string"},
                "question": {"type": "string"},
                "summary": {"type": "string"},
                "playbook": {"type": "string"},
            },
            "required": ["category", "question", "summary"],
        }),
    }
}
