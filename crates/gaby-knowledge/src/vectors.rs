//! The vectors of a workspace: one flat matrix of 8-bit numbers, scanned whole.
//!
//! A scan is exact, needs no tuning, forgets a removed chunk at once, and at 384 dimensions reads
//! some 40 MB for 100,000 chunks, which takes a few milliseconds.

use std::collections::HashMap;

use rayon::prelude::*;

/// Below this many rows one core is quicker than several.
const PARALLEL_FROM: usize = 20_000;

/// A matrix of unit vectors at 8 bits, found by key.
#[derive(Debug, Clone, Default)]
pub struct VectorSet {
    dimensions: usize,
    keys: Vec<u128>,
    scales: Vec<f32>,
    codes: Vec<i8>,
    places: HashMap<u128, u32>,
}

impl VectorSet {
    /// An empty matrix of so many columns.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            ..Self::default()
        }
    }

    /// How many vectors it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many numbers a vector has.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether it has a vector under this key.
    #[must_use]
    pub fn contains(&self, key: u128) -> bool {
        self.places.contains_key(&key)
    }

    /// The row of a key.
    #[must_use]
    pub fn place(&self, key: u128) -> Option<usize> {
        self.places.get(&key).map(|place| *place as usize)
    }

    /// Adds a vector; one of a wrong size, or already there, is left out.
    pub fn push(&mut self, key: u128, vector: &[f32]) {
        if vector.len() != self.dimensions || self.contains(key) {
            return;
        }
        let largest = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let scale = if largest > 0.0 && largest.is_finite() {
            largest / 127.0
        } else {
            1.0
        };
        self.places.insert(key, self.keys.len() as u32);
        self.keys.push(key);
        self.scales.push(scale);
        self.codes.extend(
            vector
                .iter()
                .map(|x| (x / scale).round().clamp(-127.0, 127.0) as i8),
        );
    }

    /// The similarity of a query to every row: the cosine, for unit vectors.
    #[must_use]
    pub fn scan(&self, query: &[f32]) -> Vec<f32> {
        if query.len() != self.dimensions || self.dimensions == 0 {
            return vec![0.0; self.len()];
        }
        let largest = query.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        // 15 bits for the query: 384 products of 7 and 15 bits stay within 32.
        let bound = (i32::MAX / 127 / self.dimensions as i32).min(32_000) as f32;
        let step = if largest > 0.0 && largest.is_finite() {
            largest / bound
        } else {
            1.0
        };
        let query: Vec<i16> = query.iter().map(|x| (x / step).round() as i16).collect();
        let dot = fastest_dot();
        let row = |(codes, scale): (&[i8], &f32)| dot(codes, &query) as f32 * scale * step;
        if self.len() < PARALLEL_FROM {
            self.codes
                .chunks_exact(self.dimensions)
                .zip(&self.scales)
                .map(row)
                .collect()
        } else {
            self.codes
                .par_chunks_exact(self.dimensions)
                .with_min_len(4096)
                .zip(&self.scales)
                .map(row)
                .collect()
        }
    }

    /// The similarity of two rows.
    #[must_use]
    pub fn between(&self, a: usize, b: usize) -> f32 {
        let row =
            |place: usize| &self.codes[place * self.dimensions..(place + 1) * self.dimensions];
        let dot: i32 = row(a)
            .iter()
            .zip(row(b))
            .map(|(x, y)| i32::from(*x) * i32::from(*y))
            .sum();
        dot as f32 * self.scales[a] * self.scales[b]
    }

    /// The rows from `first` on as bytes, for sealing.
    #[must_use]
    pub fn to_bytes(&self, first: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity((self.len() - first) * (self.dimensions + 20) + 4);
        bytes.extend((self.dimensions as u32).to_le_bytes());
        for row in first..self.len() {
            bytes.extend(self.keys[row].to_le_bytes());
            bytes.extend(self.scales[row].to_le_bytes());
            let codes = &self.codes[row * self.dimensions..(row + 1) * self.dimensions];
            bytes.extend(codes.iter().map(|code| *code as u8));
        }
        bytes
    }

    /// Adds rows from bytes, those that `wanted` keeps. False when the bytes are not such rows.
    #[must_use]
    pub fn extend_from_bytes(&mut self, bytes: &[u8], wanted: impl Fn(u128) -> bool) -> bool {
        let Some((head, rows)) = bytes.split_first_chunk::<4>() else {
            return false;
        };
        let dimensions = u32::from_le_bytes(*head) as usize;
        if dimensions != self.dimensions || rows.len() % (dimensions + 20) != 0 {
            return false;
        }
        for row in rows.chunks_exact(dimensions + 20) {
            let (Some((key, rest)), true) = (row.split_first_chunk::<16>(), true) else {
                return false;
            };
            let Some((scale, codes)) = rest.split_first_chunk::<4>() else {
                return false;
            };
            let key = u128::from_le_bytes(*key);
            if wanted(key) && !self.contains(key) {
                self.places.insert(key, self.keys.len() as u32);
                self.keys.push(key);
                self.scales.push(f32::from_le_bytes(*scale));
                self.codes.extend(codes.iter().map(|code| *code as i8));
            }
        }
        true
    }

    /// Its keys, row by row.
    #[must_use]
    pub fn keys(&self) -> &[u128] {
        &self.keys
    }
}

