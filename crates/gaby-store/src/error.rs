//! What can go wrong with the store, said for the person who runs Gaby.

use std::path::PathBuf;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The key that is given is not the one that the database was made with.
    #[error(
        "the master key does not open this database: it was made with another key. \
         Give the right one (GABY_MASTER_KEY, or the file {0}); nothing was changed"
    )]
    WrongMasterKey(String),
    /// The database is there and its key is not.
    #[error(
        "the database was made with a master key that is not here: put the key file back at {0}, \
         or set GABY_MASTER_KEY; nothing was changed"
    )]
    MissingMasterKey(PathBuf),
    /// The text of the key is not 32 bytes.
    #[error("the master key must be 32 bytes as 64 hexadecimal digits or as base64, in {0}")]
    MalformedMasterKey(String),
    /// Others could read the key file.
    #[error("other users can read the key file {path}: run `chmod 600 {path}`")]
    ExposedMasterKey {
        /// The file.
        path: String,
    },
    /// A workspace's wrapped key is gone.
    #[error("the key of `{0}` is gone: what was sealed with it cannot be opened")]
    MissingKey(String),
    /// A sealed value does not open at this place.
    #[error(
        "a sealed value does not open: {table}.{column} of {row} was changed, or copied from elsewhere"
    )]
    Unsealable {
        /// Where it stands.
        table: &'static str,
        /// Its row.
        row: String,
        /// Its column.
        column: &'static str,
    },
    /// The database was written by a newer Gaby.
    #[error(
        "the database has schema {found}, this version of gaby knows {known}: run a newer gaby; nothing was changed"
    )]
    NewerSchema {
        /// What the database says.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// No such workspace.
    #[error("there is no workspace `{wanted}`{hint}")]
    NoWorkspace {
        /// What was asked for.
        wanted: String,
        /// The ones there are.
        hint: String,
    },
    /// A workspace of that name is there already.
    #[error("there is a workspace `{0}` already")]
    WorkspaceExists(String),
    /// The name cannot be a workspace's.
    #[error(
        "`{0}` cannot name a workspace: use 1 to 40 lower case letters, digits and hyphens, beginning with a letter"
    )]
    BadSlug(String),
    /// Something that was asked for is not there.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// Something like it is there already.
    #[error("{0} is there already")]
    Exists(String),
    /// The disk has no room.
    #[error("there is no space left for the database: free some, nothing was lost")]
    Full,
    /// A file of the data folder cannot be used.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row holds what Gaby did not write.
    #[error("the database holds a value that gaby did not write: {0}")]
    Corrupt(String),
    /// The database's address is not one.
    #[error("`{0}` is not a database address: use postgres://USER@HOST/NAME, or sqlite:FILE")]
    BadDatabaseUrl(String),
    /// The database cannot be opened.
    #[error("cannot open the database {address}: {reason}")]
    Open {
        /// Which, without its password.
        address: String,
        /// Why.
        reason: String,
    },
    /// Anything else that the database says.
    #[error("the database failed: {0}")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let Some(database) = error.as_database_error() {
            // SQLITE_FULL (13), PostgreSQL disk_full (53100).
            let full = matches!(database.code().as_deref(), Some("13" | "53100"))
                || database.message().contains("disk is full");
            if full {
                return Self::Full;
            }
        }
        Self::Database(error)
    }
}

impl StoreError {
    /// Whether the database refused a row because one like it is there.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Exists(_))
            || matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }
}
