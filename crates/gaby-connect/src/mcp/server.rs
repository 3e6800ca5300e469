//! A manifest's connector as an MCP server: for Gaby's own host, and for others over stdio.

use std::sync::Arc;

use gaby_model::Access;
use gaby_store::Workspace;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, Implementation,
    ListToolsResult, PaginatedRequestParams, ResultType, ServerCapabilities, ServerConfig, Tool,
    ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ServerHandler, ServiceExt as _};
use serde_json::Value;

use super::error::ConnectError;
use super::record::{Reach, Setup};
use super::result;
use crate::connector::{Connector, ToolFailure, complete};
use crate::drivers::DriverError;
use crate::manifest::Registry;

/// `_meta` key of a request: the key under which the vendor must see a write at most once.
pub(super) const IDEMPOTENCY_KEY: &str = "gaby/idempotencyKey";

/// A connector that speaks MCP.
pub(super) struct Server {
    connector: Arc<Connector>,
    only: Option<Access>,
}

impl Server {
    /// Offers every tool: for Gaby's own host, which holds the gate's keys.
    pub(super) fn everything(connector: Arc<Connector>) -> Self {
        Self {
            connector,
            only: None,
        }
    }

    /// Offers reads: for other hosts, which have no gate.
    pub(super) fn reads(connector: Arc<Connector>) -> Self {
        Self {
            connector,
            only: Some(Access::Read),
        }
    }

    fn tools(&self) -> Vec<Tool> {
        self.connector
            .definitions()
            .filter(|(tool, _)| self.only.is_none_or(|only| tool.access == only))
            .map(|(tool, definition)| {
                let schema = match &definition.input_schema {
                    Value::Object(fields) => fields.clone(),
                    _ => serde_json::Map::new(),
                };
                let read = tool.access == Access::Read;
                let annotations = ToolAnnotations::from_raw(
                    None,
                    Some(read),
                    (!read).then_some(true),
                    Some(read || tool.idempotent),
                    Some(false),
                );
                let mut offered =
                    Tool::new(tool.name.clone(), definition.description.clone(), schema)
                        .with_annotations(annotations);
                offered.title = tool.title.clone();
                offered
            })
            .collect()
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        config.server_info = Implementation::new(
            format!("gaby-{}", self.connector.name()),
            env!("CARGO_PKG_VERSION"),
        );
        config.instructions = Some(self.connector.manifest().description.trim().to_owned());
        config
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let key = [request.meta.as_ref(), Some(&context.meta)]
            .into_iter()
            .flatten()
            .find_map(|meta| meta.get(IDEMPOTENCY_KEY))
            .and_then(Value::as_str)
            .map(str::to_owned);
        let answer = self
            .connector
            .call(
                &request.name,
                request.arguments.unwrap_or_default(),
                key.as_deref(),
                self.only,
            )
            .await;
        let value = match answer {
            Ok(answer) => result::success(&answer.value, answer.truncated),
            Err(ToolFailure::Unknown(name)) => {
                return Err(ErrorData::invalid_params(
                    format!("there is no tool `{name}`"),
                    None,
                ));
            }
            Err(failure) => result::failure(kind(&failure), &failure.to_string()),
        };
        let mut answer = serde_json::from_value::<CallToolResult>(value)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        // Peers of 2026-07-28 insist on it; for older ones it is left out again when it is sent.
        answer.result_type = Some(ResultType::COMPLETE);
        Ok(CallToolResponse::Complete(answer))
    }
}

fn kind(failure: &ToolFailure) -> &'static str {
    match failure {
        ToolFailure::Unknown(_) | ToolFailure::Arguments(_) => "refused",
        ToolFailure::Driver(DriverError::Refused(_) | DriverError::Settings(_)) => "refused",
        ToolFailure::Driver(DriverError::Unavailable(_)) => "unavailable",
        ToolFailure::Driver(DriverError::Timeout(_)) => "timeout",
        ToolFailure::Driver(DriverError::Lost(_)) => "lost",
        ToolFailure::Driver(DriverError::System(_)) | ToolFailure::Output(_) => "system",
    }
}

/// Serves one connected manifest to another MCP host over this process's stdin and stdout, until
/// they close. Only reads: a write needs Gaby's gate, which the other host does not have.
///
/// # Errors
/// When there is no such connector, it is a third party's, or it cannot be opened.
pub async fn serve_stdio(
    workspace: &Workspace,
    registry: &Registry,
    name: &str,
) -> Result<(), ConnectError> {
    serve_manifest(
        workspace,
        registry,
        name,
        (tokio::io::stdin(), tokio::io::stdout()),
    )
    .await
}

/// As [`serve_stdio`], over any pair of pipes.
///
/// # Errors
/// As [`serve_stdio`].
pub async fn serve_manifest<R, W>(
    workspace: &Workspace,
    registry: &Registry,
    name: &str,
    pipes: (R, W),
) -> Result<(), ConnectError>
where
    R: tokio::io::AsyncRead + Send + Unpin + 'static,
    W: tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let record = workspace
        .connectors()
        .get(name)
        .await?
        .ok_or_else(|| ConnectError::NotConnected(name.to_owned()))?;
    let setup =
        Setup::from_record(record).map_err(|error| ConnectError::Settings(error.to_string()))?;
    let connector = open(&setup, registry)?;
    let unreachable = |reason: String| ConnectError::Unreachable {
        name: name.to_owned(),
        reason,
    };
    let running = Server::reads(Arc::new(connector))
        .serve(pipes)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    running
        .waiting()
        .await
        .map(|_| ())
        .map_err(|error| unreachable(error.to_string()))
}

/// Opens the manifest that a setup names.
pub(super) fn open(setup: &Setup, registry: &Registry) -> Result<Connector, ConnectError> {
    let Reach::Manifest { manifest, settings } = &setup.config.reach else {
        return Err(ConnectError::Settings(format!(
            "`{}` is a third party's server: offer it to the other host directly",
            setup.name
        )));
    };
    let manifest = registry
        .get(manifest)
        .ok_or_else(|| ConnectError::UnknownManifest {
            name: manifest.clone(),
            known: registry.names(),
        })?;
    let given = complete(&manifest, settings, &setup.exposed()).map_err(ConnectError::Settings)?;
    Connector::open(&setup.name, &manifest, &given)
        .map_err(|error| ConnectError::Settings(error.to_string()))
}
