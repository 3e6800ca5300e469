//! The command line with a language model: one set by the environment, over a stub that is served by
//! the command itself.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::gaby::{Gaby, Ran};

/// Searches, then answers from what it found; a replay is told apart by its model.
const SCRIPT: &str = r#"
rules:
  - when: {model: large, offers: conclude}
    answer: {text: "I would have said more.", usage: {input: 900, output: 9}}
  - when: {offers: classify}
    answer: {calls: [{tool: classify, arguments: {category: question, question: How long?, summary: Look it up}}]}
  - when: {turn: 0, offers: search_knowledge}
    answer: {calls: [{tool: search_knowledge, arguments: {query: account locked}}]}
  - when: {offers: conclude, matches: '\[(\d+)\] Locks'}
    answer:
      calls:
        - tool: conclude
          arguments:
            verdict: answer
            confidence: 0.9
            reason: The article says so.
            sentences: [{text: A locked account opens by itself after 30 minutes., evidence: ["{{1}}"]}]
      usage: {input: 1000, output: 100}
  - answer: {text: Yes.}
"#;

/// A stub model that runs, ended when dropped.
pub(crate) struct Model {
    child: Child,
    pub(crate) url: String,
}

impl Model {
    pub(crate) fn start(gaby: &Gaby, script: &str) -> Self {
        let script = gaby.file("script.yaml", script);
        let mut child = gaby
            .command(&["stub-llm", "--script", &script])
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let (_, url) = said.trim().split_once("The stub model is at ").unwrap();
        Self {
            url: url.to_owned(),
            child,
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A workspace that knows about locked accounts.
fn knowing() -> Gaby {
    let gaby = Gaby::new();
    let article =
        "# Locks\n\nAn account is locked after five tries. It opens again after 30 minutes.\n";
    gaby.file("docs/locks.md", article);
    let docs = gaby.path("docs").display().to_string();
    gaby.ok(&["ingest", &docs]);
    gaby
}

pub(crate) fn with_model(gaby: &Gaby, url: &str, arguments: &[&str]) -> Command {
    let mut command = gaby.command(arguments);
    command
        .env("GABY_LLM_PROVIDER", "openai-compatible")
        .env("GABY_LLM_MODEL", "small")
        .env("GABY_LLM_BASE_URL", url)
        .env("GABY_LLM_API_KEY", "canary-key-4711");
    command
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn one_setting_has_a_model_investigate_and_its_calls_can_be_asked_again() {
    let gaby = knowing();
    let model = Model::start(&gaby, SCRIPT);
    let run = |arguments: &[&str]| Ran::of(with_model(&gaby, &model.url, arguments), b"");

    let ticket = json!({"subject": "Sign-in", "body": "For how long must one wait?"});
    let ticket = gaby.file("ticket.json", ticket.to_string());
    let looked = json(&run(&["investigate", &ticket, "--json"]));
    assert_eq!(looked["verdict"], "resolved", "{looked:#}");
    assert_eq!(looked["brain"], "llm");
    let reply = looked["reply"].as_str().unwrap();
    assert!(
        reply.starts_with("A locked account opens by itself after 30 minutes."),
        "{reply}"
    );
    assert_eq!(looked["usage"]["model_calls"], 3);

    let answered = json(&run(&["ask", "How long is an account locked?", "--json"]));
    assert_eq!(answered["answered"], true, "{answered:#}");
    assert_eq!(answered["model"], "openai-compatible small");

    let serving = gaby.serve(&[]);
    let token = gaby.json(&[
        "token", "create", "walk", "--scope", "read", "--scope", "admin", "--json",
    ]);
    let token = token["token"].as_str().unwrap();
    let id = looked["investigation"].as_str().unwrap();
    let path = format!("/api/investigations/{id}/llm-calls");
    let calls: Value = serde_json::from_str(&serving.get_with(token, &path).unwrap()).unwrap();
    assert_eq!(calls["items"].as_array().unwrap().len(), 3, "{calls:#}");
    assert_eq!(calls["used"]["micro_usd"], looked["usage"]["micro_usd"]);
    let last = calls["items"][2]["id"].as_str().unwrap();
    let call = serving
        .get_with(token, &format!("/api/llm-calls/{last}"))
        .unwrap();
    assert!(call.contains("opens again after 30 minutes"), "{call}");
    drop(serving);

    let again = json(&run(&["replay", last, "--model", "large", "--json"]));
    assert_eq!(again["before"]["model"], "small");
    assert_eq!(
        again["before"]["answer"]["turn"]["calls"][0]["name"],
        "conclude"
    );
    assert_eq!(again["after"]["model"], "large");
    assert_eq!(
        again["after"]["answer"]["turn"]["text"],
        "I would have said more."
    );
    let shown = run(&["replay", last, "--model", "large"]).out;
    assert!(
        shown.contains("Now: openai-compatible large") && shown.contains("said more"),
        "{shown}"
    );
    // Nothing but the record has changed.
    let tickets = gaby.json(&["tickets", "list", "--json"]);
    assert_eq!(tickets.as_array().map_or(0, Vec::len), 1, "{tickets:#}");

    let prompt = "---\nname: investigate\npurpose: investigate\ndescription: Mine.\n---\nMarks: {{ fence }}\n";
    let prompt = gaby.file("mine.md", prompt);
    let other = json(&run(&["replay", last, "--prompt", &prompt, "--json"]));
    assert_ne!(
        other["after"]["prompt_version"],
        other["before"]["prompt_version"]
    );
    let unknown = "llm_00000000000000000000000000000000";
    assert_eq!(run(&["replay", unknown]).code, Some(1));
}

#[test]
fn doctor_says_whether_the_model_answers_and_what_to_do() {
    let gaby = Gaby::new();
    let doctor = |url: &str| Ran::of(with_model(&gaby, url, &["doctor"]), b"");
    let model = Model::start(&gaby, "rules: [{answer: {text: Yes.}}]");
    let fine = doctor(&model.url);
    assert_eq!(fine.code, Some(0), "{fine:?}");
    assert!(
        fine.out
            .contains("ok     model openai-compatible small: answers"),
        "{}",
        fine.out
    );
    for (script, said) in [
        ("rules: [{answer: {status: 401}}]", "GABY_LLM_API_KEY"),
        ("rules: [{answer: {status: 404}}]", "GABY_LLM_MODEL"),
    ] {
        let model = Model::start(&gaby, script);
        let ill = doctor(&model.url);
        assert_eq!(ill.code, Some(1), "{ill:?}");
        assert!(
            ill.out.contains("WRONG  model") && ill.out.contains(said),
            "{}",
            ill.out
        );
        assert!(!format!("{ill:?}").contains("canary"), "{ill:?}");
    }
    let url = model.url.clone();
    drop(model);
    let gone = doctor(&url);
    assert!(gone.out.contains("Is it running"), "{}", gone.out);
    let none = gaby.ok(&["doctor"]);
    assert!(none.contains("the built-in brain does all"), "{none}");
}

#[test]
fn a_model_that_is_set_wrongly_is_an_error_that_says_what_to_set() {
    let gaby = Gaby::new();
    for (name, value, said) in [
        ("GABY_LLM_PROVIDER", "anthropic", "no model is named"),
        ("GABY_LLM_MODEL", "small", "GABY_LLM_PROVIDER"),
    ] {
        let mut command = gaby.command(&["ask", "Why?"]);
        command.env(name, value);
        let ran = Ran::of(command, b"");
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    let config = gaby.file("local.toml", "[llm]\nprovider = \"openai\"\nmodel = \"gpt-4.1\"\napi_key = \"canary\"\nlocal_only = true\nbase_url = \"http://203.0.113.7/v1\"\n");
    let ran = gaby.run(&["serve", "--config", &config, "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err.contains("local_only") && !ran.err.contains("canary"),
        "{}",
        ran.err
    );
}

#[test]
fn the_file_says_what_an_investigation_and_all_of_a_ticket_may_use() {
    let gaby = knowing();
    let script = r"
rules:
  - when: {offers: classify}
    answer: {calls: [{tool: classify, arguments: {category: question, question: How long?, summary: Look it up}}]}
  - answer: {calls: [{tool: search_knowledge, arguments: {query: account locked}}]}
";
    let model = Model::start(&gaby, script);
    let ticket = json!({"subject": "Sign-in", "body": "For how long must one wait?"});
    let ticket = gaby.file("ticket.json", ticket.to_string());
    let settings = "[investigation]\nturns = 4\n[llm.per_ticket]\ncalls = 8\n";
    let config = gaby.file("limits.toml", settings);
    let run = |arguments: &[&str]| {
        let command = [arguments, &["--config", &config, "--json"]].concat();
        json(&Ran::of(with_model(&gaby, &model.url, &command), b""))
    };
    let first = run(&["investigate", &ticket]);
    assert_eq!(first["usage"]["model_calls"], 5, "{first:#}");
    let reason = first["escalation"]["reason"].as_str().unwrap();
    assert!(reason.contains("within 4 turns"), "{reason}");
    let id = first["ticket"].as_str().unwrap();
    let again = run(&["investigate", "--ticket", id]);
    assert_eq!(again["usage"]["model_calls"], 3, "{again:#}");
    let reason = again["escalation"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("8 calls of a model (this ticket)"),
        "{reason}"
    );
    let wrong = gaby.file("wrong.toml", "[investigation]\nturn = 4\n");
    let ran = gaby.run(&["doctor", "--config", &wrong]);
    assert!(ran.err.contains("turn"), "{ran:?}");
}

#[test]
fn a_workspaces_model_is_set_tried_and_taken_back() {
    let gaby = Gaby::new();
    let model = Model::start(&gaby, "rules: [{answer: {text: Yes.}}]");
    let url = model.url.as_str();
    let nobody: Value = gaby.json(&["llm", "show", "--json"]);
    assert_eq!(nobody["set_by"], "nobody");
    let set = [
        "llm",
        "set",
        "openai-compatible",
        "small",
        "--base-url",
        url,
    ];
    let with_key = [&set[..], &["--key", "-", "--json"]].concat();
    let ran = gaby.run_with(&with_key, b"canary-key-4711\n");
    let set_now = json(&ran);
    assert_eq!(set_now["set_by"], "workspace", "{ran:?}");
    assert_eq!(set_now["providers"][0]["has_key"], true);
    // Another model at the same address keeps the key; a fallback stands behind it.
    gaby.ok(&[
        "llm",
        "set",
        "openai-compatible",
        "large",
        "--base-url",
        url,
    ]);
    gaby.ok(&["llm", "set", "ollama", "tiny", "--fallback"]);
    let shown: Value = gaby.json(&["llm", "show", "--json"]);
    assert_eq!(shown["providers"][0]["model"], "large");
    assert_eq!(shown["providers"][0]["has_key"], true);
    assert_eq!(shown["providers"][1]["model"], "tiny");
    let plain = gaby.ok(&["llm", "show"]);
    for text in [&ran.out, &ran.err, &shown.to_string(), &plain] {
        assert!(!text.contains("canary"), "{text}");
    }
    gaby.ok(&[
        "llm",
        "set",
        "openai-compatible",
        "small",
        "--base-url",
        url,
    ]);
    assert!(
        gaby.ok(&["llm", "try"])
            .contains("ok     openai-compatible small: answers")
    );
    let doctor = gaby.ok(&["doctor"]);
    assert!(
        doctor.contains("model openai-compatible small: answers"),
        "{doctor}"
    );
    drop(model);
    let gone = gaby.run(&["llm", "try"]);
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(gone.out.contains("Is it running"), "{}", gone.out);
    let bare = gaby.run(&["llm", "set", "openai", "m", "--key", "canary"]);
    assert_eq!(bare.code, Some(2), "{bare:?}");
    let nowhere = [
        "llm",
        "set",
        "vllm",
        "m",
        "--base-url",
        "http://169.254.169.254/v1",
    ];
    assert!(gaby.run(&nowhere).err.contains("metadata"));
    assert!(gaby.ok(&["llm", "reset"]).contains("No model is set"));
}
