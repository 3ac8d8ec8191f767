//! The one similarity of a pair, and norms, in a fixed order of summation.
//!
//! `similarity(x, y) = f32( <x, y> / (|x| |y|) )` with both sums in f64: eight accumulators, element i to lane
//! i mod 8, lanes added as ((0+4)+(2+6))+((1+5)+(3+7)). The product of two f32 is exact in f64, so the order of the
//! additions is all that matters, and a fused multiply-add gives the same bits as a multiplication and an addition.
//! That f32 decides neighbours, thresholds and bins on every device (MEASURES "One similarity a pair").

use pulp::Arch;

/// <x, y> in f64 in the fixed order. The slices have one length.
#[inline(always)]
fn dot_lanes(x: &[f32], y: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (x_chunks, x_rest) = x.as_chunks::<8>();
    let (y_chunks, y_rest) = y.as_chunks::<8>();
    for (a, b) in x_chunks.iter().zip(y_chunks) {
        for lane in 0..8 {
            lanes[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    for (lane, (&a, &b)) in x_rest.iter().zip(y_rest).enumerate() {
        lanes[lane] += f64::from(a) * f64::from(b);
    }
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// The f32 that decides; -0 becomes 0, so that equal similarities have equal bits.
#[inline(always)]
pub fn round(cosine: f64) -> f32 {
    cosine as f32 + 0.0
}

/// Computes similarities with the widest instructions of this CPU; the bits do not depend on which.
#[derive(Debug, Clone, Copy)]
pub struct Similarity {
    arch: Arch,
}

impl Default for Similarity {
    fn default() -> Self {
        Self::new()
    }
}

impl Similarity {
    /// Looks at the CPU once.
    pub fn new() -> Self {
        Self { arch: Arch::new() }
    }

    /// <x, y> in f64, fixed order. Both slices have one length (the dimension).
    #[inline]
    pub fn dot(&self, x: &[f32], y: &[f32]) -> f64 {
        self.arch.dispatch(
            #[inline(always)]
            || dot_lanes(x, y),
        )
    }

    /// |x| in f64: the square root of [`Self::dot`] of x with itself.
    #[inline]
    pub fn norm(&self, x: &[f32]) -> f64 {
        self.dot(x, x).sqrt()
    }

    /// Cosine similarity in f64 from rows and their norms.
    #[inline]
    pub fn cosine(&self, x: &[f32], norm_x: f64, y: &[f32], norm_y: f64) -> f64 {
        self.dot(x, y) / (norm_x * norm_y)
    }

    /// Cosine similarities of row `x` with many rows `(y, norm of y)`, rounded to f32, appended to `out`.
    pub fn one_to_many<'a>(
        &self,
        x: &[f32],
        norm_x: f64,
        others: impl Iterator<Item = (&'a [f32], f64)>,
        out: &mut Vec<f32>,
    ) {
        self.arch.dispatch(
            #[inline(always)]
            || out.extend(others.map(|(y, norm_y)| round(dot_lanes(x, y) / (norm_x * norm_y)))),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_summation_is_the_documented_one() {
        let x: Vec<f32> = (0..19).map(|i| 1.0 + i as f32 * 1e-3).collect();
        let y: Vec<f32> = (0..19).map(|i| 2.0 - i as f32 * 1e-4).collect();
        let mut lanes = [0.0f64; 8];
        for i in 0..19 {
            lanes[i % 8] += f64::from(x[i]) * f64::from(y[i]);
        }
        let expected =
            ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
        assert_eq!(Similarity::new().dot(&x, &y).to_bits(), expected.to_bits());
    }

    #[test]
    fn symmetric_to_the_bit_and_one_with_itself() {
        let sim = Similarity::new();
        let x: Vec<f32> = (0..67).map(|i| ((i * 37 % 101) as f32 - 50.0) * 1e-30).collect();
        let y: Vec<f32> = (0..67).map(|i| ((i * 53 % 89) as f32 - 40.0) * 1e30).collect();
        let (nx, ny) = (sim.norm(&x), sim.norm(&y));
        assert_eq!(sim.cosine(&x, nx, &y, ny).to_bits(), sim.cosine(&y, ny, &x, nx).to_bits());
        assert_eq!(sim.cosine(&x, nx, &x, nx) as f32, 1.0);
    }
}
