//! Work to do, that survives whoever was doing it.
//!
//! A job is claimed under a lease. Whoever holds it renews the lease while working; when the holder
//! dies, the lease runs out and somebody else takes the job. Jobs are added in the transaction of
//! what they are about. Who holds a job, and that it is done, does not wait for the disk: a job that a loss
//! of power brings back is begun again, and finds what it did.

use gaby_model::{JobId, Priority, Timestamp, WorkspaceId};

use crate::Result;
use crate::db::{Db, Engine};
use crate::error::StoreError;
use crate::seal::Place;
use crate::sql::{Row, Session, query};
use crate::store::Store;
use crate::tx::Tx;
use crate::workspace::parsed;

/// After so many failures a job is put aside for a human.
pub const MAX_ATTEMPTS: u32 = 5;
/// A job that was begun so often and neither done nor failed takes its process down with it: it is
/// put aside too.
const MAX_BEGUN: u32 = 25;
/// How long a job waits that could not be done for a reason that is not its own.
const POSTPONED_MILLIS: i64 = 5_000;
/// Names the lock among workers, in the database that they share.
const WORKERS: i64 = 738_203;

/// A job that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// What is to be done, such as `investigate`.
    pub kind: String,
    /// With what: an id.
    pub subject: String,
    /// How often it was begun, this time included.
    pub attempts: u32,
}

/// How much there is to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Waiting.
    pub ready: u64,
    /// Being worked on.
    pub leased: u64,
    /// Put aside after failing too often.
    pub dead: u64,
    /// When the oldest that waits was added.
    pub oldest: Option<Timestamp>,
}

/// The queue of all workspaces.
pub struct Queue<'a>(&'a Store);

impl Store {
    /// The queue.
    #[must_use]
    pub fn queue(&self) -> Queue<'_> {
        Queue(self)
    }
}

/// When work should be done that nobody gave a deadline: by priority, counted from now.
#[must_use]
pub fn due(deadline: Option<Timestamp>, priority: Priority, now: Timestamp) -> Timestamp {
    const HOUR: i64 = 3_600_000;
    deadline.unwrap_or_else(|| {
        now.plus_millis(match priority {
            Priority::Urgent => HOUR,
            Priority::High => 4 * HOUR,
            Priority::Normal => 24 * HOUR,
            Priority::Low => 72 * HOUR,
        })
    })
}

impl Tx {
    /// Adds a job.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue(
        &mut self,
        kind: &str,
        subject: &str,
        due: Timestamp,
        priority: Priority,
        now: Timestamp,
    ) -> Result<JobId> {
        let id = JobId::generate();
        let workspace = self.workspace().id().as_str().to_owned();
        query(
            "INSERT INTO jobs \
             (id, workspace, kind, subject, state, due, priority, run_after, attempts, created_at) \
             VALUES ($1, $2, $3, $4, 'ready', $5, $6, $7, 0, $7)",
        )
        .bind(id.as_str())
        .bind(workspace)
        .bind(kind)
        .bind(subject)
        .bind(due.as_millis())
        .bind(priority as i64)
        .bind(now.as_millis())
        .execute(&mut self.inner)
        .await?;
        Ok(id)
    }

    /// Takes up the work on a subject for this process, under a lease of so many milliseconds: its
    /// job if one waits, or a new one. None when somebody else works on it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_up(
        &mut self,
        kind: &str,
        subject: &str,
        (due, priority): (Timestamp, Priority),
        now: Timestamp,
        lease_millis: i64,
    ) -> Result<Option<Job>> {
        let workspace = self.workspace().id().as_str().to_owned();
        let there = query(
            "SELECT id FROM jobs WHERE workspace = $1 AND kind = $2 AND subject = $3 \
             AND state = 'leased' AND lease_until >= $4",
        )
        .bind(&workspace)
        .bind(kind)
        .bind(subject)
        .bind(now.as_millis())
        .fetch_optional(&mut self.inner)
        .await?;
        if there.is_some() {
            return Ok(None);
        }
        let waiting = query(
            "SELECT id FROM jobs WHERE workspace = $1 AND kind = $2 AND subject = $3 ORDER BY id",
        )
        .bind(&workspace)
        .bind(kind)
        .bind(subject)
        .fetch_optional(&mut self.inner)
        .await?;
        let id: JobId = match waiting {
            Some(row) => parsed(&row.get::<String>(0)?)?,
            None => self.enqueue(kind, subject, due, priority, now).await?,
        };
        let epoch = self.workspace().store().inner.epoch.clone();
        // Whoever claimed it meanwhile is told apart by the lease's end.
        let rows = query(
            "UPDATE jobs SET state = 'leased', lease_owner = $1, lease_until = $2, attempts = 1 \
             WHERE id = $3 AND (state <> 'leased' OR lease_until < $4) \
             RETURNING id, workspace, kind, subject, attempts",
        )
        .bind(epoch)
        .bind(now.plus_millis(lease_millis).as_millis())
        .bind(id.as_str())
        .bind(now.as_millis())
        .fetch_all(&mut self.inner)
        .await?;
        rows.first().map(job).transpose()
    }
}

