//! Connector manifests: what a connector asks for, how it reaches its system, what it offers.
//!
//! `docs/connectors.md` is the description for people. [`load`] reads and checks a file,
//! [`registry`] holds all that are known.

mod check;
mod error;
mod load;
mod locate;
mod params;
mod registry;
mod request;

use std::collections::BTreeMap;

use gaby_model::tool::{AlwaysHuman, FollowUp};
use gaby_model::{Access, ArgumentRole, Integrity, Reversibility, ToolDefinition, ToolRef};
use serde::Deserialize;
use serde_json::Value;

pub use error::{ManifestError, ManifestErrors};
pub use load::{MAX_MANIFEST_BYTES, parse};
pub use params::{Param, ParamType, input_schema};
pub use registry::Registry;
pub use request::{Auth, ClientAuth, Method, Paging, Rate, Request};

/// One connector, as its file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name, and the first part of its tools' names.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it gives Gaby, in a sentence.
    pub description: String,
    /// What runs its tools.
    pub driver: DriverKind,
    /// What is asked when it is connected.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// How to reach the system: templates over `settings` and `secrets`.
    #[serde(default)]
    pub connection: BTreeMap<String, ConnectionValue>,
    /// How to authenticate (`http`).
    #[serde(default)]
    pub auth: Option<Auth>,
    /// How often the API may be asked (`http`).
    #[serde(default)]
    pub rate: Option<Rate>,
    /// What must succeed for it to count as up.
    #[serde(default)]
    pub health: Option<Health>,
    /// Limits of every tool that does not set its own.
    #[serde(default)]
    pub limits: Limits,
    /// What it offers.
    pub tools: Vec<Tool>,
    /// SHA-256 of the file's bytes; filled by the loader.
    #[serde(skip)]
    pub hash: String,
}

/// What runs a manifest's tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverKind {
    /// A SQLite file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
    /// A JSON API.
    Http,
}

impl DriverKind {
    /// The word used in manifests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Http => "http",
        }
    }
}

/// One thing that is asked when the connector is connected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its key, as in `--set key=value`.
    pub key: String,
    /// The question.
    pub label: String,
    /// Where to find the answer.
    #[serde(default)]
    pub help: Option<String>,
    /// Whether it is asked without echo and never shown again.
    #[serde(default)]
    pub secret: bool,
    /// Whether the connector cannot do without it.
    #[serde(default = "yes")]
    pub required: bool,
    /// The value when none is given.
    #[serde(default)]
    pub default: Option<String>,
    /// An example of a value.
    #[serde(default)]
    pub example: Option<String>,
    /// The values that are allowed; empty: any.
    #[serde(default)]
    pub choices: Vec<String>,
}

/// A connection field: one template, or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ConnectionValue {
    /// One value.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl ConnectionValue {
    /// Its templates.
    #[must_use]
    pub fn templates(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// What must succeed for a connector to count as up.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// A SELECT, for databases.
    #[serde(default)]
    pub query: Option<String>,
    /// A request, for APIs.
    #[serde(default)]
    pub request: Option<Request>,
}

/// Bounds of one call; what is not set comes from the manifest, then from the defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Rows of a result.
    #[serde(default)]
    pub rows: Option<u32>,
    /// Bytes of a result.
    #[serde(default)]
    pub bytes: Option<u32>,
    /// Seconds of a call.
    #[serde(default)]
    pub seconds: Option<u32>,
}

/// Bounds of one call, all set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Rows of a result.
    pub rows: usize,
    /// Bytes of a result.
    pub bytes: usize,
    /// Longest time.
    pub time: std::time::Duration,
}

impl Limits {
    /// The most rows that a manifest may allow.
    pub const MAX_ROWS: u32 = 10_000;
    /// The most bytes that a manifest may allow.
    pub const MAX_BYTES: u32 = 4 * 1024 * 1024;
    /// The longest time that a manifest may allow.
    pub const MAX_SECONDS: u32 = 60;

    /// These limits, completed by `outer` and the defaults.
    #[must_use]
    pub fn within(self, outer: Limits) -> Bounds {
        let pick = |inner: Option<u32>, outer: Option<u32>, default: u32, most: u32| {
            inner.or(outer).unwrap_or(default).clamp(1, most)
        };
        let seconds = pick(self.seconds, outer.seconds, 10, Self::MAX_SECONDS);
        Bounds {
            rows: pick(self.rows, outer.rows, 100, Self::MAX_ROWS) as usize,
            bytes: pick(self.bytes, outer.bytes, 256 * 1024, Self::MAX_BYTES) as usize,
            time: std::time::Duration::from_secs(u64::from(seconds)),
        }
    }
}

/// Bounds on the rows that one statement of a write touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affects {
    /// Fewer: rolled back.
    #[serde(default = "one")]
    pub at_least: u64,
    /// More: rolled back.
    #[serde(default = "one")]
    pub at_most: u64,
}

impl Default for Affects {
    fn default() -> Self {
        Self {
            at_least: 1,
            at_most: 1,
        }
    }
}

