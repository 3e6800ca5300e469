//! The MCP host of a workspace: what its connectors offer, and the one way to call it.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gaby_model::tool::Reversibility;
use gaby_model::{
    Access, Autonomy, CallKey, Clock as _, SystemClock, Timestamp, ToolDefinition, ToolRef,
    ToolResult,
};
use gaby_store::Workspace;
use gaby_store::connectors::ToolPin;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::error::{CallError, ConnectError};
use super::record::{Reach, Setup};
use super::result;
use super::session::{CallFault, Session};
use super::supervise;
use crate::connector::{check_arguments, complete, offered};
use crate::manifest::Registry;

/// How long a call waits for a connector that is just being reached.
const CONNECTING_TIME: Duration = Duration::from_secs(20);

/// Where a connector stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorState {
    /// Being reached for the first time.
    Connecting,
    /// Reachable.
    Up,
    /// Not reachable; tried again with growing pauses.
    Down,
    /// Reachable, but a definition waits for the operator.
    Suspended,
}

/// A connector, for lists.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectorStatus {
    /// Its name.
    pub name: String,
    /// `sqlite`, `postgres`, `http`, `mcp_stdio` or `mcp_http`.
    pub kind: String,
    /// Its name for people.
    pub title: String,
    /// What it gives.
    pub description: String,
    /// Where it stands.
    pub state: ConnectorState,
    /// How far Gaby may go with it.
    pub autonomy: Autonomy,
    /// Why it is down, or was last.
    pub last_error: Option<String>,
    /// What is not as it should be though it works.
    pub warnings: Vec<String>,
    /// Since when it stands so.
    pub since: Timestamp,
    /// Its tools.
    pub tools: Vec<ToolStatus>,
}

/// A tool, for lists.
#[derive(Debug, Clone, Serialize)]
pub struct ToolStatus {
    /// Its name within the connector.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Whether it changes something.
    pub access: Access,
    /// The generic job it does.
    pub role: Option<String>,
    /// Risk of one call.
    pub risk: u8,
    /// Why it may not be called, when it may not.
    pub suspended: Option<String>,
}

/// What is live about a connector.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) state: ConnectorState,
    pub(super) since: Timestamp,
    pub(super) last_error: Option<String>,
    pub(super) warnings: Vec<String>,
    /// Whether its reads were not shown to be unable to write.
    pub(super) may_write: bool,
    pub(super) session: Option<Arc<Session>>,
}

/// A tool of a third party as it stands: its pin, and why it may not be called.
#[derive(Clone)]
pub(super) struct Pinned {
    pub(super) pin: ToolPin,
    pub(super) suspended: Option<String>,
}

/// How a connector is set up, and what Gaby's own servers offer under that; another set-up has its own.
pub(super) struct Kept {
    setup: Setup,
    offers: Option<Arc<[ToolDefinition]>>,
}

impl Kept {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            offers: None,
        }
    }

    pub(super) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// None for a third party's server: what that offers is pinned.
    fn offers(&mut self, registry: &Registry) -> Option<Arc<[ToolDefinition]>> {
        let Reach::Manifest { manifest, settings } = &self.setup.config.reach else {
            return None;
        };
        if self.offers.is_none() {
            let own = registry.get(manifest).and_then(|manifest| {
                let given = complete(&manifest, settings, &self.setup.exposed()).ok()?;
                let tools = offered(&manifest, &given);
                let tools = tools.map(|tool| tool.definition(&self.setup.name));
                let mut tools: Vec<_> = tools.collect();
                tools
                    .iter_mut()
                    .for_each(|tool| with_role(&self.setup, tool));
                Some(tools)
            });
            self.offers = Some(own.unwrap_or_default().into());
        }
        self.offers.clone()
    }
}

/// One connector in memory.
pub(super) struct Entry {
    pub(super) kept: Mutex<Kept>,
    pub(super) live: watch::Sender<Live>,
    pub(super) pins: Mutex<BTreeMap<String, Pinned>>,
    /// Wakes the supervisor: something failed, or should be tried now.
    pub(super) nudge: Notify,
    /// What failed, for whoever is woken.
    pub(super) trouble: Mutex<Option<String>>,
    pub(super) task: Mutex<Option<tokio::task::AbortHandle>>,
}

impl Entry {
    pub(super) fn setup(&self) -> Setup {
        lock(&self.kept).setup().clone()
    }

