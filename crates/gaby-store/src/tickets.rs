//! Tickets and their messages.

use gaby_model::{
    Author, Citation, Event, InvestigationId, Message, Requester, Ticket, TicketId, TicketState,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::error::StoreError;
use crate::sql::{Row, query};
use crate::tx::Tx;
use crate::workspace::{Workspace, as_word, parsed, word};

#[derive(Serialize, Deserialize)]
struct TicketContent {
    subject: String,
    external_id: Option<String>,
    requester: Option<Requester>,
}

#[derive(Serialize, Deserialize)]
struct MessageContent {
    body: String,
    citations: Vec<Citation>,
}

/// Which tickets to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// Only in this state.
    pub state: Option<TicketState>,
    /// Only those before this one, for the next page.
    pub before: Option<TicketId>,
    /// At most so many.
    pub limit: u32,
}

/// Reads of tickets.
pub struct Tickets<'a>(&'a Workspace);

/// Changes of tickets.
pub struct TicketsTx<'a>(&'a mut Tx);

impl Workspace {
    /// Tickets and messages.
    #[must_use]
    pub fn tickets(&self) -> Tickets<'_> {
        Tickets(self)
    }
}

impl Tx {
    /// Tickets and messages.
    pub fn tickets(&mut self) -> TicketsTx<'_> {
        TicketsTx(self)
    }
}

impl Tickets<'_> {
    /// One ticket.
    ///
    /// # Errors
    /// When there is none of this id in this workspace.
    pub async fn get(&self, id: &TicketId) -> Result<Ticket> {
        let row = query(
            "SELECT id, source, state, priority, sla_deadline, created_at, updated_at, content \
             FROM tickets WHERE id = $1 AND workspace = $2",
        )
        .bind(id.as_str())
        .bind(self.0.id().as_str())
        .fetch_optional(self.0.db().reader())
        .await?
        .ok_or_else(|| StoreError::NotFound {
            what: "ticket",
            id: id.to_string(),
        })?;
        ticket(self.0, &row)
    }

    /// Tickets, newest first.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn list(&self, filter: &TicketFilter) -> Result<Vec<Ticket>> {
        let state = filter.state.map_or("", TicketState::as_str);
        let before = filter.before.as_ref().map_or("", TicketId::as_str);
        // Ids sort by the time they were made.
        let rows = query(
            "SELECT id, source, state, priority, sla_deadline, created_at, updated_at, content \
             FROM tickets WHERE workspace = $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR id < $3) \
             ORDER BY id DESC LIMIT $4",
        )
        .bind(self.0.id().as_str())
        .bind(state)
        .bind(before)
        .bind(i64::from(filter.limit.max(1)))
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter().map(|row| ticket(self.0, row)).collect()
    }

    /// The tickets that this address asked, newest first.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn of_requester(&self, email: &str, limit: u32) -> Result<Vec<Ticket>> {
        let rows = query(
            "SELECT id, source, state, priority, sla_deadline, created_at, updated_at, content \
             FROM tickets WHERE workspace = $1 AND requester = $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(self.0.id().as_str())
        .bind(requester_hash(self.0, email))
        .bind(i64::from(limit))
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter().map(|row| ticket(self.0, row)).collect()
    }

    /// How many tickets are in each state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self) -> Result<Vec<(TicketState, u64)>> {
        let rows = query("SELECT state, COUNT(*) FROM tickets WHERE workspace = $1 GROUP BY state")
            .bind(self.0.id().as_str())
            .large()
            .fetch_all(self.0.db().reader())
            .await?;
        rows.iter()
            .map(|row| {
                let count: i64 = row.get(1)?;
                Ok((word(&row.get::<String>(0)?)?, count.unsigned_abs()))
            })
            .collect()
    }

    /// A ticket's turns, oldest first.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn messages(&self, ticket: &TicketId) -> Result<Vec<Message>> {
        let rows = query(
            "SELECT id, author, created_at, content FROM messages \
             WHERE ticket = $1 AND workspace = $2 ORDER BY created_at, id",
        )
        .bind(ticket.as_str())
        .bind(self.0.id().as_str())
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| {
                let id: String = row.get(0)?;
                let content: MessageContent = self.0.unseal("messages", &id, row.bytes(3)?)?;
                Ok(Message {
                    id: parsed(&id)?,
                    ticket: ticket.clone(),
                    author: word(&row.get::<String>(1)?)?,
                    body: content.body,
                    citations: content.citations,
                    created_at: Timestamp::from_millis(row.get(2)?),
                })
            })
            .collect()
    }
}

