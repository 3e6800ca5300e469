//! Connectors as the rest of Gaby uses them: through the host, against real systems.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod bypass;
mod fuzz;
mod github;
mod hostile;
mod http;
mod manifests;
mod oauth;
mod postgres;
mod ssrf;
mod third_party;
mod world;
