//! Who is calling, and the check that every route passes through.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use gaby_model::Timestamp;
use gaby_store::accounts::{Role, SessionRecord, TokenRecord, User};
use gaby_store::audit::Actor;
use gaby_store::{StoreError, Workspace};

use super::forgery;
use super::secret::is_api_token;
use crate::app::App;
use crate::error::ApiError;
use crate::permission::Permission;

/// The header that names the workspace of a request.
const WORKSPACE_HEADER: &str = "x-gaby-workspace";
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// A session that nobody used for so long is over.
const IDLE: i64 = 8 * HOUR;

/// How long a session lasts at most.
pub(crate) fn longest_session(role: Role) -> i64 {
    match role {
        Role::Admin => 12 * HOUR,
        Role::Agent | Role::Viewer => 7 * 24 * HOUR,
    }
}

/// Who is calling.
#[derive(Clone)]
pub(crate) enum Caller {
    /// Somebody who is signed in.
    Person(Box<Person>),
    /// A program with an API token.
    Program(Box<Program>),
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) session: SessionRecord,
    pub(crate) session_token: String,
}

impl Person {
    /// Who it is, for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor::new("user", self.user.id.as_str())
    }
}

/// A program with an API token.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) token: TokenRecord,
    pub(crate) secret: String,
    pub(crate) workspace: Workspace,
}

impl Caller {
    /// Who it is, for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Self::Person(person) => person.actor(),
            Self::Program(program) => Actor::new("token", program.token.id.as_str()),
        }
    }

    /// Whether the caller still is who it was; sessions end and tokens are revoked while a
    /// connection is open.
    pub(crate) async fn still_holds(&self, app: &App) -> bool {
        match self {
            Self::Person(person) => {
                matches!(session(app, &person.session_token).await, Ok(Some(_)))
            }
            Self::Program(program) => {
                let found = app.store.accounts().token(&program.secret, app.now()).await;
                matches!(found, Ok(Some(_)))
            }
        }
    }

    fn sees(&self, workspace: &Workspace) -> bool {
        match self {
            Self::Person(person) => sees(&person.user, workspace.id()),
            Self::Program(program) => program.workspace.id() == workspace.id(),
        }
    }
}

/// Whether a user sees a workspace.
pub(crate) fn sees(user: &User, workspace: &gaby_model::WorkspaceId) -> bool {
    user.workspaces
        .as_ref()
        .is_none_or(|allowed| allowed.contains(workspace))
}

/// Whether a user decides on actions in a workspace.
pub(crate) fn decides(user: &User, workspace: &gaby_model::WorkspaceId) -> bool {
    user.role >= Role::Agent && sees(user, workspace)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::unauthenticated("sign in first"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, state).await? {
            Caller::Person(person) => Ok(*person),
            Caller::Program(_) => Err(ApiError::forbidden("this is for people who are signed in")),
        }
    }
}

/// The workspace that a request is about; only ever one that its caller may see.
pub(crate) struct In(pub(crate) Workspace);

impl FromRequestParts<App> for In {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let wanted = wanted_workspace(parts)?;
        let workspace = match (wanted, &caller) {
            (Some(wanted), caller) => {
                // One that may not be seen is answered as one that is not there.
                let missing =
                    || ApiError::not_found(format!("there is no workspace `{wanted}` for you"));
                let found = match app.store.workspace(&wanted).await {
                    Ok(workspace) => workspace,
                    Err(StoreError::NoWorkspace { .. }) => return Err(missing()),
                    Err(error) => return Err(ApiError::store("opening the workspace", &error)),
                };
                if !caller.sees(&found) {
                    return Err(missing());
                }
                found
            }
            (None, Caller::Program(program)) => program.workspace.clone(),
            (None, Caller::Person(person)) => first_workspace(app, &person.user).await?,
        };
        Ok(Self(workspace))
    }
}

async fn first_workspace(app: &App, user: &User) -> Result<Workspace, ApiError> {
    let failed = |error: StoreError| ApiError::store("opening the workspace", &error);
    let all = app.store.workspaces().await.map_err(failed)?;
    let first = all
        .iter()
        .find(|info| sees(user, &info.id))
        .ok_or_else(|| ApiError::not_found("there is no workspace that you may see"))?;
    app.store.workspace(first.id.as_str()).await.map_err(failed)
}