type Dot = fn(&[i8], &[i16]) -> i32;

fn fastest_dot() -> Dot {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        return |codes, query| {
            // SAFETY: the processor has AVX2, as was just found.
            unsafe { dot_avx2(codes, query) }
        };
    }
    dot_plain
}

#[inline(always)]
fn dot_plain(codes: &[i8], query: &[i16]) -> i32 {
    codes
        .iter()
        .zip(query)
        .map(|(code, value)| i32::from(*code) * i32::from(*value))
        .sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(codes: &[i8], query: &[i16]) -> i32 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16,
        _mm256_loadu_si256, _mm256_madd_epi16, _mm256_setzero_si256, _mm256_storeu_si256,
    };
    let (code_blocks, code_rest) = codes.as_chunks::<16>();
    let (query_blocks, query_rest) = query.as_chunks::<16>();
    let mut sums = _mm256_setzero_si256();
    for (code, value) in code_blocks.iter().zip(query_blocks) {
        // SAFETY: both point to sixteen values, and unaligned loads are asked for.
        let (code, value) = unsafe {
            (
                _mm_loadu_si128(code.as_ptr().cast::<__m128i>()),
                _mm256_loadu_si256(value.as_ptr().cast::<__m256i>()),
            )
        };
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_cvtepi8_epi16(code), value));
    }
    let mut lanes = [0_i32; 8];
    // SAFETY: `lanes` has room for the eight values.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast::<__m256i>(), sums) };
    lanes.iter().sum::<i32>() + dot_plain(code_rest, query_rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(seed: u64, dimensions: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let raw: Vec<f32> = (0..dimensions)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state % 2001) as f32 / 1000.0 - 1.0
            })
            .collect();
        let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
        raw.iter().map(|x| x / length).collect()
    }

    proptest! {
        #[test]
        fn the_scan_is_the_cosine_within_the_rounding(seed in any::<u64>(), dimensions in 1usize..400) {
            let mut set = VectorSet::new(dimensions);
            let rows: Vec<_> = (0..20).map(|i| unit(seed ^ i, dimensions)).collect();
            for (key, row) in rows.iter().enumerate() {
                set.push(key as u128, row);
            }
            let query = unit(seed ^ 99, dimensions);
            for (row, found) in rows.iter().zip(set.scan(&query)) {
                let exact: f32 = row.iter().zip(&query).map(|(a, b)| a * b).sum();
                prop_assert!((found - exact).abs() < 0.02, "{} for {}", found, exact);
            }
        }
    }

    #[test]
    fn vectors_survive_the_way_through_bytes_and_damage_is_noticed() {
        let mut set = VectorSet::new(8);
        for key in 0..10 {
            set.push(key, &unit(key as u64, 8));
        }
        let bytes = set.to_bytes(4);
        let mut back = VectorSet::new(8);
        assert!(back.extend_from_bytes(&bytes, |key| key != 5));
        assert_eq!(back.keys(), [4, 6, 7, 8, 9]);
        let query = unit(3, 8);
        assert_eq!(back.scan(&query)[0], set.scan(&query)[4]);
        assert!(!VectorSet::new(8).extend_from_bytes(&bytes[..bytes.len() - 1], |_| true));
        assert!(!VectorSet::new(9).extend_from_bytes(&bytes, |_| true));
        assert!(!VectorSet::new(8).extend_from_bytes(b"", |_| true));
    }

    #[test]
    fn odd_vectors_do_no_harm() {
        let mut set = VectorSet::new(3);
        set.push(1, &[0.0, 0.0, 0.0]);
        set.push(2, &[f32::NAN, f32::INFINITY, 1.0]);
        set.push(3, &[1.0]);
        assert_eq!(set.len(), 2);
        assert_eq!(set.scan(&[1.0, 0.0, 0.0])[0], 0.0);
        assert_eq!(set.scan(&[1.0]).len(), 2);
    }
}
