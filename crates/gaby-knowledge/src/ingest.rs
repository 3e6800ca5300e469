//! Taking documents in: only what changed is read, and each batch is in or out as a whole.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use gaby_model::{ChunkId, Clock, DocumentId, KnowledgeSourceId, SystemClock};
use gaby_store::Workspace;
use gaby_store::documents::{Chunk, Document, KnowledgeSource};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::chunk::passages;
use crate::error::KnowledgeError;
use crate::eval::embedded_text;
use crate::index::{self, Snapshot};
use crate::knowledge::{Knowledge, blocking, document_number, indexed, syntax};
use crate::progress::{Phase, Progress};
use crate::read::{self, Syntax};
use crate::skip::{SkipReason, Skipped};
use crate::source::{FoundFile, Source};
use crate::words::IndexedChunk;

/// A batch ends after so many files or bytes: then it is committed, and found.
const BATCH_FILES: usize = 1000;
const BATCH_BYTES: u64 = 32 * 1024 * 1024;

/// What to take in.
#[derive(Debug, Clone, Default)]
pub struct IngestRequest {
    /// Files, folders, and addresses of repositories.
    pub paths: Vec<String>,
    /// What people call the source; made from its place when none is given.
    pub source_name: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct IngestReport {
    /// Documents that the named places now have.
    pub documents: usize,
    /// Their chunks.
    pub chunks: usize,
    /// Documents that are new.
    pub added: usize,
    /// Documents whose content changed.
    pub updated: usize,
    /// Documents that are as they were.
    pub unchanged: usize,
    /// Documents that are gone.
    pub removed: usize,
    /// Files that were left out, with the reason.
    pub skipped: Vec<Skipped>,
    /// Wall time.
    pub seconds: f64,
}

struct Prepared {
    document: Document,
    text: String,
    chunks: Vec<Chunk>,
    new: bool,
}

enum Read {
    Changed(Box<Prepared>),
    /// Read again, and found to be the same.
    Same(Document),
    Skipped(Skipped),
}

impl Knowledge {
    /// Takes documents in. What is new is found by its words when this returns; vectors follow
    /// with [`Knowledge::embed_pending`].
    ///
    /// # Errors
    /// When a place does not exist or cannot be fetched, or the store fails. A file that cannot be
    /// read is no error: it is in the report.
    pub async fn ingest(
        &self,
        request: IngestRequest,
        progress: &dyn Progress,
    ) -> Result<IngestReport, KnowledgeError> {
        let begun = Instant::now();
        let mut report = IngestReport::default();
        if request.paths.is_empty() {
            return Err(KnowledgeError::Location {
                path: "nothing".into(),
                problem: "name at least one file, folder or repository to ingest".into(),
            });
        }
        let mut sources = Vec::with_capacity(request.paths.len());
        for path in &request.paths {
            progress.report(Phase::Fetching, sources.len(), request.paths.len());
            let path = path.clone();
            sources.push(Arc::new(blocking(move || Source::open(&path)).await?));
        }
        for source in sources {
            self.ingest_source(
                source,
                request.source_name.as_deref(),
                progress,
                &mut report,
            )
            .await?;
        }
        report.seconds = begun.elapsed().as_secs_f64();
        Ok(report)
    }

