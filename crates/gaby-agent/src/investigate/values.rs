//! The values that a call may name, each with what is known about its making.

use std::collections::{BTreeMap, BTreeSet};

use gaby_gate::{Labelled, Recorded, label_result};
use gaby_model::{Integrity, Label, Readers, ToolDefinition};
use serde_json::{Value, json};

use crate::brain::{Case, Outcome, Plan, Turn};
use crate::tools;

/// Who of the operator's people may see what is nobody's in particular.
const STAFF: &str = "role:agent";

/// The principal that a reply to this address reaches.
#[must_use]
pub(crate) fn requester_principal(email: &str) -> String {
    format!("requester:{}", email.trim().to_lowercase())
}

/// The principal behind a case; none when nobody is named.
#[must_use]
pub(crate) fn audience(case: &Case) -> Option<String> {
    let email = case.ticket.requester.as_ref()?.email.as_deref()?;
    (!email.trim().is_empty()).then(|| requester_principal(email))
}

/// What is known before any call: the requester, the ticket, and what was taken from its text.
#[must_use]
pub(crate) fn at_start(case: &Case, plan: &Plan) -> Recorded {
    let mut recorded = Recorded::new();
    recorded.insert("requester".to_owned(), requester(case));
    let ticket = json!({"subject": case.ticket.subject, "body": case.ticket.body});
    recorded.insert("ticket".to_owned(), Labelled::outsider(ticket));
    recorded.insert(
        "inputs".to_owned(),
        Labelled::outsider(json!(plan.from_ticket)),
    );
    recorded
}

/// What the source says about the requester. The name is what anybody may have called themselves.
fn requester(case: &Case) -> Labelled {
    let Some(requester) = &case.ticket.requester else {
        return Labelled::outsider(Value::Null);
    };
    let email = requester
        .email
        .as_deref()
        .map(str::trim)
        .unwrap_or_default();
    let mut label = Label::of(if requester.verified {
        Integrity::VerifiedRequester
    } else {
        Integrity::Outsider
    });
    if let Some(audience) = audience(case) {
        label.readers = Readers::Only([audience].into());
    }
    let domain = email
        .rsplit_once('@')
        .map(|(_, domain)| domain.to_lowercase());
    Labelled::object([
        (
            "email".to_owned(),
            Labelled::whole(json!(email), label.clone()),
        ),
        ("domain".to_owned(), Labelled::whole(json!(domain), label)),
        ("name".to_owned(), Labelled::outsider(json!(requester.name))),
    ])
}

/// The texts that a call puts together from several values.
#[must_use]
pub(crate) fn composed(values: &BTreeMap<String, Value>) -> Labelled {
    Labelled::outsider(json!(values))
}

/// The label under which the result of a call with these arguments is kept. What was not looked up
/// for somebody in particular is for the operator's own people.
#[must_use]
pub(crate) fn result_label(arguments: &Labelled) -> Label {
    let mut label = arguments.label();
    if label.readers == Readers::Public {
        label.readers = Readers::Only(BTreeSet::from([STAFF.to_owned()]));
    }
    label
}

/// A tool's answer with the labels of its fields.
#[must_use]
pub(crate) fn labelled(
    tools: &[ToolDefinition],
    turn: &Turn,
    label: &Label,
) -> Option<(String, Labelled)> {
    let (crate::brain::Want::Call(wish), Outcome::Read { value, .. }) = (&turn.want, &turn.outcome)
    else {
        return None;
    };
    let name = format!("step{}", turn.step);
    let value = match tools::named(tools, &wish.tool) {
        Some(tool) => label_result(tool, value.clone(), label, None),
        // A tool that is gone vouches for nothing.
        None => Labelled::outsider(value.clone()),
    };
    Some((name, value))
}

/// The records in a tool's answer, by JSON pointer: the rows of a table, or the answer itself.
#[must_use]
pub(crate) fn records(value: &Value) -> Vec<String> {
    const MOST: usize = 50;
    let rows = |prefix: &str, rows: &[Value]| {
        (0..rows.len().min(MOST))
            .map(|index| format!("{prefix}/{index}"))
            .collect()
    };
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => rows("", items),
        Value::Object(fields) if fields.values().all(Value::is_null) => Vec::new(),
        Value::Object(fields) => {
            let lists = ["result", "rows", "items", "results", "data", "records"];
            let list = lists
                .iter()
                .find_map(|name| Some((name, fields.get(*name)?.as_array()?)));
            match list {
                Some((name, items)) => rows(&format!("/{name}"), items),
                None => vec![String::new()],
            }
        }
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        _ => vec![String::new()],
    }
}

/// A record as text, for people and for the check of replies.
#[must_use]
pub(crate) fn shown(record: &Value) -> String {
    const LONGEST: usize = 2_000;
    let text = match record {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| match value {
                Value::String(text) => format!("{name}: {text}"),
                other => format!("{name}: {other}"),
            })
            .collect::<Vec<_>>()
            .join(", "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaby_model::{IncomingTicket, Timestamp};

    fn case(json: &str) -> Case {
        Case {
            ticket: serde_json::from_str::<IncomingTicket>(json).unwrap(),
            tools: Vec::new(),
            now: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_requester_is_trusted_only_when_the_source_vouches_and_a_name_never() {
        for (verified, expected) in [
            (true, Integrity::VerifiedRequester),
            (false, Integrity::Outsider),
        ] {
            let case = case(&format!(
                r#"{{"body":"x","requester":{{"email":"Ann@example.com","name":"Ann","verified":{verified}}}}}"#
            ));
            let known = at_start(&case, &Plan::default());
            let email = known["requester"].at("/email").unwrap();
            assert_eq!(email.label().integrity, expected);
            assert_eq!(
                email.label().readers,
                Readers::Only(["requester:ann@example.com".to_owned()].into())
            );
            assert_eq!(
                known["requester"].at("/name").unwrap().label().integrity,
                Integrity::Outsider
            );
            assert_eq!(known["ticket"].label().integrity, Integrity::Outsider);
        }
    }

    #[test]
    fn what_is_looked_up_by_the_tickets_words_alone_is_not_for_the_requester() {
        let by_ticket = Labelled::object([(
            "email".to_owned(),
            Labelled::outsider(json!("ceo@example.com")),
        )]);
        assert_eq!(
            result_label(&by_ticket).readers,
            Readers::Only([STAFF.to_owned()].into())
        );
        let case = case(r#"{"body":"x","requester":"ann@example.com"}"#);
        let known = at_start(&case, &Plan::default());
        let by_requester = Labelled::object([
            ("email".to_owned(), known["requester"].at("/email").unwrap()),
            ("number".to_owned(), Labelled::outsider(json!("INV-1"))),
        ]);
        let label = result_label(&by_requester);
        assert_eq!(
            label.readers,
            Readers::Only(["requester:ann@example.com".to_owned()].into())
        );
        assert_eq!(label.integrity, Integrity::Outsider);
    }

    #[test]
    fn records_are_rows_or_the_answer_itself() {
        for (answer, expected) in [
            (
                json!({"result": [{"id": 1}, {"id": 2}]}),
                vec!["/result/0", "/result/1"],
            ),
            (json!([{"id": 1}]), vec!["/0"]),
            (json!({"id": 1, "tags": ["a"]}), vec![""]),
            (json!({"result": []}), vec![]),
            (json!({"id": null}), vec![]),
            (json!({}), vec![]),
            (json!(null), vec![]),
            (json!("text"), vec![""]),
        ] {
            assert_eq!(records(&answer), expected, "{answer}");
        }
    }
}
