//! SQLite: one connection that writes, and some that read.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use super::log::Log;
use super::value::Cell;
use super::{Query, Ran, Row, Transaction, Value, Wanted};
use crate::db::WAIT;
use crate::error::StoreError;

/// How long a change waits for another process that is making one.
const OTHERS: Duration = Duration::from_secs(4);
/// How long a read waits for another process that holds the whole file.
const HELD: Duration = Duration::from_secs(4);
/// How many read at once. Most reads are over before another begins.
const READERS: usize = 16;
/// How many connections that read are kept.
const KEPT: usize = 4;
/// How many statements a connection keeps prepared.
const PREPARED: usize = 100;
/// After so many pages of its log SQLite moves them into the database (its own default).
const LOG_PAGES: u32 = 1_000;

/// A SQLite database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Lite {
    file: Arc<File>,
    writer: Arc<Turn<Writer>>,
    log: Log,
}

struct File {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    readers: Arc<Semaphore>,
    closed: AtomicBool,
}

/// The connection that writes.
struct Writer {
    /// None when it must be made anew. Nobody but the turn's holder ever locks it: the lock lets a
    /// change be looked at from several threads, one after the other.
    connection: Mutex<Option<Connection>>,
    /// Whether its commits do not wait for the disk now.
    unhurried: bool,
}

/// A change, or a snapshot.
pub(crate) struct LiteTx(Held);

enum Held {
    Change {
        writer: OwnedMutexGuard<Writer>,
        waits: bool,
    },
    /// None while it reads elsewhere, and for ever when nobody waited for that.
    Snapshot { reader: Box<Mutex<Option<Reader>>> },
}

/// A connection that reads, given back when it is dropped.
struct Reader {
    connection: Option<Connection>,
    file: Arc<File>,
    _turn: OwnedSemaphorePermit,
}

impl Lite {
    /// Opens a database, and makes it when there is none.
    pub(crate) async fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        let file = Arc::new(File {
            path: path.to_owned(),
            idle: Mutex::default(),
            readers: Arc::new(Semaphore::new(READERS)),
            closed: AtomicBool::new(false),
        });
        let opened = Arc::clone(&file);
        let connection = elsewhere(move || opened.connect(Duration::ZERO)).await?;
        let writer = Writer {
            connection: Mutex::new(Some(connection)),
            unhurried: false,
        };
        Ok(Self {
            file,
            writer: Arc::new(Turn::new(writer)),
            log: Log::of(path),
        })
    }

    /// Begins a change. What it reads first stays as it is until it is made.
    pub(crate) async fn begin(&self, waits: bool) -> Result<LiteTx, StoreError> {
        let turn = timeout(WAIT, Arc::clone(&self.writer).lock_owned()).await;
        let mut writer = turn.map_err(|_| busy("others change it"))?;
        if self.file.closed.load(Ordering::Acquire) {
            return Err(busy("it is closed"));
        }
        let until = Instant::now() + OTHERS;
        let mut pause = Duration::from_millis(1);
        loop {
            match writer.begin(&self.file, waits) {
                Ok(()) => break,
                Err(error) if is_busy(&error) && Instant::now() < until => {
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(LiteTx(Held::Change { writer, waits }))
    }

    /// Runs a statement as a change of its own.
    pub(super) async fn change(
        &self,
        query: &Query<'_>,
        wanted: Wanted,
        waits: bool,
    ) -> Result<Ran, StoreError> {
        let mut change = self.begin(waits).await?;
        let ran = change.run(query, wanted)?;
        change.commit().await?;
        if !waits {
            self.settle_soon();
        }
        Ok(ran)
    }

    /// Reads that all see one moment of the database.
    pub(crate) async fn snapshot(&self) -> Result<Transaction, StoreError> {
        let mut reader = self.reader().await?;
        reader.connection()?.execute_batch("BEGIN")?;
        let reader = Box::new(Mutex::new(Some(reader)));
        Ok(Transaction::Lite(LiteTx(Held::Snapshot { reader })))
    }

    /// Over the connection that writes, when nobody changes anything: after a change it alone need not look at
    /// what changed again.
    pub(super) async fn read(&self, query: &Query<'_>, wanted: Wanted) -> Result<Ran, StoreError> {
        if let Ok(mut writer) = self.writer.try_lock()
            && !self.file.closed.load(Ordering::Acquire)
        {
            match run(writer.connection(&self.file)?, query, wanted) {
                // Another process holds the file; the connections that read wait for it.
                Err(error) if is_busy(&error) => {}
                ran => return Ok(ran?),
            }
        }
        let mut reader = self.reader().await?;
        Ok(run(reader.connection()?, query, wanted)?)
    }

    pub(super) async fn read_elsewhere(
        &self,
        query: Query<'static>,
        wanted: Wanted,
    ) -> Result<Ran, StoreError> {
        let mut reader = self.reader().await?;
        elsewhere(move || Ok(run(reader.connection()?, &query, wanted)?)).await
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        let turns = Arc::clone(&self.file.readers);
        let turn = timeout(WAIT, turns.acquire_owned()).await;
        let turn = turn.map_err(|_| busy("too many read it"))?;
        Ok(Reader {
            connection: self.file.idle().pop(),
            file: Arc::clone(&self.file),
            _turn: turn.map_err(|_| busy("it is closed"))?,
        })
    }

    /// Waits until everything that was committed so far is on disk.
    pub(crate) async fn settle(&self) -> std::io::Result<()> {
        self.log.settle().await
    }

    /// Has what was committed without waiting on disk before long.
    pub(crate) fn settle_soon(&self) {
        self.log.settle_soon();
    }

    /// Moves the write-ahead log into the database and empties it.
    pub(crate) async fn checkpoint(&self) -> Result<(), StoreError> {
        let turn = timeout(WAIT, Arc::clone(&self.writer).lock_owned()).await;
        let mut writer = turn.map_err(|_| busy("others change it"))?;
        let file = Arc::clone(&self.file);
        elsewhere(move || {
            let connection = writer.connection(&file)?;
            connection.busy_timeout(OTHERS)?;
            let emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            connection.busy_timeout(Duration::ZERO)?;
            Ok(emptied?)
        })
        .await
    }

    /// Closes every connection, the writer's last: it leaves no log behind.
    pub(crate) async fn close(&self) {
        self.file.closed.store(true, Ordering::Release);
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        let _nobody_reads = timeout(WAIT, self.file.readers.acquire_many(all)).await;
        self.file.readers.close();
        let Ok(mut writer) = timeout(WAIT, Arc::clone(&self.writer).lock_owned()).await else {
            return;
        };
        let idle = std::mem::take(&mut *self.file.idle());
        let closing = spawn_blocking(move || {
            drop(idle);
            writer.forget();
        });
        if let Err(error) = closing.await {
            tracing::warn!(%error, "the database may not be closed");
        }
    }
}

impl File {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, with so much patience for others that hold the file afterwards.
    fn connect(&self, patience: Duration) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.path)?;
        // Another process may be making it.
        connection.busy_timeout(HELD)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;",
        )?;
        connection.busy_timeout(patience)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(connection)
    }
}

