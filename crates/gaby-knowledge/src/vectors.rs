//! The vectors of a workspace: one flat matrix of 8-bit numbers.
//!
//! A few are compared one by one. Of very many, first their signs are: a bit for each number, an
//! eighth of the memory to read, and what is nearest by these is then compared in full. Neither needs
//! tuning, and both forget a removed chunk at once.

use std::collections::HashMap;

use rayon::prelude::*;

/// From so many rows on signs are compared first.
const SIGNS_FROM: usize = 20_000;
/// Rows that one core compares before another helps.
const A_CORES_SHARE: usize = 16_000;
/// Rows looked at in full for each that is asked for.
const CANDIDATES_EACH: usize = 4;
/// Rows looked at in full to know how far away the furthest are.
const FURTHEST: usize = 200;

/// A matrix of unit vectors at 8 bits, found by key.
#[derive(Debug, Clone, Default)]
pub struct VectorSet {
    dimensions: usize,
    keys: Vec<u128>,
    scales: Vec<f32>,
    codes: Vec<i8>,
    /// The signs of a row's numbers, 64 to a word.
    signs: Vec<u64>,
    places: HashMap<u128, u32>,
}

/// A query as rows are compared with it.
#[derive(Debug)]
pub struct Probe {
    codes: Vec<i16>,
    step: f32,
    signs: Vec<u64>,
}

/// The rows nearest to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// Row and similarity, in no order.
    pub rows: Vec<(u32, f32)>,
    /// The least similarity that any row has, as far as is known.
    pub least: f32,
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
        let codes = vector
            .iter()
            .map(|x| (x / scale).round().clamp(-127.0, 127.0) as i8);
        self.add(key, scale, codes);
    }

    fn add(&mut self, key: u128, scale: f32, codes: impl Iterator<Item = i8>) {
        self.places.insert(key, self.keys.len() as u32);
        self.keys.push(key);
        self.scales.push(scale);
        let start = self.codes.len();
        self.codes.extend(codes);
        self.signs
            .extend(signs(&self.codes[start..], |code| *code < 0));
    }

    /// Makes a query ready to be compared; none when it is of a wrong size.
    #[must_use]
    pub fn probe(&self, query: &[f32]) -> Option<Probe> {
        if query.len() != self.dimensions || self.dimensions == 0 {
            return None;
        }
        let largest = query.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        // 15 bits for the query: 384 products of 7 and 15 bits stay within 32.
        let bound = (i32::MAX / 127 / self.dimensions as i32).min(32_000) as f32;
        let step = if largest > 0.0 && largest.is_finite() {
            largest / bound
        } else {
            1.0
        };
        let codes: Vec<i16> = query.iter().map(|x| (x / step).round() as i16).collect();
        let signs = signs(&codes, |code| *code < 0).collect();
        Some(Probe { codes, step, signs })
    }

    /// The similarity of a row: the cosine, for unit vectors.
    #[must_use]
    pub fn similarity(&self, probe: &Probe, place: usize) -> f32 {
        self.similarity_by(fastest_dot(), probe, place)
    }

    fn similarity_by(&self, dot: Dot, probe: &Probe, place: usize) -> f32 {
        let codes = &self.codes[place * self.dimensions..][..self.dimensions];
        dot(codes, &probe.codes) as f32 * self.scales[place] * probe.step
    }

    /// The similarity to every row.
    #[must_use]
    pub fn scan(&self, probe: &Probe) -> Vec<f32> {
        let dot = fastest_dot();
        (0..self.len())
            .into_par_iter()
            .with_min_len(A_CORES_SHARE)
            .map(|place| self.similarity_by(dot, probe, place))
            .collect()
    }

    /// At least the `most` rows nearest to a query; of very many rows, nearly always.
    #[must_use]
    pub fn nearest(&self, probe: &Probe, most: usize) -> Nearest {
        if self.len() < SIGNS_FROM {
            let all = self.scan(probe);
            let least = all.iter().copied().fold(f32::MAX, f32::min);
            return Nearest {
                rows: (0..).zip(all).collect(),
                least,
            };
        }
        let apart = self.apart(probe);
        let mut rows_apart = vec![0_usize; self.dimensions + 1];
        for distance in &apart {
            rows_apart[usize::from(*distance)] += 1;
        }
        let near = furthest_of_first(rows_apart.iter(), most * CANDIDATES_EACH);
        let far = self.dimensions - furthest_of_first(rows_apart.iter().rev(), FURTHEST);
        let dot = fastest_dot();
        let compare = |place: usize| self.similarity_by(dot, probe, place);
        let (mut rows, mut least) = (Vec::with_capacity(most * CANDIDATES_EACH), f32::MAX);
        for (place, distance) in apart.iter().enumerate() {
            if usize::from(*distance) <= near {
                rows.push((place as u32, compare(place)));
            } else if usize::from(*distance) >= far {
                least = least.min(compare(place));
            }
        }
        least = rows.iter().fold(least, |least, (_, s)| least.min(*s));
        Nearest { rows, least }
    }

    /// In how many signs each row differs from the query.
    fn apart(&self, probe: &Probe) -> Vec<u16> {
        let words = probe.signs.len();
        let count = fastest_count();
        let mut apart = vec![0_u16; self.len()];
        apart
            .par_chunks_mut(A_CORES_SHARE)
            .zip(self.signs.par_chunks(A_CORES_SHARE * words))
            .for_each(|(apart, signs)| count(signs, &probe.signs, apart));
        apart
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
                let codes = codes.iter().map(|code| *code as i8);
                self.add(key, f32::from_le_bytes(*scale), codes);
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

/// One bit for each number, 64 to a word.
fn signs<T>(values: &[T], negative: impl Fn(&T) -> bool) -> impl Iterator<Item = u64> {
    values.chunks(64).map(move |word| {
        word.iter()
            .rev()
            .fold(0, |bits, value| bits << 1 | u64::from(negative(value)))
    })
}

/// The first place at which the counts up to it add up to `wanted`; the last, when they never do.
fn furthest_of_first<'a>(counts: impl ExactSizeIterator<Item = &'a usize>, wanted: usize) -> usize {
    let last = counts.len() - 1;
    counts
        .scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
        .position(|sum| sum >= wanted)
        .unwrap_or(last)
}

