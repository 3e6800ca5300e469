//! Actions that wait for a human, and what became of them.

use axum::Json;
use axum::extract::State;
use gaby_agent::{AgentError, Approver, shown};
use gaby_gate::display;
use gaby_model::{Action, ActionId, ActionState, ArgumentRole, Integrity};
use gaby_store::Workspace;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::caller::{In, Person};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Body, Id, Params};

/// How many actions one list holds.
const MOST_LISTED: u32 = 500;
/// The longest reason of a rejection, in bytes.
const LONGEST_REASON: usize = 4_000;

/// Which actions to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionQuery {
    /// Only those in this state.
    pub(crate) state: Option<ActionState>,
    /// The workspace, unless the header `X-Gaby-Workspace` names it.
    #[allow(
        dead_code,
        reason = "read by the workspace's own extractor, documented here"
    )]
    pub(crate) workspace: Option<String>,
}

/// An action with what the person who decides needs to see.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActionView {
    /// The action.
    #[serde(flatten)]
    pub(crate) action: Action,
    /// The subject of its ticket.
    pub(crate) ticket_subject: String,
    /// The arguments as they really are.
    pub(crate) display: ActionDisplay,
    /// What it reaches, in a few words.
    pub(crate) reach: String,
    /// Where the value of each argument comes from; empty in lists.
    pub(crate) sources: Vec<ArgumentSource>,
}

/// Where the value of an argument comes from.
#[derive(Serialize, ToSchema)]
pub(crate) struct ArgumentSource {
    /// The argument's name.
    pub(crate) argument: String,
    /// What it is for; none where nothing declares it.
    #[schema(required)]
    pub(crate) role: Option<ArgumentRole>,
    /// How far its value can be trusted.
    pub(crate) integrity: Integrity,
    /// Where its value comes from, for people.
    pub(crate) from: Vec<String>,
}

/// Other arguments in the place of those that wait for a decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// `decision_hash` of the action as it was shown; a different one is refused.
    pub(crate) decision_hash: String,
    /// All arguments of the call, as they should be.
    #[schema(value_type = Value)]
    pub(crate) arguments: Map<String, Value>,
}

/// Arguments made visible: the bytes that were decided on, with nothing hidden in them.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActionDisplay {
    /// The arguments, with characters that cannot be seen written as `\u{…}`.
    pub(crate) arguments: Value,
    /// What a reader could miss; empty when nothing.
    pub(crate) warnings: Vec<String>,
}

/// Actions, latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActionList {
    /// The actions.
    pub(crate) items: Vec<ActionView>,
}

/// A yes to exactly what was shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    /// `decision_hash` of the action as it was shown; a different one is refused.
    pub(crate) decision_hash: String,
}

/// A no.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rejection {
    /// Why, for the record; may be empty.
    #[serde(default)]
    pub(crate) reason: String,
}

impl ActionView {
    /// An action with everything about it.
    pub(crate) async fn whole(workspace: &Workspace, action: Action) -> ApiResult<Self> {
        let sources = shown::arguments(workspace, &action).await?;
        let mut view = Self::new(workspace, action).await?;
        view.sources = sources
            .into_iter()
            .map(|shown| ArgumentSource {
                argument: shown.argument,
                role: shown.role,
                integrity: shown.integrity,
                from: shown.from,
            })
            .collect();
        Ok(view)
    }

    /// An action as a list shows it.
    pub(crate) async fn new(workspace: &Workspace, action: Action) -> ApiResult<Self> {
        let ticket = workspace.tickets().get(&action.ticket).await?;
        let display = display::render(&action.call.arguments)
            .map_err(|error| ApiError::internal("showing the arguments", &error))?;
        Ok(Self {
            reach: shown::reach(&action),
            sources: Vec::new(),
            action,
            ticket_subject: ticket.subject,
            display: ActionDisplay {
                arguments: display.arguments,
                warnings: display.warnings,
            },
        })
    }
}

pub(crate) fn approver(person: &Person) -> Approver<'_> {
    Approver {
        user: &person.user.id,
        email: &person.user.email,
    }
}

/// Goes on when the caller hangs up: what was begun at a vendor must be recorded.
async fn uninterrupted<F>(work: F) -> ApiResult<Action>
where
    F: Future<Output = Result<Action, AgentError>> + Send + 'static,
{
    match tokio::spawn(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(ApiError::internal("carrying out the action", &error)),
    }
}

