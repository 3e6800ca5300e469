//! Where a value came from, and who may see it.
//!
//! Untrusted text never becomes authority: every value that reaches the gate carries a [`Label`],
//! and a value made from several carries the lowest of theirs. A look-up steered by a ticket's text
//! is therefore no more trusted than that text.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::EvidenceId;

/// How far a value can be trusted, lowest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    /// Written by anybody: ticket text, names, log lines, web pages, a model's own words.
    Outsider,
    /// A field that a connected system itself maintains (an id, a status, an amount).
    System,
    /// Stated about the requester by a source that vouches for it.
    VerifiedRequester,
    /// Written in a playbook that the operator installed.
    Playbook,
    /// Given by the operator.
    Operator,
}

/// Who may see a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    /// Anybody.
    Public,
    /// Only these principals (`requester:…`, `role:…`, `workspace:…`).
    Only(BTreeSet<String>),
}

/// What is known about a value's making.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Label {
    /// How far it can be trusted.
    pub integrity: Integrity,
    /// Who may see it.
    pub readers: Readers,
    /// The evidence it was made from.
    pub origins: BTreeSet<EvidenceId>,
}

impl Label {
    /// A value with this integrity, that anybody may see, made from nothing recorded.
    #[must_use]
    pub fn of(integrity: Integrity) -> Self {
        Self {
            integrity,
            readers: Readers::Public,
            origins: BTreeSet::new(),
        }
    }

    /// The label of a value made from both: the lower integrity, the readers of both, all origins.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let readers = match (&self.readers, &other.readers) {
            (Readers::Public, only) | (only, Readers::Public) => only.clone(),
            (Readers::Only(a), Readers::Only(b)) => Readers::Only(a & b),
        };
        Self {
            integrity: self.integrity.min(other.integrity),
            readers,
            origins: &self.origins | &other.origins,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn label() -> impl Strategy<Value = Label> {
        let integrity = prop_oneof![
            Just(Integrity::Outsider),
            Just(Integrity::System),
            Just(Integrity::VerifiedRequester),
            Just(Integrity::Playbook),
            Just(Integrity::Operator),
        ];
        let readers = prop_oneof![
            Just(Readers::Public),
            proptest::collection::btree_set("[a-c]", 0..3).prop_map(Readers::Only),
        ];
        (integrity, readers).prop_map(|(integrity, readers)| Label {
            integrity,
            readers,
            origins: BTreeSet::new(),
        })
    }

    proptest! {
        #[test]
        fn meet_is_commutative_associative_and_idempotent(a in label(), b in label(), c in label()) {
            prop_assert_eq!(a.meet(&b), b.meet(&a));
            prop_assert_eq!(a.meet(&b).meet(&c), a.meet(&b.meet(&c)));
            prop_assert_eq!(a.meet(&a), a.clone());
        }

        #[test]
        fn an_outsider_origin_never_raises_trust(a in label()) {
            let mixed = a.meet(&Label::of(Integrity::Outsider));
            prop_assert_eq!(mixed.integrity, Integrity::Outsider);
        }
    }
}
