//! What each connector was granted, by whom, and taking it back.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use gaby_agent::AgentError;
use gaby_gate::scope::{Grant, Scope};
use gaby_gate::{Standing, consent};
use gaby_model::{ConsentId, Timestamp};
use gaby_store::Workspace;
use gaby_store::consents::{Consent, ConsentKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::{Caller, In};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Body, Id};
use crate::routes::connectors::ConnectorView;

/// The most entries of the consent log that are listed.
const MOST_LISTED: u32 = 500;
/// The longest reason of a revocation, in bytes.
const LONGEST_REASON: usize = 4_000;

/// What a connector may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScopeKind {
    /// Its reads and no write.
    ReadOnly,
    /// Its reads and writes.
    ReadWrite,
    /// Its reads; its writes are shown as they would be and change nothing.
    DryRun,
    /// The named tools and nothing else.
    Custom,
}

/// One tool that a custom scope names, and when.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolGrant {
    /// The tool's name within its connector.
    pub(crate) tool: String,
    /// What must hold of its arguments, by name, such as `{"namespace": {"one_of": ["staging"]}}`.
    #[serde(default)]
    #[schema(value_type = Value)]
    pub(crate) when: BTreeMap<String, Value>,
    /// Whether it is only rehearsed.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What a connector was granted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct GrantView {
    /// What it may be used for.
    pub(crate) scope: ScopeKind,
    /// The tools that a custom scope names; empty for the others.
    pub(crate) tools: Vec<ToolGrant>,
    /// The environment that it stands for, such as `production`; empty when not said.
    pub(crate) environment: String,
    /// Connectors that may be told what it says; `*` for any.
    pub(crate) may_tell: Vec<String>,
    /// Why it may no longer be used, if it was taken back.
    #[schema(required)]
    pub(crate) revoked: Option<String>,
}

/// What a connector is to be granted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGrant {
    /// What it may be used for.
    pub(crate) scope: ScopeKind,
    /// The tools that a custom scope names.
    #[serde(default)]
    pub(crate) tools: Vec<ToolGrant>,
    /// The environment that it stands for; as before when not said.
    #[serde(default)]
    pub(crate) environment: Option<String>,
    /// Connectors that may be told what it says; as before when not said.
    #[serde(default)]
    pub(crate) may_tell: Option<Vec<String>>,
}

/// Why a grant is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    /// Why, for the log; may be empty.
    #[serde(default)]
    pub(crate) reason: String,
}

/// What happened to a grant.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsentChange {
    /// The connector was connected.
    Connected,
    /// Its grant was changed.
    Changed,
    /// Its grant was taken back.
    Revoked,
}

/// An entry of the consent log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsentView {
    /// Its id.
    pub(crate) id: ConsentId,
    /// The connector.
    pub(crate) connector: String,
    /// What happened.
    pub(crate) kind: ConsentChange,
    /// Who did it: an address, a token, or the command line.
    pub(crate) by: String,
    /// The grant before; none when there was none.
    #[schema(required)]
    pub(crate) before: Option<GrantView>,
    /// The grant after.
    pub(crate) after: GrantView,
    /// When.
    pub(crate) at: Timestamp,
}

/// The consent log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsentList {
    /// Its entries.
    pub(crate) items: Vec<ConsentView>,
}

impl GrantView {
    pub(crate) fn new(standing: Standing) -> Self {
        let (scope, tools) = match standing.scope {
            Scope::ReadOnly => (ScopeKind::ReadOnly, Vec::new()),
            Scope::ReadWrite => (ScopeKind::ReadWrite, Vec::new()),
            Scope::DryRun => (ScopeKind::DryRun, Vec::new()),
            Scope::Custom(grants) => (
                ScopeKind::Custom,
                grants.into_iter().map(ToolGrant::new).collect(),
            ),
        };
        Self {
            scope,
            tools,
            environment: standing.environment,
            may_tell: standing.may_tell,
            revoked: standing.revoked,
        }
    }
}

impl ToolGrant {
    fn new(grant: Grant) -> Self {
        Self {
            tool: grant.tool,
            when: grant
                .when
                .into_iter()
                .filter_map(|(name, condition)| Some((name, serde_json::to_value(condition).ok()?)))
                .collect(),
            dry_run: grant.dry_run,
        }
    }
}

impl NewGrant {
    fn scope(&self) -> ApiResult<Scope> {
        if self.scope != ScopeKind::Custom && !self.tools.is_empty() {
            return Err(ApiError::invalid(
                "`tools` is for the scope `custom`; the others hold for all tools",
            ));
        }
        Ok(match self.scope {
            ScopeKind::ReadOnly => Scope::ReadOnly,
            ScopeKind::ReadWrite => Scope::ReadWrite,
            ScopeKind::DryRun => Scope::DryRun,
            ScopeKind::Custom => {
                let grants = serde_json::to_value(&self.tools)
                    .and_then(serde_json::from_value)
                    .map_err(|error| {
                        ApiError::invalid(format!("`tools` cannot be read: {error}"))
                    })?;
                Scope::Custom(grants)
            }
        })
    }
}

async fn by_whom(app: &App, consent: &Consent) -> ApiResult<String> {
    let Some(id) = &consent.by else {
        return Ok("command line".to_owned());
    };
    let user = app.store.accounts().user_by_id(id).await?;
    Ok(user.map_or_else(|| id.to_string(), |user| user.email))
}

