//! Arrows between crates point down, never back and never sideways.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

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
    let metadata = MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let floor: BTreeMap<&str, usize> = FLOORS
        .iter()
        .enumerate()
        .flat_map(|(floor, crates)| crates.iter().map(move |name| (*name, floor)))
        .collect();
    let mut looked_at = 0;
    for package in metadata.workspace_packages() {
        let own = floor
            .get(package.name.as_str())
            .unwrap_or_else(|| panic!("{} stands on no floor: name it above", package.name));
        for used in &package.dependencies {
            // A test may look from below at what stands above it; the product may not.
            if used.path.is_none() || used.kind == DependencyKind::Development {
                continue;
            }
            let used = used.name.as_str();
            let below = floor.get(used).is_some_and(|floor| floor < own);
            assert!(below, "{} must not use {used}", package.name);
            looked_at += 1;
        }
    }
    assert!(looked_at > 10, "only {looked_at} arrows were seen");
}
