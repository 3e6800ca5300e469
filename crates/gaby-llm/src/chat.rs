//! One request, one answer: what every provider is asked and what every provider says, in our terms.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a model is asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// Instructions that stand before everything else.
    pub system: String,
    /// The conversation so far, oldest first.
    pub messages: Vec<Message>,
    /// What the model may call.
    #[serde(default, skip_serializing_if = "no_tools")]
    pub tools: Arc<[ToolSpec]>,
    /// Whether it may, must or must not call.
    #[serde(default)]
    pub tool_choice: ToolChoice,
    /// The shape that the text of the answer must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputSchema>,
    /// The most tokens that the model may write, thinking included.
    pub max_output_tokens: u32,
    /// 0 to 2; none leaves it to the model, which some models insist on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// Said to the model.
    User {
        /// What.
        text: String,
    },
    /// Said by the model.
    Assistant(AssistantTurn),
    /// What came of the calls of the turn before: one for each, in the same order.
    Tools {
        /// The results.
        results: Vec<ToolAnswer>,
    },
}

impl Message {
    /// Something said to the model.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into() }
    }
}

/// What a model said in one turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssistantTurn {
    /// Text; may be empty.
    #[serde(default)]
    pub text: String,
    /// Calls that it wants made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
}

/// A call that a model wants made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Ties the result to the call; unique in its turn.
    pub id: String,
    /// The tool's name as it was offered, or whatever the model made up.
    pub name: String,
    /// With what.
    pub arguments: Arguments,
    /// What the vendor wants back with the call, unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// A call's arguments. Models write them as text, and sometimes the text is not JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// A JSON object.
    Object(Map<String, Value>),
    /// Not one: what was written, shortened, and what is wrong with it.
    Invalid {
        /// What was written.
        text: String,
        /// What is wrong.
        why: String,
    },
}

impl Arguments {
    /// Reads what a model wrote. No text at all means no arguments.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Object(Map::new());
        }
        match serde_json::from_str(text) {
            Ok(value) => Self::of(value),
            Err(error) => Self::invalid(text, error.to_string()),
        }
    }

    /// From JSON that may be anything.
    #[must_use]
    pub fn of(value: Value) -> Self {
        match value {
            Value::Object(map) => Self::Object(map),
            Value::Null => Self::Object(Map::new()),
            // Some servers quote the arguments twice.
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(Value::Object(map)) => Self::Object(map),
                _ => Self::invalid(&text, "the arguments are not a JSON object".to_owned()),
            },
            other => Self::invalid(
                &other.to_string(),
                "the arguments are not a JSON object".to_owned(),
            ),
        }
    }

    fn invalid(text: &str, why: String) -> Self {
        Self::Invalid {
            text: text.chars().take(2_000).collect(),
            why,
        }
    }

    /// As a JSON object in any case: vendors refuse a history whose arguments are not one.
    #[must_use]
    pub fn to_object(&self) -> Value {
        match self {
            Self::Object(map) => Value::Object(map.clone()),
            Self::Invalid { text, .. } => serde_json::json!({ "unreadable_arguments": text }),
        }
    }

    /// About how many bytes they are as JSON.
    fn size(&self) -> usize {
        match self {
            Self::Object(map) => size_of_fields(map),
            Self::Invalid { text, .. } => text.len() + 30,
        }
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolAnswer {
    /// The call's id.
    pub call: String,
    /// The tool's name.
    pub name: String,
    /// What the model is told.
    pub content: String,
    /// Whether it went wrong.
    #[serde(default)]
    pub is_error: bool,
}

/// A tool as a model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its name; long or unusual ones are given another on the wire and named back.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of its arguments; an object's.
    pub parameters: Value,
}

/// Whether a model may call tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// As it likes.
    #[default]
    Auto,
    /// One at least.
    Required,
    /// This one.
    Tool(String),
    /// None.
    None,
}

/// The shape that an answer's text must have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputSchema {
    /// A name for it: letters, digits, `_`.
    pub name: String,
    /// JSON Schema.
    pub schema: Value,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatResponse {
    /// What it said.
    pub turn: AssistantTurn,
    /// Why it stopped.
    pub stop: StopReason,
    /// What it used.
    pub usage: TokenUsage,
    /// The model that answered, as the vendor names it.
    pub model: String,
}

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It was done.
    End,
    /// It waits for the results of its calls.
    ToolUse,
    /// It reached the most that it may write.
    MaxTokens,
    /// The vendor's filter or the model itself refused.
    Refused,
    /// Something else, as the vendor calls it.
    Other(String),
}

/// Tokens that a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Sent, those from the vendor's cache included.
    pub input: u64,
    /// Of them, read from the vendor's cache.
    #[serde(default)]
    pub cached: u64,
    /// Of them, written to the vendor's cache.
    #[serde(default)]
    pub cache_write: u64,
    /// Written by the model, thinking included.
    pub output: u64,
    /// Of them, thinking.
    #[serde(default)]
    pub reasoning: u64,
    /// Whether the vendor gave no usable numbers, and these are estimated from the size.
    #[serde(default)]
    pub estimated: bool,
}

