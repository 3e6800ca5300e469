//! The element-wise arithmetic between the matrix products: quantising rows, GELU, softmax's
//! exponential, layer normalisation.
//!
//! Everything is written over plain slices and inlined into one function per instruction set
//! ([`super::forward`]), so the compiler turns it into that set's vector code.

use super::isa::Isa;

const LANES: usize = 16;

/// `a * b + c`, fused where the machine does that in one instruction.
#[inline(always)]
pub(super) fn multiply_add<I: Isa>(a: f32, b: f32, c: f32) -> f32 {
    if I::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `e^x` for `x <= 0`, to about 1e-7 relative; 0 below -87.
#[inline(always)]
pub(super) fn exp<I: Isa>(x: f32) -> f32 {
    // Adding and subtracting 1.5 * 2^23 rounds to an integer, which is left in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = multiply_add::<I>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = multiply_add::<I>(n, -0.693_145_75, x);
    let r = multiply_add::<I>(n, -1.428_606_8e-6, r);
    let mut p = 1.987_569_1e-4;
    p = multiply_add::<I>(p, r, 1.398_199_9e-3);
    p = multiply_add::<I>(p, r, 8.333_452e-3);
    p = multiply_add::<I>(p, r, 4.166_579_6e-2);
    p = multiply_add::<I>(p, r, 1.666_666_5e-1);
    p = multiply_add::<I>(p, r, 5.0e-1);
    p = multiply_add::<I>(p * r, r, r) + 1.0;
    p * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// The Gaussian error linear unit with the exact `erf` (a rational fit, error below 1e-6).
#[inline(always)]
pub(super) fn gelu<I: Isa>(x: f32) -> f32 {
    let z = x * std::f32::consts::FRAC_1_SQRT_2;
    let z = if z > 4.0 { 4.0 } else { z };
    let z = if z < -4.0 { -4.0 } else { z };
    let s = z * z;
    let mut p = -2.726_142_3e-10;
    p = multiply_add::<I>(p, s, 2.770_681_5e-8);
    p = multiply_add::<I>(p, s, -2.101_024e-6);
    p = multiply_add::<I>(p, s, -5.692_506_3e-5);
    p = multiply_add::<I>(p, s, -7.349_906e-4);
    p = multiply_add::<I>(p, s, -2.954_6e-3);
    p = multiply_add::<I>(p, s, -1.609_603_3e-2);
    let mut q = -1.456_607_2e-5;
    q = multiply_add::<I>(q, s, -2.133_740_5e-4);
    q = multiply_add::<I>(q, s, -1.682_827e-3);
    q = multiply_add::<I>(q, s, -7.373_329e-3);
    q = multiply_add::<I>(q, s, -1.426_473_9e-2);
    let erf = z * p / q;
    0.5 * x * (1.0 + erf)
}

/// The smallest and the largest of the values; zeros for none.
#[inline(always)]
pub(super) fn range(values: &[f32]) -> (f32, f32) {
    let first = values.first().copied().unwrap_or(0.0);
    let mut low = [first; LANES];
    let mut high = [first; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    // Two loops: in one, the compiler turns the comparisons into masks.
    for block in blocks {
        for lane in 0..LANES {
            low[lane] = smaller(block[lane], low[lane]);
        }
    }
    for block in blocks {
        for lane in 0..LANES {
            high[lane] = larger(block[lane], high[lane]);
        }
    }
    let low = low.iter().chain(rest).fold(first, |a, b| smaller(*b, a));
    let high = high.iter().chain(rest).fold(first, |a, b| larger(*b, a));
    (low, high)
}

/// The smaller one, as one instruction: `f32::min` would look for NaN too.
#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The larger one, as one instruction.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The sum of the values, in 16 partial sums.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    let mut partial = [0.0; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            partial[lane] += block[lane];
        }
    }
    partial.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// Quantises one row so that `value ≈ scale * quantised`; gives the scale.
#[inline(always)]
pub(super) fn quantise<I: Isa>(row: &[f32], quantised: &mut [i16]) -> f32 {
    // Adding 1.5 * 2^23 rounds to an integer, which is left in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let most = super::kernel::activation_max(row.len()) as f32;
    let (low, high) = range(row);
    let largest = larger(high, -low);
    let inverse = if largest > f32::MIN_POSITIVE {
        most / largest
    } else {
        0.0
    };
    for (q, &value) in quantised.iter_mut().zip(row) {
        *q = multiply_add::<I>(value, inverse, ROUND).to_bits() as i16;
    }
    largest / most
}

/// Layer normalisation of one row in place.
#[inline(always)]
pub(super) fn normalise<I: Isa>(row: &mut [f32], gain: &[f32], bias: &[f32], epsilon: f32) {
    let count = row.len() as f32;
    let mean = sum(row) / count;
    let mut squares = [0.0; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            let d = block[lane] - mean;
            squares[lane] = multiply_add::<I>(d, d, squares[lane]);
        }
    }
    let mut variance = squares.iter().sum::<f32>();
    for value in rest {
        variance += (value - mean) * (value - mean);
    }
    let inverse = 1.0 / (variance / count + epsilon).sqrt();
    for ((value, gain), bias) in row.iter_mut().zip(gain).zip(bias) {
        *value = multiply_add::<I>((*value - mean) * inverse, *gain, *bias);
    }
}

