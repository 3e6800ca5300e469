//! Investigations from intake to write-back, on a real store, against a vendor that counts.

mod actions;
mod databases;
mod gate;
mod harmless;
mod hijack;
mod killed;
mod tickets;
mod vendor;
mod world;
