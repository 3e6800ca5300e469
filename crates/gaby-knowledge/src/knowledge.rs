//! The knowledge base of a workspace.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use gaby_model::{ChunkId, DocumentId, KnowledgeSourceId, Timestamp};
use gaby_store::Workspace;
use gaby_store::documents::{Chunk, Document};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::chunk::words_of;
use crate::embed::Embedder;
use crate::error::KnowledgeError;
use crate::eval::heading_below;
use crate::index::{self, Manifest, Snapshot};
use crate::read::Syntax;
use crate::vectors::VectorSet;
use crate::words::{IndexedChunk, WordIndex};

/// What Gaby knows, of one workspace. Cheap to clone; clones share one index.
#[derive(Clone)]
pub struct Knowledge {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) workspace: Workspace,
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) others: Vec<Arc<dyn Embedder>>,
    pub(crate) snapshot: RwLock<Arc<Snapshot>>,
    /// Held while the index is replaced, so that one writer at a time does so in this process.
    pub(crate) writing: Mutex<()>,
    pub(crate) embedding: Mutex<()>,
}

impl std::fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Knowledge")
            .field("workspace", &self.inner.workspace.slug())
            .finish_non_exhaustive()
    }
}

/// A source, for people.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceView {
    /// Its id.
    pub id: KnowledgeSourceId,
    /// What people call it.
    pub name: String,
    /// The folder, file or address.
    pub location: String,
    /// Documents that came from it.
    pub documents: usize,
    /// Their chunks.
    pub chunks: usize,
    /// Those of them that have a vector.
    pub embedded: usize,
    /// When it was last read to the end.
    pub last_sync: Option<Timestamp>,
    /// What was left out at the last reading, as `path: reason`.
    pub skipped: Vec<String>,
}

/// A document without its text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentView {
    /// Its id.
    pub id: DocumentId,
    /// Its path or address.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Where it came from.
    pub source: KnowledgeSourceId,
    /// Its chunks.
    pub chunks: u32,
    /// When it was last changed, as far as is known.
    pub updated_at: Option<Timestamp>,
    /// Tags that it states for itself.
    pub tags: Vec<String>,
}

/// A document with its text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentText {
    /// What is known of it.
    #[serde(flatten)]
    pub document: DocumentView,
    /// `markdown` or `plain`.
    pub syntax: String,
    /// Its whole text, which all offsets count in.
    pub text: String,
}

/// A piece of a document with what stands around it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PassageView {
    /// The document.
    pub document: DocumentView,
    /// The text before, back to a paragraph's beginning.
    pub before: String,
    /// The piece.
    pub text: String,
    /// The text after, up to a paragraph's end.
    pub after: String,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stats {
    /// Documents.
    pub documents: u64,
    /// Chunks, all of which are found by their words.
    pub chunks: u64,
    /// Chunks that are found by their meaning too.
    pub embedded: u64,
}

