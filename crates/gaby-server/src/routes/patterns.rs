//! Standing approvals: a yes in advance to the like of an action, for so many calls and so long.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gaby_agent::{Considered, Like};
use gaby_gate::scope::Condition;
use gaby_gate::{Pattern, display};
use gaby_model::{ActionId, PatternId, Timestamp, ToolRef, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::{In, Person};
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Body, Id};
use crate::routes::actions::approver;

/// What is allowed in advance.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPattern {
    /// What must hold of the arguments, by name, such as `{"amount": {"at_most": 20}}`; one that is
    /// not named must be as it is in the action. A condition is one of `equals`, `one_of`, `none_of`,
    /// `at_most`, `at_least`, `starts_with`, `ends_with`.
    #[serde(default)]
    #[schema(value_type = Value)]
    pub(crate) arguments: BTreeMap<String, Value>,
    /// For how many calls, at most 500.
    pub(crate) calls: u32,
    /// For how many hours, at most 336 (14 days).
    pub(crate) hours: u32,
    /// Only say what it would be and what it would have covered; nothing is allowed.
    #[serde(default)]
    pub(crate) only_consider: bool,
}

/// A standing approval.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatternView {
    /// Its id.
    pub(crate) id: PatternId,
    /// The tool.
    pub(crate) tool: ToolRef,
    /// What must hold of the arguments, by name, with characters that cannot be seen written out.
    #[schema(value_type = Value)]
    pub(crate) arguments: Value,
    /// For how many more calls.
    pub(crate) remaining: u32,
    /// Until when.
    pub(crate) ends_at: Timestamp,
    /// Who gave it.
    pub(crate) by: UserId,
}

/// A standing approval, with what it would have covered.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsideredPattern {
    /// The approval.
    pub(crate) pattern: PatternView,
    /// How many actions of the last 30 days it would have covered.
    pub(crate) would_have_covered: usize,
    /// What those did, oldest first.
    pub(crate) summaries: Vec<String>,
}

/// The standing approvals that hold now.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatternList {
    /// The approvals.
    pub(crate) items: Vec<PatternView>,
}

impl PatternView {
    fn new(pattern: Pattern) -> ApiResult<Self> {
        let arguments = serde_json::to_value(&pattern.arguments)
            .map_err(|error| ApiError::internal("showing the approval", &error))?;
        let shown = display::render(&arguments)
            .map_err(|error| ApiError::internal("showing the approval", &error))?;
        Ok(Self {
            id: pattern.id,
            tool: pattern.tool,
            arguments: shown.arguments,
            remaining: pattern.remaining,
            ends_at: pattern.ends_at,
            by: pattern.by,
        })
    }
}

impl ConsideredPattern {
    fn new(considered: Considered) -> ApiResult<Self> {
        Ok(Self {
            pattern: PatternView::new(considered.pattern)?,
            would_have_covered: considered.would_have_covered.len(),
            summaries: considered
                .would_have_covered
                .into_iter()
                .map(|action| action.summary)
                .collect(),
        })
    }
}

/// List the standing approvals that hold now.
#[utoipa::path(get, path = "/api/patterns", tag = "actions", responses((status = 200, body = PatternList)))]
pub(crate) async fn list_patterns(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<PatternList>> {
    let tenant = app.tenants.of(&workspace).await?;
    let standing = tenant.agent.standing_approvals().await?;
    let items = standing.into_iter().map(PatternView::new);
    Ok(Json(PatternList {
        items: items.collect::<ApiResult<_>>()?,
    }))
}

/// Say yes in advance to the like of an action. It never stands in for what always needs a human.
#[utoipa::path(post, path = "/api/actions/{id}/patterns", tag = "actions",
    params(("id" = ActionId, Path, description = "The action")), request_body = NewPattern,
    responses((status = 200, body = ConsideredPattern),
        (status = 400, description = "Not bounded, or for what always needs a human", body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn allow_like(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Id(id): Id<ActionId>,
    Body(form): Body<NewPattern>,
) -> ApiResult<Json<ConsideredPattern>> {
    let mut arguments = BTreeMap::new();
    for (name, condition) in form.arguments {
        let read: Condition = serde_json::from_value(condition).map_err(|error| {
            ApiError::invalid(format!("the condition of `{name}` is none: {error}"))
        })?;
        arguments.insert(name, read);
    }
    let like = Like {
        arguments,
        calls: form.calls,
        hours: form.hours,
    };
    let agent = app.tenants.of(&workspace).await?.agent;
    let by = approver(&person);
    let considered = match form.only_consider {
        true => agent.consider_like(&id, &like, by).await?,
        false => agent.allow_like(&id, &like, by).await?,
    };
    ConsideredPattern::new(considered).map(Json)
}

/// End a standing approval at once.
#[utoipa::path(delete, path = "/api/patterns/{id}", tag = "actions",
    params(("id" = PatternId, Path, description = "The approval")),
    responses((status = 204, description = "Ended"), (status = 404, body = ErrorBody)))]
pub(crate) async fn end_pattern(
    State(app): State<App>,
    person: Person,
    In(workspace): In,
    Id(id): Id<PatternId>,
) -> ApiResult<StatusCode> {
    let tenant = app.tenants.of(&workspace).await?;
    match tenant
        .agent
        .end_standing_approval(&id, approver(&person))
        .await?
    {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found(format!(
            "there is no standing approval {id}"
        ))),
    }
}
