//! A permit cannot be copied.
use gaby_gate::ReadPermit;

fn copy(permit: &ReadPermit) -> ReadPermit {
    permit.clone()
}

fn main() {}
