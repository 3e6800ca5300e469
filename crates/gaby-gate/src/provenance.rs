//! Values that remember where they came from.
//!
//! Every value that can reach a tool is [`Labelled`]: a JSON value with a label for each of its
//! leaves. A value built from several carries all their labels; the result of a read is never more
//! trusted than the arguments that selected it, so a look-up steered by a ticket's text does not
//! launder that text into an id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gaby_model::{EvidenceId, Integrity, Label, Readers, ToolDefinition};
use serde_json::{Map, Value};

use crate::egress;

/// A JSON value, and the label of each of its leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    value: Value,
    trust: Trust,
}

#[derive(Debug, Clone, PartialEq)]
enum Trust {
    /// Every leaf has this label.
    Whole(Label),
    /// Leaves as a tool's manifest declares them, none above the ceiling.
    Fields {
        ceiling: Label,
        declared: Arc<[(Vec<String>, Integrity)]>,
    },
    /// An object or array put together from parts; the keys are pointer segments.
    Parts {
        parts: BTreeMap<String, Trust>,
        /// Of the keys, the order and the number of parts: of whoever put it together.
        structure: Label,
    },
}

impl Labelled {
    /// A value with one label for all of it.
    #[must_use]
    pub fn whole(value: Value, label: Label) -> Self {
        Self {
            value,
            trust: Trust::Whole(label),
        }
    }

    /// A value that anybody may have written: ticket text, a model's own words.
    #[must_use]
    pub fn outsider(value: Value) -> Self {
        Self::whole(value, Label::of(Integrity::Outsider))
    }

    /// An object put together by Gaby herself from labelled fields.
    #[must_use]
    pub fn object(fields: impl IntoIterator<Item = (String, Labelled)>) -> Self {
        Self::object_by(Label::of(Integrity::Operator), fields)
    }

    /// An object put together from labelled fields by somebody whose choice of keys has this label.
    #[must_use]
    pub fn object_by(
        structure: Label,
        fields: impl IntoIterator<Item = (String, Labelled)>,
    ) -> Self {
        let mut value = Map::new();
        let mut parts = BTreeMap::new();
        for (name, field) in fields {
            value.insert(name.clone(), field.value);
            parts.insert(name, field.trust);
        }
        Self {
            value: Value::Object(value),
            trust: Trust::Parts { parts, structure },
        }
    }

    /// An array put together by Gaby herself from labelled items.
    #[must_use]
    pub fn array(items: impl IntoIterator<Item = Labelled>) -> Self {
        Self::array_by(Label::of(Integrity::Operator), items)
    }

    /// An array put together from labelled items by somebody whose choice of them has this label.
    #[must_use]
    pub fn array_by(structure: Label, items: impl IntoIterator<Item = Labelled>) -> Self {
        let mut value = Vec::new();
        let mut parts = BTreeMap::new();
        for (index, item) in items.into_iter().enumerate() {
            value.push(item.value);
            parts.insert(index.to_string(), item.trust);
        }
        Self {
            value: Value::Array(value),
            trust: Trust::Parts { parts, structure },
        }
    }

    /// The bare value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The label of the whole value: the lowest of all its leaves.
    #[must_use]
    pub fn label(&self) -> Label {
        self.label_below(&mut Vec::new(), &self.value)
    }

