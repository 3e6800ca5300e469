//! The index of a workspace as it lies sealed in the store, and as it is held in memory.
//!
//! A manifest names the parts that belong together: the files of the word index and the parts of
//! the vector matrix. It is written in the same transaction as the parts and as the documents, so
//! whoever opens the store finds the old index or the new one, never a mixture. Its generation
//! tells other processes that theirs is stale.

use std::collections::BTreeMap;
use std::sync::Arc;

use gaby_store::{Tx, Workspace};
use serde::{Deserialize, Serialize};

use crate::error::KnowledgeError;
use crate::vectors::VectorSet;
use crate::words::WordIndex;

const MANIFEST: &str = "manifest";
pub(crate) const NO_PLACE: u32 = u32::MAX;

/// Which parts make up the index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) words: Vec<String>,
    /// The vectors that serve.
    pub(crate) vectors: Option<VectorParts>,
    /// Those of another embedder, being made.
    pub(crate) next: Option<VectorParts>,
}

/// The parts of one vector matrix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VectorParts {
    pub(crate) embedder: String,
    pub(crate) dimensions: usize,
    pub(crate) parts: Vec<String>,
}

/// The index in memory; never changed, only replaced.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) generation: u64,
    pub(crate) manifest: Manifest,
    pub(crate) words: Arc<WordIndex>,
    pub(crate) vectors: Arc<VectorSet>,
    /// The vector's place for each row of the word index.
    pub(crate) places: Vec<u32>,
    /// The way back: for each place where its rows begin in `by_place`, and one more.
    starts: Vec<u32>,
    by_place: Vec<u32>,
}

impl Snapshot {
    pub(crate) fn new(
        generation: u64,
        manifest: Manifest,
        words: Arc<WordIndex>,
        vectors: Arc<VectorSet>,
    ) -> Self {
        let places: Vec<u32> = words
            .rows()
            .iter()
            .map(|row| {
                row.and_then(|row| vectors.place(row.vector))
                    .map_or(NO_PLACE, |place| place as u32)
            })
            .collect();
        let mut by_place: Vec<u32> = (0..places.len() as u32)
            .filter(|row| places[*row as usize] != NO_PLACE)
            .collect();
        by_place.sort_by_key(|row| places[*row as usize]);
        let mut starts = vec![0; vectors.len() + 1];
        for row in &by_place {
            starts[places[*row as usize] as usize + 1] += 1;
        }
        for place in 0..vectors.len() {
            starts[place + 1] += starts[place];
        }
        Self {
            generation,
            manifest,
            words,
            vectors,
            places,
            starts,
            by_place,
        }
    }