impl Queue<'_> {
    /// Takes the most pressing job under a lease of so many milliseconds: earliest due first, then
    /// higher priority, then older.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(&self, now: Timestamp, lease_millis: i64) -> Result<Option<Job>> {
        while let Some(job) = self.take(now, lease_millis).await? {
            if job.attempts <= MAX_BEGUN {
                return Ok(Some(job));
            }
            tracing::error!(job = %job.id, "a job was begun too often without an end: put aside");
            self.fail(&job, "begun too often without an end", now)
                .await?;
        }
        Ok(None)
    }

    async fn take(&self, now: Timestamp, lease_millis: i64) -> Result<Option<Job>> {
        let statement = match self.0.inner.db.engine() {
            Engine::Sqlite => {
                "UPDATE jobs SET state = 'leased', lease_owner = $1, lease_until = $2, \
                 attempts = attempts + 1 WHERE id = (SELECT id FROM jobs \
                 WHERE (state = 'ready' AND run_after <= $3) OR (state = 'leased' AND lease_until < $3) \
                 ORDER BY due, priority DESC, created_at, id LIMIT 1) \
                 RETURNING id, workspace, kind, subject, attempts"
            }
            Engine::Postgres => {
                "UPDATE jobs SET state = 'leased', lease_owner = $1, lease_until = $2, \
                 attempts = attempts + 1 WHERE id = (SELECT id FROM jobs \
                 WHERE (state = 'ready' AND run_after <= $3) OR (state = 'leased' AND lease_until < $3) \
                 ORDER BY due, priority DESC, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) \
                 RETURNING id, workspace, kind, subject, attempts"
            }
        };
        let row = query(statement)
            .bind(&self.0.inner.epoch)
            .bind(now.plus_millis(lease_millis).as_millis())
            .bind(now.as_millis())
            // All, so that the statement runs to its end and its change is made.
            .fetch_all(self.0.inner.db.soon())
            .await?;
        row.first().map(job).transpose()
    }

    /// Renews the lease of a job. `false`: it is no longer this process's, stop working on it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew(&self, job: &JobId, now: Timestamp, lease_millis: i64) -> Result<bool> {
        let changed = query(
            "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND state = 'leased' AND lease_owner = $3",
        )
        .bind(now.plus_millis(lease_millis).as_millis())
        .bind(job.as_str())
        .bind(&self.0.inner.epoch)
        .execute(self.0.inner.db.soon())
        .await?
        .rows_affected();
        Ok(changed == 1)
    }

    /// The job is done and goes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete(&self, job: &JobId) -> Result<()> {
        query("DELETE FROM jobs WHERE id = $1 AND lease_owner = $2")
            .bind(job.as_str())
            .bind(&self.0.inner.epoch)
            .execute(self.0.inner.db.soon())
            .await?;
        Ok(())
    }

    /// The job failed: it is tried again later, each time twice as late, and put aside after
    /// [`MAX_ATTEMPTS`]. Returns whether it was put aside.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail(&self, job: &Job, error: &str, now: Timestamp) -> Result<bool> {
        let dead = job.attempts >= MAX_ATTEMPTS;
        let wait = 1_000_i64 << job.attempts.min(12);
        let workspace = self.0.workspace(job.workspace.as_str()).await?;
        let place = Place {
            table: "jobs",
            row: job.id.as_str(),
            column: "error",
        };
        let message: String = error.chars().take(2_000).collect();
        query(
            "UPDATE jobs SET state = $1, run_after = $2, lease_owner = NULL, lease_until = NULL, \
             error = $3 WHERE id = $4 AND lease_owner = $5",
        )
        .bind(if dead { "dead" } else { "ready" })
        .bind(now.plus_millis(wait).as_millis())
        .bind(workspace.keys().content.seal(place, message.as_bytes()))
        .bind(job.id.as_str())
        .bind(&self.0.inner.epoch)
        .execute(self.0.inner.db.soon())
        .await?;
        Ok(dead)
    }

    /// The job could not be done now for a reason that is not its own, such as a full disk: it is tried
    /// again in a moment, and this time does not count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone(&self, job: &Job, now: Timestamp) -> Result<()> {
        query(
            "UPDATE jobs SET state = 'ready', run_after = $1, attempts = attempts - 1, \
             lease_owner = NULL, lease_until = NULL WHERE id = $2 AND lease_owner = $3",
        )
        .bind(now.plus_millis(POSTPONED_MILLIS).as_millis())
        .bind(job.id.as_str())
        .bind(&self.0.inner.epoch)
        .execute(self.0.inner.db.soon())
        .await?;
        Ok(())
    }

    /// Frees every lease of processes before this one. Only for a process that knows itself to be
    /// alone: see [`WorkerLock::alone`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recover(&self) -> Result<u64> {
        let freed = query(
            "UPDATE jobs SET state = 'ready', lease_owner = NULL, lease_until = NULL \
             WHERE state = 'leased' AND lease_owner <> $1",
        )
        .bind(&self.0.inner.epoch)
        .execute(self.0.inner.db.soon())
        .await?
        .rows_affected();
        Ok(freed)
    }

    /// How much there is to do, over all workspaces.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn depth(&self) -> Result<QueueDepth> {
        let rows = query("SELECT state, COUNT(*), MIN(created_at) FROM jobs GROUP BY state")
            .large()
            .fetch_all(self.0.inner.db.reader())
            .await?;
        let mut depth = QueueDepth::default();
        for row in rows {
            let count = row.get::<i64>(1)?.unsigned_abs();
            match row.get::<String>(0)?.as_str() {
                "ready" => {
                    depth.ready = count;
                    depth.oldest = Some(Timestamp::from_millis(row.get(2)?));
                }
                "leased" => depth.leased = count,
                _ => depth.dead = count,
            }
        }
        Ok(depth)
    }
}

