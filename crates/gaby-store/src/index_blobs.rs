//! Parts of the search index, sealed as whole blobs with the index key.

use crate::Result;
use crate::error::StoreError;
use crate::seal::Place;
use crate::sql::query;
use crate::tx::Tx;
use crate::workspace::Workspace;

/// The row a blob is sealed to: its name and generation, so that an older part does not pass for a
/// newer one.
fn row_of(name: &str, generation: u64) -> String {
    format!("{generation}:{name}")
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "index_blobs",
        row,
        column: "content",
    }
}

impl Workspace {
    /// Names and generations of the parts that are kept, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn index_blobs(&self) -> Result<Vec<(String, u64)>> {
        let rows =
            query("SELECT name, generation FROM index_blobs WHERE workspace = $1 ORDER BY name")
                .bind(self.id().as_str())
                .fetch_all(self.db().reader())
                .await?;
        rows.iter()
            .map(|row| {
                let generation: i64 = row.get(1)?;
                Ok((row.get(0)?, generation.unsigned_abs()))
            })
            .collect()
    }

    /// A part's generation, if it is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn index_generation(&self, name: &str) -> Result<Option<u64>> {
        let row = query("SELECT generation FROM index_blobs WHERE workspace = $1 AND name = $2")
            .bind(self.id().as_str())
            .bind(name)
            .fetch_optional(self.db().reader())
            .await?;
        row.map(|row| Ok(row.get::<i64>(0)?.unsigned_abs()))
            .transpose()
    }

    /// A part and its generation, if it is kept.
    ///
    /// # Errors
    /// When it does not open, or the database fails.
    pub async fn index_blob(&self, name: &str) -> Result<Option<(u64, Vec<u8>)>> {
        let row =
            query("SELECT generation, content FROM index_blobs WHERE workspace = $1 AND name = $2")
                .bind(self.id().as_str())
                .bind(name)
                .large()
                .fetch_optional(self.db().reader())
                .await?;
        let Some(row) = row else { return Ok(None) };
        let generation = row.get::<i64>(0)?.unsigned_abs();
        let opened = self
            .keys()
            .index
            .open(place(&row_of(name, generation)), row.bytes(1)?)?;
        Ok(Some((generation, opened.to_vec())))
    }
}

impl Tx {
    /// Keeps a part, in place of an older one of its name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_index_blob(
        &mut self,
        name: &str,
        generation: u64,
        content: &[u8],
    ) -> Result<()> {
        let workspace = self.workspace().clone();
        let sealed = workspace
            .keys()
            .index
            .seal(place(&row_of(name, generation)), content);
        query(
            "INSERT INTO index_blobs (workspace, name, generation, content) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (workspace, name) DO UPDATE SET \
             generation = excluded.generation, content = excluded.content",
        )
        .bind(workspace.id().as_str())
        .bind(name)
        .bind(i64::try_from(generation).map_err(StoreError::corrupt)?)
        .bind(sealed)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Drops a part.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_index_blob(&mut self, name: &str) -> Result<()> {
        let workspace = self.workspace().clone();
        query("DELETE FROM index_blobs WHERE workspace = $1 AND name = $2")
            .bind(workspace.id().as_str())
            .bind(name)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }
}
