//! API tokens: keys for programs, limited in what they may do and for how long.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gaby_model::{Timestamp, TokenId};
use gaby_store::Workspace;
use gaby_store::accounts::TokenRecord;
use gaby_store::audit::AuditRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api_token::{DEFAULT_DAYS, Scope, TokenError, TokenOrder, scopes_of, sources_of};
use crate::app::App;
use crate::auth::caller::{In, Person};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Body, Id};

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// Its id.
    pub(crate) id: TokenId,
    /// What it is for.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) scopes: Vec<Scope>,
    /// The sources that it may speak for, of those that the operator settled something about.
    pub(crate) sources: Vec<String>,
    /// The workspace it is for.
    pub(crate) workspace: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it stops working.
    #[schema(required)]
    pub(crate) expires_at: Option<Timestamp>,
    /// When it was last used.
    #[schema(required)]
    pub(crate) last_used_at: Option<Timestamp>,
}

impl TokenView {
    fn new(record: TokenRecord, workspace: &Workspace) -> Self {
        Self {
            scopes: scopes_of(&record),
            sources: sources_of(&record),
            id: record.id,
            name: record.name,
            workspace: workspace.slug().to_owned(),
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.used_at,
        }
    }
}

/// The tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenList {
    /// The tokens, latest first.
    pub(crate) items: Vec<TokenView>,
}

/// A new token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) scopes: Vec<Scope>,
    /// The sources that it may speak for, of those that the operator settled something about, such as
    /// one whose word vouches for requesters. Any other source needs no grant.
    #[serde(default)]
    #[schema(required = false)]
    pub(crate) sources: Vec<String>,
    /// For how many days, 1 to 365; 90 by default.
    #[schema(minimum = 1, maximum = 365)]
    pub(crate) days: Option<u32>,
}

/// A token with its secret, shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedToken {
    /// The secret; send it as `Authorization: Bearer …`. It is not shown again.
    pub(crate) token: String,
    /// The rest of it.
    #[serde(flatten)]
    pub(crate) info: TokenView,
}

/// List the API tokens of the chosen workspace.
#[utoipa::path(get, path = "/api/tokens", tag = "people",
    responses((status = 200, body = TokenList)))]
pub(crate) async fn list_tokens(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<TokenList>> {
    let records = app
        .store
        .accounts()
        .tokens(&workspace)
        .await
        .map_err(|error| ApiError::store("listing the tokens", &error))?;
    let items = records
        .into_iter()
        .map(|record| TokenView::new(record, &workspace))
        .collect();
    Ok(Json(TokenList { items }))
}

/// Make an API token for the chosen workspace.
#[utoipa::path(post, path = "/api/tokens", tag = "people", request_body = NewToken,
    responses((status = 201, body = CreatedToken), (status = 400, body = ErrorBody)))]
pub(crate) async fn create_token(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Body(form): Body<NewToken>,
) -> ApiResult<(StatusCode, Json<CreatedToken>)> {
    let order = TokenOrder {
        name: form.name,
        scopes: form.scopes,
        sources: form.sources,
        days: form.days.unwrap_or(DEFAULT_DAYS),
    };
    let (token, record) =
        order
            .place(&workspace, app.now())
            .await
            .map_err(|error| match error {
                TokenError::Store(error) => ApiError::store("making the token", &error),
                wrong => ApiError::invalid(wrong.to_string()),
            })?;
    let decision = json!({ "scopes": record.scopes, "expires_at": record.expires_at });
    note(
        &app,
        &person,
        &workspace,
        "token.made",
        &record.id,
        decision,
    )
    .await?;
    let info = TokenView::new(record, &workspace);
    Ok((StatusCode::CREATED, Json(CreatedToken { token, info })))
}

/// Revoke an API token.
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = "people",
    params(("id" = TokenId, Path, description = "The token")),
    responses((status = 204, description = "It works no more"), (status = 404, body = ErrorBody)))]
pub(crate) async fn revoke_token(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Id(id): Id<TokenId>,
) -> ApiResult<StatusCode> {
    let removed = app
        .store
        .accounts()
        .remove_token(&workspace, &id)
        .await
        .map_err(|error| ApiError::store("revoking the token", &error))?;
    if !removed {
        return Err(ApiError::not_found(format!("there is no token {id}")));
    }
    note(&app, &person, &workspace, "token.revoked", &id, Value::Null).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes into the workspace's audit log who did what to which token.
async fn note(
    app: &App,
    person: &Person,
    workspace: &Workspace,
    action: &str,
    token: &TokenId,
    decision: Value,
) -> ApiResult<()> {
    let mut tx = workspace.begin().await?;
    tx.audit(AuditRecord {
        actor: person.actor(),
        action: action.to_owned(),
        object: token.to_string(),
        decision,
        content: Value::Null,
        at: app.now(),
    });
    Ok(tx.commit().await?)
}
