//! Tickets: taking in, listing, reading, answering.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gaby_agent::AgentSettings;
use gaby_model::{
    Action, Author, Confidence, Depth, IncomingTicket, Message, Priority, Requester, Ticket,
    TicketId, TicketState, Timestamp, Verdict,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::again;
use crate::api_token::sources_of;
use crate::app::App;
use crate::auth::caller::{Caller, In};
use crate::desk;
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Body, Id, Params};
use crate::inbox;
use crate::routes::investigations::{InvestigationView, latest};

/// The source of tickets that name none.
const SOURCE: &str = "api";
/// Sources that only this machine's own command line may name: it vouches for requesters.
const RESERVED: [&str; 1] = ["cli"];

/// Which tickets to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketQuery {
    /// Only those in this state.
    pub(crate) state: Option<TicketState>,
    /// Only those whose subject, requester or text contains this.
    pub(crate) q: Option<String>,
    /// From `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// How many, 1 to 200; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
    /// The workspace, unless the header `X-Gaby-Workspace` names it.
    #[allow(
        dead_code,
        reason = "read by the workspace's own extractor, documented here"
    )]
    pub(crate) workspace: Option<String>,
}

/// One page of tickets, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct TicketPage {
    /// The tickets.
    pub(crate) items: Vec<TicketSummary>,
    /// Where the next page begins; none on the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
    /// How many tickets of the workspace stand in each state.
    pub(crate) counts: BTreeMap<String, u64>,
}

/// One line of the inbox.
#[derive(Serialize, ToSchema)]
pub(crate) struct TicketSummary {
    /// Its id.
    pub(crate) id: TicketId,
    /// Its subject; empty when it has none.
    pub(crate) subject: String,
    /// The source it came from.
    pub(crate) source: String,
    /// Who asks.
    #[schema(required)]
    pub(crate) requester: Option<Requester>,
    /// Where it stands.
    pub(crate) state: TicketState,
    /// How soon it wants an answer.
    pub(crate) priority: Priority,
    /// When an answer is due.
    #[schema(required)]
    pub(crate) sla_deadline: Option<Timestamp>,
    /// How the latest investigation ended.
    #[schema(required)]
    pub(crate) verdict: Option<Verdict>,
    /// How sure it is.
    #[schema(required)]
    pub(crate) confidence: Option<Confidence>,
    /// What kind of request it is.
    #[schema(required)]
    pub(crate) category: Option<String>,
    /// How many proposed actions wait for a decision.
    pub(crate) pending_actions: u32,
    /// When it was taken in.
    pub(crate) created_at: Timestamp,
    /// When it last changed.
    pub(crate) updated_at: Timestamp,
    /// The beginning of what was written.
    pub(crate) preview: String,
}

/// A ticket with everything that belongs to it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TicketView {
    /// The ticket.
    pub(crate) ticket: Ticket,
    /// The conversation, oldest first.
    pub(crate) messages: Vec<Message>,
    /// The latest investigation.
    #[schema(required)]
    pub(crate) investigation: Option<InvestigationView>,
    /// Every action that was ever wanted for it, oldest first.
    pub(crate) actions: Vec<Action>,
}

/// What became of a ticket that was handed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct TakenIn {
    /// Its id.
    pub(crate) id: TicketId,
}

/// A human's turn.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessage {
    /// What is written, as Markdown.
    pub(crate) body: String,
    /// `agent` for a reply to the requester, `note` for the team only.
    pub(crate) author: Author,
}

/// A new state.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewState {
    /// `resolved`, `escalated`, `waiting_for_requester` or `reopened`.
    pub(crate) state: TicketState,
}

/// How to look again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LookAgain {
    /// How thorough to be.
    pub(crate) depth: Depth,
}

/// List tickets.
#[utoipa::path(get, path = "/api/tickets", tag = "tickets", params(TicketQuery),
    responses((status = 200, body = TicketPage), (status = 401, body = ErrorBody)))]
pub(crate) async fn list_tickets(
    In(workspace): In,
    Params(query): Params<TicketQuery>,
) -> ApiResult<Json<TicketPage>> {
    inbox::page(&workspace, &query).await.map(Json)
}

