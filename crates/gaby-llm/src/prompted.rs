//! Tools for models that cannot call any: they are asked to in words.
//!
//! The tools are described in the instructions; a call is a JSON object that the model writes, alone
//! or in a fenced block, and results come back as what somebody says. Models get the form wrong in
//! many ways, so reading is lenient about everything but the tool's name.

use serde_json::{Map, Value, json};

use crate::chat::{
    Arguments, AssistantTurn, ChatRequest, ChatResponse, Message, StopReason, ToolCall, ToolChoice,
};

/// Rewrites a conversation with tools as one without.
#[must_use]
pub fn in_words(request: &ChatRequest) -> ChatRequest {
    let mut plain = request.clone();
    plain.tools = Default::default();
    plain.tool_choice = ToolChoice::Auto;
    if !request.tools.is_empty() && request.tool_choice != ToolChoice::None {
        if !plain.system.is_empty() {
            plain.system.push_str("\n\n");
        }
        plain.system.push_str(&instructions(request));
    }
    plain.messages = request
        .messages
        .iter()
        .map(|message| match message {
            Message::User { .. } => message.clone(),
            Message::Assistant(turn) => Message::Assistant(AssistantTurn {
                text: said(turn),
                calls: Vec::new(),
            }),
            Message::Tools { results } => {
                let results: Vec<String> = results
                    .iter()
                    .map(|result| {
                        let kind = if result.is_error { "Error" } else { "Result" };
                        format!(
                            "{kind} of {} ({}):\n{}",
                            result.name, result.call, result.content
                        )
                    })
                    .collect();
                Message::user(results.join("\n\n"))
            }
        })
        .collect();
    plain
}

fn instructions(request: &ChatRequest) -> String {
    let tools: Vec<String> = request
        .tools
        .iter()
        .map(|tool| {
            format!(
                "- {}: {}\n  arguments: {}",
                tool.name, tool.description, tool.parameters
            )
        })
        .collect();
    let must = match &request.tool_choice {
        ToolChoice::Required => "You must call at least one tool now.",
        ToolChoice::Tool(name) => &format!("You must call {name} now."),
        _ => "If you need no tool, answer in plain text without such a block.",
    };
    format!(
        "You can call these tools:\n{}\n\nTo call tools, write exactly one block like this and nothing \
         after it:\n```json\n{{\"calls\": [{{\"tool\": \"NAME\", \"arguments\": {{}}}}]}}\n```\n\
         Several calls may stand in the list. The results are told to you next. {must}",
        tools.join("\n")
    )
}

fn said(turn: &AssistantTurn) -> String {
    if turn.calls.is_empty() {
        return turn.text.clone();
    }
    let calls: Vec<Value> = turn
        .calls
        .iter()
        .map(|call| json!({ "tool": call.name, "arguments": call.arguments.to_object() }))
        .collect();
    let block = format!("```json\n{}\n```", json!({ "calls": calls }));
    match turn.text.trim() {
        "" => block,
        text => format!("{text}\n{block}"),
    }
}

/// Reads the calls in an answer to [`in_words`].
#[must_use]
pub fn read(mut response: ChatResponse, request: &ChatRequest) -> ChatResponse {
    if request.tools.is_empty() || request.tool_choice == ToolChoice::None {
        return response;
    }
    let text = std::mem::take(&mut response.turn.text);
    let Some((start, calls)) = find_calls(&text, request) else {
        response.turn.text = text;
        return response;
    };
    response.turn.calls = calls
        .into_iter()
        .enumerate()
        .map(|(place, (name, arguments))| ToolCall {
            id: format!("call_{}", place + 1),
            name,
            arguments,
            signature: None,
        })
        .collect();
    // What stands after the calls is a result that the model made up.
    let before = text[..start].trim_end();
    let before = before
        .strip_suffix("```json")
        .or_else(|| before.strip_suffix("```"))
        .unwrap_or(before);
    before.trim().clone_into(&mut response.turn.text);
    response.stop = StopReason::ToolUse;
    response
}

/// Where calls stand, and which.
type Found = (usize, Vec<(String, Arguments)>);

/// The first JSON in a text that is a call, and where it stands.
fn find_calls(text: &str, request: &ChatRequest) -> Option<Found> {
    let mut from = 0;
    while let Some(at) = text[from..].find(['{', '[']) {
        let start = from + at;
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                let end = start + values.byte_offset();
                let calls = calls_of(&value, request);
                if !calls.is_empty() {
                    return Some((start, calls));
                }
                from = end.max(start + 1);
            }
            _ => {
                if let Some(name) = broken_call(&text[start..], request) {
                    let broken = Arguments::Invalid {
                        text: text[start..].chars().take(2_000).collect(),
                        why: "the block is not valid JSON".to_owned(),
                    };
                    return Some((start, vec![(name, broken)]));
                }
                from = start + 1;
            }
        }
    }
    None
}

