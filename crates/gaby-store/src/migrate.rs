//! The schema, in numbered steps that run on both engines.
//!
//! The one difference in the statements is the name of the type for bytes.

use crate::db::{Db, Engine};
use crate::error::StoreError;
use crate::sql::{query, query_of};

/// Each with its number. A step that this database has not seen is taken, also when a later one has
/// been.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../migrations/0001_first.sql")),
    (3, include_str!("../migrations/0003_gate.sql")),
    (4, include_str!("../migrations/0004_probe.sql")),
    (5, include_str!("../migrations/0005_llm_calls.sql")),
    (6, include_str!("../migrations/0006_mailed_actions.sql")),
    (7, include_str!("../migrations/0007_llm_questions.sql")),
];

/// Brings the schema up to date, each step in one transaction.
pub(crate) async fn migrate(db: &Db) -> Result<(), StoreError> {
    let known = MIGRATIONS
        .iter()
        .map(|(number, _)| *number)
        .max()
        .unwrap_or(0);
    let found = version(db).await?;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (number, migration) in MIGRATIONS {
        // A step that a loss of power takes back is taken again.
        let mut tx = db.begin_unhurried().await?;
        if db.engine() == Engine::Postgres {
            // Two processes that start together take turns.
            query("SELECT pg_advisory_xact_lock(738201)")
                .execute(&mut tx)
                .await?;
        }
        query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)")
            .execute(&mut tx)
            .await?;
        let done = query("SELECT version FROM schema_version WHERE version = $1")
            .bind(*number)
            .fetch_optional(&mut tx)
            .await?
            .is_some();
        if !done {
            for statement in statements(migration, db.engine()) {
                query_of(statement).execute(&mut tx).await?;
            }
            query("INSERT INTO schema_version (version) VALUES ($1)")
                .bind(*number)
                .execute(&mut tx)
                .await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// The newest step that this database has seen; 0 for an empty one.
pub(crate) async fn version(db: &Db) -> Result<i64, StoreError> {
    let table = match db.engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE name = 'schema_version'",
        Engine::Postgres => {
            "SELECT table_name::text FROM information_schema.tables \
             WHERE table_schema = current_schema() AND table_name = 'schema_version'"
        }
    };
    if query(table).fetch_optional(db.reader()).await?.is_none() {
        return Ok(0);
    }
    let row = query("SELECT COALESCE(MAX(version), 0) FROM schema_version")
        .fetch_one(db.reader())
        .await?;
    row.get(0)
}

fn statements(migration: &str, engine: Engine) -> Vec<String> {
    let bytes = match engine {
        Engine::Sqlite => "BLOB",
        Engine::Postgres => "BYTEA",
    };
    migration
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n")
        .split(';')
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
        .map(|statement| statement.replace(" BYTES", &format!(" {bytes}")))
        .collect()
}
