//! Text to vectors: close in meaning is close in angle.
//!
//! [`builtin`] is all-MiniLM-L6-v2, quantised to 8 bits, inside the program and run by it; nothing
//! is downloaded and nothing leaves the machine. [`from_folder`] runs another sentence-transformer
//! of the BERT family the same way, and [`openai_compatible`] asks an endpoint.
//!
//! A text goes through [`tokens`], [`forward`] (with [`attention`], [`arithmetic`] and the
//! [`kernel`] of the machine's instruction set) and comes out as a unit vector. [`folder`] and
//! [`pack`] make the file ([`asset`]) that the model is run from.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

mod arithmetic;
mod asset;
mod attention;
mod endpoint;
mod error;
mod folder;
mod forward;
mod isa;
mod kernel;
mod local;
mod pack;
mod shape;
mod tensors;
#[cfg(test)]
mod tests;
mod tokens;

pub use endpoint::openai_compatible;
pub use error::EmbedError;
pub use folder::quantised;

/// Turns texts into vectors.
pub trait Embedder: Send + Sync {
    /// Names the vectors' space: vectors of different ids cannot be compared.
    fn id(&self) -> &str;

    /// Numbers in a vector.
    fn dimensions(&self) -> usize;

    /// One vector of length 1 per text, in order. Blocks; a local model uses all cores.
    ///
    /// # Errors
    /// When a text has no tokens that the model knows, or an endpoint fails.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// Texts to give to one [`embed`](Self::embed) when there are many: enough to use all that the
    /// embedder has, few enough that progress is seen about every second.
    fn texts_at_once(&self) -> usize {
        64
    }
}

/// The model inside the program, loaded at the first call and shared from then on.
///
/// # Errors
/// When the program's file is damaged.
pub fn builtin() -> Result<Arc<dyn Embedder>, EmbedError> {
    static LOADED: Mutex<Option<Arc<local::Local>>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(embedder) = &*loaded {
        return Ok(embedder.clone());
    }
    let embedder = Arc::new(local::builtin()?);
    *loaded = Some(embedder.clone());
    Ok(embedder)
}

/// A sentence-transformer of the BERT family from a folder with `config.json`, `tokenizer.json`
/// and `model.safetensors`; it is quantised while it is loaded.
///
/// # Errors
/// When a file is missing or damaged, or the model is of another family.
pub fn from_folder(path: impl AsRef<Path>) -> Result<Arc<dyn Embedder>, EmbedError> {
    Ok(Arc::new(folder::load(path.as_ref())?))
}