async fn shown(app: &App, consents: Vec<Consent>) -> ApiResult<Json<ConsentList>> {
    let mut items = Vec::with_capacity(consents.len());
    for consent in consents {
        let read = |grant: &Value| {
            consent::standing_of(&consent.connector, grant)
                .map(|standing| standing.map(GrantView::new))
                .map_err(|error| ApiError::from(AgentError::from(error)))
        };
        let none = GrantView::new(Standing::default());
        items.push(ConsentView {
            by: by_whom(app, &consent).await?,
            before: read(&consent.before)?,
            after: read(&consent.after)?.unwrap_or(none),
            kind: match consent.kind {
                ConsentKind::Connected => ConsentChange::Connected,
                ConsentKind::Changed => ConsentChange::Changed,
                ConsentKind::Revoked => ConsentChange::Revoked,
            },
            id: consent.id,
            connector: consent.connector,
            at: consent.at,
        });
    }
    Ok(Json(ConsentList { items }))
}

/// Who gave or took back something here; none for a token, which acts for nobody in person.
fn person(caller: &Caller) -> Option<gaby_model::UserId> {
    match caller {
        Caller::Person(person) => Some(person.user.id.clone()),
        Caller::Program(_) => None,
    }
}

/// Whether a connector of this name is or was here: what was removed keeps its log.
pub(crate) async fn ever_known(workspace: &Workspace, name: &str) -> ApiResult<()> {
    match workspace.grant(name).await? {
        Some(_) => Ok(()),
        None => known(workspace, name).await,
    }
}

async fn known(workspace: &Workspace, name: &str) -> ApiResult<()> {
    match workspace.connectors().get(name).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::not_found(format!(
            "there is no connector `{name}`"
        ))),
    }
}

/// Say what a connector may be used for. One that was taken back may be used again.
#[utoipa::path(post, path = "/api/connectors/{name}/scope", tag = "connectors",
    params(("name" = String, Path, description = "The connector")), request_body = NewGrant,
    responses((status = 200, body = ConnectorView), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn set_scope(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Id(name): Id<String>,
    Body(form): Body<NewGrant>,
) -> ApiResult<Json<ConnectorView>> {
    known(&workspace, &name).await?;
    let tenant = app.tenants.of(&workspace).await?;
    let scope = form.scope()?;
    let status = ConnectorView::of(&tenant, &name).await?;
    let offered: Vec<&str> = status.tools.iter().map(|tool| tool.name.as_str()).collect();
    if let Some(unknown) = scope.unknown(&offered).first() {
        return Err(ApiError::invalid(format!(
            "`{name}` offers no tool `{unknown}`"
        )));
    }
    let before = consent::standing(&workspace, &name)
        .await
        .map_err(AgentError::from)?;
    let standing = Standing {
        scope,
        environment: form.environment.unwrap_or(before.environment),
        may_tell: form.may_tell.unwrap_or(before.may_tell),
        revoked: None,
    };
    consent::grant(
        &workspace,
        &name,
        &standing,
        person(&caller).as_ref(),
        app.now(),
    )
    .await
    .map_err(AgentError::from)?;
    ConnectorView::of(&tenant, &name).await.map(Json)
}

/// Take back what a connector was granted. From then on no call of it is let through, also not for an
/// investigation that runs.
#[utoipa::path(post, path = "/api/connectors/{name}/revoke", tag = "connectors",
    params(("name" = String, Path, description = "The connector")), request_body = Revocation,
    responses((status = 200, body = ConnectorView), (status = 404, body = ErrorBody)))]
pub(crate) async fn revoke_connector(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Id(name): Id<String>,
    Body(form): Body<Revocation>,
) -> ApiResult<Json<ConnectorView>> {
    known(&workspace, &name).await?;
    if form.reason.len() > LONGEST_REASON {
        return Err(ApiError::invalid(format!(
            "`reason` has {} bytes, more than the {LONGEST_REASON} that are kept",
            form.reason.len()
        )));
    }
    let why = match form.reason.trim() {
        "" => "no reason given",
        reason => reason,
    };
    consent::revoke(&workspace, &name, why, person(&caller).as_ref(), app.now())
        .await
        .map_err(AgentError::from)?;
    let tenant = app.tenants.of(&workspace).await?;
    ConnectorView::of(&tenant, &name).await.map(Json)
}

/// Read the consent log of the workspace.
#[utoipa::path(get, path = "/api/consents", tag = "connectors", responses((status = 200, body = ConsentList)))]
pub(crate) async fn list_consents(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<ConsentList>> {
    let consents = workspace.consents(MOST_LISTED).await?;
    shown(&app, consents).await
}

/// Read the consent log of one connector.
#[utoipa::path(get, path = "/api/connectors/{name}/consents", tag = "connectors",
    params(("name" = String, Path, description = "The connector")),
    responses((status = 200, body = ConsentList), (status = 404, body = ErrorBody)))]
pub(crate) async fn list_consents_of(
    State(app): State<App>,
    In(workspace): In,
    Id(name): Id<String>,
) -> ApiResult<Json<ConsentList>> {
    ever_known(&workspace, &name).await?;
    let mut consents = workspace.consents(MOST_LISTED).await?;
    consents.retain(|consent| consent.connector == name);
    shown(&app, consents).await
}
