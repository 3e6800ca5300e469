//! Tickets followed to their end over made-up tools and passages: the brain is pure, so a test is
//! its own loop.

use gaby_model::{
    Access, ChunkId, DocumentId, Evidence, EvidenceId, IncomingTicket, Integrity, InvestigationId,
    Label, Origin, Reversibility, StepId, Timestamp, ToolDefinition, ToolRef,
};
use serde_json::{Value, json};

use super::Builtin;
use crate::brain::{
    Case, Conclusion, Ending, FoundPassage, FoundRecord, Outcome, Transcript, Turn, Want,
};
use crate::playbook::Playbooks;

fn tool(role: &str, access: Access) -> ToolDefinition {
    ToolDefinition {
        tool: ToolRef {
            connector: "crm".to_owned(),
            tool: role.replace('.', "_"),
        },
        description: String::new(),
        role: Some(role.to_owned()),
        access,
        risk: 0,
        input_schema: json!({}),
        arguments: [].into(),
        output_integrity: [].into(),
        reversibility: Reversibility::default(),
        idempotent: false,
        always_human: None,
        open_world: false,
        undo: None,
        verify: None,
        preview: None,
        owner_check: None,
        definition_hash: String::new(),
    }
}

fn evidence(number: u32, origin: Origin, text: &str, value: Value) -> Evidence {
    Evidence {
        id: EvidenceId::generate(),
        investigation: InvestigationId::generate(),
        step: StepId::generate(),
        number,
        origin,
        text: text.to_owned(),
        value,
        label: Label::of(Integrity::System),
    }
}

/// Runs the brain with tools that answer as told and one passage that every search finds.
fn investigate(
    ticket: &str,
    answers: &[(&str, Access, Value)],
    passage: Option<&str>,
) -> (Conclusion, Vec<Want>) {
    let case = Case {
        ticket: serde_json::from_str::<IncomingTicket>(ticket).unwrap(),
        tools: answers
            .iter()
            .map(|(role, access, _)| tool(role, *access))
            .collect(),
        now: "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap(),
        work: crate::brain::Work::default(),
    };
    let brain = Builtin::new(Playbooks::built_in().unwrap(), 0.5);
    let mut transcript = Transcript {
        plan: brain.plan_for(&case),
        case,
        turns: Vec::new(),
        evidence: Vec::new(),
    };
    let mut wants = Vec::new();
    for step in 2..40 {
        let want = brain.want_after(&transcript);
        wants.push(want.clone());
        let number = transcript.evidence.len() as u32 + 1;
        let outcome = match &want {
            Want::Conclude(conclusion) => return (conclusion.clone(), wants),
            Want::Ask { .. } | Want::Several { .. } => panic!("asked: {want:?}"),
            Want::Search(_) => {
                let hits = passage.map(|text| {
                    let origin = Origin::Passage {
                        document: DocumentId::generate(),
                        chunk: ChunkId::generate(),
                        path: "a.md".to_owned(),
                        title: "Locked accounts".to_owned(),
                        heading: String::new(),
                        start: 0,
                        end: text.len(),
                    };
                    transcript
                        .evidence
                        .push(evidence(number, origin, text, Value::Null));
                    FoundPassage {
                        evidence: number,
                        score: 1.0,
                        bm25: 9.0,
                        similarity: Some(0.7),
                        bm25_rank: Some(1),
                        vector_rank: Some(1),
                    }
                });
                Outcome::Found {
                    hits: hits.into_iter().collect(),
                }
            }
            Want::Call(wish) => {
                let role = wish.role.as_deref().unwrap();
                let value = answers
                    .iter()
                    .find(|(known, _, _)| *known == role)
                    .unwrap()
                    .2
                    .clone();
                let records = value.as_array().map_or(0, Vec::len);
                for index in 0..records {
                    let origin = Origin::ToolCall {
                        tool: wish.tool.clone(),
                        arguments: wish.arguments.clone(),
                        pointer: format!("/{index}"),
                    };
                    let number = transcript.evidence.len() as u32 + 1;
                    transcript
                        .evidence
                        .push(evidence(number, origin, "", value[index].clone()));
                }
                Outcome::Read {
                    records: (0..records)
                        .map(|index| FoundRecord {
                            evidence: number + index as u32,
                            pointer: format!("/{index}"),
                        })
                        .collect(),
                    value,
                    truncated: false,
                }
            }
        };
        transcript.turns.push(Turn {
            label: None,
            step,
            want,
            outcome,
        });
    }
    panic!("the brain does not come to an end");
}

const LOCKED: &str =
    r#"{"subject":"Locked out","body":"my account is locked","requester":"ann@example.com"}"#;
const ARTICLE: &str = "An account is locked after five failed sign-ins. Wait 30 minutes, or ask support to unlock it.";

fn locked_account() -> Vec<(&'static str, Access, Value)> {
    vec![
        (
            "customer.find",
            Access::Read,
            json!([{"id": 7, "email": "ann@example.com", "name": "Ann"}]),
        ),
        (
            "account.state",
            Access::Read,
            json!([{"status": "locked", "locked_at": "2026-02-27 10:00:00", "failed_sign_ins": 5}]),
        ),
        (
            "account.sign_ins",
            Access::Read,
            json!([{"outcome": "failure", "ip": "192.0.2.1"}]),
        ),
        ("account.unlock", Access::Write, Value::Null),
    ]
}