/// One statement, or several for one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Statements {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Statements {
    /// All of them, in order.
    #[must_use]
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// A tool that the driver itself brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// Lists tables and their columns.
    Schema,
    /// Runs a SELECT that the caller wrote, through the SQL gate.
    Query,
}

/// One callable.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name within the connector.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// What it does.
    pub description: String,
    /// The generic job it does.
    #[serde(default)]
    pub role: Option<String>,
    /// Whether it changes something.
    pub access: Access,
    /// Risk of one call, 0 to 100.
    #[serde(default)]
    pub risk: Option<u8>,
    /// Its arguments, simply typed.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    /// Its arguments as JSON Schema instead.
    #[serde(default)]
    pub input_schema: Option<Value>,
    /// A SELECT.
    #[serde(default)]
    pub query: Option<String>,
    /// An INSERT, UPDATE or DELETE.
    #[serde(default)]
    pub statement: Option<Statements>,
    /// How many rows each statement may touch.
    #[serde(default)]
    pub affects: Option<Affects>,
    /// A request to an API.
    #[serde(default)]
    pub request: Option<Request>,
    /// A tool of the driver.
    #[serde(default)]
    pub builtin: Option<Builtin>,
    /// The setting that must be `true` for this tool to exist.
    #[serde(default)]
    pub when: Option<String>,
    /// A jq filter from what came back to the result.
    #[serde(default)]
    pub output: Option<String>,
    /// Trust of the result's fields.
    #[serde(default)]
    pub output_integrity: BTreeMap<String, Integrity>,
    /// Its own limits.
    #[serde(default)]
    pub limits: Limits,
    /// What each argument of a write is for.
    #[serde(default)]
    pub arguments: BTreeMap<String, ArgumentRole>,
    /// Whether it can be taken back.
    #[serde(default)]
    pub reversibility: Reversibility,
    /// Whether twice is the same as once.
    #[serde(default)]
    pub idempotent: bool,
    /// Why it always needs a human.
    #[serde(default)]
    pub always_human: Option<AlwaysHuman>,
    /// Whether what it is called with leaves the operator's own systems, as a search of the web does.
    #[serde(default)]
    pub open_world: bool,
    /// The write that takes it back.
    #[serde(default)]
    pub undo: Option<FollowUp>,
    /// The read that tells whether it happened.
    #[serde(default)]
    pub verify: Option<FollowUp>,
    /// The read that shows what would change.
    #[serde(default)]
    pub preview: Option<FollowUp>,
    /// The read that shows that the target belongs to the requester.
    #[serde(default)]
    pub owner_check: Option<FollowUp>,
}

impl Tool {
    /// JSON Schema of its arguments.
    #[must_use]
    pub fn schema(&self) -> Value {
        match (&self.input_schema, self.builtin) {
            (Some(schema), _) => schema.clone(),
            (None, Some(Builtin::Query)) => serde_json::json!({
                "type": "object",
                "properties": {"sql": {"type": "string", "description": "One SELECT statement", "maxLength": 20_000}},
                "required": ["sql"],
                "additionalProperties": false,
            }),
            (None, _) => input_schema(&self.params),
        }
    }

    /// The names of its arguments.
    #[must_use]
    pub fn argument_names(&self) -> Vec<String> {
        self.schema()["properties"]
            .as_object()
            .map(|fields| fields.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The definition that the gate decides on, pinned to this manifest.
    #[must_use]
    pub fn definition(&self, connector: &str) -> ToolDefinition {
        let default_risk = match self.access {
            Access::Read => 5,
            Access::Write => 50,
        };
        let mut definition = ToolDefinition {
            tool: ToolRef {
                connector: connector.to_owned(),
                tool: self.name.clone(),
            },
            description: self.description.trim().to_owned(),
            role: self.role.clone(),
            access: self.access,
            risk: self.risk.unwrap_or(default_risk),
            input_schema: self.schema(),
            arguments: self.arguments.clone(),
            output_integrity: self.output_integrity.clone(),
            reversibility: self.reversibility,
            idempotent: self.idempotent,
            always_human: self.always_human,
            open_world: self.open_world,
            undo: self.undo.clone(),
            verify: self.verify.clone(),
            preview: self.preview.clone(),
            owner_check: self.owner_check.clone(),
            definition_hash: String::new(),
        };
        definition.definition_hash =
            gaby_model::canonical::hash(&(&definition, self.what_runs())).unwrap_or_default();
        definition
    }

    /// What the tool would execute, so that a changed statement is a changed definition.
    fn what_runs(&self) -> Value {
        serde_json::json!({
            "query": self.query,
            "statement": self.statement.as_ref().map(Statements::all),
            "affects": self.affects.map(|a| [a.at_least, a.at_most]),
            "request": self.request.as_ref().map(|r| format!("{r:?}")),
            "output": self.output,
        })
    }
}

fn yes() -> bool {
    true
}

fn one() -> u64 {
    1
}
