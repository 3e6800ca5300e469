//! Making accounts and sessions.

use gaby_model::SessionId;
use gaby_store::StoreError;
use gaby_store::accounts::{SessionRecord, User};

use super::caller::longest_session;
use super::secret;
use crate::accounts::{self, NewAccount};
use crate::app::App;
use crate::error::ApiError;

/// Makes an account.
///
/// # Errors
/// When a field is not good, or the address is taken.
pub(crate) async fn create(app: &App, account: NewAccount) -> Result<User, ApiError> {
    let checked = account.checked(&app.passwords, app.now()).await?;
    Ok(accounts::add(&app.store, checked).await?)
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
