//! What goes wrong, at every vendor in the same way.

use std::time::{Duration, Instant, SystemTime};

use gaby_llm::chat::{Arguments, ChatRequest, Message};
use gaby_llm::error::{Fate, Waiting};
use gaby_llm::{Limits, LlmError};

use crate::contract::conversation;
use crate::server::{Act, head};
use crate::vendors::{Answer, Vendor, all, ask, patient, short};

async fn failing(vendor: Vendor, acts: Vec<Act>, limits: Limits) -> LlmError {
    let server = vendor.doing(acts).await;
    match ask(&vendor.provider(&server, limits), &conversation()).await {
        Ok(response) => panic!("{}: {response:?}", vendor.name),
        Err(error) => error,
    }
}

#[tokio::test]
async fn too_many_requests_says_how_long_to_wait_in_every_form() {
    for vendor in all() {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(300));
        for (value, least, most) in [
            (Some("7"), 7, 7),
            (Some(date.as_str()), 200, 300),
            (Some("99999999"), 86_400, 86_400),
            (Some("in a while"), 0, 0),
            (None, 0, 0),
        ] {
            let headers: Vec<(&str, &str)> = value.iter().map(|v| ("retry-after", *v)).collect();
            let error = failing(
                vendor,
                vendor.refusal(429, "Slow down.", &headers),
                patient(),
            )
            .await;
            let LlmError::Status {
                status: 429,
                message,
                retry_after,
                ..
            } = &error
            else {
                panic!("{}: {error}", vendor.name)
            };
            assert!(message.contains("Slow down."), "{}: {message}", vendor.name);
            let seconds = retry_after.map_or(0, |wait| wait.as_secs());
            assert!(
                (least..=most).contains(&seconds),
                "{}: {value:?} gave {seconds}",
                vendor.name
            );
            assert!(matches!(error.fate(), Fate::Again(_)) && error.is_outage());
        }
    }
}

