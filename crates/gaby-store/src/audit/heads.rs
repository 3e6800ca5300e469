//! Signed heads in files beside the database, so that cutting off the end of a log alone is seen.
//!
//! A head is written after the commit of what it signs, and nobody waits for that: a file may lag behind its
//! log and never leads it, and verification allows for one that lags.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gaby_model::WorkspaceId;
use tokio::sync::Notify;

use crate::Result;
use crate::error::StoreError;

/// The head files of a data folder. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HeadFiles(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    waiting: Mutex<Waiting>,
    /// Told when nothing waits any more.
    written: Notify,
}

#[derive(Default)]
struct Waiting {
    /// The newest head of each log, by how many entries it signs.
    heads: BTreeMap<WorkspaceId, (u64, String)>,
    writing: bool,
}

impl HeadFiles {
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self(Arc::new(Inner {
            folder: data_dir.join("audit"),
            waiting: Mutex::default(),
            written: Notify::new(),
        }))
    }

    /// Where a log's head is.
    pub(super) fn path(&self, workspace: &WorkspaceId) -> PathBuf {
        self.0.folder.join(format!("{workspace}.head"))
    }

    /// Writes the head of a new log.
    pub(super) fn begin(&self, workspace: &WorkspaceId, head: &str) -> Result<()> {
        let path = self.path(workspace);
        replace(&path, 0, head).map_err(|source| StoreError::File { path, source })
    }

    /// Has a head written. A failure leaves the older one and is logged: the change itself is on disk by
    /// now and must not be reported as failed.
    pub(crate) fn write_soon(&self, workspace: &WorkspaceId, seq: u64, head: String) {
        let mut waiting = self.0.waiting();
        let newest = waiting.heads.entry(workspace.clone()).or_default();
        if newest.0 <= seq {
            *newest = (seq, head);
        }
        if !std::mem::replace(&mut waiting.writing, true) {
            let files = self.clone();
            drop(tokio::task::spawn_blocking(move || files.write()));
        }
    }

    fn write(&self) {
        loop {
            let next = {
                let mut waiting = self.0.waiting();
                let next = waiting.heads.pop_first();
                waiting.writing = next.is_some();
                next
            };
            let Some((workspace, (seq, head))) = next else {
                break;
            };
            if let Err(error) = replace(&self.path(&workspace), seq, &head) {
                tracing::warn!(%workspace, %error, "the audit head file stays behind");
            }
        }
        self.0.written.notify_waiters();
    }

    /// Waits until the heads of all that was committed are written.
    pub(crate) async fn settled(&self) {
        loop {
            let written = self.0.written.notified();
            if !self.0.waiting().writing {
                return;
            }
            written.await;
        }
    }

    /// Removes the head of a log that is no more.
    pub(crate) async fn remove(&self, workspace: &WorkspaceId) -> Result<()> {
        self.0.waiting().heads.remove(workspace);
        self.settled().await;
        let path = self.path(workspace);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::File { path, source })
            }
            _ => Ok(()),
        }
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn replace(path: &Path, seq: u64, head: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Another process may have written a later one, which stays.
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let there: Option<u64> = there.lines().nth(1).and_then(|size| size.parse().ok());
    if there.is_some_and(|there| there >= seq) {
        return Ok(());
    }
    let temporary = path.with_extension(format!("head.{seq}"));
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(head.as_bytes())?;
    file.sync_data()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_head_stays_and_one_that_was_removed_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let files = HeadFiles::of(folder.path());
        let (one, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        let head = |seq: u64| format!("origin\n{seq}\nsigned");
        files.begin(&one, &head(0)).unwrap();
        for seq in [3, 1, 2] {
            files.write_soon(&one, seq, head(seq));
            files.write_soon(&other, seq, head(seq));
        }
        files.settled().await;
        assert_eq!(std::fs::read_to_string(files.path(&one)).unwrap(), head(3));
        files.write_soon(&one, 2, head(2));
        files.settled().await;
        assert_eq!(std::fs::read_to_string(files.path(&one)).unwrap(), head(3));
        files.write_soon(&one, 4, head(4));
        files.remove(&one).await.unwrap();
        files.settled().await;
        assert!(!files.path(&one).exists());
        assert!(files.path(&other).exists());
        let left = std::fs::read_dir(folder.path().join("audit"))
            .unwrap()
            .count();
        assert_eq!(left, 1);
    }
}