impl Writer {
    fn slot(&mut self) -> &mut Option<Connection> {
        held(&mut self.connection)
    }

    fn connection(&mut self, file: &File) -> rusqlite::Result<&mut Connection> {
        if self.slot().is_none() {
            let connection = file.connect(Duration::ZERO)?;
            self.unhurried = false;
            *self.slot() = Some(connection);
        }
        self.slot().as_mut().ok_or(rusqlite::Error::InvalidQuery)
    }

    fn begin(&mut self, file: &File, waits: bool) -> rusqlite::Result<()> {
        self.connection(file)?;
        if self.unhurried == waits {
            // What is moved from the log into the database waits for the disk, too.
            let pragmas = match waits {
                true => {
                    format!("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = {LOG_PAGES}")
                }
                false => "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0".to_owned(),
            };
            self.connection(file)?.execute_batch(&pragmas)?;
            self.unhurried = !waits;
        }
        let connection = self.connection(file)?;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn end(&mut self, statement: &str) -> Result<(), StoreError> {
        match self.slot() {
            Some(connection) => {
                connection.prepare_cached(statement)?.execute([])?;
                Ok(())
            }
            None => Err(busy("it was lost")),
        }
    }

    /// Undoes what was not committed. SQLite takes a change back by itself when the disk is full.
    fn abandon(&mut self) {
        let Some(connection) = self.slot() else {
            return;
        };
        if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
            self.forget();
        }
    }

    /// Closes the connection; the next change makes a new one.
    fn forget(&mut self) {
        *self.slot() = None;
    }
}

impl LiteTx {
    pub(super) fn run(&mut self, query: &Query<'_>, wanted: Wanted) -> Result<Ran, StoreError> {
        match &mut self.0 {
            Held::Change { writer, .. } => match writer.slot() {
                Some(connection) => Ok(run(connection, query, wanted)?),
                None => Err(busy("it was lost")),
            },
            Held::Snapshot { reader } => match held(reader) {
                Some(reader) => Ok(run(reader.connection()?, query, wanted)?),
                None => Err(busy("it was lost")),
            },
        }
    }