impl Knowledge {
    /// Opens the knowledge base of a workspace; an index that is lost is rebuilt from the chunks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(
        workspace: Workspace,
        embedder: Arc<dyn Embedder>,
    ) -> Result<Self, KnowledgeError> {
        Self::open_with(workspace, embedder, Vec::new()).await
    }

    /// As [`Knowledge::open`]; `others` are embedders whose older vectors may still serve while
    /// those of `embedder` are being made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_with(
        workspace: Workspace,
        embedder: Arc<dyn Embedder>,
        others: Vec<Arc<dyn Embedder>>,
    ) -> Result<Self, KnowledgeError> {
        let empty = Snapshot::new(
            0,
            Manifest::default(),
            Arc::new(WordIndex::empty()?),
            Arc::new(VectorSet::new(0)),
        );
        let knowledge = Self {
            inner: Arc::new(Inner {
                workspace,
                embedder,
                others,
                snapshot: RwLock::new(Arc::new(empty)),
                writing: Mutex::new(()),
                embedding: Mutex::new(()),
            }),
        };
        knowledge.load_or_rebuild().await?;
        Ok(knowledge)
    }

    async fn load_or_rebuild(&self) -> Result<(), KnowledgeError> {
        let workspace = &self.inner.workspace;
        if let Some(snapshot) = index::load(workspace).await? {
            self.replace(snapshot);
            return Ok(());
        }
        if workspace.documents().totals().await?.1 == 0 {
            return Ok(());
        }
        let _writing = self.inner.writing.lock().await;
        let generation = index::stored_generation(workspace).await?;
        let old = self.current();
        let chunks = self.all_chunks().await?;
        let words = blocking(move || old.words.edit(&[], &chunks)).await?;
        let (names, parts) = index::changed_words(&Manifest::default(), &words)?;
        let manifest = Manifest {
            words: names,
            ..Manifest::default()
        };
        let lost = Snapshot::new(
            generation,
            Manifest::default(),
            Arc::new(WordIndex::empty()?),
            Arc::default(),
        );
        let rebuilt = Snapshot::new(generation + 1, manifest, Arc::new(words), Arc::default());
        let mut tx = workspace.begin().await?;
        if index::store(&mut tx, &lost, &rebuilt, &parts).await? {
            for (name, _) in workspace.index_blobs().await? {
                if name != "manifest" && !parts.contains_key(&name) {
                    tx.remove_index_blob(&name).await?;
                }
            }
            tx.commit().await?;
            self.replace(rebuilt);
        }
        Ok(())
    }

    async fn all_chunks(&self) -> Result<Vec<IndexedChunk>, KnowledgeError> {
        let documents = self.inner.workspace.documents();
        let about: HashMap<DocumentId, Document> = documents
            .list(None)
            .await?
            .into_iter()
            .map(|document| (document.id.clone(), document))
            .collect();
        let mut all = Vec::new();
        let mut after: Option<ChunkId> = None;
        loop {
            let page = documents.chunks_after(after.as_ref(), 1000).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            all.extend(page.iter().filter_map(|chunk| {
                about
                    .get(&chunk.document)
                    .map(|document| indexed(document, chunk))
            }));
        }
        Ok(all)
    }

    pub(crate) fn current(&self) -> Arc<Snapshot> {
        match self.inner.snapshot.read() {
            Ok(snapshot) => Arc::clone(&snapshot),
            Err(poisoned) => Arc::clone(&poisoned.into_inner()),
        }
    }

    pub(crate) fn replace(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        let snapshot = Arc::new(snapshot);
        match self.inner.snapshot.write() {
            Ok(mut current) => *current = Arc::clone(&snapshot),
            Err(poisoned) => *poisoned.into_inner() = Arc::clone(&snapshot),
        }
        snapshot
    }

    /// The index as the store has it now: what another process committed is taken over.
    pub(crate) async fn fresh(&self) -> Result<Arc<Snapshot>, KnowledgeError> {
        let current = self.current();
        if index::stored_generation(&self.inner.workspace).await? == current.generation {
            return Ok(current);
        }
        match index::load(&self.inner.workspace).await? {
            Some(snapshot) => Ok(self.replace(snapshot)),
            None => {
                Box::pin(self.load_or_rebuild()).await?;
                Ok(self.current())
            }
        }
    }

    /// All documents, or those whose path or title has `filter` in it, by path.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn documents(&self, filter: &str) -> Result<Vec<DocumentView>, KnowledgeError> {
        let filter = filter.trim().to_lowercase();
        let mut found: Vec<DocumentView> = self
            .inner
            .workspace
            .documents()
            .list(None)
            .await?
            .iter()
            .filter(|document| {
                document.path.to_lowercase().contains(&filter)
                    || document.title.to_lowercase().contains(&filter)
            })
            .map(view)
            .collect();
        found.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.id.cmp(&b.id)));
        Ok(found)
    }

    /// A document with its whole text.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn document(&self, id: &DocumentId) -> Result<DocumentText, KnowledgeError> {
        let (document, text) = self.inner.workspace.documents().get(id).await?;
        let syntax = match syntax(&document) {
            Syntax::Markdown => "markdown",
            Syntax::Plain => "plain",
        };
        Ok(DocumentText {
            document: view(&document),
            syntax: syntax.to_owned(),
            text,
        })
    }

    /// A piece of a document by byte offsets, with the paragraphs around it. Offsets beyond the
    /// text or within a character are moved to the nearest place inside.
    ///
    /// # Errors
    /// When there is no such document.
    pub async fn passage(
        &self,
        id: &DocumentId,
        start: usize,
        end: usize,
    ) -> Result<PassageView, KnowledgeError> {
        const AROUND: usize = 600;
        let (document, text) = self.inner.workspace.documents().get(id).await?;
        let start = text.floor_char_boundary(start.min(text.len()));
        let end = text.ceil_char_boundary(end.clamp(start, text.len()));
        let from = text.floor_char_boundary(start.saturating_sub(AROUND));
        let from = text[from..start]
            .find("\n\n")
            .map_or(from, |at| from + at + 2);
        let to = text.ceil_char_boundary((end + AROUND).min(text.len()));
        let to = text[end..to].rfind("\n\n").map_or(to, |at| end + at);
        Ok(PassageView {
            document: view(&document),
            before: text[from..start].to_owned(),
            text: text[start..end].to_owned(),
            after: text[end..to].to_owned(),
        })
    }

    /// All sources, with how much came from each.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sources(&self) -> Result<Vec<SourceView>, KnowledgeError> {
        let snapshot = self.fresh().await?;
        let mut embedded: HashMap<u64, usize> = HashMap::new();
        for (row, place) in snapshot.words.rows().iter().zip(&snapshot.places) {
            if let Some(row) = row {
                *embedded.entry(row.document).or_default() +=
                    usize::from(*place != index::NO_PLACE);
            }
        }
        let mut views: Vec<SourceView> = self
            .inner
            .workspace
            .documents()
            .sources()
            .await?
            .into_iter()
            .map(|source| SourceView {
                id: source.id,
                name: source.name,
                location: source.location,
                documents: 0,
                chunks: 0,
                embedded: 0,
                last_sync: source.synced_at,
                skipped: source.skipped,
            })
            .collect();
        for document in self.inner.workspace.documents().list(None).await? {
            if let Some(view) = views.iter_mut().find(|view| view.id == document.source) {
                view.documents += 1;
                view.chunks += document.chunks as usize;
                view.embedded += embedded.get(&document_number(&document.id)).unwrap_or(&0);
            }
        }
        Ok(views)
    }

    /// How much there is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stats(&self) -> Result<Stats, KnowledgeError> {
        let (documents, chunks) = self.inner.workspace.documents().totals().await?;
        let embedded = self.fresh().await?.embedded() as u64;
        Ok(Stats {
            documents,
            chunks,
            embedded,
        })
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KnowledgeError> + Send + 'static,
) -> Result<T, KnowledgeError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| KnowledgeError::Interrupted(error.to_string()))?
}

