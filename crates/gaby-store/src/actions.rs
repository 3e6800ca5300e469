//! Actions: every change of state is a compare-and-set, so that none happens twice.

use gaby_model::{Action, ActionId, ActionState, Event, TicketId, Timestamp, ToolRef};

use crate::Result;
use crate::error::StoreError;
use crate::investigations::sealed_row;
use crate::sql::query;
use crate::tx::Tx;
use crate::workspace::{Workspace, content_of};

/// Reads of actions.
pub struct Actions<'a>(&'a Workspace);

/// Changes of actions.
pub struct ActionsTx<'a>(&'a mut Tx);

impl Workspace {
    /// Actions.
    #[must_use]
    pub fn actions(&self) -> Actions<'_> {
        Actions(self)
    }
}

impl Tx {
    /// Actions.
    pub fn actions(&mut self) -> ActionsTx<'_> {
        ActionsTx(self)
    }
}

fn not_found(id: &ActionId) -> StoreError {
    StoreError::NotFound {
        what: "action",
        id: id.to_string(),
    }
}

impl Actions<'_> {
    /// One action.
    ///
    /// # Errors
    /// When there is none of this id in this workspace.
    pub async fn get(&self, id: &ActionId) -> Result<Action> {
        let row = query("SELECT id, content FROM actions WHERE id = $1 AND workspace = $2")
            .bind(id.as_str())
            .bind(self.0.id().as_str())
            .fetch_optional(self.0.db().reader())
            .await?
            .ok_or_else(|| not_found(id))?;
        sealed_row(self.0, "actions", &row)
    }

    /// The actions of a ticket, oldest first.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn of_ticket(&self, ticket: &TicketId) -> Result<Vec<Action>> {
        let rows = query(
            "SELECT id, content FROM actions WHERE ticket = $1 AND workspace = $2 ORDER BY id",
        )
        .bind(ticket.as_str())
        .bind(self.0.id().as_str())
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| sealed_row(self.0, "actions", row))
            .collect()
    }

    /// The actions that were proposed since this moment, oldest first: the latest so many.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn since(&self, since: Timestamp, limit: u32) -> Result<Vec<Action>> {
        let rows = query(
            "SELECT id, content FROM actions WHERE workspace = $1 AND created_at >= $2 \
             ORDER BY id DESC LIMIT $3",
        )
        .bind(self.0.id().as_str())
        .bind(since.as_millis())
        .bind(i64::from(limit))
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .rev()
            .map(|row| sealed_row(self.0, "actions", row))
            .collect()
    }

    /// Actions in a state (or all), oldest first: the latest so many.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn list(&self, state: Option<ActionState>, limit: u32) -> Result<Vec<Action>> {
        let state = state.map_or("", ActionState::as_str);
        let rows = query(
            "SELECT id, content FROM actions WHERE workspace = $1 AND ($2 = '' OR state = $2) \
             ORDER BY id DESC LIMIT $3",
        )
        .bind(self.0.id().as_str())
        .bind(state)
        .bind(i64::from(limit))
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .rev()
            .map(|row| sealed_row(self.0, "actions", row))
            .collect()
    }

    /// How many of the last thousand actions that happened were calls of this tool.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn done_with(&self, tool: &ToolRef) -> Result<u32> {
        let rows = query(
            "SELECT id, content FROM actions WHERE workspace = $1 AND state = 'done' \
             ORDER BY id DESC LIMIT 1000",
        )
        .bind(self.0.id().as_str())
        .fetch_all(self.0.db().reader())
        .await?;
        let mut count = 0;
        for row in &rows {
            let action: Action = sealed_row(self.0, "actions", row)?;
            count += u32::from(action.call.tool == *tool);
            // Nobody asks for more than a handful.
            if count >= 5 {
                break;
            }
        }
        Ok(count)
    }

    /// Undecided actions whose time is over.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn overdue(&self, now: Timestamp) -> Result<Vec<Action>> {
        let rows = query(
            "SELECT id, content FROM actions \
             WHERE workspace = $1 AND state = 'proposed' AND expires_at <= $2 ORDER BY id LIMIT 500",
        )
        .bind(self.0.id().as_str())
        .bind(now.as_millis())
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| sealed_row(self.0, "actions", row))
            .collect()
    }
}

