//! The databases to test with: SQLite always, PostgreSQL when `GABY_TEST_POSTGRES_URL` names a server.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use gaby_store::DatabaseUrl;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Names the file of a test's folder that says where its database is.
const NOTE: &str = "database";

/// A folder for a world on each database.
pub(crate) async fn folders() -> Vec<tempfile::TempDir> {
    let mut folders = vec![tempfile::tempdir().unwrap()];
    if let Ok(server) = std::env::var("GABY_TEST_POSTGRES_URL") {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NOTE), new_database(&server).await).unwrap();
        folders.push(folder);
    }
    folders
}

/// The database of the world in a folder, also for another process than the one that made it.
pub(crate) fn of(folder: &Path) -> DatabaseUrl {
    match std::fs::read_to_string(folder.join(NOTE)) {
        Ok(address) => DatabaseUrl::Postgres(address),
        Err(_) => DatabaseUrl::DataFolder,
    }
}

async fn new_database(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "gaby_agent_{}_{}",
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
