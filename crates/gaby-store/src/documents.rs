//! Knowledge as it was read: sources, documents and their chunks, all sealed.

use std::collections::HashMap;

use gaby_model::{ChunkId, DocumentId, KnowledgeSourceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::error::StoreError;
use crate::seal::Place;
use crate::sql::{Row, query, query_of};
use crate::tx::Tx;
use crate::workspace::{Workspace, parsed};

/// Chunks that are asked for in one statement.
const ASKED_AT_ONCE: usize = 500;

/// A place that documents come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnowledgeSource {
    /// Its id.
    pub id: KnowledgeSourceId,
    /// What people call it.
    pub name: String,
    /// The folder, file or address; one source for each.
    pub location: String,
    /// When it was last read to the end.
    #[serde(default)]
    pub synced_at: Option<Timestamp>,
    /// What was passed over at the last reading, as `path: reason`.
    #[serde(default)]
    pub skipped: Vec<String>,
}

/// What is known of a document beside its text; enough to see whether it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Its id; stays when its content changes.
    pub id: DocumentId,
    /// Where it was read from.
    pub source: KnowledgeSourceId,
    /// Its path within the source, or its address.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Size of the file, in bytes.
    pub size: u64,
    /// The file's own modification time.
    #[serde(default)]
    pub modified: Option<Timestamp>,
    /// Keyed hash of the file's bytes, in hex.
    pub hash: String,
    /// When its author says it was last updated, if it says so.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Front matter and whatever else the reader found.
    #[serde(default)]
    pub meta: serde_json::Value,
    /// How many chunks it has.
    pub chunks: u32,
}

/// A passage of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its id; stays while its content does.
    pub id: ChunkId,
    /// Its document.
    pub document: DocumentId,
    /// Its place in the document, from 0.
    pub ordinal: u32,
    /// Byte offset of its first character in the document's text.
    pub start: usize,
    /// Byte offset after its last character.
    pub end: usize,
    /// Keyed hash of heading and text: what must not be embedded again.
    pub hash: Vec<u8>,
    /// Headings down to it, joined by ` › `.
    pub heading: String,
    /// Its text.
    pub text: String,
}

#[derive(Serialize, Deserialize)]
struct ChunkContent {
    heading: String,
    text: String,
}

/// Reads of knowledge.
pub struct Documents<'a>(&'a Workspace);

/// Changes of knowledge.
pub struct DocumentsTx<'a>(&'a mut Tx);

impl Workspace {
    /// Knowledge sources, documents and chunks.
    #[must_use]
    pub fn documents(&self) -> Documents<'_> {
        Documents(self)
    }
}

impl Tx {
    /// Knowledge sources, documents and chunks.
    pub fn documents(&mut self) -> DocumentsTx<'_> {
        DocumentsTx(self)
    }
}

fn body_of(id: &str) -> Place<'_> {
    Place {
        table: "documents",
        row: id,
        column: "body",
    }
}

