//! Logins: how a server is reached, and connections that can do only what they are for.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::explain;
use crate::drivers::{Connection, DriverError};

/// The longest wait for a lock that another session holds.
const LOCK_TIME: Duration = Duration::from_secs(2);
/// Beyond a call's time, before its connection is given up.
pub(super) const GRACE: Duration = Duration::from_millis(500);
/// The longest that ending a query that nobody waits for may take.
const CANCEL_TIME: Duration = Duration::from_secs(3);

/// One role on one server.
#[derive(Clone)]
pub(super) struct Login {
    options: PgConnectOptions,
    /// `host:port/database`, for messages.
    place: String,
}

impl Login {
    /// The role that reads.
    pub(super) fn reader(connection: &Connection) -> Result<Self, DriverError> {
        match connection.get("url") {
            Some(url) => Self::from_url("url", url, connection.get("tls")),
            None => Self::from_fields(
                connection,
                connection.get("user").unwrap_or_default(),
                connection.get("password").unwrap_or_default(),
            ),
        }
    }

    /// The role that writes, when there is one apart from the role that reads.
    pub(super) fn writer(connection: &Connection) -> Result<Option<Self>, DriverError> {
        if let Some(url) = connection.get("write_url") {
            return Self::from_url("write_url", url, connection.get("tls")).map(Some);
        }
        let Some(user) = connection.get("write_user") else {
            return Ok(None);
        };
        let password = connection.get("write_password").unwrap_or_default();
        match connection.get("url") {
            Some(url) => {
                let reader = Self::from_url("url", url, connection.get("tls"))?;
                Ok(Some(Self {
                    options: reader.options.username(user).password(password),
                    place: reader.place,
                }))
            }
            None => Self::from_fields(connection, user, password).map(Some),
        }
    }

