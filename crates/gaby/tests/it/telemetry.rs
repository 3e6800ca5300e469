//! Traces as they leave: a receiver reads OTLP as its definition has it, and nothing that people wrote is
//! in it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;

use crate::gaby::{Gaby, Ran};
use crate::models::{Model, with_model};

/// A word that stands in the ticket, and so in what the model is asked, and nowhere else.
const MARKER: &str = "zebrafinch-4711";
const REQUESTER: &str = "ines@brightpipe.example.com";

/// Looks the requester up and into the knowledge base at once, then into the account, and unlocks it.
const UNLOCKS: &str = r#"
rules:
  - when: {turn: 0, offers: search_knowledge}
    answer:
      text: I need to know who asks.
      calls:
        - {tool: larkfield_accounts__find_customer, arguments: {email: $requester/email}}
        - {tool: search_knowledge, arguments: {query: locked account}}
      usage: {input: 900, output: 40}
  - when: {turn: 1, offers: conclude}
    answer:
      calls: [{tool: larkfield_accounts__account_state, arguments: {customer_id: $step2/result/0/id}}]
  - when: {offers: conclude}
    answer:
      calls:
        - tool: conclude
          arguments:
            verdict: answer
            confidence: 0.9
            reason: The account is locked.
            sentences: [{text: "Your account is locked. [1]", evidence: [1]}]
            action:
              tool: larkfield_accounts__unlock_account
              arguments: {customer_id: $step2/result/0/id}
              summary: Unlock the account
              done: [{text: It is unlocked now., evidence: []}]
"#;

#[derive(Clone, Copy)]
enum Manner {
    Takes,
    /// Takes the request and never answers.
    Hangs,
    Refuses,
}

/// A receiver of OTLP over HTTP that holds the sender to the protocol.
struct Receiver {
    url: String,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (bodies, heads) = (Arc::default(), Arc::default());
        let receiver = Self { url, bodies, heads };
        let (bodies, heads) = (Arc::clone(&receiver.bodies), Arc::clone(&receiver.heads));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (bodies, heads) = (Arc::clone(&bodies), Arc::clone(&heads));
                std::thread::spawn(move || serve(stream, manner, &bodies, &heads));
            }
        });
        receiver
    }

    /// Every span that arrived; a request that is no OTLP is a failure.
    fn spans(&self) -> Vec<Span> {
        self.requests()
            .into_iter()
            .flat_map(|request| request.resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.bodies.lock().unwrap();
        bodies
            .iter()
            .map(|body| ExportTraceServiceRequest::decode(body.as_slice()).unwrap())
            .collect()
    }

    /// All that arrived, as text.
    fn text(&self) -> String {
        let bodies = self.bodies.lock().unwrap();
        String::from_utf8_lossy(&bodies.concat()).into_owned()
    }
}

fn serve(
    mut stream: TcpStream,
    manner: Manner,
    bodies: &Mutex<Vec<Vec<u8>>>,
    heads: &Mutex<Vec<String>>,
) {
    loop {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
                .next()
        };
        let length: usize = header("content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let sound = head.starts_with("POST /v1/traces HTTP/1.1\r\n")
            && header("content-type").as_deref() == Some("application/x-protobuf");
        bodies.lock().unwrap().push(body);
        heads.lock().unwrap().push(head);
        let answer: &[u8] = match manner {
            Manner::Hangs => {
                std::thread::sleep(Duration::from_secs(120));
                return;
            }
            Manner::Takes if sound => {
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
            }
            Manner::Takes => b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
            Manner::Refuses => b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n",
        };
        stream.write_all(answer).unwrap();
    }
}

/// The demo's company, with its accounts connected for everything.
fn company() -> Gaby {
    let gaby = Gaby::new();
    let article = "# Locks\n\nA locked account opens again after 30 minutes.\n";
    gaby.file("docs/locks.md", article);
    gaby.ok(&["ingest", &gaby.path("docs").display().to_string()]);
    gaby.connect_accounts(&gaby.demo_database());
    let act = ["connector", "larkfield_accounts", "--autonomy", "act"];
    let manifests = crate::gaby::demo_manifests();
    gaby.ok(&[&act[..], &["--connectors", &manifests]].concat());
    gaby
}

fn investigation(gaby: &Gaby, model: &Model, ticket: &str) -> Command {
    let body = format!("My account is locked, please unlock it. {MARKER}");
    let ticket = gaby.file(
        ticket,
        json!({"subject": "Locked out", "body": body,
               "requester": {"name": "Ines Moreau", "email": REQUESTER, "verified": true}})
        .to_string(),
    );
    let manifests = crate::gaby::demo_manifests();
    let arguments = ["investigate", &ticket, "--json", "--connectors", &manifests];
    with_model(gaby, &model.url, &arguments)
}