    /// Has the connector reached anew, because a call over this session failed.
    fn failed(&self, session: &Arc<Session>, reason: &str) {
        let current = self.live.send_if_modified(|live| {
            let current = live
                .session
                .as_ref()
                .is_some_and(|own| Arc::ptr_eq(own, session));
            if current {
                live.state = ConnectorState::Down;
                live.since = now();
                live.last_error = Some(reason.to_owned());
                live.session = None;
            }
            current
        });
        if current {
            *lock(&self.trouble) = Some(reason.to_owned());
            self.nudge.notify_one();
        }
    }

    /// What the operator set, short of acting while its reads use a login that could write.
    fn autonomy(&self) -> Autonomy {
        let set = self.setup().autonomy;
        if self.live.borrow().may_write {
            set.min(Autonomy::Propose)
        } else {
            set
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
    }
}

/// A lock whose holder panicked still guards plain data here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Shared {
    pub(super) workspace: Workspace,
    pub(super) registry: Arc<Registry>,
    pub(super) entries: Mutex<BTreeMap<String, Arc<Entry>>>,
    /// Serialises what the operator changes.
    pub(super) managing: tokio::sync::Mutex<()>,
}

impl Shared {
    pub(super) fn entry(&self, name: &str) -> Option<Arc<Entry>> {
        lock(&self.entries).get(name).cloned()
    }

    fn all(&self) -> Vec<Arc<Entry>> {
        lock(&self.entries).values().cloned().collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        lock(&self.entries).keys().cloned().collect()
    }

    /// Ends a connector in this process.
    pub(super) fn let_go(&self, name: &str) {
        let Some(entry) = lock(&self.entries).remove(name) else {
            return;
        };
        if let Some(task) = lock(&entry.task).take() {
            task.abort();
        }
        entry.live.send_modify(|live| live.session = None);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for entry in lock(&self.entries).values() {
            if let Some(task) = lock(&entry.task).take() {
                task.abort();
            }
        }
    }
}

/// All connectors of one workspace. `K` is the gate's key: whoever calls a tool gives one away.
pub struct Host<K: CallKey> {
    pub(super) shared: Arc<Shared>,
    _key: PhantomData<fn(K)>,
}

impl<K: CallKey> Clone for Host<K> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            _key: PhantomData,
        }
    }
}