/// Hand in a ticket. Handing in the same `external_id` of the same `source` twice makes one ticket.
///
/// A token names a source that the operator settled something about, such as one whose word vouches for
/// requesters, only if it was granted that source.
#[utoipa::path(post, path = "/api/tickets", tag = "tickets", request_body = IncomingTicket,
    responses(
        (status = 202, description = "Taken in and safely stored", body = TakenIn),
        (status = 400, body = ErrorBody), (status = 403, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(crate) async fn create_ticket(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Body(ticket): Body<IncomingTicket>,
) -> ApiResult<(StatusCode, Json<TakenIn>)> {
    let source = ticket.source.clone().unwrap_or_else(|| SOURCE.to_owned());
    if RESERVED.contains(&source.as_str()) {
        return Err(ApiError::invalid(format!(
            "`source` cannot be `{source}`: that name is for this machine's own command line"
        )));
    }
    let tenant = app.tenants.of(&workspace).await?;
    may_speak_for(&caller, &source, &tenant.agent.settings())?;
    let taken = tenant.agent.intake(ticket, &source).await?;
    app.wake.notify_one();
    let id = taken.id().clone();
    Ok((StatusCode::ACCEPTED, Json(TakenIn { id })))
}

/// Whether a caller may say that a ticket comes from this source. What the operator settled about it,
/// above all that its word vouches for requesters, is settled about that source and not about every
/// program that can write its name.
fn may_speak_for(caller: &Caller, source: &str, settings: &AgentSettings) -> ApiResult<()> {
    match caller {
        Caller::Program(program)
            if settings.sources.contains_key(source)
                && !sources_of(&program.token).iter().any(|of| of == source) =>
        {
            Err(ApiError::forbidden(format!(
                "this token does not speak for the source `{source}`: make one that does, with \
                 `gaby token create NAME --scope tickets:write --source {source}`, or name another source"
            )))
        }
        Caller::Program(_) | Caller::Person(_) => Ok(()),
    }
}

/// Read a ticket with its conversation, its latest investigation and its actions.
#[utoipa::path(get, path = "/api/tickets/{id}", tag = "tickets",
    params(("id" = TicketId, Path, description = "The ticket")),
    responses((status = 200, body = TicketView), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_ticket(
    In(workspace): In,
    Id(id): Id<TicketId>,
) -> ApiResult<Json<TicketView>> {
    let ticket = workspace.tickets().get(&id).await?;
    Ok(Json(TicketView {
        messages: workspace.tickets().messages(&id).await?,
        investigation: latest(&workspace, &id).await?,
        actions: workspace.actions().of_ticket(&id).await?,
        ticket,
    }))
}

/// Answer the requester, or leave a note for the team.
#[utoipa::path(post, path = "/api/tickets/{id}/messages", tag = "tickets",
    params(("id" = TicketId, Path, description = "The ticket")), request_body = NewMessage,
    responses((status = 201, body = Message), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn add_message(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Id(id): Id<TicketId>,
    Body(message): Body<NewMessage>,
) -> ApiResult<(StatusCode, Json<Message>)> {
    if !matches!(message.author, Author::Agent | Author::Note) {
        return Err(ApiError::invalid("`author` must be `agent` or `note`"));
    }
    let desk = desk::Hand::new(&workspace, caller.actor(), app.now());
    let message = desk.write(&id, message.author, message.body).await?;
    Ok((StatusCode::CREATED, Json(message)))
}

/// Put a ticket into another state.
#[utoipa::path(post, path = "/api/tickets/{id}/state", tag = "tickets",
    params(("id" = TicketId, Path, description = "The ticket")), request_body = NewState,
    responses((status = 200, body = Ticket), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn set_ticket_state(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Id(id): Id<TicketId>,
    Body(form): Body<NewState>,
) -> ApiResult<Json<Ticket>> {
    let desk = desk::Hand::new(&workspace, caller.actor(), app.now());
    desk.put_into(&id, form.state).await.map(Json)
}

/// An investigation that waits for its turn.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queued {
    /// The ticket that is looked into; `investigation_changed` tells when it begins.
    pub(crate) ticket: TicketId,
}

/// Look into a ticket again.
#[utoipa::path(post, path = "/api/tickets/{id}/investigate", tag = "tickets",
    params(("id" = TicketId, Path, description = "The ticket")), request_body = LookAgain,
    responses((status = 202, body = Queued), (status = 404, body = ErrorBody)))]
pub(crate) async fn investigate_again(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Id(id): Id<TicketId>,
    Body(how): Body<LookAgain>,
) -> ApiResult<(StatusCode, Json<Queued>)> {
    let tenant = app.tenants.of(&workspace).await?;
    workspace.tickets().get(&id).await?;
    again::look(&app, tenant, caller.actor(), &id, how.depth).await?;
    Ok((StatusCode::ACCEPTED, Json(Queued { ticket: id })))
}
