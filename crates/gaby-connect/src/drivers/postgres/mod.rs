//! PostgreSQL. Read-only is made of layers, none of which holds alone: a role that cannot write
//! (examined at every connect), a read-only transaction that is always rolled back, the extended
//! protocol (one statement per message), the SQL gate for free SQL, and limits.
//!
//! Every call has a connection of its own, so that nothing that one leaves behind reaches another.

mod login;
mod read;
mod role;
mod schema;
mod write;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::Semaphore;

use super::{Answer, Call, Connection, Driver, DriverError, Health};
use crate::manifest::{Bounds, Builtin, Limits, Manifest, Tool};
use crate::sql::gate;
use crate::sql::params::{Style, number};
use crate::sql::shape::Dialect;
use login::{GRACE, Login, Session};
use read::{Bound, Prepared};

/// Connections at a time; the role that is offered to the operator allows eight.
const CONNECTIONS: usize = 4;
/// The highest estimated cost of a free SELECT, in the planner's units: about a full scan of fifty
/// million narrow rows.
const MAX_COST: f64 = 1_000_000.0;
/// The most schemas of one connector.
const MAX_SCHEMAS: usize = 50;

/// A PostgreSQL database.
pub(crate) struct Postgres {
    reader: Login,
    writer: Option<Login>,
    schemas: Vec<String>,
    manifest: Arc<Manifest>,
    permits: Semaphore,
}

impl Postgres {
    pub(crate) fn open(
        manifest: &Arc<Manifest>,
        connection: &Connection,
    ) -> Result<Self, DriverError> {
        let schemas: Vec<String> = connection
            .get("schemas")
            .unwrap_or("public")
            .split(',')
            .map(|schema| schema.trim().to_owned())
            .filter(|schema| !schema.is_empty())
            .collect();
        if schemas.is_empty() || schemas.len() > MAX_SCHEMAS {
            return Err(DriverError::Settings(format!(
                "`connection.schemas` names {} schemas: 1 to {MAX_SCHEMAS} are possible",
                schemas.len()
            )));
        }
        if let Some(system) = schemas
            .iter()
            .find(|schema| schema.starts_with("pg_") || *schema == "information_schema")
        {
            return Err(DriverError::Settings(format!(
                "`connection.schemas` holds `{system}`, which is the server's own"
            )));
        }
        Ok(Self {
            reader: Login::reader(connection)?,
            writer: Login::writer(connection)?,
            schemas,
            manifest: manifest.clone(),
            permits: Semaphore::new(CONNECTIONS),
        })
    }

    /// Runs `work` in a read-only transaction that is rolled back, until the deadline.
    async fn reading<T>(
        &self,
        bounds: Bounds,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        let reading = async {
            let _permit = self.permits.acquire().await;
            let mut session = self.reader.read_session(&self.schemas, bounds.time).await?;
            let result = work(&mut session).await;
            if result.is_ok() {
                session.roll_back().await;
            }
            result
        };
        tokio::time::timeout(bounds.time + GRACE, reading)
            .await
            .unwrap_or(Err(DriverError::Timeout(bounds.time)))
    }

    async fn rows(&self, query: Bound, bounds: Bounds) -> Result<Answer, DriverError> {
        self.reading(bounds, async |session| {
            let connection = session.connection()?;
            let prepared = Prepared::new(connection, query, bounds).await?;
            Ok(prepared.run(connection, bounds).await?.finish())
        })
        .await
    }

    /// A SELECT that somebody else wrote: through the gate, and not when it is expensive.
    async fn free(&self, text: &str, bounds: Bounds) -> Result<Answer, DriverError> {
        self.reading(bounds, async |session| {
            let connection = session.connection()?;
            let finding = role::examine(connection, &self.schemas, bounds.time).await?;
            if !finding.reasons.is_empty() {
                return Err(DriverError::Refused(format!(
                    "free SQL needs a login that cannot write: `{}` {}",
                    self.reader.user(),
                    finding.reasons.join("; it ")
                )));
            }
            let relations = schema::relations(connection, &self.schemas, bounds.time).await?;
            let text = gate::check(text, Dialect::Postgres, &relations)
                .map_err(|refusal| DriverError::Refused(refusal.to_string()))?;
            let prepared = Prepared::new(connection, Bound::plain(text), bounds).await?;
            affordable(connection, &prepared, bounds.time).await?;
            Ok(prepared.run(connection, bounds).await?.finish())
        })
        .await
    }

    fn writer(&self) -> &Login {
        self.writer.as_ref().unwrap_or(&self.reader)
    }
}

