//! What can go wrong while text becomes vectors.

use std::path::PathBuf;

/// Why texts could not be embedded, or a model not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The model inside the program is damaged; the file is not what was built.
    #[error("the embedding model inside this program is damaged: {0}; install the program again")]
    Builtin(String),
    /// A model folder cannot be used.
    #[error("the embedding model in {folder} cannot be used: {reason}", folder = folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// The text could not be cut into tokens.
    #[error("a text could not be cut into tokens: {0}")]
    Tokens(String),
    /// The address of an endpoint cannot be used.
    #[error("`{address}` cannot be used as an embedding endpoint: {reason}")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An endpoint did not answer, after several tries.
    #[error(
        "the embedding endpoint {address} could not be reached: {reason}; check that it runs and that this machine may reach it"
    )]
    Unreachable {
        /// Its address.
        address: String,
        /// What happened at the last try.
        reason: String,
    },
    /// An endpoint said no.
    #[error("the embedding endpoint {address} answered {status}: {message}")]
    Refused {
        /// Its address.
        address: String,
        /// The HTTP status.
        status: u16,
        /// What it said, shortened.
        message: String,
    },
    /// An endpoint's answer is not what the interface documents.
    #[error("the embedding endpoint {address} answered something else than embeddings: {reason}")]
    Answer {
        /// Its address.
        address: String,
        /// What is wrong with the answer.
        reason: String,
    },
}
