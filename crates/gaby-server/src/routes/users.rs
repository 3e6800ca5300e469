//! People with an account.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gaby_model::{Timestamp, UserId, WorkspaceId};
use gaby_store::accounts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::NewAccount;
use crate::app::App;
use crate::auth::account;
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::Body;

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Reads.
    Viewer,
    /// Also replies and decides actions.
    Agent,
    /// Also connectors, people, tokens and settings.
    Admin,
}

impl From<Role> for accounts::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Agent => Self::Agent,
            Role::Admin => Self::Admin,
        }
    }
}

impl From<accounts::Role> for Role {
    fn from(role: accounts::Role) -> Self {
        match role {
            accounts::Role::Viewer => Self::Viewer,
            accounts::Role::Agent => Self::Agent,
            accounts::Role::Admin => Self::Admin,
        }
    }
}

/// A person.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct UserView {
    /// Their id.
    pub(crate) id: UserId,
    /// The address they sign in with.
    pub(crate) email: String,
    /// What they are called.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// When the account was made.
    pub(crate) created_at: Timestamp,
}

impl From<&accounts::User> for UserView {
    fn from(user: &accounts::User) -> Self {
        Self {
            id: user.id.clone(),
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role.into(),
            created_at: user.created_at,
        }
    }
}

/// Everybody with an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserList {
    /// The people.
    pub(crate) items: Vec<UserView>,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// The address to sign in with.
    pub(crate) email: String,
    /// What to be called.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// At least 12 characters.
    #[schema(format = Password, min_length = 12)]
    pub(crate) password: String,
    /// The workspaces they see, by slug; all when left out.
    #[serde(default)]
    pub(crate) workspaces: Option<Vec<String>>,
}

/// List people.
#[utoipa::path(get, path = "/api/users", tag = "people",
    responses((status = 200, body = UserList), (status = 403, body = ErrorBody)))]
pub(crate) async fn list_users(State(app): State<App>) -> ApiResult<Json<UserList>> {
    let users = app
        .store
        .accounts()
        .users()
        .await
        .map_err(|error| ApiError::store("listing the accounts", &error))?;
    Ok(Json(UserList {
        items: users.iter().map(UserView::from).collect(),
    }))
}

/// Make an account.
#[utoipa::path(post, path = "/api/users", tag = "people", request_body = NewUser,
    responses((status = 201, body = UserView), (status = 400, body = ErrorBody),
        (status = 409, description = "The address is taken", body = ErrorBody)))]
pub(crate) async fn create_user(
    State(app): State<App>,
    Body(form): Body<NewUser>,
) -> ApiResult<(StatusCode, Json<UserView>)> {
    let workspaces = match form.workspaces {
        None => None,
        Some(slugs) => Some(ids_of(&app, slugs).await?),
    };
    let account = NewAccount {
        email: form.email,
        name: form.name,
        role: form.role.into(),
        workspaces,
        password: form.password,
    };
    let user = account::create(&app, account).await?;
    tracing::info!(user = %user.id, role = ?user.role, "account made");
    Ok((StatusCode::CREATED, Json(UserView::from(&user))))
}

async fn ids_of(app: &App, slugs: Vec<String>) -> ApiResult<Vec<WorkspaceId>> {
    let mut ids = Vec::with_capacity(slugs.len());
    for slug in slugs {
        let workspace = app
            .store
            .workspace(&slug)
            .await
            .map_err(|error| ApiError::invalid(format!("`workspaces`: {error}")))?;
        ids.push(workspace.id().clone());
    }
    Ok(ids)
}
