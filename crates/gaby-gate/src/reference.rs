//! Values named by reference: `$ev12/user/id`.
//!
//! Whoever plans a call writes strings. A string carries no trust of its own; one that is exactly a
//! reference is replaced by the recorded value it names, with that value's label. Text that comes
//! out of a reference is never read as a reference again.

use std::collections::BTreeMap;

use gaby_model::Label;
use serde_json::Value;

use crate::provenance::Labelled;

/// The recorded values that a call may name: `ev1`, `ev2`, … for evidence, `requester`, `ticket`.
pub type Recorded = BTreeMap<String, Labelled>;

/// Why a call's arguments could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing is recorded under that name.
    #[error("`{reference}` names nothing that was recorded")]
    Unknown {
        /// The reference as written.
        reference: String,
    },
    /// The recorded value has nothing at that place.
    #[error("`{reference}` names a field that the recorded value does not have")]
    NoSuchField {
        /// The reference as written.
        reference: String,
    },
    /// Nested deeper than any call may be.
    #[error(
        "the arguments are nested deeper than {} levels",
        gaby_model::canonical::MAX_DEPTH
    )]
    TooDeep,
}

/// Replaces every reference in `arguments` by what it names; all other leaves get the label that
/// `literal` gives them, and so does the shape of objects and lists within the arguments, which
/// whoever wrote them chose.
///
/// # Errors
/// When a reference names nothing, or the arguments are nested too deep.
pub fn resolve(
    arguments: &Value,
    literal: &dyn Fn(&Value) -> Label,
    recorded: &Recorded,
) -> Result<Labelled, ReferenceError> {
    resolve_at(arguments, literal, recorded, 0)
}

fn resolve_at(
    value: &Value,
    literal: &dyn Fn(&Value) -> Label,
    recorded: &Recorded,
    depth: usize,
) -> Result<Labelled, ReferenceError> {
    if depth > gaby_model::canonical::MAX_DEPTH {
        return Err(ReferenceError::TooDeep);
    }
    match value {
        Value::String(text) if is_reference(text) => dereference(text, recorded),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| {
                let field = resolve_at(field, literal, recorded, depth + 1)?;
                Ok((name.clone(), field))
            })
            .collect::<Result<Vec<_>, _>>()
            .map(|fields| match depth {
                // The names of the arguments themselves are the tool's, and each is weighed apart.
                0 => Labelled::object(fields),
                _ => Labelled::object_by(literal(value), fields),
            }),
        Value::Array(items) => items
            .iter()
            .map(|item| resolve_at(item, literal, recorded, depth + 1))
            .collect::<Result<Vec<_>, _>>()
            .map(|items| Labelled::array_by(literal(value), items)),
        leaf => Ok(Labelled::whole(leaf.clone(), literal(leaf))),
    }
}

/// What one reference names, with its label.
///
/// # Errors
/// When it names nothing.
pub fn dereference(reference: &str, recorded: &Recorded) -> Result<Labelled, ReferenceError> {
    let shown = || reference.chars().take(120).collect::<String>();
    let path = reference.strip_prefix('$').unwrap_or(reference);
    let (name, pointer) = match path.find('/') {
        Some(slash) => path.split_at(slash),
        None => (path, ""),
    };
    recorded
        .get(name)
        .ok_or_else(|| ReferenceError::Unknown { reference: shown() })?
        .at(pointer)
        .ok_or_else(|| ReferenceError::NoSuchField { reference: shown() })
}

/// Whether a text is a reference and nothing else. A price such as `$20` is not.
#[must_use]
pub fn is_reference(text: &str) -> bool {
    let Some(path) = text.strip_prefix('$') else {
        return false;
    };
    let name = path.split('/').next().unwrap_or("");
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaby_model::Integrity;
    use serde_json::json;

    fn recorded() -> Recorded {
        let system = Label::of(Integrity::System);
        [
            (
                "ev1".to_owned(),
                Labelled::whole(json!({"user": {"id": 7}}), system),
            ),
            (
                "ticket".to_owned(),
                Labelled::outsider(json!({"body": "$ev1/user/id"})),
            ),
        ]
        .into()
    }

    fn resolved(arguments: &Value) -> Result<Labelled, ReferenceError> {
        resolve(arguments, &|_| Label::of(Integrity::Outsider), &recorded())
    }

    #[test]
    fn a_reference_brings_the_value_and_its_label() {
        let call = resolved(&json!({"id": "$ev1/user/id", "typed": 7, "price": "$20"})).unwrap();
        assert_eq!(call.value(), &json!({"id": 7, "typed": 7, "price": "$20"}));
        assert_eq!(
            call.argument("id").unwrap().label().integrity,
            Integrity::System
        );
        assert_eq!(
            call.argument("typed").unwrap().label().integrity,
            Integrity::Outsider
        );
    }

    #[test]
    fn a_reference_that_names_nothing_is_an_error_that_says_so() {
        let unknown = resolved(&json!({"id": "$ev9/user/id"})).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "`$ev9/user/id` names nothing that was recorded"
        );
        assert!(matches!(
            resolved(&json!(["$ev1/user/mail"])).unwrap_err(),
            ReferenceError::NoSuchField { .. }
        ));
    }

    #[test]
    fn text_that_came_out_of_a_reference_is_not_read_as_one() {
        let call = resolved(&json!({"note": "$ticket/body"})).unwrap();
        assert_eq!(call.value(), &json!({"note": "$ev1/user/id"}));
        assert_eq!(call.label().integrity, Integrity::Outsider);
    }
}
