//! Statements that run on both engines.
//!
//! A statement is text with `$1`, `$2` … and the values for them. On SQLite it runs where it is
//! awaited, by a call and not by a message to another thread: that takes tens of microseconds, and being
//! woken twice takes longer than most statements. What may take long is said to be [`Query::large`], and runs
//! elsewhere.

mod lite;
mod log;
mod postgres;
mod value;

use std::borrow::Cow;

use crate::db::Db;
use crate::error::StoreError;
pub(crate) use lite::{Lite, LiteTx};
pub(crate) use postgres::{Postgres, Session};
pub(crate) use value::{Row, Value};

/// A statement with its values.
#[derive(Debug, Clone)]
#[must_use = "a statement does nothing before it is run"]
pub(crate) struct Query<'q> {
    text: Cow<'static, str>,
    values: Vec<Value<'q>>,
    large: bool,
}

/// A statement of a fixed text.
pub(crate) fn query<'q>(text: &'static str) -> Query<'q> {
    Query {
        text: Cow::Borrowed(text),
        values: Vec::new(),
        large: false,
    }
}

/// A statement whose text is put together. What it is put together from must be fixed texts: values are
/// bound.
pub(crate) fn query_of<'q>(text: String) -> Query<'q> {
    Query {
        text: Cow::Owned(text),
        values: Vec::new(),
        large: false,
    }
}

/// Where a statement runs.
pub(crate) enum On<'a> {
    /// By itself, reading.
    Reader(&'a Db),
    /// As a change of its own, on disk when it has run.
    Writer(&'a Db),
    /// As a change of its own that does not wait for the disk.
    Soon(&'a Db),
    /// Within a change.
    Tx(&'a mut Transaction),
}

impl<'a> From<&'a mut Transaction> for On<'a> {
    fn from(transaction: &'a mut Transaction) -> Self {
        Self::Tx(transaction)
    }
}

/// A change of the database, or a snapshot of it. Dropping it undoes it.
pub(crate) enum Transaction {
    Lite(LiteTx),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Lite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Lite(transaction) => transaction.rollback(),
            Self::Postgres(transaction) => Ok(transaction.rollback().await?),
        }
    }
}

/// What a statement came to.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    rows: Vec<Row>,
    affected: u64,
}

impl Ran {
    /// How many rows were added, changed or removed.
    pub(crate) fn rows_affected(&self) -> u64 {
        self.affected
    }
}

/// How many rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    First,
    All,
}

impl<'q> Query<'q> {
    /// Adds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Says that it may read much: other work goes on meanwhile.
    pub(crate) fn large(mut self) -> Self {
        self.large = true;
        self
    }

    pub(crate) async fn execute(self, on: impl Into<On<'_>>) -> Result<Ran, StoreError> {
        self.run(on.into(), Wanted::Nothing).await
    }

    pub(crate) async fn fetch_all(self, on: impl Into<On<'_>>) -> Result<Vec<Row>, StoreError> {
        Ok(self.run(on.into(), Wanted::All).await?.rows)
    }

    pub(crate) async fn fetch_optional(
        self,
        on: impl Into<On<'_>>,
    ) -> Result<Option<Row>, StoreError> {
        let ran = self.run(on.into(), Wanted::First).await?;
        Ok(ran.rows.into_iter().next())
    }

    pub(crate) async fn fetch_one(self, on: impl Into<On<'_>>) -> Result<Row, StoreError> {
        let row = self.fetch_optional(on).await?;
        row.ok_or_else(|| StoreError::corrupt("a row that should be there is not"))
    }

    async fn run(self, on: On<'_>, wanted: Wanted) -> Result<Ran, StoreError> {
        match on {
            On::Tx(Transaction::Lite(transaction)) if self.large => {
                transaction.read_elsewhere(self.into_owned(), wanted).await
            }
            On::Tx(Transaction::Lite(transaction)) => transaction.run(&self, wanted),
            On::Tx(Transaction::Postgres(transaction)) => {
                postgres::run(self, wanted, &mut **transaction).await
            }
            On::Reader(db) => match db {
                Db::Lite(lite) if self.large => {
                    lite.read_elsewhere(self.into_owned(), wanted).await
                }
                Db::Lite(lite) => lite.read(&self, wanted).await,
                Db::Postgres(server) => postgres::run(self, wanted, server.pool()).await,
            },
            On::Writer(Db::Lite(lite)) => lite.change(&self, wanted, true).await,
            On::Soon(Db::Lite(lite)) => lite.change(&self, wanted, false).await,
            On::Writer(Db::Postgres(server)) | On::Soon(Db::Postgres(server)) => {
                postgres::run(self, wanted, server.pool()).await
            }
        }
    }

    fn into_owned(self) -> Query<'static> {
        Query {
            text: self.text,
            values: self.values.into_iter().map(Value::into_owned).collect(),
            large: self.large,
        }
    }
}