/// The calls that a JSON value stands for, in the forms that models use.
fn calls_of(value: &Value, request: &ChatRequest) -> Vec<(String, Arguments)> {
    match value {
        Value::Array(list) => list.iter().flat_map(|one| calls_of(one, request)).collect(),
        Value::Object(object) => {
            for list in ["calls", "tool_calls"] {
                if let Some(inner) = object.get(list).filter(|inner| inner.is_array()) {
                    return calls_of(inner, request);
                }
            }
            call_of(object, request).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn call_of(object: &Map<String, Value>, request: &ChatRequest) -> Option<(String, Arguments)> {
    let object = object
        .get("function")
        .and_then(Value::as_object)
        .unwrap_or(object);
    let name = ["tool", "name", "function"]
        .iter()
        .find_map(|key| object.get(*key)?.as_str())?;
    let arguments = ["arguments", "args", "parameters", "input"]
        .iter()
        .find_map(|key| object.get(*key));
    let known = request.tools.iter().any(|tool| tool.name == name);
    // An object with a name is a call only if it looks like one; data has names too.
    (known || (arguments.is_some() && object.contains_key("tool"))).then(|| {
        (
            name.to_owned(),
            arguments.map_or_else(
                || Arguments::parse(""),
                |value| Arguments::of(value.clone()),
            ),
        )
    })
}

/// The tool that a block that is no JSON was meant for.
fn broken_call(text: &str, request: &ChatRequest) -> Option<String> {
    let meant = ["\"calls\"", "\"tool\"", "\"tool_calls\""]
        .iter()
        .any(|key| text.contains(key));
    let tool = request
        .tools
        .iter()
        .find(|tool| text.contains(&format!("\"{}\"", tool.name)))?;
    meant.then(|| tool.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{TokenUsage, ToolAnswer, ToolSpec};
    use proptest::prelude::*;

    fn request() -> ChatRequest {
        ChatRequest {
            system: "Be brief.".into(),
            messages: vec![Message::user("Who is a@b.c?")],
            tools: [ToolSpec {
                name: "crm__find".into(),
                description: "Finds a customer.".into(),
                parameters: json!({"type": "object"}),
            }]
            .into(),
            max_output_tokens: 100,
            ..ChatRequest::default()
        }
    }

    fn answer(text: &str) -> ChatResponse {
        let response = ChatResponse {
            turn: AssistantTurn {
                text: text.into(),
                calls: Vec::new(),
            },
            stop: StopReason::End,
            usage: TokenUsage::default(),
            model: "m".into(),
        };
        read(response, &request())
    }

    #[test]
    fn calls_are_read_in_every_form_that_models_write_them() {
        for text in [
            "```json\n{\"calls\": [{\"tool\": \"crm__find\", \"arguments\": {\"email\": \"a@b.c\"}}]}\n```",
            "I look.\n{\"calls\":[{\"tool\":\"crm__find\",\"arguments\":{\"email\":\"a@b.c\"}}]}",
            "```\n{\"tool\": \"crm__find\", \"arguments\": {\"email\": \"a@b.c\"}}\n```\nResult: she is Ann.",
            "[{\"name\": \"crm__find\", \"parameters\": {\"email\": \"a@b.c\"}}]",
            "{\"tool_calls\":[{\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"crm__find\",\"arguments\":\"{\\\"email\\\":\\\"a@b.c\\\"}\"}}]}",
            "Data {\"name\": \"Ann\"} first. {\"name\":\"crm__find\",\"input\":{\"email\":\"a@b.c\"}}",
        ] {
            let read = answer(text);
            assert_eq!(read.turn.calls.len(), 1, "{text}: {read:?}");
            assert_eq!(read.turn.calls[0].name, "crm__find");
            assert_eq!(
                read.turn.calls[0].arguments.to_object(),
                json!({"email": "a@b.c"}),
                "{text}"
            );
            assert_eq!(read.stop, StopReason::ToolUse);
            assert!(
                !read.turn.text.contains("she is Ann"),
                "a result that was made up is dropped"
            );
        }
    }

    #[test]
    fn what_is_no_call_stays_text_and_what_is_a_broken_one_is_said_to_be() {
        for text in [
            "She is Ann.",
            "The record is {\"name\": \"Ann\", \"plan\": \"pro\"}.",
            "{ not json at all",
            "[1, 2, 3]",
            "",
        ] {
            let read = answer(text);
            assert!(read.turn.calls.is_empty(), "{text}: {read:?}");
            assert_eq!(read.turn.text, text);
        }
        let broken = answer(
            "```json\n{\"calls\": [{\"tool\": \"crm__find\", \"arguments\": {\"email\": \"a@",
        );
        assert!(matches!(
            broken.turn.calls[0].arguments,
            Arguments::Invalid { .. }
        ));
        let unknown = answer("{\"tool\": \"rm_rf\", \"arguments\": {}}");
        assert_eq!(
            unknown.turn.calls[0].name, "rm_rf",
            "the loop says that there is no such tool"
        );
    }

    #[test]
    fn a_history_with_calls_becomes_one_without() {
        let mut full = request();
        full.messages.push(Message::Assistant(
            answer("{\"tool\":\"crm__find\",\"arguments\":{}}").turn,
        ));
        full.messages.push(Message::Tools {
            results: vec![ToolAnswer {
                call: "call_1".into(),
                name: "crm__find".into(),
                content: "[ev1] Ann".into(),
                is_error: false,
            }],
        });
        assert!(full.check().is_ok());
        let plain = in_words(&full);
        assert!(plain.check().is_ok() && plain.tools.is_empty());
        assert!(plain.system.starts_with("Be brief.") && plain.system.contains("crm__find"));
        assert!(matches!(&plain.messages[2], Message::User { text } if text.contains("[ev1] Ann")));
    }

    proptest! {
        #[test]
        fn nothing_that_a_model_writes_panics(text in ".{0,200}", tail in "[\\[\\]{}\":,a-z_ ]{0,60}") {
            let _ = answer(&format!("{text}{tail}"));
            let _ = answer(&format!("{{\"calls\":[{{\"tool\":\"crm__find\",{tail}"));
        }
    }
}
