//! The store: one database, one master key, many workspaces.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gaby_model::{Clock as _, SystemClock, Timestamp, WorkspaceId};
use serde::Serialize;

use crate::Result;
use crate::audit::HeadFiles;
use crate::db::{DatabaseUrl, Db, Engine};
use crate::error::StoreError;
use crate::events::Events;
use crate::keys::{MasterKey, MasterKeySource, key_file, random, subkey};
use crate::keystore::KeyStore;
use crate::migrate;
use crate::seal::Place;
use crate::sql::query;
use crate::workspace::{Keys, Workspace, content_of, parsed};

/// About what a small ticket takes on the disk, with its work, its events and its audit entries.
const PROBE_BYTES: usize = 64 * 1024;

/// Where a store lives.
#[derive(Clone)]
pub struct StoreConfig {
    /// The folder of keys, audit heads and, with SQLite, the database.
    pub data_dir: PathBuf,
    /// The database.
    pub database: DatabaseUrl,
    /// The key that wraps all others.
    pub master_key: MasterKeySource,
}

impl StoreConfig {
    /// SQLite and a key file, both in this folder.
    #[must_use]
    pub fn in_folder(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database: DatabaseUrl::DataFolder,
            master_key: MasterKeySource::EnvironmentOrFile,
        }
    }
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) keystore: KeyStore,
    pub(crate) instance: Keys,
    pub(crate) instance_id: String,
    pub(crate) audit_key: ed25519_dalek::SigningKey,
    pub(crate) heads: HeadFiles,
    pub(crate) data_dir: PathBuf,
    pub(crate) events: Events,
    /// Names this process among those that lease jobs.
    pub(crate) epoch: String,
}

/// One database with one master key. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

/// What is known of a workspace without its keys being in hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkspaceInfo {
    /// Its id.
    pub id: WorkspaceId,
    /// Its short name, as commands take it.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.instance_id)
    }
}

impl Store {
    /// Opens a store, makes it when there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// When the master key is missing or another (nothing is changed then), the schema is newer than
    /// this version knows, or the database cannot be opened.
    pub async fn open(config: StoreConfig) -> Result<Self> {
        create_private_folder(&config.data_dir)?;
        let db = Db::open(&config.database, &config.data_dir).await?;
        match Self::open_on(db.clone(), config).await {
            Ok(store) => Ok(store),
            Err(error) => {
                // The last connection takes the log's files with it: what was refused is as it was.
                db.close().await;
                Err(error)
            }
        }
    }

    async fn open_on(db: Db, config: StoreConfig) -> Result<Self> {
        let first = instance_id(&db).await?.is_none();
        let master = match config.master_key.find(&config.data_dir)? {
            Some(master) => master,
            None if first => MasterKeySource::create(&config.data_dir)?,
            None => return Err(StoreError::MissingMasterKey(key_file(&config.data_dir))),
        };
        // The key is checked before the schema is touched.
        if !first {
            Self::instance_keys(&db, &master, &config.data_dir).await?;
        }
        migrate::migrate(&db).await?;
        if first {
            Self::create_instance(&db, &master, &config.data_dir).await?;
        }
        let (instance_id, instance, keystore) =
            Self::instance_keys(&db, &master, &config.data_dir).await?;
        let signing = subkey(&master.key, &format!("audit-signing/{instance_id}"));
        let store = Self {
            inner: Arc::new(Inner {
                db,
                keystore,
                instance,
                instance_id,
                audit_key: ed25519_dalek::SigningKey::from_bytes(&signing),
                heads: HeadFiles::of(&config.data_dir),
                data_dir: config.data_dir,
                events: Events::default(),
                epoch: hex::encode(random::<16>()),
            }),
        };
        store.destroy_orphaned_keys().await?;
        Ok(store)
    }

