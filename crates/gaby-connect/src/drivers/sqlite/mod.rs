//! SQLite files. A read runs on a connection that cannot write, attach or look elsewhere, whatever
//! its text says; a write runs only a manifest's own statements.

mod guard;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection as Db, ErrorCode, ToSql};
use serde_json::{Map, Value, json};

use super::{Answer, Call, Connection, Driver, DriverError, Health, rows};
use crate::manifest::{Affects, Bounds, Builtin, Limits, Manifest};
use crate::sql::gate::{self, Relations};
use crate::sql::params::{Style, number};
use crate::sql::shape::Dialect;

/// A SQLite file.
pub(crate) struct Sqlite {
    path: PathBuf,
    health: Option<String>,
    manifest: Arc<Manifest>,
}

impl Sqlite {
    pub(crate) fn open(
        manifest: &Arc<Manifest>,
        connection: &Connection,
    ) -> Result<Self, DriverError> {
        let path = connection.get("path").ok_or_else(|| {
            DriverError::Settings("the path of the database file is empty".into())
        })?;
        // A `file:` URI could switch the recipe off (`?mode=rw`), so it is only ever a path.
        if path.starts_with("file:") || path.contains('\0') || path == ":memory:" {
            return Err(DriverError::Settings(format!(
                "`{path}` is not a file's path: give the path of a SQLite file"
            )));
        }
        Ok(Self {
            path: path.into(),
            health: manifest.health.as_ref().and_then(|h| h.query.clone()),
            manifest: manifest.clone(),
        })
    }

    /// Runs `work` on a blocking thread, and gives up waiting a little after its own deadline.
    async fn blocking<T: Send + 'static>(
        &self,
        time: Duration,
        work: impl FnOnce(PathBuf) -> Result<T, DriverError> + Send + 'static,
    ) -> Result<T, DriverError> {
        let path = self.path.clone();
        let run = tokio::task::spawn_blocking(move || work(path));
        match tokio::time::timeout(time + Duration::from_millis(500), run).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(DriverError::System("the query stopped unexpectedly".into())),
            Err(_) => Err(DriverError::Timeout(time)),
        }
    }
}

#[async_trait]
impl Driver for Sqlite {
    async fn check(&self) -> Result<Health, DriverError> {
        let query = self.health.clone().unwrap_or_else(|| "SELECT 1".to_owned());
        let bounds = Limits::default().within(self.manifest.limits);
        self.blocking(bounds.time, move |path| {
            // An empty or foreign file opens well and fails only when its schema is read, as here.
            let db = guard::reader(&path, bounds.time)?;
            read(&db, &query, &[], bounds)
        })
        .await?;
        Ok(Health::default())
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, DriverError> {
        let bounds = call.bounds;
        if let Some(statements) = &call.tool.statement {
            let affects = call.tool.affects.unwrap_or_default();
            let statements: Vec<(String, Vec<Value>)> = statements
                .all()
                .iter()
                .map(|text| bind(text, call.arguments))
                .collect::<Result<_, _>>()?;
            return self
                .blocking(bounds.time, move |path| {
                    write(&path, &statements, affects, bounds)
                })
                .await;
        }
        if let Some(query) = &call.tool.query {
            let (text, values) = bind(query, call.arguments)?;
            return self
                .blocking(bounds.time, move |path| {
                    let db = guard::reader(&path, bounds.time)?;
                    read(&db, &text, &values, bounds)
                })
                .await;
        }
        match call.tool.builtin {
            Some(Builtin::Schema) => {
                self.blocking(bounds.time, move |path| schema(&path, bounds))
                    .await
            }
            Some(Builtin::Query) => {
                let text = call.arguments["sql"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                self.blocking(bounds.time, move |path| {
                    let db = guard::reader(&path, bounds.time)?;
                    let relations = Relations::new(db.relations.iter().cloned());
                    let text = gate::check(&text, Dialect::Sqlite, &relations)
                        .map_err(|refusal| DriverError::Refused(refusal.to_string()))?;
                    read(&db, &text, &[], bounds)
                })
                .await
            }
            None => Err(DriverError::Refused("this tool has nothing to run".into())),
        }
    }
}

fn bind(text: &str, arguments: &Map<String, Value>) -> Result<(String, Vec<Value>), DriverError> {
    let numbered = number(text, Style::Question).map_err(DriverError::Refused)?;
    let values = numbered
        .names
        .iter()
        .map(|name| arguments.get(name).cloned().unwrap_or(Value::Null))
        .collect();
    Ok((numbered.text, values))
}

/// A JSON argument as SQLite takes it.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::Value as Sql;
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Sql::Null),
            Value::Bool(yes) => ToSqlOutput::Owned(Sql::Integer(i64::from(*yes))),
            Value::Number(n) => ToSqlOutput::Owned(match n.as_i64() {
                Some(n) => Sql::Integer(n),
                None => Sql::Real(n.as_f64().unwrap_or_default()),
            }),
            Value::String(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            other => ToSqlOutput::Owned(Sql::Text(other.to_string())),
        })
    }
}

