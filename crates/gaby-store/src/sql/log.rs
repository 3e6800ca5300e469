//! SQLite's write-ahead log, which may have changes that nobody waited for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::lite::elsewhere;

/// How long a change that does not wait for the disk may be without it.
const SOON: Duration = Duration::from_millis(500);

/// The write-ahead log of a database. Cheap to clone.
#[derive(Clone)]
pub(super) struct Log(Arc<Inner>);

struct Inner {
    path: PathBuf,
    behind: AtomicBool,
}

impl Log {
    /// The log beside a database (sqlite.org/wal.html, 4.1).
    pub(super) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self(Arc::new(Inner {
            path: path.into(),
            behind: AtomicBool::new(false),
        }))
    }

    /// Waits until everything that was committed so far is on disk.
    pub(super) async fn settle(&self) -> std::io::Result<()> {
        let path = self.0.path.clone();
        let sync = move || match std::fs::File::open(path) {
            Ok(log) => log.sync_data(),
            // What it held is in the database by now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        elsewhere(sync).await
    }

    /// Has what was committed without waiting on disk before long.
    pub(super) fn settle_soon(&self) {
        if self.0.behind.swap(true, Ordering::AcqRel) {
            return;
        }
        let log = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SOON).await;
            log.0.behind.store(false, Ordering::Release);
            if let Err(error) = log.settle().await {
                tracing::warn!(%error, "the write-ahead log may not be on disk");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_that_did_not_wait_is_brought_to_disk_before_long() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::of(&folder.path().join("gaby.db"));
        assert!(log.0.path.ends_with("gaby.db-wal"));
        std::fs::write(&log.0.path, "changes").unwrap();
        log.settle_soon();
        log.settle_soon();
        assert!(log.0.behind.load(Ordering::Acquire));
        tokio::time::sleep(2 * SOON).await;
        assert!(!log.0.behind.load(Ordering::Acquire));
        log.settle().await.unwrap();
        std::fs::remove_file(&log.0.path).unwrap();
        log.settle().await.unwrap();
    }
}
