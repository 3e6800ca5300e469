//! A permit opens its connector once.
use gaby_gate::ReadPermit;

fn twice(permit: ReadPermit) {
    let _first = permit.key();
    let _second = permit.key();
}

fn main() {}