fn looked(ran: &Ran) -> serde_json::Value {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

fn word(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|one| one.key == name);
    let value = found.and_then(|one| one.value.clone()?.value);
    match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::ArrayValue(list)) => format!("{:?}", list.values),
        other => panic!("{name} of {}: {other:?}", span.name),
    }
}

/// Every span's name, with the names of those that it stands in before it.
fn paths(spans: &[Span]) -> Vec<String> {
    let by_id: BTreeMap<&[u8], &Span> = spans
        .iter()
        .map(|span| (span.span_id.as_slice(), span))
        .collect();
    let mut paths: Vec<(u64, String)> = spans
        .iter()
        .map(|span| {
            let mut names = vec![span.name.as_str()];
            let mut at = span;
            while !at.parent_span_id.is_empty() {
                at = by_id[at.parent_span_id.as_slice()];
                names.push(&at.name);
            }
            names.reverse();
            (span.start_time_unix_nano, names.join(" / "))
        })
        .collect();
    paths.sort();
    paths.into_iter().map(|(_, path)| path).collect()
}

#[test]
fn an_investigation_is_one_trace_of_its_steps_calls_decisions_and_actions_without_what_people_wrote()
 {
    let gaby = company();
    let model = Model::start(&gaby, UNLOCKS);
    let receiver = Receiver::start(Manner::Takes);
    let mut command = investigation(&gaby, &model, "ticket.json");
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=canary-header")
        .env("OTEL_SERVICE_NAME", "gaby-test")
        .env("GABY_LOG", "trace");
    let ran = Ran::of(command, b"");
    let result = looked(&ran);
    assert_eq!(result["verdict"], "resolved", "{result:#}");

    let spans = receiver.spans();
    let traces: Vec<&[u8]> = spans.iter().map(|span| span.trace_id.as_slice()).collect();
    assert!(traces.windows(2).all(|two| two[0] == two[1]), "one trace");
    let paths = paths(&spans);
    let accounts = "larkfield_accounts__";
    let root = "invoke_agent gaby";
    for path in [
        root.to_string(),
        format!("{root} / step plan"),
        format!("{root} / turn / chat small"),
        format!("{root} / turn / step call / gate_decision {accounts}find_customer"),
        format!("{root} / turn / step call / execute_tool {accounts}find_customer"),
        format!("{root} / turn / step retrieve / retrieval knowledge_base"),
        format!("{root} / turn / step conclude"),
        format!("{root} / step call / action {accounts}unlock_account"),
        format!(
            "{root} / step call / action {accounts}unlock_account / gate_decision {accounts}unlock_account"
        ),
        format!(
            "{root} / step call / action {accounts}unlock_account / execute_tool {accounts}unlock_account"
        ),
        format!("{root} / step observe"),
    ] {
        assert!(paths.contains(&path), "no {path} in {paths:#?}");
    }
    assert_eq!(
        paths
            .iter()
            .filter(|path| path.ends_with("chat small"))
            .count(),
        3,
        "{paths:#?}"
    );

    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let whole = named(root);
    assert_eq!(word(whole, "gen_ai.operation.name"), "invoke_agent");
    assert_eq!(
        word(whole, "gaby.investigation.id"),
        result["investigation"]
    );
    assert_eq!(word(whole, "gen_ai.conversation.id"), result["ticket"]);
    assert_eq!(word(whole, "gaby.verdict"), "resolved");
    assert_eq!(
        word(whole, "gen_ai.usage.input_tokens"),
        result["usage"]["input_tokens"].to_string()
    );
    let chat = named("chat small");
    // CLIENT, as of opentelemetry/proto/trace/v1/trace.proto.
    assert_eq!(chat.kind, 3);
    assert_eq!(word(chat, "gen_ai.provider.name"), "openai");
    assert_eq!(word(chat, "gen_ai.request.model"), "small");
    assert_eq!(word(chat, "server.address"), "127.0.0.1");
    assert!(word(chat, "gen_ai.response.finish_reasons").contains("tool_call"));
    assert_eq!(word(chat, "gen_ai.usage.output_tokens"), "40");
    assert!(word(chat, "gaby.llm.call.id").starts_with("llm_"));
    let gate = named(&format!("gate_decision {accounts}unlock_account"));
    assert_eq!(word(gate, "gaby.gate.decision"), "allow");
    assert!(word(gate, "gaby.gate.risk").parse::<u8>().unwrap() > 0);
    let action = named(&format!("action {accounts}unlock_account"));
    let write = named(&format!("execute_tool {accounts}unlock_account"));
    assert_eq!(word(action, "gaby.action.state"), "done");
    assert_eq!(
        word(write, "gen_ai.tool.call.id"),
        result["actions"][0]["id"]
    );
    assert_eq!(word(action, "gaby.action.id"), result["actions"][0]["id"]);

    let request = &receiver.requests()[0].resource_spans[0];
    let resource = format!("{:?}", request.resource);
    assert!(resource.contains("gaby-test"), "{resource}");
    let head = receiver.heads.lock().unwrap()[0].to_lowercase();
    assert!(head.contains("x-key: canary-header"), "{head}");

    let text = receiver.text();
    for private in [
        MARKER,
        REQUESTER,
        "Moreau",
        "Locked out",
        "30 minutes",
        "customer_id",
        "canary",
    ] {
        assert!(!text.contains(private), "{private} left");
    }
    for logged in ["gen_ai.", "gaby.trace", "canary-header", MARKER] {
        assert!(!ran.err.contains(logged), "{logged} in the log");
    }
}

