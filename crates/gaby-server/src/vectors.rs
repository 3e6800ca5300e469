//! Vectors fill in behind: what was ingested here or by another process is embedded when nobody
//! else does it.

use std::time::Duration;

use gaby_agent::queue::Agents as _;
use gaby_knowledge::{Knowledge, Silent};
use tokio_util::sync::CancellationToken;

use crate::app::App;

const LOOK: Duration = Duration::from_secs(20);

/// Makes missing vectors until the server goes down.
pub(crate) async fn fill_in(app: App, shutdown: CancellationToken) {
    loop {
        for agent in app.tenants.all().await {
            let work = async {
                if let Ok(tenant) = app.tenants.open(agent.workspace()).await {
                    make(&tenant.knowledge, agent.workspace().slug()).await;
                }
            };
            tokio::select! {
                () = work => {}
                // What was made until now is stored, and the next start goes on from there.
                () = shutdown.cancelled() => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn make(knowledge: &Knowledge, workspace: &str) {
    let missing = match knowledge.stats().await {
        Ok(stats) => stats.chunks.saturating_sub(stats.embedded),
        Err(error) => {
            tracing::error!(workspace, %error, "the knowledge base cannot be read");
            return;
        }
    };
    if missing == 0 {
        return;
    }
    match knowledge.embed_pending(&Silent).await {
        Ok(made) => tracing::info!(workspace, made, "vectors made"),
        Err(error) => tracing::warn!(workspace, %error, "vectors are missing still"),
    }
}
