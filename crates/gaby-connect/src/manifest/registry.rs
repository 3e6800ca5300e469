//! All manifests that are known: those inside the binary, and the operator's folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{ManifestError, ManifestErrors};
use super::{MAX_MANIFEST_BYTES, Manifest, parse};

/// The manifests that come with the binary, by file name.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "connectors/github.yaml",
        include_str!("../../../../connectors/github.yaml"),
    ),
    (
        "connectors/sqlite.yaml",
        include_str!("../../../../connectors/sqlite.yaml"),
    ),
    (
        "connectors/postgres.yaml",
        include_str!("../../../../connectors/postgres.yaml"),
    ),
];

/// Manifests by name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    manifests: BTreeMap<String, Arc<Manifest>>,
}

impl Registry {
    /// The built-in manifests only.
    ///
    /// # Errors
    /// When a built-in manifest is wrong, which a test excludes.
    pub fn built_in() -> Result<Self, ManifestErrors> {
        Self::load(&[])
    }

    /// The built-in manifests and every `*.yaml` and `*.yml` of the folders; a later one of the same
    /// name replaces an earlier one. A folder that does not exist holds nothing.
    ///
    /// # Errors
    /// All faults of all files.
    pub fn load(folders: &[PathBuf]) -> Result<Self, ManifestErrors> {
        let mut registry = Self::default();
        let mut faults = Vec::new();
        for (file, text) in BUILT_IN {
            registry.take(parse(file, text.as_bytes()), &mut faults);
        }
        for folder in folders {
            let mut seen: BTreeMap<String, String> = BTreeMap::new();
            for path in files(folder, &mut faults) {
                let file = path.display().to_string();
                let parsed = read(&path).and_then(|bytes| parse(&file, &bytes));
                if let Ok(manifest) = &parsed
                    && let Some(other) = seen.insert(manifest.name.clone(), file.clone())
                {
                    faults.push(ManifestError {
                        file,
                        line: 1,
                        column: 1,
                        field: "name".to_owned(),
                        message: format!(
                            "`{}` is already the name of {other}: give each its own",
                            manifest.name
                        ),
                    });
                    continue;
                }
                registry.take(parsed, &mut faults);
            }
        }
        if faults.is_empty() {
            Ok(registry)
        } else {
            Err(ManifestErrors(faults))
        }
    }

    fn take(&mut self, parsed: Result<Manifest, ManifestErrors>, faults: &mut Vec<ManifestError>) {
        match parsed {
            Ok(manifest) => {
                self.manifests
                    .insert(manifest.name.clone(), Arc::new(manifest));
            }
            Err(errors) => faults.extend(errors.0),
        }
    }

    /// Adds one manifest, replacing one of the same name.
    pub fn add(&mut self, manifest: Manifest) {
        self.manifests
            .insert(manifest.name.clone(), Arc::new(manifest));
    }

    /// The manifest of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Manifest>> {
        self.manifests.get(name).cloned()
    }

    /// All manifests, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Manifest>> {
        self.manifests.values()
    }

    /// All names, for messages.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.manifests.keys().cloned().collect()
    }
}

fn files(folder: &Path, faults: &mut Vec<ManifestError>) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            faults.push(unreadable(folder, &error));
            return Vec::new();
        }
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.is_file()
                && path
                    .extension()
                    .is_some_and(|ext| ext == "yaml" || ext == "yml")
        })
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> Result<Vec<u8>, ManifestErrors> {
    use std::io::Read;
    // One byte more than allowed, so that a huge file is refused without being read whole.
    let limit = MAX_MANIFEST_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> ManifestError {
    ManifestError {
        file: path.display().to_string(),
        line: 0,
        column: 0,
        field: String::new(),
        message: format!("cannot be read: {error}"),
    }
}
