//! The workspaces that are open in this process, each opened once, when it is first needed.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use gaby_agent::Agent;
use gaby_agent::queue::Agents;
use gaby_model::WorkspaceId;
use gaby_store::{Store, Workspace};
use tokio::sync::{Mutex, OnceCell};

use crate::error::{ApiError, ApiResult};
use crate::models::ModelParts;
use crate::setup::{ComposeError, Parts};
use crate::tenant::Tenant;

/// The open workspaces. Cheap to clone.
#[derive(Clone)]
pub struct Tenants {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    parts: Parts,
    open: Mutex<HashMap<WorkspaceId, Arc<OnceCell<Tenant>>>>,
}

impl Tenants {
    /// None open yet.
    #[must_use]
    pub fn new(store: Store, parts: Parts) -> Self {
        Self {
            shared: Arc::new(Shared {
                store,
                parts,
                open: Mutex::default(),
            }),
        }
    }

    /// What works for a workspace.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(&self, workspace: &Workspace) -> Result<Tenant, ComposeError> {
        let cell = {
            let mut open = self.shared.open.lock().await;
            Arc::clone(open.entry(workspace.id().clone()).or_default())
        };
        // Opening takes long; others wait for this workspace only.
        let tenant = cell
            .get_or_try_init(|| Tenant::open(workspace.clone(), &self.shared.parts))
            .await?;
        Ok(tenant.clone())
    }

    /// What makes the vectors.
    #[must_use]
    pub fn embedder_id(&self) -> &str {
        self.shared.parts.embedder.id()
    }

    /// The operator's models, and the prompts.
    #[must_use]
    pub fn models(&self) -> &ModelParts {
        &self.shared.parts.models
    }

    /// As [`Self::open`], for handlers.
    pub(crate) async fn of(&self, workspace: &Workspace) -> ApiResult<Tenant> {
        self.open(workspace).await.map_err(|error| match error {
            ComposeError::Store(error) => ApiError::store("opening the workspace", &error),
            other => ApiError::internal("opening the workspace", &other),
        })
    }
}

#[async_trait]
impl Agents for Tenants {
    async fn agent(&self, workspace: &WorkspaceId) -> Option<Agent> {
        let workspace = self.shared.store.workspace(workspace.as_str()).await.ok()?;
        let opened = async {
            let tenant = self.open(&workspace).await?;
            tenant.follow_models(self.models()).await?;
            Ok::<_, ComposeError>(tenant.agent)
        };
        match opened.await {
            Ok(agent) => Some(agent),
            Err(error) => {
                tracing::error!(workspace = workspace.slug(), %error, "the workspace cannot be opened");
                None
            }
        }
    }

    async fn all(&self) -> Vec<Agent> {
        let infos = match self.shared.store.workspaces().await {
            Ok(infos) => infos,
            Err(error) => {
                tracing::error!(%error, "the workspaces cannot be listed");
                return Vec::new();
            }
        };
        let mut agents = Vec::with_capacity(infos.len());
        for info in infos {
            agents.extend(self.agent(&info.id).await);
        }
        agents
    }
}