#[test]
fn what_people_wrote_leaves_only_when_switched_on_and_then_with_what_is_personal_hidden() {
    let gaby = company();
    let model = Model::start(&gaby, UNLOCKS);
    let receiver = Receiver::start(Manner::Takes);
    let config = format!(
        "[telemetry]\nendpoint = \"{}\"\nheaders = {{ Authorization = \"Bearer canary-header\" }}\ncontent = true\n",
        receiver.url
    );
    let config = gaby.file("content.toml", config);
    let mut command = investigation(&gaby, &model, "ticket.json");
    command.args(["--config", &config]);
    let result = looked(&Ran::of(command, b""));
    assert_eq!(result["verdict"], "resolved", "{result:#}");
    let text = receiver.text();
    for told in [
        MARKER,
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "customer_id",
        "[email_",
    ] {
        assert!(text.contains(told), "{told} is missing");
    }
    for hidden in [REQUESTER, "canary"] {
        assert!(!text.contains(hidden), "{hidden} left");
    }
    let head = receiver.heads.lock().unwrap()[0].clone();
    assert!(head.contains("Bearer canary-header"), "{head}");
}

#[test]
fn a_receiver_that_is_down_refuses_or_hangs_neither_fails_nor_holds_up_an_investigation() {
    let gaby = company();
    let model = Model::start(&gaby, UNLOCKS);
    let none = looked(&Ran::of(investigation(&gaby, &model, "none.json"), b""));
    let usual = none["usage"]["millis"].as_u64().unwrap();
    let hanging = Receiver::start(Manner::Hangs);
    let refusing = Receiver::start(Manner::Refuses);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let down = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    for (name, url) in [
        ("down", &down),
        ("hangs", &hanging.url),
        ("refuses", &refusing.url),
    ] {
        let mut command = investigation(&gaby, &model, &format!("{name}.json"));
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", url)
            // Begins to send while the investigation runs.
            .env("OTEL_BSP_SCHEDULE_DELAY", "5");
        let began = Instant::now();
        let result = looked(&Ran::of(command, b""));
        assert_eq!(result["verdict"], none["verdict"], "{name}: {result:#}");
        let millis = result["usage"]["millis"].as_u64().unwrap();
        assert!(
            millis < usual + 1_000,
            "{name}: {millis} ms, without {usual}"
        );
        assert!(began.elapsed() < Duration::from_secs(20), "{name}");
    }
}

#[test]
fn a_server_that_is_asked_to_end_sends_what_is_left() {
    let gaby = Gaby::new();
    let receiver = Receiver::start(Manner::Takes);
    let config = format!("[telemetry]\nendpoint = \"{}/\"\n", receiver.url);
    let config = gaby.file("traces.toml", config);
    let token = gaby.ticket_token();
    let serving = gaby.serve(&["--config", &config]);
    let handed = serving.post_ticket(
        token["token"].as_str().unwrap(),
        r#"{"subject": "Why?", "body": "Why is the sky blue?"}"#,
    );
    assert!(handed.is_some());
    crate::gaby::wait_for("the investigation", || {
        let tickets = gaby.json(&["tickets", "list", "--json"]);
        tickets[0]["state"] == "escalated"
    });
    let before = receiver.spans().len();
    assert_eq!(serving.end(), Some(0));
    let spans = receiver.spans();
    let roots = spans.iter().filter(|span| span.name == "invoke_agent gaby");
    assert_eq!(roots.count(), 1, "{before} before the end, {spans:#?}");
}