    async fn ingest_source(
        &self,
        source: Arc<Source>,
        name: Option<&str>,
        progress: &dyn Progress,
        report: &mut IngestReport,
    ) -> Result<(), KnowledgeError> {
        progress.report(Phase::Listing, 0, 0);
        let listing = Arc::clone(&source);
        let (found, mut skipped) = blocking(move || listing.list()).await?;
        let documents = self.inner.workspace.documents();
        let location = source.location();
        let known = documents
            .sources()
            .await?
            .into_iter()
            .find(|s| s.location == location);
        let mut record = KnowledgeSource {
            id: known
                .as_ref()
                .map_or_else(KnowledgeSourceId::generate, |s| s.id.clone()),
            name: name
                .map(str::to_owned)
                .or_else(|| known.as_ref().map(|s| s.name.clone()))
                .unwrap_or_else(|| source.name()),
            location,
            synced_at: known.as_ref().and_then(|s| s.synced_at),
            skipped: known
                .as_ref()
                .map(|s| s.skipped.clone())
                .unwrap_or_default(),
        };
        let mut before: HashMap<String, Document> = match &known {
            Some(known) => documents
                .list(Some(&known.id))
                .await?
                .into_iter()
                .map(|document| (document.path.clone(), document))
                .collect(),
            None => {
                let mut tx = self.inner.workspace.begin().await?;
                record.id = tx
                    .documents()
                    .put_source(&record, SystemClock.now())
                    .await?;
                tx.commit().await?;
                HashMap::new()
            }
        };

        let total = found.len();
        let mut to_read = Vec::new();
        for file in found {
            match before.get(&file.path) {
                Some(document) if is_unchanged(document, &file) => {
                    report.unchanged += 1;
                    report.documents += 1;
                    report.chunks += document.chunks as usize;
                    before.remove(&file.path);
                }
                there => to_read.push((file.clone(), there.cloned())),
            }
        }
        let mut done = total - to_read.len();
        let mut rest = to_read.into_iter().peekable();
        while rest.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while batch.len() < BATCH_FILES && bytes < BATCH_BYTES {
                let Some(next) = rest.next() else { break };
                bytes += next.0.size;
                batch.push(next);
            }
            done += batch.len();
            progress.report(Phase::Reading, done, total);
            let (workspace, from, id) = (
                self.inner.workspace.clone(),
                Arc::clone(&source),
                record.id.clone(),
            );
            let read = self.read_batch(workspace, from, id, batch).await?;
            let (mut changed, mut same) = (Vec::new(), Vec::new());
            for outcome in read {
                match outcome {
                    Read::Changed(prepared) => {
                        before.remove(&prepared.document.path);
                        report.added += usize::from(prepared.new);
                        report.updated += usize::from(!prepared.new);
                        report.documents += 1;
                        report.chunks += prepared.chunks.len();
                        changed.push(*prepared);
                    }
                    Read::Same(document) => {
                        before.remove(&document.path);
                        report.unchanged += 1;
                        report.documents += 1;
                        report.chunks += document.chunks as usize;
                        same.push(document);
                    }
                    Read::Skipped(one) => skipped.push(one),
                }
            }
            if !changed.is_empty() || !same.is_empty() {
                progress.report(Phase::Indexing, done, total);
                self.commit(changed, same, Vec::new(), None).await?;
            }
        }

        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        let lines: Vec<String> = skipped
            .iter()
            .map(|s| format!("{}: {}", s.path, s.reason))
            .collect();
        let gone: Vec<DocumentId> = before.into_values().map(|document| document.id).collect();
        report.removed += gone.len();
        report.skipped.extend(skipped);
        record.skipped = lines;
        record.synced_at = Some(SystemClock.now());
        self.commit(Vec::new(), Vec::new(), gone, Some(record))
            .await
    }

    async fn read_batch(
        &self,
        workspace: Workspace,
        source: Arc<Source>,
        id: KnowledgeSourceId,
        batch: Vec<(FoundFile, Option<Document>)>,
    ) -> Result<Vec<Read>, KnowledgeError> {
        let mut old_chunks: HashMap<DocumentId, Vec<Chunk>> = HashMap::new();
        for document in batch.iter().filter_map(|(_, there)| there.as_ref()) {
            let chunks = self
                .inner
                .workspace
                .documents()
                .chunks(&document.id)
                .await?;
            old_chunks.insert(document.id.clone(), chunks);
        }
        blocking(move || {
            Ok(batch
                .into_par_iter()
                .map(|(file, there)| {
                    let chunks = there.as_ref().and_then(|d| old_chunks.get(&d.id));
                    prepare(&workspace, &source, &id, &file, there.as_ref(), chunks)
                })
                .collect())
        })
        .await
    }