impl TokenUsage {
    /// All tokens.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Why a conversation cannot be sent to any vendor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// Nothing is asked.
    #[error("the conversation has no message")]
    Empty,
    /// A result without its call, or a call without its result.
    #[error("message {0}: {1}")]
    Unpaired(usize, &'static str),
}

impl ChatRequest {
    /// Checks what vendors insist on: every call has its result in the next message, in the same
    /// order, and nothing else has.
    ///
    /// # Errors
    /// When a call and its result are not paired.
    pub fn check(&self) -> Result<(), ChatError> {
        if self.messages.is_empty() {
            return Err(ChatError::Empty);
        }
        let mut open: Vec<&str> = Vec::new();
        for (place, message) in self.messages.iter().enumerate() {
            match message {
                Message::Tools { results } => {
                    let given: Vec<&str> = results.iter().map(|r| r.call.as_str()).collect();
                    if given != open || given.is_empty() {
                        return Err(ChatError::Unpaired(
                            place,
                            "the results are not those of the calls before it",
                        ));
                    }
                    open.clear();
                }
                _ if !open.is_empty() => {
                    return Err(ChatError::Unpaired(
                        place,
                        "the calls before it have no results",
                    ));
                }
                Message::Assistant(turn) => {
                    open = turn.calls.iter().map(|call| call.id.as_str()).collect();
                    let mut ids = open.clone();
                    ids.sort_unstable();
                    ids.dedup();
                    if ids.len() != open.len() {
                        return Err(ChatError::Unpaired(place, "two calls have the same id"));
                    }
                }
                Message::User { .. } => {}
            }
        }
        if open.is_empty() {
            Ok(())
        } else {
            Err(ChatError::Unpaired(
                self.messages.len(),
                "the last calls have no results",
            ))
        }
    }

    /// Bytes of everything that is sent, roughly: what estimates of tokens are made from.
    #[must_use]
    pub fn size(&self) -> usize {
        let messages: usize = self
            .messages
            .iter()
            .map(|message| match message {
                Message::User { text } => text.len(),
                Message::Assistant(turn) => {
                    turn.text.len()
                        + turn
                            .calls
                            .iter()
                            .map(|call| call.name.len() + call.arguments.size())
                            .sum::<usize>()
                }
                Message::Tools { results } => results
                    .iter()
                    .map(|result| result.name.len() + result.content.len())
                    .sum(),
            })
            .sum();
        let tools: usize = self
            .tools
            .iter()
            .map(|tool| tool.name.len() + tool.description.len() + size_of(&tool.parameters))
            .sum();
        let output = self
            .output
            .as_ref()
            .map_or(0, |output| size_of(&output.schema));
        self.system.len() + messages + tools + output
    }

    /// Tokens that sending this takes, estimated on the high side: three bytes a token, and a few
    /// for each turn and tool.
    #[must_use]
    pub fn estimated_input(&self) -> u64 {
        let parts = self.messages.len() + self.tools.len() + 2;
        (self.size().div_ceil(3) + 8 * parts) as u64
    }
}

fn no_tools(tools: &Arc<[ToolSpec]>) -> bool {
    tools.is_empty()
}

/// About how many bytes a value is as JSON: what is escaped counts as it stands.
fn size_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| size_of(item) + 1).sum::<usize>(),
        Value::Object(fields) => size_of_fields(fields),
    }
}

fn size_of_fields(fields: &Map<String, Value>) -> usize {
    let size = |(name, value): (&String, &Value)| name.len() + 4 + size_of(value);
    2 + fields.iter().map(size).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_value_is_about_that_of_its_text() {
        let schema = serde_json::json!({
            "type": "object", "required": ["email"],
            "properties": {"email": {"type": "string", "maxLength": 200}, "all": {"type": ["boolean", "null"]}},
        });
        let (about, exactly) = (size_of(&schema), schema.to_string().len());
        assert!(
            about >= exactly && about < exactly * 6 / 5,
            "{about} and {exactly}"
        );
    }

    fn call(id: &str) -> ToolCall {
        ToolCall {
            id: id.into(),
            name: "t".into(),
            arguments: Arguments::parse(""),
            signature: None,
        }
    }

    fn result(id: &str) -> ToolAnswer {
        ToolAnswer {
            call: id.into(),
            name: "t".into(),
            content: "x".into(),
            is_error: false,
        }
    }

    #[test]
    fn every_call_has_its_result_next_in_order_or_nothing_is_sent() {
        let turn = |ids: &[&str]| {
            Message::Assistant(AssistantTurn {
                text: String::new(),
                calls: ids.iter().map(|id| call(id)).collect(),
            })
        };
        let results = |ids: &[&str]| Message::Tools {
            results: ids.iter().map(|id| result(id)).collect(),
        };
        let check = |messages: Vec<Message>| {
            ChatRequest {
                messages,
                ..ChatRequest::default()
            }
            .check()
        };
        let hello = || Message::user("hello");
        assert!(check(vec![hello(), turn(&["a", "b"]), results(&["a", "b"])]).is_ok());
        assert!(check(vec![]).is_err());
        assert!(check(vec![hello(), turn(&["a", "b"]), results(&["b", "a"])]).is_err());
        assert!(check(vec![hello(), turn(&["a"]), hello()]).is_err());
        assert!(check(vec![hello(), turn(&["a"])]).is_err());
        assert!(check(vec![hello(), turn(&["a", "a"]), results(&["a", "a"])]).is_err());
        assert!(check(vec![hello(), results(&["a"])]).is_err());
    }

    #[test]
    fn arguments_that_are_no_object_are_kept_as_what_they_are() {
        assert_eq!(Arguments::parse(""), Arguments::Object(Map::new()));
        assert_eq!(
            Arguments::parse("\"{\\\"a\\\":1}\"").to_object(),
            serde_json::json!({"a": 1})
        );
        for bad in ["{\"a\":", "[1]", "7", "nonsense"] {
            assert!(
                matches!(Arguments::parse(bad), Arguments::Invalid { .. }),
                "{bad}"
            );
            assert!(Arguments::parse(bad).to_object().is_object());
        }
    }
}
