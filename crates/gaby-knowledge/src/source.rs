//! Where documents come from: files, folders, and Git repositories here or elsewhere.

mod git;

use std::path::{Path, PathBuf};

use gaby_model::Timestamp;

use crate::error::KnowledgeError;
use crate::skip::{MAX_FILE_BYTES, SkipReason, Skipped};

/// A file that was found and not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its path within the source.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed; none in a repository.
    pub modified: Option<Timestamp>,
    /// Names its content, in a repository.
    pub version: Option<String>,
}

/// A place to read from, opened.
pub enum Source {
    /// One file, named by a person.
    File(PathBuf),
    /// A folder, or a repository with its files checked out.
    Folder(PathBuf),
    /// A repository without files checked out; a fetched one is removed when this is dropped.
    Repository(git::Repository),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Folder(_) => "Folder",
            Self::Repository(_) => "Repository",
        })
    }
}

impl Source {
    /// Opens what a person named: a path, or the address of a repository, which is fetched.
    ///
    /// # Errors
    /// When nothing is there, or it cannot be fetched.
    pub fn open(given: &str) -> Result<Self, KnowledgeError> {
        let wrong = |problem: &str| KnowledgeError::Location {
            path: given.to_owned(),
            problem: problem.to_owned(),
        };
        if given.trim().is_empty() {
            return Err(wrong(
                "an empty path: name a file, a folder or a repository",
            ));
        }
        if let Some(path) = given.strip_prefix("file://") {
            return Self::open(path);
        }
        if git::is_address(given) && !Path::new(given).exists() {
            return Ok(Self::Repository(git::Repository::fetch(given)?));
        }
        let path = std::fs::canonicalize(given).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => wrong("there is no such file or folder"),
            _ => wrong(&error.to_string()),
        })?;
        if path.is_file() {
            Ok(Self::File(path))
        } else if git::is_bare(&path) {
            Ok(Self::Repository(git::Repository::open(&path, given)?))
        } else if path.is_dir() {
            Ok(Self::Folder(path))
        } else {
            Err(wrong("neither a file nor a folder"))
        }
    }

    /// What names this place for ever: the whole path, or the address without a password.
    #[must_use]
    pub fn location(&self) -> String {
        match self {
            Self::File(path) | Self::Folder(path) => path.to_string_lossy().into_owned(),
            Self::Repository(repository) => repository.location().to_owned(),
        }
    }

    /// What people call this place unless they say otherwise.
    #[must_use]
    pub fn name(&self) -> String {
        let location = self.location();
        let trimmed = location.trim_end_matches('/').trim_end_matches(".git");
        trimmed
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or(trimmed)
            .to_owned()
    }

    /// The files in it, by path. Hidden ones and those that `.gitignore` names are not looked at.
    ///
    /// # Errors
    /// When a repository is damaged.
    pub fn list(&self) -> Result<(Vec<FoundFile>, Vec<Skipped>), KnowledgeError> {
        let mut skipped = Vec::new();
        let mut found = match self {
            Self::File(path) => {
                let name = path
                    .file_name()
                    .unwrap_or(path.as_os_str())
                    .to_string_lossy();
                match std::fs::metadata(path) {
                    Ok(metadata) => vec![found(name.into_owned(), &metadata)],
                    Err(error) => {
                        skipped.push(unreadable(name.into_owned(), &error));
                        Vec::new()
                    }
                }
            }
            Self::Folder(root) => walk(root, &mut skipped),
            Self::Repository(repository) => repository.list()?,
        };
        found.retain(|file| {
            let fits = file.size <= MAX_FILE_BYTES;
            if !fits {
                skipped.push(Skipped {
                    path: file.path.clone(),
                    reason: SkipReason::TooLarge { bytes: file.size },
                });
            }
            fits
        });
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        Ok((found, skipped))
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// When it cannot be read, or grew too large since it was found.
    pub fn read(&self, file: &FoundFile) -> Result<Vec<u8>, SkipReason> {
        let path = match self {
            Self::File(path) => path.clone(),
            Self::Folder(root) => root.join(&file.path),
            Self::Repository(repository) => return repository.read(file),
        };
        let read = || -> std::io::Result<Vec<u8>> {
            use std::io::Read as _;
            let mut bytes = Vec::with_capacity(file.size as usize + 1);
            std::fs::File::open(path)?
                .take(MAX_FILE_BYTES + 1)
                .read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error| SkipReason::Unreadable(error.to_string()))
    }

    /// Whether a person named this very file, so that an unknown kind is tried as text.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

fn walk(root: &Path, skipped: &mut Vec<Skipped>) -> Vec<FoundFile> {
    let mut files = Vec::new();
    for entry in ignore::WalkBuilder::new(root).follow_links(false).build() {
        let relative = |path: &Path| {
            let path = path.strip_prefix(root).unwrap_or(path);
            path.to_string_lossy().replace('\\', "/")
        };
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                let path = relative(entry.path());
                match entry.metadata() {
                    Ok(metadata) => files.push(found(path, &metadata)),
                    Err(error) => skipped.push(Skipped {
                        path,
                        reason: SkipReason::Unreadable(error.to_string()),
                    }),
                }
            }
            Ok(_) => {}
            Err(error) => skipped.push(Skipped {
                path: relative(root),
                reason: SkipReason::Unreadable(error.to_string()),
            }),
        }
    }
    files
}

fn found(path: String, metadata: &std::fs::Metadata) -> FoundFile {
    let modified = metadata.modified().ok().and_then(|at| {
        let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Timestamp::from_millis(
            i64::try_from(since.as_millis()).ok()?,
        ))
    });
    FoundFile {
        path,
        size: metadata.len(),
        modified,
        version: None,
    }
}

fn unreadable(path: String, error: &std::io::Error) -> Skipped {
    Skipped {
        path,
        reason: SkipReason::Unreadable(error.to_string()),
    }
}
