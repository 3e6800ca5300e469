//! Git repositories, read from their objects: no files are checked out, so no text of theirs lies
//! on the disk in the clear. A remote one is fetched without its history.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gix::remote::fetch::Shallow;

use super::FoundFile;
use crate::error::KnowledgeError;
use crate::skip::{MAX_FILE_BYTES, SkipReason};

thread_local! {
    /// An opened repository stays on its thread; the last one is kept for the next file.
    static OPENED: RefCell<Option<(PathBuf, gix::Repository)>> = const { RefCell::new(None) };
}

/// A repository that is read from its objects.
pub struct Repository {
    folder: PathBuf,
    location: String,
    _fetched: Option<tempfile::TempDir>,
}

/// Whether this is the address of a remote repository.
pub(super) fn is_address(given: &str) -> bool {
    ["https://", "http://", "ssh://", "git://"]
        .iter()
        .any(|scheme| given.starts_with(scheme))
        || (given.starts_with("git@") && given.contains(':'))
}

/// Whether this folder is a repository without files checked out.
pub(super) fn is_bare(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir()
}

fn without_password(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let host_at = rest.find('/').unwrap_or(rest.len());
            match rest[..host_at].rfind('@') {
                Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
                None => address.to_owned(),
            }
        }
        None => address.to_owned(),
    }
}

impl Repository {
    pub(super) fn open(path: &Path, given: &str) -> Result<Self, KnowledgeError> {
        gix::open_opts(path, gix::open::Options::isolated())
            .map_err(|error| failed(given, &error))?;
        Ok(Self {
            folder: path.to_owned(),
            location: path.to_string_lossy().into_owned(),
            _fetched: None,
        })
    }

    pub(super) fn fetch(address: &str) -> Result<Self, KnowledgeError> {
        // Another provider may be installed already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().map_err(|error| failed(address, &error))?;
        let options = gix::open::Options::isolated();
        let mut fetch = gix::clone::PrepareFetch::new(
            address,
            folder.path(),
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            options,
        )
        .map_err(|error| failed(address, &error))?
        .with_shallow(Shallow::DepthAtRemote(std::num::NonZeroU32::MIN));
        let (repository, _) = fetch
            .fetch_only(gix::progress::Discard, &AtomicBool::new(false))
            .map_err(|error| failed(address, &error))?;
        Ok(Self {
            folder: repository.git_dir().to_owned(),
            location: without_password(address),
            _fetched: Some(folder),
        })
    }

    pub(super) fn location(&self) -> &str {
        &self.location
    }

    fn with<T>(&self, work: impl FnOnce(&gix::Repository) -> T) -> Result<T, String> {
        OPENED.with_borrow_mut(|opened| {
            if opened
                .as_ref()
                .is_none_or(|(folder, _)| *folder != self.folder)
            {
                let repository = gix::open_opts(&self.folder, gix::open::Options::isolated())
                    .map_err(|error| error.to_string())?;
                *opened = Some((self.folder.clone(), repository));
            }
            match opened {
                Some((_, repository)) => Ok(work(repository)),
                None => Err("it is not open".to_owned()),
            }
        })
    }

    pub(super) fn list(&self) -> Result<Vec<FoundFile>, KnowledgeError> {
        self.with(|repository| {
            let fail = |error: &dyn std::fmt::Display| KnowledgeError::Repository {
                url: self.location.clone(),
                problem: error.to_string(),
            };
            let commit = repository
                .head_commit()
                .map_err(|error| fail(&format!("it has no commit to read: {error}")))?;
            let tree = commit.tree().map_err(|error| fail(&error))?;
            let entries = tree
                .traverse()
                .breadthfirst
                .files()
                .map_err(|error| fail(&error))?;
            let mut files = Vec::new();
            for entry in entries {
                let path = entry.filepath.to_string();
                let hidden = path.split('/').any(|part| part.starts_with('.'));
                if hidden || !entry.mode.is_blob() {
                    continue;
                }
                let header = repository
                    .find_header(entry.oid)
                    .map_err(|error| fail(&error))?;
                files.push(FoundFile {
                    path,
                    size: header.size(),
                    modified: None,
                    version: Some(entry.oid.to_string()),
                });
            }
            Ok(files)
        })
        .map_err(|problem| KnowledgeError::Repository {
            url: self.location.clone(),
            problem,
        })?
    }

    pub(super) fn read(&self, file: &FoundFile) -> Result<Vec<u8>, SkipReason> {
        let unreadable = |why: String| SkipReason::Unreadable(why);
        if file.size > MAX_FILE_BYTES {
            return Err(SkipReason::TooLarge { bytes: file.size });
        }
        let id = gix::ObjectId::from_hex(file.version.as_deref().unwrap_or("").as_bytes())
            .map_err(|error| unreadable(error.to_string()))?;
        self.with(|repository| {
            repository
                .find_object(id)
                .map(|object| object.detach().data)
                .map_err(|error| unreadable(error.to_string()))
        })
        .map_err(unreadable)?
    }
}

/// The whole chain of causes in one line, without the password of the address.
fn failed(address: &str, error: &dyn std::error::Error) -> KnowledgeError {
    let mut problem = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !problem.contains(&text) {
            problem.push_str(": ");
            problem.push_str(&text);
        }
        cause = inner.source();
    }
    let url = without_password(address);
    KnowledgeError::Repository {
        problem: problem.replace(address, &url),
        url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        assert_eq!(
            without_password("https://me:secret@example.com/a/b.git"),
            "https://example.com/a/b.git"
        );
        assert_eq!(
            without_password("https://example.com/a@b"),
            "https://example.com/a@b"
        );
        assert_eq!(
            without_password("git@example.com:a/b"),
            "git@example.com:a/b"
        );
    }
}
