//! Stores to test with: SQLite always, PostgreSQL when `GABY_TEST_POSTGRES_URL` names a server.

use std::sync::atomic::{AtomicU32, Ordering};

use gaby_store::{DatabaseUrl, MasterKeySource, Store, StoreConfig};
use rusqlite::types::Value;
use sqlx::{AssertSqlSafe, Column as _, Connection as _, PgConnection, Row as _, TypeInfo as _};

/// A store of its own, gone with this.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) config: StoreConfig,
    pub(crate) folder: tempfile::TempDir,
}

/// Where a store of its own can be made.
pub(crate) struct Unopened {
    pub(crate) config: StoreConfig,
    pub(crate) folder: tempfile::TempDir,
}

/// One empty store on each engine.
pub(crate) async fn every_engine() -> Vec<TestStore> {
    let mut out = Vec::new();
    for Unopened { config, folder } in unopened().await {
        let store = Store::open(config.clone()).await.unwrap();
        out.push(TestStore {
            store,
            config,
            folder,
        });
    }
    out
}

/// A place for a store on each engine.
pub(crate) async fn unopened() -> Vec<Unopened> {
    let mut databases = vec![DatabaseUrl::DataFolder];
    if let Ok(server) = std::env::var("GABY_TEST_POSTGRES_URL") {
        databases.push(DatabaseUrl::Postgres(new_database(&server).await));
    }
    databases.into_iter().map(place).collect()
}

fn place(database: DatabaseUrl) -> Unopened {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        data_dir: folder.path().join("data"),
        database,
        master_key: MasterKeySource::EnvironmentOrFile,
    };
    Unopened { config, folder }
}

/// What an intruder reads, who has the database and not the key.
pub(crate) async fn rows(test: &TestStore, sql: &str) -> Vec<Vec<Value>> {
    let DatabaseUrl::Postgres(address) = &test.config.database else {
        let database = sqlite(test);
        let mut statement = database.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns).map(|column| row.get(column)).collect()
        });
        return rows.unwrap().map(Result::unwrap).collect();
    };
    let mut database = PgConnection::connect(address).await.unwrap();
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut database);
    let rows = rows.await.unwrap();
    database.close().await.unwrap();
    let value =
        |row: &sqlx::postgres::PgRow, column: usize| match row.column(column).type_info().name() {
            "INT8" => Value::Integer(row.get(column)),
            "BYTEA" => Value::Blob(row.get(column)),
            _ => Value::Text(row.get(column)),
        };
    rows.iter()
        .map(|row| (0..row.len()).map(|column| value(row, column)).collect())
        .collect()
}

/// What the intruder changes.
pub(crate) async fn statement(test: &TestStore, sql: &str) -> u64 {
    statement_with(test, sql, Vec::new()).await
}

/// What the intruder changes, with these values.
pub(crate) async fn statement_with(test: &TestStore, sql: &str, values: Vec<Value>) -> u64 {
    let DatabaseUrl::Postgres(address) = &test.config.database else {
        let changed = sqlite(test).execute(sql, rusqlite::params_from_iter(values));
        return changed.unwrap() as u64;
    };
    let mut database = PgConnection::connect(address).await.unwrap();
    let mut statement = sqlx::query(AssertSqlSafe(sql.to_owned()));
    for value in values {
        statement = match value {
            Value::Integer(number) => statement.bind(number),
            Value::Blob(bytes) => statement.bind(bytes),
            Value::Text(text) => statement.bind(text),
            other => panic!("no statement here has {other:?}"),
        };
    }
    let done = statement.execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    done.rows_affected()
}

fn sqlite(test: &TestStore) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(test.config.data_dir.join("gaby.db")).unwrap();
    database
        .busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    database
}

async fn new_database(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "gaby_test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let mut database = PgConnection::connect(server).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut database)
        .await
        .unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}