impl Documents<'_> {
    /// Every source.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn sources(&self) -> Result<Vec<KnowledgeSource>> {
        let rows =
            query("SELECT id, content FROM knowledge_sources WHERE workspace = $1 ORDER BY id")
                .bind(self.0.id().as_str())
                .fetch_all(self.0.db().reader())
                .await?;
        rows.iter()
            .map(|row| crate::investigations::sealed_row(self.0, "knowledge_sources", row))
            .collect()
    }

    /// What is known of every document, of one source or of all, by id.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn list(&self, source: Option<&KnowledgeSourceId>) -> Result<Vec<Document>> {
        let rows = query(
            "SELECT id, content FROM documents WHERE workspace = $1 AND ($2 = '' OR source = $2) \
             ORDER BY id",
        )
        .bind(self.0.id().as_str())
        .bind(source.map_or("", KnowledgeSourceId::as_str))
        .large()
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| crate::investigations::sealed_row(self.0, "documents", row))
            .collect()
    }

    /// A document and its whole text.
    ///
    /// # Errors
    /// When there is none of this id in this workspace.
    pub async fn get(&self, id: &DocumentId) -> Result<(Document, String)> {
        let row = query("SELECT id, content, body FROM documents WHERE id = $1 AND workspace = $2")
            .bind(id.as_str())
            .bind(self.0.id().as_str())
            .fetch_optional(self.0.db().reader())
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "document",
                id: id.to_string(),
            })?;
        let document = crate::investigations::sealed_row(self.0, "documents", &row)?;
        let body = self
            .0
            .keys()
            .content
            .open(body_of(id.as_str()), row.bytes(2)?)?;
        let text = String::from_utf8(body.to_vec()).map_err(StoreError::corrupt)?;
        Ok((document, text))
    }

    /// What is known of a document beside its text.
    ///
    /// # Errors
    /// When there is none of this id in this workspace.
    pub async fn about(&self, id: &DocumentId) -> Result<Document> {
        let row = query("SELECT id, content FROM documents WHERE id = $1 AND workspace = $2")
            .bind(id.as_str())
            .bind(self.0.id().as_str())
            .fetch_optional(self.0.db().reader())
            .await?
            .ok_or_else(|| StoreError::NotFound {
                what: "document",
                id: id.to_string(),
            })?;
        crate::investigations::sealed_row(self.0, "documents", &row)
    }

    /// The chunks of a document, in order.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn chunks(&self, document: &DocumentId) -> Result<Vec<Chunk>> {
        let rows = query(
            "SELECT id, document, ordinal, start_at, end_at, hash, content FROM chunks \
             WHERE document = $1 AND workspace = $2 ORDER BY ordinal",
        )
        .bind(document.as_str())
        .bind(self.0.id().as_str())
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter().map(|row| chunk(self.0, row)).collect()
    }

    /// The chunks with these ids, in that order; ones that are gone are left out.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn chunks_by_id(&self, ids: &[ChunkId]) -> Result<Vec<Chunk>> {
        let select = "SELECT id, document, ordinal, start_at, end_at, hash, content FROM chunks \
                      WHERE workspace = $1 AND id IN";
        let mut rows = self.by_chunk(select, ids).await?;
        let in_order = ids.iter().filter_map(|id| rows.remove(id.as_str()));
        in_order.map(|row| chunk(self.0, &row)).collect()
    }

    /// The chunks with these ids and their documents, in that order; ones that are gone are left out.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn passages(&self, ids: &[ChunkId]) -> Result<Vec<(Chunk, Document)>> {
        let select = "SELECT c.id, c.document, c.ordinal, c.start_at, c.end_at, c.hash, c.content, \
                      d.content FROM chunks c \
                      JOIN documents d ON d.id = c.document AND d.workspace = c.workspace \
                      WHERE c.workspace = $1 AND c.id IN";
        let mut rows = self.by_chunk(select, ids).await?;
        let in_order = ids.iter().filter_map(|id| rows.remove(id.as_str()));
        in_order
            .map(|row| {
                let chunk = chunk(self.0, &row)?;
                let document = chunk.document.as_str();
                let about: Vec<u8> = row.get(7)?;
                let document = self.0.unseal("documents", document, &about)?;
                Ok((chunk, document))
            })
            .collect()
    }

    /// Rows by the chunk's id, which they begin with.
    async fn by_chunk(&self, select: &str, ids: &[ChunkId]) -> Result<HashMap<String, Row>> {
        let mut found = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(ASKED_AT_ONCE) {
            let places: Vec<String> = (2..ids.len() + 2).map(|n| format!("${n}")).collect();
            // Nothing but numbered places is put into the text.
            let text = format!("{select} ({})", places.join(", "));
            let mut query = query_of(text).bind(self.0.id().as_str());
            for id in ids {
                query = query.bind(id.as_str());
            }
            for row in query.fetch_all(self.0.db().reader()).await? {
                found.insert(row.get(0)?, row);
            }
        }
        Ok(found)
    }

    /// Chunks in the order of their ids, after one, at most so many: for walking through all.
    ///
    /// # Errors
    /// When the database fails or a row does not open.
    pub async fn chunks_after(&self, after: Option<&ChunkId>, limit: u32) -> Result<Vec<Chunk>> {
        let rows = query(
            "SELECT id, document, ordinal, start_at, end_at, hash, content FROM chunks \
             WHERE workspace = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(self.0.id().as_str())
        .bind(after.map_or("", ChunkId::as_str))
        .bind(i64::from(limit))
        .large()
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter().map(|row| chunk(self.0, row)).collect()
    }

    /// How many documents and chunks there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn totals(&self) -> Result<(u64, u64)> {
        let mut totals = [0; 2];
        for (total, statement) in totals.iter_mut().zip([
            "SELECT COUNT(*) FROM documents WHERE workspace = $1",
            "SELECT COUNT(*) FROM chunks WHERE workspace = $1",
        ]) {
            let row = query(statement)
                .bind(self.0.id().as_str())
                .large()
                .fetch_one(self.0.db().reader())
                .await?;
            *total = row.get::<i64>(0)?.unsigned_abs();
        }
        Ok((totals[0], totals[1]))
    }
}

