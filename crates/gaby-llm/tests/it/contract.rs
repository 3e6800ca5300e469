//! What goes well: requests that vendors accept, answers that come out the same from all.

use std::sync::{Arc, Mutex};

use gaby_llm::chat::{
    Arguments, AssistantTurn, ChatRequest, Message, OutputSchema, StopReason, ToolAnswer, ToolCall,
    ToolChoice, ToolSpec,
};
use serde_json::json;

use crate::server::{Act, head, serve, serve_kept};
use crate::vendors::{Answer, all, ask, patient};

pub(crate) fn tool(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.into(),
        description: "Finds a customer.".into(),
        parameters: json!({
            "type": "object", "properties": {"email": {"type": "string"}}, "required": ["email"],
        }),
    }
}

/// A conversation with everything in it.
pub(crate) fn conversation() -> ChatRequest {
    let call = |id: &str, name: &str, arguments: Arguments| ToolCall {
        id: id.into(),
        name: name.into(),
        arguments,
        signature: None,
    };
    let result = |id: &str, name: &str, is_error| ToolAnswer {
        call: id.into(),
        name: name.into(),
        content: "[ev1] {\"plan\":\"pro\"}".into(),
        is_error,
    };
    ChatRequest {
        system: "You investigate tickets.".into(),
        messages: vec![
            Message::user("Why was I billed twice?"),
            Message::user("It is urgent."),
            Message::Assistant(AssistantTurn {
                text: "I look. ".into(),
                calls: vec![
                    call(
                        "a1",
                        "crm__customer.find",
                        Arguments::parse("{\"email\":\"a@b.c\"}"),
                    ),
                    call("a2", "unknown", Arguments::parse("{broken")),
                ],
            }),
            Message::Tools {
                results: vec![
                    result("a1", "crm__customer.find", false),
                    result("a2", "unknown", true),
                ],
            },
            Message::user("Go on."),
        ],
        tools: [tool("crm__customer.find"), tool(&"long_name_".repeat(12))].into(),
        tool_choice: ToolChoice::Auto,
        output: None,
        max_output_tokens: 500,
        temperature: Some(0.2),
    }
}

#[tokio::test]
async fn a_conversation_with_everything_in_it_is_taken_by_every_vendor_and_its_answer_read_alike() {
    for vendor in all() {
        let answer = Answer {
            text: vec!["You were ", "billed once: ", "€ 12 ✓."],
            usage: Some((400, 300, 60, 20)),
            ..Answer::default()
        };
        let server = vendor.answering(answer).await;
        let provider = vendor.provider(&server, patient());
        let pieces = Mutex::new(Vec::new());
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        let response = provider
            .chat(&conversation(), deadline, &mut |piece| {
                pieces.lock().unwrap().push(piece.to_owned())
            })
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", vendor.name));
        assert_eq!(
            response.turn.text, "You were billed once: € 12 ✓.",
            "{}",
            vendor.name
        );
        assert_eq!(
            pieces.into_inner().unwrap().concat(),
            response.turn.text,
            "{}",
            vendor.name
        );
        assert_eq!(response.stop, StopReason::End, "{}", vendor.name);
        let usage = response.usage;
        assert_eq!(
            (usage.input, usage.output, usage.estimated),
            (400, 60, false),
            "{}",
            vendor.name
        );
        assert_eq!(
            usage.cached,
            if vendor.cached { 300 } else { 0 },
            "{}",
            vendor.name
        );
        assert_eq!(
            usage.reasoning,
            if vendor.thinking { 20 } else { 0 },
            "{}",
            vendor.name
        );
        assert!(response.model.contains("test"), "{}", vendor.name);
    }
}

#[tokio::test]
async fn every_choice_of_tools_and_a_schema_for_the_answer_are_taken_by_every_vendor() {
    for vendor in all() {
        let server = vendor.answering(Answer::text("{\"a\":1}")).await;
        let provider = vendor.provider(&server, patient());
        let mut request = conversation();
        for choice in [
            ToolChoice::Required,
            ToolChoice::None,
            ToolChoice::Tool("crm__customer.find".into()),
        ] {
            request.tool_choice = choice;
            ask(&provider, &request)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", vendor.name));
        }
        let structured = ChatRequest {
            messages: vec![Message::user("As JSON, please.")],
            output: Some(OutputSchema {
                name: "verdict".into(),
                schema: json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false}),
            }),
            max_output_tokens: 100,
            ..ChatRequest::default()
        };
        let response = ask(&provider, &structured)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", vendor.name));
        assert_eq!(response.turn.text, "{\"a\":1}");
    }
}

