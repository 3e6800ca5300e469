//! Where logs go: of the server to stdout, as JSON unless a person watches; of every other command
//! only warnings, to stderr.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// The variable that says how much is logged, as `tracing-subscriber` reads it.
const VARIABLE: &str = "GABY_LOG";

/// Logs of the server.
pub(crate) fn of_server() {
    let filter = filter("warn,gaby=info");
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    // Somebody else's subscriber can only be one of a test in this process.
    let _ = if std::io::stdout().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}

/// Logs of every other command.
pub(crate) fn of_command() {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter("error"))
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .try_init();
}

fn filter(usual: &str) -> EnvFilter {
    EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(usual))
}
