//! What a command works on: the store, a workspace, and as much of the rest as it needs.

use std::sync::Arc;

use anyhow::bail;
use gaby_agent::Models;
use gaby_connect::manifest::Registry;
use gaby_connect::mcp::Host;
use gaby_gate::Key;
use gaby_knowledge::Knowledge;
use gaby_server::{ModelParts, Parts, Tenant};
use gaby_store::{Store, Workspace};
use tokio::sync::OnceCell;

use crate::output::note;
use crate::settings::Settings;

/// The settings, and the store once it is needed.
pub(crate) struct Workplace {
    pub(crate) settings: Settings,
    store: OnceCell<Store>,
}

impl Workplace {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            store: OnceCell::new(),
        }
    }

    /// The store, opened; made when there is none.
    pub(crate) async fn store(&self) -> anyhow::Result<&Store> {
        self.store
            .get_or_try_init(async || Ok(Store::open(self.settings.store()?).await?))
            .await
    }

    /// The workspace that was named, or the only one; made when there is none at all.
    pub(crate) async fn workspace(&self) -> anyhow::Result<Workspace> {
        let store = self.store().await?;
        if let Some(named) = &self.settings.workspace {
            return Ok(store.workspace(named).await?);
        }
        let all = store.workspaces().await?;
        match all.as_slice() {
            [] => Ok(gaby_server::first_workspace(store).await?),
            [only] => Ok(store.workspace(only.id.as_str()).await?),
            several => {
                let slugs: Vec<&str> = several.iter().map(|info| info.slug.as_str()).collect();
                bail!(
                    "there are several workspaces: name one of {} with --workspace",
                    slugs.join(", ")
                )
            }
        }
    }

    /// The workspace's knowledge base, without its connectors being reached.
    pub(crate) async fn knowledge(&self) -> anyhow::Result<Knowledge> {
        let embedder = self.settings.parts()?.embedding.embedder()?;
        Ok(Knowledge::open(self.workspace().await?, embedder).await?)
    }

    /// The workspace's connectors, without its knowledge base.
    pub(crate) async fn host(&self) -> anyhow::Result<Host<Key>> {
        let registry = self.registry()?;
        Ok(Host::open(self.workspace().await?, registry).await?)
    }

    /// The workspace with everything that works for it.
    pub(crate) async fn tenant(&self) -> anyhow::Result<Tenant> {
        let parts = self.parts()?;
        Ok(Tenant::open(self.workspace().await?, &parts).await?)
    }

    /// The language models as the workspace asks them, if any are set.
    pub(crate) async fn models(&self, workspace: &Workspace) -> anyhow::Result<Option<Models>> {
        let set = self.model_parts()?.of(workspace).await?;
        if let Some(problem) = set.problem {
            note(format!("No model is asked: {problem}"));
        }
        Ok(set.models)
    }

    /// The operator's models, and the prompts.
    pub(crate) fn model_parts(&self) -> anyhow::Result<ModelParts> {
        let config = self.settings.parts()?;
        Ok(ModelParts::load(&config.llm, config.prompts.as_deref())?)
    }

    /// What all workspaces share.
    pub(crate) fn parts(&self) -> anyhow::Result<Parts> {
        Ok(Parts::load(&self.settings.parts()?)?)
    }

    /// The connectors that can be connected.
    pub(crate) fn registry(&self) -> anyhow::Result<Arc<Registry>> {
        Ok(Arc::new(Registry::load(
            &self.settings.parts()?.connectors,
        )?))
    }

    /// Closes the store if it was opened, so that its file is whole without its log.
    pub(crate) async fn close(&self) {
        if let Some(store) = self.store.get() {
            store.close().await;
        }
    }
}
