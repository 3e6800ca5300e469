//! Identifiers: one newtype per thing, so that a ticket's id cannot be passed for a step's.
//!
//! An id is a short prefix and a UUID version 7 in hex (`tkt_0190…`): unguessable, and sortable by
//! the time it was made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A text that is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}: expected `{prefix}_` and 32 hexadecimal digits")]
pub struct IdError {
    /// What was given, shortened.
    pub text: String,
    /// The kind that was expected, with its article.
    pub kind: &'static str,
    /// The prefix of that kind.
    pub prefix: &'static str,
}

fn check(text: &str, prefix: &'static str, kind: &'static str) -> Result<(), IdError> {
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'));
    match digits {
        Some(d) if d.len() == 32 && d.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => {
            Ok(())
        }
        _ => Err(IdError {
            text: text.chars().take(60).collect(),
            kind,
            prefix,
        }),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The text before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id that no one else has.
            #[must_use]
            pub fn generate() -> Self {
                Self(format!("{}_{}", $prefix, uuid::Uuid::now_v7().simple()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text, $prefix, $kind)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                check(&text, $prefix, $kind)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

ids! {
    /// One tenant: a company, or a client of an MSP.
    WorkspaceId, "wsp", "a workspace id";
    /// One conversation.
    TicketId, "tkt", "a ticket id";
    /// One turn of a conversation.
    MessageId, "msg", "a message id";
    /// One run of the agent on one ticket.
    InvestigationId, "inv", "an investigation id";
    /// One line of an investigation's timeline.
    StepId, "stp", "a step id";
    /// One recorded fact.
    EvidenceId, "evd", "an evidence id";
    /// One write that Gaby wants or did.
    ActionId, "act", "an action id";
    /// A place that documents come from: a folder, a repository, an upload.
    KnowledgeSourceId, "src", "a knowledge source id";
    /// One ingested document.
    DocumentId, "doc", "a document id";
    /// One passage of a document.
    ChunkId, "chk", "a chunk id";
    /// One unit of queued work.
    JobId, "job", "a job id";
    /// One person with an account.
    UserId, "usr", "a user id";
    /// One signed-in browser.
    SessionId, "ses", "a session id";
    /// One API token.
    TokenId, "tok", "a token id";
    /// One entry of the consent log.
    ConsentId, "con", "a consent id";
    /// One standing approval of a bounded pattern.
    PatternId, "pat", "a pattern id";
    /// One write that was only shown as it would be.
    RehearsalId, "reh", "a rehearsal id";
    /// One call of a language model.
    LlmCallId, "llm", "a model call id";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_is_refused_with_both_kinds_named() {
        let ticket = TicketId::generate();
        let error = StepId::from_str(ticket.as_str()).unwrap_err();
        assert!(error.to_string().contains("is not a step id"), "{error}");
        assert!(error.to_string().contains("stp_"), "{error}");
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made_and_round_trip_through_json() {
        let made: Vec<_> = (0..100).map(|_| TicketId::generate()).collect();
        let mut sorted = made.clone();
        sorted.sort();
        assert_eq!(made, sorted);
        let json = serde_json::to_string(&made[0]).unwrap();
        assert_eq!(serde_json::from_str::<TicketId>(&json).unwrap(), made[0]);
        assert!(serde_json::from_str::<TicketId>("\"tkt_XYZ\"").is_err());
    }
}
