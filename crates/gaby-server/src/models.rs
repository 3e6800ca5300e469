//! Language models: the operator's, which all workspaces of a process share, and those that a
//! workspace sets for itself within the operator's rules.

use std::path::Path;
use std::sync::Arc;

use gaby_agent::Models;
use gaby_llm::address::Reach;
use gaby_llm::{Desk, Limits, Llm, LlmError, LlmSettings, Prompts, WorkspaceKeys, WorkspaceLlm};
use gaby_model::{SystemClock, Timestamp, canonical};
use gaby_store::audit::{Actor, AuditRecord};
use gaby_store::{StoreError, Workspace};
use serde_json::{Value, json};

use crate::setup::ComposeError;

/// The setting under which is kept what a workspace sets for models.
pub const LLM_SETTINGS: &str = "llm";
/// The setting under which the keys of its own models are kept, apart from what is shown.
const LLM_KEYS: &str = "llm_keys";

/// The operator's models, if any are set, and the prompts.
#[derive(Clone, Debug)]
pub struct ModelParts {
    operator: LlmSettings,
    llm: Option<Llm>,
    prompts: Prompts,
}

/// What asks models in a workspace.
pub struct WorkspaceModels {
    /// Where they are asked; none when no model is set, or what is set cannot be used.
    pub models: Option<Models>,
    /// Why what the workspace set cannot be used.
    pub problem: Option<String>,
}

impl ModelParts {
    /// Makes them of their settings, with the operator's own prompts over the shipped ones. Nobody is
    /// asked yet.
    ///
    /// # Errors
    /// When a provider cannot be used as it is set, or a prompt has faults.
    pub fn load(settings: &LlmSettings, prompts: Option<&Path>) -> Result<Self, ComposeError> {
        // A model without a provider is a mistake, and said to be one.
        let is_set = settings.is_configured() || settings.model.is_some();
        Ok(Self {
            operator: settings.clone(),
            llm: is_set.then(|| open(settings.clone())).transpose()?,
            prompts: Prompts::load(prompts)?,
        })
    }

    /// What the operator settled.
    #[must_use]
    pub fn operator(&self) -> &LlmSettings {
        &self.operator
    }

    /// The prompts.
    #[must_use]
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// Checks that no model of the operator's is where none may be.
    ///
    /// # Errors
    /// When a provider is at an address that the rules forbid.
    pub async fn check_addresses(&self) -> Result<(), LlmError> {
        match &self.llm {
            Some(llm) => llm.check_addresses().await,
            None => Ok(()),
        }
    }

    /// The models as a workspace asks them. What the workspace set and the operator no longer allows
    /// is not asked, and nobody else in its place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, workspace: &Workspace) -> Result<WorkspaceModels, StoreError> {
        Ok(self.set_by(workspace, own(workspace).await?))
    }

    pub(crate) fn set_by(&self, workspace: &Workspace, own: WorkspaceLlm) -> WorkspaceModels {
        let (llm, problem) = match self.asked_by(&own) {
            Ok(llm) => (llm, None),
            Err(error) => {
                tracing::warn!(workspace = workspace.slug(), %error, "the workspace's models cannot be used");
                (None, Some(error.to_string()))
            }
        };
        let clock = Arc::new(SystemClock);
        WorkspaceModels {
            models: llm.map(|llm| Models {
                desk: Arc::new(Desk::new(llm, workspace.clone(), own, clock)),
                prompts: self.prompts.clone(),
            }),
            problem,
        }
    }

    fn asked_by(&self, own: &WorkspaceLlm) -> Result<Option<Llm>, ComposeError> {
        let settings = own.within(&self.operator).map_err(ComposeError::Model)?;
        if own.providers.is_empty() && settings.per_day == self.operator.per_day {
            return Ok(self.llm.clone());
        }
        if !settings.is_configured() {
            return Ok(None);
        }
        open(settings).map(Some)
    }

    /// Settles what a workspace sets for models. What cannot be used is not taken on.
    ///
    /// # Errors
    /// When something is wrong with it, the operator does not allow it, a model is where none may
    /// be, or it cannot be stored.
    pub async fn settle(
        &self,
        workspace: &Workspace,
        own: &WorkspaceLlm,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), ComposeError> {
        if let Some(llm) = self.asked_by(own)? {
            let narrower = LlmSettings {
                local_only: llm.settings().local_only(own),
                ..llm.settings().clone()
            };
            let checked = open(narrower)?.check_addresses().await;
            checked.map_err(ComposeError::Model)?;
        }
        let mut tx = workspace.begin().await?;
        tx.set_setting(LLM_SETTINGS, own).await?;
        tx.set_setting(LLM_KEYS, &own.keys()).await?;
        tx.audit(AuditRecord {
            actor: by,
            action: match own.is_set() {
                true => "models.settled",
                false => "models.reset",
            }
            .to_owned(),
            object: workspace.id().to_string(),
            decision: in_short(own),
            content: serde_json::to_value(own).unwrap_or(Value::Null),
            at: now,
        });
        Ok(tx.commit().await?)
    }
}

fn open(settings: LlmSettings) -> Result<Llm, ComposeError> {
    Ok(Llm::open(settings, Reach::default(), Limits::default())?)
}

/// What a workspace sets for models, with its keys.
///
/// # Errors
/// When the store fails.
pub async fn own(workspace: &Workspace) -> Result<WorkspaceLlm, StoreError> {
    let own: WorkspaceLlm = workspace.setting(LLM_SETTINGS).await?.unwrap_or_default();
    if own.providers.is_empty() {
        return Ok(own);
    }
    let keys: Option<WorkspaceKeys> = workspace.setting(LLM_KEYS).await?;
    Ok(own.with_keys(keys.unwrap_or_default()))
}

/// Tells one state of the settings from another.
pub(crate) fn version(own: &WorkspaceLlm) -> String {
    // Settings always have a canonical form.
    canonical::hash(&(own, own.keys())).unwrap_or_default()
}

/// Structure only: kinds and numbers, no name or address that somebody wrote, and no key.
fn in_short(own: &WorkspaceLlm) -> Value {
    let kinds: Vec<&str> = own
        .providers
        .iter()
        .map(|provider| provider.kind.as_str())
        .collect();
    let purposes: Vec<&str> = own
        .purposes
        .keys()
        .map(|purpose| purpose.as_str())
        .collect();
    json!({
        "providers": kinds,
        "purposes": purposes,
        "local_only": own.local_only,
        "narrowed": own.allowed.is_some(),
        "tokens_per_day": own.per_day.tokens,
        "micro_usd_per_day": own.per_day.micro_usd,
    })
}
