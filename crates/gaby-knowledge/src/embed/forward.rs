//! The forward pass of a BERT-family encoder over several texts at once.
//!
//! The texts' tokens lie behind each other without padding: linear layers and normalisation see
//! one matrix with a row for each token, and only attention ([`super::attention`]) looks at one
//! text at a time. The rows are dealt out in shares, which cores work on beside each other: one share
//! where there are other passes to keep them busy, several where a person waits for one text.

use rayon::prelude::*;

use super::arithmetic::{self, gelu, normalise, quantise};
use super::asset::{Layer, Linear, Model, Norm};
use super::attention::{Attention, attend};
use super::isa::{Isa, Level, Task};
use super::kernel::{Product, Rows};
use super::shape::{Activation, Pooling};

/// Rows that go through the feed-forward part together: few enough that its wide middle stays in
/// the second-level cache, many enough that its weights are not read too often.
const PANEL: usize = 64;

/// One unit vector for each text. Texts are given as tokens, each at least one and at most the model's
/// maximum.
pub(super) fn forward(
    level: Level,
    model: &Model,
    texts: &[&[u32]],
    shares: usize,
) -> Vec<Vec<f32>> {
    let width = model.shape.hidden;
    let tokens: usize = texts.iter().map(|text| text.len()).sum();
    let rows = tokens.div_ceil(shares.max(1)).max(1);
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
    let mut hidden = vec![0.0; tokens * width];
    let mut projected = vec![0.0; tokens * 3 * width];
    let mut shares: Vec<Share> = hidden
        .chunks_mut(rows * width)
        .enumerate()
        .map(|(index, hidden)| Share::new(model, index * rows, hidden, longest))
        .collect();
    beside(&mut shares, |share| {
        level.run(LookUp {
            model,
            texts,
            share,
        });
    });
    for layer in &model.layers {
        // All of a text's keys and values must be there before a token looks at them.
        let mut parts: Vec<_> = shares
            .iter_mut()
            .zip(projected.chunks_mut(rows * 3 * width))
            .collect();
        beside(&mut parts, |(share, projected)| {
            level.run(Project {
                model,
                layer,
                share,
                projected,
            });
        });
        beside(&mut shares, |share| {
            level.run(Mix {
                model,
                layer,
                texts,
                projected: &projected,
                share,
            });
        });
    }
    drop(shares);
    pool(model, texts, &hidden)
}

/// Does the work on each part, on several cores where there are several parts.
fn beside<T: Send>(parts: &mut [T], work: impl Fn(&mut T) + Send + Sync) {
    match parts {
        [only] => work(only),
        parts => parts.par_iter_mut().with_max_len(1).for_each(work),
    }
}

/// Rows that one core works on, and what it needs for that.
struct Share<'a> {
    /// The first of the rows among all.
    from: usize,
    /// A row per token.
    hidden: &'a mut [f32],
    /// What is added to `hidden`.
    update: Vec<f32>,
    /// The wide middle of the feed-forward part, for one panel.
    wide: Vec<f32>,
    quantised: Quantised,
    attention: Attention,
}

impl<'a> Share<'a> {
    fn new(model: &Model, from: usize, hidden: &'a mut [f32], longest: usize) -> Self {
        let shape = &model.shape;
        let rows = hidden.len() / shape.hidden;
        Self {
            from,
            update: vec![0.0; hidden.len()],
            wide: vec![0.0; PANEL.min(rows) * shape.intermediate],
            quantised: Quantised::default(),
            attention: Attention::new(shape.head(), longest),
            hidden,
        }
    }
}

/// Word and position of each token.
struct LookUp<'a, 'b> {
    model: &'a Model,
    texts: &'a [&'a [u32]],
    share: &'a mut Share<'b>,
}

impl Task for LookUp<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let (model, shape) = (self.model, &self.model.shape);
        let width = shape.hidden;
        let placed = self.texts.iter().flat_map(|text| {
            let places = model.positions.chunks_exact(width);
            text.iter().zip(places.skip(shape.first_position))
        });
        let rows = self.share.hidden.chunks_exact_mut(width);
        for ((token, place), row) in placed.skip(self.share.from).zip(rows) {
            let (word, step) = model.word(*token);
            for ((out, word), place) in row.iter_mut().zip(word).zip(place) {
                *out = f32::from(word.cast_signed()) * step + place;
            }
            normalise::<I>(row, &model.norm.gain, &model.norm.bias, shape.epsilon);
        }
    }
}

/// Queries, keys and values of each token.
struct Project<'a, 'b> {
    model: &'a Model,
    layer: &'a Layer,
    share: &'a mut Share<'b>,
    projected: &'a mut [f32],
}

impl Task for Project<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let (model, share) = (self.model, self.share);
        let rows = share.quantised.fill::<I>(share.hidden, model.shape.hidden);
        multiply(isa, model, rows, &self.layer.attention, self.projected);
    }
}

/// Attention and the feed-forward part.
struct Mix<'a, 'b> {
    model: &'a Model,
    layer: &'a Layer,
    texts: &'a [&'a [u32]],
    /// Of all rows.
    projected: &'a [f32],
    share: &'a mut Share<'b>,
}

impl Task for Mix<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Self {
            model,
            layer,
            texts,
            projected,
            share,
        } = self;
        look_around::<I>(model, texts, projected, share);
        let width = model.shape.hidden;
        let rows = share.quantised.fill::<I>(&share.update, width);
        multiply(isa, model, rows, &layer.joined, &mut share.update);
        add_and_normalise::<I>(share.hidden, &share.update, &layer.attention_norm, model);
        feed_forward(isa, model, layer, share);
    }
}

/// What the share's tokens find in their texts.
#[inline(always)]
fn look_around<I: Isa>(model: &Model, texts: &[&[u32]], projected: &[f32], share: &mut Share<'_>) {
    let width = model.shape.hidden;
    let (from, to) = (share.from, share.from + share.hidden.len() / width);
    let mut start = 0;
    for text in texts {
        let end = start + text.len();
        let (first, last) = (start.max(from), end.min(to));
        if first < last {
            let projected = &projected[start * 3 * width..end * 3 * width];
            let found = &mut share.update[(first - from) * width..(last - from) * width];
            attend::<I>(&mut share.attention, projected, first - start, found, width);
        }
        start = end;
    }
}

#[inline(always)]
fn feed_forward<I: Isa>(isa: I, model: &Model, layer: &Layer, share: &mut Share<'_>) {
    let (width, wider) = (model.shape.hidden, model.shape.intermediate);
    for panel in share.hidden.chunks_mut(PANEL * width) {
        let count = panel.len() / width;
        let wide = &mut share.wide[..count * wider];
        let update = &mut share.update[..count * width];
        let rows = share.quantised.fill::<I>(panel, width);
        multiply(isa, model, rows, &layer.widen, wide);
        match model.shape.activation {
            Activation::Gelu => wide.iter_mut().for_each(|value| *value = gelu::<I>(*value)),
            Activation::Relu => wide.iter_mut().for_each(|value| *value = value.max(0.0)),
        }
        let rows = share.quantised.fill::<I>(wide, wider);
        multiply(isa, model, rows, &layer.narrow, update);
        add_and_normalise::<I>(panel, update, &layer.output_norm, model);
    }
}

/// One unit vector per text.
fn pool(model: &Model, texts: &[&[u32]], hidden: &[f32]) -> Vec<Vec<f32>> {
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
        for row in hidden[start * width..counted * width].chunks_exact(width) {
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
