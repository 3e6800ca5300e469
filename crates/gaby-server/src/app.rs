//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gaby_model::{Clock as _, SessionId, SystemClock, Timestamp, UserId};
use gaby_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use crate::auth::attempts::Attempts;
use crate::auth::cookie::Transport;
use crate::auth::password::Passwords;
use crate::tenants::Tenants;
use crate::writes::Writes;

/// The server's state. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Store,
    /// The address under which browsers reach this server.
    pub(crate) url: String,
    pub(crate) tenants: Tenants,
    /// Tells the worker that there is work now.
    pub(crate) wake: Arc<Notify>,
    pub(crate) passwords: Passwords,
    pub(crate) attempts: Attempts,
    pub(crate) transport: Transport,
    /// Whether a proxy stands before this server.
    pub(crate) behind_proxy: bool,
    /// Whether the store takes writes, as far as was last tried.
    pub(crate) writes: Writes,
    pub(crate) metrics: PrometheusHandle,
    /// Told of every session that ended, so that its live views close.
    pub(crate) ended_sessions: broadcast::Sender<SessionId>,
    /// Cancelled when the server goes down.
    pub(crate) shutdown: CancellationToken,
    /// In a demo, whom the one-time link signs in.
    pub(crate) demo_admin: Option<UserId>,
    /// Whether the one-time link has not been used yet.
    pub(crate) link_open: AtomicBool,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// Whether this server shows the demo.
    pub(crate) fn is_demo(&self) -> bool {
        self.demo_admin.is_some()
    }

    /// Whether a one-time link waits to be used.
    pub(crate) fn link_is_open(&self) -> bool {
        self.link_open.load(Ordering::Acquire)
    }
}

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}
