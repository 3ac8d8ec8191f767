//! The two principal components of many rows: the directions along which they vary most.
//!
//! As scikit-learn's PCA(2): centred, not scaled; a component's largest loading is positive. Not here: which rows.

use super::cells::transposed;
use super::products::{Triangle, add_products};
use crate::base::random::Stream;
use faer::{Mat, Side};
use rayon::prelude::*;

/// A direction of length 1, and the sum of the squared coordinates of all rows along it.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Loadings, one an element.
    pub direction: Vec<f64>,
    /// Squares along it.
    pub squares: f64,
}

/// Up to this size a matrix is decomposed whole.
const WHOLE: usize = 128;
/// Directions that the subspace grows by: two equal eigenvalues need two, and more are found sooner.
const BLOCK: usize = 8;
/// Most directions of the subspace.
const MOST: usize = 512;
/// Largest residual of an eigenvector, as a share of the largest eigenvalue.
const RESIDUAL: f64 = 1e-13;
/// A direction of which less than this is new adds nothing to the subspace.
const NEW: f64 = 1e-10;
/// Rows of a matrix that a thread multiplies at once.
const ROWS: usize = 64;

/// Components of `rows` (row-major, centred, of length `dim`); `None` where there are no two.
pub fn of_rows(rows: &[f64], dim: usize) -> Option<[Component; 2]> {
    if rows.len() / dim >= dim {
        return of_covariance(&Triangle::gram(&transposed(rows, dim), rows.len() / dim));
    }
    // The directions are those combinations of the rows that the eigenvectors of the n x n products name.
    let found = leading(&Triangle::gram(rows, dim))?.map(|found| {
        let mut direction = vec![0.0; dim];
        for (row, weight) in rows.chunks_exact(dim).zip(&found.direction) {
            direction.iter_mut().zip(row).for_each(|(d, x)| *d += weight * x);
        }
        Component { direction, squares: found.squares }
    });
    oriented(found)
}

/// Components of rows whose centred second-moment matrix, d x d, is given.
pub fn of_covariance(matrix: &Triangle) -> Option<[Component; 2]> {
    oriented(leading(matrix)?)
}

/// At length 1, the largest loading positive.
fn oriented(mut found: [Component; 2]) -> Option<[Component; 2]> {
    for Component { direction, .. } in &mut found {
        let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        let largest = direction.iter().fold(0.0f64, |most, &x| if x.abs() > most.abs() { x } else { most });
        if length <= 0.0 {
            return None;
        }
        let scale = length * largest.signum();
        direction.iter_mut().for_each(|x| *x /= scale);
    }
    Some(found)
}

/// The two eigenvectors of the largest eigenvalues, the largest first; `None` if there are no two or the decomposition
/// fails.
fn leading(matrix: &Triangle) -> Option<[Component; 2]> {
    if matrix.n() > WHOLE
        && let Some(found) = krylov(matrix)
    {
        return Some(found);
    }
    top(matrix)
}

/// The same from the whole decomposition.
fn top(matrix: &Triangle) -> Option<[Component; 2]> {
    let n = matrix.n();
    if n < 2 {
        return None;
    }
    let whole = Mat::from_fn(n, n, |i, j| matrix.at(i, j));
    let eigen = whole.self_adjoint_eigen(Side::Lower).ok()?;
    let component = |k: usize| Component {
        direction: (0..n).map(|i| eigen.U()[(i, k)]).collect(),
        squares: eigen.S().column_vector()[k],
    };
    Some([component(n - 1), component(n - 2)])
}

/// The same from a block Krylov subspace with every direction orthogonal to all before it (Golub & Underwood 1977): a few
/// dozen products of the matrix with [`BLOCK`] directions, where a whole decomposition takes as many as n. `None` if
/// [`MOST`] directions do not suffice, as where many eigenvalues are almost the largest.
fn krylov(matrix: &Triangle) -> Option<[Component; 2]> {
    let n = matrix.n();
    let mut whole = vec![0.0; n * n];
    for a in 0..n {
        for (b, &value) in (a..n).zip(matrix.row(a)) {
            (whole[a * n + b], whole[b * n + a]) = (value, value);
        }
    }
    let random = Stream::new(0, "principal components");
    let start: Vec<f64> = (0..BLOCK * n).map(|i| random.normal((i / n) as u64, (i % n) as u64)).collect();
    let mut basis = Vec::new();
    extend(&mut basis, &start, n);
    let (mut images, mut looked) = (Vec::new(), 0);
    loop {
        let last = images.len();
        let exhausted = basis.len() == last;
        images.extend(multiplied(&basis[last..], &whole, n));
        let size = basis.len() / n;
        // Looking costs a decomposition of the subspace: at every half as much again.
        if exhausted || 2 * size >= 3 * looked || size >= MOST {
            looked = size;
            let found = ritz(&basis, &images, n)?;
            if exhausted || found.1 <= RESIDUAL {
                return Some(found.0);
            }
            if size >= MOST {
                return None;
            }
        }
        extend(&mut basis, &images[last..], n);
    }
}

