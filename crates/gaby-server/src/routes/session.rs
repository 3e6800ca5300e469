//! Signing in and out, and who is signed in.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gaby_store::accounts::User;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::{In, Person, sees};
use crate::auth::{account, secret, visitor};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::Body;
use crate::operator::is_operator;
use crate::routes::users::UserView;

/// What a person signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The account's address.
    pub(crate) email: String,
    /// Its password.
    #[schema(format = Password)]
    pub(crate) password: String,
}

/// A fresh session. Its token is in the cookie only.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// Who is signed in.
    pub(crate) user: UserView,
    /// To be sent as `X-Gaby-CSRF` with every call that changes something.
    pub(crate) csrf: String,
}

/// Who is signed in, and what they see.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// Who is signed in.
    pub(crate) user: UserView,
    /// To be sent as `X-Gaby-CSRF` with every call that changes something.
    pub(crate) csrf: String,
    /// The workspace this request was answered for.
    pub(crate) workspace: String,
    /// The workspaces this person may choose from.
    pub(crate) workspaces: Vec<WorkspaceName>,
    /// Who the console is arranged for.
    pub(crate) persona: Persona,
    /// Whether this server shows the demo.
    pub(crate) demo: bool,
}

/// A workspace in a list to choose from.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkspaceName {
    /// The word in addresses and on the command line.
    pub(crate) slug: String,
    /// The name for people.
    pub(crate) name: String,
}

/// Who the console is arranged for.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Persona {
    /// Runs a small company alone.
    #[default]
    Founder,
    /// Leads a support team.
    SupportLead,
    /// Is called when it burns.
    Sre,
    /// Serves several companies.
    Msp,
}

/// Sign in with an address and a password.
#[utoipa::path(post, path = "/api/session", tag = "session",
    request_body = SignIn,
    responses(
        (status = 200, description = "Signed in; the cookie is set", body = SignedIn),
        (status = 401, description = "Wrong address or password", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody)))]
pub(crate) async fn sign_in(
    State(app): State<App>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(form): Body<SignIn>,
) -> ApiResult<Response> {
    let from = visitor::address(from, &headers, app.behind_proxy);
    let attempt = app.attempts.begin(&form.email, from)?;
    let user = app
        .store
        .accounts()
        .user_by_email(&form.email)
        .await
        .map_err(|error| ApiError::store("looking up the account", &error))?;
    // The operator's account has no password: it costs as much as one that is not there.
    let user = user.filter(|user| !is_operator(user));
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let right = app
        .passwords
        .matches(form.password, stored)
        .await
        .map_err(|error| ApiError::internal("checking the password", &error))?;
    match user {
        Some(user) if right => {
            app.attempts.succeeded(&attempt);
            start(&app, &headers, &user).await
        }
        _ => Err(ApiError::unauthenticated(
            "the address or the password is wrong",
        )),
    }
}

/// Begins a session and answers with its cookie. A session that the browser had until now ends.
pub(crate) async fn start(app: &App, headers: &HeaderMap, user: &User) -> ApiResult<Response> {
    if let Some(old) = app.transport.session_token(headers) {
        account::end_session(app, &old).await?;
    }
    let token = account::begin_session(app, user).await?;
    let body = Json(SignedIn {
        user: UserView::from(user),
        csrf: secret::csrf_of(&token),
    });
    let mut response = body.into_response();
    if let Some(cookie) = app.transport.set(&token) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/session", tag = "session",
    responses((status = 200, body = SessionView), (status = 401, body = ErrorBody)))]
pub(crate) async fn current_session(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
) -> ApiResult<Json<SessionView>> {
    let workspaces = app
        .store
        .workspaces()
        .await
        .map_err(|error| ApiError::store("listing the workspaces", &error))?;
    let persona = workspace
        .setting("persona")
        .await
        .map_err(|error| ApiError::store("reading the settings", &error))?;
    Ok(Json(SessionView {
        csrf: secret::csrf_of(&person.session_token),
        workspace: workspace.slug().to_owned(),
        workspaces: workspaces
            .into_iter()
            .filter(|info| sees(&person.user, &info.id))
            .map(|info| WorkspaceName {
                slug: info.slug,
                name: info.name,
            })
            .collect(),
        persona: persona.unwrap_or_default(),
        demo: app.is_demo(),
        user: UserView::from(&person.user),
    }))
}

/// Sign out.
#[utoipa::path(delete, path = "/api/session", tag = "session",
    responses((status = 204, description = "Signed out"), (status = 401, body = ErrorBody)))]
pub(crate) async fn sign_out(State(app): State<App>, person: Person) -> ApiResult<Response> {
    account::end_session(&app, &person.session_token).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = app.transport.clear() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
