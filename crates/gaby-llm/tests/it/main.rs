//! Every provider against stubs that refuse what the vendor would refuse, and that fail in every way
//! a vendor or the net between has failed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod contract;
mod desk;
mod faults;
mod local;
mod outage;
mod server;
mod vendors;
