//! What stands around approvals: standing ones, links by mail, and writes that were only rehearsed.

use std::collections::HashSet;

use gaby_model::{ActionId, PatternId, RehearsalId, TicketId, Timestamp, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::investigations::sealed_row;
use crate::sql::query;
use crate::tx::Tx;
use crate::workspace::Workspace;

impl Workspace {
    /// Who was told by mail of which action that still waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mailed_actions(&self) -> Result<HashSet<(ActionId, UserId)>> {
        let rows = query(
            "SELECT m.action, m.user_id FROM mailed_actions m JOIN actions a ON a.id = m.action \
             WHERE a.workspace = $1 AND a.state = 'proposed'",
        )
        .bind(self.id().as_str())
        .fetch_all(self.db().reader())
        .await?;
        rows.iter()
            .map(|row| {
                let action = crate::workspace::parsed(&row.get::<String>(0)?)?;
                let user = crate::workspace::parsed(&row.get::<String>(1)?)?;
                Ok((action, user))
            })
            .collect()
    }

    /// Standing approvals that still hold, each with how many calls it has left.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn patterns<T: DeserializeOwned>(&self, now: Timestamp) -> Result<Vec<(T, u32)>> {
        let rows = query(
            "SELECT id, content, remaining FROM patterns \
             WHERE workspace = $1 AND ends_at > $2 AND remaining > 0 ORDER BY id",
        )
        .bind(self.id().as_str())
        .bind(now.as_millis())
        .fetch_all(self.db().reader())
        .await?;
        rows.iter()
            .map(|row| {
                let left = u32::try_from(row.get::<i64>(2)?).unwrap_or(0);
                Ok((sealed_row(self, "patterns", row)?, left))
            })
            .collect()
    }

    /// Writes of a connector that were only rehearsed, from this moment on, oldest first.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn rehearsals<T: DeserializeOwned>(
        &self,
        connector: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<T>> {
        let rows = query(
            "SELECT id, content FROM rehearsals WHERE workspace = $1 AND connector = $2 \
             AND created_at >= $3 ORDER BY created_at, id LIMIT $4",
        )
        .bind(self.id().as_str())
        .bind(connector)
        .bind(since.as_millis())
        .bind(i64::from(limit))
        .fetch_all(self.db().reader())
        .await?;
        rows.iter()
            .map(|row| sealed_row(self, "rehearsals", row))
            .collect()
    }
}

impl Tx {
    /// Adds a standing approval.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_pattern<T: Serialize>(
        &mut self,
        id: &PatternId,
        pattern: &T,
        remaining: u32,
        ends_at: Timestamp,
    ) -> Result<()> {
        let workspace = self.workspace().clone();
        query(
            "INSERT INTO patterns (id, workspace, remaining, ends_at, content) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.as_str())
        .bind(workspace.id().as_str())
        .bind(i64::from(remaining))
        .bind(ends_at.as_millis())
        .bind(workspace.seal("patterns", id.as_str(), pattern)?)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Takes one call from a standing approval. Tells whether there was one left to take.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_from_pattern(&mut self, id: &PatternId, now: Timestamp) -> Result<bool> {
        let taken = query(
            "UPDATE patterns SET remaining = remaining - 1 \
             WHERE id = $1 AND workspace = $2 AND remaining > 0 AND ends_at > $3",
        )
        .bind(id.as_str())
        .bind(self.workspace().id().as_str().to_owned())
        .bind(now.as_millis())
        .execute(&mut self.inner)
        .await?
        .rows_affected();
        Ok(taken == 1)
    }

    /// Ends a standing approval. Tells whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_pattern(&mut self, id: &PatternId) -> Result<bool> {
        let ended = query("UPDATE patterns SET remaining = 0 WHERE id = $1 AND workspace = $2")
            .bind(id.as_str())
            .bind(self.workspace().id().as_str().to_owned())
            .execute(&mut self.inner)
            .await?
            .rows_affected();
        Ok(ended == 1)
    }

    /// Adds a link by which a person finds an action.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_approval_link(
        &mut self,
        token_hash: &[u8],
        action: &ActionId,
        user: &UserId,
        expires_at: Timestamp,
    ) -> Result<()> {
        query(
            "INSERT INTO approval_links (token_hash, workspace, action, user_id, expires_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(token_hash.to_vec())
        .bind(self.workspace().id().as_str().to_owned())
        .bind(action.as_str())
        .bind(user.as_str())
        .bind(expires_at.as_millis())
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Notes that somebody was told of an action by mail.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_mailed(
        &mut self,
        action: &ActionId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<()> {
        query(
            "INSERT INTO mailed_actions (action, user_id, mailed_at) VALUES ($1, $2, $3) \
             ON CONFLICT (action, user_id) DO NOTHING",
        )
        .bind(action.as_str())
        .bind(user.as_str())
        .bind(now.as_millis())
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Uses a link up: once, by the person it was made for, before it ends. Gives its action.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_approval_link(
        &mut self,
        token_hash: &[u8],
        user: &UserId,
        now: Timestamp,
    ) -> Result<Option<ActionId>> {
        let row = query(
            "UPDATE approval_links SET used_at = $1 WHERE token_hash = $2 AND workspace = $3 \
             AND user_id = $4 AND used_at IS NULL AND expires_at > $1 RETURNING action",
        )
        .bind(now.as_millis())
        .bind(token_hash.to_vec())
        .bind(self.workspace().id().as_str().to_owned())
        .bind(user.as_str())
        .fetch_optional(&mut self.inner)
        .await?;
        row.map(|row| crate::workspace::parsed(&row.get::<String>(0)?))
            .transpose()
    }

    /// Stores a write that was only rehearsed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_rehearsal<T: Serialize>(
        &mut self,
        id: &RehearsalId,
        connector: &str,
        ticket: &TicketId,
        rehearsal: &T,
        now: Timestamp,
    ) -> Result<()> {
        let workspace = self.workspace().clone();
        query(
            "INSERT INTO rehearsals (id, workspace, connector, ticket, created_at, content) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_str())
        .bind(workspace.id().as_str())
        .bind(connector)
        .bind(ticket.as_str())
        .bind(now.as_millis())
        .bind(workspace.seal("rehearsals", id.as_str(), rehearsal)?)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }
}