    pub(super) async fn read_elsewhere(
        &mut self,
        query: Query<'static>,
        wanted: Wanted,
    ) -> Result<Ran, StoreError> {
        let Held::Snapshot { reader: place } = &mut self.0 else {
            return self.run(&query, wanted);
        };
        let mut reader = held(place).take().ok_or_else(|| busy("it was lost"))?;
        let (ran, reader) = elsewhere(move || {
            let ran = run(reader.connection()?, &query, wanted)?;
            Ok::<_, rusqlite::Error>((ran, reader))
        })
        .await?;
        *held(place) = Some(reader);
        Ok(ran)
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if !matches!(self.0, Held::Change { waits: true, .. }) {
            return self.end("COMMIT");
        }
        elsewhere(move || self.end("COMMIT")).await
    }

    pub(super) fn rollback(mut self) -> Result<(), StoreError> {
        self.end("ROLLBACK")
    }

    fn end(&mut self, statement: &str) -> Result<(), StoreError> {
        match &mut self.0 {
            Held::Change { writer, .. } => writer.end(statement),
            // It changed nothing; dropping it ends it.
            Held::Snapshot { .. } => Ok(()),
        }
    }
}

impl Drop for LiteTx {
    fn drop(&mut self) {
        if let Held::Change { writer, .. } = &mut self.0 {
            writer.abandon();
        }
    }
}

impl Reader {
    fn connection(&mut self) -> rusqlite::Result<&Connection> {
        if self.connection.is_none() {
            self.connection = Some(self.file.connect(HELD)?);
        }
        self.connection
            .as_ref()
            .ok_or(rusqlite::Error::InvalidQuery)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
            return;
        }
        let mut idle = self.file.idle();
        if idle.len() < KEPT && !self.file.closed.load(Ordering::Acquire) {
            idle.push(connection);
        }
    }
}

/// What nobody else can have locked.
fn held<T>(lock: &mut Mutex<T>) -> &mut T {
    lock.get_mut().unwrap_or_else(PoisonError::into_inner)
}

fn busy(why: &str) -> StoreError {
    StoreError::Busy(why.to_owned())
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

/// Does what waits for the disk where waiting holds up nobody.
pub(super) async fn elsewhere<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down, and whoever waits with it.
            Err(_) => std::future::pending().await,
        },
    }
}

fn run(connection: &Connection, query: &Query<'_>, wanted: Wanted) -> rusqlite::Result<Ran> {
    let mut statement = connection.prepare_cached(&query.text)?;
    for place in 1..=statement.parameter_count() {
        // `$3` is the third value, wherever it stands.
        let name = statement.parameter_name(place).unwrap_or_default();
        let number: Option<usize> = name
            .strip_prefix('$')
            .and_then(|number| number.parse().ok());
        let value = number.and_then(|number| query.values.get(number.checked_sub(1)?));
        let Some(value) = value else {
            return Err(rusqlite::Error::InvalidParameterName(name.to_owned()));
        };
        statement.raw_bind_parameter(place, value)?;
    }
    let columns = statement.column_count();
    let mut answer = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = answer.next()? {
        if wanted == Wanted::Nothing {
            continue;
        }
        let cells = (0..columns).map(|column| cell(row.get_ref(column)?));
        rows.push(Row(cells.collect::<rusqlite::Result<_>>()?));
        if wanted == Wanted::First {
            break;
        }
    }
    drop(answer);
    Ok(Ran {
        rows,
        affected: connection.changes(),
    })
}

