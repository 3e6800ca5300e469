//! Whether everything works: for people (`/api/status`) and for probes (`/healthz`, `/metrics`).

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use gaby_agent::Agent;
use gaby_llm::Purpose;
use gaby_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::caller::In;
use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::measure;
use crate::routes::connectors::ConnectorState;

/// The brain that needs no model.
const BUILTIN: &str = "builtin";

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusView {
    /// The running version.
    pub(crate) version: String,
    /// `sqlite` or `postgres`.
    pub(crate) database: String,
    /// Work that waits.
    pub(crate) queue: QueueView,
    /// The connectors.
    pub(crate) connectors: Vec<ConnectorHealth>,
    /// Vectors.
    pub(crate) embedding: EmbeddingView,
    /// Who thinks: `builtin`, or a model's name.
    pub(crate) brain: String,
}

/// Work that waits.
#[derive(Serialize, ToSchema)]
pub(crate) struct QueueView {
    /// Jobs that wait.
    pub(crate) ready: u64,
    /// Jobs that are being done.
    pub(crate) leased: u64,
    /// Jobs that failed too often and wait for a human.
    pub(crate) dead: u64,
    /// How long the oldest has waited; none when none waits.
    #[schema(required)]
    pub(crate) oldest_seconds: Option<u64>,
}

/// A connector's health.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectorHealth {
    /// Its name.
    pub(crate) name: String,
    /// Whether it can be reached.
    pub(crate) state: ConnectorState,
    /// What failed last; none while it is up.
    #[schema(required)]
    pub(crate) last_error: Option<String>,
}

/// Vectors.
#[derive(Serialize, ToSchema)]
pub(crate) struct EmbeddingView {
    /// What makes them.
    pub(crate) model: String,
    /// Passages that still wait for theirs.
    pub(crate) pending: u64,
}

/// Whether the process is alive and its store answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    pub(crate) status: String,
}

/// How the server is, for people.
#[utoipa::path(get, path = "/api/status", tag = "status",
    responses((status = 200, body = StatusView)))]
pub(crate) async fn get_status(
    State(app): State<App>,
    In(workspace): In,
) -> ApiResult<Json<StatusView>> {
    let depth = app.store.queue().depth().await?;
    let tenant = app.tenants.of(&workspace).await?;
    let stats = tenant.knowledge.stats().await?;
    let waited =
        |since: Timestamp| u64::try_from(app.now().millis_since(since) / 1000).unwrap_or(0);
    Ok(Json(StatusView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: app.store.engine_name().to_owned(),
        queue: QueueView {
            ready: depth.ready,
            leased: depth.leased,
            dead: depth.dead,
            oldest_seconds: depth.oldest.map(waited),
        },
        connectors: tenant
            .host
            .status()
            .await
            .into_iter()
            .map(|connector| ConnectorHealth {
                name: connector.name,
                state: connector.state.into(),
                last_error: connector.last_error,
            })
            .collect(),
        embedding: EmbeddingView {
            model: app.tenants.embedder_id().to_owned(),
            pending: stats.chunks.saturating_sub(stats.embedded),
        },
        brain: brain(&tenant.agent),
    }))
}

/// The model that is asked first, or the builtin brain.
fn brain(agent: &Agent) -> String {
    let route = agent.models().and_then(|models| {
        let desk = &models.desk;
        desk.llm().route(Purpose::Investigate, desk.narrowed()).ok()
    });
    route
        .and_then(|route| route.providers.into_iter().next())
        .map_or_else(|| BUILTIN.to_owned(), |first| first.model)
}

/// Whether the process is alive, and its store answers and takes writes.
#[utoipa::path(get, path = "/healthz", tag = "status",
    responses((status = 200, body = Health), (status = 503, body = ErrorBody)))]
pub(crate) async fn healthz(State(app): State<App>) -> ApiResult<Json<Health>> {
    app.store.ping().await.map_err(|error| {
        tracing::error!(%error, "the store does not answer");
        ApiError::unavailable("the store does not answer")
    })?;
    if let Some(why) = app.writes.failed(&app.store).await {
        return Err(ApiError::unavailable(why));
    }
    Ok(Json(Health {
        status: "ok".to_owned(),
    }))
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "status",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<App>) -> ApiResult<impl IntoResponse> {
    let depth = app.store.queue().depth().await?;
    measure::queue(&depth);
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((kind, app.metrics.render()))
}
