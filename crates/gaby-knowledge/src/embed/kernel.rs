//! The product of 8-bit rows with 8-bit weights: nine tenths of the model's time, and the only
//! unsafe code of this crate.
//!
//! A row is quantised to 16 bits with a step of its own, which is as good as exact; the weights are
//! signed numbers of 8 bits. AVX2 multiplies two 16-bit pairs and adds them in one instruction, as
//! fast as it would 8-bit ones, so nothing is won by coarser rows. [`activation_max`] keeps every
//! sum within 32 bits, and every instruction set gives the same exact sums.
//!
//! Weights lie in blocks of [`BLOCK`] outputs; in a block, for each [`PAIR`] inputs, the two
//! weights of the first output, of the second, and so on: one line of 32 bytes.

/// Outputs in a block of packed weights.
pub(super) const BLOCK: usize = 16;
/// Inputs that share a 32-bit lane; the number of inputs is a multiple of it.
pub(super) const PAIR: usize = 2;
/// The largest weight.
pub(super) const WEIGHT_MAX: i32 = 127;

/// Bytes of one pair of one block.
const LINE: usize = BLOCK * PAIR;

/// The largest quantised activation with which a sum over that many inputs stays in 32 bits.
#[inline(always)]
pub(super) fn activation_max(inputs: usize) -> i32 {
    let products = i64::try_from(inputs.max(1))
        .unwrap_or(i64::MAX)
        .saturating_mul(i64::from(WEIGHT_MAX));
    i32::try_from(i64::from(i32::MAX) / products)
        .unwrap_or(i32::MAX)
        .min(i32::from(i16::MAX))
}

/// Rows quantised each with its own step: `value ≈ scale * quantised`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    /// `rows * inputs` numbers, none beyond [`activation_max`].
    pub(super) values: &'a [i16],
    /// Size of a step, per row.
    pub(super) scale: &'a [f32],
}

/// A linear layer: packed weights, and per output what turns the integer sum into a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights<'a> {
    /// `outputs * inputs` signed numbers in the packed order.
    pub(super) packed: &'a [u8],
    /// Size of a step, per output.
    pub(super) scale: &'a [f32],
    /// Added at the end, per output.
    pub(super) bias: &'a [f32],
}

/// One product: `out[row][output]` for all rows and outputs.
#[derive(Debug)]
pub(super) struct Product<'a> {
    rows: Rows<'a>,
    weights: Weights<'a>,
    inputs: usize,
    out: &'a mut [f32],
}

impl<'a> Product<'a> {
    /// Checks every length once, so that the kernels need not.
    ///
    /// # Panics
    /// When the lengths do not fit together, which is a mistake in the forward pass.
    pub(super) fn new(rows: Rows<'a>, weights: Weights<'a>, out: &'a mut [f32]) -> Self {
        let (count, outputs) = (rows.scale.len(), weights.scale.len());
        let inputs = weights.packed.len() / outputs.max(1);
        assert!(
            inputs.is_multiple_of(PAIR)
                && outputs.is_multiple_of(BLOCK)
                && weights.packed.len() == outputs * inputs
                && weights.bias.len() == outputs
                && rows.values.len() == count * inputs
                && out.len() == count * outputs,
            "the shapes of a matrix product differ"
        );
        Self {
            rows,
            weights,
            inputs,
            out,
        }
    }

    /// Turns the integer sums of one row and one block into numbers.
    #[inline(always)]
    fn finish(&mut self, row: usize, block: usize, sums: &[i32; BLOCK]) {
        let at = block * BLOCK;
        let lanes = |numbers: &'a [f32]| numbers[at..].first_chunk::<BLOCK>();
        let Weights { scale, bias, .. } = self.weights;
        let (Some(steps), Some(biases)) = (lanes(scale), lanes(bias)) else {
            return;
        };
        let step = self.rows.scale[row];
        let mut numbers = [0.0; BLOCK];
        for lane in 0..BLOCK {
            numbers[lane] = sums[lane] as f32 * (step * steps[lane]) + biases[lane];
        }
        self.out[row * scale.len() + at..][..BLOCK].copy_from_slice(&numbers);
    }
}

