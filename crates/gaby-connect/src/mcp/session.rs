//! One live connection to an MCP server, whatever carries it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig,
    ClientRequest, Implementation, ListToolsRequest, MetaObject, PaginatedRequestParams,
    ProtocolVersion, RequestMetaObject, ServerResult, Tool,
};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, Peer, RoleClient, RunningService, ServiceError,
};
use rmcp::transport::IntoTransport;
use rmcp::{ClientHandler, ServiceExt as _};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::bounded::{Bounded, Fault};
use super::process::Process;
use super::record::{Reach, Setup};
use super::server::{self, IDEMPOTENCY_KEY, Server};
use crate::manifest::Registry;

/// Calls of one connector at a time.
const CONCURRENCY: usize = 4;
/// The longest call of a third party's tool.
const CALL_TIME: Duration = Duration::from_secs(30);
/// The longest time to start and to list tools.
const START_TIME: Duration = Duration::from_secs(20);
/// The most tools of one server.
const MAX_TOOLS: usize = 500;
/// Bytes that wait in a pipe inside the process.
const PIPE_BYTES: usize = 64 * 1024;

/// A live connection. Dropping it closes it and ends the server's processes.
pub(super) struct Session {
    peer: Peer<RoleClient>,
    permits: Semaphore,
    call_time: Duration,
    closed: watch::Receiver<bool>,
    process: Option<Mutex<Process>>,
    fault: Fault,
    /// What a first-party connector found not as it should be.
    pub(super) warnings: Vec<String>,
    /// Whether its reads use a login that could write.
    pub(super) may_write: bool,
    _cancel: DropGuard,
}

/// Why a call over a session failed.
#[derive(Debug)]
pub(super) enum CallFault {
    Timeout(Duration),
    Lost(String),
    /// The server answered with a protocol error.
    Refused(String),
}

/// Why a session did not open.
enum Opening {
    /// The server does not begin in this way.
    Refused(String),
    Failed(String),
}

/// Gaby as an MCP client: no sampling, no roots, no elicitation.
struct Client;

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("gaby", env!("CARGO_PKG_VERSION")),
        )
    }
}

impl Session {
    /// Connects as the setup says; for a manifest this includes its health check.
    pub(super) async fn open(setup: &Setup, registry: &Registry) -> Result<Self, String> {
        match tokio::time::timeout(START_TIME, Self::start(setup, registry)).await {
            Ok(result) => result,
            Err(_) => Err(format!(
                "it did not start within {} seconds{}",
                START_TIME.as_secs(),
                match setup.config.reach {
                    Reach::McpStdio { .. } =>
                        "; if it downloads itself first, as npx and uvx do, run it once by hand",
                    Reach::Manifest { .. } | Reach::McpHttp { .. } => "",
                }
            )),
        }
    }

    async fn start(setup: &Setup, registry: &Registry) -> Result<Self, String> {
        let fault = Fault::default();
        match &setup.config.reach {
            Reach::Manifest { .. } => {
                let connector =
                    Arc::new(server::open(setup, registry).map_err(|error| error.to_string())?);
                let health = connector.check().await.map_err(|error| error.to_string())?;
                let time = connector.longest_call() + Duration::from_secs(5);
                let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
                tokio::spawn(async move {
                    if let Ok(running) = Server::everything(connector).serve(theirs).await {
                        let _ = running.waiting().await;
                    }
                });
                let mut session = Self::over(ours, ClientLifecycleMode::Initialize, time, fault)
                    .await
                    .map_err(|(Opening::Refused(reason) | Opening::Failed(reason))| reason)?;
                session.warnings = health.warnings;
                session.may_write = health.may_write;
                Ok(session)
            }
            Reach::McpStdio { .. } | Reach::McpHttp { .. } => {
                match Self::third_party(setup, ClientLifecycleMode::Initialize).await {
                    // The revision of 2026-07-28 knows no `initialize`.
                    Err(Opening::Refused(reason)) => {
                        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
                        let discover = ClientLifecycleMode::Discover { preferred_versions };
                        match Self::third_party(setup, discover).await {
                            Err(Opening::Refused(_)) => Err(reason),
                            Err(Opening::Failed(reason)) => Err(reason),
                            Ok(session) => Ok(session),
                        }
                    }
                    Err(Opening::Failed(reason)) => Err(reason),
                    Ok(session) => Ok(session),
                }
            }
        }
    }

    /// Opens a third party's server, in one of the protocol's two ways to begin.
    async fn third_party(setup: &Setup, lifecycle: ClientLifecycleMode) -> Result<Self, Opening> {
        let fault = Fault::default();
        match &setup.config.reach {
            Reach::McpStdio { argv } => {
                let (mut process, pipes) = Process::start(argv, &setup.exposed())
                    .await
                    .map_err(Opening::Failed)?;
                let reader = Bounded::new(pipes.stdout, fault.clone());
                let pipes = (reader, pipes.stdin);
                match Self::over(pipes, lifecycle, CALL_TIME, fault.clone()).await {
                    Ok(mut session) => {
                        session.process = Some(Mutex::new(process));
                        Ok(session)
                    }
                    Err(Opening::Failed(reason)) => {
                        Err(Opening::Failed(explain(&reason, &fault, &mut process)))
                    }
                    Err(refused) => Err(refused),
                }
            }
            Reach::McpHttp { url } => {
                let transport = super::remote::transport(url, &setup.exposed(), CALL_TIME)
                    .map_err(Opening::Failed)?;
                Self::over(transport, lifecycle, CALL_TIME, fault).await
            }
            Reach::Manifest { .. } => Err(Opening::Failed("it is not a third party's".into())),
        }
    }