#[async_trait]
impl Driver for Postgres {
    async fn check(&self) -> Result<Health, DriverError> {
        let bounds = Limits::default().within(self.manifest.limits);
        let query = self.manifest.health.as_ref().and_then(|h| h.query.clone());
        let finding = self
            .reading(bounds, async |session| {
                let connection = session.connection()?;
                let finding = role::examine(connection, &self.schemas, bounds.time).await?;
                let query = Bound::plain(query.unwrap_or_else(|| "SELECT 1".to_owned()));
                let prepared = Prepared::new(connection, query, bounds).await?;
                prepared.run(connection, bounds).await?;
                Ok(finding)
            })
            .await?;
        if let Some(writer) = &self.writer {
            let session = writer.write_session(&self.schemas, bounds.time).await?;
            session.roll_back().await;
        }
        let warning = finding.warning(self.reader.user());
        Ok(Health {
            may_write: warning.is_some(),
            warnings: warning.into_iter().collect(),
        })
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, DriverError> {
        let bounds = call.bounds;
        if let Some(statements) = &call.tool.statement {
            let statements = statements
                .all()
                .iter()
                .map(|text| bind(text, call.tool, call.arguments))
                .collect::<Result<Vec<_>, _>>()?;
            let _permit = self.permits.acquire().await;
            let opening = self.writer().write_session(&self.schemas, bounds.time);
            // Nothing has been sent when this fails.
            let session = tokio::time::timeout(bounds.time, opening)
                .await
                .map_err(|_| DriverError::Unavailable("the server does not answer".into()))??;
            let affects = call.tool.affects.unwrap_or_default();
            return write::run(session, statements, affects, bounds).await;
        }
        if let Some(query) = &call.tool.query {
            return self
                .rows(bind(query, call.tool, call.arguments)?, bounds)
                .await;
        }
        match call.tool.builtin {
            Some(Builtin::Schema) => {
                self.reading(bounds, async |session| {
                    schema::describe(session.connection()?, &self.schemas, bounds).await
                })
                .await
            }
            Some(Builtin::Query) => {
                let text = call.arguments["sql"].as_str().unwrap_or_default();
                self.free(text, bounds).await
            }
            None => Err(DriverError::Refused("this tool has nothing to run".into())),
        }
    }
}

fn bind(text: &str, tool: &Tool, arguments: &Map<String, Value>) -> Result<Bound, DriverError> {
    let numbered = number(text, Style::Dollar).map_err(DriverError::Refused)?;
    let values = numbered
        .names
        .iter()
        .map(|name| {
            let value = arguments.get(name).cloned().unwrap_or(Value::Null);
            if value.as_str().is_some_and(|text| text.contains('\0')) {
                return Err(DriverError::Refused(format!(
                    "`{name}` holds the character U+0000, which PostgreSQL cannot store"
                )));
            }
            tool.params
                .get(name)
                .map(|param| (param.kind, value))
                .ok_or_else(|| DriverError::Refused(format!("`:{name}` is not a parameter")))
        })
        .collect::<Result<_, _>>()?;
    Ok(Bound {
        text: numbered.text,
        values,
    })
}

/// Refuses a statement that the planner takes to be expensive.
async fn affordable(
    connection: &mut sqlx::PgConnection,
    prepared: &Prepared,
    time: Duration,
) -> Result<(), DriverError> {
    let explain_it = format!("EXPLAIN (FORMAT JSON) {}", prepared.statement.text);
    let row = sqlx::query_with(AssertSqlSafe(explain_it), prepared.statement.arguments()?)
        .fetch_one(connection)
        .await
        .map_err(|error| explain(&error, time))?;
    // JSON travels as text; its type is not among those that sqlx is built with here.
    let plan: String = row
        .try_get_unchecked(0)
        .map_err(|error| explain(&error, time))?;
    let plan: Value = serde_json::from_str(&plan).unwrap_or_default();
    let cost = plan[0]["Plan"]["Total Cost"]
        .as_f64()
        .unwrap_or(f64::INFINITY);
    if cost > MAX_COST {
        return Err(DriverError::Refused(format!(
            "the server estimates the cost of this query at {cost:.0}, more than {MAX_COST:.0}: narrow it down, by a condition on an indexed column"
        )));
    }
    Ok(())
}

/// PostgreSQL's error, in terms of what the caller asked. Codes are those of its Appendix A.
fn explain(error: &sqlx::Error, time: Duration) -> DriverError {
    let sqlx::Error::Database(database) = error else {
        return match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
                DriverError::Unavailable(error.to_string())
            }
            _ => DriverError::System(error.to_string()),
        };
    };
    let code = database.code().unwrap_or_default();
    let text: String = database.message().chars().take(500).collect();
    match code.as_ref() {
        "57014" => DriverError::Timeout(time),
        "55P03" => DriverError::System(format!("a lock is held by another session: {text}")),
        "42501" => DriverError::Refused(format!("{text}: the role may not")),
        "25006" => DriverError::Refused(format!("{text}: reads cannot write")),
        // Connection, authorisation, resources, shutdown.
        code if ["08", "28", "53", "57P", "3D"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            DriverError::Unavailable(text)
        }
        _ => DriverError::System(format!("{text} ({code})")),
    }
}
