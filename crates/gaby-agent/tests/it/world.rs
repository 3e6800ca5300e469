//! A workspace with a connector, as an operator would have set it up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use gaby_agent::queue::{Agents, Worker};
use gaby_agent::{Agent, AgentSettings, InvestigationResult, Playbooks, SourceSettings};
use gaby_model::{
    ActionState, Autonomy, Depth, IncomingTicket, Message, TicketId, TicketState, Timestamp,
    UserId, WorkspaceId,
};
use gaby_store::connectors::ConnectorRecord;
use gaby_store::{Store, StoreConfig};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::databases;
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
        let store = Store::open(StoreConfig {
            database: databases::of(folder),
            ..StoreConfig::in_folder(folder.join("data"))
        })
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

    pub(crate) fn folder(&self) -> &Path {
        self.vendor.folder()
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

    /// Lets a worker run until this ticket is no longer being looked into and the queue is empty.
    pub(crate) async fn work_until_settled(&self, ticket: &TicketId) {
        self.work_until(async |world| {
            let busy = [
                TicketState::New,
                TicketState::Investigating,
                TicketState::Reopened,
            ];
            let depth = world.store.queue().depth().await.unwrap();
            !busy.contains(&world.ticket_state(ticket).await) && depth.ready + depth.leased == 0
        })
        .await;
    }

    /// Lets a worker run until something holds.
    pub(crate) async fn work_until(&self, holds: impl AsyncFn(&Self) -> bool) {
        let mut events = self.store.events().subscribe(self.agent.workspace().id());
        let shutdown = CancellationToken::new();
        let agents = Arc::new(Only(self.agent.clone()));
        let worker = Worker::new(self.store.clone(), agents, 2);
        let running = tokio::spawn(worker.run(shutdown.clone()));
        while !holds(self).await {
            let soon = std::time::Duration::from_millis(100);
            let _ = tokio::time::timeout(soon, events.recv()).await;
        }
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }

    /// What must hold whatever happened: every action came to an end that is told, the audit chain is
    /// whole and holds each intent before its effect, and nothing is left to do.
    pub(crate) async fn check(&self, at: &str) {
        let workspace = self.agent.workspace();
        for action in workspace.actions().list(None, 500).await.unwrap() {
            let under_way = [
                ActionState::Approved,
                ActionState::Intended,
                ActionState::Sent,
            ];
            assert!(!under_way.contains(&action.state), "{at}: {action:?}");
        }
        let report = workspace.audit().verify(&[]).await.unwrap();
        assert!(report.is_ok(), "{at}: {report:?}");
        let mut entries = workspace.audit().list(None, 10_000).await.unwrap();
        entries.reverse();
        for (place, (entry, _)) in entries.iter().enumerate() {
            let before: Vec<&str> = entries[..place]
                .iter()
                .filter(|(earlier, _)| earlier.object == entry.object)
                .map(|(earlier, _)| earlier.action.as_str())
                .collect();
            let needs = match entry.action.as_str() {
                "action.sent" => "action.intended",
                "action.done" | "action.failed" | "action.unknown" => "action.sent",
                _ => continue,
            };
            assert!(
                before.contains(&needs),
                "{at}: {} without {needs}",
                entry.action
            );
        }
        let depth = self.store.queue().depth().await.unwrap();
        assert_eq!((depth.ready, depth.leased, depth.dead), (0, 0, 0), "{at}");
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
