//! What is stored about a connector, in the shape the host works with.

use std::collections::{BTreeMap, BTreeSet};

use gaby_model::{Autonomy, Clock as _, SystemClock};
use gaby_store::connectors::ConnectorRecord;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// How a connector is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Reach {
    /// A manifest, by name, with its settings.
    Manifest {
        manifest: String,
        settings: BTreeMap<String, String>,
    },
    /// A command; the values of its environment are secrets.
    McpStdio { argv: Vec<String> },
    /// A URL; the values of its headers are secrets.
    McpHttp { url: String },
}

impl Reach {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Manifest { .. } => "manifest",
            Self::McpStdio { .. } => "mcp_stdio",
            Self::McpHttp { .. } => "mcp_http",
        }
    }
}

/// The part of a record that is not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Config {
    pub(super) reach: Reach,
    /// Third parties' tools that the operator marked as reads.
    #[serde(default)]
    pub(super) read_tools: BTreeSet<String>,
    /// Tool → generic role, as the operator mapped them.
    #[serde(default)]
    pub(super) roles: BTreeMap<String, String>,
}

/// A connector as it was set up.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) name: String,
    pub(super) autonomy: Autonomy,
    pub(super) config: Config,
    pub(super) secrets: BTreeMap<String, SecretString>,
    created_at: gaby_model::Timestamp,
}

impl Setup {
    pub(super) fn new(name: &str, reach: Reach, secrets: BTreeMap<String, String>) -> Self {
        Self {
            name: name.to_owned(),
            // Every connector starts without the right to change anything.
            autonomy: Autonomy::Investigate,
            config: Config {
                reach,
                read_tools: BTreeSet::new(),
                roles: BTreeMap::new(),
            },
            secrets: secrets
                .into_iter()
                .map(|(key, value)| (key, SecretString::from(value)))
                .collect(),
            created_at: SystemClock.now(),
        }
    }

    /// Reads a stored record.
    pub(super) fn from_record(record: ConnectorRecord) -> Result<Self, serde_json::Error> {
        Ok(Self {
            config: serde_json::from_value(record.config)?,
            name: record.name,
            autonomy: record.autonomy,
            secrets: record.secrets,
            created_at: record.created_at,
        })
    }

    pub(super) fn to_record(&self) -> Result<ConnectorRecord, serde_json::Error> {
        Ok(ConnectorRecord {
            name: self.name.clone(),
            kind: self.config.reach.kind().to_owned(),
            autonomy: self.autonomy,
            config: serde_json::to_value(&self.config)?,
            secrets: self.secrets.clone(),
            created_at: self.created_at,
            updated_at: SystemClock.now(),
        })
    }

    /// The secrets in the clear, for the moment of use.
    pub(super) fn exposed(&self) -> BTreeMap<String, String> {
        self.secrets
            .iter()
            .map(|(key, value)| (key.clone(), value.expose_secret().to_owned()))
            .collect()
    }

    /// Whether its tools are Gaby's own, and so need neither pins nor read marks.
    pub(super) fn is_first_party(&self) -> bool {
        matches!(self.config.reach, Reach::Manifest { .. })
    }
}
