//! Where logs go: of the server to stdout, as JSON unless a person watches; of every other command
//! only warnings, to stderr. Traces go beside them, and never into them.

use std::io::IsTerminal as _;

use gaby_model::telemetry::SPANS;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, FilterFn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::telemetry::Traces;

/// The variable that says how much is logged, as `tracing-subscriber` reads it.
const VARIABLE: &str = "GABY_LOG";

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// Logs of the server.
pub(crate) fn of_server(traces: Option<&Traces>) {
    let logs = if std::io::stdout().is_terminal() {
        fmt::layer().with_target(false).boxed()
    } else {
        fmt::layer().json().flatten_event(true).boxed()
    };
    begin(logs, "warn,gaby=info", traces);
}

/// Logs of every other command.
pub(crate) fn of_command(traces: Option<&Traces>) {
    let logs = fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .boxed();
    begin(logs, "error", traces);
}

fn begin(logs: Boxed, usual: &str, traces: Option<&Traces>) {
    // Whatever the variable says: what spans of traces hold is not for logs.
    let no_spans = FilterFn::new(|metadata| metadata.target() != SPANS);
    let logs = logs.with_filter(filter(usual).and(no_spans)).boxed();
    let layers: Vec<Boxed> = [Some(logs), traces.map(Traces::layer)]
        .into_iter()
        .flatten()
        .collect();
    // Somebody else's subscriber can only be one of a test in this process.
    let _ = tracing_subscriber::registry().with(layers).try_init();
}

fn filter(usual: &str) -> EnvFilter {
    EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(usual))
}
