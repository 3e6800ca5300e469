//! The one HTTP client of all connectors: it reaches public addresses over https, and whatever else
//! the operator named, host by host and port by port.

mod address;
mod guard;

pub(crate) use guard::{Guard, GuardError, SystemLookup};