#[test]
fn a_playbook_is_followed_to_its_answer_and_its_action() {
    let (conclusion, wants) = investigate(LOCKED, &locked_account(), Some(ARTICLE));
    assert_eq!(conclusion.ending, Ending::Answer);
    assert_eq!(
        conclusion.sentences[0].text,
        "Your account was locked on 27 February 2026 after 5 failed sign-ins."
    );
    assert_eq!(conclusion.sentences[0].evidence, [2]);
    assert!(
        conclusion
            .sentences
            .iter()
            .any(|s| s.text.contains("Wait 30 minutes")),
        "{conclusion:?}"
    );
    let action = conclusion.action.unwrap();
    assert_eq!(action.call.arguments, json!({"customer_id": "$step2/0/id"}));
    assert_eq!(action.summary, "Unlock the account of ann@example.com");
    assert!(action.done[0].on_action);
    let Want::Call(first) = &wants[0] else {
        panic!("{wants:?}")
    };
    assert_eq!(first.arguments, json!({"email": "$requester/email"}));
}

#[test]
fn a_record_that_the_tickets_text_chose_is_passed_on_without_its_trust() {
    let ticket = r#"{"body":"I did not receive the invoice INV-2002, resend the invoice","requester":"ann@example.com"}"#;
    let (conclusion, _) = investigate(
        ticket,
        &[
            (
                "customer.find",
                Access::Read,
                json!([{"id": 7, "email": "ann@example.com"}]),
            ),
            (
                "invoice.list",
                Access::Read,
                json!([
                {"id": 1, "number": "INV-2001", "status": "open"},
                {"id": 2, "number": "INV-2002", "status": "open", "amount": "10.00", "currency": "EUR",
                 "issued_at": "2026-02-01", "due_at": null, "sent_to": "ann@example.com"}]),
            ),
            ("email.deliveries", Access::Read, json!([])),
            ("invoice.resend", Access::Write, Value::Null),
        ],
        None,
    );
    let action = conclusion.action.unwrap();
    assert_eq!(
        action.call.arguments,
        json!({"invoice_id": "$composed/value1"})
    );
    assert_eq!(action.call.composed["value1"], 2);
    assert!(
        conclusion.sentences[0]
            .text
            .starts_with("Invoice INV-2002 over 10.00 EUR")
    );
}

#[test]
fn a_role_that_nothing_connected_has_is_named_when_a_human_must_take_over() {
    let (conclusion, wants) = investigate(LOCKED, &[], None);
    assert_eq!(conclusion.ending, Ending::Escalate);
    let reason = conclusion.escalation.unwrap();
    assert!(
        reason.contains("`customer.find`, `account.state`"),
        "{reason}"
    );
    assert!(matches!(wants[0], Want::Search(_)));
}

#[test]
fn a_role_that_nothing_connected_has_does_not_keep_the_knowledge_base_from_answering() {
    let (conclusion, _) = investigate(
        r#"{"body":"What happens when my account is locked after failed sign-ins?"}"#,
        &[],
        Some(ARTICLE),
    );
    assert_eq!(conclusion.ending, Ending::Answer, "{conclusion:?}");
}

#[test]
fn a_write_that_nothing_connected_can_do_becomes_the_suggested_next_step() {
    let mut tools = locked_account();
    tools.pop();
    let (conclusion, _) = investigate(LOCKED, &tools, Some(ARTICLE));
    assert_eq!(conclusion.ending, Ending::Escalate);
    assert_eq!(
        conclusion.next_step.as_deref(),
        Some("Unlock the account of ann@example.com")
    );
    assert!(conclusion.escalation.unwrap().contains("`account.unlock`"));
}

#[test]
fn a_requester_whom_nobody_knows_is_handed_over() {
    let mut tools = locked_account();
    tools[0].2 = json!([]);
    let (conclusion, wants) = investigate(LOCKED, &tools, Some(ARTICLE));
    assert_eq!(conclusion.ending, Ending::Escalate);
    assert!(
        conclusion
            .escalation
            .unwrap()
            .contains("no account with the address ann@example.com")
    );
    assert_eq!(wants.len(), 3, "{wants:?}");
}

#[test]
fn every_built_in_playbook_ends_whatever_its_tools_answer() {
    let playbooks = Playbooks::built_in().unwrap();
    for playbook in playbooks.iter() {
        let example = &playbook.triggers.phrases[0];
        let ticket = json!({
            "subject": example,
            "body": format!("{example}. The other is b@example.org, invoice INV-1"),
            "requester": "ann@example.com",
        });
        for answer in [
            json!([]),
            json!([{}]),
            json!([{"id": 1, "status": "odd", "email": 5}]),
            json!(["text"]),
        ] {
            let tools: Vec<_> = playbook
                .roles()
                .into_iter()
                .map(|(role, _)| (role, Access::Read, answer.clone()))
                .collect();
            let (conclusion, _) = investigate(&ticket.to_string(), &tools, None);
            assert!(conclusion.escalation.is_some() || !conclusion.sentences.is_empty());
        }
    }
}
