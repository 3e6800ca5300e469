//! What a human of the team does with a ticket: answers, notes, moves it on. Each is in the audit
//! log, in the same transaction.

use gaby_model::ticket::MAX_BODY_BYTES;
use gaby_model::{Author, Message, MessageId, Ticket, TicketId, TicketState, Timestamp};
use gaby_store::Workspace;
use gaby_store::audit::{Actor, AuditRecord};
use serde_json::{Value, json};

use crate::error::{ApiError, ApiResult};

/// A human's hand on a workspace's tickets.
pub(crate) struct Hand<'a> {
    workspace: &'a Workspace,
    actor: Actor,
    now: Timestamp,
}

impl<'a> Hand<'a> {
    pub(crate) fn new(workspace: &'a Workspace, actor: Actor, now: Timestamp) -> Self {
        Self {
            workspace,
            actor,
            now,
        }
    }

    /// Answers the requester, or leaves a note.
    ///
    /// # Errors
    /// When there is nothing in it, too much, or no such ticket.
    pub(crate) async fn write(
        &self,
        ticket: &TicketId,
        author: Author,
        body: String,
    ) -> ApiResult<Message> {
        if body.trim().is_empty() {
            return Err(ApiError::invalid("`body` is empty"));
        }
        if body.len() > MAX_BODY_BYTES {
            return Err(ApiError::invalid(format!(
                "`body` has {} bytes, more than the {MAX_BODY_BYTES} that are taken",
                body.len()
            )));
        }
        self.workspace.tickets().get(ticket).await?;
        let message = Message {
            id: MessageId::generate(),
            ticket: ticket.clone(),
            author,
            body,
            citations: Vec::new(),
            created_at: self.now,
        };
        let mut tx = self.workspace.begin().await?;
        tx.tickets().add_message(&message).await?;
        let action = match author {
            Author::Note => "ticket.note",
            _ => "ticket.reply",
        };
        let decision = json!({ "message": message.id });
        tx.audit(self.record(action, ticket, decision, Value::from(message.body.as_str())));
        tx.commit().await?;
        Ok(message)
    }

    /// Moves a ticket on.
    ///
    /// # Errors
    /// When a human cannot put it there, or there is no such ticket.
    pub(crate) async fn put_into(
        &self,
        ticket: &TicketId,
        state: TicketState,
    ) -> ApiResult<Ticket> {
        let by_hand = matches!(
            state,
            TicketState::Resolved
                | TicketState::Escalated
                | TicketState::WaitingForRequester
                | TicketState::Reopened
        );
        if !by_hand {
            return Err(ApiError::invalid(format!(
                "`state` cannot be set to `{}` by hand: use resolved, escalated, \
                 waiting_for_requester or reopened",
                state.as_str()
            )));
        }
        let mut tx = self.workspace.begin().await?;
        tx.tickets().set_state(ticket, state, self.now).await?;
        let decision = json!({ "state": state });
        tx.audit(self.record("ticket.state", ticket, decision, Value::Null));
        tx.commit().await?;
        Ok(self.workspace.tickets().get(ticket).await?)
    }

    fn record(
        &self,
        action: &str,
        ticket: &TicketId,
        decision: Value,
        content: Value,
    ) -> AuditRecord {
        AuditRecord {
            actor: self.actor.clone(),
            action: action.to_owned(),
            object: ticket.to_string(),
            decision,
            content,
            at: self.now,
        }
    }
}
