//! Effective number of responses: Vendi scores of order 1, 2 and infinity.

use crate::base::math::{exp, ln};
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

/// Vendi scores of K/n.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Vendi {
    /// exp(-sum l ln l).
    pub one: f64,
    /// n^2 / |K|_F^2.
    pub two: f64,
    /// 1 / largest l.
    pub inf: f64,
}

/// X Y^T of row-major `x` (m rows) and `y` (n rows) of length `dim`, one thread.
pub fn product(x: &[f64], m: usize, y: &[f64], n: usize, dim: usize) -> Mat<f64> {
    let mut out = Mat::zeros(m, n);
    let (x, y) = (MatRef::from_row_major_slice(x, m, dim), MatRef::from_row_major_slice(y, n, dim));
    matmul(out.as_mut(), Accum::Replace, x, y.transpose(), 1.0, Par::Seq);
    out
}

/// Adds X^T X of row-major `x` (n rows of length `dim`) to `out`, one thread.
pub fn add_second_moment(out: &mut Mat<f64>, x: &[f64], n: usize, dim: usize) {
    let x = MatRef::from_row_major_slice(x, n, dim);
    matmul(out.as_mut(), Accum::Add, x.transpose(), x, 1.0, Par::Seq);
}

/// Squared Frobenius norm, column after column.
pub fn frobenius2(matrix: &Mat<f64>) -> f64 {
    let mut sum = 0.0;
    for j in 0..matrix.ncols() {
        for i in 0..matrix.nrows() {
            sum += matrix[(i, j)] * matrix[(i, j)];
        }
    }
    sum
}

/// Eigenvalues of a symmetric matrix, one thread; empty if the decomposition fails.
fn eigenvalues(matrix: &Mat<f64>) -> Vec<f64> {
    let n = matrix.nrows();
    let mut values = Diag::<f64>::zeros(n);
    let scratch = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::No, Par::Seq, Default::default());
    let mut buffer = MemBuffer::new(scratch);
    let done = self_adjoint_evd(
        matrix.as_ref(),
        values.as_mut(),
        None,
        Par::Seq,
        MemStack::new(&mut buffer),
        Default::default(),
    );
    if done.is_err() {
        return Vec::new();
    }
    (0..n).map(|i| values.column_vector()[i]).collect()
}

/// Vendi scores of `n` unit rows of length `dim`, from the smaller of K and the second-moment matrix.
pub fn vendi(unit: &[f64], n: usize, dim: usize) -> Vendi {
    if n <= 1 {
        return Vendi { one: 1.0, two: 1.0, inf: 1.0 };
    }
    let matrix = if n <= dim {
        product(unit, n, unit, n, dim)
    } else {
        let mut out = Mat::zeros(dim, dim);
        add_second_moment(&mut out, unit, n, dim);
        out
    };
    let count = n as f64;
    let (mut entropy, mut largest) = (0.0, 0.0f64);
    let values = eigenvalues(&matrix);
    for value in &values {
        let l = (value / count).max(0.0);
        if l > 0.0 {
            entropy -= l * ln(l);
        }
        largest = largest.max(l);
    }
    let two = count * count / frobenius2(&matrix);
    let (one, inf) = if largest > 0.0 { (exp(entropy), 1.0 / largest) } else { (f64::NAN, f64::NAN) };
    Vendi { one, two, inf }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_rows_count_and_copies_do_not() {
        let x = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let v = vendi(&x, 2, 3);
        assert!((v.one - 2.0).abs() < 1e-12 && (v.two - 2.0).abs() < 1e-12 && (v.inf - 2.0).abs() < 1e-12);
        let y = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let v = vendi(&y, 4, 2);
        assert!((v.inf - 4.0 / 3.0).abs() < 1e-12);
        assert!((v.two - 16.0 / 10.0).abs() < 1e-12);
        assert!((v.one - (-(0.75f64 * 0.75f64.ln() + 0.25 * 0.25f64.ln())).exp()).abs() < 1e-12);
    }
}
