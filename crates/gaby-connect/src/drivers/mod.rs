//! Drivers: what carries out a manifest's tools on a kind of system.
//!
//! A new kind of system is one file or folder here, one line in [`open`], and one word in
//! `manifest::DriverKind`.

mod http;
mod postgres;
mod rows;
mod sqlite;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::manifest::{Bounds, DriverKind, Manifest, Tool};

/// Why a driver could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DriverError {
    /// The system cannot be reached, or refuses the login.
    #[error("{0}")]
    Unavailable(String),
    /// What was asked is not allowed; nothing was sent.
    #[error("refused: {0}")]
    Refused(String),
    /// It took too long; a write may or may not have happened.
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The connection broke after a write was sent; it may or may not have happened.
    #[error("{0}")]
    Lost(String),
    /// The system said no.
    #[error("{0}")]
    System(String),
    /// The settings do not fit.
    #[error("{0}")]
    Settings(String),
}

/// What came back, before the manifest's mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) value: Value,
    /// Whether rows or bytes were cut off.
    pub(crate) truncated: bool,
}

/// One call of one tool.
pub(crate) struct Call<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) arguments: &'a Map<String, Value>,
    pub(crate) bounds: Bounds,
    pub(crate) idempotency_key: Option<&'a str>,
}

/// What a check of the connection found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// What is not as it should be, though it works; with what to do about it.
    pub warnings: Vec<String>,
    /// Whether reads use a login that could write; then Gaby never acts by herself.
    pub may_write: bool,
}

/// A connected system.
#[async_trait]
pub(crate) trait Driver: Send + Sync {
    /// Whether the system answers, and may be called read-only.
    async fn check(&self) -> Result<Health, DriverError>;

    /// Carries out one call whose arguments have been checked against the tool's schema.
    async fn run(&self, call: Call<'_>) -> Result<Answer, DriverError>;
}

/// What a connector was given: settings in the clear, and secrets.
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, String>,
}

impl Given {
    /// The context of templates in `connection` and `auth`.
    fn context(&self) -> Value {
        serde_json::json!({"settings": self.settings, "secrets": self.secrets})
    }
}

/// Opens a manifest's system. Nothing is contacted yet.
pub(crate) fn open(
    manifest: &Arc<Manifest>,
    given: &Given,
) -> Result<Arc<dyn Driver>, DriverError> {
    let connection = Connection::render(manifest, given)?;
    Ok(match manifest.driver {
        DriverKind::Sqlite => Arc::new(sqlite::Sqlite::open(manifest, &connection)?),
        DriverKind::Postgres => Arc::new(postgres::Postgres::open(manifest, &connection)?),
        DriverKind::Http => Arc::new(http::Http::open(manifest, &connection, given)?),
    })
}

/// The rendered `connection` of a manifest.
pub(crate) struct Connection(BTreeMap<String, Vec<String>>);

impl Connection {
    fn render(manifest: &Manifest, given: &Given) -> Result<Self, DriverError> {
        let context = given.context();
        let mut fields = BTreeMap::new();
        for (key, value) in &manifest.connection {
            let rendered = value
                .templates()
                .iter()
                .map(|template| {
                    crate::template::render(template, &context, crate::template::Encoding::Plain)
                        .map_err(|error| {
                            DriverError::Settings(format!("`connection.{key}`: {error}"))
                        })
                })
                .collect::<Result<Vec<_>, _>>()?;
            fields.insert(key.clone(), rendered);
        }
        Ok(Self(fields))
    }

    /// The value of a field that is given and not empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .and_then(|values| values.first())
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All values of a field that are not empty.
    pub(crate) fn all(&self, key: &str) -> Vec<String> {
        self.0
            .get(key)
            .into_iter()
            .flatten()
            .filter(|value| !value.is_empty())
            .cloned()
            .collect()
    }
}