    /// What stands at a JSON pointer (RFC 6901), with its label; none where nothing stands.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<Labelled> {
        let value = self.value.pointer(pointer)?;
        let mut path = split(pointer);
        let label = self.label_below(&mut path, value);
        Some(Self::whole(value.clone(), label))
    }

    /// The named argument of a call, with its label.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<Labelled> {
        let value = self.value.as_object()?.get(name)?;
        let label = self.label_below(&mut vec![name.to_owned()], value);
        Some(Self::whole(value.clone(), label))
    }

    fn label_below(&self, path: &mut Vec<String>, value: &Value) -> Label {
        let mut label: Option<Label> = None;
        self.visit_leaves(path, value, 0, &mut |leaf| {
            label = Some(match label.take() {
                None => leaf,
                Some(sofar) => sofar.meet(&leaf),
            });
        });
        label.unwrap_or_else(|| Label::of(Integrity::Outsider))
    }

    fn visit_leaves(
        &self,
        path: &mut Vec<String>,
        value: &Value,
        depth: usize,
        found: &mut dyn FnMut(Label),
    ) {
        // Deeper than any value with a canonical form: hostile, and never trusted.
        if depth > gaby_model::canonical::MAX_DEPTH {
            found(Label::of(Integrity::Outsider));
            return;
        }
        if let Some(structure) = self.trust.structure_at(path) {
            found(structure.clone());
        }
        match (value, &self.trust) {
            (_, Trust::Whole(label)) => found(label.clone()),
            (Value::Object(fields), _) if !fields.is_empty() => {
                for (name, field) in fields {
                    path.push(name.clone());
                    self.visit_leaves(path, field, depth + 1, found);
                    path.pop();
                }
            }
            (Value::Array(items), _) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    self.visit_leaves(path, item, depth + 1, found);
                    path.pop();
                }
            }
            _ => found(self.trust.of_leaf(path, &self.value)),
        }
    }
}

impl Trust {
    /// The label of how the value at this place was put together, if it was.
    fn structure_at(&self, path: &[String]) -> Option<&Label> {
        match (self, path.split_first()) {
            (Self::Parts { structure, .. }, None) => Some(structure),
            (Self::Parts { parts, .. }, Some((first, rest))) => {
                parts.get(first)?.structure_at(rest)
            }
            (Self::Whole(_) | Self::Fields { .. }, _) => None,
        }
    }

    fn of_leaf(&self, path: &[String], root: &Value) -> Label {
        match self {
            Self::Whole(label) => label.clone(),
            Self::Fields { ceiling, declared } => {
                let integrity = declared
                    .iter()
                    .filter(|(pattern, _)| names(pattern, path, root))
                    .map(|(_, integrity)| *integrity)
                    .min()
                    .unwrap_or(Integrity::Outsider);
                let mut label = ceiling.clone();
                label.integrity = label.integrity.min(integrity);
                label
            }
            Self::Parts { parts, structure } => match path.split_first() {
                // Nothing went into an empty object or array but the decision to have none.
                None => structure.clone(),
                Some((first, rest)) => match (parts.get(first), child(root, first)) {
                    (Some(part), Some(value)) => part.of_leaf(rest, value),
                    _ => Label::of(Integrity::Outsider),
                },
            },
        }
    }
}

/// The result of a tool with the labels that its manifest gives to its fields, each lowered to
/// `arguments`, the label of everything that the tool was called with. What the manifest does not
/// name was written by an outsider.
#[must_use]
pub fn label_result(
    tool: &ToolDefinition,
    value: Value,
    arguments: &Label,
    evidence: Option<EvidenceId>,
) -> Labelled {
    let mut ceiling = arguments.clone();
    ceiling.origins.extend(evidence);
    let declared = tool
        .output_integrity
        .iter()
        // No manifest makes what a system answers more than a system's word.
        .map(|(pointer, integrity)| (split(pointer), (*integrity).min(Integrity::System)))
        .collect();
    Labelled {
        value,
        trust: Trust::Fields { ceiling, declared },
    }
}

/// Whether everybody in the audience may see a value with these readers.
#[must_use]
pub fn may_read(readers: &Readers, audience: &BTreeSet<String>) -> bool {
    match readers {
        Readers::Public => true,
        Readers::Only(allowed) => audience.iter().all(|who| {
            let own_system = who.starts_with("connector:") && allowed.contains(egress::SYSTEMS);
            own_system || allowed.contains(who)
        }),
    }
}

fn names(pattern: &[String], path: &[String], root: &Value) -> bool {
    if pattern.len() != path.len() {
        return false;
    }
    let mut value = root;
    for (wanted, segment) in pattern.iter().zip(path) {
        let any_index = wanted == "*" && value.is_array();
        if !any_index && wanted != segment {
            return false;
        }
        match child(value, segment) {
            Some(below) => value = below,
            None => return false,
        }
    }
    true
}

fn child<'v>(value: &'v Value, segment: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) => fields.get(segment),
        Value::Array(items) => items.get(segment.parse::<usize>().ok()?),
        _ => None,
    }
}

