//! Links that lead a person to an action by mail.
//!
//! A link is signed with the workspace's key, holds for one person and one action, is used once and
//! ends with the action. It authorises nothing by itself: whoever follows it must be signed in as
//! that person, and opening it only shows the action. Mail scanners follow links too.

use gaby_model::{Action, ActionId, Timestamp, UserId};
use gaby_store::Workspace;
use rand::TryRngCore as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::GateError;

const PURPOSE: &str = "approval-link";

/// Makes the token of a link for one person to one action. Only its hash is stored.
///
/// # Errors
/// When it cannot be stored.
pub async fn make(
    workspace: &Workspace,
    action: &Action,
    user: &UserId,
) -> Result<String, GateError> {
    let mut random = [0_u8; 16];
    rand::rngs::OsRng
        .try_fill_bytes(&mut random)
        .map_err(|error| gaby_store::StoreError::Corrupt(format!("no randomness: {error}")))?;
    let body = format!("{}.{}.{}", action.id, user, hex::encode(random));
    let signature = hex::encode(workspace.keyed_hash(PURPOSE, body.as_bytes()));
    let token = format!("{body}.{signature}");
    let mut tx = workspace.begin().await?;
    tx.add_approval_link(&hashed(&token), &action.id, user, action.expires_at)
        .await?;
    tx.commit().await?;
    Ok(token)
}

/// Uses a link up. `signed_in` is the person of the session that follows it. Gives the action that
/// is then shown; the decision itself is made there, as ever.
///
/// # Errors
/// When the link is not ours, was used, has ended, or was made for somebody else.
pub async fn follow(
    workspace: &Workspace,
    token: &str,
    signed_in: &UserId,
    now: Timestamp,
) -> Result<ActionId, GateError> {
    let (body, signature) = token.rsplit_once('.').ok_or(GateError::Link)?;
    let ours = hex::encode(workspace.keyed_hash(PURPOSE, body.as_bytes()));
    if !bool::from(ours.as_bytes().ct_eq(signature.as_bytes())) {
        return Err(GateError::Link);
    }
    let mut tx = workspace.begin().await?;
    let action = tx
        .use_approval_link(&hashed(token), signed_in, now)
        .await?
        .ok_or(GateError::Link)?;
    tx.commit().await?;
    Ok(action)
}

/// The address that opens a link in the console. The token stands behind the `#`, where neither the
/// server's log nor a proxy's sees it.
#[must_use]
pub fn address(base: &str, workspace: &str, token: &str) -> String {
    let base = base.trim_end_matches('/');
    format!("{base}/link?workspace={workspace}#token={token}")
}

fn hashed(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