impl<K: CallKey> Host<K> {
    /// Takes up the workspace's connectors. They are reached in the background; one that cannot be
    /// is shown as down and tried again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(workspace: Workspace, registry: Arc<Registry>) -> Result<Self, ConnectError> {
        let shared = Arc::new(Shared {
            workspace,
            registry,
            entries: Mutex::default(),
            managing: tokio::sync::Mutex::default(),
        });
        for record in shared.workspace.connectors().list().await? {
            let name = record.name.clone();
            let pins = shared.workspace.connectors().pins(&name).await?;
            match Setup::from_record(record) {
                Ok(setup) => supervise::take_up(&shared, setup, pins, None),
                Err(error) => {
                    tracing::error!(connector = name, %error, "a stored connector cannot be read")
                }
            }
        }
        Ok(Self {
            shared,
            _key: PhantomData,
        })
    }

    /// The manifests that can be connected.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.shared.registry
    }

    /// Waits until every connector has been tried once, at most `time`.
    pub async fn settled(&self, time: Duration) {
        let all = self.shared.all();
        let wait = futures_util::future::join_all(all.iter().map(|entry| async {
            let mut live = entry.live.subscribe();
            let _ = live
                .wait_for(|live| live.state != ConnectorState::Connecting)
                .await;
        }));
        let _ = tokio::time::timeout(time, wait).await;
    }

    /// Every tool that may be called, with what the operator decided about it. A connector that is
    /// down is in it too: its tools exist, they just fail.
    pub async fn catalog(&self) -> Vec<ToolDefinition> {
        self.follow().await;
        self.shared
            .all()
            .iter()
            .flat_map(|entry| self.definitions(entry))
            .filter(|(_, suspended)| suspended.is_none())
            .map(|(definition, _)| definition)
            .collect()
    }

    /// How far Gaby may go with a connector.
    #[must_use]
    pub fn autonomy(&self, connector: &str) -> Option<Autonomy> {
        Some(self.shared.entry(connector)?.autonomy())
    }

    /// Every connector with its tools, by name.
    pub async fn status(&self) -> Vec<ConnectorStatus> {
        self.follow().await;
        self.shared
            .all()
            .iter()
            .map(|entry| self.status_of(entry))
            .collect()
    }

    pub(super) fn status_of(&self, entry: &Entry) -> ConnectorStatus {
        let setup = entry.setup();
        let live = entry.live.borrow().clone();
        let tools: Vec<ToolStatus> = self
            .definitions(entry)
            .into_iter()
            .map(|(definition, suspended)| ToolStatus {
                name: definition.tool.tool,
                description: definition.description,
                access: definition.access,
                role: definition.role,
                risk: definition.risk,
                suspended,
            })
            .collect();
        let waits = tools.iter().any(|tool| tool.suspended.is_some());
        let (kind, title, description) = self.describe(&setup);
        ConnectorStatus {
            name: setup.name,
            kind,
            title,
            description,
            state: if live.state == ConnectorState::Up && waits {
                ConnectorState::Suspended
            } else {
                live.state
            },
            autonomy: entry.autonomy(),
            last_error: live.last_error,
            warnings: live.warnings,
            since: live.since,
            tools,
        }
    }

    fn describe(&self, setup: &Setup) -> (String, String, String) {
        match &setup.config.reach {
            Reach::Manifest { manifest, .. } => match self.shared.registry.get(manifest) {
                Some(manifest) => (
                    manifest.driver.as_str().to_owned(),
                    manifest.title.clone(),
                    manifest.description.trim().to_owned(),
                ),
                None => ("manifest".into(), setup.name.clone(), String::new()),
            },
            Reach::McpStdio { argv } => (
                "mcp_stdio".into(),
                setup.name.clone(),
                format!("Third-party MCP server `{}`", argv.join(" ")),
            ),
            Reach::McpHttp { url } => (
                "mcp_http".into(),
                setup.name.clone(),
                format!("Third-party MCP server at {url}"),
            ),
        }
    }

    /// The definitions of a connector's tools, each with the reason when it is suspended.
    pub(super) fn definitions(&self, entry: &Entry) -> Vec<(ToolDefinition, Option<String>)> {
        if let Some(own) = self.offers(entry) {
            return own.iter().map(|tool| (tool.clone(), None)).collect();
        }
        let setup = entry.setup();
        let pinned = lock(&entry.pins);
        let tools = pinned.values().map(|pinned| {
            let mut tool = third_party(&setup, &pinned.pin);
            with_role(&setup, &mut tool);
            (tool, pinned.suspended.clone())
        });
        tools.collect()
    }

    fn offers(&self, entry: &Entry) -> Option<Arc<[ToolDefinition]>> {
        lock(&entry.kept).offers(&self.shared.registry)
    }

    /// Calls the tool that the key was made for. The key is used up.
    ///
    /// # Errors
    /// When nothing came back; [`CallError::may_have_happened`] tells whether a write may have
    /// happened all the same. A tool that says itself that it failed is a result.
    pub async fn call(&self, key: K) -> Result<ToolResult, CallError> {
        let started = Instant::now();
        let ToolRef { connector, tool } = key.call().tool.clone();
        let full = format!("{connector}__{tool}");
        let entry = self
            .shared
            .entry(&connector)
            .ok_or_else(|| CallError::Unknown(full.clone()))?;
        let arguments = match &key.call().arguments {
            Value::Object(fields) => fields.clone(),
            Value::Null => serde_json::Map::new(),
            _ => {
                return Err(CallError::Refused {
                    tool: full,
                    reason: "the arguments are not an object".into(),
                });
            }
        };
        let session = reachable(&entry, &connector).await?;
        let own = self.offers(&entry);
        let first_party = own.is_some();
        match own {
            Some(own) if own.iter().any(|known| known.tool.tool == tool) => {}
            Some(_) => return Err(CallError::Unknown(full)),
            None => {
                self.check_pin(&entry, &session, &tool, &full, &arguments)
                    .await?;
            }
        }
        let answer = session
            .call(&tool, arguments, key.idempotency_key())
            .await
            .map_err(|fault| match fault {
                CallFault::Timeout(after) => CallError::Timeout {
                    tool: full.clone(),
                    after,
                },
                CallFault::Lost(reason) => {
                    entry.failed(&session, &reason);
                    CallError::Lost {
                        tool: full.clone(),
                        reason,
                    }
                }
                CallFault::Refused(reason) => CallError::Refused {
                    tool: full.clone(),
                    reason,
                },
            })?;
        if first_party {
            self.own_failure(&entry, &session, &full, &answer)?;
        }
        let is_error = answer.is_error == Some(true);
        let (value, truncated) = result::value_of(answer);
        Ok(ToolResult {
            value,
            truncated,
            is_error,
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Refuses a tool whose definition is not, at this moment, the approved one.
    async fn check_pin(
        &self,
        entry: &Arc<Entry>,
        session: &Arc<Session>,
        tool: &str,
        full: &str,
        arguments: &serde_json::Map<String, Value>,
    ) -> Result<(), CallError> {
        supervise::reconcile(&self.shared, entry, session)
            .await
            .map_err(|reason| {
                entry.failed(session, &reason);
                CallError::Unavailable {
                    connector: entry.setup().name,
                    reason,
                }
            })?;
        let pinned = lock(&entry.pins)
            .get(tool)
            .cloned()
            .ok_or_else(|| CallError::Unknown(full.to_owned()))?;
        if let Some(reason) = pinned.suspended {
            return Err(CallError::Suspended {
                tool: full.to_owned(),
                reason,
            });
        }
        let refused = |reason: String| CallError::Refused {
            tool: full.to_owned(),
            reason,
        };
        let validator = jsonschema::validator_for(&pinned.pin.definition["inputSchema"])
            .map_err(|error| refused(format!("its input schema cannot be used: {error}")))?;
        check_arguments(&validator, arguments).map_err(refused)
    }

    /// What Gaby's own servers say about a failure, in the host's terms.
    fn own_failure(
        &self,
        entry: &Entry,
        session: &Arc<Session>,
        full: &str,
        answer: &rmcp::model::CallToolResult,
    ) -> Result<(), CallError> {
        let kind = answer
            .meta
            .as_ref()
            .and_then(|meta| meta.get(result::FAILURE))
            .and_then(Value::as_str);
        let Some(kind) = kind else { return Ok(()) };
        let (text, _) = result::value_of(answer.clone());
        let reason = text.as_str().unwrap_or_default().to_owned();
        let tool = full.to_owned();
        match kind {
            "refused" => Err(CallError::Refused { tool, reason }),
            "timeout" => Err(CallError::Timeout {
                tool,
                after: Duration::from_secs(
                    reason
                        .split_whitespace()
                        .find_map(|word| word.parse().ok())
                        .unwrap_or_default(),
                ),
            }),
            "lost" => Err(CallError::Lost { tool, reason }),
            "unavailable" => {
                entry.failed(session, &reason);
                Err(CallError::Unavailable {
                    connector: entry.setup().name,
                    reason,
                })
            }
            _ => Ok(()),
        }
    }
}

/// The session of a connector that is up; waits a while for one that is being reached.
async fn reachable(entry: &Entry, connector: &str) -> Result<Arc<Session>, CallError> {
    let mut live = entry.live.subscribe();
    let waited = tokio::time::timeout(
        CONNECTING_TIME,
        live.wait_for(|live| live.state != ConnectorState::Connecting),
    )
    .await;
    let down = |reason: Option<String>| CallError::Unavailable {
        connector: connector.to_owned(),
        reason: reason.unwrap_or_else(|| "it is still being reached".into()),
    };
    match waited {
        Ok(Ok(live)) => match &live.session {
            Some(session) => Ok(session.clone()),
            None => Err(down(live.last_error.clone())),
        },
        _ => Err(down(None)),
    }
}

/// The generic job that the operator gave a tool, if any.
fn with_role(setup: &Setup, tool: &mut ToolDefinition) {
    if let Some(role) = setup.config.roles.get(&tool.tool.tool) {
        tool.role = Some(role.clone());
    }
}

/// What may be assumed about a third party's tool: little.
fn third_party(setup: &Setup, pin: &ToolPin) -> ToolDefinition {
    let read = setup.config.read_tools.contains(&pin.tool);
    let description = pin.definition["description"].as_str().unwrap_or_default();
    ToolDefinition {
        tool: ToolRef {
            connector: pin.connector.clone(),
            tool: pin.tool.clone(),
        },
        description: description
            .chars()
            .take(super::pin::MAX_DESCRIPTION)
            .collect(),
        role: None,
        access: if read { Access::Read } else { Access::Write },
        risk: if read { 10 } else { 50 },
        input_schema: pin.definition["inputSchema"].clone(),
        arguments: BTreeMap::new(),
        output_integrity: BTreeMap::new(),
        reversibility: Reversibility::Irreversible,
        idempotent: false,
        always_human: None,
        open_world: pin.definition["annotations"]["openWorldHint"] == true,
        undo: None,
        verify: None,
        preview: None,
        owner_check: None,
        definition_hash: pin.hash.clone(),
    }
}

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}
