//! Connections that can do only what they are for.
//!
//! `mode=ro` and `query_only` are not enough: ATTACH and VACUUM INTO create files under both. So the
//! file is opened read-only, and SQLite's authorizer allows statements by list and refuses the rest.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::explain;
use crate::drivers::DriverError;
use crate::sql::functions;
use crate::sql::shape::Dialect;

/// Virtual machine steps between two looks at the clock.
const STEPS: i32 = 1_000;

/// A connection that only reads, and what it may read.
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) relations: BTreeSet<String>,
}

/// Opens the file to read the tables and views it holds, until the deadline.
pub(super) fn reader(path: &Path, time: Duration) -> Result<Reader, DriverError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let relations = relations(&connection)?;
    let known = relations.clone();
    prepare(&connection, time, move |action| match action {
        AuthAction::Select => true,
        AuthAction::Read { table_name, .. } => readable(&known, table_name),
        AuthAction::Function { function_name } => {
            functions::allowed(Dialect::Sqlite, function_name)
        }
        _ => false,
    })?;
    Ok(Reader {
        connection,
        relations,
    })
}

/// Opens the file to run a manifest's writes, until the deadline.
pub(super) fn writer(path: &Path, time: Duration) -> Result<Connection, DriverError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(|error| explain(&error, time))?;
    prepare(&connection, time, |action| match action {
        AuthAction::Select | AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => true,
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => !is_internal(table_name),
        AuthAction::Function { function_name } => {
            functions::allowed(Dialect::Sqlite, function_name)
        }
        _ => false,
    })?;
    Ok(connection)
}

/// Opens an existing file with these rights and nothing that reaches beyond it.
pub(super) fn open(path: &Path, rights: OpenFlags) -> Result<Connection, DriverError> {
    if !path.is_file() {
        return Err(DriverError::Unavailable(format!(
            "there is no file {}",
            path.display()
        )));
    }
    // No SQLITE_OPEN_URI: the path is a path.
    let flags = rights | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| {
        DriverError::Unavailable(format!("{} cannot be opened: {error}", path.display()))
    })?;
    let harden = || -> rusqlite::Result<()> {
        connection.busy_timeout(Duration::from_secs(5))?;
        for (config, on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        ] {
            connection.set_db_config(config, on)?;
        }
        for (limit, most) in [
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
            (Limit::SQLITE_LIMIT_LENGTH, 8 * 1024 * 1024),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
            (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
            (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        ] {
            connection.set_limit(limit, most)?;
        }
        Ok(())
    };
    harden().map_err(|error| explain(&error, Duration::ZERO))?;
    Ok(connection)
}

/// The names of the file's tables and views.
pub(super) fn relations(connection: &Connection) -> Result<BTreeSet<String>, DriverError> {
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
        .map_err(|error| explain(&error, Duration::ZERO))?;
    let names = statement
        .query_map([], |row| row.get::<_, String>(0))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| explain(&error, Duration::ZERO))?;
    Ok(names
        .into_iter()
        .filter(|name| !is_internal(name))
        .map(|name| name.to_lowercase())
        .collect())
}

fn is_internal(table: &str) -> bool {
    let name = table.to_ascii_lowercase();
    name.starts_with("sqlite_") || name.starts_with("pragma_")
}

fn readable(known: &BTreeSet<String>, table: &str) -> bool {
    // `SELECT count(*)` and subqueries are reported with an empty name.
    table.is_empty()
        || known.contains(&table.to_lowercase())
        || matches!(table, "json_each" | "json_tree")
}

fn prepare(
    connection: &Connection,
    time: Duration,
    mut allow: impl FnMut(&AuthAction<'_>) -> bool + Send + 'static,
) -> Result<(), DriverError> {
    let deadline = Instant::now() + time;
    connection
        .progress_handler(STEPS, Some(move || Instant::now() >= deadline))
        .and_then(|()| {
            connection.authorizer(Some(move |context: AuthContext<'_>| {
                if allow(&context.action) {
                    Authorization::Allow
                } else {
                    Authorization::Deny
                }
            }))
        })
        .map_err(|error| explain(&error, time))
}
