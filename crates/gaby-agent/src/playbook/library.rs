//! The playbooks a workspace uses: those in the binary, and the operator's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::load::{self, PlaybookError};
use super::schema::Playbook;

/// The files of `playbooks/`, as `(file name, content)`; listed by the build script.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/built_in_playbooks.rs"));

/// All playbooks in use, by name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Playbooks {
    all: Arc<BTreeMap<String, Playbook>>,
}

/// Which tool does a role's job in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RoleMapping {
    /// The generic job.
    pub role: String,
    /// Whether the playbook can do without it.
    pub optional: bool,
    /// `connector__tool`, or none when nothing connected does it.
    pub mapped_to: Option<String>,
}

/// Why playbooks could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// A file or folder could not be read.
    #[error("cannot read playbooks at {path}: {error}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// Files with faults.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<PlaybookError>),
}

impl Playbooks {
    /// The playbooks in the binary.
    ///
    /// # Errors
    /// When one of them has a fault; the tests see to it that none has.
    pub fn built_in() -> Result<Self, LibraryError> {
        Self::load(&[])
    }

    /// The playbooks in the binary, and those in these files and folders; a later one replaces an
    /// earlier one of the same name.
    ///
    /// # Errors
    /// When a path cannot be read, or a playbook has faults: all of them.
    pub fn load(paths: &[PathBuf]) -> Result<Self, LibraryError> {
        let mut files: Vec<(String, Vec<u8>)> = BUILT_IN
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect();
        for path in paths {
            read_into(&mut files, path)?;
        }
        let mut all = BTreeMap::new();
        let mut faults = Vec::new();
        for (file, bytes) in &files {
            match load::parse(file, bytes) {
                Ok(playbook) => {
                    all.insert(playbook.name.value.clone(), playbook);
                }
                Err(errors) => faults.extend(errors),
            }
        }
        if faults.is_empty() {
            Ok(Self { all: Arc::new(all) })
        } else {
            Err(LibraryError::Faults(faults))
        }
    }

    /// Only these playbooks; for tests and for tools that bring their own.
    #[must_use]
    pub fn of(playbooks: impl IntoIterator<Item = Playbook>) -> Self {
        let all = playbooks
            .into_iter()
            .map(|playbook| (playbook.name.value.clone(), playbook))
            .collect();
        Self { all: Arc::new(all) }
    }

    /// The playbook of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Playbook> {
        self.all.get(name)
    }

    /// All playbooks, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Playbook> {
        self.all.values()
    }
}

impl Playbook {
    /// The roles that the playbook calls, each once, and whether it can do without.
    #[must_use]
    pub fn roles(&self) -> Vec<(&str, bool)> {
        let reads = self
            .steps
            .iter()
            .filter_map(|step| Some((step.value.role.as_deref()?, step.value.optional)));
        let writes = self
            .outcomes
            .iter()
            .filter_map(|outcome| Some((outcome.value.action.as_ref()?.role.as_str(), true)));
        let mut roles: Vec<(&str, bool)> = Vec::new();
        for (role, optional) in reads.chain(writes) {
            match roles.iter_mut().find(|(known, _)| *known == role) {
                Some((_, could)) => *could = *could && optional,
                None => roles.push((role, optional)),
            }
        }
        roles
    }
}

fn read_into(files: &mut Vec<(String, Vec<u8>)>, path: &Path) -> Result<(), LibraryError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| LibraryError::Read { path, error }
    };
    if !path.is_dir() {
        let size = std::fs::metadata(path).map_err(failed(path))?.len();
        // A file that is too large is not read to the end only to be refused.
        let bytes = if size > load::MAX_PLAYBOOK_BYTES as u64 {
            vec![b'#'; load::MAX_PLAYBOOK_BYTES + 1]
        } else {
            std::fs::read(path).map_err(failed(path))?
        };
        files.push((path.display().to_string(), bytes));
        return Ok(());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed(path))? {
        let entry = entry.map_err(failed(path))?.path();
        let is_yaml = entry
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_yaml && entry.is_file() {
            found.push(entry);
        }
    }
    found.sort();
    found.iter().try_for_each(|file| read_into(files, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_playbook_in_the_binary_is_sound_and_named_as_its_file() {
        for (file, text) in BUILT_IN {
            assert_eq!(super::super::lint(file, text.as_bytes()), Vec::new());
        }
        assert!(Playbooks::built_in().unwrap().iter().count() >= 10);
    }

    #[test]
    fn an_operators_playbook_replaces_the_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let own = BUILT_IN[0].1.replacen("title: ", "title: Our own ", 1);
        std::fs::write(folder.path().join(BUILT_IN[0].0), own).unwrap();
        std::fs::write(folder.path().join("README.txt"), "not one").unwrap();
        let all = Playbooks::load(&[folder.path().to_owned()]).unwrap();
        let name = BUILT_IN[0].0.trim_end_matches(".yaml");
        assert!(all.get(name).unwrap().title.starts_with("Our own"));
    }

    #[test]
    fn a_folder_that_is_not_there_and_a_broken_file_are_named() {
        let missing = Playbooks::load(&["nowhere/at/all".into()]).unwrap_err();
        assert!(missing.to_string().contains("nowhere/at/all"), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bad.yaml"), "name: [").unwrap();
        let broken = Playbooks::load(&[folder.path().to_owned()]).unwrap_err();
        assert!(broken.to_string().contains("bad.yaml:"), "{broken}");
    }
}
