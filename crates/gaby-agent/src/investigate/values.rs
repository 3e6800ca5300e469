//! The values that a call may name, each with what is known about its making.

use std::collections::{BTreeMap, BTreeSet};

use gaby_gate::{Labelled, Recorded, egress, label_result};
use gaby_model::{Integrity, Label, Readers, ToolDefinition, ToolRef};
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
        label.readers = Readers::Only([audience, egress::SYSTEMS.to_owned()].into());
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
/// for somebody in particular is for the operator's own people. Where nobody vouches for who asks
/// (`vouched` is false), it is somebody's in particular only if nothing but trusted values and
/// bounded ones selected it.
#[must_use]
pub(crate) fn result_label(
    tool: &ToolRef,
    definition: Option<&ToolDefinition>,
    arguments: &Labelled,
    may_tell: &[String],
    vouched: bool,
) -> Label {
    let mut label = arguments.label();
    let asked_for = match vouched {
        true => label.readers.clone(),
        false => selected_for(definition, arguments),
    };
    label.readers = egress::readers_of_answer(&tool.connector, &asked_for, STAFF, may_tell);
    label
}

fn selected_for(definition: Option<&ToolDefinition>, arguments: &Labelled) -> Readers {
    let mut readers = Readers::Public;
    let names = arguments
        .value()
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys());
    for name in names {
        let Some(argument) = arguments.argument(name) else {
            return Readers::Public;
        };
        let label = argument.label();
        let properties = definition.map(|tool| &tool.input_schema["properties"]);
        // An argument that the tool does not know selects nothing.
        let Some(schema) = properties.and_then(|properties| properties.get(name)) else {
            return Readers::Public;
        };
        if label.integrity >= Integrity::System {
            readers = Label {
                readers,
                ..Label::of(Integrity::System)
            }
            .meet(&label)
            .readers;
        } else if !is_option(argument.value(), schema) {
            return Readers::Public;
        }
    }
    readers
}

/// Who may see a record that is the requester's own: the requester, and whoever may see it anyhow;
/// the workspace's other systems only if somebody vouches that the requester is who they say.
#[must_use]
pub(crate) fn owners(case: &Case, label: &Label) -> Readers {
    let mut owners: BTreeSet<String> = audience(case).into_iter().collect();
    if case
        .ticket
        .requester
        .as_ref()
        .is_some_and(|requester| requester.verified)
    {
        owners.insert(egress::SYSTEMS.to_owned());
    }
    if let Readers::Only(readers) = &label.readers {
        owners.extend(readers.iter().cloned());
    }
    Readers::Only(owners)
}

/// What a brain writes by itself, that nobody vouches for.
pub(crate) struct Spoken<'a> {
    pub(crate) case: &'a Case,
    /// The requester's address, with what is known about it.
    pub(crate) requester: Option<Labelled>,
    /// The schema of the tool that it is written for.
    pub(crate) schema: Option<String>,
    /// The label of everything that the brain has seen.
    pub(crate) seen: Label,
    /// Whether it may still pick among words that tell nothing by themselves.
    pub(crate) picks_freely: bool,
}

impl Spoken<'_> {
    /// The label of a value that the brain wrote. The requester's own address is the requester's,
    /// whoever writes it down. A word of the ticket or of the tool's own schema tells nothing of
    /// what else the brain has seen, as long as there are few of them; anything else may.
    pub(crate) fn label(&self, value: &Value) -> Label {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Null | Value::Bool(_) if self.picks_freely => {
                return Label::of(Integrity::Outsider);
            }
            Value::Null | Value::Bool(_) => return self.seen.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(_) | Value::Object(_) => return self.seen.clone(),
        };
        if let Some(requester) = &self.requester
            && requester
                .value()
                .as_str()
                .is_some_and(|own| !own.is_empty() && own.trim().eq_ignore_ascii_case(&text))
        {
            return requester.label();
        }
        let ticket = &self.case.ticket;
        let of_ticket = [&ticket.subject, &ticket.body]
            .iter()
            .any(|said| stands_in(said, &text));
        let of_schema = self
            .schema
            .as_ref()
            .is_some_and(|schema| schema.contains(&format!("\"{text}\"")));
        match self.picks_freely && (text.is_empty() || of_ticket || of_schema) {
            true => Label::of(Integrity::Outsider),
            false => self.seen.clone(),
        }
    }
}

/// Whether a text holds another by itself, and not within a longer word.
fn stands_in(text: &str, wanted: &str) -> bool {
    text.match_indices(wanted).any(|(at, _)| {
        let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !touches(text[..at].chars().next_back())
            && !touches(text[at + wanted.len()..].chars().next())
    })
}

/// Whether a value only says how, such as a sort order or a count of rows, and cannot say which: one
/// of a closed list, or of a narrow range.
fn is_option(value: &Value, schema: &Value) -> bool {
    const WIDEST: f64 = 1_000.0;
    let range = |name: &str| schema[name].as_f64();
    let narrow = match (value.is_number(), range("minimum"), range("maximum")) {
        (true, Some(low), Some(high)) => high - low <= WIDEST,
        (is_number, ..) => !is_number || schema.get("enum").is_some(),
    };
    narrow && gaby_gate::is_bounded(value, schema)
}

