//! What the operator does with connectors: connect, test, decide, accept, remove.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gaby_model::{Autonomy, CallKey, ToolDefinition};
use gaby_store::audit::{Actor, AuditRecord};
use gaby_store::connectors::ToolPin;
use serde_json::{Value, json};

use super::error::ConnectError;
use super::host::{ConnectorStatus, Entry, Host, Kept, lock, now};
use super::pin;
use super::record::{Reach, Setup};
use super::session::Session;
use super::supervise;
use crate::connector::{complete, missing};
use crate::manifest::{Manifest, Setting};

/// What connecting found.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The tools it offers.
    pub tools: Vec<ToolDefinition>,
    /// What is not as it should be though it works, and what to do about it.
    pub warnings: Vec<String>,
}

/// What the operator decides about a connector; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct Override {
    /// How far Gaby may go with it.
    pub autonomy: Option<Autonomy>,
    /// A third party's tools that only read; replaces the earlier list.
    pub read_tools: Option<Vec<String>>,
    /// Tool → generic role; an empty role takes a mapping back.
    pub roles: BTreeMap<String, String>,
}

impl<K: CallKey> Host<K> {
    /// The settings of a manifest that are needed and not among those given, secrets included.
    ///
    /// # Errors
    /// When there is no such manifest.
    pub fn missing_settings(
        &self,
        manifest: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<Vec<Setting>, ConnectError> {
        Ok(missing(&*self.manifest(manifest)?, given, given))
    }

    fn manifest(&self, name: &str) -> Result<Arc<Manifest>, ConnectError> {
        self.shared
            .registry
            .get(name)
            .ok_or_else(|| ConnectError::UnknownManifest {
                name: name.to_owned(),
                known: self.shared.registry.names(),
            })
    }

    /// Connects a manifest under a name: checks the settings, tests the connection, stores both
    /// sealed. It starts at autonomy `investigate`.
    ///
    /// # Errors
    /// When the name is taken, a setting is missing or wrong, or the system cannot be reached.
    pub async fn connect_manifest(
        &self,
        name: &str,
        manifest: &str,
        settings: BTreeMap<String, String>,
        secrets: BTreeMap<String, String>,
    ) -> Result<Connected, ConnectError> {
        let found = self.manifest(manifest)?;
        complete(&found, &settings, &secrets).map_err(ConnectError::Settings)?;
        let reach = Reach::Manifest {
            manifest: manifest.to_owned(),
            settings,
        };
        self.connect(Setup::new(name, reach, secrets)).await
    }

    /// Connects a third party's server that is a command. Its tools count as writes until marked.
    ///
    /// # Errors
    /// When the name is taken, or the server does not start and list its tools.
    pub async fn connect_mcp_stdio(
        &self,
        name: &str,
        argv: Vec<String>,
        env: BTreeMap<String, String>,
    ) -> Result<Connected, ConnectError> {
        self.connect(Setup::new(name, Reach::McpStdio { argv }, env))
            .await
    }

    /// Connects a third party's server at a URL. Its tools count as writes until marked.
    ///
    /// # Errors
    /// When the name is taken, or the server does not answer and list its tools.
    pub async fn connect_mcp_http(
        &self,
        name: &str,
        url: &str,
        headers: BTreeMap<String, String>,
    ) -> Result<Connected, ConnectError> {
        let reach = Reach::McpHttp {
            url: url.to_owned(),
        };
        self.connect(Setup::new(name, reach, headers)).await
    }

    async fn connect(&self, setup: Setup) -> Result<Connected, ConnectError> {
        let _one = self.shared.managing.lock().await;
        let name = setup.name.clone();
        if !is_name(&name) {
            return Err(ConnectError::Name(name.chars().take(60).collect()));
        }
        if self.shared.entry(&name).is_some() {
            return Err(ConnectError::Exists(name));
        }
        let unreachable = |reason: String| ConnectError::Unreachable {
            name: name.clone(),
            reason,
        };
        let session = Session::open(&setup, &self.shared.registry)
            .await
            .map_err(unreachable)?;
        let pins = if setup.is_first_party() {
            Vec::new()
        } else {
            let offered = session.tools().await.map_err(unreachable)?;
            first_pins(&name, &offered)
        };
        let mut tx = self.shared.workspace.begin().await?;
        let record = setup
            .to_record()
            .map_err(|error| ConnectError::Settings(error.to_string()))?;
        tx.connectors().put(&record).await?;
        for pin in &pins {
            tx.connectors().put_pin(pin).await?;
        }
        tx.audit(note("connector.connected", &setup, json!({})));
        tx.commit().await?;

        let warnings = session.warnings.clone();
        supervise::take_up(&self.shared, setup, pins, Some(session));
        let tools = match self.shared.entry(&name) {
            Some(entry) => self
                .definitions(&entry)
                .into_iter()
                .filter(|(_, suspended)| suspended.is_none())
                .map(|(definition, _)| definition)
                .collect(),
            None => Vec::new(),
        };
        Ok(Connected { tools, warnings })
    }

    /// Reaches a connector anew, apart from the live connection, and tells what was found.
    ///
    /// # Errors
    /// When it is not connected or cannot be reached.
    pub async fn test(&self, name: &str) -> Result<ConnectorStatus, ConnectError> {
        let entry = self.connected(name)?;
        let setup = entry.setup();
        let tried = match Session::open(&setup, &self.shared.registry).await {
            Ok(session) if setup.is_first_party() => {
                Ok((session.warnings.clone(), session.may_write))
            }
            Ok(session) => supervise::reconcile(&self.shared, &entry, &session)
                .await
                .map(|()| (Vec::new(), false)),
            Err(reason) => Err(reason),
        };
        match tried {
            Ok((warnings, may_write)) => {
                entry.live.send_modify(|live| {
                    live.warnings = warnings;
                    live.may_write = may_write;
                });
                if entry.live.borrow().session.is_none() {
                    entry.nudge.notify_one();
                }
                Ok(self.status_of(&entry))
            }
            Err(reason) => Err(ConnectError::Unreachable {
                name: name.to_owned(),
                reason,
            }),
        }
    }

    /// Records what the operator decided about a connector.
    ///
    /// # Errors
    /// When it is not connected, or a tool is not among its own.
    pub async fn set_override(&self, name: &str, change: Override) -> Result<(), ConnectError> {
        let _one = self.shared.managing.lock().await;
        let entry = self.connected(name)?;
        let mut setup = entry.setup();
        let known: BTreeSet<String> = self
            .definitions(&entry)
            .into_iter()
            .map(|(definition, _)| definition.tool.tool)
            .collect();
        let marked = change.read_tools.iter().flatten();
        if let Some(tool) = marked
            .chain(change.roles.keys())
            .find(|tool| !known.contains(*tool))
        {
            return Err(ConnectError::UnknownTool {
                connector: name.to_owned(),
                tool: tool.clone(),
                known: known.into_iter().collect(),
            });
        }
        if change.read_tools.is_some() && setup.is_first_party() {
            return Err(ConnectError::Settings(format!(
                "the manifest of `{name}` says which of its tools read: change it there"
            )));
        }
        if let Some(autonomy) = change.autonomy {
            if autonomy == Autonomy::Act && entry.live.borrow().may_write {
                return Err(ConnectError::Settings(format!(
                    "`{name}` cannot act by itself: its reads were not shown to be unable to write. Connect it with a role that cannot; `gaby connectors` shows the SQL that makes one"
                )));
            }
            setup.autonomy = autonomy;
        }
        if let Some(tools) = change.read_tools {
            setup.config.read_tools = tools.into_iter().collect();
        }
        for (tool, role) in change.roles {
            if role.is_empty() {
                setup.config.roles.remove(&tool);
            } else {
                setup.config.roles.insert(tool, role);
            }
        }
        let decision = json!({
            "autonomy": setup.autonomy,
            "read_tools": setup.config.read_tools,
            "roles": setup.config.roles,
        });
        self.store(&setup, note("connector.decided", &setup, decision))
            .await?;
        *lock(&entry.kept) = Kept::new(setup);
        Ok(())
    }

    /// Accepts the definition that a third party's tool has now.
    ///
    /// # Errors
    /// When there is no such tool, it cannot be reached, or its definition cannot be accepted.
    pub async fn accept_definition(&self, name: &str, tool: &str) -> Result<(), ConnectError> {
        let _one = self.shared.managing.lock().await;
        let entry = self.connected(name)?;
        let setup = entry.setup();
        let unreachable = |reason: String| ConnectError::Unreachable {
            name: name.to_owned(),
            reason,
        };
        let session = Session::open(&setup, &self.shared.registry)
            .await
            .map_err(unreachable)?;
        let offered = session.tools().await.map_err(unreachable)?;
        let same: Vec<_> = offered.iter().filter(|t| t.name == tool).collect();
        let [found] = same.as_slice() else {
            return Err(ConnectError::UnknownTool {
                connector: name.to_owned(),
                tool: tool.to_owned(),
                known: offered.iter().map(|t| t.name.to_string()).collect(),
            });
        };
        let hash = pin::hash(found).map_err(|reason| {
            ConnectError::Settings(format!("`{tool}` cannot be accepted: {reason}"))
        })?;
        let accepted = ToolPin {
            connector: name.to_owned(),
            tool: tool.to_owned(),
            hash: hash.clone(),
            suspended: false,
            definition: pin::definition(found),
        };
        let mut tx = self.shared.workspace.begin().await?;
        tx.connectors().put_pin(&accepted).await?;
        tx.audit(note(
            "connector.definition_accepted",
            &setup,
            json!({"tool": tool, "hash": hash}),
        ));
        tx.commit().await?;
        lock(&entry.pins).insert(
            tool.to_owned(),
            super::host::Pinned {
                pin: accepted,
                suspended: None,
            },
        );
        Ok(())
    }

    /// Ends a connector and forgets its settings, secrets and pins.
    ///
    /// # Errors
    /// When it is not connected, or the store fails.
    pub async fn remove(&self, name: &str) -> Result<(), ConnectError> {
        let _one = self.shared.managing.lock().await;
        let entry = self.connected(name)?;
        let mut tx = self.shared.workspace.begin().await?;
        tx.connectors().remove(name).await?;
        tx.audit(note("connector.removed", &entry.setup(), json!({})));
        tx.commit().await?;
        self.shared.let_go(name);
        Ok(())
    }

    fn connected(&self, name: &str) -> Result<Arc<Entry>, ConnectError> {
        self.shared
            .entry(name)
            .ok_or_else(|| ConnectError::NotConnected(name.to_owned()))
    }

    async fn store(&self, setup: &Setup, audit: AuditRecord) -> Result<(), ConnectError> {
        let record = setup
            .to_record()
            .map_err(|error| ConnectError::Settings(error.to_string()))?;
        let mut tx = self.shared.workspace.begin().await?;
        tx.connectors().put(&record).await?;
        tx.audit(audit);
        tx.commit().await?;
        Ok(())
    }
}

/// The definitions that the operator accepts by connecting; what cannot be accepted is suspended.
fn first_pins(connector: &str, offered: &[rmcp::model::Tool]) -> Vec<ToolPin> {
    let mut pins: BTreeMap<String, ToolPin> = BTreeMap::new();
    for tool in offered {
        let name: String = tool.name.chars().take(128).collect();
        let twice = offered
            .iter()
            .filter(|other| other.name == tool.name)
            .count()
            > 1;
        let hash = pin::hash(tool).ok().filter(|_| !twice);
        pins.insert(
            name.clone(),
            ToolPin {
                connector: connector.to_owned(),
                tool: name,
                suspended: hash.is_none(),
                hash: hash.unwrap_or_default(),
                definition: supervise::short_definition(tool),
            },
        );
    }
    pins.into_values().collect()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
        && name.len() <= 32
}

fn note(action: &str, setup: &Setup, decision: Value) -> AuditRecord {
    AuditRecord {
        actor: Actor::new("operator", ""),
        action: action.to_owned(),
        object: setup.name.clone(),
        decision,
        content: json!({"kind": setup.config.reach.kind()}),
        at: now(),
    }
}
