//! Pseudonyms of a workspace: hidden before a text goes anywhere, shown again to those who may see
//! the originals, which are kept sealed.

use std::collections::BTreeMap;

use gaby_store::Workspace;

use super::{Profile, redact, restore};
use crate::error::GateError;

/// Replaces what the profile asks for by the workspace's pseudonyms, and keeps what they stand for.
///
/// # Errors
/// When the store fails; the text must not go on then.
pub async fn hide(
    workspace: &Workspace,
    text: &str,
    profile: &Profile,
) -> Result<String, GateError> {
    let keyed = |value: &[u8]| workspace.keyed_hash("pseudonym", value);
    let redacted = redact(text, profile, &keyed);
    if !redacted.originals.is_empty() {
        let mut tx = workspace.begin().await?;
        for (pseudonym, original) in &redacted.originals {
            tx.put_pseudonym(pseudonym, original).await?;
        }
        tx.commit().await?;
    }
    Ok(redacted.text)
}

/// Turns the workspace's pseudonyms in a text back. One of another workspace stays as it is.
///
/// # Errors
/// When the store fails.
pub async fn show(workspace: &Workspace, text: &str) -> Result<String, GateError> {
    let mut originals = BTreeMap::new();
    let named = std::cell::RefCell::new(Vec::new());
    let _ = restore(text, &|pseudonym| {
        named.borrow_mut().push(pseudonym.to_owned());
        None
    });
    for pseudonym in named.into_inner() {
        if let Some(original) = workspace.behind_pseudonym(&pseudonym).await? {
            originals.insert(pseudonym, original);
        }
    }
    Ok(restore(text, &|pseudonym| {
        originals.get(pseudonym).cloned()
    }))
}