pub(crate) fn syntax(document: &Document) -> Syntax {
    match document.meta.get("syntax").and_then(|s| s.as_str()) {
        Some("markdown") => Syntax::Markdown,
        _ => Syntax::Plain,
    }
}

/// A chunk's id as the index holds it.
pub(crate) fn chunk_number(id: &ChunkId) -> u128 {
    u128::from_str_radix(id.as_str().rsplit('_').next().unwrap_or("0"), 16).unwrap_or(0)
}

/// The way back from [`chunk_number`].
pub(crate) fn chunk_id(number: u128) -> Option<ChunkId> {
    format!("{}_{number:032x}", ChunkId::PREFIX).parse().ok()
}

/// A document's id as the index holds it: the half of it that is random.
pub(crate) fn document_number(id: &DocumentId) -> u64 {
    u128::from_str_radix(id.as_str().rsplit('_').next().unwrap_or("0"), 16).unwrap_or(0) as u64
}

/// What a chunk's vector is found by: chunks of equal words share one.
pub(crate) fn vector_key(hash: &[u8]) -> u128 {
    hash.first_chunk::<16>()
        .map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

pub(crate) fn indexed(document: &Document, chunk: &Chunk) -> IndexedChunk {
    IndexedChunk {
        key: chunk_number(&chunk.id),
        document: document_number(&document.id),
        vector: vector_key(&chunk.hash),
        title: document.title.clone(),
        heading: heading_below(&document.title, &chunk.heading).to_owned(),
        body: words_of(syntax(document), &chunk.text),
    }
}

fn view(document: &Document) -> DocumentView {
    let tags = document
        .meta
        .get("tags")
        .and_then(|tags| serde_json::from_value(tags.clone()).ok())
        .unwrap_or_default();
    DocumentView {
        id: document.id.clone(),
        path: document.path.clone(),
        title: document.title.clone(),
        source: document.source.clone(),
        chunks: document.chunks,
        updated_at: document.updated_at.or(document.modified),
        tags,
    }
}
