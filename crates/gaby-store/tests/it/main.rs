//! The store as the rest of Gaby uses it, on every engine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests too

mod accounts;
mod audit;
mod lifecycle;
mod llm_calls;
mod opening;
mod queue;
mod sealing;
mod stores;
