//! Investigations, their steps and their evidence.

use gaby_model::{
    Event, Evidence, Investigation, InvestigationId, Step, TicketId, Timestamp, Verdict,
};

use crate::Result;
use crate::error::StoreError;
use crate::sql::{Row, query};
use crate::tx::Tx;
use crate::workspace::{Workspace, as_word};

/// Reads of investigations.
pub struct Investigations<'a>(&'a Workspace);

/// Changes of investigations.
pub struct InvestigationsTx<'a>(&'a mut Tx);

impl Workspace {
    /// Investigations, steps and evidence.
    #[must_use]
    pub fn investigations(&self) -> Investigations<'_> {
        Investigations(self)
    }
}

impl Tx {
    /// Investigations, steps and evidence.
    pub fn investigations(&mut self) -> InvestigationsTx<'_> {
        InvestigationsTx(self)
    }
}

impl Investigations<'_> {
    /// One investigation.
    ///
    /// # Errors
    /// When there is none of this id in this workspace.
    pub async fn get(&self, id: &InvestigationId) -> Result<Investigation> {
        let row = query("SELECT id, content FROM investigations WHERE id = $1 AND workspace = $2")
            .bind(id.as_str())
            .bind(self.0.id().as_str())
            .fetch_optional(self.0.db().reader())
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "investigation",
                id: id.to_string(),
            })?;
        self.investigation(&row)
    }

    /// The latest investigation of a ticket, if it has any.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn latest(&self, ticket: &TicketId) -> Result<Option<Investigation>> {
        let row = query(
            "SELECT id, content FROM investigations WHERE ticket = $1 AND workspace = $2 \
             ORDER BY id DESC LIMIT 1",
        )
        .bind(ticket.as_str())
        .bind(self.0.id().as_str())
        .fetch_optional(self.0.db().reader())
        .await?;
        row.map(|row| self.investigation(&row)).transpose()
    }

    /// How many investigations ended with each verdict since a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verdicts_since(&self, since: Timestamp) -> Result<Vec<(Verdict, u64)>> {
        let rows = query(
            "SELECT verdict, COUNT(*) FROM investigations \
             WHERE workspace = $1 AND verdict IS NOT NULL AND ended_at >= $2 GROUP BY verdict",
        )
        .bind(self.0.id().as_str())
        .bind(since.as_millis())
        .large()
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| {
                let count: i64 = row.get(1)?;
                let verdict = crate::workspace::word(&row.get::<String>(0)?)?;
                Ok((verdict, count.unsigned_abs()))
            })
            .collect()
    }

    /// The steps of an investigation, in order.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn steps(&self, id: &InvestigationId) -> Result<Vec<Step>> {
        let rows = query(
            "SELECT id, content FROM steps WHERE investigation = $1 AND workspace = $2 \
             ORDER BY number",
        )
        .bind(id.as_str())
        .bind(self.0.id().as_str())
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| sealed_row(self.0, "steps", row))
            .collect()
    }

    /// The evidence of an investigation, by number.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn evidence(&self, id: &InvestigationId) -> Result<Vec<Evidence>> {
        let rows = query(
            "SELECT id, content FROM evidence WHERE investigation = $1 AND workspace = $2 \
             ORDER BY number",
        )
        .bind(id.as_str())
        .bind(self.0.id().as_str())
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| sealed_row(self.0, "evidence", row))
            .collect()
    }

    fn investigation(&self, row: &Row) -> Result<Investigation> {
        sealed_row(self.0, "investigations", row)
    }
}

impl InvestigationsTx<'_> {
    /// Adds an investigation, or replaces what is known of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put(&mut self, investigation: &Investigation) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let id = investigation.id.as_str();
        let content = workspace.seal("investigations", id, investigation)?;
        query(
            "INSERT INTO investigations \
             (id, workspace, ticket, state, verdict, started_at, ended_at, content) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, verdict = excluded.verdict, \
             ended_at = excluded.ended_at, content = excluded.content",
        )
        .bind(id)
        .bind(workspace.id().as_str())
        .bind(investigation.ticket.as_str())
        .bind(investigation.state.as_str())
        .bind(investigation.verdict.map(Verdict::as_str))
        .bind(investigation.started_at.as_millis())
        .bind(investigation.ended_at.map(Timestamp::as_millis))
        .bind(content)
        .execute(&mut self.0.inner)
        .await?;
        self.0.publish(Event::InvestigationChanged {
            ticket: investigation.ticket.clone(),
            investigation: investigation.id.clone(),
        });
        Ok(())
    }

    /// Adds a step. Its number must be new in the investigation.
    ///
    /// # Errors
    /// When the number is taken, or the database fails.
    pub async fn add_step(&mut self, ticket: &TicketId, step: &Step) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let content = workspace.seal("steps", step.id.as_str(), step)?;
        query(
            "INSERT INTO steps (id, workspace, investigation, number, kind, created_at, content) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(step.id.as_str())
        .bind(workspace.id().as_str())
        .bind(step.investigation.as_str())
        .bind(i64::from(step.number))
        .bind(as_word(&step.kind)?)
        .bind(step.created_at.as_millis())
        .bind(content)
        .execute(&mut self.0.inner)
        .await?;
        self.0.publish(Event::StepRecorded {
            ticket: ticket.clone(),
            investigation: step.investigation.clone(),
            number: step.number,
        });
        Ok(())
    }

    /// Adds evidence. Its number must be new in the investigation.
    ///
    /// # Errors
    /// When the number is taken, or the database fails.
    pub async fn add_evidence(&mut self, evidence: &Evidence) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let content = workspace.seal("evidence", evidence.id.as_str(), evidence)?;
        query(
            "INSERT INTO evidence (id, workspace, investigation, number, content) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(evidence.id.as_str())
        .bind(workspace.id().as_str())
        .bind(evidence.investigation.as_str())
        .bind(i64::from(evidence.number))
        .bind(content)
        .execute(&mut self.0.inner)
        .await?;
        Ok(())
    }
}

/// A row of `id, content` whose content is all of the thing.
pub(crate) fn sealed_row<T: serde::de::DeserializeOwned>(
    workspace: &Workspace,
    table: &'static str,
    row: &Row,
) -> Result<T> {
    let id: String = row.get(0)?;
    workspace.unseal(table, &id, row.bytes(1)?)
}
