//! Where wrapped data keys are kept.
//!
//! Beside SQLite they are files of their own (`keys/OWNER.key`), outside the database and its
//! backups, so that destroying one file destroys what it opened. On PostgreSQL, where several
//! processes share one database, they are rows.

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::db::{Db, Engine};
use crate::error::StoreError;
use crate::keys::{MasterKey, Secret, random, write_private};
use crate::seal::{Place, Sealer};
use crate::sql::query;

/// The version of data keys that is written; rotation will count up.
pub(crate) const KEY_VERSION: u32 = 1;

/// Wraps and unwraps the data keys of one instance.
pub(crate) struct KeyStore {
    wrapper: Sealer,
    folder: PathBuf,
    db: Db,
}

impl KeyStore {
    pub(crate) fn new(instance: &str, master: &MasterKey, data_dir: &Path, db: Db) -> Self {
        Self {
            wrapper: Sealer::new(instance, KEY_VERSION, &master.key, "wrap"),
            folder: data_dir.join("keys"),
            db,
        }
    }

    fn place(owner: &str) -> Place<'_> {
        Place {
            table: "wrapped_keys",
            row: owner,
            column: "wrapped",
        }
    }

    fn path(&self, owner: &str) -> PathBuf {
        self.folder.join(format!("{owner}.key"))
    }

    /// A new random data key for `owner`, wrapped and kept before it is returned.
    pub(crate) async fn create(&self, owner: &str) -> Result<Secret, StoreError> {
        let key: Secret = Zeroizing::new(random());
        let wrapped = self.wrapper.seal(Self::place(owner), &key[..]);
        match self.db.engine() {
            Engine::Sqlite => {
                std::fs::create_dir_all(&self.folder).map_err(|source| StoreError::File {
                    path: self.folder.clone(),
                    source,
                })?;
                write_private(&self.path(owner), hex::encode(&wrapped).as_bytes())?;
            }
            Engine::Postgres => {
                query("INSERT INTO wrapped_keys (owner, version, wrapped) VALUES ($1, $2, $3)")
                    .bind(owner)
                    .bind(i64::from(KEY_VERSION))
                    .bind(wrapped)
                    .execute(self.db.writer())
                    .await?;
            }
        }
        Ok(key)
    }

    /// The data key of `owner`.
    ///
    /// # Errors
    /// [`StoreError::MissingKey`] when it was destroyed, [`StoreError::Unsealable`] when the master
    /// key is another.
    pub(crate) async fn load(&self, owner: &str) -> Result<Secret, StoreError> {
        let missing = || StoreError::MissingKey(owner.to_owned());
        let wrapped = match self.db.engine() {
            Engine::Sqlite => {
                let path = self.path(owner);
                match std::fs::read_to_string(&path) {
                    Ok(text) => hex::decode(text.trim()).map_err(StoreError::corrupt)?,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                        return Err(missing());
                    }
                    Err(source) => return Err(StoreError::File { path, source }),
                }
            }
            Engine::Postgres => query("SELECT wrapped FROM wrapped_keys WHERE owner = $1")
                .bind(owner)
                .fetch_optional(self.db.reader())
                .await?
                .ok_or_else(missing)?
                .get(0)?,
        };
        let plain = self.wrapper.open(Self::place(owner), &wrapped)?;
        let mut key = Zeroizing::new([0; 32]);
        if plain.len() != 32 {
            return Err(StoreError::corrupt("a data key of another length"));
        }
        key.copy_from_slice(&plain);
        Ok(key)
    }

    /// Whose keys are kept in files.
    pub(crate) fn owners(&self) -> Result<Vec<String>, StoreError> {
        let file = |source| StoreError::File {
            path: self.folder.clone(),
            source,
        };
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(file(source)),
        };
        let mut owners = Vec::new();
        for entry in entries {
            let name = entry.map_err(file)?.file_name();
            if let Some(owner) = name.to_str().and_then(|name| name.strip_suffix(".key")) {
                owners.push(owner.to_owned());
            }
        }
        Ok(owners)
    }

    /// Destroys the data key of `owner`: overwritten, synced and removed.
    pub(crate) async fn destroy(&self, owner: &str) -> Result<(), StoreError> {
        match self.db.engine() {
            Engine::Sqlite => {
                let path = self.path(owner);
                shred(&path).map_err(|source| StoreError::File { path, source })
            }
            Engine::Postgres => {
                query("DELETE FROM wrapped_keys WHERE owner = $1")
                    .bind(owner)
                    .execute(self.db.writer())
                    .await?;
                Ok(())
            }
        }
    }
}

fn shred(path: &Path) -> std::io::Result<()> {
    let mut file = match std::fs::OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.rewind()?;
    file.write_all(&vec![b'0'; length])?;
    file.sync_all()?;
    drop(file);
    std::fs::remove_file(path)?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
