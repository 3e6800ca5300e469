//! SQL: named parameters, what kind of statement a text is, and the gate that free SQL passes.

pub(crate) mod functions;
pub(crate) mod gate;
pub(crate) mod params;
pub(crate) mod shape;
mod walk;
