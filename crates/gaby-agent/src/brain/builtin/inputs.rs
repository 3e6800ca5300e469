//! A playbook's inputs: from the ticket's text, from what the source says about the requester, or
//! from what a step read.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::slots;
use crate::brain::Case;
use crate::playbook::lint::{bounded_regex, reference};
use crate::playbook::schema::{Input, InputFrom, Playbook, RequesterField};

/// The inputs that the ticket's text gives, by name.
#[must_use]
pub fn from_ticket(playbook: &Playbook, case: &Case) -> BTreeMap<String, String> {
    let text = format!("{}\n{}", case.ticket.subject, case.ticket.body);
    playbook
        .inputs
        .iter()
        .filter(|(_, input)| input.value.from == InputFrom::Ticket)
        .filter_map(|(name, input)| {
            let avoid = input.value.not.as_deref().and_then(|not| {
                let (_, other) = reference(not)?;
                requester_value(case, playbook.inputs.get(other)?.value.field?)
            });
            candidates(&input.value, &text)
                .into_iter()
                .find(|value| {
                    avoid
                        .as_ref()
                        .is_none_or(|avoid| !avoid.eq_ignore_ascii_case(value))
                })
                .map(|value| (name.clone(), value))
        })
        .collect()
}

fn candidates(input: &Input, text: &str) -> Vec<String> {
    let by_entity = input
        .entity
        .map(|entity| slots::find(entity, text))
        .unwrap_or_default();
    let by_pattern = input
        .pattern
        .as_deref()
        .and_then(|pattern| bounded_regex(pattern).ok())
        .map(|pattern| slots::find_by(&pattern, text))
        .unwrap_or_default();
    // A pattern of the playbook's own knows better than the general entity.
    by_pattern.into_iter().chain(by_entity).collect()
}

/// What the source says about the requester.
#[must_use]
pub fn requester_value(case: &Case, field: RequesterField) -> Option<String> {
    let requester = case.ticket.requester.as_ref()?;
    let email = || {
        requester
            .email
            .as_ref()
            .map(|email| email.trim().to_owned())
    };
    let value = match field {
        RequesterField::Email => email(),
        RequesterField::Name => requester.name.clone(),
        RequesterField::Domain => email().and_then(|email| {
            email
                .rsplit_once('@')
                .map(|(_, domain)| domain.to_lowercase())
        }),
    };
    value.filter(|value| !value.is_empty())
}

/// The inputs that are known before any step, by name; null where missing.
#[must_use]
pub fn known(
    playbook: &Playbook,
    case: &Case,
    from_ticket: &BTreeMap<String, String>,
) -> Map<String, Value> {
    playbook
        .inputs
        .iter()
        .map(|(name, input)| {
            let value = match (input.value.from, input.value.field) {
                (InputFrom::Requester, Some(field)) => requester_value(case, field),
                (InputFrom::Ticket, _) => from_ticket.get(name).cloned(),
                _ => None,
            };
            (name.clone(), value.map_or(Value::Null, Value::from))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Playbooks;
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
    fn a_value_that_must_differ_from_the_requesters_does() {
        let playbooks = Playbooks::built_in().unwrap();
        let merge = playbooks.get("account-merge").unwrap();
        let case = case(
            r#"{"body":"merge Ann@example.com into the other, a.lee@example.com","requester":"ann@example.com"}"#,
        );
        let found = from_ticket(merge, &case);
        assert_eq!(found["other"], "a.lee@example.com");
        assert_eq!(known(merge, &case, &found)["email"], "ann@example.com");
    }

    #[test]
    fn what_is_not_there_is_null() {
        let playbooks = Playbooks::built_in().unwrap();
        let sso = playbooks.get("sso-login-fails").unwrap();
        let case = case(r#"{"body":"sso fails","requester":{"email":"ann@Example.com"}}"#);
        let known_inputs = known(sso, &case, &BTreeMap::new());
        assert_eq!(known_inputs["domain"], "example.com");
        let nobody = super::known(sso, &self::case(r#"{"body":"sso"}"#), &BTreeMap::new());
        assert_eq!(nobody["email"], Value::Null);
    }
}
