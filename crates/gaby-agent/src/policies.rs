//! The rules of a workspace: looked at, changed, and asked why.

use gaby_gate::rules::check::{CheckCall, Explanation};
use gaby_gate::rules::files;
use gaby_gate::{Moment, PolicyFile, Rules};
use gaby_model::{Timestamp, canonical};
use gaby_store::audit::{Actor, AuditRecord};
use serde_json::{Value, json};

use crate::agent::Agent;
use crate::error::AgentError;
use crate::hands::Hands;

/// The largest policy file of a workspace, in bytes.
const MAX_FILE_BYTES: usize = 64 * 1024;
/// The most policy files that a workspace may have.
const MOST_FILES: usize = 100;
/// The longest name of a policy file.
const LONGEST_NAME: usize = 60;

impl Agent {
    /// Checks a policy file as the workspace's own, beside Gaby's and the operator's, and gives its
    /// rules.
    ///
    /// # Errors
    /// When its name is none, it is too large, or its rules have faults.
    pub async fn check_policy_file(&self, name: &str, text: &str) -> Result<Rules, AgentError> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(good) {
            return Err(AgentError::PolicyFile(format!(
                "a policy's name is made of small letters, digits and hyphens, at most \
                 {LONGEST_NAME} of them"
            )));
        }
        if text.len() > MAX_FILE_BYTES {
            return Err(AgentError::PolicyFile(format!(
                "the policy `{name}` has {} bytes, more than the {MAX_FILE_BYTES} that one may \
                 have: make several of it",
                text.len()
            )));
        }
        if text.trim().is_empty() {
            return Err(AgentError::PolicyFile(format!(
                "the policy `{name}` is empty: to be rid of it, delete it"
            )));
        }
        // Beside another file of the workspace that no longer fits, a sound one may still be stored.
        let file = PolicyFile::of_workspace(name, text);
        let all = files::layered([self.base_policies(), vec![file]]);
        let tools = self.toolbox().catalog().await;
        Ok(Rules::compile(&all, &tools)?)
    }

    /// Stores a policy file of the workspace's own, which holds at once. One with faults leaves the
    /// one before as it was.
    ///
    /// # Errors
    /// As [`Self::check_policy_file`], and when there are too many or it cannot be stored.
    pub async fn put_policy_file(
        &self,
        name: &str,
        text: &str,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), AgentError> {
        self.check_policy_file(name, text).await?;
        let stored = self.workspace().policy_files().await?;
        if !stored.contains_key(name) && stored.len() >= MOST_FILES {
            return Err(AgentError::PolicyFile(format!(
                "a workspace has at most {MOST_FILES} policies: delete one, or write several rules \
                 into one"
            )));
        }
        let mut tx = self.workspace().begin().await?;
        tx.put_policy_file(name, text, now).await?;
        tx.audit(AuditRecord {
            actor: by,
            action: "policy.put".to_owned(),
            object: name.to_owned(),
            decision: json!({"sha256": canonical::hash(&text).unwrap_or_default(), "bytes": text.len()}),
            content: json!(text),
            at: now,
        });
        Ok(tx.commit().await?)
    }

    /// Removes a policy file of the workspace's own at once. Tells whether it was there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove_policy_file(
        &self,
        name: &str,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, AgentError> {
        let mut tx = self.workspace().begin().await?;
        if !tx.remove_policy_file(name).await? {
            return Ok(false);
        }
        tx.audit(AuditRecord {
            actor: by,
            action: "policy.removed".to_owned(),
            object: name.to_owned(),
            decision: Value::Null,
            content: Value::Null,
            at: now,
        });
        tx.commit().await?;
        Ok(true)
    }

    /// The rules that hold now.
    ///
    /// # Errors
    /// When they do not hold together, which denies everything, or the store fails.
    pub async fn rules_now(&self) -> Result<Rules, AgentError> {
        let tools = self.toolbox().catalog().await;
        Ok(Rules::compile(&self.policy_files().await?, &tools)?)
    }

    /// What the gate would decide about a call, and why; with a policy file of the workspace's as if
    /// it were stored already, if one is given.
    ///
    /// # Errors
    /// When the rules do not hold together, or the store fails.
    pub async fn explain(
        &self,
        mut call: CheckCall,
        draft: Option<(String, String)>,
    ) -> Result<Explanation, AgentError> {
        let mut files = self.policy_files().await?;
        if let Some((name, text)) = draft {
            self.check_policy_file(&name, &text).await?;
            files = files::layered([files, vec![PolicyFile::of_workspace(name, text)]]);
        }
        let tools = self.toolbox().catalog().await;
        let rules = Rules::compile(&files, &tools)?;
        let hands = Hands::open(self, &call.situation.source, None).await?;
        let settled = hands.settled(&call.tool_ref().connector).await?;
        let situation = &mut call.situation;
        self.workspace().slug().clone_into(&mut situation.workspace);
        if situation.environment.is_empty() {
            situation.environment = settled.standing.environment.clone();
        }
        if situation.moment.is_none() {
            let here = self.settings().utc_offset_minutes;
            situation.moment = Some(Moment::at(self.now(), here));
        }
        let revoked = settled.standing.revoked.as_deref();
        Ok(call.explain(&tools, &settled.policy, &rules, revoked))
    }
}