    /// The rows that have the vector at a place.
    pub(crate) fn rows_at(&self, place: u32) -> &[u32] {
        let place = place as usize;
        &self.by_place[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    pub(crate) fn embedded(&self) -> usize {
        self.places
            .iter()
            .zip(self.words.rows())
            .filter(|(p, r)| r.is_some() && **p != NO_PLACE)
            .count()
    }
}

/// The generation that the store holds now; 0 when there is no index.
pub(crate) async fn stored_generation(workspace: &Workspace) -> Result<u64, KnowledgeError> {
    Ok(workspace.index_generation(MANIFEST).await?.unwrap_or(0))
}

/// Loads the index. None when it is lost or damaged, so that it must be rebuilt.
pub(crate) async fn load(workspace: &Workspace) -> Result<Option<Snapshot>, KnowledgeError> {
    // Another process may commit between two reads; then the parts do not fit, and it is read anew.
    for _ in 0..5 {
        let before = stored_generation(workspace).await?;
        let loaded = load_once(workspace).await;
        if stored_generation(workspace).await? == before {
            return match loaded {
                Ok(snapshot) => Ok(snapshot),
                Err(KnowledgeError::Store(error)) => {
                    tracing::warn!(%error, "the search index does not open and is rebuilt");
                    Ok(None)
                }
                Err(error) => {
                    tracing::warn!(%error, "the search index is damaged and is rebuilt");
                    Ok(None)
                }
            };
        }
    }
    Ok(None)
}

async fn load_once(workspace: &Workspace) -> Result<Option<Snapshot>, KnowledgeError> {
    let Some((generation, manifest)) = workspace.index_blob(MANIFEST).await? else {
        return Ok(None);
    };
    let manifest: Manifest = serde_json::from_slice(&manifest)
        .map_err(|error| KnowledgeError::Index(format!("its manifest is damaged: {error}")))?;
    let mut files = BTreeMap::new();
    for name in &manifest.words {
        let (_, bytes) = part(workspace, &word_part(name)).await?;
        files.insert(name.clone(), bytes);
    }
    let words = tokio::task::spawn_blocking(move || WordIndex::open(&files))
        .await
        .map_err(|error| KnowledgeError::Interrupted(error.to_string()))??;
    let vectors = match &manifest.vectors {
        Some(parts) => load_vectors(workspace, parts).await?,
        None => VectorSet::new(0),
    };
    Ok(Some(Snapshot::new(
        generation,
        manifest,
        Arc::new(words),
        Arc::new(vectors),
    )))
}

pub(crate) async fn load_vectors(
    workspace: &Workspace,
    parts: &VectorParts,
) -> Result<VectorSet, KnowledgeError> {
    let mut set = VectorSet::new(parts.dimensions);
    for name in &parts.parts {
        let (_, bytes) = part(workspace, name).await?;
        if !set.extend_from_bytes(&bytes, |_| true) {
            return Err(KnowledgeError::Index(format!("the part {name} is damaged")));
        }
    }
    Ok(set)
}

async fn part(workspace: &Workspace, name: &str) -> Result<(u64, Vec<u8>), KnowledgeError> {
    workspace
        .index_blob(name)
        .await?
        .ok_or_else(|| KnowledgeError::Index(format!("the part {name} is missing")))
}

/// Writes what changed from `old` to `new`: new parts in, parts that are no longer named out.
/// False when another process committed in between; then nothing may be committed.
pub(crate) async fn store(
    tx: &mut Tx,
    old: &Snapshot,
    new: &Snapshot,
    parts: &BTreeMap<String, Vec<u8>>,
) -> Result<bool, KnowledgeError> {
    let manifest = serde_json::to_vec(&new.manifest)
        .map_err(|error| KnowledgeError::Index(error.to_string()))?;
    // Written first: from here on no other process can commit an index of its own.
    tx.put_index_blob(MANIFEST, new.generation, &manifest)
        .await?;
    let workspace = tx.workspace().clone();
    if stored_generation(&workspace).await? != old.generation {
        return Ok(false);
    }
    for (name, bytes) in parts {
        tx.put_index_blob(name, new.generation, bytes).await?;
    }
    let kept = part_names(&new.manifest);
    for name in part_names(&old.manifest) {
        if !kept.contains(&name) {
            tx.remove_index_blob(&name).await?;
        }
    }
    Ok(true)
}

/// Parts by name, as they are to be sealed.
pub(crate) type Parts = BTreeMap<String, Vec<u8>>;

/// The names of all files of `new`, and those parts that the store does not have yet.
pub(crate) fn changed_words(
    old: &Manifest,
    new: &WordIndex,
) -> Result<(Vec<String>, Parts), KnowledgeError> {
    let files = new.files()?;
    let names = files.keys().cloned().collect();
    let changed = files
        .into_iter()
        .filter(|(name, _)| name == "meta.json" || !old.words.contains(name))
        .map(|(name, bytes)| (word_part(&name), bytes))
        .collect();
    Ok((names, changed))
}

fn word_part(file: &str) -> String {
    format!("words/{file}")
}

fn part_names(manifest: &Manifest) -> Vec<String> {
    let mut names: Vec<String> = manifest.words.iter().map(|file| word_part(file)).collect();
    for set in [&manifest.vectors, &manifest.next].into_iter().flatten() {
        names.extend(set.parts.iter().cloned());
    }
    names
}
