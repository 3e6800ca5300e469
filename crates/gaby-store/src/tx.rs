//! One change: rows, queue, audit and events that commit together.

use gaby_model::Event;

use crate::Result;
use crate::audit::{Appended, AuditRecord};
use crate::db::{Db, Engine};
use crate::sql::{Transaction, query};
use crate::workspace::Workspace;

/// A change of one workspace that is not yet made. Dropping it undoes it.
pub struct Tx {
    workspace: Workspace,
    pub(crate) inner: Transaction,
    events: Vec<Event>,
    records: Vec<AuditRecord>,
    /// Whether its commit does not wait for the disk.
    unhurried: bool,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tx({})", self.workspace.slug())
    }
}

impl Tx {
    pub(crate) async fn begin(workspace: Workspace) -> Result<Self> {
        let inner = workspace.db().begin().await?;
        Self::over(workspace, inner, false).await
    }

    pub(crate) async fn begin_unhurried(workspace: Workspace) -> Result<Self> {
        let inner = workspace.db().begin_unhurried().await?;
        Self::over(workspace, inner, true).await
    }

    async fn over(workspace: Workspace, mut inner: Transaction, unhurried: bool) -> Result<Self> {
        if workspace.db().engine() == Engine::Postgres {
            // One change of a workspace at a time, as on SQLite: what a change reads first stays as
            // it is until the change is made, and the audit chain has no forks.
            query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
                .bind(workspace.id().as_str())
                .execute(&mut inner)
                .await?;
        }
        Ok(Self {
            workspace,
            inner,
            events: Vec::new(),
            records: Vec::new(),
            unhurried,
        })
    }

    /// Whose change it is.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Tells watchers, once this has committed.
    pub fn publish(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Adds an entry to the audit log, in this same transaction.
    pub fn audit(&mut self, record: AuditRecord) {
        self.records.push(record);
    }

    /// Makes the change: on disk when this returns, unless it was begun not to wait for that.
    ///
    /// # Errors
    /// When it could not be made. After an error of the commit itself it is not known whether it was.
    pub async fn commit(mut self) -> Result<()> {
        let mut appended: Option<Appended> = None;
        if !self.records.is_empty() {
            let records = std::mem::take(&mut self.records);
            appended = Some(crate::audit::append(&mut self.inner, &self.workspace, records).await?);
        }
        let signed_for_others = appended
            .as_ref()
            .is_some_and(|appended| appended.checkpoint.is_some());
        let db = self.workspace.db();
        if self.unhurried && signed_for_others && db.engine() == Engine::Postgres {
            query("SET LOCAL synchronous_commit = on")
                .execute(&mut self.inner)
                .await?;
        }
        self.inner.commit().await?;
        if let Some(appended) = appended {
            // The database may be ahead of what is signed outside it, never behind: so nothing leaves
            // it that a loss of power could take back. Verification allows for a head file that lags.
            let on_disk = match (self.unhurried, signed_for_others) {
                (false, _) => true,
                (true, false) => false,
                (true, true) => settled(self.workspace.db()).await,
            };
            if on_disk {
                crate::audit::tell_head(&self.workspace, appended);
            }
        }
        if self.unhurried {
            self.workspace.db().settle_soon();
        }
        let store = self.workspace.store();
        for event in self.events {
            store.events().publish(self.workspace.id(), event);
        }
        Ok(())
    }
}

async fn settled(db: &Db) -> bool {
    let settled = db.settle().await;
    if let Err(error) = &settled {
        tracing::warn!(%error, "a checkpoint of the audit log is not told, since it may not be on disk");
    }
    settled.is_ok()
}
