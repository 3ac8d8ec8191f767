//! The one similarity of a pair, and norms, in a fixed order of summation.
//!
//! `similarity(x, y) = f32( <x, y> / (|x| |y|) )` with both sums in f64: eight accumulators, element i to lane
//! i mod 8, lanes added as ((0+4)+(2+6))+((1+5)+(3+7)). The product of two f32 is exact in f64, so the order of the
//! additions is all that matters, and a fused multiply-add gives the same bits as a multiplication and an addition.
//! That f32 decides neighbours, thresholds and bins on every device (MEASURES "One similarity a pair").

use super::simd::widest;
use pulp::Arch;

/// ((0+4)+(2+6))+((1+5)+(3+7)), written as the halves of vectors are added.
#[inline(always)]
fn add_lanes(lanes: [f64; 8]) -> f64 {
    let half: [f64; 4] = std::array::from_fn(|i| lanes[i] + lanes[i + 4]);
    let quarter: [f64; 2] = std::array::from_fn(|i| half[i] + half[i + 2]);
    quarter[0] + quarter[1]
}

/// Adds the products of eight elements to the lanes, in whole vectors.
#[inline(always)]
fn add_products(lanes: &mut [f64; 8], a: [f32; 8], b: [f32; 8]) {
    let products: [f64; 8] = std::array::from_fn(|lane| f64::from(a[lane]) * f64::from(b[lane]));
    *lanes = std::array::from_fn(|lane| lanes[lane] + products[lane]);
}

/// Fewer than eight elements, and zeros: adding 0 changes no bit of a lane (no lane is -0).
#[inline(always)]
fn padded(rest: &[f32]) -> [f32; 8] {
    let mut eight = [0.0; 8];
    eight[..rest.len()].copy_from_slice(rest);
    eight
}

/// <x, y> in f64 in the fixed order. The slices have one length.
#[inline(always)]
fn dot_lanes(x: &[f32], y: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (x_chunks, x_rest) = x.as_chunks::<8>();
    let (y_chunks, y_rest) = y.as_chunks::<8>();
    for (a, b) in x_chunks.iter().zip(y_chunks) {
        add_products(&mut lanes, *a, *b);
    }
    if !x_rest.is_empty() {
        add_products(&mut lanes, padded(x_rest), padded(y_rest));
    }
    add_lanes(lanes)
}

/// <x, y> and <x, z>, each as [`dot_lanes`] has it: x is loaded once, and the two sums need not wait for each other.
#[inline(always)]
fn dot_two(x: &[f32], y: &[f32], z: &[f32]) -> [f64; 2] {
    let (mut y_lanes, mut z_lanes) = ([0.0f64; 8], [0.0f64; 8]);
    let (x_chunks, x_rest) = x.as_chunks::<8>();
    let (y_chunks, y_rest) = y.as_chunks::<8>();
    let (z_chunks, z_rest) = z.as_chunks::<8>();
    for ((a, b), c) in x_chunks.iter().zip(y_chunks).zip(z_chunks) {
        add_products(&mut y_lanes, *a, *b);
        add_products(&mut z_lanes, *a, *c);
    }
    if !x_rest.is_empty() {
        add_products(&mut y_lanes, padded(x_rest), padded(y_rest));
        add_products(&mut z_lanes, padded(x_rest), padded(z_rest));
    }
    [add_lanes(y_lanes), add_lanes(z_lanes)]
}

/// Copies little-endian f32 values and returns <x, x> of them, the same bits as [`dot_lanes`] of x with itself.
/// `bytes` has four bytes for each of `out`.
#[inline(always)]
fn copy_square_lanes(bytes: &[u8], out: &mut [f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (from_chunks, from_rest) = bytes.as_chunks::<32>();
    let (to_chunks, to_rest) = out.as_chunks_mut::<8>();
    for (from, to) in from_chunks.iter().zip(to_chunks) {
        // Eight values at once, or the compiler moves them one by one.
        let values = bytemuck::cast::<[u8; 32], [u32; 8]>(*from).map(|bits| f32::from_bits(u32::from_le(bits)));
        *to = values;
        add_products(&mut lanes, values, values);
    }
    let (values, _) = from_rest.as_chunks::<4>();
    for (&value, to) in values.iter().zip(to_rest.iter_mut()) {
        *to = f32::from_le_bytes(value);
    }
    if !to_rest.is_empty() {
        add_products(&mut lanes, padded(to_rest), padded(to_rest));
    }
    add_lanes(lanes)
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
        widest(
            self.arch,
            #[inline(always)]
            || dot_lanes(x, y),
        )
    }

    /// |x| in f64: the square root of [`Self::dot`] of x with itself.
    #[inline]
    pub fn norm(&self, x: &[f32]) -> f64 {
        self.dot(x, x).sqrt()
    }

    /// Copies a row of little-endian f32 values (four bytes for each of `out`) and returns its norm, in one go over
    /// memory.
    #[inline]
    pub fn copy_norm(&self, bytes: &[u8], out: &mut [f32]) -> f64 {
        let square = widest(
            self.arch,
            #[inline(always)]
            || copy_square_lanes(bytes, out),
        );
        square.sqrt()
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
        mut others: impl Iterator<Item = (&'a [f32], f64)>,
        out: &mut Vec<f32>,
    ) {
        widest(
            self.arch,
            #[inline(always)]
            || {
                while let Some((y, norm_y)) = others.next() {
                    if let Some((z, norm_z)) = others.next() {
                        let [dot_y, dot_z] = dot_two(x, y, z);
                        out.push(round(dot_y / (norm_x * norm_y)));
                        out.push(round(dot_z / (norm_x * norm_z)));
                    } else {
                        out.push(round(dot_lanes(x, y) / (norm_x * norm_y)));
                    }
                }
            },
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
    fn two_rows_at_once_have_the_bits_of_one() {
        let sim = Similarity::new();
        for (dim, rows) in [(1, 1), (7, 3), (8, 4), (67, 5), (384, 11)] {
            let row = |r: usize| (0..dim).map(|i| ((r * 31 + i * 37) % 101) as f32 - 50.5).collect::<Vec<f32>>();
            let all: Vec<Vec<f32>> = (0..rows).map(row).collect();
            let x = row(rows);
            let norms: Vec<f64> = all.iter().map(|y| sim.norm(y)).collect();
            let mut out = Vec::new();
            sim.one_to_many(&x, sim.norm(&x), all.iter().map(Vec::as_slice).zip(norms.iter().copied()), &mut out);
            let singly: Vec<f32> =
                all.iter().zip(&norms).map(|(y, &ny)| round(sim.cosine(&x, sim.norm(&x), y, ny))).collect();
            assert_eq!(out, singly, "{rows} rows of {dim}");
        }
    }

    #[test]
    fn symmetric_to_the_bit_and_one_with_itself() {
        let sim = Similarity::new();
        let x: Vec<f32> = (0..67).map(|i| ((i * 37 % 101) as f32 - 50.0) * 1e-30).collect();
        let y: Vec<f32> = (0..67).map(|i| ((i * 53 % 89) as f32 - 40.0) * 1e30).collect();
        let (nx, ny) = (sim.norm(&x), sim.norm(&y));
        assert_eq!(sim.cosine(&x, nx, &y, ny).to_bits(), sim.cosine(&y, ny, &x, nx).to_bits());
        assert_eq!(sim.cosine(&x, nx, &x, nx) as f32, 1.0);
        let mut copy = vec![0.0; 67];
        assert_eq!(sim.copy_norm(bytemuck::cast_slice(&x), &mut copy).to_bits(), nx.to_bits());
        assert_eq!(copy, x);
    }
}
