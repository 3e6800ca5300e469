//! Reads: what runs is the query wrapped so that the server bounds its rows and their size, and
//! writes every type in a form that needs no knowledge of it here.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgRow, PgTypeInfo, PgTypeKind};
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, Executor as _, PgConnection, Postgres, Row as _,
    SqlSafeStr as _, Statement as _, Type, TypeInfo as _,
};

use super::explain;
use crate::drivers::{DriverError, rows};
use crate::manifest::{Bounds, ParamType};

/// A statement with the values of its parameters.
pub(super) struct Bound {
    pub(super) text: String,
    pub(super) values: Vec<(ParamType, Value)>,
}

impl Bound {
    /// A statement without parameters.
    pub(super) fn plain(text: String) -> Self {
        Self {
            text,
            values: Vec::new(),
        }
    }

    pub(super) fn arguments(&self) -> Result<PgArguments, DriverError> {
        let mut arguments = PgArguments::default();
        for (kind, value) in &self.values {
            let added = match kind {
                ParamType::String => arguments.add(value.as_str()),
                ParamType::Integer => arguments.add(value.as_i64()),
                ParamType::Number => arguments.add(value.as_f64()),
                ParamType::Boolean => arguments.add(value.as_bool()),
            };
            added.map_err(|error| {
                DriverError::Refused(format!("an argument cannot be sent: {error}"))
            })?;
        }
        Ok(arguments)
    }

    fn types(&self) -> Vec<PgTypeInfo> {
        self.values
            .iter()
            .map(|(kind, _)| match kind {
                ParamType::String => <str as Type<Postgres>>::type_info(),
                ParamType::Integer => <i64 as Type<Postgres>>::type_info(),
                ParamType::Number => <f64 as Type<Postgres>>::type_info(),
                ParamType::Boolean => <bool as Type<Postgres>>::type_info(),
            })
            .collect()
    }
}

/// How a column's values are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Boolean,
    Integer,
    Real,
    Bytes,
    /// A JSON document; numbers in it stay numbers.
    Json,
    /// As text.
    Text,
}

/// A column of the query, and the expression that fetches it.
#[derive(Debug, PartialEq, Eq)]
struct Fetch {
    form: Form,
    expression: String,
    /// The expression whose length is bounded; none for types of fixed size.
    sized: Option<String>,
}

impl Fetch {
    fn of(info: &PgTypeInfo, column: &str) -> Self {
        if let PgTypeKind::Array(element) = info.kind() {
            return Self::array(element.name(), column);
        }
        let text = format!("{column}::pg_catalog.text");
        let fixed = |form, expression: String| Self {
            form,
            expression,
            sized: None,
        };
        let sized = |form, expression: String| Self {
            form,
            sized: Some(expression.clone()),
            expression,
        };
        match info.name() {
            "BOOL" => fixed(Form::Boolean, column.to_owned()),
            "INT2" | "INT4" | "INT8" | "OID" => {
                fixed(Form::Integer, format!("{column}::pg_catalog.int8"))
            }
            // Through text: 0.1 stays 0.1.
            "FLOAT4" => fixed(Form::Real, format!("{text}::pg_catalog.float8")),
            "FLOAT8" => fixed(Form::Real, column.to_owned()),
            "BYTEA" => sized(Form::Bytes, column.to_owned()),
            "JSON" | "JSONB" => sized(Form::Json, text),
            "TIMESTAMP" | "TIMESTAMPTZ" => fixed(
                Form::Text,
                format!("pg_catalog.btrim(pg_catalog.to_json({column})::pg_catalog.text, '\"')"),
            ),
            _ => sized(Form::Text, text),
        }
    }

    fn array(element: &str, column: &str) -> Self {
        let list = match element {
            "BOOL" | "INT2" | "INT4" | "INT8" | "FLOAT4" | "FLOAT8" | "JSON" | "JSONB"
            | "TIMESTAMP" | "TIMESTAMPTZ" => column.to_owned(),
            _ => format!("{column}::pg_catalog.text[]"),
        };
        let expression = format!("pg_catalog.to_json({list})::pg_catalog.text");
        Self {
            form: Form::Json,
            sized: Some(expression.clone()),
            expression,
        }
    }

    fn decode(&self, row: &PgRow, index: usize) -> Result<Value, sqlx::Error> {
        Ok(match self.form {
            Form::Boolean => row.try_get::<Option<bool>, _>(index)?.map(Value::from),
            Form::Integer => row.try_get::<Option<i64>, _>(index)?.map(rows::integer),
            Form::Real => row.try_get::<Option<f64>, _>(index)?.map(rows::real),
            Form::Bytes => row.try_get::<Option<&[u8]>, _>(index)?.map(rows::bytes),
            Form::Text => row.try_get::<Option<String>, _>(index)?.map(Value::from),
            Form::Json => row.try_get::<Option<String>, _>(index)?.map(rows::document),
        }
        .unwrap_or(Value::Null))
    }
}

