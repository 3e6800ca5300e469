//! Gaby's server: the HTTP API with its OpenAPI document, live events, sessions and roles, and the
//! embedded console.
//!
//! [`Parts`] and [`Tenants`] put together what works for each workspace, for the server and for the
//! command line alike; [`Server`] serves it. Every route stands in the one table of `routes`, and
//! what a route asks of its caller is checked before its handler runs.

pub mod accounts;
mod again;
mod api_token;
mod app;
mod auth;
mod console;
pub mod demo;
mod desk;
mod error;
mod extract;
mod headers;
mod host_name;
mod inbox;
mod live;
mod mail;
mod measure;
pub mod models;
mod operator;
mod permission;
mod routes;
mod serve;
mod setup;
mod tenant;
mod tenants;
mod vectors;
mod writes;

pub use api_token::{DEFAULT_DAYS, Scope, TokenError, TokenOrder, scopes_of, sources_of};
pub use mail::{MailError, MailSettings, MailTls, Post};
pub use models::{LLM_SETTINGS, ModelParts, WorkspaceModels};
pub use operator::operator;
pub use routes::{Listed, listed, openapi};
pub use serve::{ServeConfig, ServeError, Server, first_workspace, tenants};
pub use setup::{ComposeError, Embedding, Parts, PartsConfig};
pub use tenant::{AGENT_SETTINGS, Tenant, library, toolbox};
pub use tenants::Tenants;
