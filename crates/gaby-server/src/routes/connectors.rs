//! Connectors: health, tools, and how far Gaby may go with each.

use axum::Json;
use axum::extract::State;
use gaby_agent::AgentError;
use gaby_connect::mcp::{self, ConnectError, ConnectorStatus, Override, ToolStatus};
use gaby_gate::consent;
use gaby_model::{Access, Autonomy, Timestamp};
use gaby_store::audit::AuditRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::{Caller, In};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Body, Id};
use crate::routes::consents::GrantView;
use crate::tenant::Tenant;

/// The connectors of a workspace.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectorList {
    /// The connectors, by name.
    pub(crate) items: Vec<ConnectorView>,
}

/// A connector.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectorView {
    /// Its name.
    pub(crate) name: String,
    /// What runs it: `sqlite`, `postgres`, `http`, `mcp_stdio` or `mcp_http`.
    pub(crate) kind: String,
    /// Its name for people.
    pub(crate) title: String,
    /// What it reaches.
    pub(crate) description: String,
    /// Whether it can be reached.
    pub(crate) state: ConnectorState,
    /// How far Gaby may go with it.
    pub(crate) autonomy: Autonomy,
    /// What failed last; none while it is up.
    #[schema(required)]
    pub(crate) last_error: Option<String>,
    /// What is not as it should be though it works.
    pub(crate) warnings: Vec<String>,
    /// Since when it is in this state.
    #[schema(required)]
    pub(crate) since: Option<Timestamp>,
    /// What can be done with it.
    pub(crate) tools: Vec<ToolView>,
    /// What it was granted.
    pub(crate) grant: GrantView,
}

/// Whether a connector can be reached.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectorState {
    /// Being started.
    Connecting,
    /// Answers.
    Up,
    /// Does not answer; it is tried again by itself.
    Down,
    /// Its tools changed; it waits until somebody looks at them.
    Suspended,
}

impl From<mcp::ConnectorState> for ConnectorState {
    fn from(state: mcp::ConnectorState) -> Self {
        match state {
            mcp::ConnectorState::Connecting => Self::Connecting,
            mcp::ConnectorState::Up => Self::Up,
            mcp::ConnectorState::Down => Self::Down,
            mcp::ConnectorState::Suspended => Self::Suspended,
        }
    }
}

/// A tool of a connector.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToolView {
    /// Its name within the connector.
    pub(crate) name: String,
    /// What it does.
    pub(crate) description: String,
    /// Whether it changes something.
    pub(crate) access: Access,
    /// The generic job it does, for playbooks.
    #[schema(required)]
    pub(crate) role: Option<String>,
    /// Risk of one call, 0 to 100.
    pub(crate) risk: u8,
    /// Whether its definition changed and waits for a look.
    pub(crate) suspended: bool,
    /// Why, when it does.
    #[schema(required)]
    pub(crate) suspended_because: Option<String>,
}

/// How far Gaby may go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAutonomy {
    /// `investigate`, `propose` or `act`.
    pub(crate) autonomy: Autonomy,
}

impl ConnectorView {
    async fn new(tenant: &Tenant, status: ConnectorStatus) -> ApiResult<Self> {
        let standing = consent::standing(&tenant.workspace, &status.name)
            .await
            .map_err(AgentError::from)?;
        Ok(Self {
            grant: GrantView::new(standing),
            name: status.name,
            kind: status.kind,
            title: status.title,
            description: status.description,
            state: status.state.into(),
            autonomy: status.autonomy,
            last_error: status.last_error,
            warnings: status.warnings,
            since: Some(status.since),
            tools: status.tools.into_iter().map(ToolView::new).collect(),
        })
    }

    pub(crate) async fn of(tenant: &Tenant, name: &str) -> ApiResult<Self> {
        let all = tenant.host.status().await;
        match all.into_iter().find(|status| status.name == name) {
            Some(status) => Self::new(tenant, status).await,
            None => Err(ApiError::not_found(format!(
                "there is no connector `{name}`"
            ))),
        }
    }
}

impl ToolView {
    fn new(status: ToolStatus) -> Self {
        Self {
            name: status.name,
            description: status.description,
            access: status.access,
            role: status.role,
            risk: status.risk,
            suspended: status.suspended.is_some(),
            suspended_because: status.suspended,
        }
    }
}

/// List connectors.
#[utoipa::path(get, path = "/api/connectors", tag = "connectors",
    responses((status = 200, body = ConnectorList)))]
pub(crate) async fn list_connectors(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<ConnectorList>> {
    let tenant = app.tenants.of(&workspace).await?;
    let mut items = Vec::new();
    for status in tenant.host.status().await {
        items.push(ConnectorView::new(&tenant, status).await?);
    }
    Ok(Json(ConnectorList { items }))
}

/// Say how far Gaby may go with a connector.
#[utoipa::path(post, path = "/api/connectors/{name}/autonomy", tag = "connectors",
    params(("name" = String, Path, description = "The connector")), request_body = NewAutonomy,
    responses((status = 200, body = ConnectorView), (status = 404, body = ErrorBody)))]
pub(crate) async fn set_autonomy(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Id(name): Id<String>,
    Body(form): Body<NewAutonomy>,
) -> ApiResult<Json<ConnectorView>> {
    let tenant = app.tenants.of(&workspace).await?;
    let decided = Override {
        autonomy: Some(form.autonomy),
        ..Override::default()
    };
    tenant.host.set_override(&name, decided).await?;
    let mut tx = workspace.begin().await?;
    tx.audit(AuditRecord {
        actor: caller.actor(),
        action: "connector.autonomy".to_owned(),
        object: name.clone(),
        decision: json!({ "autonomy": form.autonomy }),
        content: Value::Null,
        at: app.now(),
    });
    tx.commit().await?;
    ConnectorView::of(&tenant, &name).await.map(Json)
}

/// Try a connector now. One that does not answer is shown with what went wrong.
#[utoipa::path(post, path = "/api/connectors/{name}/test", tag = "connectors",
    params(("name" = String, Path, description = "The connector")),
    responses((status = 200, body = ConnectorView), (status = 404, body = ErrorBody)))]
pub(crate) async fn test_connector(
    State(app): State<App>,
    In(workspace): In,
    Id(name): Id<String>,
) -> ApiResult<Json<ConnectorView>> {
    let tenant = app.tenants.of(&workspace).await?;
    match tenant.host.test(&name).await {
        Ok(status) => ConnectorView::new(&tenant, status).await.map(Json),
        Err(ConnectError::Unreachable { reason, .. }) => {
            let mut view = ConnectorView::of(&tenant, &name).await?;
            view.state = ConnectorState::Down;
            view.last_error = Some(reason);
            Ok(Json(view))
        }
        Err(error) => Err(error.into()),
    }
}
