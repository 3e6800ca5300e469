//! Two engines behind one pool type, with the settings that make "accepted" mean "on disk".

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, Connection as _, Executor as _, Transaction};

use crate::error::StoreError;

/// How long a caller waits for a connection that others hold, before it is told that the database is
/// busy. A little more than the `busy_timeout` below, for which one writer may wait for another
/// process.
const WAIT: Duration = Duration::from_secs(5);
/// How long a change that does not wait for the disk may be without it.
const SOON: Duration = Duration::from_millis(500);

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// SQLite, in `gaby.db` of the data folder.
    DataFolder,
    /// SQLite, in this file.
    Sqlite(std::path::PathBuf),
    /// A PostgreSQL server, by its address.
    Postgres(String),
}

impl std::str::FromStr for DatabaseUrl {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.trim_start_matches("//").is_empty() => {
                Ok(Self::Sqlite(path.trim_start_matches("//").into()))
            }
            _ => Err(StoreError::BadDatabaseUrl(without_password(text))),
        }
    }
}

/// The engine under a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// The pools. SQLite has one writer, so that writers queue here instead of failing as busy.
#[derive(Clone)]
pub(crate) struct Db {
    engine: Engine,
    writer: AnyPool,
    reader: AnyPool,
    /// SQLite's write-ahead log.
    log: Option<Arc<Log>>,
}

/// A write-ahead log that has changes which nobody waited for, or has not.
struct Log {
    path: PathBuf,
    behind: AtomicBool,
}

