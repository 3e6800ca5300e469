//! What each connector was granted, and the log of who granted and took back what.

use gaby_model::{ConsentId, Event, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Result;
use crate::error::StoreError;
use crate::investigations::sealed_row;
use crate::sql::{Row, query};
use crate::tx::Tx;
use crate::workspace::Workspace;

/// What a connector may be used for, as it was last granted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The connector.
    pub connector: String,
    /// What it may be used for, in the gate's own shape.
    pub scope: Value,
    /// The environment that it stands for, such as `production`; empty when not said.
    #[serde(default)]
    pub environment: String,
    /// Connectors that may be told what it says, beside itself.
    #[serde(default)]
    pub may_tell: Vec<String>,
    /// Why it may no longer be used, if it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What was consented to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// A connector was connected.
    Connected,
    /// Its grant was changed.
    Changed,
    /// Its grant was taken back.
    Revoked,
}

/// An entry of the consent log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// The connector.
    pub connector: String,
    /// What happened.
    pub kind: ConsentKind,
    /// Who did it; none for the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// The grant before; null when there was none.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The grant after.
    pub after: Value,
    /// When.
    pub at: Timestamp,
}

fn not_as_sealed(connector: &str) -> StoreError {
    StoreError::Corrupt(format!(
        "the grant of `{connector}` is not the one that was sealed"
    ))
}

impl Workspace {
    /// What a connector was granted; none when nothing was ever said.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn grant(&self, connector: &str) -> Result<Option<Grant>> {
        let row = query(
            "SELECT connector, content, revoked FROM grants WHERE workspace = $1 AND connector = $2",
        )
        .bind(self.id().as_str())
        .bind(connector)
        .fetch_optional(self.db().reader())
        .await?;
        row.map(|row| grant(self, &row)).transpose()
    }

    /// The consent log, newest first, at most so many entries.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn consents(&self, limit: u32) -> Result<Vec<Consent>> {
        let rows = query(
            "SELECT id, content FROM consents WHERE workspace = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(self.id().as_str())
        .bind(i64::from(limit))
        .fetch_all(self.db().reader())
        .await?;
        rows.iter()
            .map(|row| sealed_row(self, "consents", row))
            .collect()
    }
}

impl Tx {
    /// What a connector was granted, as this transaction sees it.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn grant(&mut self, connector: &str) -> Result<Option<Grant>> {
        let workspace = self.workspace().clone();
        let row = query(
            "SELECT connector, content, revoked FROM grants WHERE workspace = $1 AND connector = $2",
        )
        .bind(workspace.id().as_str())
        .bind(connector)
        .fetch_optional(&mut self.inner)
        .await?;
        row.map(|row| grant(&workspace, &row)).transpose()
    }

    /// Stores a grant with its entry in the consent log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_grant(&mut self, grant: &Grant, consent: &Consent) -> Result<()> {
        let workspace = self.workspace().clone();
        query(
            "INSERT INTO grants (workspace, connector, revoked, updated_at, content) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace, connector) DO UPDATE SET \
             revoked = excluded.revoked, updated_at = excluded.updated_at, content = excluded.content",
        )
        .bind(workspace.id().as_str())
        .bind(&grant.connector)
        .bind(i64::from(grant.revoked.is_some()))
        .bind(grant.updated_at.as_millis())
        .bind(workspace.seal("grants", &grant.connector, grant)?)
        .execute(&mut self.inner)
        .await?;
        query(
            "INSERT INTO consents (id, workspace, connector, created_at, content) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(consent.id.as_str())
        .bind(workspace.id().as_str())
        .bind(&consent.connector)
        .bind(consent.at.as_millis())
        .bind(workspace.seal("consents", consent.id.as_str(), consent)?)
        .execute(&mut self.inner)
        .await?;
        self.publish(Event::ConnectorChanged {
            connector: grant.connector.clone(),
        });
        Ok(())
    }
}

/// The clear column is for selecting; lifting a revocation in the database gives an error and no
/// right.
fn grant(workspace: &Workspace, row: &Row) -> Result<Grant> {
    let grant: Grant = sealed_row(workspace, "grants", row)?;
    match grant.revoked.is_some() == (row.get::<i64>(2)? != 0) {
        true => Ok(grant),
        false => Err(not_as_sealed(&grant.connector)),
    }
}
