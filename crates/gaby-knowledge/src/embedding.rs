//! Vectors, made behind: what is found by its words is later found by its meaning too.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use gaby_model::{ChunkId, DocumentId};
use gaby_store::documents::Document;

use crate::error::KnowledgeError;
use crate::index::{self, Manifest, Snapshot, VectorParts};
use crate::ingest::text_to_embed;
use crate::knowledge::{Knowledge, blocking, chunk_id, vector_key};
use crate::progress::{Phase, Progress};
use crate::vectors::VectorSet;

/// Beyond so many parts they are joined.
const MOST_PARTS: usize = 24;

/// Which of the manifest's matrices is being filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Serving,
    Next,
}

impl Knowledge {
    /// Makes the vectors that are missing, and says how many it made. It can be stopped at any
    /// time and goes on from there; those of another embedder serve until all are made anew.
    ///
    /// # Errors
    /// When the embedder or the store fails; what was made until then is kept.
    pub async fn embed_pending(&self, progress: &dyn Progress) -> Result<usize, KnowledgeError> {
        let _embedding = self.inner.embedding.lock().await;
        let embedder = Arc::clone(&self.inner.embedder);
        let mut about: HashMap<DocumentId, Document> = HashMap::new();
        let mut made = 0;
        let mut unusable: HashSet<u128> = HashSet::new();
        let (mut target, mut set) = self.target(&*self.fresh().await?).await?;
        loop {
            let snapshot = self.fresh().await?;
            let mut seen = HashSet::new();
            let pending: Vec<(u128, u128)> = snapshot
                .words
                .rows()
                .iter()
                .flatten()
                .filter(|row| !set.contains(row.vector) && !unusable.contains(&row.vector))
                .filter(|row| seen.insert(row.vector))
                .map(|row| (row.key, row.vector))
                .collect();
            if pending.is_empty() {
                let total = snapshot.words.len();
                if made > 0 || target == Target::Next {
                    self.finish(&mut target, &set).await?;
                }
                progress.report(Phase::Embedding, total, total);
                return Ok(made);
            }
            let total = pending.len() + set.len();
            progress.report(Phase::Embedding, set.len(), total);
            // Eight calls to a commit: seldom enough for the disk, often enough to lose little.
            let at_once = embedder.texts_at_once().max(1);
            let batch: Vec<ChunkId> = pending
                .iter()
                .take(at_once * 8)
                .filter_map(|(key, _)| chunk_id(*key))
                .collect();
            let chunks = self
                .inner
                .workspace
                .documents()
                .chunks_by_id(&batch)
                .await?;
            let mut texts = Vec::with_capacity(chunks.len());
            for chunk in &chunks {
                if !about.contains_key(&chunk.document) {
                    let document = self
                        .inner
                        .workspace
                        .documents()
                        .about(&chunk.document)
                        .await?;
                    about.insert(chunk.document.clone(), document);
                }
                if let Some(document) = about.get(&chunk.document) {
                    texts.push((vector_key(&chunk.hash), text_to_embed(document, chunk)));
                }
            }
            let first = set.len();
            let model = Arc::clone(&embedder);
            // Texts of like length go together, so that none waits for a longer one.
            texts.sort_by_key(|(_, text)| text.len());
            let vectors = blocking(move || {
                let mut vectors = Vec::with_capacity(texts.len());
                for part in texts.chunks(at_once) {
                    let slices: Vec<&str> = part.iter().map(|(_, text)| text.as_str()).collect();
                    let keys = part.iter().map(|(key, _)| *key);
                    vectors.extend(keys.zip(model.embed(&slices)?));
                }
                Ok(vectors)
            })
            .await?;
            if set.dimensions() == 0 {
                set = VectorSet::new(
                    vectors
                        .first()
                        .map_or(embedder.dimensions(), |(_, v)| v.len()),
                );
            }
            for (key, vector) in &vectors {
                set.push(*key, vector);
            }
            // A chunk that is gone meanwhile, or that the model has no vector for, is not tried again.
            unusable.extend(
                pending
                    .iter()
                    .take(at_once * 8)
                    .map(|(_, key)| *key)
                    .filter(|key| !set.contains(*key)),
            );
            if set.len() > first {
                made += set.len() - first;
                self.keep(&mut target, &set, first).await?;
            }
        }
    }

