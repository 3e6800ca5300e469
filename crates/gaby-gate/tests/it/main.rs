//! The gate from outside: decisions, properties, permits, approvals.

mod approvals;
mod does_not_compile;
#[path = "../../src/fixtures.rs"]
mod fixtures;
mod policies;
mod properties;
mod rules;
mod scene;
