//! A workspace with a host, a key that opens it, and systems to connect.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gaby_connect::manifest::{Manifest, Registry, parse};
use gaby_connect::{CallError, Host};
use gaby_model::{CallKey, ToolCall, ToolRef, ToolResult};
use gaby_store::{Store, StoreConfig, Workspace};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A key that anybody can make, which outside of tests only the gate can.
pub(crate) struct TestKey {
    call: ToolCall,
    idempotency_key: Option<String>,
}

impl CallKey for TestKey {
    fn call(&self) -> &ToolCall {
        &self.call
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }
}

/// A key for one call.
pub(crate) fn key(connector: &str, tool: &str, arguments: Value) -> TestKey {
    TestKey {
        call: ToolCall {
            tool: ToolRef {
                connector: connector.to_owned(),
                tool: tool.to_owned(),
            },
            arguments,
        },
        idempotency_key: None,
    }
}

/// A workspace of its own and its host.
pub(crate) struct World {
    pub(crate) host: Host<TestKey>,
    pub(crate) workspace: Workspace,
    pub(crate) folder: tempfile::TempDir,
    registry: Arc<Registry>,
    _store: Store,
}

impl World {
    /// A world that knows the built-in manifests and these.
    pub(crate) async fn with(manifests: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(StoreConfig::in_folder(folder.path().join("data")))
            .await
            .unwrap();
        let workspace = store.create_workspace("test", "Test").await.unwrap();
        let mut registry = Registry::built_in().unwrap();
        for text in manifests {
            registry.add(manifest(text));
        }
        let registry = Arc::new(registry);
        let host = Host::open(workspace.clone(), registry.clone())
            .await
            .unwrap();
        Self {
            host,
            workspace,
            folder,
            registry,
            _store: store,
        }
    }

    /// The same workspace, opened by a host that starts anew.
    pub(crate) async fn restarted(&self) -> Host<TestKey> {
        Host::open(self.workspace.clone(), self.registry.clone())
            .await
            .unwrap()
    }

    /// Calls a tool.
    pub(crate) async fn call(
        &self,
        connector: &str,
        tool: &str,
        arguments: Value,
    ) -> Result<ToolResult, CallError> {
        self.host.call(key(connector, tool, arguments)).await
    }

    /// Calls a write with an idempotency key.
    pub(crate) async fn write(
        &self,
        connector: &str,
        tool: &str,
        arguments: Value,
        idempotency_key: &str,
    ) -> Result<ToolResult, CallError> {
        let mut key = key(connector, tool, arguments);
        key.idempotency_key = Some(idempotency_key.to_owned());
        self.host.call(key).await
    }

    /// Free SQL on a connector of a built-in database manifest.
    pub(crate) async fn sql(&self, connector: &str, text: &str) -> Result<ToolResult, CallError> {
        self.call(connector, "query", json!({"sql": text})).await
    }
}

/// A checked manifest.
pub(crate) fn manifest(text: &str) -> Manifest {
    parse("test.yaml", text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// `key=value` settings.
pub(crate) fn settings<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A database of its own on the test server, and names for its roles.
pub(crate) struct Database {
    /// An administrator's address.
    pub(crate) admin_url: String,
    number: String,
}

impl Database {
    /// None when no server was named to the tests.
    pub(crate) async fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("GABY_TEST_POSTGRES_URL").ok()?;
        let number = format!(
            "{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let (base, _) = server.rsplit_once('/').unwrap();
        let database = Self {
            admin_url: format!("{base}/gaby_connect_{number}"),
            number: number.clone(),
        };
        let mut connection = PgConnection::connect(&server).await.unwrap();
        execute(
            &mut connection,
            &format!("CREATE DATABASE gaby_connect_{number}"),
        )
        .await;
        Some(database)
    }

    /// A name of this test's own for a role, since roles belong to the whole server.
    pub(crate) fn role(&self, name: &str) -> String {
        format!("{name}_{}", self.number)
    }

    /// The address for one of its roles.
    pub(crate) fn url(&self, role: &str) -> String {
        let mut url = url::Url::parse(&self.admin_url).unwrap();
        url.set_username(&self.role(role)).unwrap();
        url.set_password(Some("p%40ss word")).unwrap();
        url.to_string()
    }

    /// An administrator's connection.
    pub(crate) async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.admin_url).await.unwrap()
    }

    /// Runs a script as administrator; `{name}` in it is a role of this test.
    pub(crate) async fn run(&self, script: &str) {
        let script = ["reader", "writer", "owner", "group"]
            .into_iter()
            .fold(script.to_owned(), |script, role| {
                script.replace(&format!("{{{role}}}"), &self.role(role))
            });
        execute(&mut self.admin().await, &script).await;
    }
}

/// Runs a script of any number of statements.
pub(crate) async fn execute(connection: &mut PgConnection, script: &str) {
    sqlx::raw_sql(AssertSqlSafe(script.to_owned()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{error}: {script}"));
}
