//! A model that runs in this process, on all cores.

use std::borrow::Cow;

use rayon::prelude::*;

use super::Embedder;
use super::asset::Model;
use super::error::EmbedError;
use super::forward::forward;
use super::isa::Level;
use super::tokens::Tokens;

/// Tokens of one forward pass: enough that weights are read for many rows, few enough that the
/// rows stay in a core's caches.
const PASS: usize = 512;
/// Fewer tokens than this are not worth a pass of their own.
const SMALLEST_PASS: usize = 48;
/// Fewer rows than this are not worth another core, where there is one pass only.
const SMALLEST_SHARE: usize = 4;

/// A model with its tokenizer.
pub(super) struct Local {
    id: String,
    model: Model,
    tokens: Tokens,
    level: Level,
}

impl Local {
    /// Brings a model and its tokenizer together.
    pub(super) fn new(model: Model, tokens: Tokens) -> Self {
        let source = model.shape.source.get(..12).unwrap_or(&model.shape.source);
        Self {
            id: format!("{}-q8-{source}", model.shape.name),
            model,
            tokens,
            level: Level::best(),
        }
    }

    /// The same with another instruction set, to compare them.
    #[cfg(test)]
    pub(super) fn at(mut self, level: Level) -> Self {
        self.level = level;
        self
    }
}

impl Embedder for Local {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.model.shape.hidden
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let tokens: Vec<Vec<u32>> = texts
            .par_iter()
            .map(|text| self.tokens.of(text).map_err(EmbedError::Tokens))
            .collect::<Result<_, _>>()?;
        let cores = rayon::current_num_threads();
        let passes = passes(&tokens, cores);
        let shares = match passes.as_slice() {
            [only] => {
                let rows: usize = only.iter().map(|index| tokens[*index].len()).sum();
                (rows / SMALLEST_SHARE).clamp(1, cores)
            }
            _ => 1,
        };
        let vectors: Vec<Vec<Vec<f32>>> = passes
            .par_iter()
            .map(|pass| {
                let texts: Vec<&[u32]> =
                    pass.iter().map(|index| tokens[*index].as_slice()).collect();
                forward(self.level, &self.model, &texts, shares)
            })
            .collect();
        let mut ordered = vec![Vec::new(); texts.len()];
        for (index, vector) in passes
            .into_iter()
            .flatten()
            .zip(vectors.into_iter().flatten())
        {
            ordered[index] = vector;
        }
        Ok(ordered)
    }
}

/// Deals the texts out to passes of about equal length, so that all cores end together.
fn passes(tokens: &[Vec<u32>], cores: usize) -> Vec<Vec<usize>> {
    let total: usize = tokens.iter().map(Vec::len).sum();
    let target = total.div_ceil(cores.max(1)).clamp(SMALLEST_PASS, PASS);
    let mut passes = Vec::new();
    let mut pass = Vec::new();
    let mut length = 0;
    for (index, text) in tokens.iter().enumerate() {
        if length > 0 && length + text.len() > target {
            passes.push(std::mem::take(&mut pass));
            length = 0;
        }
        pass.push(index);
        length += text.len();
    }
    if !pass.is_empty() {
        passes.push(pass);
    }
    passes
}

/// The bytes of the model inside the program, on a cache line's boundary.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../../assets/all-minilm-l6-v2/model.q8"));
static TOKENIZER: &[u8] = include_bytes!("../../assets/all-minilm-l6-v2/tokenizer.json");

/// The model inside the program.
///
/// # Errors
/// When the program's file is damaged.
pub(super) fn builtin() -> Result<Local, EmbedError> {
    let model = Model::parse(Cow::Borrowed(&MODEL.0)).map_err(EmbedError::Builtin)?;
    let tokens =
        Tokens::from_bytes(TOKENIZER, model.shape.max_tokens).map_err(EmbedError::Builtin)?;
    Ok(Local::new(model, tokens))
}
