//! What the server promises, seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod action;
mod approvals;
mod audit;
mod connectors;
mod demo;
mod first_start;
mod forgery;
mod full_disk;
mod knowledge;
mod live;
mod llm_settings;
mod mail;
mod openapi;
mod people;
mod policies;
mod redaction;
mod roles;
mod signing_in;
mod status;
mod tickets;
mod world;