#[tokio::test]
async fn errors_are_told_apart_by_what_helps() {
    for vendor in all() {
        for (status, outage) in [
            (500, true),
            (503, true),
            (529, true),
            (400, false),
            (401, false),
            (404, false),
        ] {
            let error = failing(vendor, vendor.refusal(status, "Because.", &[]), patient()).await;
            assert_eq!(error.is_outage(), outage, "{} {status}", vendor.name);
            assert!(error.to_string().contains("Because."), "{error}");
            assert!(!error.to_string().contains("test-key"), "{error}");
        }
        let page = b"<html><head><title>502 Bad Gateway</title></head></html>".to_vec();
        let html = |status| {
            vec![
                head(status, &[("content-type", "text/html")]),
                Act::Send(page.clone()),
            ]
        };
        let error = failing(vendor, html(502), patient()).await;
        assert!(
            error.is_outage() && error.to_string().contains("Bad Gateway"),
            "{error}"
        );
        let error = failing(vendor, html(200), patient()).await;
        assert!(
            matches!(error, LlmError::Malformed { .. }),
            "{}: {error}",
            vendor.name
        );
        let elsewhere = vec![head(302, &[("location", "http://127.0.0.1:1/")])];
        let error = failing(vendor, elsewhere, patient()).await;
        assert!(
            error.to_string().contains("redirects are not followed"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_an_answer_is_an_error() {
    for vendor in all() {
        let mut acts = vec![vendor.head()];
        let events = (vendor.stream)(&Answer::text("I was just"));
        acts.push(Act::Send(events[0].clone()));
        acts.push(Act::Send((vendor.stream_error)()));
        let error = failing(vendor, acts, patient()).await;
        assert!(
            matches!(error, LlmError::Status { .. }) && error.is_outage(),
            "{}: {error}",
            vendor.name
        );
    }
}

#[tokio::test]
async fn half_an_answer_is_never_taken_for_a_whole_one() {
    let answer = Answer {
        text: vec!["The refund ", "was not ", "made."],
        calls: vec![("c1", "find", vec!["{\"id\"", ":12345}"])],
        usage: Some((50, 0, 30, 0)),
    };
    for vendor in all() {
        let bytes = vendor.bytes(&answer);
        let step = bytes.len() / 23;
        let mut whole = 0;
        for cut in (0..bytes.len()).step_by(step.max(1)) {
            let acts = vec![vendor.head(), Act::Send(bytes[..cut].to_vec())];
            let server = vendor.doing(acts).await;
            match ask(&vendor.provider(&server, patient()), &conversation()).await {
                Err(error) => assert!(error.is_outage(), "{} at {cut}: {error}", vendor.name),
                // Only numbers were still to come.
                Ok(response) => {
                    whole += 1;
                    assert_eq!(
                        response.turn.text, "The refund was not made.",
                        "{} at {cut}",
                        vendor.name
                    );
                    assert_eq!(
                        response.turn.calls[0].arguments.to_object(),
                        serde_json::json!({"id": 12345}),
                        "{}",
                        vendor.name
                    );
                    assert!(response.usage.output > 0);
                }
            }
        }
        assert!(whole <= 8, "{}: {whole}", vendor.name);
        let acts = vec![
            vendor.head(),
            Act::Send(bytes[..bytes.len() / 2].to_vec()),
            Act::Reset,
        ];
        let error = failing(vendor, acts, patient()).await;
        assert!(error.is_outage(), "{}: {error}", vendor.name);
    }
}

#[tokio::test]
async fn whoever_hangs_dribbles_or_never_ends_is_left_in_time() {
    for vendor in all() {
        let events = (vendor.stream)(&Answer::text("x"));
        let first = Act::Send(events[0].clone());
        for (acts, wanted) in [
            (vec![Act::Hang], Waiting::FirstByte),
            (vec![vendor.head(), Act::Hang], Waiting::FirstByte),
            (
                vec![vendor.head(), first.clone(), Act::Hang],
                Waiting::NextPart,
            ),
            (
                vec![
                    vendor.head(),
                    first.clone(),
                    Act::Dribble(b' ', Duration::from_millis(20)),
                ],
                Waiting::NextPart,
            ),
        ] {
            let began = Instant::now();
            let error = failing(vendor, acts, short()).await;
            let waiting = match error {
                LlmError::TimedOut { waiting, .. } => waiting,
                // Frames with checksums show noise for what it is, before time does.
                LlmError::Malformed { .. } if vendor.kind == gaby_llm::ProviderKind::Bedrock => {
                    continue;
                }
                error => panic!("{}: {error}", vendor.name),
            };
            // Where the first event needs several, nothing has begun yet.
            let either =
                waiting == wanted || (wanted == Waiting::NextPart && waiting == Waiting::FirstByte);
            assert!(either, "{}: {waiting:?}, not {wanted:?}", vendor.name);
            assert!(
                began.elapsed() < Duration::from_secs(8),
                "{}: {:?}",
                vendor.name,
                began.elapsed()
            );
        }
        // Signs of life keep the connection, not the deadline.
        let server = vendor.doing(vec![vendor.head(), first, Act::Hang]).await;
        let deadline = tokio::time::Instant::now() + Duration::from_millis(300);
        let error = vendor
            .provider(&server, patient())
            .chat(&conversation(), deadline, &mut |_| {})
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                LlmError::TimedOut {
                    waiting: Waiting::WholeAnswer,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(error.fate(), Fate::GiveUp);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_stopped_at_what_was_asked_for() {
    for vendor in all() {
        let events = (vendor.stream)(&Answer {
            text: vec!["on and on and on "],
            ..Answer::default()
        });
        let piece = events
            .iter()
            .find(|event| event.windows(9).any(|w| w == b"on and on"))
            .unwrap()
            .clone();
        let mut acts = vec![vendor.head()];
        acts.push(Act::Forever(piece));
        let error = failing(vendor, acts, patient()).await;
        assert!(
            matches!(error, LlmError::TooLong { .. }),
            "{}: {error}",
            vendor.name
        );
        assert_eq!(error.fate(), Fate::Next);
        // Ten megabytes without a single event.
        let noise = vec![vendor.head(), Act::Send(vec![b'x'; 10 << 20])];
        let error = failing(vendor, noise, patient()).await;
        assert!(
            matches!(error, LlmError::TooLong { .. } | LlmError::Malformed { .. }),
            "{}: {error}",
            vendor.name
        );
        // And in one piece.
        let whole = format!("{{\"x\":\"{}\"}}", "y".repeat(10 << 20)).into_bytes();
        let acts = vec![
            head(200, &[("content-type", "application/json")]),
            Act::Send(whole),
        ];
        let error = failing(vendor, acts, patient()).await;
        assert!(
            matches!(error, LlmError::TooLong { .. }),
            "{}: {error}",
            vendor.name
        );
    }
}

#[tokio::test]
async fn garbage_is_called_garbage() {
    for vendor in all() {
        let garbage: &[u8] = b"data: {\"choices\": [}\n\n{\"a\":\n\x00\x01\x02\n\n\n";
        let error = failing(
            vendor,
            vec![vendor.head(), Act::Send(garbage.to_vec())],
            patient(),
        )
        .await;
        assert!(
            matches!(error, LlmError::Malformed { .. } | LlmError::Cut { .. }),
            "{}: {error}",
            vendor.name
        );
        let acts = vec![
            head(200, &[("content-type", "application/json")]),
            Act::Send(b"{\"ok\":true}".to_vec()),
        ];
        let server = vendor.doing(acts).await;
        let empty = ask(&vendor.provider(&server, patient()), &conversation()).await;
        // Ollama's lines are objects too: this one says nothing, and is read as an empty answer.
        if vendor.kind != gaby_llm::ProviderKind::Ollama {
            assert!(
                matches!(empty, Err(LlmError::Malformed { .. })),
                "{}: {empty:?}",
                vendor.name
            );
        }
    }
}

#[tokio::test]
async fn what_a_model_gets_wrong_is_kept_apart_from_what_works() {
    for vendor in all() {
        let answer = Answer {
            calls: vec![
                ("same", "find", vec!["{\"email\": \"a@"]),
                ("same", "find", vec!["{}"]),
                ("", "", vec!["{}"]),
            ],
            usage: Some((50, 0, 30, 0)),
            ..Answer::default()
        };
        let server = vendor.answering(answer).await;
        let response = ask(&vendor.provider(&server, patient()), &conversation())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", vendor.name));
        let calls = &response.turn.calls;
        assert_eq!(calls.len(), 3, "{}", vendor.name);
        assert!(
            matches!(calls[0].arguments, Arguments::Invalid { .. }),
            "{}: {calls:?}",
            vendor.name
        );
        assert!(
            calls[1]
                .arguments
                .to_object()
                .as_object()
                .unwrap()
                .is_empty()
        );
        let mut ids: Vec<_> = calls.iter().map(|call| call.id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 3, "{}: {calls:?}", vendor.name);
    }
}

#[tokio::test]
async fn numbers_that_are_missing_or_cannot_be_true_are_estimated() {
    for vendor in all() {
        for usage in [
            None,
            Some((0, 0, 0, 0)),
            Some((u64::MAX, 0, u64::MAX, 0)),
            Some((50, 0, 9_000_000, 0)),
        ] {
            let answer = Answer {
                text: vec!["Some words in an answer."],
                usage,
                ..Answer::default()
            };
            let server = vendor.answering(answer).await;
            let response = ask(&vendor.provider(&server, patient()), &conversation())
                .await
                .unwrap();
            let said = response.usage;
            assert!(said.estimated, "{}: {usage:?} {said:?}", vendor.name);
            assert!(
                said.input > 100 && said.input < 2_000 && said.output >= 8,
                "{said:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_answer_is_an_answer() {
    for vendor in all() {
        let server = vendor
            .answering(Answer {
                usage: Some((50, 0, 1, 0)),
                ..Answer::default()
            })
            .await;
        let response = ask(&vendor.provider(&server, patient()), &conversation())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", vendor.name));
        assert!(response.turn.text.is_empty() && response.turn.calls.is_empty());
    }
}

#[tokio::test]
async fn nobody_there_is_said_so_at_once() {
    for vendor in all() {
        let server = vendor.answering(Answer::text("x")).await;
        let mut config = vendor.config(&server);
        config.base_url = Some("http://127.0.0.1:1".into());
        let provider =
            gaby_llm::Provider::open(config, gaby_llm::address::Reach::default(), patient())
                .unwrap();
        let request = ChatRequest {
            messages: vec![Message::user("hello")],
            max_output_tokens: 10,
            ..ChatRequest::default()
        };
        let error = ask(&provider, &request).await.unwrap_err();
        assert!(
            matches!(error, LlmError::Unreachable { .. }) && error.is_outage(),
            "{error}"
        );
    }
}