#[tokio::test]
async fn calls_come_out_with_their_ids_arguments_and_own_names_however_they_were_cut() {
    let long = "long_name_".repeat(12);
    for vendor in all() {
        // The long name travels under another; the vendor's model says the one that it was offered.
        let server = vendor.answering(Answer::text("x")).await;
        let provider = vendor.provider(&server, patient());
        ask(&provider, &conversation()).await.unwrap();
        let sent = String::from_utf8(server.seen()[0].raw.clone()).unwrap();
        let offered: &'static str = sent
            .split('"')
            .find(|part| part.starts_with("long_name_"))
            .unwrap()
            .to_owned()
            .leak();
        assert!(offered.len() <= 64, "{offered}");
        let answer = Answer {
            text: vec!["Let me see."],
            calls: vec![
                ("id_1", offered, vec!["{\"ema", "il\":\"é", "@b.c\"}"]),
                ("id_2", "no_such_tool", vec!["{}"]),
            ],
            usage: Some((50, 0, 30, 0)),
        };
        let server = vendor.answering(answer).await;
        let response = ask(&vendor.provider(&server, patient()), &conversation())
            .await
            .unwrap();
        let [one, two] = &response.turn.calls[..] else {
            panic!("{}: {response:?}", vendor.name)
        };
        assert_eq!(
            (one.name.as_str(), two.name.as_str()),
            (long.as_str(), "no_such_tool")
        );
        assert_eq!(
            one.arguments.to_object(),
            json!({"email": "é@b.c"}),
            "{}",
            vendor.name
        );
        assert_eq!(response.stop, StopReason::ToolUse, "{}", vendor.name);
        if vendor.ids {
            assert_eq!((one.id.as_str(), two.id.as_str()), ("id_1", "id_2"));
        } else {
            assert!(!one.id.is_empty() && one.id != two.id);
        }
        // And the answer goes back into the next request.
        let mut next = conversation();
        next.messages
            .push(Message::Assistant(response.turn.clone()));
        next.messages.push(Message::Tools {
            results: response
                .turn
                .calls
                .iter()
                .map(|call| ToolAnswer {
                    call: call.id.clone(),
                    name: call.name.clone(),
                    content: "done".into(),
                    is_error: false,
                })
                .collect(),
        });
        ask(&vendor.provider(&server, patient()), &next)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", vendor.name));
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood_too() {
    for vendor in all() {
        let answer = Answer {
            text: vec!["Hm."],
            calls: vec![("id_1", "find", vec!["{\"n\":1}"])],
            usage: Some((50, 10, 30, 0)),
        };
        let body = (vendor.whole)(&answer).to_string().into_bytes();
        let acts = vec![
            head(200, &[("content-type", "application/json")]),
            Act::Send(body),
        ];
        let server = vendor.doing(acts).await;
        let response = ask(&vendor.provider(&server, patient()), &conversation())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", vendor.name));
        assert_eq!(response.turn.text, "Hm.", "{}", vendor.name);
        assert_eq!(
            response.turn.calls[0].arguments.to_object(),
            json!({"n": 1}),
            "{}",
            vendor.name
        );
        assert_eq!(
            (response.usage.input, response.usage.output),
            (50, 30),
            "{}",
            vendor.name
        );
    }
}

#[tokio::test]
async fn the_next_question_goes_over_the_same_connection() {
    for vendor in all() {
        let answer = vendor.bytes(&Answer::text("here"));
        let (server, connections) = serve_kept(vendor.content_type, answer).await;
        let provider = vendor.provider(&server, patient());
        for _ in 0..3 {
            let response = ask(&provider, &conversation()).await;
            assert_eq!(response.unwrap().turn.text, "here", "{}", vendor.name);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(server.seen().len(), 3, "{}", vendor.name);
        let connections = connections.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(connections, 1, "{}", vendor.name);
    }
}

#[tokio::test]
async fn a_thousand_at_once_get_each_its_own_answer() {
    let vendor = crate::vendors::of(gaby_llm::ProviderKind::OpenAi);
    let server = serve(move |_, seen| {
        let asked = seen.body["messages"][0]["content"]
            .as_str()
            .unwrap()
            .to_owned()
            .leak();
        vec![vendor.head(), Act::Send(vendor.bytes(&Answer::text(asked)))]
    })
    .await;
    let provider = Arc::new(vendor.provider(&server, patient()));
    let asks = (0..1_000).map(|n| {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move {
            let request = ChatRequest {
                messages: vec![Message::user(format!("number {n}"))],
                max_output_tokens: 50,
                ..ChatRequest::default()
            };
            (n, ask(&provider, &request).await)
        })
    });
    for done in futures_util::future::join_all(asks).await {
        let (n, response) = done.unwrap();
        assert_eq!(response.unwrap().turn.text, format!("number {n}"));
    }
}