    async fn create_instance(db: &Db, master: &MasterKey, data_dir: &Path) -> Result<()> {
        // Two processes that start together take turns, and the second finds what the first made.
        let mut tx = db.begin().await?;
        if db.engine() == Engine::Postgres {
            query("SELECT pg_advisory_xact_lock(738202)")
                .execute(&mut tx)
                .await?;
        }
        let there = query("SELECT id FROM instance LIMIT 1")
            .fetch_optional(&mut tx)
            .await?;
        if there.is_some() {
            return tx.rollback().await;
        }
        let id = hex::encode(random::<16>());
        KeyStore::new(&id, master, data_dir, db.clone())
            .create(&instance_owner(&id))
            .await?;
        query("INSERT INTO instance (id, created_at) VALUES ($1, $2)")
            .bind(&id)
            .bind(SystemClock.now().as_millis())
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// A crash between the deletion of a workspace's rows and of its key leaves the key, and one
    /// while a workspace was made leaves a key without rows.
    async fn destroy_orphaned_keys(&self) -> Result<()> {
        if self.inner.db.engine() != Engine::Sqlite {
            return Ok(());
        }
        // Nobody makes a workspace meanwhile: that takes the same lock.
        let mut tx = self.inner.db.begin().await?;
        for owner in self.inner.keystore.owners()? {
            let Ok(id) = owner.parse::<WorkspaceId>() else {
                continue;
            };
            let there = query("SELECT id FROM workspaces WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(&mut tx)
                .await?;
            if there.is_none() {
                tracing::info!(workspace = %id, "destroying a key that no workspace has");
                self.inner.keystore.destroy(id.as_str()).await?;
            }
        }
        tx.rollback().await
    }

    async fn instance_keys(
        db: &Db,
        master: &MasterKey,
        data_dir: &Path,
    ) -> Result<(String, Keys, KeyStore)> {
        let id = instance_id(db)
            .await?
            .ok_or_else(|| StoreError::corrupt("the instance has no id"))?;
        let keystore = KeyStore::new(&id, master, data_dir, db.clone());
        let owner = instance_owner(&id);
        let key = keystore.load(&owner).await.map_err(|error| match error {
            StoreError::Unsealable { .. } => StoreError::WrongMasterKey(master.origin.clone()),
            other => other,
        })?;
        Ok((id, Keys::new(&owner, &key), keystore))
    }

    /// Makes a workspace with a key of its own.
    ///
    /// # Errors
    /// When the short name cannot be one, or is taken.
    pub async fn create_workspace(&self, slug: &str, name: &str) -> Result<Workspace> {
        if !is_slug(slug) {
            return Err(StoreError::BadSlug(slug.chars().take(60).collect()));
        }
        let id = WorkspaceId::generate();
        // Begun first, so that nobody takes the new key for an orphan.
        let mut tx = self.inner.db.begin().await?;
        let data_key = self.inner.keystore.create(id.as_str()).await?;
        let keys = Keys::new(id.as_str(), &data_key);
        let content = keys.content.seal_json(name_place(&id), &name)?;
        let inserted = query(
            "INSERT INTO workspaces (id, slug, created_at, content) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (slug) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(slug)
        .bind(SystemClock.now().as_millis())
        .bind(content)
        .execute(&mut tx)
        .await?
        .rows_affected();
        if inserted == 0 {
            tx.rollback().await?;
            self.inner.keystore.destroy(id.as_str()).await?;
            return Err(StoreError::WorkspaceExists(slug.to_owned()));
        }
        crate::audit::start_chain(&mut tx, self, &id).await?;
        tx.commit().await?;
        Ok(Workspace::new(self.clone(), id, slug.to_owned(), keys))
    }

    /// The workspace of this short name or id.
    ///
    /// # Errors
    /// When there is none; the message lists those there are.
    pub async fn workspace(&self, slug_or_id: &str) -> Result<Workspace> {
        let db = &self.inner.db;
        let row = query("SELECT id, slug FROM workspaces WHERE slug = $1 OR id = $1")
            .bind(slug_or_id)
            .fetch_optional(db.reader())
            .await?;
        let Some(row) = row else {
            let rows = query("SELECT slug FROM workspaces ORDER BY slug LIMIT 20")
                .fetch_all(db.reader())
                .await?;
            let slugs: Vec<String> = rows.iter().filter_map(|row| row.get(0).ok()).collect();
            let hint = if slugs.is_empty() {
                ": there are none yet".to_owned()
            } else {
                format!(": there are {}", slugs.join(", "))
            };
            return Err(StoreError::NoWorkspace {
                wanted: slug_or_id.chars().take(60).collect(),
                hint,
            });
        };
        let id: WorkspaceId = parsed(&row.get::<String>(0)?)?;
        let keys = self.keys_of(&id).await?;
        Ok(Workspace::new(self.clone(), id, row.get(1)?, keys))
    }

    /// Every workspace, by short name. One whose key is gone is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceInfo>> {
        let rows = query("SELECT id, slug, created_at, content FROM workspaces ORDER BY slug")
            .fetch_all(self.inner.db.reader())
            .await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in rows {
            let id: WorkspaceId = parsed(&row.get::<String>(0)?)?;
            let keys = match self.keys_of(&id).await {
                Ok(keys) => keys,
                Err(StoreError::MissingKey(_)) => continue,
                Err(error) => return Err(error),
            };
            out.push(WorkspaceInfo {
                name: keys.content.open_json(name_place(&id), row.bytes(3)?)?,
                slug: row.get(1)?,
                created_at: Timestamp::from_millis(row.get(2)?),
                id,
            });
        }
        Ok(out)
    }

    /// Destroys a workspace: its rows, its index and its audit log, and its key, without which what
    /// a backup still holds does not open.
    ///
    /// # Errors
    /// When the rows or the key cannot be removed. Once the rows are gone, the next start destroys
    /// the key if this did not.
    pub async fn delete_workspace(&self, workspace: Workspace) -> Result<()> {
        let id = workspace.id().clone();
        let key = workspace.keys().fingerprint.clone();
        drop(workspace);
        let mut tx = self.inner.db.begin().await?;
        for statement in [
            "DELETE FROM workspaces WHERE id = $1",
            "DELETE FROM wrapped_keys WHERE owner = $1",
        ] {
            query(statement).bind(id.as_str()).execute(&mut tx).await?;
        }
        tx.commit().await?;
        crate::failpoint("workspace:rows_deleted");
        self.inner.keystore.destroy(id.as_str()).await?;
        self.inner.heads.remove(&id).await?;
        self.inner.db.forget_deleted().await?;
        tracing::warn!(workspace = %id, key, "workspace deleted, its key destroyed");
        Ok(())
    }

    /// Live events.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.inner.events
    }

    /// Which database this is, for people.
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        match self.inner.db.engine() {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        }
    }

