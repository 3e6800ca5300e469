//! One workspace with everything that works for it: its knowledge, its connectors, its agent.

use std::sync::Arc;

use async_trait::async_trait;
use gaby_agent::reach::{CallFailure, Library, Passage, SearchFailure, Toolbox};
use gaby_agent::{Agent, AgentSettings};
use gaby_connect::mcp::{CallError, Host};
use gaby_gate::Key;
use gaby_knowledge::{Hit, Knowledge, SearchOptions};
use gaby_model::{ToolDefinition, ToolResult};
use gaby_store::{StoreError, Workspace};
use tokio::sync::Mutex;

use crate::models::{self, ModelParts};
use crate::setup::{ComposeError, Parts};

/// The setting under which a workspace's agent settings are kept.
pub const AGENT_SETTINGS: &str = "agent";

/// One workspace with everything that works for it. Cheap to clone.
#[derive(Clone)]
pub struct Tenant {
    /// The workspace.
    pub workspace: Workspace,
    /// What it knows.
    pub knowledge: Knowledge,
    /// Its connectors.
    pub host: Host<Key>,
    /// Who works for it.
    pub agent: Agent,
    /// Which state of its settings for models the agent thinks by.
    thinks_by: Arc<Mutex<ThinksBy>>,
}

#[derive(Default)]
struct ThinksBy {
    /// None before the first look.
    version: Option<String>,
    problem: Option<String>,
}

impl Tenant {
    /// Opens what works for a workspace.
    ///
    /// # Errors
    /// When the store fails, or what is stored cannot be read.
    pub async fn open(workspace: Workspace, parts: &Parts) -> Result<Self, ComposeError> {
        let knowledge = Knowledge::open(workspace.clone(), Arc::clone(&parts.embedder)).await?;
        let host = Host::open(workspace.clone(), Arc::clone(&parts.registry)).await?;
        let settings: AgentSettings = workspace.setting(AGENT_SETTINGS).await?.unwrap_or_default();
        let agent = Agent::open(
            workspace.clone(),
            toolbox(host.clone()),
            library(knowledge.clone()),
            parts.playbooks.clone(),
            settings,
        );
        agent.take_policies(parts.policies.clone());
        agent.take_budget(parts.budget);
        let tenant = Self {
            workspace,
            knowledge,
            host,
            agent,
            thinks_by: Arc::default(),
        };
        tenant.follow_models(&parts.models).await?;
        Ok(tenant)
    }

    /// Has the agent think from the next investigation on with the models that are set now, also if
    /// another process set them. Tells why what the workspace set cannot be used, if it cannot.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn follow_models(&self, parts: &ModelParts) -> Result<Option<String>, StoreError> {
        let mut thinks_by = self.thinks_by.lock().await;
        let own = models::own(&self.workspace).await?;
        let version = models::version(&own);
        if thinks_by.version.as_ref() != Some(&version) {
            let set = parts.set_by(&self.workspace, own);
            match set.models {
                Some(models) => self.agent.think_with_models(models),
                None => self.agent.think_without_models(),
            }
            *thinks_by = ThinksBy {
                version: Some(version),
                problem: set.problem,
            };
        }
        Ok(thinks_by.problem.clone())
    }

    /// Stores what the operator settles for the agent, and has it hold from now on.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn settle(&self, settings: AgentSettings) -> Result<(), ComposeError> {
        let mut tx = self.workspace.begin().await?;
        tx.set_setting(AGENT_SETTINGS, &settings).await?;
        tx.commit().await?;
        self.agent.settle(settings);
        Ok(())
    }
}

/// A knowledge base as the agent searches it, for who only asks and reaches for no connector.
#[must_use]
pub fn library(knowledge: Knowledge) -> Arc<dyn Library> {
    Arc::new(Known(knowledge))
}

/// The connectors of a workspace as the agent reaches for them.
#[must_use]
pub fn toolbox(host: Host<Key>) -> Arc<dyn Toolbox> {
    Arc::new(Connected(host))
}

/// The connectors, as the agent reaches for them.
struct Connected(Host<Key>);

#[async_trait]
impl Toolbox for Connected {
    async fn catalog(&self) -> Vec<ToolDefinition> {
        self.0.catalog().await
    }

    async fn call(&self, key: Key) -> Result<ToolResult, CallFailure> {
        self.0.call(key).await.map_err(|error: CallError| {
            if error.may_have_happened() {
                CallFailure::Unclear(error.to_string())
            } else {
                CallFailure::NotMade(error.to_string())
            }
        })
    }
}

/// The knowledge base, as the agent searches it.
struct Known(Knowledge);

#[async_trait]
impl Library for Known {
    async fn search(&self, query: &str, top: usize) -> Result<Vec<Passage>, SearchFailure> {
        let options = SearchOptions {
            top,
            explain: true,
            ..SearchOptions::default()
        };
        let hits = self.0.search(query, &options).await;
        let hits = hits.map_err(|error| SearchFailure(error.to_string()))?;
        Ok(hits.into_iter().map(passage).collect())
    }
}

fn passage(hit: Hit) -> Passage {
    let why = hit.explain.as_ref();
    Passage {
        score: f64::from(hit.score),
        bm25: why.map_or(0.0, |why| f64::from(why.bm25)),
        similarity: why.and_then(|why| why.similarity).map(f64::from),
        bm25_rank: why.and_then(|why| why.bm25_rank),
        vector_rank: why.and_then(|why| why.vector_rank),
        chunk: hit.chunk,
        document: hit.document,
        path: hit.path,
        title: hit.title,
        heading: hit.heading,
        start: hit.start,
        end: hit.end,
        text: hit.text,
    }
}
