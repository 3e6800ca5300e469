//! The store as the rest of Gaby uses it, on every engine.

mod accounts;
mod audit;
mod lifecycle;
mod opening;
mod queue;
mod sealing;
mod stores;