impl Db {
    pub(crate) async fn open(url: &DatabaseUrl, data_dir: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        match url {
            DatabaseUrl::DataFolder => Self::open_sqlite(&data_dir.join("gaby.db")).await,
            DatabaseUrl::Sqlite(path) => Self::open_sqlite(path).await,
            DatabaseUrl::Postgres(address) => {
                let options = connect_options(address, address)?;
                let pool = AnyPoolOptions::new()
                    .max_connections(16)
                    .acquire_timeout(WAIT)
                    .connect_with(options)
                    .await
                    .map_err(|error| open_error(address, &error))?;
                Ok(Self {
                    engine: Engine::Postgres,
                    writer: pool.clone(),
                    reader: pool,
                    log: None,
                })
            }
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        let address = path.display().to_string();
        let mut url = url_of(path).ok_or_else(|| StoreError::BadDatabaseUrl(address.clone()))?;
        url.push_str("?mode=rwc");
        let options = connect_options(&url, &address)?;
        // A pool tries a file that cannot be opened again until its time is over: what is wrong with
        // this one is found out before there are pools.
        first_connection(&options)
            .await
            .map_err(|error| open_error(&address, &error))?;
        let pool = |size, writes| {
            AnyPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(WAIT)
                .after_connect(|connection, _| Box::pin(set_up_sqlite(connection)))
                // A file does not go away as a server does.
                .test_before_acquire(false)
                .before_acquire(move |connection, _| {
                    Box::pin(is_as_it_should_be(connection, writes))
                })
                .connect_with(options.clone())
        };
        let writer = pool(1, true)
            .await
            .map_err(|error| open_error(&address, &error))?;
        let reader = pool(4, false)
            .await
            .map_err(|error| open_error(&address, &error))?;
        Ok(Self {
            engine: Engine::Sqlite,
            writer,
            reader,
            log: log_beside(path).map(|path| {
                let behind = AtomicBool::new(false);
                Arc::new(Log { path, behind })
            }),
        })
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    pub(crate) fn reader(&self) -> &AnyPool {
        &self.reader
    }

    pub(crate) fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// A transaction that will write. On SQLite it takes the write lock at once, so that what it
    /// reads first cannot change before it writes.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.engine {
            Engine::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.writer.begin().await?,
        })
    }

    /// As [`Self::begin`], but its commit does not wait for the disk: the next one does for both. It
    /// is there for every reader, and after the death of this process; only a machine that loses its
    /// power may lose it, and then as if it had never been.
    pub(crate) async fn begin_unhurried(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.engine {
            Engine::Sqlite => {
                // Taken back when the connection is taken next: see `is_as_it_should_be`.
                let statement = "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE";
                self.writer.begin_with(statement).await?
            }
            Engine::Postgres => {
                let mut transaction = self.writer.begin().await?;
                sqlx::query("SET LOCAL synchronous_commit = off")
                    .execute(&mut *transaction)
                    .await?;
                transaction
            }
        })
    }

    /// Waits until everything that was committed so far is on disk. PostgreSQL is not asked: a commit
    /// that must be there says so itself.
    pub(crate) async fn settle(&self) -> std::io::Result<()> {
        match &self.log {
            Some(log) => log.to_disk().await,
            None => Ok(()),
        }
    }

    /// Has what was committed without waiting on disk before long, as PostgreSQL does by itself.
    pub(crate) fn settle_soon(&self) {
        let Some(log) = &self.log else { return };
        if log.behind.swap(true, Ordering::AcqRel) {
            return;
        }
        let log = Arc::clone(log);
        tokio::spawn(async move {
            tokio::time::sleep(SOON).await;
            log.behind.store(false, Ordering::Release);
            if let Err(error) = log.to_disk().await {
                tracing::warn!(%error, "the write-ahead log may not be on disk");
            }
        });
    }

    /// A transaction that only reads, and sees one moment of the database throughout.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.engine {
            Engine::Sqlite => self.reader.begin().await?,
            Engine::Postgres => {
                let statement = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                self.reader.begin_with(statement).await?
            }
        })
    }

    /// Moves the write-ahead log into the database and empties it, so that what was deleted is gone
    /// from both.
    pub(crate) async fn checkpoint(&self) -> Result<(), StoreError> {
        if self.engine == Engine::Sqlite {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&self.writer)
                .await?;
        }
        Ok(())
    }

    /// Makes sure that rows which were deleted are gone from the files too, as far as the database
    /// can do that: SQLite overwrites them and empties its log; PostgreSQL keeps them until their
    /// table is written anew, which is done for the keys.
    pub(crate) async fn forget_deleted(&self) -> Result<(), StoreError> {
        match self.engine {
            Engine::Sqlite => self.checkpoint().await,
            Engine::Postgres => {
                sqlx::query("VACUUM FULL wrapped_keys")
                    .execute(&self.writer)
                    .await?;
                Ok(())
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

impl Log {
    async fn to_disk(&self) -> std::io::Result<()> {
        let path = self.path.clone();
        let synced = tokio::task::spawn_blocking(move || match std::fs::File::open(path) {
            Ok(log) => log.sync_data(),
            // What it held is in the database by now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        });
        synced.await.unwrap_or_else(|error| Err(error.into()))
    }
}

/// Where SQLite keeps the write-ahead log of a database (sqlite.org/wal.html, 4.1).
fn log_beside(database: &Path) -> Option<PathBuf> {
    let mut name = database.file_name()?.to_owned();
    name.push("-wal");
    Some(database.with_file_name(name))
}

async fn first_connection(options: &AnyConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    set_up_sqlite(&mut connection).await?;
    connection.close().await
}

/// Whether a connection can be used again, before it is.
async fn is_as_it_should_be(
    connection: &mut AnyConnection,
    writes: bool,
) -> Result<bool, sqlx::Error> {
    // SQLite takes a transaction back by itself when the disk is full; the connection then counts as in
    // a transaction for ever, and could begin none again.
    if connection.is_in_transaction() {
        return Ok(false);
    }
    if writes {
        connection.execute("PRAGMA synchronous = FULL").await?;
    }
    Ok(true)
}

async fn set_up_sqlite(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    connection
        .execute(
            "PRAGMA busy_timeout = 4000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;",
        )
        .await?;
    Ok(())
}

fn url_of(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    // The characters that would end the path or start an escape in an address.
    let escaped = text
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    Some(format!("sqlite://{escaped}"))
}

fn connect_options(url: &str, shown: &str) -> Result<AnyConnectOptions, StoreError> {
    use sqlx::ConnectOptions as _;
    let options: AnyConnectOptions = url
        .parse()
        .map_err(|_| StoreError::BadDatabaseUrl(without_password(shown)))?;
    Ok(options.disable_statement_logging())
}

fn open_error(address: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Open {
        address: without_password(address),
        reason: error.to_string(),
    }
}

/// The address without what stands between `:` and `@`.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.chars().take(200).collect();
    };
    match rest.rsplit_once('@') {
        Some((login, host)) => {
            let user = login.split(':').next().unwrap_or("");
            format!("{scheme}://{user}@{host}")
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    #[tokio::test]
    async fn only_an_unhurried_change_does_not_wait_for_the_disk() {
        async fn waits(connection: &mut AnyConnection) -> bool {
            let row = sqlx::query("PRAGMA synchronous").fetch_one(connection);
            // 2 is FULL (sqlite.org/pragma.html#pragma_synchronous).
            row.await.unwrap().get::<i64, _>(0) == 2
        }
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseUrl::DataFolder, folder.path()).await;
        let db = db.unwrap();
        for _ in 0..2 {
            let mut unhurried = db.begin_unhurried().await.unwrap();
            assert!(!waits(&mut unhurried).await);
            unhurried.commit().await.unwrap();
            assert!(waits(&mut db.writer().acquire().await.unwrap()).await);
            let dropped = db.begin_unhurried().await.unwrap();
            drop(dropped);
            assert!(waits(&mut db.begin().await.unwrap()).await);
        }
    }

    #[tokio::test]
    async fn a_change_that_did_not_wait_is_brought_to_disk_before_long() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseUrl::DataFolder, folder.path()).await;
        let db = db.unwrap();
        let log = db.log.clone().unwrap();
        assert!(log.path.exists(), "{}", log.path.display());
        db.settle_soon();
        db.settle_soon();
        assert!(log.behind.load(Ordering::Acquire));
        tokio::time::sleep(2 * SOON).await;
        assert!(!log.behind.load(Ordering::Acquire));
        db.settle().await.unwrap();
        std::fs::remove_file(&log.path).unwrap();
        db.settle().await.unwrap();
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(
            without_password("postgres://gaby:s3cr@t@db.example.com/gaby"),
            "postgres://gaby@db.example.com/gaby"
        );
    }

    #[test]
    fn only_known_databases_are_taken() {
        assert!("mysql://x".parse::<DatabaseUrl>().is_err());
        assert!("sqlite:".parse::<DatabaseUrl>().is_err());
        assert_eq!(
            "sqlite:///srv/gaby.db".parse::<DatabaseUrl>().unwrap(),
            DatabaseUrl::Sqlite("/srv/gaby.db".into())
        );
    }
}