fn wanted_workspace(parts: &Parts) -> Result<Option<String>, ApiError> {
    if let Some(header) = parts.headers.get(WORKSPACE_HEADER) {
        let text = header
            .to_str()
            .map_err(|_| ApiError::invalid("the header X-Gaby-Workspace is not plain text"))?;
        return Ok(Some(text.to_owned()));
    }
    let query = parts.uri.query().unwrap_or("");
    Ok(url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| name == "workspace" && !value.is_empty())
        .map(|(_, value)| value.into_owned()))
}

/// Lets a request through to its handler when its caller may make it.
pub(crate) async fn enforce(
    State((app, permission)): State<(App, Permission)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes {
        forgery::refuse_other_sites(request.headers())?;
    }
    if permission == Permission::Anyone {
        return Ok(next.run(request).await);
    }
    let caller = identify(&app, request.headers()).await?;
    if let (true, Caller::Person(person)) = (changes, &caller) {
        forgery::require_token(request.headers(), &person.session_token)?;
    }
    permission.check(&caller)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

async fn identify(app: &App, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let failed = |error: StoreError| ApiError::store("checking who is calling", &error);
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let secret = authorization
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("Bearer "))
            .map(str::trim)
            .filter(|secret| is_api_token(secret))
            .ok_or_else(|| {
                ApiError::unauthenticated("the header Authorization does not hold `Bearer gaby_…`")
            })?;
        let (token, workspace) = app
            .store
            .accounts()
            .token(secret, app.now())
            .await
            .map_err(failed)?
            .ok_or_else(|| {
                ApiError::unauthenticated("this API token is unknown, revoked or expired")
            })?;
        return Ok(Caller::Program(Box::new(Program {
            token,
            secret: secret.to_owned(),
            workspace,
        })));
    }
    let secret = app
        .transport
        .session_token(headers)
        .ok_or_else(|| ApiError::unauthenticated("sign in first"))?;
    session(app, &secret)
        .await
        .map_err(failed)?
        .map(|person| Caller::Person(Box::new(person)))
        .ok_or_else(|| ApiError::unauthenticated("the session is over: sign in again"))
}

/// Who a session token belongs to, while the session lasts.
async fn session(app: &App, secret: &str) -> Result<Option<Person>, StoreError> {
    let accounts = app.store.accounts();
    let now = app.now();
    let Some(session) = accounts.session(secret).await? else {
        return Ok(None);
    };
    if is_over(&session, now) {
        if let Err(error) = accounts.remove_session(&session.id).await {
            tracing::warn!(%error, "a session that is over could not be removed");
        }
        return Ok(None);
    }
    let Some(user) = accounts.user_by_id(&session.user).await? else {
        return Ok(None);
    };
    if now.millis_since(session.seen_at) > MINUTE {
        // A database that takes no writes now can still be read.
        if let Err(error) = accounts.touch_session(&session.id, now, None).await {
            tracing::warn!(%error, "the use of a session could not be noted");
        }
    }
    Ok(Some(Person {
        user,
        session,
        session_token: secret.to_owned(),
    }))
}

fn is_over(session: &SessionRecord, now: Timestamp) -> bool {
    now >= session.expires_at || now.millis_since(session.seen_at) > IDLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaby_model::{SessionId, UserId};

    #[test]
    fn a_session_ends_when_idle_and_in_any_case_after_its_longest_time() {
        let start = Timestamp::from_millis(1_000_000_000_000);
        let session = |seen: i64| SessionRecord {
            id: SessionId::generate(),
            user: UserId::generate(),
            csrf_hash: Vec::new(),
            created_at: start,
            seen_at: start.plus_millis(seen),
            expires_at: start.plus_millis(longest_session(Role::Agent)),
        };
        assert!(!is_over(&session(0), start.plus_millis(IDLE)));
        assert!(is_over(&session(0), start.plus_millis(IDLE + 1)));
        let week = longest_session(Role::Viewer);
        assert!(!is_over(&session(week - HOUR), start.plus_millis(week - 1)));
        assert!(is_over(&session(week - HOUR), start.plus_millis(week)));
        assert!(longest_session(Role::Admin) < week);
    }
}