    fn from_url(field: &str, text: &str, tls: Option<&str>) -> Result<Self, DriverError> {
        let wrong = |what: &str| {
            DriverError::Settings(format!(
                "`connection.{field}` {what}: give postgres://user:password@host:5432/database"
            ))
        };
        // The text holds a password, so no part of it goes into a message.
        let url = url::Url::parse(text).map_err(|_| wrong("is not a connection string"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(wrong("does not begin with postgres://"));
        }
        let given = |key: &str| url.query_pairs().any(|(name, _)| name == key);
        if url.host_str().is_none_or(str::is_empty) && !given("host") && !given("hostaddr") {
            return Err(wrong("names no host"));
        }
        if url.username().is_empty() && !given("user") {
            return Err(wrong("names no user"));
        }
        if url.path().trim_matches('/').is_empty() && !given("dbname") {
            return Err(wrong("names no database"));
        }
        let mut options = PgConnectOptions::from_str(text)
            .map_err(|_| wrong("holds a parameter that cannot be read"))?;
        // sqlx fills what is not given from the PG* variables of Gaby's own environment and from
        // ~/.pgpass, which are not this connector's business.
        if url.password().is_none() && !given("password") {
            options = options.password("");
        }
        if url.port().is_none() && !given("port") {
            options = options.port(5432);
        }
        if !["sslmode", "ssl-mode"].into_iter().any(given) {
            options = options.ssl_mode(PgSslMode::Prefer);
        }
        Self::finish(options, tls)
    }

    fn from_fields(
        connection: &Connection,
        user: &str,
        password: &str,
    ) -> Result<Self, DriverError> {
        let missing = |field: &str| DriverError::Settings(format!("`connection.{field}` is empty"));
        let host = connection.get("host").ok_or_else(|| missing("host"))?;
        let database = connection
            .get("database")
            .ok_or_else(|| missing("database"))?;
        if user.is_empty() {
            return Err(missing("user"));
        }
        let port = match connection.get("port") {
            None => 5432,
            Some(port) => port.trim().parse().map_err(|_| {
                DriverError::Settings(format!("`connection.port` is not a port: `{port}`"))
            })?,
        };
        let mut options = PgConnectOptions::new_without_pgpass()
            .port(port)
            .username(user)
            .password(password)
            .database(database)
            .ssl_mode(PgSslMode::Prefer);
        options = if host.starts_with('/') {
            options.socket(host)
        } else {
            options.host(host)
        };
        Self::finish(options, connection.get("tls"))
    }

    fn finish(mut options: PgConnectOptions, tls: Option<&str>) -> Result<Self, DriverError> {
        if let Some(tls) = tls {
            options = options.ssl_mode(match tls {
                "prefer" => PgSslMode::Prefer,
                "require" => PgSslMode::Require,
                "verify" => PgSslMode::VerifyFull,
                "disable" => PgSslMode::Disable,
                other => {
                    return Err(DriverError::Settings(format!(
                        "`connection.tls` is `{other}`: it is prefer, require, verify or disable"
                    )));
                }
            });
        }
        options = options.application_name("gaby").disable_statement_logging();
        let place = format!(
            "{}:{}/{}",
            options.get_socket().map_or_else(
                || options.get_host().to_owned(),
                |s| s.display().to_string()
            ),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        Ok(Self { options, place })
    }

    /// The role's name.
    pub(super) fn user(&self) -> &str {
        self.options.get_username()
    }

    /// A connection of its own whose transactions are read-only.
    pub(super) async fn read_session(
        &self,
        schemas: &[String],
        time: Duration,
    ) -> Result<Session, DriverError> {
        self.session(true, schemas, time).await
    }

    /// A connection of its own that may write.
    pub(super) async fn write_session(
        &self,
        schemas: &[String],
        time: Duration,
    ) -> Result<Session, DriverError> {
        self.session(false, schemas, time).await
    }

    async fn session(
        &self,
        read_only: bool,
        schemas: &[String],
        time: Duration,
    ) -> Result<Session, DriverError> {
        let mut connection = self.options.connect().await.map_err(|error| {
            DriverError::Unavailable(format!("cannot connect to {}: {error}", self.place))
        })?;
        // pg_catalog first: nothing in the schemas can stand in for a built-in function or operator.
        let path = std::iter::once("pg_catalog".to_owned())
            .chain(schemas.iter().map(|schema| quote(schema)))
            .collect::<Vec<_>>()
            .join(", ");
        let row = sqlx::query(
            "SELECT set_config('default_transaction_read_only', $1, false),
                    set_config('statement_timeout', $2, false),
                    set_config('lock_timeout', $3, false),
                    set_config('idle_in_transaction_session_timeout', $4, false),
                    set_config('search_path', $5, false),
                    set_config('work_mem', '16MB', false),
                    set_config('TimeZone', 'UTC', false),
                    set_config('DateStyle', 'ISO, YMD', false),
                    set_config('IntervalStyle', 'postgres', false),
                    set_config('bytea_output', 'hex', false),
                    set_config('client_min_messages', 'error', false),
                    pg_backend_pid()",
        )
        .bind(if read_only { "on" } else { "off" })
        .bind(millis(time))
        .bind(millis(time.min(LOCK_TIME)))
        .bind(millis(time + Duration::from_secs(5)))
        .bind(path)
        .fetch_one(&mut connection)
        .await
        .map_err(|error| explain(&error, time))?;
        let process = row.try_get(11).map_err(|error| explain(&error, time))?;
        sqlx::query(if read_only {
            "BEGIN TRANSACTION READ ONLY"
        } else {
            "BEGIN TRANSACTION READ WRITE"
        })
        .execute(&mut connection)
        .await
        .map_err(|error| explain(&error, time))?;
        Ok(Session {
            connection: Some(connection),
            process,
            login: self.clone(),
        })
    }

    async fn cancel(self, process: i32) {
        let ending = async {
            let mut connection = self.options.connect().await?;
            sqlx::query("SELECT pg_cancel_backend($1)")
                .bind(process)
                .execute(&mut connection)
                .await?;
            connection.close().await
        };
        let _ = tokio::time::timeout(CANCEL_TIME, ending).await;
    }
}

/// A connection inside a transaction. Dropped before it ended, its query is cancelled on the server.
pub(super) struct Session {
    connection: Option<PgConnection>,
    process: i32,
    login: Login,
}

impl Session {
    /// The connection.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, DriverError> {
        self.connection
            .as_mut()
            .ok_or_else(|| DriverError::Unavailable("the connection is closed".into()))
    }

    /// Rolls back, and closes the connection.
    pub(super) async fn roll_back(mut self) {
        if let Some(mut connection) = self.connection.take() {
            let ending = async {
                sqlx::query("ROLLBACK").execute(&mut connection).await?;
                connection.close().await
            };
            // Gone without it, the server rolls back all the same.
            let _ = tokio::time::timeout(GRACE, ending).await;
        }
    }

    /// Commits, and closes the connection. The error is that of COMMIT.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        let Some(mut connection) = self.connection.take() else {
            return Err(sqlx::Error::WorkerCrashed);
        };
        sqlx::query("COMMIT").execute(&mut connection).await?;
        let _ = tokio::time::timeout(GRACE, connection.close()).await;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.connection.take().is_some()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // A closed socket alone does not end a query that is running.
            runtime.spawn(self.login.clone().cancel(self.process));
        }
    }
}

/// A name as PostgreSQL quotes it.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}
