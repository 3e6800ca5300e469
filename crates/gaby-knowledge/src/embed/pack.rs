//! Quantises a model's weights to 8 bits and lays them out as the kernels read them. Each output of
//! a linear layer, and each row of a table, has its own step.

use super::kernel::{BLOCK, PAIR, WEIGHT_MAX};

/// A quantised linear layer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packed {
    /// The weights in the kernel's order.
    pub(super) weights: Vec<u8>,
    /// Size of a step, per output.
    pub(super) scale: Vec<f32>,
}

/// Quantises and packs a matrix of `outputs` rows of `inputs` numbers; the outputs are a multiple
/// of [`BLOCK`], the inputs of [`PAIR`].
pub(super) fn linear(matrix: &[f32], inputs: usize) -> Packed {
    let (values, scale) = table(matrix, inputs);
    let mut weights = vec![0; matrix.len()];
    for (output, row) in values.chunks_exact(inputs).enumerate() {
        let (block, lane) = (output / BLOCK, output % BLOCK);
        for (k, value) in row.iter().enumerate() {
            let line = (block * inputs + k / PAIR * PAIR) * BLOCK;
            weights[line + lane * PAIR + k % PAIR] = *value;
        }
    }
    Packed { weights, scale }
}

/// Quantises a table row by row, with one step for each row.
pub(super) fn table(matrix: &[f32], width: usize) -> (Vec<u8>, Vec<f32>) {
    let most = WEIGHT_MAX as f32;
    let mut values = Vec::with_capacity(matrix.len());
    let mut steps = Vec::with_capacity(matrix.len() / width);
    for row in matrix.chunks_exact(width) {
        let largest = row
            .iter()
            .fold(0.0_f32, |largest, value| value.abs().max(largest));
        let inverse = if largest > 0.0 { most / largest } else { 0.0 };
        values.extend(row.iter().map(|value| {
            let rounded = (value * inverse).round_ties_even().clamp(-most, most);
            (rounded as i8).cast_unsigned()
        }));
        steps.push(largest / most);
    }
    (values, steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_is_within_half_a_step(row in prop::collection::vec(-3.0_f32..3.0, 32..=32)) {
            let (values, steps) = table(&row, 32);
            for (number, q) in row.iter().zip(&values) {
                let step = steps[0];
                prop_assert!((number - step * f32::from(q.cast_signed())).abs() <= step * 0.501);
            }
        }
    }

    #[test]
    fn a_row_of_zeros_stays_zero() {
        assert_eq!(table(&[0.0; 4], 4), (vec![0; 4], vec![0.0]));
    }

    #[test]
    fn the_weights_of_two_inputs_lie_beside_each_other() {
        // Output 0 is 1, 2, 3, 127, output 1 is 5, 6, 7, 127, the others are zero.
        let mut matrix = vec![0.0; 16 * 4];
        matrix[..8].copy_from_slice(&[1.0, 2.0, 3.0, 127.0, 5.0, 6.0, 7.0, 127.0]);
        let packed = linear(&matrix, 4);
        assert_eq!(packed.weights[..4], [1, 2, 5, 6]);
        assert_eq!(packed.weights[32..36], [3, 127, 7, 127]);
    }
}
