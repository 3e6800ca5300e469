//! The weights in a safetensors file, by name and as `f32`.

use safetensors::{Dtype, SafeTensors};

/// A safetensors file and what its names begin with.
pub(super) struct Tensors<'a> {
    file: SafeTensors<'a>,
    prefix: String,
}

impl<'a> Tensors<'a> {
    /// Reads the file's header.
    ///
    /// # Errors
    /// When it is damaged or holds no BERT.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, String> {
        const WORDS: &str = "embeddings.word_embeddings.weight";
        let file =
            SafeTensors::deserialize(bytes).map_err(|error| format!("it is damaged: {error}"))?;
        let prefix = file
            .names()
            .into_iter()
            .find_map(|name| name.strip_suffix(WORDS).map(str::to_owned));
        let prefix = prefix
            .ok_or_else(|| format!("it has no `{WORDS}`: it is no model of the BERT family"))?;
        Ok(Self { file, prefix })
    }

    /// A tensor of `rows` by `columns`, row by row.
    ///
    /// # Errors
    /// When it is missing or of another shape.
    pub(super) fn matrix(
        &self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Vec<f32>, String> {
        self.shaped(name, &[rows, columns])
    }

    /// A tensor of one dimension.
    ///
    /// # Errors
    /// When it is missing or of another length.
    pub(super) fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, String> {
        self.shaped(name, &[length])
    }

    fn shaped(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let name = format!("{}{name}", self.prefix);
        let found = self
            .file
            .tensor(&name)
            .map_err(|_| format!("`{name}` is missing"))?;
        if found.shape() != shape {
            return Err(format!(
                "`{name}` is {:?}, and config.json says {shape:?}",
                found.shape()
            ));
        }
        numbers(&name, found.dtype(), found.data())
    }

    /// A tensor of any shape, flat.
    ///
    /// # Errors
    /// When it is missing.
    pub(super) fn any(&self, name: &str) -> Result<Vec<f32>, String> {
        let name = format!("{}{name}", self.prefix);
        let found = self
            .file
            .tensor(&name)
            .map_err(|_| format!("`{name}` is missing"))?;
        numbers(&name, found.dtype(), found.data())
    }
}

fn numbers(name: &str, dtype: Dtype, data: &[u8]) -> Result<Vec<f32>, String> {
    let numbers: Vec<f32> = match dtype {
        Dtype::F32 => data
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect(),
        Dtype::BF16 => {
            let pairs = data.as_chunks().0.iter();
            pairs
                .map(|b| f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16))
                .collect()
        }
        Dtype::F16 => data
            .as_chunks()
            .0
            .iter()
            .map(|b| half(u16::from_le_bytes(*b)))
            .collect(),
        other => {
            return Err(format!(
                "`{name}` holds {other:?}; F32, F16 and BF16 can be read"
            ));
        }
    };
    match numbers.iter().all(|n| n.is_finite()) {
        true => Ok(numbers),
        false => Err(format!("`{name}` holds numbers that are not finite")),
    }
}

/// An IEEE 754 half as a single.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_exactly() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
        ] {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }
}
