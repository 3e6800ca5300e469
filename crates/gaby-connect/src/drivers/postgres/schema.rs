//! What may be read: tables, views and columns that the role has SELECT on, in the schemas that the
//! operator named.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{PgConnection, Row as _};

use super::explain;
use crate::drivers::{Answer, DriverError};
use crate::manifest::Bounds;
use crate::sql::gate::Relations;

const RELATIONS: &str = "
    SELECT n.nspname::text, c.relname::text
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
    ORDER BY pg_catalog.array_position($1, n.nspname::text), 2";

const COLUMNS: &str = "
    SELECT n.nspname::text, c.relname::text, a.attname::text,
      pg_catalog.format_type(a.atttypid, a.atttypmod),
      COALESCE(i.indisprimary, false),
      CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END,
      pg_catalog.left(pg_catalog.col_description(c.oid, a.attnum), 200)
    FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_catalog.pg_index i
        ON i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)
    WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
    ORDER BY pg_catalog.array_position($1, n.nspname::text), 2, a.attnum";

/// The names under which free SQL may read: `schema.table`, and `table` alone where that means it.
pub(super) async fn relations(
    connection: &mut PgConnection,
    schemas: &[String],
    time: Duration,
) -> Result<Relations, DriverError> {
    let found = sqlx::query(RELATIONS)
        .bind(schemas)
        .fetch_all(connection)
        .await
        .map_err(|error| explain(&error, time))?;
    let mut names = BTreeSet::new();
    for row in found {
        let schema: String = row.try_get(0).map_err(|error| explain(&error, time))?;
        let table: String = row.try_get(1).map_err(|error| explain(&error, time))?;
        names.insert(format!("{schema}.{table}"));
        // pg_catalog is searched first, so an unqualified pg_… means the server's own. Of two
        // schemas with the same table, the first is meant; the gate only asks whether it may be read.
        if !table.starts_with("pg_") {
            names.insert(table);
        }
    }
    Ok(Relations::new(names))
}

/// The answer of `builtin: schema`.
pub(super) async fn describe(
    connection: &mut PgConnection,
    schemas: &[String],
    bounds: Bounds,
) -> Result<Answer, DriverError> {
    let wrong = |error: sqlx::Error| explain(&error, bounds.time);
    let found = sqlx::query(COLUMNS)
        .bind(schemas)
        .fetch_all(connection)
        .await
        .map_err(wrong)?;
    let mut tables: Vec<Table> = Vec::new();
    let mut bytes = 0;
    let mut truncated = false;
    for row in found {
        let text = |index: usize| row.try_get::<String, _>(index).map_err(wrong);
        let (schema, name) = (text(0)?, text(1)?);
        if tables
            .last()
            .is_none_or(|t| t.schema != schema || t.name != name)
        {
            if tables.len() >= bounds.rows {
                truncated = true;
                break;
            }
            tables.push(Table {
                kind: text(5)?,
                schema,
                name,
                columns: Vec::new(),
            });
        }
        let mut column = json!({
            "name": text(2)?,
            "type": text(3)?,
            "primary_key": row.try_get::<bool, _>(4).map_err(wrong)?,
        });
        if let Some(comment) = row.try_get::<Option<String>, _>(6).map_err(wrong)? {
            column["description"] = Value::from(comment);
        }
        bytes += column.to_string().len() + 100;
        if bytes > bounds.bytes {
            truncated = true;
            break;
        }
        if let Some(table) = tables.last_mut() {
            table.columns.push(column);
        }
    }
    let several = schemas.len() > 1;
    let tables: Vec<Value> = tables
        .into_iter()
        .map(|table| table.into_value(several))
        .collect();
    Ok(Answer {
        value: json!({"tables": tables}),
        truncated,
    })
}

struct Table {
    schema: String,
    name: String,
    kind: String,
    columns: Vec<Value>,
}

impl Table {
    /// Named as it is written in a query.
    fn into_value(self, several_schemas: bool) -> Value {
        let name = if several_schemas || self.name.starts_with("pg_") {
            format!("{}.{}", self.schema, self.name)
        } else {
            self.name
        };
        json!({"name": name, "kind": self.kind, "columns": self.columns})
    }
}
