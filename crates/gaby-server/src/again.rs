//! Looking into a ticket again, because a human asked for it.

use gaby_agent::intake::INVESTIGATE;
use gaby_model::{Depth, TicketId, TicketState};
use gaby_store::audit::{Actor, AuditRecord};
use gaby_store::queue::due;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiResult;
use crate::tenant::Tenant;

/// Has a ticket looked into again. The usual depth goes through the durable queue; a look of
/// another depth begins at once, and a restart makes it one of the usual depth.
///
/// # Errors
/// When the store fails.
pub(crate) async fn look(
    app: &App,
    tenant: Tenant,
    actor: Actor,
    ticket: &TicketId,
    depth: Depth,
) -> ApiResult<()> {
    let known = tenant.workspace.tickets().get(ticket).await?;
    let now = app.now();
    let mut tx = tenant.workspace.begin().await?;
    tx.tickets()
        .set_state(ticket, TicketState::Reopened, now)
        .await?;
    if depth == Depth::Standard {
        let due = due(known.sla_deadline, known.priority, now);
        tx.enqueue(INVESTIGATE, ticket.as_str(), due, known.priority, now)
            .await?;
    }
    tx.audit(AuditRecord {
        actor,
        action: "ticket.investigate_again".to_owned(),
        object: ticket.to_string(),
        decision: json!({ "depth": depth }),
        content: Value::Null,
        at: now,
    });
    tx.commit().await?;
    if depth == Depth::Standard {
        app.wake.notify_one();
        return Ok(());
    }
    let ticket = ticket.clone();
    tokio::spawn(async move {
        if let Err(error) = tenant.agent.investigate(&ticket, depth).await {
            tracing::error!(%ticket, %error, "looking again failed");
        }
    });
    Ok(())
}
