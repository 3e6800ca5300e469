//! A workspace with a connector, as an operator would have set it up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use gaby_agent::queue::{Agents, Worker};
use gaby_agent::{Agent, AgentSettings, InvestigationResult, Playbooks, SourceSettings};
use gaby_model::{
    Autonomy, Depth, IncomingTicket, Message, TicketId, TicketState, Timestamp, UserId, WorkspaceId,
};
use gaby_store::connectors::ConnectorRecord;
use gaby_store::{Store, StoreConfig};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::vendor::{Shelf, Vendor};

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) agent: Agent,
    pub(crate) vendor: Arc<Vendor>,
    pub(crate) user: UserId,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    /// A fresh workspace whose connector may go this far.
    pub(crate) async fn new(autonomy: Autonomy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self::open(folder.path(), autonomy).await;
        world._folder = Some(folder);
        world
    }

    /// The workspace in this folder; made when there is none.
    pub(crate) async fn open(folder: &Path, autonomy: Autonomy) -> Self {
        let store = Store::open(StoreConfig::in_folder(folder.join("data")))
            .await
            .unwrap();
        let workspace = match store.workspace("acme").await {
            Ok(workspace) => workspace,
            Err(_) => store.create_workspace("acme", "Acme").await.unwrap(),
        };
        let now = Timestamp::from_millis(0);
        let mut tx = workspace.begin().await.unwrap();
        tx.connectors()
            .put(&ConnectorRecord {
                name: "crm".to_owned(),
                kind: "manifest".to_owned(),
                autonomy,
                config: json!({}),
                secrets: BTreeMap::new(),
                created_at: now,
                updated_at: now,
            })
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let vendor = Vendor::new(folder);
        let helpdesk = SourceSettings {
            vouches: true,
            reply_reaches_address: true,
            autonomy: None,
        };
        let settings = AgentSettings {
            sources: [("helpdesk".to_owned(), helpdesk)].into(),
            ..AgentSettings::default()
        };
        let toolbox: Arc<dyn gaby_agent::reach::Toolbox> = vendor.clone();
        let agent = Agent::open(
            workspace,
            toolbox,
            Arc::new(Shelf),
            Playbooks::built_in().unwrap(),
            settings,
        );
        Self {
            store,
            agent,
            vendor,
            user: UserId::generate(),
            _folder: None,
        }
    }

    pub(crate) async fn investigate(
        &self,
        source: &str,
        ticket: serde_json::Value,
    ) -> InvestigationResult {
        let incoming: IncomingTicket = serde_json::from_value(ticket).unwrap();
        self.agent
            .investigate_incoming(incoming, source, Depth::Standard)
            .await
            .unwrap()
    }

    pub(crate) async fn messages(&self, ticket: &TicketId) -> Vec<Message> {
        self.agent
            .workspace()
            .tickets()
            .messages(ticket)
            .await
            .unwrap()
    }

    pub(crate) async fn ticket_state(&self, ticket: &TicketId) -> TicketState {
        self.agent
            .workspace()
            .tickets()
            .get(ticket)
            .await
            .unwrap()
            .state
    }

    async fn is_at_work(&self, ticket: &TicketId) -> bool {
        let looking = matches!(
            self.ticket_state(ticket).await,
            TicketState::New | TicketState::Investigating
        );
        let depth = self.store.queue().depth().await.unwrap();
        looking || depth.ready + depth.leased > 0
    }

    /// Lets a worker run until this ticket is no longer being looked into and the queue is empty.
    pub(crate) async fn work_until_settled(&self, ticket: &TicketId) {
        let mut events = self.store.events().subscribe(self.agent.workspace().id());
        let shutdown = CancellationToken::new();
        let agents = Arc::new(Only(self.agent.clone()));
        let worker = Worker::new(self.store.clone(), agents, 2);
        let running = tokio::spawn(worker.run(shutdown.clone()));
        while self.is_at_work(ticket).await {
            let _ =
                tokio::time::timeout(std::time::Duration::from_millis(200), events.recv()).await;
        }
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }
}

struct Only(Agent);

#[async_trait]
impl Agents for Only {
    async fn agent(&self, workspace: &WorkspaceId) -> Option<Agent> {
        (self.0.workspace().id() == workspace).then(|| self.0.clone())
    }

    async fn all(&self) -> Vec<Agent> {
        vec![self.0.clone()]
    }
}

/// Ann's ticket, as a help desk that vouches for her gives it.
pub(crate) fn locked_out() -> serde_json::Value {
    json!({
        "subject": "Locked out",
        "body": "Hi,\nmy account is locked, please unlock it.\nAnn",
        "requester": {"email": "ann@example.com", "verified": true},
        "external_id": "T-1",
    })
}