impl ActionsTx<'_> {
    /// One action, as this transaction sees it; on PostgreSQL it stays locked until the end.
    ///
    /// # Errors
    /// When there is none of this id in this workspace.
    pub async fn get(&mut self, id: &ActionId) -> Result<Action> {
        let workspace = self.0.workspace().clone();
        let row = query("SELECT id, content FROM actions WHERE id = $1 AND workspace = $2")
            .bind(id.as_str())
            .bind(workspace.id().as_str())
            .fetch_optional(&mut self.0.inner)
            .await?
            .ok_or_else(|| not_found(id))?;
        sealed_row(&workspace, "actions", &row)
    }

    /// Adds an action.
    ///
    /// # Errors
    /// When it is there already, or the database fails.
    pub async fn insert(&mut self, action: &Action, now: Timestamp) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let content = workspace.seal("actions", action.id.as_str(), action)?;
        let added = query(
            "INSERT INTO actions (id, workspace, ticket, investigation, state, expires_at, \
             created_at, updated_at, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(action.id.as_str())
        .bind(workspace.id().as_str())
        .bind(action.ticket.as_str())
        .bind(action.investigation.as_str())
        .bind(action.state.as_str())
        .bind(action.expires_at.as_millis())
        .bind(action.created_at.as_millis())
        .bind(now.as_millis())
        .bind(content)
        .execute(&mut self.0.inner)
        .await?
        .rows_affected();
        if added == 0 {
            return Err(StoreError::Exists(format!("action {}", action.id)));
        }
        self.changed(action);
        Ok(())
    }

    /// Moves an action from one state to another, with whatever else `change` does to it.
    ///
    /// Returns the action as it is now, or none when it was not in state `from`: somebody else was
    /// first. Deciding on a proposed action also needs `now` to be before its expiry.
    ///
    /// # Errors
    /// When there is no such action, or the database fails.
    pub async fn transition(
        &mut self,
        id: &ActionId,
        from: ActionState,
        to: ActionState,
        now: Timestamp,
        change: impl FnOnce(&mut Action),
    ) -> Result<Option<Action>> {
        let workspace = self.0.workspace().clone();
        let mut action = self.get(id).await?;
        if action.state != from {
            return Ok(None);
        }
        change(&mut action);
        action.state = to;
        let sealed = workspace
            .keys()
            .content
            .seal_json(content_of("actions", id.as_str()), &action)?;
        let must_be_in_time = from == ActionState::Proposed
            && matches!(
                to,
                ActionState::Approved | ActionState::Intended | ActionState::Sent
            );
        // The expiry that counts is the one that was proposed, not one that `change` writes.
        let moved = query(
            "UPDATE actions SET state = $1, updated_at = $2, expires_at = $3, content = $4 \
             WHERE id = $5 AND workspace = $6 AND state = $7 AND ($8 = 0 OR expires_at > $2)",
        )
        .bind(to.as_str())
        .bind(now.as_millis())
        .bind(action.expires_at.as_millis())
        .bind(sealed)
        .bind(id.as_str())
        .bind(workspace.id().as_str())
        .bind(from.as_str())
        .bind(i64::from(must_be_in_time))
        .execute(&mut self.0.inner)
        .await?
        .rows_affected();
        if moved == 0 {
            return Ok(None);
        }
        self.changed(&action);
        Ok(Some(action))
    }

    /// How many actions of a ticket are in a state, as this transaction sees it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self, ticket: &TicketId, state: ActionState) -> Result<u64> {
        let row = query(
            "SELECT COUNT(*) FROM actions WHERE ticket = $1 AND state = $2 AND workspace = $3",
        )
        .bind(ticket.as_str())
        .bind(state.as_str())
        .bind(self.0.workspace().id().as_str().to_owned())
        .fetch_one(&mut self.0.inner)
        .await?;
        let count: i64 = row.get(0)?;
        Ok(count.unsigned_abs())
    }

    fn changed(&mut self, action: &Action) {
        self.0.publish(Event::ActionChanged {
            ticket: action.ticket.clone(),
            action: action.id.clone(),
        });
    }
}