impl DocumentsTx<'_> {
    /// Adds a source, or replaces what is known of it. One that has the same location keeps its id,
    /// which is returned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_source(
        &mut self,
        source: &KnowledgeSource,
        now: Timestamp,
    ) -> Result<KnowledgeSourceId> {
        let workspace = self.0.workspace().clone();
        let location = workspace.keyed_hash("source-location", source.location.as_bytes());
        let there =
            query("SELECT id FROM knowledge_sources WHERE workspace = $1 AND location = $2")
                .bind(workspace.id().as_str())
                .bind(location.clone())
                .fetch_optional(&mut self.0.inner)
                .await?;
        let mut source = source.clone();
        if let Some(row) = there {
            source.id = parsed(&row.get::<String>(0)?)?;
        }
        let content = workspace.seal("knowledge_sources", source.id.as_str(), &source)?;
        query(
            "INSERT INTO knowledge_sources (id, workspace, location, created_at, synced_at, content) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
             synced_at = excluded.synced_at, content = excluded.content",
        )
        .bind(source.id.as_str())
        .bind(workspace.id().as_str())
        .bind(location)
        .bind(now.as_millis())
        .bind(source.synced_at.map(Timestamp::as_millis))
        .bind(content)
        .execute(&mut self.0.inner)
        .await?;
        Ok(source.id)
    }

    /// Removes a source with its documents and chunks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_source(&mut self, id: &KnowledgeSourceId) -> Result<()> {
        self.delete(
            "DELETE FROM knowledge_sources WHERE id = $1 AND workspace = $2",
            id.as_str(),
        )
        .await
    }

    /// Adds a document, or replaces it; its chunks are put separately.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put(&mut self, document: &Document, text: &str, now: Timestamp) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let id = document.id.as_str();
        query(
            "INSERT INTO documents (id, workspace, source, path, ingested_at, content, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET \
             ingested_at = excluded.ingested_at, content = excluded.content, body = excluded.body",
        )
        .bind(id)
        .bind(workspace.id().as_str())
        .bind(document.source.as_str())
        .bind(workspace.keyed_hash("document-path", document.path.as_bytes()))
        .bind(now.as_millis())
        .bind(workspace.seal("documents", id, document)?)
        .bind(workspace.keys().content.seal(body_of(id), text.as_bytes()))
        .execute(&mut self.0.inner)
        .await?;
        Ok(())
    }

    /// Replaces what is known of a document whose text is the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch(&mut self, document: &Document) -> Result<()> {
        let workspace = self.0.workspace().clone();
        let id = document.id.as_str();
        query("UPDATE documents SET content = $1 WHERE id = $2 AND workspace = $3")
            .bind(workspace.seal("documents", id, document)?)
            .bind(id)
            .bind(workspace.id().as_str())
            .execute(&mut self.0.inner)
            .await?;
        Ok(())
    }

    /// Removes a document with its chunks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&mut self, id: &DocumentId) -> Result<()> {
        self.delete(
            "DELETE FROM documents WHERE id = $1 AND workspace = $2",
            id.as_str(),
        )
        .await
    }

    /// Replaces all chunks of a document.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_chunks(&mut self, document: &DocumentId, chunks: &[Chunk]) -> Result<()> {
        let workspace = self.0.workspace().clone();
        self.delete(
            "DELETE FROM chunks WHERE document = $1 AND workspace = $2",
            document.as_str(),
        )
        .await?;
        for chunk in chunks {
            let content = ChunkContent {
                heading: chunk.heading.clone(),
                text: chunk.text.clone(),
            };
            query(
                "INSERT INTO chunks (id, workspace, document, ordinal, start_at, end_at, hash, content) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(chunk.id.as_str())
            .bind(workspace.id().as_str())
            .bind(document.as_str())
            .bind(i64::from(chunk.ordinal))
            .bind(chunk.start as i64)
            .bind(chunk.end as i64)
            .bind(chunk.hash.clone())
            .bind(workspace.seal("chunks", chunk.id.as_str(), &content)?)
            .execute(&mut self.0.inner)
            .await?;
        }
        Ok(())
    }

    async fn delete(&mut self, statement: &'static str, id: &str) -> Result<()> {
        let workspace = self.0.workspace().id().as_str().to_owned();
        query(statement)
            .bind(id)
            .bind(workspace)
            .execute(&mut self.0.inner)
            .await?;
        Ok(())
    }
}

fn chunk(workspace: &Workspace, row: &Row) -> Result<Chunk> {
    let id: String = row.get(0)?;
    let content: ChunkContent = workspace.unseal("chunks", &id, row.bytes(6)?)?;
    let number = |column: usize| -> Result<usize> {
        usize::try_from(row.get::<i64>(column)?).map_err(StoreError::corrupt)
    };
    Ok(Chunk {
        id: parsed(&id)?,
        document: parsed(&row.get::<String>(1)?)?,
        ordinal: u32::try_from(number(2)?).map_err(StoreError::corrupt)?,
        start: number(3)?,
        end: number(4)?,
        hash: row.get(5)?,
        heading: content.heading,
        text: content.text,
    })
}
