//! Language models: what they were asked for an investigation.

use axum::Json;
use gaby_model::{InvestigationId, LlmCall, LlmCallId, LlmTalk, LlmUsed};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::caller::In;
use crate::error::{ApiResult, ErrorBody};
use crate::extract::Id;

/// What models were asked for an investigation.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmCallList {
    /// The calls, in the order in which they were made.
    pub(crate) items: Vec<LlmCall>,
    /// All of them together, without those that a budget stopped.
    pub(crate) used: LlmUsed,
}

/// One call of a model, with what was said.
#[derive(Serialize, ToSchema)]
pub(crate) struct LlmCallView {
    /// The call.
    #[serde(flatten)]
    pub(crate) call: LlmCall,
    /// What was said.
    #[serde(flatten)]
    pub(crate) talk: LlmTalk,
}

/// List what models were asked for an investigation.
#[utoipa::path(get, path = "/api/investigations/{id}/llm-calls", tag = "models",
    params(("id" = InvestigationId, Path, description = "The investigation")),
    responses((status = 200, body = LlmCallList),
        (status = 404, description = "No such investigation", body = ErrorBody)))]
pub(crate) async fn list_llm_calls(
    In(workspace): In,
    Id(id): Id<InvestigationId>,
) -> ApiResult<Json<LlmCallList>> {
    workspace.investigations().get(&id).await?;
    Ok(Json(LlmCallList {
        items: workspace.llm_calls().of(&id).await?,
        used: workspace.llm_calls().used_by(&id).await?,
    }))
}

/// Read one call of a model, with what was said.
#[utoipa::path(get, path = "/api/llm-calls/{id}", tag = "models",
    params(("id" = LlmCallId, Path, description = "The call")),
    responses((status = 200, body = LlmCallView),
        (status = 404, description = "No such call", body = ErrorBody)))]
pub(crate) async fn get_llm_call(
    In(workspace): In,
    Id(id): Id<LlmCallId>,
) -> ApiResult<Json<LlmCallView>> {
    let (call, talk) = workspace.llm_calls().get(&id).await?;
    Ok(Json(LlmCallView { call, talk }))
}
