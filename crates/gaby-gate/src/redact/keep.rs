//! Pseudonyms of a workspace: hidden before a text goes anywhere, shown again to those who may see
//! the originals, which are kept sealed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gaby_model::{Timestamp, WorkspaceId};
use gaby_store::Workspace;
use gaby_store::audit::{Actor, AuditRecord};
use serde_json::{Value, json};

use super::{Profile, Redacted, redact, restore};
use crate::error::GateError;

/// The setting under which a workspace's profile is kept.
const SETTING: &str = "redaction";

/// What a workspace has redacted; the usual profile until somebody says otherwise.
///
/// # Errors
/// When the store fails, or the setting is not one that this version knows.
pub async fn profile(workspace: &Workspace) -> Result<Profile, GateError> {
    Ok(workspace.setting(SETTING).await?.unwrap_or_default())
}

/// Settles what a workspace has redacted from now on.
///
/// # Errors
/// When it cannot be stored.
pub async fn settle(
    workspace: &Workspace,
    profile: &Profile,
    by: Actor,
    now: Timestamp,
) -> Result<(), GateError> {
    let mut tx = workspace.begin().await?;
    tx.set_setting(SETTING, profile).await?;
    tx.audit(AuditRecord {
        actor: by,
        action: "redaction.settled".to_owned(),
        object: workspace.id().to_string(),
        decision: json!(profile),
        content: Value::Null,
        at: now,
    });
    Ok(tx.commit().await?)
}

/// What stands between a workspace's texts and whoever may not read them in the clear, such as a
/// language model: each text is hidden on its way out, and what comes back is shown again.
///
/// ```no_run
/// # async fn ask(_: &str) -> String { String::new() }
/// # async fn example(workspace: &gaby_store::Workspace) -> Result<String, gaby_gate::GateError> {
/// let veil = gaby_gate::redact::Veil::of(workspace).await?;
/// let hidden = veil.hide("Ann Miller, ann@example.com, cannot sign in.").await?;
/// let answer = ask(&hidden).await;
/// veil.show(&answer).await
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Veil {
    workspace: Workspace,
    profile: Profile,
}

impl Veil {
    /// The veil of a workspace, by its profile as it is now.
    ///
    /// # Errors
    /// As [`profile`].
    pub async fn of(workspace: &Workspace) -> Result<Self, GateError> {
        Ok(Self {
            workspace: workspace.clone(),
            profile: profile(workspace).await?,
        })
    }

    /// Replaces what the profile asks for by pseudonyms.
    ///
    /// # Errors
    /// When the store fails; the text must not go on then.
    pub async fn hide(&self, text: &str) -> Result<String, GateError> {
        let mut text = text.to_owned();
        self.hide_all([&mut text]).await?;
        Ok(text)
    }

    /// Hides what the profile asks for in all texts of a conversation.
    ///
    /// # Errors
    /// When the store fails; none of the texts must go on then.
    pub async fn hide_all(
        &self,
        texts: impl IntoIterator<Item = &mut String> + Send,
    ) -> Result<Hidden, GateError> {
        self.hide_again(texts, &Lately::default()).await
    }

    /// As [`Self::hide_all`], for a conversation that grows: what was looked through lately is not
    /// looked through again.
    ///
    /// # Errors
    /// As [`Self::hide_all`].
    pub async fn hide_again(
        &self,
        texts: impl IntoIterator<Item = &mut String> + Send,
        lately: &Lately,
    ) -> Result<Hidden, GateError> {
        let mut hidden = Hidden::default();
        for text in texts {
            let redacted = lately.redacted(self, text);
            *text = redacted.text;
            hidden.0.extend(redacted.originals);
        }
        let unsure = lately.not_kept(hidden.0.keys());
        if unsure.is_empty() {
            return Ok(hidden);
        }
        let named = unsure.iter().map(String::as_str);
        let new = self.workspace.new_pseudonyms(named).await?;
        if !new.is_empty() {
            // The disk is not waited for: whatever names a pseudonym is committed after this, and gets
            // there with it or not at all.
            let mut tx = self.workspace.begin_unhurried().await?;
            for (pseudonym, original) in &hidden.0 {
                if new.contains(pseudonym.as_str()) {
                    tx.put_pseudonym(pseudonym, original).await?;
                }
            }
            tx.commit().await?;
        }
        lately.keep(unsure);
        Ok(hidden)
    }

    /// Turns pseudonyms back, in what comes back or goes on to those who may see the originals.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn show(&self, text: &str) -> Result<String, GateError> {
        show(&self.workspace, text).await
    }
}

/// Texts that were looked through lately, and what was found in them.
#[derive(Default)]
pub struct Lately(Mutex<Seen>);

/// How many texts are remembered before all are forgotten: a few conversations.
const REMEMBERED: usize = 512;

#[derive(Default)]
struct Seen {
    /// For which workspace and by which profile they were looked through.
    of: Option<(WorkspaceId, Profile)>,
    texts: HashMap<String, Redacted>,
    /// Pseudonyms that are known to be stored.
    kept: HashSet<String>,
}

impl std::fmt::Debug for Lately {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lately")
    }
}

impl Lately {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn redacted(&self, veil: &Veil, text: &str) -> Redacted {
        let id = veil.workspace.id();
        let same = |of: &(WorkspaceId, Profile)| of.0 == *id && of.1 == veil.profile;
        let mut seen = self.seen();
        if !seen.of.as_ref().is_some_and(same) {
            *seen = Seen {
                of: Some((id.clone(), veil.profile.clone())),
                ..Seen::default()
            };
        }
        if let Some(redacted) = seen.texts.get(text) {
            return redacted.clone();
        }
        drop(seen);
        let keyed = |value: &[u8]| veil.workspace.keyed_hash("pseudonym", value);
        let redacted = redact(text, &veil.profile, &keyed);
        let mut seen = self.seen();
        if seen.texts.len() >= REMEMBERED {
            seen.texts.clear();
            seen.kept.clear();
        }
        if seen.of.as_ref().is_some_and(same) {
            seen.texts.insert(text.to_owned(), redacted.clone());
        }
        redacted
    }

    /// Those of these pseudonyms that are not known to be stored.
    fn not_kept<'a>(&self, named: impl Iterator<Item = &'a String>) -> Vec<String> {
        let seen = self.seen();
        named
            .filter(|name| !seen.kept.contains(*name))
            .cloned()
            .collect()
    }

    fn keep(&self, stored: Vec<String>) {
        self.seen().kept.extend(stored);
    }
}

/// What was hidden in one conversation. In the answer to it only this is shown again: whoever names the
/// pseudonym of something else learns nothing.
#[derive(Debug, Clone, Default)]
pub struct Hidden(BTreeMap<String, String>);

impl Hidden {
    /// Turns its pseudonyms in a text back.
    #[must_use]
    pub fn show(&self, text: &str) -> String {
        restore(text, &|pseudonym| self.0.get(pseudonym).cloned())
    }
}

/// Replaces what the profile asks for by the workspace's pseudonyms, and keeps what they stand for.
///
/// # Errors
/// When the store fails; the text must not go on then.
pub async fn hide(
    workspace: &Workspace,
    text: &str,
    profile: &Profile,
) -> Result<String, GateError> {
    let veil = Veil {
        workspace: workspace.clone(),
        profile: profile.clone(),
    };
    veil.hide(text).await
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
