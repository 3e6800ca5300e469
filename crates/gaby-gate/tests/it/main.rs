//! The gate from outside: decisions, properties, permits, approvals.

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
