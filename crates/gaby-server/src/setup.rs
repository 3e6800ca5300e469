//! What all workspaces of a process share, and how it is put together.

use std::path::PathBuf;
use std::sync::Arc;

use gaby_agent::playbook::library::LibraryError;
use gaby_agent::{BudgetSettings, Playbooks};
use gaby_connect::manifest::{ManifestErrors, Registry};
use gaby_gate::PolicyFile;
use gaby_gate::rules::{RulesError, files};
use gaby_knowledge::embed::{self, EmbedError};
use gaby_knowledge::{Embedder, KnowledgeError};
use gaby_llm::LlmSettings;
use gaby_store::StoreError;

use crate::models::ModelParts;

/// What all workspaces share.
#[derive(Clone)]
pub struct Parts {
    /// The connectors that can be connected.
    pub registry: Arc<Registry>,
    /// The playbooks that are followed.
    pub playbooks: Playbooks,
    /// The operator's own policy files.
    pub policies: Vec<PolicyFile>,
    /// What turns text into vectors.
    pub embedder: Arc<dyn Embedder>,
    /// The language models, and their prompts.
    pub models: ModelParts,
    /// What one investigation may use, where it is settled for all workspaces.
    pub budget: BudgetSettings,
}

/// Where the parts come from.
#[derive(Debug, Clone, Default)]
pub struct PartsConfig {
    /// Folders with connector manifests of the operator's own.
    pub connectors: Vec<PathBuf>,
    /// Files and folders with playbooks of the operator's own.
    pub playbooks: Vec<PathBuf>,
    /// The folder with policies of the operator's own.
    pub policies: Option<PathBuf>,
    /// What turns text into vectors.
    pub embedding: Embedding,
    /// The language models.
    pub llm: LlmSettings,
    /// The folder with prompts of the operator's own.
    pub prompts: Option<PathBuf>,
    /// What one investigation may use, where it is settled for all workspaces.
    pub investigation: BudgetSettings,
}

/// What turns text into vectors.
#[derive(Debug, Clone, Default)]
pub enum Embedding {
    /// The model within the binary.
    #[default]
    Builtin,
    /// A sentence-transformer in a local folder.
    Folder(PathBuf),
    /// An OpenAI-compatible endpoint.
    Endpoint {
        /// Its address, up to and without `/embeddings`.
        url: String,
        /// The model's name.
        model: String,
        /// The key, if it wants one.
        key: Option<secrecy::SecretString>,
    },
}

/// Why things could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A connector manifest has faults.
    #[error(transparent)]
    Manifests(#[from] ManifestErrors),
    /// A playbook has faults.
    #[error(transparent)]
    Playbooks(#[from] LibraryError),
    /// The operator's policies cannot be read.
    #[error(transparent)]
    Policies(#[from] RulesError),
    /// What makes vectors cannot be had.
    #[error(transparent)]
    Embedder(#[from] EmbedError),
    /// The knowledge base cannot be opened.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    /// The language models cannot be used as they are set.
    #[error(transparent)]
    Models(#[from] gaby_llm::llm::SettingsError),
    /// What a workspace set for them cannot be used.
    #[error(transparent)]
    Model(gaby_llm::LlmError),
    /// A prompt has faults.
    #[error(transparent)]
    Prompts(#[from] gaby_llm::PromptError),
    /// The connectors cannot be opened.
    #[error(transparent)]
    Connectors(#[from] gaby_connect::mcp::ConnectError),
}

impl Parts {
    /// Loads the parts.
    ///
    /// # Errors
    /// When a manifest or playbook has faults, or the model cannot be loaded.
    pub fn load(config: &PartsConfig) -> Result<Self, ComposeError> {
        Ok(Self {
            registry: Arc::new(Registry::load(&config.connectors)?),
            playbooks: Playbooks::load(&config.playbooks)?,
            policies: match &config.policies {
                Some(folder) => files::read_folder(folder)?,
                None => Vec::new(),
            },
            embedder: config.embedding.embedder()?,
            models: ModelParts::load(&config.llm, config.prompts.as_deref())?,
            budget: config.investigation,
        })
    }
}

impl Embedding {
    /// Makes it ready.
    ///
    /// # Errors
    /// When the model cannot be loaded, or the endpoint's address is none.
    pub fn embedder(&self) -> Result<Arc<dyn Embedder>, EmbedError> {
        match self {
            Self::Builtin => embed::builtin(),
            Self::Folder(path) => embed::from_folder(path),
            Self::Endpoint { url, model, key } => {
                let key = key.as_ref().map(secrecy::ExposeSecret::expose_secret);
                embed::openai_compatible(url, model, key)
            }
        }
    }
}
