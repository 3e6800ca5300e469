//! The forward pass of a BERT-family encoder over several texts at once.
//!
//! The texts' tokens lie behind each other without padding: linear layers and normalisation see
//! one matrix with a row for each token, and only attention ([`super::attention`]) looks at one
//! text at a time. A pass runs on one core; several run beside each other on different texts.

use super::arithmetic::{self, gelu, normalise, quantise};
use super::asset::{Layer, Linear, Model, Norm};
use super::attention::{Attention, attend};
use super::isa::{Isa, Task};
use super::kernel::{Product, Rows};
use super::shape::{Activation, Pooling};

/// Rows that go through the feed-forward part together: few enough that its wide middle stays in
/// the second-level cache, many enough that its weights are not read too often.
const PANEL: usize = 64;

/// Embeds texts given as tokens, each at least one token and at most the model's maximum.
pub(super) struct Forward<'a> {
    /// The model.
    pub(super) model: &'a Model,
    /// The texts.
    pub(super) texts: &'a [&'a [u32]],
}

impl Task for Forward<'_> {
    type Output = Vec<Vec<f32>>;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Self::Output {
        let model = self.model;
        let mut state = State::new(model, self.texts);
        state.look_up::<I>(model, self.texts);
        for layer in &model.layers {
            state.attention(isa, model, layer, self.texts);
            state.feed_forward(isa, model, layer);
        }
        state.pool(model, self.texts)
    }
}

/// The matrices of one pass.
struct State {
    /// A row per token.
    hidden: Vec<f32>,
    /// Queries, keys and values of each token.
    projected: Vec<f32>,
    /// What is added to `hidden`.
    update: Vec<f32>,
    /// The wide middle of the feed-forward part, for one panel.
    wide: Vec<f32>,
    quantised: Quantised,
    attention: Attention,
}

/// Quantised rows; the buffers are kept between products.
#[derive(Default)]
struct Quantised {
    values: Vec<i16>,
    scale: Vec<f32>,
}

impl Quantised {
    #[inline(always)]
    fn fill<I: Isa>(&mut self, matrix: &[f32], width: usize) -> Rows<'_> {
        self.values.resize(matrix.len(), 0);
        self.scale.clear();
        for (row, values) in matrix
            .chunks_exact(width)
            .zip(self.values.chunks_exact_mut(width))
        {
            let scale = quantise::<I>(row, values);
            self.scale.push(scale);
        }
        Rows {
            values: &self.values,
            scale: &self.scale,
        }
    }
}

impl State {
    fn new(model: &Model, texts: &[&[u32]]) -> Self {
        let shape = &model.shape;
        let tokens: usize = texts.iter().map(|text| text.len()).sum();
        Self {
            hidden: vec![0.0; tokens * shape.hidden],
            projected: vec![0.0; tokens * 3 * shape.hidden],
            update: vec![0.0; tokens * shape.hidden],
            wide: vec![0.0; PANEL.min(tokens) * shape.intermediate],
            quantised: Quantised::default(),
            attention: Attention::new(
                shape.head(),
                texts.iter().map(|text| text.len()).max().unwrap_or(0),
            ),
        }
    }

    /// Word and position of each token.
    #[inline(always)]
    fn look_up<I: Isa>(&mut self, model: &Model, texts: &[&[u32]]) {
        let width = model.shape.hidden;
        let mut rows = self.hidden.chunks_exact_mut(width);
        for text in texts {
            let places = model
                .positions
                .chunks_exact(width)
                .skip(model.shape.first_position);
            for ((token, place), row) in text.iter().zip(places).zip(&mut rows) {
                let (word, step) = model.word(*token);
                for ((out, word), place) in row.iter_mut().zip(word).zip(place) {
                    *out = f32::from(word.cast_signed()) * step + place;
                }
                normalise::<I>(row, &model.norm.gain, &model.norm.bias, model.shape.epsilon);
            }
        }
    }

    #[inline(always)]
    fn attention<I: Isa>(&mut self, isa: I, model: &Model, layer: &Layer, texts: &[&[u32]]) {
        let width = model.shape.hidden;
        let rows = self.quantised.fill::<I>(&self.hidden, width);
        multiply(isa, model, rows, &layer.attention, &mut self.projected);
        let mut start = 0;
        for text in texts {
            let end = start + text.len();
            let projected = &self.projected[start * 3 * width..end * 3 * width];
            let found = &mut self.update[start * width..end * width];
            attend::<I>(&mut self.attention, projected, found, width);
            start = end;
        }
        let rows = self.quantised.fill::<I>(&self.update, width);
        multiply(isa, model, rows, &layer.joined, &mut self.update);
        add_and_normalise::<I>(&mut self.hidden, &self.update, &layer.attention_norm, model);
    }

    #[inline(always)]
    fn feed_forward<I: Isa>(&mut self, isa: I, model: &Model, layer: &Layer) {
        let (width, wider) = (model.shape.hidden, model.shape.intermediate);
        for panel in self.hidden.chunks_mut(PANEL * width) {
            let count = panel.len() / width;
            let wide = &mut self.wide[..count * wider];
            let update = &mut self.update[..count * width];
            let rows = self.quantised.fill::<I>(panel, width);
            multiply(isa, model, rows, &layer.widen, wide);
            match model.shape.activation {
                Activation::Gelu => wide.iter_mut().for_each(|value| *value = gelu::<I>(*value)),
                Activation::Relu => wide.iter_mut().for_each(|value| *value = value.max(0.0)),
            }
            let rows = self.quantised.fill::<I>(wide, wider);
            multiply(isa, model, rows, &layer.narrow, update);
            add_and_normalise::<I>(panel, update, &layer.output_norm, model);
        }
    }

    /// One unit vector per text.
    fn pool(&self, model: &Model, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let width = model.shape.hidden;
        let mut start = 0;
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            let end = start + text.len();
            let mut vector = vec![0.0; width];
            let counted = match model.shape.pooling {
                Pooling::Mean => end,
                Pooling::First => start + 1,
            };
            for row in self.hidden[start * width..counted * width].chunks_exact(width) {
                for (sum, value) in vector.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            arithmetic::unit(&mut vector);
            vectors.push(vector);
            start = end;
        }
        vectors
    }
}

#[inline(always)]
fn multiply<I: Isa>(isa: I, model: &Model, rows: Rows<'_>, linear: &Linear, out: &mut [f32]) {
    isa.multiply(Product::new(rows, model.weights(linear), out));
}

#[inline(always)]
fn add_and_normalise<I: Isa>(hidden: &mut [f32], update: &[f32], norm: &Norm, model: &Model) {
    let width = model.shape.hidden;
    for (row, update) in hidden
        .chunks_exact_mut(width)
        .zip(update.chunks_exact(width))
    {
        for (value, update) in row.iter_mut().zip(update) {
            *value += update;
        }
        normalise::<I>(row, &norm.gain, &norm.bias, model.shape.epsilon);
    }
}