    /// The matrix to fill: the serving one when it is of this embedder, else the next.
    async fn target(&self, snapshot: &Snapshot) -> Result<(Target, VectorSet), KnowledgeError> {
        let embedder = &self.inner.embedder;
        let of_this = |parts: &Option<VectorParts>| {
            parts
                .clone()
                .filter(|parts| parts.embedder == embedder.id())
        };
        if of_this(&snapshot.manifest.vectors).is_some() {
            return Ok((Target::Serving, (*snapshot.vectors).clone()));
        }
        let target = match snapshot.manifest.vectors {
            None => Target::Serving,
            Some(_) => Target::Next,
        };
        let set = match of_this(&snapshot.manifest.next) {
            Some(parts) => index::load_vectors(&self.inner.workspace, &parts).await?,
            None => VectorSet::new(embedder.dimensions()),
        };
        Ok((target, set))
    }

    /// Writes the rows from `first` on as a new part.
    async fn keep(
        &self,
        target: &mut Target,
        set: &VectorSet,
        first: usize,
    ) -> Result<(), KnowledgeError> {
        self.rewrite(target, set, |manifest, target, generation| {
            let parts = parts_of(manifest, target, self.inner.embedder.id(), set.dimensions());
            let name = format!("vectors/{generation}");
            parts.parts.push(name.clone());
            BTreeMap::from([(name, set.to_bytes(first))])
        })
        .await
    }

    /// Lets the next matrix serve when it is complete, and joins many parts to one, without the
    /// rows of chunks that are gone.
    async fn finish(&self, target: &mut Target, set: &VectorSet) -> Result<(), KnowledgeError> {
        let snapshot = self.fresh().await?;
        let used: HashSet<u128> = snapshot
            .words
            .rows()
            .iter()
            .flatten()
            .map(|r| r.vector)
            .collect();
        let stale = set.keys().iter().filter(|key| !used.contains(key)).count();
        let parts = match target {
            Target::Serving => snapshot.manifest.vectors.as_ref(),
            Target::Next => snapshot.manifest.next.as_ref(),
        };
        let many = parts.is_some_and(|parts| parts.parts.len() > MOST_PARTS);
        if *target == Target::Serving && !many && stale * 4 <= set.len() {
            return Ok(());
        }
        let mut compact = VectorSet::new(set.dimensions());
        if !compact.extend_from_bytes(&set.to_bytes(0), |key| used.contains(&key)) {
            return Err(KnowledgeError::Index("its vectors are damaged".into()));
        }
        let id = self.inner.embedder.id();
        self.rewrite(target, &compact, |manifest, target, generation| {
            let name = format!("vectors/{generation}");
            *target = Target::Serving;
            manifest.next = None;
            manifest.vectors = Some(VectorParts {
                embedder: id.to_owned(),
                dimensions: compact.dimensions(),
                parts: vec![name.clone()],
            });
            BTreeMap::from([(name, compact.to_bytes(0))])
        })
        .await
    }

    async fn rewrite(
        &self,
        target: &mut Target,
        set: &VectorSet,
        change: impl Fn(&mut Manifest, &mut Target, u64) -> BTreeMap<String, Vec<u8>>,
    ) -> Result<(), KnowledgeError> {
        let _writing = self.inner.writing.lock().await;
        for _ in 0..8 {
            let old = self.fresh().await?;
            let generation = old.generation + 1;
            let mut manifest = old.manifest.clone();
            let mut filled = *target;
            let parts = change(&mut manifest, &mut filled, generation);
            let vectors = match filled {
                Target::Serving => Arc::new(set.clone()),
                Target::Next => Arc::clone(&old.vectors),
            };
            let new = Snapshot::new(generation, manifest, Arc::clone(&old.words), vectors);
            let mut tx = self.inner.workspace.begin().await?;
            if index::store(&mut tx, &old, &new, &parts).await? {
                tx.commit().await?;
                *target = filled;
                self.replace(new);
                return Ok(());
            }
        }
        Err(KnowledgeError::Index(
            "another process keeps changing it; try again when that one has finished".into(),
        ))
    }
}

fn parts_of<'a>(
    manifest: &'a mut Manifest,
    target: &Target,
    embedder: &str,
    dimensions: usize,
) -> &'a mut VectorParts {
    let slot = match target {
        Target::Serving => &mut manifest.vectors,
        Target::Next => &mut manifest.next,
    };
    if slot
        .as_ref()
        .is_some_and(|parts| parts.embedder != embedder)
    {
        *slot = None;
    }
    slot.get_or_insert_with(|| VectorParts {
        embedder: embedder.to_owned(),
        dimensions,
        parts: Vec::new(),
    })
}