/// A query, looked at by the server, and wrapped.
pub(super) struct Prepared {
    names: Vec<String>,
    fetches: Vec<Fetch>,
    /// What runs.
    pub(super) statement: Bound,
    /// Whether every row has to be fetched, whatever its size.
    complete: bool,
}

impl Prepared {
    /// Asks the server for the query's columns and wraps it.
    pub(super) async fn new(
        connection: &mut PgConnection,
        query: Bound,
        bounds: Bounds,
    ) -> Result<Self, DriverError> {
        let (names, fetches) = describe(connection, &query, bounds.time).await?;
        if fetches.is_empty() {
            return Err(DriverError::Refused("the query gives no columns".into()));
        }
        let inner = query.text.trim_end().trim_end_matches(';');
        // A line break, so that a comment at the query's end ends with it.
        let text = format!(
            "SELECT {} FROM ({inner}\n) AS q ({}) LIMIT {}",
            select_list(&fetches, bounds.bytes),
            columns(fetches.len()),
            bounds.rows + 1,
        );
        Ok(Self {
            names,
            fetches,
            statement: Bound {
                text,
                values: query.values,
            },
            complete: false,
        })
    }

    /// Wraps a write with RETURNING, all of whose rows come back.
    pub(super) async fn returning(
        connection: &mut PgConnection,
        write: Bound,
        bounds: Bounds,
    ) -> Result<Option<Self>, DriverError> {
        let (names, fetches) = describe(connection, &write, bounds.time).await?;
        if fetches.is_empty() {
            return Ok(None);
        }
        let inner = write.text.trim_end().trim_end_matches(';');
        let text = format!(
            "WITH q ({}) AS ({inner}\n) SELECT {} FROM q",
            columns(fetches.len()),
            select_list(&fetches, bounds.bytes),
        );
        Ok(Some(Self {
            names,
            fetches,
            statement: Bound {
                text,
                values: write.values,
            },
            complete: true,
        }))
    }

    /// Runs it; rows beyond the bounds are not fetched.
    pub(super) async fn run(
        &self,
        connection: &mut PgConnection,
        bounds: Bounds,
    ) -> Result<rows::Rows, DriverError> {
        let mut collected = rows::Rows::new(self.names.clone(), bounds);
        let wrong = |error: sqlx::Error| explain(&error, bounds.time);
        let query = sqlx::query_with(
            AssertSqlSafe(self.statement.text.clone()),
            self.statement.arguments()?,
        );
        let mut found = connection.fetch(query);
        while let Some(row) = found.try_next().await.map_err(wrong)? {
            let too_large: bool = row.try_get(self.fetches.len()).map_err(wrong)?;
            if too_large {
                collected.cut();
                if !self.complete {
                    break;
                }
            }
            let values = self
                .fetches
                .iter()
                .enumerate()
                .map(|(index, fetch)| fetch.decode(&row, index))
                .collect::<Result<Vec<_>, _>>()
                .map_err(wrong)?;
            if !collected.push(values) {
                break;
            }
        }
        Ok(collected)
    }
}

async fn describe(
    connection: &mut PgConnection,
    query: &Bound,
    time: Duration,
) -> Result<(Vec<String>, Vec<Fetch>), DriverError> {
    let types = query.types();
    let text = AssertSqlSafe(query.text.clone()).into_sql_str();
    let statement = connection
        .prepare_with(text, &types)
        .await
        .map_err(|error| explain(&error, time))?;
    Ok(statement
        .columns()
        .iter()
        .enumerate()
        .map(|(index, column)| {
            (
                column.name().to_owned(),
                Fetch::of(column.type_info(), &format!("q.c{index}")),
            )
        })
        .unzip())
}

fn columns(count: usize) -> String {
    (0..count)
        .map(|index| format!("c{index}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The expressions, and last whether the row has a value that is larger than a result may be; such
/// a value is not sent at all.
fn select_list(fetches: &[Fetch], most: usize) -> String {
    let mut list = Vec::with_capacity(fetches.len() + 1);
    let mut large = Vec::new();
    for fetch in fetches {
        match &fetch.sized {
            None => list.push(fetch.expression.clone()),
            Some(sized) => {
                let too_large = format!("pg_catalog.octet_length({sized}) > {most}");
                list.push(format!(
                    "CASE WHEN {too_large} THEN NULL ELSE {} END",
                    fetch.expression
                ));
                large.push(format!("COALESCE({too_large}, false)"));
            }
        }
    }
    list.push(if large.is_empty() {
        "false".to_owned()
    } else {
        large.join(" OR ")
    });
    list.join(", ")
}