/// List actions.
#[utoipa::path(get, path = "/api/actions", tag = "actions", params(ActionQuery),
    responses((status = 200, body = ActionList)))]
pub(crate) async fn list_actions(
    In(workspace): In,
    Params(query): Params<ActionQuery>,
) -> ApiResult<Json<ActionList>> {
    let mut items = Vec::new();
    for action in workspace.actions().list(query.state, MOST_LISTED).await? {
        items.push(ActionView::new(&workspace, action).await?);
    }
    items.reverse();
    Ok(Json(ActionList { items }))
}

/// Read an action.
#[utoipa::path(get, path = "/api/actions/{id}", tag = "actions",
    params(("id" = ActionId, Path, description = "The action")),
    responses((status = 200, body = ActionView), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_action(
    In(workspace): In,
    Id(id): Id<ActionId>,
) -> ApiResult<Json<ActionView>> {
    let action = workspace.actions().get(&id).await?;
    ActionView::whole(&workspace, action).await.map(Json)
}

/// Approve an action and carry it out, once.
#[utoipa::path(post, path = "/api/actions/{id}/approve", tag = "actions",
    params(("id" = ActionId, Path, description = "The action")), request_body = Approval,
    responses((status = 200, body = ActionView), (status = 404, body = ErrorBody),
        (status = 409, description = "Already decided, expired, or no longer what was shown", body = ErrorBody)))]
pub(crate) async fn approve_action(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Id(id): Id<ActionId>,
    Body(approval): Body<Approval>,
) -> ApiResult<Json<ActionView>> {
    let tenant = app.tenants.of(&workspace).await?;
    let action = uninterrupted(async move {
        let approver = approver(&person);
        tenant
            .agent
            .approve(&id, &approval.decision_hash, approver)
            .await
    })
    .await?;
    ActionView::whole(&workspace, action).await.map(Json)
}

/// Reject an action.
#[utoipa::path(post, path = "/api/actions/{id}/reject", tag = "actions",
    params(("id" = ActionId, Path, description = "The action")), request_body = Rejection,
    responses((status = 200, body = ActionView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn reject_action(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Id(id): Id<ActionId>,
    Body(rejection): Body<Rejection>,
) -> ApiResult<Json<ActionView>> {
    if rejection.reason.len() > LONGEST_REASON {
        return Err(ApiError::invalid(format!(
            "`reason` has {} bytes, more than the {LONGEST_REASON} that are kept",
            rejection.reason.len()
        )));
    }
    let tenant = app.tenants.of(&workspace).await?;
    let action = uninterrupted(async move {
        tenant
            .agent
            .reject(&id, approver(&person), &rejection.reason)
            .await
    })
    .await?;
    ActionView::whole(&workspace, action).await.map(Json)
}

/// Put other arguments in the place of those that wait. It is a new action, weighed anew, to be
/// decided on like any other; the one before is void.
#[utoipa::path(post, path = "/api/actions/{id}/edit", tag = "actions",
    params(("id" = ActionId, Path, description = "The action")), request_body = Edit,
    responses((status = 200, description = "The action that takes its place", body = ActionView),
        (status = 404, body = ErrorBody),
        (status = 409, description = "Already decided, or may not happen with these arguments", body = ErrorBody)))]
pub(crate) async fn edit_action(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Id(id): Id<ActionId>,
    Body(edit): Body<Edit>,
) -> ApiResult<Json<ActionView>> {
    let tenant = app.tenants.of(&workspace).await?;
    let action = uninterrupted(async move {
        let arguments = Value::Object(edit.arguments);
        let hash = edit.decision_hash;
        let editor = approver(&person);
        tenant.agent.edit(&id, &hash, arguments, editor).await
    })
    .await?;
    ActionView::whole(&workspace, action).await.map(Json)
}

/// Take back an action that was done.
#[utoipa::path(post, path = "/api/actions/{id}/undo", tag = "actions",
    params(("id" = ActionId, Path, description = "The action")),
    responses((status = 200, body = ActionView), (status = 404, body = ErrorBody),
        (status = 409, description = "Not done, or cannot be taken back", body = ErrorBody)))]
pub(crate) async fn undo_action(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Id(id): Id<ActionId>,
) -> ApiResult<Json<ActionView>> {
    let tenant = app.tenants.of(&workspace).await?;
    uninterrupted({
        let id = id.clone();
        async move { tenant.agent.undo(&id, approver(&person)).await }
    })
    .await?;
    let action = workspace.actions().get(&id).await?;
    ActionView::whole(&workspace, action).await.map(Json)
}
