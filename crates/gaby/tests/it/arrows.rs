//! Arrows between crates point down, never back and never sideways.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::gaby::repository;

/// From the bottom up. Crates of one floor do not know each other.
const FLOORS: [&[&str]; 6] = [
    &["gaby-model"],
    &["gaby-store"],
    &["gaby-gate", "gaby-connect", "gaby-knowledge", "gaby-llm"],
    &["gaby-agent"],
    &["gaby-server"],
    &["gaby"],
];

#[test]
fn every_crate_uses_only_crates_of_lower_floors() {
    let printed = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let floor: BTreeMap<&str, usize> = FLOORS
        .iter()
        .enumerate()
        .flat_map(|(floor, crates)| crates.iter().map(move |name| (*name, floor)))
        .collect();
    let mut looked_at = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let own = floor
            .get(name)
            .unwrap_or_else(|| panic!("{name} stands on no floor: name it above"));
        for used in package["dependencies"].as_array().unwrap() {
            // A test may look from below at what stands above it; the product may not.
            if used["path"].is_null() || used["kind"] == "dev" {
                continue;
            }
            let used = used["name"].as_str().unwrap();
            let below = floor.get(used).is_some_and(|floor| floor < own);
            assert!(below, "{name} must not use {used}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 10, "only {looked_at} arrows were seen");
}
