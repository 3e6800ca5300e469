//! Live events, published after the commit of what they tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gaby_model::{Event, WorkspaceId};
use tokio::sync::broadcast;

/// How many events a slow watcher may lag behind before it must look anew.
const BACKLOG: usize = 1024;

/// The events of every workspace of this process.
#[derive(Clone, Default)]
pub struct Events {
    channels: Arc<Mutex<HashMap<WorkspaceId, broadcast::Sender<Event>>>>,
}

impl Events {
    /// What happens in a workspace from now on.
    #[must_use]
    pub fn subscribe(&self, workspace: &WorkspaceId) -> broadcast::Receiver<Event> {
        self.channel(workspace).subscribe()
    }

    /// Tells everybody who watches. Nobody watching is fine.
    pub fn publish(&self, workspace: &WorkspaceId, event: Event) {
        let _ = self.channel(workspace).send(event);
    }

    fn channel(&self, workspace: &WorkspaceId) -> broadcast::Sender<Event> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels
            .entry(workspace.clone())
            .or_insert_with(|| broadcast::channel(BACKLOG).0)
            .clone()
    }
}
