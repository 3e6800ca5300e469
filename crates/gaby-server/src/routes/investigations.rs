//! The latest investigation of a ticket, step by step.

use axum::Json;
use gaby_model::{Evidence, Investigation, Step, TicketId};
use gaby_store::Workspace;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::caller::In;
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::Id;

/// An investigation with its timeline and what it found.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvestigationView {
    /// The investigation.
    #[serde(flatten)]
    pub(crate) investigation: Investigation,
    /// The timeline, oldest first.
    pub(crate) steps: Vec<Step>,
    /// The facts, by number.
    pub(crate) evidence: Vec<Evidence>,
}

/// The latest investigation of a ticket, if anybody looked into it.
pub(crate) async fn latest(
    workspace: &Workspace,
    ticket: &TicketId,
) -> ApiResult<Option<InvestigationView>> {
    let Some(investigation) = workspace.investigations().latest(ticket).await? else {
        return Ok(None);
    };
    Ok(Some(InvestigationView {
        steps: workspace.investigations().steps(&investigation.id).await?,
        evidence: workspace
            .investigations()
            .evidence(&investigation.id)
            .await?,
        investigation,
    }))
}

/// Read the latest investigation of a ticket.
#[utoipa::path(get, path = "/api/tickets/{id}/investigation", tag = "tickets",
    params(("id" = TicketId, Path, description = "The ticket")),
    responses((status = 200, body = InvestigationView),
        (status = 404, description = "No such ticket, or nobody looked into it yet", body = ErrorBody)))]
pub(crate) async fn get_investigation(
    In(workspace): In,
    Id(id): Id<TicketId>,
) -> ApiResult<Json<InvestigationView>> {
    workspace.tickets().get(&id).await?;
    latest(&workspace, &id)
        .await?
        .map(Json)
        .ok_or_else(|| ApiError::not_found(format!("nobody looked into {id} yet")))
}
