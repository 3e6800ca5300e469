//! Where rules come from: Gaby's own, the operator's folder, and the workspace's in the store. A file
//! of the operator's replaces Gaby's of the same name. A workspace's stands beside them, whatever its
//! name: it can only narrow what they let through.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::RulesError;

/// The largest policy file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// A file of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFile {
    /// Its name, without folder and ending.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// Whose it is.
    #[serde(default)]
    pub origin: Origin,
}

/// Whose a file of rules is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Gaby's own.
    BuiltIn,
    /// The operator's.
    #[default]
    Operator,
    /// The workspace's. Its permits let nothing through that no other permit lets through.
    Workspace,
}

impl PolicyFile {
    /// A file of the workspace's own.
    #[must_use]
    pub fn of_workspace(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            origin: Origin::Workspace,
        }
    }
}

const BUILT_IN: &[(&str, &str)] = &[(
    "default",
    include_str!("../../../../policies/default.cedar"),
)];

/// The rules that Gaby comes with.
#[must_use]
pub fn built_in() -> Vec<PolicyFile> {
    BUILT_IN
        .iter()
        .map(|(name, text)| PolicyFile {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
            origin: Origin::BuiltIn,
        })
        .collect()
}

/// Every `*.cedar` of a folder, by name. A folder that is not there has none.
///
/// # Errors
/// When the folder or a file cannot be read, or a file is too large.
pub fn read_folder(folder: &Path) -> Result<Vec<PolicyFile>, RulesError> {
    let unreadable = |path: &Path, why: String| RulesError::Unreadable {
        path: path.display().to_string(),
        why,
    };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, error.to_string())),
        Ok(entries) => entries,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| unreadable(folder, error.to_string()))?
            .path();
        let (Some(name), Some("cedar")) = (
            path.file_stem().and_then(|name| name.to_str()),
            path.extension().and_then(|ending| ending.to_str()),
        ) else {
            continue;
        };
        let text =
            std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error.to_string()))?;
        if text.len() > MAX_FILE_BYTES {
            let why = format!("it has {} bytes, more than {MAX_FILE_BYTES}", text.len());
            return Err(unreadable(&path, why));
        }
        files.push(PolicyFile {
            name: name.to_owned(),
            text,
            origin: Origin::Operator,
        });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Files one over the other: of the same name, the later one stands, unless it is a workspace's, which
/// stands beside the others.
#[must_use]
pub fn layered(layers: impl IntoIterator<Item = Vec<PolicyFile>>) -> Vec<PolicyFile> {
    let mut by_name = BTreeMap::new();
    for file in layers.into_iter().flatten() {
        let of_workspace = file.origin == Origin::Workspace;
        by_name.insert((of_workspace, file.name.clone()), file);
    }
    by_name.into_values().collect()
}