    /// Removes a source with everything that came from it.
    ///
    /// # Errors
    /// When there is no such source, or the store fails.
    pub async fn remove_source(&self, id: &KnowledgeSourceId) -> Result<usize, KnowledgeError> {
        let documents = self.inner.workspace.documents();
        if !documents
            .sources()
            .await?
            .iter()
            .any(|source| source.id == *id)
        {
            return Err(KnowledgeError::NotFound {
                what: "knowledge source",
                id: id.to_string(),
            });
        }
        let gone: Vec<DocumentId> = documents
            .list(Some(id))
            .await?
            .into_iter()
            .map(|document| document.id)
            .collect();
        let count = gone.len();
        self.commit(Vec::new(), Vec::new(), gone, None).await?;
        let mut tx = self.inner.workspace.begin().await?;
        tx.documents().remove_source(id).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Writes documents, chunks and the index of them in one transaction.
    async fn commit(
        &self,
        changed: Vec<Prepared>,
        same: Vec<Document>,
        gone: Vec<DocumentId>,
        source: Option<KnowledgeSource>,
    ) -> Result<(), KnowledgeError> {
        let _writing = self.inner.writing.lock().await;
        let changed = Arc::new(changed);
        let removed: Vec<u64> = gone
            .iter()
            .chain(changed.iter().filter(|p| !p.new).map(|p| &p.document.id))
            .map(document_number)
            .collect();
        for _ in 0..8 {
            let old = self.fresh().await?;
            let edited = if removed.is_empty() && changed.is_empty() {
                None
            } else {
                Some(edit(Arc::clone(&old), removed.clone(), Arc::clone(&changed)).await?)
            };
            let mut tx = self.inner.workspace.begin().await?;
            if let Some((new, parts)) = &edited
                && !index::store(&mut tx, &old, new, parts).await?
            {
                continue;
            }
            let now = SystemClock.now();
            for id in &gone {
                tx.documents().remove(id).await?;
            }
            for prepared in changed.iter() {
                tx.documents()
                    .put(&prepared.document, &prepared.text, now)
                    .await?;
                tx.documents()
                    .put_chunks(&prepared.document.id, &prepared.chunks)
                    .await?;
            }
            for document in &same {
                tx.documents().touch(document).await?;
            }
            if let Some(source) = &source {
                tx.documents().put_source(source, now).await?;
            }
            tx.commit().await?;
            if let Some((new, _)) = edited {
                self.replace(new);
            }
            return Ok(());
        }
        Err(KnowledgeError::Index(
            "another process keeps changing it; try again when that one has finished".into(),
        ))
    }
}

async fn edit(
    old: Arc<Snapshot>,
    removed: Vec<u64>,
    changed: Arc<Vec<Prepared>>,
) -> Result<(Snapshot, BTreeMap<String, Vec<u8>>), KnowledgeError> {
    blocking(move || {
        let added: Vec<IndexedChunk> = changed
            .par_iter()
            .flat_map_iter(|p| p.chunks.iter().map(|chunk| indexed(&p.document, chunk)))
            .collect();
        let words = old.words.edit(&removed, &added)?;
        let (names, parts) = index::changed_words(&old.manifest, &words)?;
        let mut manifest = old.manifest.clone();
        manifest.words = names;
        let new = Snapshot::new(
            old.generation + 1,
            manifest,
            Arc::new(words),
            Arc::clone(&old.vectors),
        );
        Ok((new, parts))
    })
    .await
}

fn is_unchanged(document: &Document, file: &FoundFile) -> bool {
    match &file.version {
        Some(version) => document.meta.get("version").and_then(|v| v.as_str()) == Some(version),
        None => {
            file.modified.is_some()
                && document.modified == file.modified
                && document.size == file.size
        }
    }
}

fn prepare(
    workspace: &Workspace,
    source: &Source,
    source_id: &KnowledgeSourceId,
    file: &FoundFile,
    there: Option<&Document>,
    old_chunks: Option<&Vec<Chunk>>,
) -> Read {
    let skip = |reason: SkipReason| {
        Read::Skipped(Skipped {
            path: file.path.clone(),
            reason,
        })
    };
    let bytes = match source.read(file) {
        Ok(bytes) => bytes,
        Err(reason) => return skip(reason),
    };
    let hash = hex::encode(workspace.keyed_hash("document-content", &bytes));
    if let Some(there) = there.filter(|there| there.hash == hash) {
        let mut same = there.clone();
        same.modified = file.modified;
        same.size = file.size;
        if let Some(version) = &file.version {
            same.meta["version"] = json!(version);
        }
        return Read::Same(same);
    }
    let reading = match read::read(&file.path, &bytes, source.is_explicit()) {
        Ok(reading) => reading,
        Err(reason) => return skip(reason),
    };
    let passages = passages(&reading);
    let document = Document {
        id: there.map_or_else(DocumentId::generate, |there| there.id.clone()),
        source: source_id.clone(),
        path: file.path.clone(),
        title: reading.title.clone(),
        size: file.size,
        modified: file.modified,
        hash,
        updated_at: reading.date,
        meta: json!({
            "syntax": match reading.syntax { Syntax::Markdown => "markdown", Syntax::Plain => "plain" },
            "tags": reading.tags,
            "version": file.version,
        }),
        chunks: passages.len() as u32,
    };
    let mut ids: HashMap<&[u8], Vec<&ChunkId>> = HashMap::new();
    for chunk in old_chunks.into_iter().flatten().rev() {
        ids.entry(&chunk.hash).or_default().push(&chunk.id);
    }
    let chunks = passages
        .into_iter()
        .enumerate()
        .map(|(ordinal, passage)| {
            let mut chunk = Chunk {
                id: ChunkId::generate(),
                document: document.id.clone(),
                ordinal: ordinal as u32,
                start: passage.start,
                end: passage.end,
                hash: Vec::new(),
                heading: passage.heading,
                text: reading.text[passage.start..passage.end].to_owned(),
            };
            chunk.hash = workspace.keyed_hash("chunk", text_to_embed(&document, &chunk).as_bytes());
            if let Some(id) = ids.get_mut(chunk.hash.as_slice()).and_then(Vec::pop) {
                chunk.id = id.clone();
            }
            chunk
        })
        .collect();
    Read::Changed(Box::new(Prepared {
        document,
        text: reading.text,
        chunks,
        new: there.is_none(),
    }))
}

/// What a chunk's vector is made from.
pub(crate) fn text_to_embed(document: &Document, chunk: &Chunk) -> String {
    let words = crate::chunk::words_of(syntax(document), &chunk.text);
    embedded_text(&document.title, &chunk.heading, &words)
}
