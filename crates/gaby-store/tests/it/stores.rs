//! Stores to test with: SQLite always, PostgreSQL when `GABY_TEST_POSTGRES_URL` names a server.

use std::sync::atomic::{AtomicU32, Ordering};

use gaby_store::{DatabaseUrl, MasterKeySource, Store, StoreConfig};
use sqlx::{AnyPool, AssertSqlSafe};

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

/// A connection of an intruder's, who has the database and not the key.
pub(crate) async fn intruder(test: &TestStore) -> AnyPool {
    sqlx::any::install_default_drivers();
    let address = match &test.config.database {
        DatabaseUrl::Postgres(address) => address.clone(),
        _ => format!(
            "sqlite://{}",
            test.config.data_dir.join("gaby.db").display()
        ),
    };
    AnyPool::connect(&address).await.unwrap()
}

/// What the intruder does with it.
pub(crate) async fn statement(test: &TestStore, sql: &str) -> u64 {
    let pool = intruder(test).await;
    let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    done.rows_affected()
}

async fn new_database(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "gaby_test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect(server).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&pool)
        .await
        .unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}
