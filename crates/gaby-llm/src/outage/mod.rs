//! What happens when a provider does not answer.

pub mod breaker;
pub mod retry;

pub use breaker::{Breaker, Health};