type Count = fn(&[u64], &[u64], &mut [u16]);

fn fastest_count() -> Count {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("popcnt") {
        return |rows, query, apart| {
            // SAFETY: the processor counts bits, as was just found.
            unsafe { count_in_one_instruction(rows, query, apart) }
        };
    }
    count_plain
}

#[inline(always)]
fn count_plain(rows: &[u64], query: &[u64], apart: &mut [u16]) {
    for (row, apart) in rows.chunks_exact(query.len()).zip(apart) {
        let differ = |(a, b): (&u64, &u64)| (a ^ b).count_ones();
        *apart = row.iter().zip(query).map(differ).sum::<u32>() as u16;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn count_in_one_instruction(rows: &[u64], query: &[u64], apart: &mut [u16]) {
    // What the model inside the program needs: of known size, it is unrolled.
    match <&[u64; 6]>::try_from(query) {
        Ok(query) => {
            for (row, apart) in rows.as_chunks::<6>().0.iter().zip(apart) {
                let differ = |at: usize| (row[at] ^ query[at]).count_ones();
                *apart = (0..6).map(differ).sum::<u32>() as u16;
            }
        }
        Err(_) => count_plain(rows, query, apart),
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
            let probe = set.probe(&query).unwrap();
            for (row, found) in rows.iter().zip(set.scan(&probe)) {
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
        let probe = set.probe(&unit(3, 8)).unwrap();
        assert_eq!(back.scan(&probe)[0], set.scan(&probe)[4]);
        assert_eq!(back.apart(&probe)[0], set.apart(&probe)[4]);
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
        let probe = set.probe(&[1.0, 0.0, 0.0]).unwrap();
        assert_eq!(set.scan(&probe)[0], 0.0);
        assert!(set.probe(&[1.0]).is_none());
        assert!(set.probe(&[f32::NAN, 0.0, 0.0]).is_some());
        assert!(VectorSet::new(0).probe(&[]).is_none());
    }

    #[test]
    fn of_very_many_the_nearest_are_found_by_their_signs() {
        // Clusters, as texts about the same thing are.
        let mut set = VectorSet::new(384);
        let near = |centre: u64, seed: u64| -> Vec<f32> {
            let (centre, noise) = (unit(centre, 384), unit(seed, 384));
            centre.iter().zip(noise).map(|(a, b)| a + 0.8 * b).collect()
        };
        for row in 0..SIGNS_FROM as u64 + 500 {
            set.push(u128::from(row), &near(row % 500, row + 10_000));
        }
        let (mut wanted, mut found) = (0, 0);
        for query in 0..20 {
            let probe = set.probe(&near(query * 7, query + 90_000)).unwrap();
            let mut exact: Vec<(u32, f32)> = (0..).zip(set.scan(&probe)).collect();
            exact.sort_by(|a, b| b.1.total_cmp(&a.1));
            let nearest = set.nearest(&probe, 100);
            assert!(
                nearest.rows.len() < set.len() / 10,
                "it looked at most of them"
            );
            assert!((nearest.least - exact[set.len() - 1].1).abs() < 0.05);
            wanted += 20;
            found += exact[..20]
                .iter()
                .filter(|row| nearest.rows.contains(row))
                .count();
        }
        assert!(found * 100 >= wanted * 99, "{found} of {wanted}");
    }
}