/// Scales a vector to length 1; a zero vector stays one.
pub(super) fn unit(vector: &mut [f32]) {
    let length = vector
        .iter()
        .map(|v| f64::from(*v) * f64::from(*v))
        .sum::<f64>()
        .sqrt();
    if length > 1e-12 {
        for value in vector {
            *value = (f64::from(*value) / length) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa::Portable;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exp_is_as_the_libraries(x in -90.0_f32..0.0) {
            let expected = if x < -87.0 { (-87.0_f32).exp() } else { x.exp() };
            prop_assert!((exp::<Portable>(x) - expected).abs() <= 3e-7 * expected);
        }

        #[test]
        fn a_quantised_row_is_within_half_a_step(row in prop::collection::vec(-50.0_f32..50.0, 1..100)) {
            let mut quantised = vec![0; row.len()];
            let scale = quantise::<Portable>(&row, &mut quantised);
            for (value, q) in row.iter().zip(&quantised) {
                prop_assert!((scale * f32::from(*q) - value).abs() <= scale * 0.51 + 1e-5);
            }
        }

        #[test]
        fn the_range_holds_every_value(row in prop::collection::vec(-50.0_f32..50.0, 1..70)) {
            let (low, high) = range(&row);
            prop_assert_eq!(low, row.iter().copied().fold(f32::INFINITY, f32::min));
            prop_assert_eq!(high, row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        }
    }

    #[test]
    fn gelu_is_the_exact_one() {
        // From the definition, x * Phi(x), in double precision.
        for (x, expected) in [
            (-6.0, -5.919_526e-9_f32),
            (-3.0, -0.004_049_694),
            (-1.0, -0.158_655_25),
            (-0.5, -0.154_268_77),
            (0.0, 0.0),
            (0.5, 0.345_731_23),
            (1.0, 0.841_344_8),
            (3.0, 2.995_950_3),
            (8.0, 8.0),
        ] {
            assert!((gelu::<Portable>(x) - expected).abs() < 2e-6, "{x}");
        }
    }

    #[test]
    fn a_normalised_row_has_mean_0_and_variance_1() {
        let mut row: Vec<f32> = (0..40).map(|i| (i * i) as f32).collect();
        normalise::<Portable>(&mut row, &[1.0; 40], &[0.0; 40], 1e-12);
        assert!(sum(&row).abs() < 1e-4);
        assert!((row.iter().map(|v| v * v).sum::<f32>() / 40.0 - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_row_of_zeros_quantises_to_zeros() {
        let mut quantised = [9; 5];
        assert_eq!(quantise::<Portable>(&[0.0; 5], &mut quantised), 0.0);
        assert_eq!(quantised, [0; 5]);
    }
}
