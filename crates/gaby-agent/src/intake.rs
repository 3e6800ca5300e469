//! Taking a ticket in: check, dedupe, store with its work in one change; only then acknowledge.

use gaby_model::{
    Author, IncomingTicket, Message, MessageId, Requester, Ticket, TicketId, TicketState,
};
use gaby_store::queue::{Job, due};
use gaby_store::tickets::Inserted;
use serde_json::json;

use crate::agent::Agent;
use crate::error::AgentError;
use crate::investigate::record;
use crate::queue;

/// The kind of job that investigates a ticket.
pub const INVESTIGATE: &str = "investigate";

/// What became of a ticket that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenIn {
    /// It was taken in, under this id.
    New(TicketId),
    /// Its source gave it before; nothing was added.
    Known(TicketId),
}

impl TakenIn {
    /// The ticket's id.
    #[must_use]
    pub fn id(&self) -> &TicketId {
        match self {
            Self::New(id) | Self::Known(id) => id,
        }
    }
}

/// Takes a ticket in from a source, and stores the work on it with it: for whoever comes first, or
/// with `here` under a lease of this process, whose job is given then.
pub(crate) async fn take_in(
    agent: &Agent,
    incoming: IncomingTicket,
    source: &str,
    here: bool,
) -> Result<(TakenIn, Option<Job>), AgentError> {
    incoming.check()?;
    let now = agent.now();
    let vouches = agent.settings().source(source).vouches;
    let ticket = Ticket {
        id: TicketId::generate(),
        workspace: agent.workspace().id().clone(),
        source: source.to_owned(),
        external_id: incoming.external_id,
        subject: incoming.subject,
        requester: incoming
            .requester
            .map(|requester| believed(requester, vouches)),
        state: TicketState::New,
        priority: incoming.priority,
        sla_deadline: incoming.sla_deadline,
        created_at: now,
        updated_at: now,
    };
    let message = Message {
        id: MessageId::generate(),
        ticket: ticket.id.clone(),
        author: Author::Requester,
        body: incoming.body,
        citations: Vec::new(),
        created_at: now,
    };
    gaby_store::failpoint("intake:before");
    let mut tx = agent.workspace().begin().await?;
    if let Inserted::AlreadyThere(known) = tx.tickets().insert(&ticket).await? {
        return Ok((TakenIn::Known(known), None));
    }
    tx.tickets().add_message(&message).await?;
    let due = due(ticket.sla_deadline, ticket.priority, now);
    let job = if here {
        queue::take_up(&mut tx, &ticket, now).await?
    } else {
        tx.enqueue(INVESTIGATE, ticket.id.as_str(), due, ticket.priority, now)
            .await?;
        None
    };
    let content =
        json!({"subject": ticket.subject, "body": message.body, "requester": ticket.requester});
    record::audit(&mut tx, "ticket.taken_in", &ticket.id, &content, now);
    tx.commit().await?;
    gaby_store::failpoint("intake:after");
    metrics::counter!("gaby_tickets_total", "source" => source.to_owned()).increment(1);
    Ok((TakenIn::New(ticket.id), job))
}

/// The requester as far as the source may be believed.
fn believed(requester: Requester, vouches: bool) -> Requester {
    let has_address = requester
        .email
        .as_deref()
        .is_some_and(|email| !email.trim().is_empty());
    Requester {
        verified: requester.verified && vouches && has_address,
        ..requester
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requester_is_verified_only_by_a_source_that_may_vouch_and_only_with_an_address() {
        let claims = |email: Option<&str>| Requester {
            name: None,
            email: email.map(str::to_owned),
            verified: true,
        };
        assert!(believed(claims(Some("ann@example.com")), true).verified);
        assert!(!believed(claims(Some("ann@example.com")), false).verified);
        assert!(!believed(claims(Some(" ")), true).verified);
        assert!(!believed(claims(None), true).verified);
    }
}
