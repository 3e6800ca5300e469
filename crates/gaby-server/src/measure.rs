//! Figures: requests by route and outcome, and how much work waits.

use std::sync::OnceLock;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use gaby_store::queue::QueueDepth;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The process's recorder. Made once; whoever comes later gets the same.
pub(crate) fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!(
                    "somebody else records this process's figures: /metrics stays empty"
                );
            }
            handle
        })
        .clone()
}

/// Notes how much waits.
pub(crate) fn queue(depth: &QueueDepth) {
    for (state, jobs) in [
        ("ready", depth.ready),
        ("leased", depth.leased),
        ("dead", depth.dead),
    ] {
        #[allow(clippy::cast_precision_loss, reason = "a gauge is a double")]
        metrics::gauge!("gaby_queue_jobs", "state" => state).set(jobs as f64);
    }
}

/// Counts and times a request, and writes its line in the log: method, route and outcome, and
/// nothing that somebody sent.
pub(crate) async fn request(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    // The pattern, not the address: ids would make endless series, and queries hold what people ask.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "console".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    let seconds = began.elapsed().as_secs_f64();
    let labels = [
        ("method", method.to_string()),
        ("route", route.clone()),
        ("status", status.as_str().to_owned()),
    ];
    metrics::counter!("gaby_http_requests_total", &labels).increment(1);
    metrics::histogram!("gaby_http_request_seconds", "route" => route.clone()).record(seconds);
    let millis = began.elapsed().as_millis();
    if status.is_server_error() {
        tracing::warn!(%method, route, status = status.as_u16(), millis, "request failed");
    } else {
        tracing::debug!(%method, route, status = status.as_u16(), millis, "request");
    }
    response
}
