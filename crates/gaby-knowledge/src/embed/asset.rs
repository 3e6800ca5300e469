//! The file that a quantised model lies in, laid out so that the program reads weights where they
//! are: a magic word, a JSON header with the [`Shape`], then the parts, each on a 64-byte boundary,
//! in the order in which [`Model::parse`] takes them. All numbers are little-endian.

use std::borrow::Cow;
use std::ops::Range;

use super::kernel;
use super::shape::Shape;

const MAGIC: &[u8; 8] = b"GABYEMB2";
const LINE: usize = 64;
const LONGEST_HEADER: usize = 1 << 16;

/// A model as it is run: the large tables stay in the file's bytes.
#[derive(Debug)]
pub(super) struct Model {
    bytes: Cow<'static, [u8]>,
    /// Sizes and choices.
    pub(super) shape: Shape,
    words: Range<usize>,
    word_steps: Vec<f32>,
    /// Position rows, with the one token type added.
    pub(super) positions: Vec<f32>,
    /// Normalises what the tables give.
    pub(super) norm: Norm,
    /// From the first to the last.
    pub(super) layers: Vec<Layer>,
}

/// One encoder layer.
#[derive(Debug)]
pub(super) struct Layer {
    /// Queries (scaled), keys and values beside each other.
    pub(super) attention: Linear,
    /// What the heads found, back to one vector.
    pub(super) joined: Linear,
    /// After the attention.
    pub(super) attention_norm: Norm,
    /// Up.
    pub(super) widen: Linear,
    /// And down again.
    pub(super) narrow: Linear,
    /// After the feed-forward part.
    pub(super) output_norm: Norm,
}

/// Gain and bias of a layer normalisation.
#[derive(Debug)]
pub(super) struct Norm {
    /// Multiplied.
    pub(super) gain: Vec<f32>,
    /// Added.
    pub(super) bias: Vec<f32>,
}

/// A linear layer whose weights lie in the file.
#[derive(Debug)]
pub(super) struct Linear {
    packed: Range<usize>,
    scale: Vec<f32>,
    bias: Vec<f32>,
}

impl Model {
    /// Reads a model; the large tables are left where they are.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub(super) fn parse(bytes: Cow<'static, [u8]>) -> Result<Self, String> {
        let mut reader = Reader::new(&bytes)?;
        let shape = reader.header()?;
        let Shape {
            hidden,
            intermediate,
            vocabulary,
            positions,
            ..
        } = shape;
        let words = reader.part(vocabulary * hidden)?;
        let word_steps = reader.numbers(vocabulary)?;
        let positions = reader.numbers(positions * hidden)?;
        let norm = reader.norm(hidden)?;
        let layers = (0..shape.layers)
            .map(|_| {
                Ok(Layer {
                    attention: reader.linear(hidden, 3 * hidden)?,
                    joined: reader.linear(hidden, hidden)?,
                    attention_norm: reader.norm(hidden)?,
                    widen: reader.linear(hidden, intermediate)?,
                    narrow: reader.linear(intermediate, hidden)?,
                    output_norm: reader.norm(hidden)?,
                })
            })
            .collect::<Result<_, String>>()?;
        reader.end()?;
        Ok(Self {
            shape,
            words,
            word_steps,
            positions,
            norm,
            layers,
            bytes,
        })
    }

    /// The weights of a layer, for the kernels.
    pub(super) fn weights<'a>(&'a self, linear: &'a Linear) -> kernel::Weights<'a> {
        kernel::Weights {
            packed: &self.bytes[linear.packed.clone()],
            scale: &linear.scale,
            bias: &linear.bias,
        }
    }

    /// The row of a token in the word table, quantised, and its step.
    pub(super) fn word(&self, token: u32) -> (&[u8], f32) {
        let token = (token as usize).min(self.shape.vocabulary - 1);
        let width = self.shape.hidden;
        let table = &self.bytes[self.words.clone()];
        (&table[token * width..][..width], self.word_steps[token])
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, String> {
        match bytes.starts_with(MAGIC) {
            true => Ok(Self {
                bytes,
                at: MAGIC.len(),
            }),
            false => Err("it is no quantised model (the magic word is missing)".to_owned()),
        }
    }

    fn header(&mut self) -> Result<Shape, String> {
        let length = self
            .bytes
            .get(self.at..self.at + 4)
            .and_then(|b| b.try_into().ok());
        let length = length.map_or(usize::MAX, |b| u32::from_le_bytes(b) as usize);
        if length > LONGEST_HEADER {
            return Err("its header is damaged".to_owned());
        }
        let start = self.at + 4;
        let header = self
            .bytes
            .get(start..start + length)
            .ok_or("it is cut off in its header")?;
        self.at = start + length;
        let shape: Shape = serde_json::from_slice(header)
            .map_err(|error| format!("its header cannot be read: {error}"))?;
        shape.check()?;
        Ok(shape)
    }

    fn part(&mut self, length: usize) -> Result<Range<usize>, String> {
        let start = self.at.next_multiple_of(LINE);
        let end = start
            .checked_add(length)
            .filter(|end| *end <= self.bytes.len());
        let end =
            end.ok_or_else(|| format!("it is cut off: {} bytes are too few", self.bytes.len()))?;
        self.at = end;
        Ok(start..end)
    }

    fn numbers(&mut self, count: usize) -> Result<Vec<f32>, String> {
        let part = self.part(count * 4)?;
        let numbers: Vec<f32> = self.bytes[part]
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        match numbers.iter().all(|n| n.is_finite()) {
            true => Ok(numbers),
            false => Err("it holds numbers that are not finite".to_owned()),
        }
    }

    fn norm(&mut self, width: usize) -> Result<Norm, String> {
        Ok(Norm {
            gain: self.numbers(width)?,
            bias: self.numbers(width)?,
        })
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Result<Linear, String> {
        Ok(Linear {
            packed: self.part(inputs * outputs)?,
            scale: self.numbers(outputs)?,
            bias: self.numbers(outputs)?,
        })
    }

    fn end(&self) -> Result<(), String> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            more => Err(format!("{more} bytes follow its end")),
        }
    }
}

/// Writes the file, part by part in [`Model::parse`]'s order.
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins with the header.
    ///
    /// # Errors
    /// When the shape cannot be run, or does not fit a header.
    pub(super) fn new(shape: &Shape) -> Result<Self, String> {
        shape.check()?;
        let header = serde_json::to_vec(shape).map_err(|error| error.to_string())?;
        let length = u32::try_from(header.len())
            .ok()
            .filter(|n| *n as usize <= LONGEST_HEADER);
        let length = length.ok_or("its name is too long")?;
        let bytes = [MAGIC.as_slice(), &length.to_le_bytes(), &header].concat();
        Ok(Self { bytes })
    }

    fn part(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.bytes
            .resize(self.bytes.len().next_multiple_of(LINE), 0);
        self.bytes.extend(bytes);
    }

    /// Adds numbers as they are.
    pub(super) fn numbers(&mut self, numbers: &[f32]) {
        self.part(numbers.iter().flat_map(|n| n.to_le_bytes()));
    }

    /// Adds a table quantised row by row.
    pub(super) fn table(&mut self, matrix: &[f32], width: usize) {
        let (values, steps) = super::pack::table(matrix, width);
        self.part(values);
        self.numbers(&steps);
    }

    /// Adds a quantised linear layer.
    pub(super) fn linear(&mut self, matrix: &[f32], bias: &[f32], inputs: usize) {
        let packed = super::pack::linear(matrix, inputs);
        self.part(packed.weights);
        self.numbers(&packed.scale);
        self.numbers(bias);
    }

    /// The finished file.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
