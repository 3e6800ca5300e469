//! Making accounts and sessions.

use gaby_model::{SessionId, UserId, WorkspaceId};
use gaby_store::StoreError;
use gaby_store::accounts::{Role, SessionRecord, User};

use super::caller::longest_session;
use super::password::PasswordError;
use super::secret;
use crate::app::App;
use crate::error::ApiError;

/// What a new account needs.
pub(crate) struct NewAccount {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) workspaces: Option<Vec<WorkspaceId>>,
    pub(crate) password: String,
}

/// Makes an account.
///
/// # Errors
/// When a field is not good, or the address is taken.
pub(crate) async fn create(app: &App, account: NewAccount) -> Result<User, ApiError> {
    store(app, check(app, account).await?).await
}

/// Checks an account's fields and hashes its password, before anything is stored.
///
/// # Errors
/// When a field is not good.
pub(crate) async fn check(app: &App, account: NewAccount) -> Result<User, ApiError> {
    let email = account.email.trim().to_owned();
    let name = account.name.trim().to_owned();
    let shaped = email
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    if !shaped || email.len() > 320 || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ApiError::invalid("`email` is not an e-mail address"));
    }
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(
            "`name` must have 1 to 200 characters and no control characters",
        ));
    }
    let password_hash = app
        .passwords
        .hash(account.password)
        .await
        .map_err(refused_password)?;
    Ok(User {
        id: UserId::generate(),
        email,
        name,
        role: account.role,
        workspaces: account.workspaces,
        password_hash,
        created_at: app.now(),
    })
}

/// Stores an account that was checked.
///
/// # Errors
/// When the address is taken.
pub(crate) async fn store(app: &App, user: User) -> Result<User, ApiError> {
    match app.store.accounts().add_user(&user).await {
        Ok(()) => Ok(user),
        Err(StoreError::Exists(what)) => {
            Err(ApiError::conflict(format!("there is {what} already")))
        }
        Err(error) => Err(ApiError::store("making the account", &error)),
    }
}

fn refused_password(error: PasswordError) -> ApiError {
    match error {
        PasswordError::Hash(_) => ApiError::internal("hashing the password", &error),
        PasswordError::TooShort | PasswordError::TooLong => ApiError::invalid(error.to_string()),
    }
}

/// Begins a session for a user and gives its token, which nobody else ever sees.
///
/// # Errors
/// When it cannot be stored.
pub(crate) async fn begin_session(app: &App, user: &User) -> Result<String, ApiError> {
    let token = secret::random_text();
    let now = app.now();
    let session = SessionRecord {
        id: SessionId::generate(),
        user: user.id.clone(),
        csrf_hash: secret::fingerprint(&secret::csrf_of(&token)).to_vec(),
        created_at: now,
        seen_at: now,
        expires_at: now.plus_millis(longest_session(user.role)),
    };
    app.store
        .accounts()
        .add_session(&session, &token)
        .await
        .map_err(|error| ApiError::store("beginning the session", &error))?;
    Ok(token)
}

/// Ends the session of a token, if it is one, and every live view of it.
///
/// # Errors
/// When it cannot be removed.
pub(crate) async fn end_session(app: &App, token: &str) -> Result<(), ApiError> {
    let failed = |error: StoreError| ApiError::store("ending the session", &error);
    let accounts = app.store.accounts();
    if let Some(session) = accounts.session(token).await.map_err(failed)? {
        accounts.remove_session(&session.id).await.map_err(failed)?;
        // Nobody may be watching.
        let _ = app.ended_sessions.send(session.id);
    }
    Ok(())
}