/// The product in plain Rust, for machines without a kernel and as the measure of the others.
#[inline(always)]
pub(super) fn portable(mut product: Product<'_>) {
    let inputs = product.inputs;
    let (rows, weights) = (product.rows, product.weights);
    for (block, packed) in weights.packed.chunks_exact(inputs * BLOCK).enumerate() {
        for (row, values) in rows.values.chunks_exact(inputs).enumerate() {
            let mut sums = [0_i32; BLOCK];
            for (line, pair) in packed
                .as_chunks::<LINE>()
                .0
                .iter()
                .zip(values.as_chunks::<PAIR>().0)
            {
                for lane in 0..BLOCK {
                    for k in 0..PAIR {
                        sums[lane] += i32::from(pair[k]) * i32::from(line[lane * PAIR + k] as i8);
                    }
                }
            }
            product.finish(row, block, &sums);
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{avx_vnni, avx2, avx512_vnni};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;
    use std::arch::x86_64::*;

    use super::{BLOCK, LINE, PAIR, Product};

    /// Calls a tile function for all rows, `$most` at a time, of each block.
    macro_rules! tiles {
        ($product:ident, $tile:ident, $most:literal, [$($less:literal),*]) => {{
            let inputs = $product.inputs;
            let (rows, weights) = ($product.rows, $product.weights);
            let count = rows.scale.len();
            for (block, packed) in weights.packed.chunks_exact(inputs * BLOCK).enumerate() {
                let mut row = 0;
                while row + $most <= count {
                    // SAFETY: `values` holds `$most` rows of `inputs` bytes from here, `packed` one
                    // block of `inputs`; the caller's instruction set is the tile's.
                    let sums = unsafe { $tile::<$most>(&rows.values[row * inputs..], packed, inputs) };
                    for (r, sums) in sums.iter().enumerate() {
                        $product.finish(row + r, block, sums);
                    }
                    row += $most;
                }
                match count - row {
                    $($less => {
                        // SAFETY: as above, with the rows that are left.
                        let sums = unsafe { $tile::<$less>(&rows.values[row * inputs..], packed, inputs) };
                        for (r, sums) in sums.iter().enumerate() {
                            $product.finish(row + r, block, sums);
                        }
                    })*
                    _ => {}
                }
            }
        }};
    }

    /// The product with AVX2.
    #[target_feature(enable = "avx2,fma")]
    pub(in super::super) fn avx2(mut product: Product<'_>) {
        tiles!(product, avx2_tile, 6, [1, 2, 3, 4, 5]);
    }

    /// The product with the dot product on 256-bit registers.
    #[target_feature(enable = "avx2,fma,avxvnni")]
    pub(in super::super) fn avx_vnni(mut product: Product<'_>) {
        tiles!(product, avx_vnni_tile, 6, [1, 2, 3, 4, 5]);
    }

    /// How far ahead weights are asked for, in bytes.
    const AHEAD: usize = 2048;
    /// Rows of a 512-bit tile: as many sums as hide how long one instruction takes.
    const ROWS_512: usize = 12;

    /// The product with the dot product on 512-bit registers.
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512vl,avx512vnni")]
    pub(in super::super) fn avx512_vnni(mut product: Product<'_>) {
        let inputs = product.inputs;
        let (rows, weights) = (product.rows, product.weights);
        let count = rows.scale.len();
        // A tile's pairs in the order they are used in: those of all rows, then the next ones.
        let mut pairs = vec![0_i32; ROWS_512.min(count) * inputs / PAIR];
        for first in (0..count).step_by(ROWS_512) {
            let values = &rows.values[first * inputs..];
            let tile = ROWS_512.min(count - first);
            for (r, row) in values.chunks_exact(inputs).take(tile).enumerate() {
                let places = pairs.iter_mut().skip(r).step_by(tile);
                for (place, [low, high]) in places.zip(row.as_chunks::<PAIR>().0) {
                    *place = i32::from(*high) << 16 | i32::from(*low as u16);
                }
            }
            for (block, packed) in weights.packed.chunks_exact(inputs * BLOCK).enumerate() {
                macro_rules! of_rows {
                    ($($rows:literal)*) => {
                        match tile {
                            $($rows => {
                                // SAFETY: `pairs` holds those of `$rows` rows, `packed` one block;
                                // the caller's instruction set is the tile's.
                                let sums = unsafe { avx512_vnni_tile::<$rows>(&pairs, packed, inputs) };
                                for (r, sums) in sums.iter().enumerate() {
                                    product.finish(first + r, block, sums);
                                }
                            })*
                            _ => {}
                        }
                    };
                }
                of_rows!(1 2 3 4 5 6 7 8 9 10 11 12);
            }
        }
    }

    /// Where each of `R` rows of `inputs` numbers begins.
    #[inline(always)]
    fn starts<const R: usize>(values: &[i16], inputs: usize) -> [*const i16; R] {
        std::array::from_fn(|r| values.as_ptr().wrapping_add(r.wrapping_mul(inputs)))
    }

    /// Two activations of a row.
    ///
    /// # Safety
    /// Two numbers are readable from there.
    #[inline(always)]
    unsafe fn pair(row: *const i16, at: usize) -> i32 {
        // SAFETY: the caller's; any alignment is read.
        unsafe { row.wrapping_add(at).cast::<i32>().read_unaligned() }
    }

    /// One line of packed weights, widened to 16 bits.
    ///
    /// # Safety
    /// 32 bytes are readable from there.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn line(packed: *const u8, at: usize) -> [__m256i; 2] {
        let line = packed.wrapping_add(at).cast::<__m128i>();
        // SAFETY: the caller's; any alignment is read.
        let halves = unsafe { [_mm_loadu_si128(line), _mm_loadu_si128(line.wrapping_add(1))] };
        halves.map(|half| _mm256_cvtepi8_epi16(half))
    }

    /// Declares a tile over pairs of 256-bit registers with the given dot product.
    macro_rules! tile_256 {
        ($tile:ident, $features:literal, $dot:expr) => {
            /// # Safety
            /// `values` holds `R` rows of `inputs` numbers, `packed` one block of `inputs`, and
            /// `inputs` is a multiple of [`PAIR`].
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn $tile<const R: usize>(
                values: &[i16],
                packed: &[u8],
                inputs: usize,
            ) -> [[i32; BLOCK]; R] {
                let rows = starts::<R>(values, inputs);
                let mut sums = [[_mm256_setzero_si256(); 2]; R];
                let mut k = 0;
                while k < inputs {
                    // SAFETY: the line of this pair lies within `packed`, as `k + PAIR <= inputs`.
                    let weights = unsafe { line(packed.as_ptr(), k.wrapping_mul(BLOCK)) };
                    for r in 0..R {
                        // SAFETY: the pair lies within row `r`.
                        let x = _mm256_set1_epi32(unsafe { pair(rows[r], k) });
                        for half in 0..2 {
                            sums[r][half] = $dot(sums[r][half], x, weights[half]);
                        }
                    }
                    k = k.wrapping_add(PAIR);
                }
                // SAFETY: two 256-bit registers are 16 numbers of 32 bits; any bits are valid.
                unsafe { std::mem::transmute_copy(&sums) }
            }
        };
    }

    tile_256!(avx2_tile, "avx2", |sum, x, w| _mm256_add_epi32(
        sum,
        _mm256_madd_epi16(x, w)
    ));
    tile_256!(avx_vnni_tile, "avx2,avxvnni", |sum, x, w| {
        _mm256_dpwssd_avx_epi32(sum, x, w)
    });

    /// # Safety
    /// `pairs` holds `inputs / PAIR` times those of `R` rows, `packed` one block of `inputs`, and
    /// `inputs` is a multiple of [`PAIR`].
    #[inline]
    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vnni")]
    unsafe fn avx512_vnni_tile<const R: usize>(
        pairs: &[i32],
        packed: &[u8],
        inputs: usize,
    ) -> [[i32; BLOCK]; R] {
        let mut sums = [_mm512_setzero_si512(); R];
        let (mut line, mut pair) = (packed.as_ptr(), pairs.as_ptr());
        for _ in 0..inputs / PAIR {
            // Weights for a single text come from far: too many for the second-level cache.
            _mm_prefetch::<_MM_HINT_T0>(line.wrapping_add(AHEAD).cast());
            // SAFETY: the line of this pair lies within `packed`.
            let weights = _mm512_cvtepi8_epi16(unsafe { _mm256_loadu_si256(line.cast()) });
            for (r, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the pair lies within `pairs`; the instruction is of the set asked for, and
                // only reads. It is written out because the compiler makes two of it.
                unsafe {
                    asm!(
                        "vpdpwssd {sum}, {weights}, dword ptr [{pair}]{{1to16}}",
                        sum = inout(zmm_reg) *sum,
                        weights = in(zmm_reg) weights,
                        pair = in(reg) pair.wrapping_add(r),
                        options(pure, readonly, nostack, preserves_flags),
                    );
                }
            }
            line = line.wrapping_add(LINE);
            pair = pair.wrapping_add(R);
        }
        // SAFETY: a 512-bit register is 16 numbers of 32 bits; any bits are valid in both.
        unsafe { std::mem::transmute_copy(&sums) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa::{Isa, Level, Task};
    use super::super::pack;
    use super::*;
    use proptest::prelude::*;

    struct Multiply<'a>(Product<'a>);

    impl Task for Multiply<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self, isa: I) {
            isa.multiply(self.0);
        }
    }

    proptest! {
        #[test]
        fn every_instruction_set_gives_the_product_in_64_bits(
            (count, inputs, outputs) in (0_usize..30, 1_usize..12, 1_usize..4),
            seed in any::<u64>(),
            // All at the bounds, where 32 bits would overflow first.
            extreme in any::<bool>(),
        ) {
            let (inputs, outputs) = (inputs * 128, outputs * BLOCK);
            let most = activation_max(inputs) as u64;
            let mut state = seed | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state >> 40
            };
            // With a 127 in each row its step is 1, and no weight is rounded.
            let matrix: Vec<f32> = (0..inputs * outputs)
                .map(|at| if extreme || at % inputs == 0 { 127.0 } else { (next() % 255) as f32 - 127.0 })
                .collect();
            let packed = pack::linear(&matrix, inputs);
            let bias: Vec<f32> = (0..outputs).map(|i| i as f32).collect();
            let values: Vec<i16> = (0..count * inputs)
                .map(|_| if extreme { most as i16 } else { ((next() % (2 * most)) as i64 - most as i64) as i16 })
                .collect();
            let steps: Vec<f32> = (0..count).map(|_| next() as f32 / 1e9).collect();
            for level in Level::all() {
                let mut out = vec![f32::NAN; count * outputs];
                let rows = Rows { values: &values, scale: &steps };
                let weights = Weights { packed: &packed.weights, scale: &packed.scale, bias: &bias };
                level.run(Multiply(Product::new(rows, weights, &mut out)));
                for (i, found) in out.iter().enumerate() {
                    let (row, output) = (i / outputs, i % outputs);
                    let scale = f64::from(packed.scale[output]);
                    let sum: i64 = (0..inputs)
                        .map(|k| {
                            let weight = (f64::from(matrix[output * inputs + k]) / scale).round() as i64;
                            i64::from(values[row * inputs + k]) * weight
                        })
                        .sum();
                    let expected = sum as f64 * scale * f64::from(steps[row]) + f64::from(bias[output]);
                    prop_assert!(
                        (f64::from(*found) - expected).abs() <= 1e-5 * expected.abs().max(1.0),
                        "{level:?}: {found} is not {expected}"
                    );
                }
            }
        }
    }
}