fn cell(value: ValueRef<'_>) -> rusqlite::Result<Cell> {
    Ok(match value {
        ValueRef::Null => Cell::Nothing,
        ValueRef::Integer(number) => Cell::Whole(number),
        // No column of ours holds one.
        ValueRef::Real(number) => Cell::Text(number.to_string()),
        ValueRef::Text(_) => Cell::Text(value.as_str()?.to_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    })
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Whole(number) => number.map(ValueRef::Integer),
            Self::Text(text) => text.as_deref().map(|text| ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => bytes.as_deref().map(ValueRef::Blob),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{On, query};
    use super::*;
    use crate::db::{DatabaseUrl, Db};

    async fn opened(folder: &Path) -> Db {
        Db::open(&DatabaseUrl::DataFolder, folder).await.unwrap()
    }

    #[tokio::test]
    async fn only_an_unhurried_change_does_not_wait_for_the_disk() {
        async fn waits(on: impl Into<On<'_>>) -> bool {
            let row = query("PRAGMA synchronous").fetch_one(on).await.unwrap();
            // 2 is FULL (sqlite.org/pragma.html#pragma_synchronous).
            row.get::<i64>(0).unwrap() == 2
        }
        let folder = tempfile::tempdir().unwrap();
        let db = opened(folder.path()).await;
        for _ in 0..2 {
            let mut unhurried = db.begin_unhurried().await.unwrap();
            assert!(!waits(&mut unhurried).await);
            unhurried.commit().await.unwrap();
            assert!(waits(db.writer()).await);
            let dropped = db.begin_unhurried().await.unwrap();
            drop(dropped);
            assert!(waits(&mut db.begin().await.unwrap()).await);
        }
    }

    #[tokio::test]
    async fn a_change_that_is_dropped_was_never_made_and_one_at_a_time_is() {
        let folder = tempfile::tempdir().unwrap();
        let db = opened(folder.path()).await;
        query("CREATE TABLE t (n BIGINT)")
            .execute(db.writer())
            .await
            .unwrap();
        let mut dropped = db.begin().await.unwrap();
        query("INSERT INTO t VALUES ($1)")
            .bind(1)
            .execute(&mut dropped)
            .await
            .unwrap();
        let waiting = tokio::spawn({
            let db = db.clone();
            async move {
                let mut second = db.begin().await.unwrap();
                query("INSERT INTO t VALUES ($1)")
                    .bind(2)
                    .execute(&mut second)
                    .await
                    .unwrap();
                second.commit().await.unwrap();
            }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        drop(dropped);
        waiting.await.unwrap();
        let rows = query("SELECT n FROM t")
            .large()
            .fetch_all(db.reader())
            .await
            .unwrap();
        let numbers: Vec<i64> = rows.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(numbers, [2]);
    }

    #[tokio::test]
    async fn another_process_that_changes_it_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let db = opened(folder.path()).await;
        query("CREATE TABLE t (n BIGINT)")
            .execute(db.writer())
            .await
            .unwrap();
        let other = Connection::open(folder.path().join("gaby.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let change = tokio::spawn({
            let db = db.clone();
            async move { query("INSERT INTO t VALUES (1)").execute(db.writer()).await }
        });
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(!change.is_finished());
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(change.await.unwrap().unwrap().rows_affected(), 1);
    }

    #[tokio::test]
    async fn a_snapshot_sees_one_moment() {
        let folder = tempfile::tempdir().unwrap();
        let db = opened(folder.path()).await;
        query("CREATE TABLE t (n BIGINT)")
            .execute(db.writer())
            .await
            .unwrap();
        let mut snapshot = db.snapshot().await.unwrap();
        let count = || query("SELECT COUNT(*) FROM t");
        assert_eq!(
            count()
                .fetch_one(&mut snapshot)
                .await
                .unwrap()
                .get::<i64>(0)
                .unwrap(),
            0
        );
        query("INSERT INTO t VALUES (1)")
            .execute(db.writer())
            .await
            .unwrap();
        assert_eq!(
            count()
                .fetch_one(&mut snapshot)
                .await
                .unwrap()
                .get::<i64>(0)
                .unwrap(),
            0
        );
        drop(snapshot);
        assert_eq!(
            count()
                .fetch_one(db.reader())
                .await
                .unwrap()
                .get::<i64>(0)
                .unwrap(),
            1
        );
    }

    #[tokio::test]
    async fn values_are_bound_by_number_and_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let db = opened(folder.path()).await;
        let row = query("SELECT $2, $1, $2, $3, $4")
            .bind("text")
            .bind(7)
            .bind(vec![1_u8, 0])
            .bind(None::<i64>)
            .fetch_one(db.reader())
            .await
            .unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 7);
        assert_eq!(row.get::<String>(1).unwrap(), "text");
        assert_eq!(row.get::<i64>(2).unwrap(), 7);
        assert_eq!(row.get::<Vec<u8>>(3).unwrap(), [1, 0]);
        assert_eq!(row.get::<Option<i64>>(4).unwrap(), None);
        assert!(row.get::<i64>(1).is_err());
        assert!(row.get::<i64>(9).is_err());
        let unbound = query("SELECT $2").bind(1).fetch_one(db.reader()).await;
        assert!(unbound.is_err());
    }

    #[tokio::test]
    async fn what_is_closed_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let db = opened(folder.path()).await;
        query("CREATE TABLE t (n BIGINT)")
            .execute(db.writer())
            .await
            .unwrap();
        db.close().await;
        assert!(!folder.path().join("gaby.db-wal").exists());
        let read = query("SELECT 1").fetch_one(db.reader()).await;
        assert!(matches!(read, Err(StoreError::Busy(_))), "{read:?}");
        assert!(matches!(db.begin().await.err(), Some(StoreError::Busy(_))));
    }
}
