//! What the command line promises, seen from outside: the real binary, in a folder of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests too

mod gaby;

mod arrows;
mod audit;
mod bad_input;
mod connectors;
mod help;
mod killed;
mod knowledge;
mod models;
mod sealed;
mod telemetry;
mod tickets;
mod together;
