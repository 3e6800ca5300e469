//! One change: rows, queue, audit and events that commit together.

use gaby_model::Event;
use sqlx::{Any, Transaction};

use crate::Result;
use crate::audit::{Appended, AuditRecord};
use crate::db::Engine;
use crate::workspace::Workspace;

/// A change of one workspace that is not yet made. Dropping it undoes it.
pub struct Tx {
    workspace: Workspace,
    pub(crate) inner: Transaction<'static, Any>,
    events: Vec<Event>,
    records: Vec<AuditRecord>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tx({})", self.workspace.slug())
    }
}

impl Tx {
    pub(crate) async fn begin(workspace: Workspace) -> Result<Self> {
        let inner = workspace.db().begin().await?;
        Self::over(workspace, inner).await
    }

    pub(crate) async fn begin_unhurried(workspace: Workspace) -> Result<Self> {
        let inner = workspace.db().begin_unhurried().await?;
        Self::over(workspace, inner).await
    }

    async fn over(workspace: Workspace, mut inner: Transaction<'static, Any>) -> Result<Self> {
        if workspace.db().engine() == Engine::Postgres {
            // One change of a workspace at a time, as on SQLite: what a change reads first stays as
            // it is until the change is made, and the audit chain has no forks.
            sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
                .bind(workspace.id().as_str())
                .execute(&mut *inner)
                .await?;
        }
        Ok(Self {
            workspace,
            inner,
            events: Vec::new(),
            records: Vec::new(),
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

    /// Makes the change: on disk when this returns.
    ///
    /// # Errors
    /// When it could not be made. After an error of the commit itself it is not known whether it was.
    pub async fn commit(mut self) -> Result<()> {
        let mut appended: Option<Appended> = None;
        if !self.records.is_empty() {
            let records = std::mem::take(&mut self.records);
            appended = Some(crate::audit::append(&mut self.inner, &self.workspace, records).await?);
        }
        self.inner.commit().await?;
        if let Some(appended) = appended {
            // The database is ahead of the head file for a moment; verification allows for that.
            crate::audit::write_head_file(&self.workspace, &appended);
        }
        let store = self.workspace.store();
        for event in self.events {
            store.events().publish(self.workspace.id(), event);
        }
        Ok(())
    }
}
