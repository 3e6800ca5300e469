//! A stored intent gives one key.
use gaby_gate::Intended;
use gaby_model::Timestamp;
use gaby_store::Workspace;

async fn twice(intended: Intended, workspace: &Workspace, now: Timestamp) {
    let _first = intended.send(workspace, now).await;
    let _second = intended.send(workspace, now).await;
}

fn main() {}
