//! Draining the durable queue: claim under a lease, keep the lease while working, hand on what a
//! crash left behind.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gaby_model::{Clock as _, Depth, SystemClock, Ticket, TicketId, Timestamp, WorkspaceId};
use gaby_store::queue::{Job, WorkerLock, due};
use gaby_store::{Store, Tx};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agent::Agent;
use crate::error::AgentError;
use crate::intake::INVESTIGATE;
use crate::investigate::InvestigationResult;

/// How long a job stays with a worker that does not say that it is alive.
const LEASE: Duration = Duration::from_secs(30);
/// How often a worker says so.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often the queue is looked at when nobody says that there is work.
const LOOK: Duration = Duration::from_millis(500);
/// How often expired proposals are closed.
const TIDY: Duration = Duration::from_secs(20);

/// Finds the agent of a workspace.
#[async_trait]
pub trait Agents: Send + Sync + 'static {
    /// The agent of this workspace; none when the workspace is gone.
    async fn agent(&self, workspace: &WorkspaceId) -> Option<Agent>;

    /// The agents of all workspaces.
    async fn all(&self) -> Vec<Agent>;
}

/// Works on the queue of a store.
pub struct Worker {
    store: Store,
    agents: Arc<dyn Agents>,
    parallel: usize,
    wake: Arc<Notify>,
}

impl Worker {
    /// A worker that investigates so many tickets at once.
    #[must_use]
    pub fn new(store: Store, agents: Arc<dyn Agents>, parallel: usize) -> Self {
        Self {
            store,
            agents,
            parallel: parallel.max(1),
            wake: Arc::new(Notify::new()),
        }
    }

    /// What tells the worker that there is work now, so that it need not wait for its next look.
    #[must_use]
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Works until `shutdown`, then lets what is begun come to its end.
    ///
    /// # Errors
    /// When the store fails at the start.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), AgentError> {
        let lock = join(&self.store).await?;
        if lock.alone() {
            for agent in self.agents.all().await {
                if let Err(error) = agent.tidy(true).await {
                    tracing::error!(workspace = agent.workspace().slug(), %error, "what was interrupted could not be taken up");
                }
            }
        }
        let places = Arc::new(Semaphore::new(self.parallel));
        let tasks = TaskTracker::new();
        let mut tidied = tokio::time::Instant::now();
        while !shutdown.is_cancelled() {
            if tidied.elapsed() >= TIDY {
                tidied = tokio::time::Instant::now();
                self.tidy_all().await;
            }
            let place = tokio::select! {
                () = shutdown.cancelled() => break,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let Ok(place) = place else { break };
            match self.claim().await {
                Some(job) => {
                    let store = self.store.clone();
                    let agents = Arc::clone(&self.agents);
                    tasks.spawn(async move {
                        work(&store, agents.as_ref(), job).await;
                        drop(place);
                    });
                }
                None => {
                    drop(place);
                    tokio::select! {
                        () = shutdown.cancelled() => break,
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(LOOK) => {}
                    }
                }
            }
        }
        tasks.close();
        tasks.wait().await;
        Ok(())
    }

    async fn claim(&self) -> Option<Job> {
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        match self.store.queue().claim(SystemClock.now(), lease).await {
            Ok(job) => job,
            Err(error) => {
                tracing::error!(%error, "the queue could not be read");
                None
            }
        }
    }

    async fn tidy_all(&self) {
        for agent in self.agents.all().await {
            if let Err(error) = agent.tidy(false).await {
                tracing::error!(workspace = agent.workspace().slug(), %error, "expired proposals could not be closed");
            }
        }
    }
}

/// Makes this process one of those that work. Whatever is leased while there is no other was left by
/// one that is gone.
pub(crate) async fn join(store: &Store) -> Result<WorkerLock, AgentError> {
    let lock = store.lock_worker().await?;
    if lock.alone() {
        let freed = store.queue().recover().await?;
        if freed > 0 {
            tracing::info!(freed, "took over the work of a process that is gone");
        }
    }
    Ok(lock)
}

/// Takes up the investigation of a ticket for this process. None when somebody else is on it.
pub(crate) async fn take_up(
    tx: &mut Tx,
    ticket: &Ticket,
    now: Timestamp,
) -> Result<Option<Job>, AgentError> {
    let when = due(ticket.sla_deadline, ticket.priority, now);
    let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
    let subject = ticket.id.as_str();
    let job = tx.take_up(INVESTIGATE, subject, (when, ticket.priority), now, lease);
    Ok(job.await?)
}

/// Investigates a ticket whose job this process took up. What goes wrong leaves the job for others.
pub(crate) async fn work_here(
    agent: &Agent,
    ticket: &TicketId,
    depth: Depth,
    job: Job,
) -> Result<InvestigationResult, AgentError> {
    let store = agent.workspace().store();
    let outcome = tokio::select! {
        outcome = agent.investigate(ticket, depth) => outcome,
        () = keep_lease(store, &job) => return Err(AgentError::Busy(ticket.clone())),
    };
    settle(store, &job, outcome.as_ref().map(|_| ())).await;
    outcome
}

/// Stores what became of a job. A passing trouble, such as a full disk, is no failed attempt: the job
/// waits.
async fn settle(store: &Store, job: &Job, outcome: Result<(), &AgentError>) {
    let (queue, now) = (store.queue(), SystemClock.now());
    let settled = match outcome {
        Ok(()) => queue.complete(&job.id).await,
        Err(error) if error.is_temporary() => {
            tracing::warn!(job = %job.id, subject = %job.subject, %error, "a job waits");
            queue.postpone(job, now).await
        }
        Err(error) => {
            tracing::error!(job = %job.id, subject = %job.subject, attempt = job.attempts, %error, "a job failed");
            metrics::counter!("gaby_jobs_failed_total").increment(1);
            queue.fail(job, &error.to_string(), now).await.map(|_| ())
        }
    };
    if let Err(error) = settled {
        tracing::error!(job = %job.id, %error, "what became of a job could not be stored; it will be done again");
    }
}

/// Does a job while keeping its lease, and says what became of it.
async fn work(store: &Store, agents: &dyn Agents, job: Job) {
    let outcome = tokio::select! {
        outcome = run_job(agents, &job) => outcome,
        () = keep_lease(store, &job) => {
            tracing::warn!(job = %job.id, "somebody else works on it now");
            return;
        }
    };
    settle(store, &job, outcome.as_ref().copied()).await;
}

/// Ends when the lease is lost.
async fn keep_lease(store: &Store, job: &Job) {
    let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match store.queue().renew(&job.id, SystemClock.now(), lease).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(job = %job.id, %error, "the lease could not be renewed"),
        }
    }
}

async fn run_job(agents: &dyn Agents, job: &Job) -> Result<(), AgentError> {
    let Some(agent) = agents.agent(&job.workspace).await else {
        tracing::warn!(job = %job.id, workspace = %job.workspace, "its workspace is gone");
        return Ok(());
    };
    if job.kind != INVESTIGATE {
        tracing::warn!(job = %job.id, kind = %job.kind, "nobody knows this kind of work");
        return Ok(());
    }
    let ticket: TicketId = job
        .subject
        .parse()
        .map_err(|error: gaby_model::id::IdError| AgentError::Record {
            what: format!("job {}", job.id),
            why: error.to_string(),
        })?;
    agent.investigate_if_needed(&ticket).await
}
