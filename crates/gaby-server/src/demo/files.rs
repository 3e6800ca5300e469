//! The demo's files: inside the binary, or in a folder of the user's.

use std::path::{Component, Path, PathBuf};

use rust_embed::RustEmbed;

use super::DemoError;

#[derive(RustEmbed)]
#[folder = "../../demo"]
#[allow_missing = true]
struct Within;

/// A demo's folder on disk. What is inside the binary is written out first, so that everything
/// that reads files reads these as any others.
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    /// The user's folder.
    pub(super) fn of_folder(root: PathBuf) -> Self {
        Self { root }
    }

    /// The binary's own demo, written below `data`.
    pub(super) fn written_below(data: &Path) -> Result<Self, DemoError> {
        let root = data.join("demo");
        for name in Within::iter() {
            let Some(file) = Within::get(&name) else {
                continue;
            };
            let path = root.join(name.as_ref());
            let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            written
                .and_then(|()| write_if_changed(&path, &file.data))
                .map_err(|source| DemoError::File { path, source })?;
        }
        Ok(Self { root })
    }

    /// Where a file of the demo is.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, DemoError> {
        let inside = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside {
            return Err(DemoError::Plan(format!(
                "`{name}` leaves the demo's folder: use a path below it"
            )));
        }
        Ok(self.root.join(name))
    }

    /// The text of a file of the demo.
    pub(super) fn text(&self, name: &str) -> Result<String, DemoError> {
        let path = self.path(name)?;
        std::fs::read_to_string(&path).map_err(|source| DemoError::File { path, source })
    }
}

/// Leaves a file alone that is as it should be, so that it keeps the time of its last change.
fn write_if_changed(path: &Path, data: &[u8]) -> std::io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == data) {
        return Ok(());
    }
    std::fs::write(path, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_cannot_name_files_outside_its_folder() {
        let files = Files::of_folder("/srv/demo".into());
        for name in ["../secret", "/etc/passwd", "a/../../b"] {
            assert!(files.path(name).is_err(), "{name}");
        }
        assert!(files.path("tickets/01.json").is_ok());
    }
}