/// Held by a process that works on the queue, for as long as it does.
#[derive(Debug)]
pub struct WorkerLock {
    alone: bool,
    _held: Held,
}

/// What keeps the lock: it goes with the process, however that ends.
#[derive(Debug)]
enum Held {
    File { _file: std::fs::File },
    Session { _session: Box<Session> },
}

impl WorkerLock {
    /// Whether nobody else worked on the queue when this process began to: whatever is leased then
    /// was left by a process that is gone.
    #[must_use]
    pub fn alone(&self) -> bool {
        self.alone
    }
}

impl Store {
    /// Makes this one of the processes that work on the queue, until the lock is dropped or the
    /// process ends.
    ///
    /// # Errors
    /// When the lock cannot be asked for.
    pub async fn lock_worker(&self) -> Result<WorkerLock> {
        match &self.inner.db {
            Db::Lite(_) => self.lock_folder(),
            Db::Postgres(server) => {
                let (session, alone) = server.share_lock(WORKERS).await?;
                let session = Box::new(session);
                Ok(WorkerLock {
                    alone,
                    _held: Held::Session { _session: session },
                })
            }
        }
    }

    /// Who shares a SQLite file shares its folder.
    fn lock_folder(&self) -> Result<WorkerLock> {
        let path = self.inner.data_dir.join("worker.lock");
        let failed = |source| StoreError::File {
            path: path.clone(),
            source,
        };
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let alone = match file.try_lock() {
            Ok(()) => true,
            Err(std::fs::TryLockError::WouldBlock) => false,
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        };
        // As on PostgreSQL: alone for a moment, then one of those who share it.
        if alone {
            file.unlock().map_err(failed)?;
        }
        file.lock_shared().map_err(failed)?;
        Ok(WorkerLock {
            alone,
            _held: Held::File { _file: file },
        })
    }
}

fn job(row: &Row) -> Result<Job> {
    Ok(Job {
        id: parsed(&row.get::<String>(0)?)?,
        workspace: parsed(&row.get::<String>(1)?)?,
        kind: row.get(2)?,
        subject: row.get(3)?,
        attempts: u32::try_from(row.get::<i64>(4)?).map_err(StoreError::corrupt)?,
    })
}
