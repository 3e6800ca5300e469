//! Language models as all workspaces of a process share them.

use std::path::Path;
use std::sync::Arc;

use gaby_agent::Models;
use gaby_llm::address::Reach;
use gaby_llm::{Desk, Limits, Llm, LlmError, LlmSettings, Prompts, WorkspaceLlm};
use gaby_model::SystemClock;
use gaby_store::Workspace;

use crate::setup::ComposeError;

/// The setting under which a workspace narrows which models are asked.
pub const LLM_SETTINGS: &str = "llm";

/// The models of an installation, and their prompts.
#[derive(Clone, Debug)]
pub struct ModelParts {
    llm: Llm,
    prompts: Prompts,
}

impl ModelParts {
    /// Makes them of their settings, with the operator's own prompts over the shipped ones; none when
    /// no model is set. Nobody is asked yet.
    ///
    /// # Errors
    /// When a provider cannot be used as it is set, or a prompt has faults.
    pub fn load(
        settings: &LlmSettings,
        prompts: Option<&Path>,
    ) -> Result<Option<Self>, ComposeError> {
        // A model without a provider is a mistake, and said to be one.
        if !settings.is_configured() && settings.model.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            llm: Llm::open(settings.clone(), Reach::default(), Limits::default())?,
            prompts: Prompts::load(prompts)?,
        }))
    }

    /// The models behind it.
    #[must_use]
    pub fn llm(&self) -> &Llm {
        &self.llm
    }

    /// Checks that no model is where none may be.
    ///
    /// # Errors
    /// When a provider is at an address that the rules forbid.
    pub async fn check_addresses(&self) -> Result<(), LlmError> {
        self.llm.check_addresses().await
    }

    /// The models as a workspace asks them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, workspace: &Workspace) -> Result<Models, ComposeError> {
        let narrowed: WorkspaceLlm = workspace.setting(LLM_SETTINGS).await?.unwrap_or_default();
        let desk = Desk::new(
            self.llm.clone(),
            workspace.clone(),
            narrowed,
            Arc::new(SystemClock),
        );
        Ok(Models {
            desk: Arc::new(desk),
            prompts: self.prompts.clone(),
        })
    }
}