/// Products of some row-major directions with a symmetric n x n matrix, on all threads.
fn multiplied(directions: &[f64], matrix: &[f64], n: usize) -> Vec<f64> {
    let bands: Vec<Vec<f64>> = (matrix.par_chunks(ROWS * n))
        .map(|band| {
            let mut products = vec![0.0; directions.len() / n * (band.len() / n)];
            add_products(directions, band, n, &mut products);
            products
        })
        .collect();
    let mut out = Vec::with_capacity(directions.len());
    for direction in 0..directions.len() / n {
        for band in &bands {
            let wide = band.len() / (directions.len() / n);
            out.extend_from_slice(&band[direction * wide..(direction + 1) * wide]);
        }
    }
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Adds to an orthonormal basis what is new in some directions.
fn extend(basis: &mut Vec<f64>, directions: &[f64], n: usize) {
    for mut direction in directions.chunks_exact(n).map(<[f64]>::to_vec) {
        let before = dot(&direction, &direction).sqrt();
        // Twice is enough (Giraud et al. 2005).
        for _ in 0..2 {
            for known in basis.chunks_exact(n) {
                let along = dot(&direction, known);
                direction.iter_mut().zip(known).for_each(|(d, k)| *d -= along * k);
            }
        }
        let length = dot(&direction, &direction).sqrt();
        if length > NEW * before && basis.len() < n * n {
            basis.extend(direction.iter().map(|x| x / length));
        }
    }
}

/// The two best eigenvectors within a subspace, of which a basis and its products with the matrix are given, and the
/// larger residual of the two as a share of the largest eigenvalue.
fn ritz(basis: &[f64], images: &[f64], n: usize) -> Option<([Component; 2], f64)> {
    let size = basis.len() / n;
    let mut inner = Triangle::zeros(size);
    for a in 0..size {
        for b in a..size {
            inner.add(a, b, dot(&basis[a * n..(a + 1) * n], &images[b * n..(b + 1) * n]));
        }
    }
    let within = top(&inner)?;
    let largest = within[0].squares.abs();
    let mut worst = 0.0f64;
    let found = within.map(|Component { direction: weights, squares }| {
        let combined = |rows: &[f64]| {
            let mut sum = vec![0.0; n];
            for (row, weight) in rows.chunks_exact(n).zip(&weights) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += weight * x);
            }
            sum
        };
        let (direction, image) = (combined(basis), combined(images));
        let residual = image.iter().zip(&direction).map(|(i, d)| (i - squares * d).powi(2)).sum::<f64>().sqrt();
        worst = worst.max(residual);
        Component { direction, squares }
    });
    Some((found, if largest > 0.0 { worst / largest } else { 0.0 }))
}

/// Bytes that [`of_covariance`] takes beside the triangle of an n x n matrix, where it need not be decomposed whole.
pub fn bytes(n: usize) -> usize {
    8 * n * n + if n > WHOLE { 8 * n * (3 * n.min(MOST) / 2) } else { 16 * n * n }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of normal numbers, the first elements on a larger scale.
    fn planted(n: usize, dim: usize, scales: &[f64]) -> Vec<f64> {
        let random = Stream::new(1, "pca test");
        let scale = |i: usize| scales.get(i).copied().unwrap_or(1.0);
        (0..n * dim).map(|at| random.normal((at / dim) as u64, (at % dim) as u64) * scale(at % dim)).collect()
    }

    fn agree(one: &[Component; 2], other: &[Component; 2]) {
        for (a, b) in one.iter().zip(other) {
            assert!((a.squares - b.squares).abs() < 1e-11 * one[0].squares, "{} {}", a.squares, b.squares);
            let turn = dot(&a.direction, &b.direction).signum();
            let apart = a.direction.iter().zip(&b.direction).map(|(x, y)| (x - turn * y).abs()).fold(0.0, f64::max);
            assert!(apart < 1e-10, "{apart}");
        }
    }

    #[test]
    fn a_subspace_has_what_the_whole_decomposition_has() {
        for (n, scales) in [(200, &[3.0, 2.0][..]), (333, &[2.0, 1.9, 1.8, 1.7]), (600, &[5.0, 1.5])] {
            let rows = planted(2 * n, n, scales);
            let matrix = Triangle::gram(&transposed(&rows, n), 2 * n);
            agree(&krylov(&matrix).unwrap(), &top(&matrix).unwrap());
        }
    }

    #[test]
    fn equal_eigenvalues_are_both_found_and_few_directions_are_enough() {
        let mut matrix = Triangle::zeros(300);
        for (at, value) in [(7, 4.0), (100, 4.0), (250, 1.0)] {
            matrix.add(at, at, value);
        }
        let found = krylov(&matrix).unwrap();
        for component in &found {
            assert!((component.squares - 4.0).abs() < 1e-12);
            let inside = component.direction[7].hypot(component.direction[100]);
            assert!((inside - 1.0).abs() < 1e-12, "{inside}");
        }
        assert!(dot(&found[0].direction, &found[1].direction).abs() < 1e-12);
    }

    #[test]
    fn a_flat_spectrum_is_decomposed_whole() {
        let rows = planted(4000, 700, &[]);
        let matrix = Triangle::gram(&transposed(&rows, 700), 4000);
        agree(&leading(&matrix).unwrap(), &top(&matrix).unwrap());
    }

    #[test]
    fn components_by_rows_and_by_columns_are_the_same() {
        let mut rows = planted(40, 40, &[9.0, 4.0]);
        let centre: Vec<f64> = (0..40).map(|i| rows.chunks_exact(40).map(|row| row[i]).sum::<f64>() / 40.0).collect();
        rows.chunks_exact_mut(40).for_each(|row| row.iter_mut().zip(&centre).for_each(|(x, c)| *x -= c));
        let by_columns = of_rows(&rows, 40).unwrap();
        let by_rows = of_rows(&rows[..39 * 40], 40).unwrap();
        let wide = of_covariance(&Triangle::gram(&transposed(&rows[..39 * 40], 40), 39)).unwrap();
        agree(&by_rows, &wide);
        for component in &by_columns {
            assert!((dot(&component.direction, &component.direction) - 1.0).abs() < 1e-12);
            assert!(component.direction.iter().fold(0.0f64, |m, &x| if x.abs() > m.abs() { x } else { m }) > 0.0);
        }
        assert_eq!(of_rows(&[1.0, -1.0], 1), None);
    }
}