/// Whether a record shows by itself that it is the requester's: a field that its system maintains
/// holds the requester's address as that of the record, and no such field holds another's.
#[must_use]
pub(crate) fn is_own(tool: &ToolDefinition, value: &Value, pointer: &str, email: &str) -> bool {
    const OWNERS: [&str; 6] = [
        "email",
        "email_address",
        "customer_email",
        "owner_email",
        "user_email",
        "requester_email",
    ];
    let maintained = label_result(tool, value.clone(), &Label::of(Integrity::System), None);
    let mut own = false;
    for name in OWNERS {
        let Some(field) = maintained.at(&format!("{pointer}/{name}")) else {
            continue;
        };
        let Some(address) = field.value().as_str() else {
            continue;
        };
        if field.label().integrity < Integrity::System
            || !address.trim().eq_ignore_ascii_case(email.trim())
        {
            return false;
        }
        own = true;
    }
    own
}

/// What a system says about the requester: each short value of the fields that it maintains.
#[must_use]
pub(crate) fn facts(tool: &ToolDefinition, value: &Value) -> BTreeSet<String> {
    const MOST: usize = 200;
    let maintained = label_result(tool, value.clone(), &Label::of(Integrity::System), None);
    let mut facts = BTreeSet::new();
    for pointer in records(value) {
        let fields = value.pointer(&pointer).and_then(Value::as_object);
        for (name, field) in fields.into_iter().flatten() {
            let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            let trusted = maintained
                .at(&place)
                .is_some_and(|field| field.label().integrity >= Integrity::System);
            let shown = match field {
                Value::String(text) if text.len() <= 100 => text.clone(),
                Value::Number(_) | Value::Bool(_) => field.to_string(),
                _ => continue,
            };
            if trusted && facts.len() < MOST {
                facts.insert(format!("{name}={shown}"));
            }
        }
    }
    facts
}

/// The arguments that make a look-up by address, of a tool that takes one; none when it does not.
#[must_use]
pub(crate) fn by_address(tool: &ToolDefinition, email: &str) -> Option<Labelled> {
    let properties = tool.input_schema.get("properties")?.as_object()?;
    let name = properties
        .keys()
        .find(|name| name.to_lowercase().contains("mail"))?;
    let label = Label::of(Integrity::VerifiedRequester);
    let email = Labelled::whole(json!(email), label);
    Some(Labelled::object([(name.clone(), email)]))
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
            work: crate::brain::Work::default(),
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
                readers(&["requester:ann@example.com", egress::SYSTEMS])
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
        let tool = find();
        let label = |arguments: &Labelled, vouched| {
            result_label(&tool.tool, Some(&tool), arguments, &[], vouched)
        };
        for vouched in [true, false] {
            assert_eq!(
                label(&by_ticket, vouched).readers,
                readers(&[STAFF, "connector:crm", "world:crm"])
            );
        }
        let case = case(r#"{"body":"x","requester":"ann@example.com"}"#);
        let known = at_start(&case, &Plan::default());
        let by_requester = Labelled::object([
            ("email".to_owned(), known["requester"].at("/email").unwrap()),
            ("number".to_owned(), Labelled::outsider(json!("INV-1"))),
        ]);
        let anns = readers(&[
            "requester:ann@example.com",
            egress::SYSTEMS,
            "connector:crm",
            "world:crm",
        ]);
        assert_eq!(label(&by_requester, true).readers, anns);
        assert_eq!(label(&by_requester, true).integrity, Integrity::Outsider);
        // A brain that nobody vouches for may have been told which number to ask for.
        assert_eq!(
            label(&by_requester, false).readers,
            readers(&[STAFF, "connector:crm", "world:crm"])
        );
        let mut verified = Label::of(Integrity::VerifiedRequester);
        verified.readers = readers(&["requester:ann@example.com", egress::SYSTEMS]);
        let own = Labelled::object([
            (
                "email".to_owned(),
                Labelled::whole(json!("ann@example.com"), verified),
            ),
            ("limit".to_owned(), Labelled::outsider(json!(5))),
        ]);
        assert_eq!(label(&own, false).readers, anns);
    }

    fn find() -> ToolDefinition {
        serde_json::from_value(json!({
            "tool": {"connector": "crm", "tool": "find"},
            "description": "Finds",
            "access": "read",
            "risk": 0,
            "input_schema": {"properties": {
                "email": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 9}
            }},
            "output_integrity": {"/result/*/email": "system", "/result/*/plan": "system"},
            "definition_hash": "",
        }))
        .unwrap()
    }

    fn readers(of: &[&str]) -> Readers {
        Readers::Only(of.iter().map(|who| (*who).to_owned()).collect())
    }

    #[test]
    fn a_record_is_the_requesters_only_if_its_system_says_so() {
        for (record, own) in [
            (json!({"email": "Ann@example.com"}), true),
            (json!({"email": "bob@example.com"}), false),
            (json!({"owner_email": "ann@example.com"}), false),
            (
                json!({"email": "ann@example.com", "customer_email": "bob@example.com"}),
                false,
            ),
            (json!({"note": "ann@example.com"}), false),
        ] {
            let value = json!({"result": [record]});
            assert_eq!(
                is_own(&find(), &value, "/result/0", "ann@example.com"),
                own,
                "{value}"
            );
        }
    }

    #[test]
    fn facts_are_what_the_system_itself_maintains() {
        let value =
            json!({"result": [{"plan": "enterprise", "name": "plan=free", "email": "a@b.c"}]});
        let facts = facts(&find(), &value);
        assert_eq!(
            facts,
            ["email=a@b.c", "plan=enterprise"].map(str::to_owned).into()
        );
        let arguments = by_address(&find(), "ann@example.com").unwrap();
        assert_eq!(arguments.value(), &json!({"email": "ann@example.com"}));
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
