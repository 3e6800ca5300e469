//! A workspace's own policy files, and what its pseudonyms stand for.

use std::collections::{BTreeMap, BTreeSet};

use gaby_model::Timestamp;

use crate::Result;
use crate::investigations::sealed_row;
use crate::sql::{query, query_of};
use crate::tx::Tx;
use crate::workspace::Workspace;

/// How many pseudonyms one query asks for: no database takes any number of values.
const ASKED_AT_ONCE: usize = 500;

impl Workspace {
    /// The workspace's own policy files, text by name.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn policy_files(&self) -> Result<BTreeMap<String, String>> {
        let rows = query("SELECT name, content FROM policy_files WHERE workspace = $1")
            .bind(self.id().as_str())
            .fetch_all(self.db().reader())
            .await?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, sealed_row(self, "policy_files", row)?)))
            .collect()
    }

    /// What a pseudonym stands for, if it is one of this workspace's.
    ///
    /// # Errors
    /// When the database fails or the row does not open.
    pub async fn behind_pseudonym(&self, pseudonym: &str) -> Result<Option<String>> {
        let row = query(
            "SELECT pseudonym, content FROM pseudonyms WHERE workspace = $1 AND pseudonym = $2",
        )
        .bind(self.id().as_str())
        .bind(pseudonym)
        .fetch_optional(self.db().reader())
        .await?;
        row.map(|row| sealed_row(self, "pseudonyms", &row))
            .transpose()
    }

    /// Which of these pseudonyms it is not remembered of yet what they stand for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new_pseudonyms<'a>(
        &self,
        named: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeSet<&'a str>> {
        let mut new: BTreeSet<&str> = named.into_iter().collect();
        let all: Vec<&str> = new.iter().copied().collect();
        for some in all.chunks(ASKED_AT_ONCE) {
            let places: Vec<String> = (2..some.len() + 2).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT pseudonym FROM pseudonyms WHERE workspace = $1 AND pseudonym IN ({})",
                places.join(", ")
            );
            let mut query = query_of(sql).bind(self.id().as_str());
            for pseudonym in some {
                query = query.bind(*pseudonym);
            }
            for row in query.fetch_all(self.db().reader()).await? {
                new.remove(row.get::<String>(0)?.as_str());
            }
        }
        Ok(new)
    }
}

impl Tx {
    /// Stores a policy file of the workspace's own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_policy_file(&mut self, name: &str, text: &str, now: Timestamp) -> Result<()> {
        let workspace = self.workspace().clone();
        query(
            "INSERT INTO policy_files (workspace, name, updated_at, content) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, name) DO UPDATE SET \
             updated_at = excluded.updated_at, content = excluded.content",
        )
        .bind(workspace.id().as_str())
        .bind(name)
        .bind(now.as_millis())
        .bind(workspace.seal("policy_files", name, &text)?)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Removes a policy file of the workspace's own. Tells whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_policy_file(&mut self, name: &str) -> Result<bool> {
        let removed = query("DELETE FROM policy_files WHERE workspace = $1 AND name = $2")
            .bind(self.workspace().id().as_str().to_owned())
            .bind(name)
            .execute(&mut self.inner)
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
        query(
            "INSERT INTO pseudonyms (workspace, pseudonym, content) VALUES ($1, $2, $3) \
             ON CONFLICT (workspace, pseudonym) DO NOTHING",
        )
        .bind(workspace.id().as_str())
        .bind(pseudonym)
        .bind(workspace.seal("pseudonyms", pseudonym, &original)?)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }
}