    async fn over<T, E, A>(
        transport: T,
        lifecycle: ClientLifecycleMode,
        call_time: Duration,
        fault: Fault,
    ) -> Result<Self, Opening>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let cancel = CancellationToken::new();
        let running: RunningService<RoleClient, Client> =
            rmcp::service::serve_client_with_lifecycle_and_ct(
                Client,
                transport,
                lifecycle,
                cancel.clone(),
            )
            .await
            .map_err(|error| match error {
                ClientInitializeError::JsonRpcError(error) => {
                    Opening::Refused(error.message.chars().take(300).collect())
                }
                other => Opening::Failed(other.to_string()),
            })?;
        let peer = running.peer().clone();
        let (sender, closed) = watch::channel(false);
        tokio::spawn(async move {
            let _ = running.waiting().await;
            let _ = sender.send(true);
        });
        Ok(Self {
            peer,
            permits: Semaphore::new(CONCURRENCY),
            call_time,
            closed,
            process: None,
            fault,
            warnings: Vec::new(),
            may_write: false,
            _cancel: cancel.drop_guard(),
        })
    }

    /// Waits until the connection is gone, and says why.
    pub(super) async fn closed(&self) -> String {
        let mut closed = self.closed.clone();
        let _ = closed.wait_for(|closed| *closed).await;
        self.last_words("the server closed the connection")
    }

    fn last_words(&self, reason: &str) -> String {
        match &self.process {
            Some(process) => match process.lock() {
                Ok(mut process) => explain(reason, &self.fault, &mut process),
                Err(_) => reason.to_owned(),
            },
            None => reason.to_owned(),
        }
    }

    /// Every tool that the server offers now. Never from a cache: a server could otherwise name a
    /// life for its list and change a definition behind it.
    pub(super) async fn tools(&self) -> Result<Vec<Tool>, String> {
        let listing = async {
            let mut tools = Vec::new();
            let mut cursor = None;
            loop {
                let request = ClientRequest::ListToolsRequest(ListToolsRequest {
                    method: Default::default(),
                    params: Some(PaginatedRequestParams::default().with_cursor(cursor.clone())),
                    extensions: Default::default(),
                });
                let page = match self.peer.send_request(request).await {
                    Ok(ServerResult::ListToolsResult(page)) => page,
                    Ok(_) => return Err("it answered the list of tools with something else".into()),
                    Err(error) => return Err(self.last_words(&error.to_string())),
                };
                tools.extend(page.tools);
                if tools.len() > MAX_TOOLS {
                    return Err(format!("it offers more than {MAX_TOOLS} tools"));
                }
                match page.next_cursor {
                    Some(next) if Some(&next) != cursor.as_ref() => cursor = Some(next),
                    _ => return Ok(tools),
                }
            }
        };
        match tokio::time::timeout(START_TIME, listing).await {
            Ok(result) => result,
            Err(_) => Err(format!(
                "it did not list its tools within {} seconds",
                START_TIME.as_secs()
            )),
        }
    }

    /// Calls a tool.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        idempotency_key: Option<&str>,
    ) -> Result<CallToolResult, CallFault> {
        let work = async {
            let _permit = self.permits.acquire().await;
            let mut params = CallToolRequestParams::new(tool.to_owned());
            params.arguments = Some(arguments);
            if let Some(key) = idempotency_key {
                let mut meta = MetaObject::default();
                meta.0.insert(IDEMPOTENCY_KEY.to_owned(), Value::from(key));
                params.meta = Some(RequestMetaObject(meta));
            }
            let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
            self.peer.send_request(request).await
        };
        match tokio::time::timeout(self.call_time, work).await {
            Err(_) => Err(CallFault::Timeout(self.call_time)),
            Ok(Ok(ServerResult::CallToolResult(result))) => Ok(result),
            Ok(Ok(_)) => Err(CallFault::Refused(
                "it wants to ask back or to answer later, which is not supported".into(),
            )),
            Ok(Err(ServiceError::McpError(error))) => Err(CallFault::Refused(
                error.message.chars().take(500).collect(),
            )),
            Ok(Err(error)) => Err(CallFault::Lost(self.last_words(&error.to_string()))),
        }
    }
}

/// The reason for an end, with what the process says about it.
fn explain(reason: &str, fault: &Fault, process: &mut Process) -> String {
    let mut text = match fault.lock().ok().and_then(|fault| fault.clone()) {
        Some(fault) => fault,
        None => reason.chars().take(300).collect(),
    };
    if let Some(status) = process.ended() {
        text.push_str(&format!("; it ended with {status}"));
    }
    if let Some(words) = process.last_words() {
        text.push_str(&format!("; it said: {words}"));
    }
    text
}
