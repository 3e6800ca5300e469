//! Small named values of a workspace: its autonomy, what it calls itself, where a worker stopped.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::sql::query;
use crate::tx::Tx;
use crate::workspace::Workspace;

impl Workspace {
    /// The setting of this name, if it was set.
    ///
    /// # Errors
    /// When it is of another shape, or the database fails.
    pub async fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let row = query("SELECT content FROM settings WHERE workspace = $1 AND name = $2")
            .bind(self.id().as_str())
            .bind(name)
            .fetch_optional(self.db().reader())
            .await?;
        row.map(|row| self.unseal("settings", name, row.bytes(0)?))
            .transpose()
    }
}

impl Tx {
    /// Sets a setting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_setting<T: Serialize>(&mut self, name: &str, value: &T) -> Result<()> {
        let workspace = self.workspace().clone();
        let content = workspace.seal("settings", name, value)?;
        query(
            "INSERT INTO settings (workspace, name, content) VALUES ($1, $2, $3) \
             ON CONFLICT (workspace, name) DO UPDATE SET content = excluded.content",
        )
        .bind(workspace.id().as_str())
        .bind(name)
        .bind(content)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }
}