impl TicketsTx<'_> {
    /// Adds a ticket. When its source gave it before, nothing is added and the id of the one that is
    /// there is returned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, ticket: &Ticket) -> Result<Inserted> {
        let workspace = self.0.workspace().clone();
        let external = ticket
            .external_id
            .as_ref()
            .map(|id| workspace.keyed_hash("ticket-external-id", id.as_bytes()));
        if let Some(external) = &external {
            let there = query(
                "SELECT id FROM tickets WHERE workspace = $1 AND source = $2 AND external_id = $3",
            )
            .bind(workspace.id().as_str())
            .bind(&ticket.source)
            .bind(external.clone())
            .fetch_optional(&mut self.0.inner)
            .await?;
            if let Some(row) = there {
                return Ok(Inserted::AlreadyThere(parsed(&row.get::<String>(0)?)?));
            }
        }
        let content = workspace.seal(
            "tickets",
            ticket.id.as_str(),
            &TicketContent {
                subject: ticket.subject.clone(),
                external_id: ticket.external_id.clone(),
                requester: ticket.requester.clone(),
            },
        )?;
        query(
            "INSERT INTO tickets (id, workspace, source, external_id, requester, state, priority, \
             sla_deadline, created_at, updated_at, content) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(ticket.id.as_str())
        .bind(workspace.id().as_str())
        .bind(&ticket.source)
        .bind(external)
        .bind(
            ticket
                .requester
                .as_ref()
                .and_then(|requester| requester.email.as_deref())
                .map(|email| requester_hash(&workspace, email)),
        )
        .bind(ticket.state.as_str())
        .bind(ticket.priority as i64)
        .bind(ticket.sla_deadline.map(Timestamp::as_millis))
        .bind(ticket.created_at.as_millis())
        .bind(ticket.updated_at.as_millis())
        .bind(content)
        .execute(&mut self.0.inner)
        .await?;
        self.0.publish(Event::TicketChanged {
            ticket: ticket.id.clone(),
        });
        Ok(Inserted::New)
    }

    /// Moves a ticket to a state.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub async fn set_state(
        &mut self,
        id: &TicketId,
        state: TicketState,
        now: Timestamp,
    ) -> Result<()> {
        let changed = query(
            "UPDATE tickets SET state = $1, updated_at = $2 WHERE id = $3 AND workspace = $4",
        )
        .bind(state.as_str())
        .bind(now.as_millis())
        .bind(id.as_str())
        .bind(self.0.workspace().id().as_str().to_owned())
        .execute(&mut self.0.inner)
        .await?
        .rows_affected();
        if changed == 0 {
            return Err(StoreError::NotFound {
                what: "ticket",
                id: id.to_string(),
            });
        }
        self.0.publish(Event::TicketChanged { ticket: id.clone() });
        Ok(())
    }

    /// Adds a turn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_message(&mut self, message: &Message) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let content = workspace.seal(
            "messages",
            message.id.as_str(),
            &MessageContent {
                body: message.body.clone(),
                citations: message.citations.clone(),
            },
        )?;
        query(
            "INSERT INTO messages (id, workspace, ticket, author, created_at, content) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(message.id.as_str())
        .bind(workspace.id().as_str())
        .bind(message.ticket.as_str())
        .bind(as_word(&message.author)?)
        .bind(message.created_at.as_millis())
        .bind(content)
        .execute(&mut self.0.inner)
        .await?;
        self.0.publish(Event::TicketChanged {
            ticket: message.ticket.clone(),
        });
        Ok(())
    }

    /// Adds Gaby's reply of an investigation, once: a second one for the same investigation is not
    /// added, and `false` is returned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_reply(
        &mut self,
        investigation: &InvestigationId,
        reply: &Message,
    ) -> Result<bool> {
        debug_assert!(matches!(reply.author, Author::Gaby | Author::Note));
        let there = query("SELECT message FROM replies WHERE investigation = $1")
            .bind(investigation.as_str())
            .fetch_optional(&mut self.0.inner)
            .await?
            .is_some();
        if there {
            return Ok(false);
        }
        self.add_message(reply).await?;
        query(
            "INSERT INTO replies (investigation, workspace, ticket, message, created_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(investigation.as_str())
        .bind(self.0.workspace().id().as_str().to_owned())
        .bind(reply.ticket.as_str())
        .bind(reply.id.as_str())
        .bind(reply.created_at.as_millis())
        .execute(&mut self.0.inner)
        .await?;
        Ok(true)
    }
}

/// What became of a ticket that was to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It was added.
    New,
    /// It was there already, under this id.
    AlreadyThere(TicketId),
}

fn requester_hash(workspace: &Workspace, email: &str) -> Vec<u8> {
    workspace.keyed_hash("ticket-requester", email.trim().to_lowercase().as_bytes())
}

fn ticket(workspace: &Workspace, row: &Row) -> Result<Ticket> {
    let id: String = row.get(0)?;
    let content: TicketContent = workspace.unseal("tickets", &id, row.bytes(7)?)?;
    let priority: i64 = row.get(3)?;
    Ok(Ticket {
        id: parsed(&id)?,
        workspace: workspace.id().clone(),
        source: row.get(1)?,
        external_id: content.external_id,
        subject: content.subject,
        requester: content.requester,
        state: word(&row.get::<String>(2)?)?,
        priority: priority_of(priority)?,
        sla_deadline: row.get::<Option<i64>>(4)?.map(Timestamp::from_millis),
        created_at: Timestamp::from_millis(row.get(5)?),
        updated_at: Timestamp::from_millis(row.get(6)?),
    })
}

fn priority_of(number: i64) -> Result<gaby_model::Priority> {
    use gaby_model::Priority::{High, Low, Normal, Urgent};
    [Low, Normal, High, Urgent]
        .into_iter()
        .find(|priority| *priority as i64 == number)
        .ok_or_else(|| StoreError::Corrupt(format!("priority {number}")))
}
