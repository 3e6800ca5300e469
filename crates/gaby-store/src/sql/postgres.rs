//! PostgreSQL, by its pool.

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Executor, Row as _, TypeInfo as _};

use super::value::Cell;
use super::{Query, Ran, Row, Transaction, Value, Wanted};
use crate::db::WAIT;
use crate::error::StoreError;

/// Connections to a server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Postgres(PgPool);

impl Postgres {
    pub(crate) async fn open(address: &str) -> Result<Self, sqlx::Error> {
        let options: PgConnectOptions = address.parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(WAIT)
            .connect_with(options.disable_statement_logging())
            .await?;
        Ok(Self(pool))
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.0
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::Postgres(self.0.begin().await?))
    }

    /// A transaction that only reads, and sees one moment of the database throughout.
    pub(crate) async fn snapshot(&self) -> Result<Transaction, StoreError> {
        let statement = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Transaction::Postgres(self.0.begin_with(statement).await?))
    }

    /// Holds a lock that several may hold, and says whether it could be had alone for a moment before.
    /// It belongs to a session of its own, which ends with the process.
    pub(crate) async fn share_lock(&self, lock: i64) -> Result<(Session, bool), StoreError> {
        let mut session = self.0.acquire().await?.detach();
        let mut alone = false;
        // The server takes a moment to notice that a process which was killed is gone.
        for _ in 0..20 {
            alone = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                .bind(lock)
                .fetch_one(&mut session)
                .await?;
            if alone {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        sqlx::query("SELECT pg_advisory_lock_shared($1)")
            .bind(lock)
            .execute(&mut session)
            .await?;
        if alone {
            sqlx::query("SELECT pg_advisory_unlock($1)")
                .bind(lock)
                .execute(&mut session)
                .await?;
        }
        Ok((session, alone))
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

/// A connection of its own.
pub(crate) type Session = sqlx::PgConnection;

pub(super) async fn run(
    query: Query<'_>,
    wanted: Wanted,
    on: impl Executor<'_, Database = sqlx::Postgres>,
) -> Result<Ran, StoreError> {
    // Put together from fixed texts only: see `query_of`.
    let mut statement = sqlx::query(AssertSqlSafe(query.text.into_owned()));
    for value in query.values {
        statement = match value {
            Value::Whole(number) => statement.bind(number),
            Value::Text(text) => statement.bind(text.map(std::borrow::Cow::into_owned)),
            Value::Bytes(bytes) => statement.bind(bytes.map(std::borrow::Cow::into_owned)),
        };
    }
    let (rows, affected) = match wanted {
        Wanted::Nothing => (Vec::new(), statement.execute(on).await?.rows_affected()),
        Wanted::First => (statement.fetch_optional(on).await?.into_iter().collect(), 0),
        Wanted::All => (statement.fetch_all(on).await?, 0),
    };
    let rows = rows.iter().map(row_of).collect::<Result<_, _>>()?;
    Ok(Ran { rows, affected })
}

fn row_of(row: &PgRow) -> Result<Row, StoreError> {
    let cells = row.columns().iter().enumerate().map(|(place, column)| {
        let cell = match column.type_info().name() {
            "INT8" => row.try_get::<Option<i64>, _>(place)?.map(Cell::Whole),
            "INT4" => row
                .try_get::<Option<i32>, _>(place)?
                .map(|number| Cell::Whole(number.into())),
            "BOOL" => row
                .try_get::<Option<bool>, _>(place)?
                .map(|is| Cell::Whole(is.into())),
            "BYTEA" => row.try_get::<Option<Vec<u8>>, _>(place)?.map(Cell::Bytes),
            _ => row.try_get::<Option<String>, _>(place)?.map(Cell::Text),
        };
        Ok::<_, sqlx::Error>(cell.unwrap_or(Cell::Nothing))
    });
    Ok(Row(cells.collect::<Result<_, _>>()?))
}
