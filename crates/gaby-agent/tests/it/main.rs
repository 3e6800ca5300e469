//! Investigations from intake to write-back, on a real store, against a vendor that counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests too

mod actions;
mod anew;
mod databases;
mod gate;
mod harmless;
mod hijack;
mod killed;
mod model;
mod tickets;
mod vendor;
mod world;
