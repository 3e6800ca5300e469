//! Writes: a manifest's own statements, in one transaction. Until COMMIT is sent, whatever breaks has
//! changed nothing; from then on a broken connection leaves the outcome unknown.

use std::time::Instant;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _};

use super::explain;
use super::login::{GRACE, Session};
use super::read::{Bound, Prepared};
use crate::drivers::{Answer, DriverError};
use crate::manifest::{Affects, Bounds, Limits};

/// Runs the statements and commits when each touched as many rows as it may.
pub(super) async fn run(
    mut session: Session,
    statements: Vec<Bound>,
    affects: Affects,
    bounds: Bounds,
) -> Result<Answer, DriverError> {
    let deadline = Instant::now() + bounds.time;
    let work = tokio::time::timeout(bounds.time, all(&mut session, statements, affects, bounds));
    let (affected, rows) = match work.await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => {
            session.roll_back().await;
            return Err(unchanged(error));
        }
        Err(_) => return Err(unchanged(DriverError::Timeout(bounds.time))),
    };
    let left = deadline.saturating_duration_since(Instant::now()) + GRACE;
    match tokio::time::timeout(left, session.commit()).await {
        Ok(Ok(())) => Ok(Answer {
            value: json!({"affected": affected, "rows": rows}),
            truncated: false,
        }),
        // The server itself refused, as a deferred constraint does: it rolled back.
        Ok(Err(sqlx::Error::Database(error))) => Err(unchanged(explain(
            &sqlx::Error::Database(error),
            bounds.time,
        ))),
        Ok(Err(error)) => Err(DriverError::Lost(format!(
            "the connection broke while the change was committed ({error}): whether it happened is not known"
        ))),
        Err(_) => Err(DriverError::Timeout(bounds.time)),
    }
}

async fn all(
    session: &mut Session,
    statements: Vec<Bound>,
    affects: Affects,
    bounds: Bounds,
) -> Result<(u64, Vec<Value>), DriverError> {
    let wrong = |error: sqlx::Error| explain(&error, bounds.time);
    let everything = Bounds {
        rows: usize::MAX,
        bytes: Limits::MAX_BYTES as usize,
        ..bounds
    };
    let mut affected = 0;
    let mut returned = Vec::new();
    for statement in statements {
        let plain = statement.text.clone();
        let arguments = statement.arguments()?;
        let connection = session.connection()?;
        let touched = match Prepared::returning(connection, statement, everything).await? {
            Some(prepared) => {
                let rows = prepared.run(session.connection()?, everything).await?;
                let rows = rows.into_rows();
                let touched = rows.len() as u64;
                returned.extend(rows);
                touched
            }
            None => session
                .connection()?
                .execute(sqlx::query_with(AssertSqlSafe(plain), arguments))
                .await
                .map_err(wrong)?
                .rows_affected(),
        };
        if touched < affects.at_least || touched > affects.at_most {
            return Err(DriverError::System(format!(
                "the statement would touch {touched} rows, and {} to {} are allowed",
                affects.at_least, affects.at_most
            )));
        }
        affected += touched;
    }
    Ok((affected, returned))
}

/// An error from before COMMIT, of which the caller may be sure that nothing happened.
fn unchanged(error: DriverError) -> DriverError {
    match error {
        DriverError::Timeout(time) => DriverError::System(format!(
            "nothing was changed: it took longer than {} seconds and was rolled back",
            time.as_secs()
        )),
        DriverError::Lost(reason) | DriverError::System(reason) => {
            DriverError::System(format!("nothing was changed: {reason}"))
        }
        other => other,
    }
}