    /// Answers when the database does.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        query("SELECT 1").fetch_one(self.inner.db.reader()).await?;
        Ok(())
    }

    /// Answers when the database takes a write as large as a ticket with what belongs to it, and it is
    /// on disk.
    ///
    /// # Errors
    /// When it takes none: its disk is full, or somebody holds it.
    pub async fn probe(&self) -> Result<()> {
        query("UPDATE instance SET ballast = $1")
            .bind(vec![0_u8; PROBE_BYTES])
            .execute(self.inner.db.writer())
            .await?;
        Ok(())
    }

    /// The folder of keys and audit heads.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    /// Writes what is still to be written, empties the write-ahead log and closes every connection.
    pub async fn close(&self) {
        self.inner.heads.settled().await;
        if let Err(error) = self.inner.db.checkpoint().await {
            tracing::warn!(%error, "the write-ahead log stays");
        }
        self.inner.db.close().await;
    }

    async fn keys_of(&self, id: &WorkspaceId) -> Result<Keys> {
        let key = self.inner.keystore.load(id.as_str()).await?;
        Ok(Keys::new(id.as_str(), &key))
    }
}

fn instance_owner(id: &str) -> String {
    format!("instance-{id}")
}

fn name_place(id: &WorkspaceId) -> Place<'_> {
    content_of("workspaces", id.as_str())
}

async fn instance_id(db: &Db) -> Result<Option<String>> {
    if migrate::version(db).await? == 0 {
        return Ok(None);
    }
    let row = query("SELECT id FROM instance LIMIT 1")
        .fetch_optional(db.reader())
        .await?;
    row.map(|row| row.get(0)).transpose()
}

fn is_slug(slug: &str) -> bool {
    let mut bytes = slug.bytes();
    matches!(bytes.next(), Some(b'a'..=b'z'))
        && slug.len() <= 40
        && bytes.all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn create_private_folder(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| StoreError::File {
        path: path.to_owned(),
        source,
    })
}
