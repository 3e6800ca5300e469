//! The first start: one administrator, made through a link that works once. In a demo the link
//! signs the demo's administrator in.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use gaby_store::accounts::{Role, User};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::{self, NewAccount};
use crate::app::App;
use crate::auth::visitor;
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::Body;
use crate::routes::session::{SignedIn, start};

/// Whether an administrator is still to be made.
#[derive(Serialize, ToSchema)]
pub(crate) struct SetupState {
    /// True until the link is used.
    pub(crate) needed: bool,
    /// True in a demo: the link's token alone signs in, without address, name and password.
    pub(crate) demo: bool,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstAdmin {
    /// From the link that the terminal printed.
    pub(crate) token: String,
    /// The address to sign in with.
    #[serde(default)]
    pub(crate) email: Option<String>,
    /// What to be called.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// At least 12 characters.
    #[serde(default)]
    #[schema(format = Password, min_length = 12)]
    pub(crate) password: Option<String>,
}

/// Whether the first administrator is still to be made.
#[utoipa::path(get, path = "/api/setup", tag = "session",
    responses((status = 200, body = SetupState)))]
pub(crate) async fn setup_state(State(app): State<App>) -> Json<SetupState> {
    Json(SetupState {
        needed: app.link_is_open(),
        demo: app.is_demo(),
    })
}

/// Make the first administrator and sign in.
#[utoipa::path(post, path = "/api/setup", tag = "session",
    request_body = FirstAdmin,
    responses(
        (status = 200, description = "Made and signed in; the cookie is set", body = SignedIn),
        (status = 400, body = ErrorBody),
        (status = 401, description = "The link is wrong, used or too old", body = ErrorBody)))]
pub(crate) async fn set_up(
    State(app): State<App>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(form): Body<FirstAdmin>,
) -> ApiResult<Response> {
    let from = visitor::address(from, &headers, app.behind_proxy);
    let attempt = app.attempts.begin("the one-time link", from)?;
    let user = match app.demo_admin.clone() {
        Some(id) => {
            use_link(&app, &form.token).await?;
            app.store
                .accounts()
                .user_by_id(&id)
                .await
                .map_err(|error| ApiError::store("looking up the account", &error))?
                .ok_or_else(|| ApiError::conflict("the demo's account is gone: start it again"))?
        }
        None => first_admin(&app, form).await?,
    };
    app.link_open.store(false, Ordering::Release);
    app.attempts.succeeded(&attempt);
    start(&app, &headers, &user).await
}

async fn first_admin(app: &App, form: FirstAdmin) -> ApiResult<User> {
    let field = |value: Option<String>, name: &str| {
        value.ok_or_else(|| ApiError::invalid(format!("`{name}` is missing")))
    };
    let account = NewAccount {
        email: field(form.email, "email")?,
        name: field(form.name, "name")?,
        role: Role::Admin,
        workspaces: None,
        password: field(form.password, "password")?,
    };
    // What is wrong with the form is said before the link is used up.
    let checked = account.checked(&app.passwords, app.now()).await?;
    use_link(app, &form.token).await?;
    Ok(accounts::add(&app.store, checked).await?)
}

async fn use_link(app: &App, token: &str) -> ApiResult<()> {
    let used = app
        .store
        .accounts()
        .use_setup_link(token, app.now())
        .await
        .map_err(|error| ApiError::store("checking the link", &error))?;
    if used {
        return Ok(());
    }
    Err(ApiError::unauthenticated(
        "this link is wrong, used or too old: start `gaby serve` again for a new one",
    ))
}