fn json_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => rows::integer(n),
        ValueRef::Real(n) => rows::real(n),
        ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
        ValueRef::Blob(blob) => rows::bytes(blob),
    }
}

fn read(
    db: &guard::Reader,
    text: &str,
    values: &[Value],
    bounds: Bounds,
) -> Result<Answer, DriverError> {
    let mut statement = db
        .connection
        .prepare(text)
        .map_err(|error| explain(&error, bounds.time))?;
    if !statement.readonly() {
        return Err(DriverError::Refused("the statement is not a read".into()));
    }
    let collected = collect(&mut statement, values, bounds)?;
    Ok(collected.finish())
}

fn collect(
    statement: &mut rusqlite::Statement<'_>,
    values: &[Value],
    bounds: Bounds,
) -> Result<rows::Rows, DriverError> {
    let columns: Vec<String> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let width = columns.len();
    let mut collected = rows::Rows::new(columns, bounds);
    let mut found = statement
        .query(rusqlite::params_from_iter(values.iter().map(Bound)))
        .map_err(|error| explain(&error, bounds.time))?;
    while let Some(row) = found.next().map_err(|error| explain(&error, bounds.time))? {
        let values = (0..width)
            .map(|index| row.get_ref(index).map(json_of))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| explain(&error, bounds.time))?;
        if !collected.push(values) {
            break;
        }
    }
    Ok(collected)
}

fn write(
    path: &std::path::Path,
    statements: &[(String, Vec<Value>)],
    affects: Affects,
    bounds: Bounds,
) -> Result<Answer, DriverError> {
    let mut connection = guard::writer(path, bounds.time)?;
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(|error| explain(&error, bounds.time))?;
    let mut affected = 0;
    let mut returned = Vec::new();
    for (text, values) in statements {
        let before = transaction.total_changes();
        let mut statement = transaction
            .prepare(text)
            .map_err(|error| explain(&error, bounds.time))?;
        if statement.column_count() > 0 {
            // Every row is stepped through: SQLite applies a RETURNING write only as it is read.
            let everything = Bounds {
                rows: usize::MAX,
                bytes: usize::MAX,
                ..bounds
            };
            returned.extend(collect(&mut statement, values, everything)?.into_rows());
        } else {
            statement
                .execute(rusqlite::params_from_iter(values.iter().map(Bound)))
                .map_err(|error| explain(&error, bounds.time))?;
        }
        drop(statement);
        // Rows that triggers changed belong to the statement's own effect, but not to its count.
        let touched = if transaction.total_changes() == before {
            0
        } else {
            transaction.changes()
        };
        if touched < affects.at_least || touched > affects.at_most {
            return Err(DriverError::System(format!(
                "nothing was changed: the statement would touch {touched} rows, and {} to {} are allowed",
                affects.at_least, affects.at_most
            )));
        }
        affected += touched;
    }
    transaction
        .commit()
        .map_err(|error| explain(&error, bounds.time))?;
    Ok(Answer {
        value: json!({"affected": affected, "rows": returned}),
        truncated: false,
    })
}

fn schema(path: &std::path::Path, bounds: Bounds) -> Result<Answer, DriverError> {
    let deadline = Instant::now() + bounds.time;
    let db = guard::open(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut tables = Vec::new();
    let mut bytes = 0;
    let mut truncated = false;
    for table in guard::relations(&db)? {
        if tables.len() >= bounds.rows || bytes > bounds.bytes || Instant::now() > deadline {
            truncated = true;
            break;
        }
        let columns = columns(&db, &table, bounds.time)?;
        bytes += table.len() + columns.to_string().len();
        tables.push(json!({"name": table, "columns": columns}));
    }
    Ok(Answer {
        value: json!({"tables": tables}),
        truncated,
    })
}

fn columns(db: &Db, table: &str, time: Duration) -> Result<Value, DriverError> {
    let mut statement = db
        .prepare("SELECT name, type, pk FROM pragma_table_xinfo(?1) WHERE hidden = 0")
        .map_err(|error| explain(&error, time))?;
    let columns = statement
        .query_map([table], |row| {
            Ok(json!({
                "name": row.get::<_, String>(0)?,
                "type": row.get::<_, String>(1)?.to_lowercase(),
                "primary_key": row.get::<_, i64>(2)? > 0,
            }))
        })
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| explain(&error, time))?;
    Ok(Value::from(columns))
}

/// SQLite's error, in terms of what the caller asked.
fn explain(error: &rusqlite::Error, time: Duration) -> DriverError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => DriverError::Timeout(time),
        Some(ErrorCode::AuthorizationForStatementDenied) => DriverError::Refused(
            "the statement uses a table, function or command that is not allowed here".into(),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            DriverError::Unavailable("the database is locked by another program: try again".into())
        }
        Some(ErrorCode::NotADatabase) => {
            DriverError::Unavailable("the file is not a SQLite database".into())
        }
        Some(ErrorCode::CannotOpen) => {
            DriverError::Unavailable("the file cannot be opened: check its path and rights".into())
        }
        _ => {
            let text = error.to_string();
            if text.contains("prohibited") || text.contains("not authorized") {
                return DriverError::Refused(text);
            }
            DriverError::System(text)
        }
    }
}
