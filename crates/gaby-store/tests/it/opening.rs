//! Opening a store: the right key, a wrong one, none, and what is not a store at all.

use std::collections::BTreeMap;
use std::path::Path;

use gaby_store::{MasterKeySource, Store, StoreConfig, StoreError};
use zeroize::Zeroizing;

use crate::stores::{Unopened, every_engine, statement, unopened};

fn key(byte: &str) -> MasterKeySource {
    MasterKeySource::Text(Zeroizing::new(byte.repeat(32)))
}

/// Every file under a folder with its bytes, but SQLite's own shared memory.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else if path.extension().is_none_or(|e| e != "db-shm") {
            out.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    out
}

#[tokio::test]
async fn a_wrong_master_key_is_refused_and_changes_nothing() {
    for test in every_engine().await {
        test.store.create_workspace("acme", "Acme").await.unwrap();
        test.store.close().await;
        let before = files(test.folder.path());
        let wrong = StoreConfig {
            master_key: key("ab"),
            ..test.config.clone()
        };
        let error = Store::open(wrong).await.unwrap_err();
        assert!(matches!(error, StoreError::WrongMasterKey(_)), "{error}");
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert!(before == files(test.folder.path()), "a file changed");
        let store = Store::open(test.config.clone()).await.unwrap();
        assert_eq!(store.workspace("acme").await.unwrap().slug(), "acme");
    }
}

#[tokio::test]
async fn a_lost_key_file_is_asked_for_and_not_made_anew() {
    for test in every_engine().await {
        test.store.close().await;
        let file = test.config.data_dir.join("master.key");
        std::fs::remove_file(&file).unwrap();
        let error = Store::open(test.config.clone()).await.unwrap_err();
        assert!(matches!(error, StoreError::MissingMasterKey(_)), "{error}");
        assert!(!file.exists());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_file_is_private_and_refused_when_others_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig::in_folder(folder.path());
    Store::open(config.clone()).await.unwrap().close().await;
    let file = folder.path().join("master.key");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = Store::open(config).await.unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_left_alone() {
    for garbage in [
        vec![0x5a; 100],
        b"<html>not a database</html>".repeat(400_000),
        "SQLite format 3\0 and then something else"
            .repeat(200)
            .into_bytes(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gaby.db");
        std::fs::write(&file, &garbage).unwrap();
        let error = Store::open(StoreConfig::in_folder(folder.path()))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("gaby.db"), "{error}");
        assert!(
            std::fs::read(&file).unwrap() == garbage,
            "the file was changed"
        );
        assert!(!folder.path().join("master.key").exists());
    }
}

#[tokio::test]
async fn a_malformed_master_key_is_refused() {
    for text in ["", "short", &"zz".repeat(32), &"a".repeat(10_000_000)] {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            master_key: MasterKeySource::Text(Zeroizing::new(text.to_owned())),
            ..StoreConfig::in_folder(folder.path())
        };
        let error = Store::open(config).await.unwrap_err();
        assert!(
            matches!(error, StoreError::MalformedMasterKey(_)),
            "{error}"
        );
        assert!(error.to_string().len() < 300);
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    for test in every_engine().await {
        statement(&test, "INSERT INTO schema_version (version) VALUES (99)").await;
        test.store.close().await;
        let error = Store::open(test.config.clone()).await.unwrap_err();
        assert!(error.to_string().contains("schema 99"), "{error}");
    }
}

#[tokio::test]
async fn several_first_starts_at_once_make_one_instance() {
    for Unopened {
        config,
        folder: _folder,
    } in unopened().await
    {
        let config = StoreConfig {
            master_key: key("07"),
            ..config
        };
        let (a, b, c) = tokio::join!(
            Store::open(config.clone()),
            Store::open(config.clone()),
            Store::open(config.clone())
        );
        a.unwrap().create_workspace("acme", "Acme").await.unwrap();
        b.unwrap().workspace("acme").await.unwrap();
        c.unwrap().workspace("acme").await.unwrap();
    }
}

#[tokio::test]
async fn an_unknown_workspace_is_answered_with_those_there_are() {
    for test in every_engine().await {
        let error = test.store.workspace("nope").await.unwrap_err();
        assert!(error.to_string().contains("none yet"), "{error}");
        test.store.create_workspace("acme", "Acme").await.unwrap();
        let error = test.store.workspace("nope").await.unwrap_err();
        assert!(error.to_string().contains("acme"), "{error}");
        let error = test
            .store
            .create_workspace("acme", "Again")
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::WorkspaceExists(_)), "{error}");
        for bad in ["", "Acme", "1a", "a b", "../x", &"a".repeat(41)] {
            let error = test.store.create_workspace(bad, "x").await.unwrap_err();
            assert!(matches!(error, StoreError::BadSlug(_)), "{error}");
        }
        assert_eq!(test.store.workspaces().await.unwrap().len(), 1);
    }
}
