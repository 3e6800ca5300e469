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
    /// Somebody else holds the database, or it cannot be reached right now.
    #[error("the database is busy or does not answer ({0}): nothing was changed, try again")]
    Busy(String),
    /// The disk under the database fails.
    #[error("the disk under the database fails ({0}): nothing more is acknowledged until it works")]
    Disk(String),
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
    /// The database has a row like it.
    #[error("the database failed: {0}")]
    Duplicate(String),
    /// Anything else that the database says.
    #[error("the database failed: {0}")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Duplicate(database.message().to_owned())
            }
            sqlx::Error::Database(database) => {
                let code = database.code();
                let trouble = trouble_of_postgres(code.as_deref().unwrap_or(""));
                Self::of(trouble, database.message().to_owned(), error)
            }
            sqlx::Error::PoolTimedOut => Self::Busy("no connection was free in time".to_owned()),
            sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => Self::Full,
            sqlx::Error::Io(io) => Self::Busy(io.to_string()),
            _ => Self::Database(Box::new(error)),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code);
        match code {
            // A row's unique columns, its primary key, its row id.
            Some(2067 | 1555 | 2579) => Self::Duplicate(error.to_string()),
            Some(code) => Self::of(trouble_of_sqlite(code), error.to_string(), error),
            None => Self::Database(Box::new(error)),
        }
    }
}

impl StoreError {
    fn of(
        trouble: Option<Trouble>,
        message: String,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        match trouble {
            Some(Trouble::Full) => Self::Full,
            Some(Trouble::Busy) => Self::Busy(message),
            Some(Trouble::Disk) => Self::Disk(message),
            None => Self::Database(Box::new(error)),
        }
    }
}

/// What passes by itself, or when somebody makes room.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    Full,
    Busy,
    Disk,
}

/// SQLite's result codes are numbers whose low byte is the kind (sqlite.org/rescode.html).
fn trouble_of_sqlite(code: i32) -> Option<Trouble> {
    match code & 0xff {
        13 => Some(Trouble::Full),
        // Busy, and locked by another connection of this process.
        5 | 6 => Some(Trouble::Busy),
        10 => Some(Trouble::Disk),
        _ => None,
    }
}

/// PostgreSQL's codes are five characters (its manual, appendix A).
fn trouble_of_postgres(code: &str) -> Option<Trouble> {
    match code {
        "53100" => Some(Trouble::Full),
        "58030" => Some(Trouble::Disk),
        // Shutting down, starting, too many connections, out of memory, lost, lock or deadlock.
        "57P01" | "57P02" | "57P03" | "53300" | "53200" | "08006" | "08003" | "55P03" | "40P01"
        | "40001" => Some(Trouble::Busy),
        _ => None,
    }
}

impl StoreError {
    /// Whether the database refused a row because one like it is there.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Exists(_) | Self::Duplicate(_))
    }

    /// Whether the same thing may well work later, with nothing changed but the machine's state.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Full | Self::Busy(_) | Self::Disk(_) => true,
            Self::File { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }

    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_that_passes_is_told_from_faults_on_both_databases() {
        for (code, expected) in [
            (13, Some(Trouble::Full)),
            (5, Some(Trouble::Busy)),
            (261, Some(Trouble::Busy)),
            (517, Some(Trouble::Busy)),
            (778, Some(Trouble::Disk)),
            (10, Some(Trouble::Disk)),
            (19, None),
            (2067, None),
        ] {
            assert_eq!(trouble_of_sqlite(code), expected, "{code}");
        }
        for (code, expected) in [
            ("53100", Some(Trouble::Full)),
            ("57P01", Some(Trouble::Busy)),
            ("40P01", Some(Trouble::Busy)),
            ("23505", None),
            ("", None),
        ] {
            assert_eq!(trouble_of_postgres(code), expected, "{code}");
        }
    }
}
