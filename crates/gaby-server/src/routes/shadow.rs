//! What Gaby would have done with a connector that is only rehearsed, and what people did instead.

use axum::Json;
use axum::extract::State;
use gaby_agent::Shadow;
use gaby_gate::dry_run::{Afterwards, Rehearsal};
use gaby_model::{Change, RiskPart, TicketId, Timestamp, ToolCall};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::caller::In;
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Id, Params};
use crate::routes::consents::ever_known;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// How far back to look.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShadowQuery {
    /// Days, 1 to 90; 7 by default.
    pub(crate) days: Option<u8>,
    /// The workspace, unless the header `X-Gaby-Workspace` names it.
    #[allow(
        dead_code,
        reason = "read by the workspace's own extractor, documented here"
    )]
    pub(crate) workspace: Option<String>,
}

/// How things stand now, where Gaby would have changed something.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// As Gaby would have made it: people did the same.
    AsGabyWouldHave,
    /// As it was: people changed nothing.
    AsItWas,
    /// Otherwise: what people did instead.
    Otherwise,
    /// Nobody could look.
    NotLooked,
}

/// A write that was only shown as it would be.
#[derive(Serialize, ToSchema)]
pub(crate) struct RehearsalView {
    /// The ticket it was for.
    pub(crate) ticket: TicketId,
    /// The exact call.
    pub(crate) call: ToolCall,
    /// What it would have done.
    pub(crate) summary: String,
    /// What it would have changed.
    pub(crate) changes: Vec<Change>,
    /// Its risk, 0 to 100.
    pub(crate) risk: u8,
    /// What adds up to its risk.
    pub(crate) risk_parts: Vec<RiskPart>,
    /// Why a human would have been asked; empty when none would have been.
    pub(crate) would_ask_because: Vec<String>,
    /// When.
    pub(crate) at: Timestamp,
    /// How things stand now.
    pub(crate) afterwards: Standing,
    /// What is otherwise than it was, if it is.
    pub(crate) changed_by_people: Vec<Change>,
}

/// What Gaby would have done with a connector.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShadowView {
    /// The connector.
    pub(crate) connector: String,
    /// From when.
    pub(crate) since: Timestamp,
    /// How many writes she would have made by herself.
    pub(crate) would_have_acted: usize,
    /// How many she would have asked for.
    pub(crate) would_have_asked: usize,
    /// How many stand now as she would have made them.
    pub(crate) as_gaby_would_have: usize,
    /// How many stand as they were.
    pub(crate) as_it_was: usize,
    /// How many stand otherwise.
    pub(crate) otherwise: usize,
    /// How many nobody could look at.
    pub(crate) not_looked: usize,
    /// How many of each tool.
    pub(crate) by_tool: BTreeMap<String, usize>,
    /// How often each reason to ask would have been given.
    pub(crate) by_reason: BTreeMap<String, usize>,
    /// Each of them, oldest first.
    pub(crate) rehearsals: Vec<RehearsalView>,
}

impl RehearsalView {
    fn new(rehearsal: Rehearsal, afterwards: Afterwards) -> Self {
        let (afterwards, changed_by_people) = match afterwards {
            Afterwards::NotLooked => (Standing::NotLooked, Vec::new()),
            Afterwards::AsGabyWouldHave => (Standing::AsGabyWouldHave, Vec::new()),
            Afterwards::AsItWas => (Standing::AsItWas, Vec::new()),
            Afterwards::Otherwise(changes) => (Standing::Otherwise, changes),
        };
        Self {
            ticket: rehearsal.ticket,
            call: rehearsal.call,
            summary: rehearsal.summary,
            changes: rehearsal.diff.changes,
            risk: rehearsal.risk.score,
            risk_parts: rehearsal.risk.parts,
            would_ask_because: rehearsal.would_ask_because,
            at: rehearsal.at,
            afterwards,
            changed_by_people,
        }
    }
}

impl ShadowView {
    fn new(shadow: Shadow) -> Self {
        Self {
            connector: shadow.report.connector,
            since: shadow.report.since,
            would_have_acted: shadow.report.would_have_acted,
            would_have_asked: shadow.report.would_have_asked,
            as_gaby_would_have: shadow.as_gaby_would_have,
            as_it_was: shadow.as_it_was,
            otherwise: shadow.otherwise,
            not_looked: shadow.not_looked,
            by_tool: shadow.report.by_tool,
            by_reason: shadow.report.by_reason,
            rehearsals: shadow
                .report
                .rehearsals
                .into_iter()
                .zip(shadow.afterwards)
                .map(|(rehearsal, afterwards)| RehearsalView::new(rehearsal, afterwards))
                .collect(),
        }
    }
}

/// Read what Gaby would have done with a connector, and what people did instead.
#[utoipa::path(get, path = "/api/connectors/{name}/shadow", tag = "connectors",
    params(("name" = String, Path, description = "The connector"), ShadowQuery),
    responses((status = 200, body = ShadowView), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn shadow_report(
    State(app): State<App>,
    In(workspace): In,
    Id(name): Id<String>,
    Params(query): Params<ShadowQuery>,
) -> ApiResult<Json<ShadowView>> {
    let days = query.days.unwrap_or(7);
    if !(1..=90).contains(&days) {
        return Err(ApiError::invalid("`days` is a number from 1 to 90"));
    }
    ever_known(&workspace, &name).await?;
    let tenant = app.tenants.of(&workspace).await?;
    let since = app.now().plus_millis(-i64::from(days) * DAY_MILLIS);
    let shadow = tenant.agent.shadow_report(&name, since).await?;
    Ok(Json(ShadowView::new(shadow)))
}
