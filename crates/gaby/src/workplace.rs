//! What a command works on: the store, a workspace, and as much of the rest as it needs.

use std::sync::Arc;

use anyhow::bail;
use gaby_connect::manifest::Registry;
use gaby_connect::mcp::Host;
use gaby_gate::Key;
use gaby_knowledge::Knowledge;
use gaby_server::{Parts, Tenant};
use gaby_store::{Store, Workspace};

use crate::settings::Settings;

/// The store of these settings, opened; made when there is none.
pub(crate) async fn store(settings: &Settings) -> anyhow::Result<Store> {
    Ok(Store::open(settings.store()?).await?)
}

/// The workspace that was named, or the only one; made when there is none at all.
pub(crate) async fn workspace(store: &Store, settings: &Settings) -> anyhow::Result<Workspace> {
    if let Some(named) = &settings.workspace {
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

/// The workspace of these settings, opened.
pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Workspace> {
    workspace(&store(settings).await?, settings).await
}

/// A workspace's knowledge base, without its connectors being reached.
pub(crate) async fn knowledge(settings: &Settings) -> anyhow::Result<Knowledge> {
    knowledge_of(open(settings).await?, settings).await
}

/// The knowledge base of a workspace that is open.
pub(crate) async fn knowledge_of(
    workspace: Workspace,
    settings: &Settings,
) -> anyhow::Result<Knowledge> {
    let embedder = settings.parts()?.embedding.embedder()?;
    Ok(Knowledge::open(workspace, embedder).await?)
}

/// A workspace's connectors, without its knowledge base.
pub(crate) async fn host(settings: &Settings) -> anyhow::Result<Host<Key>> {
    let workspace = open(settings).await?;
    Ok(Host::open(workspace, registry(settings)?).await?)
}

/// A workspace with everything that works for it.
pub(crate) async fn tenant(settings: &Settings) -> anyhow::Result<Tenant> {
    let workspace = open(settings).await?;
    Ok(Tenant::open(workspace, &parts(settings)?).await?)
}

/// What all workspaces share.
pub(crate) fn parts(settings: &Settings) -> anyhow::Result<Parts> {
    Ok(Parts::load(&settings.parts()?)?)
}

/// The connectors that can be connected.
pub(crate) fn registry(settings: &Settings) -> anyhow::Result<Arc<Registry>> {
    let folders = settings.parts()?.connectors;
    Ok(Arc::new(Registry::load(&folders)?))
}
