//! Text to tokens, as the model was trained on them.

use std::path::Path;

use tokenizers::{Tokenizer, TruncationParams};

/// Bytes of text that are looked at for each token that is kept. A token is rarely longer than 20
/// bytes; beyond this the rest of a text could only matter if the start of it were all spaces.
const BYTES_PER_TOKEN: usize = 128;

/// A tokenizer that keeps as many tokens as the model reads.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    longest: usize,
}

impl Tokens {
    /// From the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn from_bytes(bytes: &[u8], max_tokens: usize) -> Result<Self, String> {
        let tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
        Self::new(tokenizer, max_tokens)
    }

    /// From a `tokenizer.json`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn from_file(path: &Path, max_tokens: usize) -> Result<Self, String> {
        let tokenizer = Tokenizer::from_file(path).map_err(|error| error.to_string())?;
        Self::new(tokenizer, max_tokens)
    }

    fn new(mut tokenizer: Tokenizer, max_tokens: usize) -> Result<Self, String> {
        let truncation = TruncationParams {
            max_length: max_tokens,
            ..TruncationParams::default()
        };
        tokenizer
            .with_truncation(Some(truncation))
            .map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        Ok(Self {
            tokenizer,
            longest: max_tokens * BYTES_PER_TOKEN,
        })
    }

    /// The tokens of a text, the special ones included; never none.
    ///
    /// # Errors
    /// When the tokenizer cannot represent the text.
    pub(super) fn of(&self, text: &str) -> Result<Vec<u32>, String> {
        let text = &text[..text.floor_char_boundary(self.longest)];
        let encoding = self
            .tokenizer
            .encode_fast(text, true)
            .map_err(|error| error.to_string())?;
        match encoding.get_ids() {
            [] => Ok(vec![0]),
            ids => Ok(ids.to_vec()),
        }
    }
}
