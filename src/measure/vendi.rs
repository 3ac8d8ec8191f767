//! Effective number of responses: Vendi scores of order 1, 2 and infinity (Friedman & Dieng, 2023; Pasarkar & Dieng, 2023).

use super::products::Triangle;
use crate::base::math::{exp, ln};
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, Par};

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

fn scratch(n: usize) -> StackReq {
    self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::No, Par::Seq, Default::default())
}

/// Bytes that [`vendi`] takes beside the triangle of an n x n matrix.
pub fn bytes(n: usize) -> usize {
    8 * n * n + scratch(n).unaligned_bytes_required()
}

/// Eigenvalues, one thread; empty if the decomposition fails.
fn eigenvalues(matrix: &Triangle) -> Vec<f64> {
    let n = matrix.n();
    let whole = Mat::from_fn(n, n, |i, j| matrix.at(i, j));
    let mut values = Diag::<f64>::zeros(n);
    let mut buffer = MemBuffer::new(scratch(n));
    let done = self_adjoint_evd(
        whole.as_ref(),
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

/// Vendi scores of `n` unit rows from their similarities K or their second-moment matrix: whichever is smaller, as both
/// have the same eigenvalues but zeros.
pub fn vendi(matrix: &Triangle, n: usize) -> Vendi {
    if n <= 1 {
        return Vendi { one: 1.0, two: 1.0, inf: 1.0 };
    }
    let count = n as f64;
    let (mut entropy, mut largest) = (0.0, 0.0f64);
    for value in eigenvalues(matrix) {
        let l = (value / count).max(0.0);
        if l > 0.0 {
            entropy -= l * ln(l);
        }
        largest = largest.max(l);
    }
    let two = count * count / matrix.frobenius2();
    let (one, inf) = if largest > 0.0 { (exp(entropy), 1.0 / largest) } else { (f64::NAN, f64::NAN) };
    Vendi { one, two, inf }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_rows_count_and_copies_do_not() {
        let v = vendi(&Triangle::gram(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3), 2);
        assert!((v.one - 2.0).abs() < 1e-12 && (v.two - 2.0).abs() < 1e-12 && (v.inf - 2.0).abs() < 1e-12);
        // three rows along one axis and one along the other: the second-moment matrix is diag(3, 1)
        let mut moment = Triangle::zeros(2);
        moment.add(0, 0, 3.0);
        moment.add(1, 1, 1.0);
        let rows = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        for v in [vendi(&moment, 4), vendi(&Triangle::gram(&rows, 2), 4)] {
            assert!((v.inf - 4.0 / 3.0).abs() < 1e-12);
            assert!((v.two - 16.0 / 10.0).abs() < 1e-12);
            assert!((v.one - (-(0.75f64 * 0.75f64.ln() + 0.25 * 0.25f64.ln())).exp()).abs() < 1e-12);
        }
    }
}
