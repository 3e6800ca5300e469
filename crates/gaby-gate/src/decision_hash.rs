//! One hash over everything that a decision was made on.
//!
//! An approval is bound to it: whoever approves says yes to these bytes, and to nothing else.

use std::collections::BTreeSet;

use gaby_model::canonical::{self, CanonicalError};
use gaby_model::{InvestigationId, Timestamp, ToolCall, WorkspaceId};
use serde_json::Value;
use sha2::{Digest, Sha256};

const DOMAIN: &[u8] = b"gaby/approval/v1";

/// Everything that a person decides on.
#[derive(Debug, Clone, Copy)]
pub struct DecisionHash<'a> {
    /// Whose workspace it happens in.
    pub workspace: &'a WorkspaceId,
    /// The investigation that wants it.
    pub investigation: &'a InvestigationId,
    /// The exact call.
    pub call: &'a ToolCall,
    /// The hash of the tool's definition, which its connector's manifest gives.
    pub definition_hash: &'a str,
    /// What the preview read showed; null where there is none.
    pub state_before: &'a Value,
    /// The hash of what the operator settled.
    pub policy_hash: &'a str,
    /// Who will see the arguments.
    pub audience: &'a BTreeSet<String>,
    /// When the offer ends.
    pub expires_at: Timestamp,
}

impl DecisionHash<'_> {
    /// SHA-256, in hex, over all fields, each preceded by its length, so that no two different
    /// decisions give the same bytes.
    ///
    /// # Errors
    /// When the arguments or the state before have no canonical form.
    pub fn compute(&self) -> Result<String, CanonicalError> {
        let audience: Value = self.audience.iter().cloned().collect();
        let mut hash = Sha256::new_with_prefix(DOMAIN);
        for field in [
            self.workspace.as_str().as_bytes(),
            self.investigation.as_str().as_bytes(),
            self.call.tool.connector.as_bytes(),
            self.call.tool.tool.as_bytes(),
            self.definition_hash.as_bytes(),
            &canonical::to_bytes(&self.call.arguments)?,
            &canonical::to_bytes(self.state_before)?,
            self.policy_hash.as_bytes(),
            &canonical::to_bytes(&audience)?,
            &self.expires_at.as_millis().to_be_bytes(),
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        Ok(hex::encode(hash.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaby_model::ToolRef;
    use serde_json::json;

    fn hash_of(change: impl Fn(&mut (ToolCall, String, Value, String, Timestamp))) -> String {
        let workspace: WorkspaceId = format!("wsp_{:032x}", 1).parse().unwrap();
        let investigation: InvestigationId = format!("inv_{:032x}", 1).parse().unwrap();
        let mut all = (
            ToolCall {
                tool: ToolRef {
                    connector: "crm".to_owned(),
                    tool: "unlock".to_owned(),
                },
                arguments: json!({"account": 7, "note": "as asked"}),
            },
            "definition".to_owned(),
            json!({"locked": true}),
            "policy".to_owned(),
            Timestamp::from_millis(1_000),
        );
        change(&mut all);
        DecisionHash {
            workspace: &workspace,
            investigation: &investigation,
            call: &all.0,
            definition_hash: &all.1,
            state_before: &all.2,
            policy_hash: &all.3,
            audience: &BTreeSet::new(),
            expires_at: all.4,
        }
        .compute()
        .unwrap()
    }

    #[test]
    fn every_part_of_a_decision_changes_its_hash() {
        let original = hash_of(|_| {});
        assert_eq!(original, hash_of(|_| {}));
        let changed = [
            hash_of(|all| all.0.tool.connector = "cr".to_owned()),
            // The same letters, divided otherwise between connector and tool.
            hash_of(|all| {
                all.0.tool.connector = "crmu".to_owned();
                all.0.tool.tool = "nlock".to_owned();
            }),
            hash_of(|all| all.1 = "other".to_owned()),
            hash_of(|all| all.2 = json!({"locked": false})),
            hash_of(|all| all.3 = "other".to_owned()),
            hash_of(|all| all.4 = Timestamp::from_millis(1_001)),
        ];
        for hash in changed {
            assert_ne!(original, hash);
        }
    }

    #[test]
    fn every_byte_of_the_arguments_changes_its_hash() {
        let original = hash_of(|_| {});
        let bytes = canonical::to_bytes(&json!({"account": 7, "note": "as asked"})).unwrap();
        let mut tried = 0;
        for index in 0..bytes.len() {
            for flip in 0..8 {
                let mut mutated = bytes.clone();
                mutated[index] ^= 1 << flip;
                let Ok(arguments) = serde_json::from_slice::<Value>(&mutated) else {
                    continue;
                };
                tried += 1;
                assert_ne!(original, hash_of(|all| all.0.arguments = arguments.clone()));
            }
        }
        assert!(tried > 50, "only {tried} mutations were still JSON");
    }
}
