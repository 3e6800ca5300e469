//! A workspace's own policy files, and what its pseudonyms stand for.

use std::collections::BTreeMap;

use gaby_model::Timestamp;
use sqlx::Row as _;

use crate::Result;
use crate::investigations::sealed_row;
use crate::tx::Tx;
use crate::workspace::Workspace;

impl Workspace {
    /// The workspace's own policy files, text by name.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn policy_files(&self) -> Result<BTreeMap<String, String>> {
        let rows = sqlx::query("SELECT name, content FROM policy_files WHERE workspace = $1")
            .bind(self.id().as_str())
            .fetch_all(self.db().reader())
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, sealed_row(self, "policy_files", row)?)))
            .collect()
    }

    /// What a pseudonym stands for, if it is one of this workspace's.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn behind_pseudonym(&self, pseudonym: &str) -> Result<Option<String>> {
        let row = sqlx::query(
            "SELECT pseudonym, content FROM pseudonyms WHERE workspace = $1 AND pseudonym = $2",
        )
        .bind(self.id().as_str())
        .bind(pseudonym)
        .fetch_optional(self.db().reader())
        .await?;
        row.map(|row| sealed_row(self, "pseudonyms", &row))
            .transpose()
    }
}

impl Tx {
    /// Stores a policy file of the workspace's own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_policy_file(&mut self, name: &str, text: &str, now: Timestamp) -> Result<()> {
        let workspace = self.workspace().clone();
        sqlx::query(
            "INSERT INTO policy_files (workspace, name, updated_at, content) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, name) DO UPDATE SET \
             updated_at = excluded.updated_at, content = excluded.content",
        )
        .bind(workspace.id().as_str())
        .bind(name)
        .bind(now.as_millis())
        .bind(workspace.seal("policy_files", name, &text)?)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Removes a policy file of the workspace's own. Tells whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_policy_file(&mut self, name: &str) -> Result<bool> {
        let removed = sqlx::query("DELETE FROM policy_files WHERE workspace = $1 AND name = $2")
            .bind(self.workspace().id().as_str().to_owned())
            .bind(name)
            .execute(&mut *self.inner)
            .await?
            .rows_affected();
        Ok(removed > 0)
    }

    /// Remembers what a pseudonym stands for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_pseudonym(&mut self, pseudonym: &str, original: &str) -> Result<()> {
        let workspace = self.workspace().clone();
        sqlx::query(
            "INSERT INTO pseudonyms (workspace, pseudonym, content) VALUES ($1, $2, $3) \
             ON CONFLICT (workspace, pseudonym) DO NOTHING",
        )
        .bind(workspace.id().as_str())
        .bind(pseudonym)
        .bind(workspace.seal("pseudonyms", pseudonym, &original)?)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}
