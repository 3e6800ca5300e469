//! The knowledge base from outside: ingest, search, explain, and what lies on the disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod embedding;
mod evaluation;
mod lifecycle;
mod sealed;
mod searching;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gaby_knowledge::embed::EmbedError;
use gaby_knowledge::{Embedder, IngestReport, IngestRequest, Knowledge, Silent};
use gaby_store::{Store, StoreConfig, Workspace};

/// Vectors from letters: quick, the same every time, and close for texts with the same words.
pub(crate) struct Letters {
    pub(crate) id: String,
    pub(crate) embedded: AtomicUsize,
    pub(crate) fails_after: usize,
}

impl Letters {
    pub(crate) fn new(id: &str) -> Arc<Self> {
        Arc::new(Self {
            id: id.to_owned(),
            embedded: AtomicUsize::new(0),
            fails_after: usize::MAX,
        })
    }
}

impl Embedder for Letters {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        32
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let before = self.embedded.fetch_add(texts.len(), Ordering::SeqCst);
        if before + texts.len() > self.fails_after {
            return Err(EmbedError::Tokens("the test says so".into()));
        }
        Ok(texts
            .iter()
            .map(|text| {
                let mut vector = [0.01_f32; 32];
                for byte in text.to_lowercase().bytes() {
                    vector[usize::from(byte % 32)] += 1.0;
                }
                let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
                vector.iter().map(|x| x / length).collect()
            })
            .collect())
    }

    fn texts_at_once(&self) -> usize {
        2
    }
}

pub(crate) struct Home {
    pub(crate) data: tempfile::TempDir,
    pub(crate) docs: tempfile::TempDir,
    pub(crate) workspace: Workspace,
    pub(crate) knowledge: Knowledge,
    pub(crate) embedder: Arc<Letters>,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(StoreConfig::in_folder(data.path()))
            .await
            .unwrap();
        let workspace = store.create_workspace("test", "Test").await.unwrap();
        let embedder = Letters::new("letters");
        let knowledge = Knowledge::open(workspace.clone(), embedder.clone())
            .await
            .unwrap();
        Self {
            data,
            docs: tempfile::tempdir().unwrap(),
            workspace,
            knowledge,
            embedder,
        }
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.docs.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) async fn ingest(&self) -> IngestReport {
        self.knowledge
            .ingest(of(self.docs.path()), &Silent)
            .await
            .unwrap()
    }
}

pub(crate) fn of(path: &Path) -> IngestRequest {
    IngestRequest {
        paths: vec![path.to_str().unwrap().to_owned()],
        source_name: None,
    }
}
