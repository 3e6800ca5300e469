//! Links by which a person finds an action, such as in a mail. A link decides nothing: whoever follows
//! it must be signed in as the person it was made for, and then sees the action.

use axum::Json;
use axum::extract::State;
use gaby_gate::links;
use gaby_model::{ActionId, ActionState, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::{In, Person, decides};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Body, Id};

/// For whom a link is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLink {
    /// The address of somebody who may decide in this workspace.
    pub(crate) email: String,
}

/// A link, shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// The address to open.
    pub(crate) url: String,
    /// Until when it can be followed: as long as the action waits.
    pub(crate) ends_at: Timestamp,
}

/// What was found in a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Followed {
    /// What stands after `#token=`.
    pub(crate) token: String,
}

/// Where a link leads.
#[derive(Serialize, ToSchema)]
pub(crate) struct Led {
    /// The action.
    pub(crate) action: ActionId,
}

/// Make a link that leads one person to an action, once.
#[utoipa::path(post, path = "/api/actions/{id}/link", tag = "actions",
    params(("id" = ActionId, Path, description = "The action")), request_body = NewLink,
    responses((status = 200, body = LinkView), (status = 400, description = "Nobody of this address decides here", body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, description = "Decided already", body = ErrorBody)))]
pub(crate) async fn make_link(
    State(app): State<App>,
    _person: Person,
    In(workspace): In,
    Id(id): Id<ActionId>,
    Body(form): Body<NewLink>,
) -> ApiResult<Json<LinkView>> {
    let action = workspace.actions().get(&id).await?;
    if action.state != ActionState::Proposed {
        return Err(ApiError::conflict(format!(
            "the action {id} is {} already",
            action.state.as_str()
        )));
    }
    let user = app.store.accounts().user_by_email(&form.email).await?;
    let Some(user) = user.filter(|user| decides(user, workspace.id())) else {
        return Err(ApiError::invalid(format!(
            "nobody with the address `{}` decides in this workspace",
            form.email
        )));
    };
    let token = links::make(&workspace, &action, &user.id)
        .await
        .map_err(gaby_agent::AgentError::from)?;
    Ok(Json(LinkView {
        url: links::address(&app.url, workspace.slug(), &token),
        ends_at: action.expires_at,
    }))
}

/// Follow a link: uses it up, and says which action it leads to.
#[utoipa::path(post, path = "/api/links/follow", tag = "actions", request_body = Followed,
    responses((status = 200, body = Led),
        (status = 409, description = "Used, ended, or made for somebody else", body = ErrorBody)))]
pub(crate) async fn follow_link(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Body(followed): Body<Followed>,
) -> ApiResult<Json<Led>> {
    let action = links::follow(&workspace, &followed.token, &person.user.id, app.now())
        .await
        .map_err(gaby_agent::AgentError::from)?;
    Ok(Json(Led { action }))
}
