//! Tickets: one conversation and its turns, normalised from any source.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{MessageId, TicketId, WorkspaceId};
use crate::time::Timestamp;

/// The longest subject that is taken in, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 1_000;
/// The longest body that is taken in, in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// How soon a ticket wants an answer, most urgent last.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Whenever there is time.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Before the usual.
    High,
    /// Now.
    Urgent,
}

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Taken in, not yet looked at.
    #[default]
    New,
    /// Gaby is on it.
    Investigating,
    /// A proposed action waits for a human.
    WaitingForApproval,
    /// The requester was asked something.
    WaitingForRequester,
    /// Handed to a human, with the evidence.
    Escalated,
    /// Answered.
    Resolved,
    /// The requester came back after it was answered.
    Reopened,
}

impl TicketState {
    /// The word used in the store, the API and on screens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Investigating => "investigating",
            Self::WaitingForApproval => "waiting_for_approval",
            Self::WaitingForRequester => "waiting_for_requester",
            Self::Escalated => "escalated",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
        }
    }
}

/// The person who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Requester {
    /// What they call themselves; anybody can write anything here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their address, as the source gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the source or a signed identity vouches that this is the person. Never taken from
    /// the text of a ticket, and cleared at intake unless the source may vouch.
    #[serde(default)]
    pub verified: bool,
}

/// A ticket as a source, a file or the API gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncomingTicket {
    /// The one-line summary; may be empty.
    #[serde(default)]
    pub subject: String,
    /// What was written.
    pub body: String,
    /// Who wrote it: an address, or an object.
    #[serde(
        default,
        deserialize_with = "requester_or_address",
        skip_serializing_if = "Option::is_none"
    )]
    pub requester: Option<Requester>,
    /// The source's name, such as `api`, `cli` or `zendesk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The source's own id of the ticket; taking in the same one twice makes one ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// How soon it wants an answer.
    #[serde(default)]
    pub priority: Priority,
    /// When an answer is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla_deadline: Option<Timestamp>,
}

/// Why a ticket is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Nothing was written.
    #[error("the ticket is empty: `body` or `subject` must say something")]
    Empty,
    /// A field is longer than its limit.
    #[error("`{field}` has {bytes} bytes, more than the {limit} that are taken in")]
    TooLong {
        /// The field's name.
        field: &'static str,
        /// Its size.
        bytes: usize,
        /// Its limit.
        limit: usize,
    },
}

impl IncomingTicket {
    /// Checks that the ticket says something and is within its limits.
    ///
    /// # Errors
    /// When it is empty or a field is too long.
    pub fn check(&self) -> Result<(), TicketError> {
        if self.subject.trim().is_empty() && self.body.trim().is_empty() {
            return Err(TicketError::Empty);
        }
        let requester = self.requester.as_ref();
        let fields = [
            ("subject", self.subject.as_str(), MAX_SUBJECT_BYTES),
            ("body", self.body.as_str(), MAX_BODY_BYTES),
            (
                "requester.name",
                requester.and_then(|r| r.name.as_deref()).unwrap_or(""),
                MAX_SUBJECT_BYTES,
            ),
            (
                "requester.email",
                requester.and_then(|r| r.email.as_deref()).unwrap_or(""),
                320,
            ),
            ("source", self.source.as_deref().unwrap_or(""), 64),
            (
                "external_id",
                self.external_id.as_deref().unwrap_or(""),
                200,
            ),
        ];
        for (field, text, limit) in fields {
            if text.len() > limit {
                return Err(TicketError::TooLong {
                    field,
                    bytes: text.len(),
                    limit,
                });
            }
        }
        Ok(())
    }
}

fn requester_or_address<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Requester>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Address(String),
        Person(Requester),
    }
    Ok(
        Option::<Either>::deserialize(deserializer)?.map(|either| match either {
            Either::Address(email) => Requester {
                email: Some(email),
                ..Requester::default()
            },
            Either::Person(requester) => requester,
        }),
    )
}

/// A conversation as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The source it came from.
    pub source: String,
    /// The source's own id of it.
    pub external_id: Option<String>,
    /// The one-line summary.
    pub subject: String,
    /// Who asks.
    pub requester: Option<Requester>,
    /// Where it stands.
    pub state: TicketState,
    /// How soon it wants an answer.
    pub priority: Priority,
    /// When an answer is due.
    pub sla_deadline: Option<Timestamp>,
    /// When it was taken in.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Who wrote a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person who asks.
    Requester,
    /// Gaby.
    Gaby,
    /// A human of the operator's team.
    Agent,
    /// An internal note, not seen by the requester.
    Note,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Its conversation.
    pub ticket: TicketId,
    /// Who wrote it.
    pub author: Author,
    /// What was written, as plain text or Markdown.
    pub body: String,
    /// Citations of a reply of Gaby's; empty for everybody else.
    #[serde(default)]
    pub citations: Vec<crate::evidence::Citation>,
    /// When.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requester_is_an_address_or_a_person() {
        let by_address: IncomingTicket =
            serde_json::from_str(r#"{"body":"hi","requester":"a@example.com"}"#).unwrap();
        let by_person: IncomingTicket =
            serde_json::from_str(r#"{"body":"hi","requester":{"email":"a@example.com"}}"#).unwrap();
        assert_eq!(by_address, by_person);
        assert!(!by_address.requester.unwrap().verified);
    }

    #[test]
    fn a_ticket_that_says_nothing_or_too_much_is_refused() {
        let mut ticket: IncomingTicket = serde_json::from_str(r#"{"body":" \n"}"#).unwrap();
        assert_eq!(ticket.check(), Err(TicketError::Empty));
        ticket.body = "x".repeat(MAX_BODY_BYTES + 1);
        assert!(ticket.check().unwrap_err().to_string().contains("`body`"));
    }
}
