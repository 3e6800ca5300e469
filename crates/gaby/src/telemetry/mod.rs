//! Traces on their way out: spans of [`gaby_model::telemetry::SPANS`], batched, by OTLP over HTTP.
//!
//! Off unless an address is set. Nothing here can hold up an investigation: spans wait in a queue of
//! bounded length, a thread of its own sends them, and what the receiver does not take in time is
//! dropped. Only the end of the process waits, for [`LAST_FLUSH`] at most.

mod send;
mod settings;
mod shape;

use std::time::Duration;

use anyhow::Context as _;
use gaby_model::telemetry::{self, SPANS};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::{Layer, Registry};

pub(crate) use settings::{Export, TelemetrySettings};

/// How long the end of the process waits for what is not sent yet.
const LAST_FLUSH: Duration = Duration::from_secs(3);

/// What sends traces, until it is [flushed](Self::flush).
pub(crate) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins to send traces. Must be called within the runtime, which makes the requests.
    pub(crate) fn start(export: &Export) -> anyhow::Result<Self> {
        telemetry::record_content(export.content);
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(send::Sender::new()?)
            .with_endpoint(export.endpoint.as_str())
            .with_headers(export.plain_headers())
            .build()
            .context("traces cannot be exported as it is set")?;
        let resource = Resource::builder()
            .with_service_name(export.service.clone())
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(shape::Shaped::new(exporter))
            .with_resource(resource)
            .build();
        Ok(Self { provider })
    }

    /// What hands spans over, beside the logs.
    pub(crate) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let ours = FilterFn::new(|metadata| metadata.target() == SPANS);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("gaby"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_filter(ours.with_max_level_hint(LevelFilter::INFO))
            .boxed()
    }

    /// Sends what is left.
    pub(crate) async fn flush(self) {
        let flushed =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST_FLUSH));
        if !matches!(flushed.await, Ok(Ok(()))) {
            tracing::warn!("the last traces may not have arrived");
        }
    }
}
