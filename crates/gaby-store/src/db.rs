//! Two engines behind one type, with the settings that make "accepted" mean "on disk".

use std::path::Path;
use std::time::Duration;

use crate::error::StoreError;
use crate::sql::{Lite, On, Postgres, Transaction, query};

/// How long a caller waits for a connection that others hold, before it is told that the database is
/// busy.
pub(crate) const WAIT: Duration = Duration::from_secs(5);

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

/// The engine under a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A database. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Db {
    Lite(Lite),
    Postgres(Postgres),
}

impl Db {
    pub(crate) async fn open(url: &DatabaseUrl, data_dir: &Path) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::DataFolder => Self::open_sqlite(&data_dir.join("gaby.db")).await,
            DatabaseUrl::Sqlite(path) => Self::open_sqlite(path).await,
            DatabaseUrl::Postgres(address) => match Postgres::open(address).await {
                Ok(server) => Ok(Self::Postgres(server)),
                Err(sqlx::Error::Configuration(_)) => {
                    Err(StoreError::BadDatabaseUrl(without_password(address)))
                }
                Err(error) => Err(open_error(address, &error)),
            },
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        match Lite::open(path).await {
            Ok(lite) => Ok(Self::Lite(lite)),
            Err(error) => Err(open_error(&path.display().to_string(), &error)),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Lite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Where a statement reads by itself.
    pub(crate) fn reader(&self) -> On<'_> {
        On::Reader(self)
    }

    /// Where a statement is a change of its own, on disk when it has run.
    pub(crate) fn writer(&self) -> On<'_> {
        On::Writer(self)
    }

    /// Where a statement is a change of its own that a loss of power may take back, as
    /// [`Self::begin_unhurried`] has it.
    pub(crate) fn soon(&self) -> On<'_> {
        On::Soon(self)
    }

    /// A transaction that will write. On SQLite it takes the write lock at once, so that what it
    /// reads first cannot change before it writes.
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Lite(lite) => Ok(Transaction::Lite(lite.begin(true).await?)),
            Self::Postgres(server) => server.begin().await,
        }
    }

    /// As [`Self::begin`], but its commit does not wait for the disk: the next one does for both. It
    /// is there for every reader, and after the death of this process; only a machine that loses its
    /// power may lose it, and then as if it had never been.
    pub(crate) async fn begin_unhurried(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Lite(lite) => Ok(Transaction::Lite(lite.begin(false).await?)),
            Self::Postgres(server) => {
                let mut transaction = server.begin().await?;
                query("SET LOCAL synchronous_commit = off")
                    .execute(&mut transaction)
                    .await?;
                Ok(transaction)
            }
        }
    }

    /// Waits until everything that was committed so far is on disk. PostgreSQL is not asked: a commit
    /// that must be there says so itself.
    pub(crate) async fn settle(&self) -> std::io::Result<()> {
        match self {
            Self::Lite(lite) => lite.settle().await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Has what was committed without waiting on disk before long, as PostgreSQL does by itself.
    pub(crate) fn settle_soon(&self) {
        if let Self::Lite(lite) = self {
            lite.settle_soon();
        }
    }

    /// A transaction that only reads, and sees one moment of the database throughout.
    pub(crate) async fn snapshot(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Lite(lite) => lite.snapshot().await,
            Self::Postgres(server) => server.snapshot().await,
        }
    }

    /// Moves the write-ahead log into the database and empties it, so that what was deleted is gone
    /// from both.
    pub(crate) async fn checkpoint(&self) -> Result<(), StoreError> {
        match self {
            Self::Lite(lite) => lite.checkpoint().await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Makes sure that rows which were deleted are gone from the files too, as far as the database
    /// can do that: SQLite overwrites them and empties its log; PostgreSQL keeps them until their
    /// table is written anew, which is done for the keys.
    pub(crate) async fn forget_deleted(&self) -> Result<(), StoreError> {
        match self {
            Self::Lite(lite) => lite.checkpoint().await,
            Self::Postgres(_) => {
                query("VACUUM FULL wrapped_keys")
                    .execute(self.writer())
                    .await?;
                Ok(())
            }
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Lite(lite) => lite.close().await,
            Self::Postgres(server) => server.close().await,
        }
    }
}

fn open_error(address: &str, error: &dyn std::fmt::Display) -> StoreError {
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
    use super::*;

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