fn split(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::tool;
    use gaby_model::Access;
    use serde_json::json;

    fn lookup(arguments: Integrity) -> Labelled {
        let mut find = tool("crm", "find", Access::Read);
        find.output_integrity = [
            ("/rows/*/id".to_owned(), Integrity::System),
            ("/rows/*/status".to_owned(), Integrity::System),
            ("/count".to_owned(), Integrity::Operator),
        ]
        .into();
        let value =
            json!({"rows": [{"id": 7, "status": "locked", "name": "Reset id 1"}], "count": 1});
        label_result(&find, value, &Label::of(arguments), None)
    }

    fn integrity(value: &Labelled, pointer: &str) -> Integrity {
        value.at(pointer).unwrap().label().integrity
    }

    #[test]
    fn a_field_is_trusted_as_its_manifest_says_and_free_text_is_not() {
        let result = lookup(Integrity::VerifiedRequester);
        assert_eq!(integrity(&result, "/rows/0/id"), Integrity::System);
        assert_eq!(integrity(&result, "/rows/0/name"), Integrity::Outsider);
        assert_eq!(integrity(&result, "/rows/0"), Integrity::Outsider);
        assert_eq!(integrity(&result, "/count"), Integrity::System);
    }

    #[test]
    fn a_look_up_steered_by_an_outsider_launders_nothing() {
        let result = lookup(Integrity::Outsider);
        assert_eq!(integrity(&result, "/rows/0/id"), Integrity::Outsider);
    }

    #[test]
    fn a_star_stands_for_an_index_and_not_for_a_key() {
        let mut find = tool("crm", "find", Access::Read);
        find.output_integrity = [("/rows/*".to_owned(), Integrity::System)].into();
        let by_key = label_result(
            &find,
            json!({"rows": {"0": "chosen by an outsider"}}),
            &Label::of(Integrity::Operator),
            None,
        );
        assert_eq!(integrity(&by_key, "/rows/0"), Integrity::Outsider);
    }

    #[test]
    fn a_value_put_together_keeps_the_label_of_each_part() {
        let id = lookup(Integrity::Operator).at("/rows/0/id").unwrap();
        let call = Labelled::object([
            ("id".to_owned(), id),
            ("note".to_owned(), Labelled::outsider(json!("please"))),
            ("none".to_owned(), Labelled::array([])),
        ]);
        assert_eq!(
            call.value(),
            &json!({"id": 7, "note": "please", "none": []})
        );
        assert_eq!(
            call.argument("id").unwrap().label().integrity,
            Integrity::System
        );
        assert_eq!(
            call.argument("note").unwrap().label().integrity,
            Integrity::Outsider
        );
        assert_eq!(call.label().integrity, Integrity::Outsider);
    }

    #[test]
    fn keys_and_emptiness_chosen_by_an_outsider_are_an_outsiders() {
        let outsider = Label::of(Integrity::Outsider);
        let id = lookup(Integrity::Operator).at("/rows/0/id").unwrap();
        let filter = Labelled::object_by(outsider.clone(), [("$ne".to_owned(), id.clone())]);
        let call = Labelled::object([
            ("filter".to_owned(), filter),
            ("none".to_owned(), Labelled::array_by(outsider.clone(), [])),
            ("list".to_owned(), Labelled::array_by(outsider, [id])),
        ]);
        for name in ["filter", "none", "list"] {
            let integrity = call.argument(name).unwrap().label().integrity;
            assert_eq!(integrity, Integrity::Outsider, "{name}");
        }
        assert_eq!(integrity(&call, "/list/0"), Integrity::System);
    }

    #[test]
    fn evidence_is_remembered_as_an_origin() {
        let evidence = EvidenceId::generate();
        let find = tool("crm", "find", Access::Read);
        let result = label_result(
            &find,
            json!("text"),
            &Label::of(Integrity::Operator),
            Some(evidence.clone()),
        );
        assert!(result.label().origins.contains(&evidence));
    }

    #[test]
    fn a_bottomless_value_is_an_outsiders() {
        let mut deep = json!(1);
        for _ in 0..1_000 {
            deep = Value::Array(vec![deep]);
        }
        let find = tool("crm", "find", Access::Read);
        let result = label_result(&find, deep, &Label::of(Integrity::Operator), None);
        assert_eq!(result.label().integrity, Integrity::Outsider);
    }
}
