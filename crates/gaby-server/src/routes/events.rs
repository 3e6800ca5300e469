//! Live views: what just happened, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use futures_util::StreamExt as _;
use gaby_model::Event;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::caller::{Caller, In};
use crate::extract::Params;
use crate::live;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What is sent: a change, or a call to look at everything again.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum LiveEvent {
    /// Something changed.
    Change(Event),
    /// Events were missed: read again whatever is shown.
    Resync(Resync),
}

/// Events were missed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Resync {
    /// Always `resync`.
    #[serde(rename = "type")]
    pub(crate) kind: ResyncKind,
}

/// The word `resync`.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResyncKind {
    /// Events were missed.
    Resync,
}

/// Of which workspace.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventQuery {
    /// The workspace; a browser's event source cannot send the header.
    #[allow(
        dead_code,
        reason = "read by the workspace's own extractor, documented here"
    )]
    pub(crate) workspace: Option<String>,
}

/// Follow what happens. Each event is one `data:` line of JSON; `: keep-alive` comments between.
#[utoipa::path(get, path = "/api/events", tag = "status", params(EventQuery),
    responses((status = 200, description = "A stream that stays open", body = LiveEvent, content_type = "text/event-stream")))]
pub(crate) async fn follow_events(
    State(app): State<App>,
    caller: Caller,
    In(workspace): In,
    Params(_query): Params<EventQuery>,
) -> impl IntoResponse {
    let stream = live::follow(app, caller, &workspace).map(|event| {
        // An event is a small struct of ids: it always has a JSON form.
        let event = SseEvent::default().json_data(event).unwrap_or_default();
        Ok::<_, Infallible>(event)
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive");
    // Proxies that gather answers would hold events back.
    let unbuffered = [("x-accel-buffering", "no"), ("cache-control", "no-store")];
    (unbuffered, Sse::new(stream).keep_alive(keep_alive))
}
