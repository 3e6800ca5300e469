//! The gate from outside: decisions, properties, permits, approvals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests too

mod approvals;
mod does_not_compile;
#[allow(dead_code)] // what only the unit tests use
#[path = "../../src/fixtures.rs"]
mod fixtures;
mod policies;
mod properties;
mod rules;
mod scene;
mod standing;
