//! Corpora that are hard on a certificate, by every kernel, against all pairs in f64.

use super::*;

/// Corpora of at most `n` rows, with what is hard about them.
pub(super) fn hostile(n: usize, dim: usize) -> Vec<(&'static str, Vec<Vec<f32>>)> {
    let noise = random(n, dim, dim as u64);
    let by = |value: &dyn Fn(usize, usize, f32) -> f32| -> Vec<Vec<f32>> {
        let row = |(row, noise): (usize, &Vec<f32>)| noise.iter().enumerate().map(|(i, &e)| value(row, i, e)).collect();
        noise.iter().enumerate().map(row).collect()
    };
    let cosine = |row: usize| (row % 201) as f32 / 100.0 - 1.0;
    let mut corpora = vec![
        ("one huge element", by(&|row, i, e| if i == row % dim { e * 10f32.powi(row as i32 % 9) } else { e })),
        ("one-hot", by(&|row, i, _| if i == row % dim { 2.0 - row as f32 } else { 0.0 })),
        ("all elements equal", by(&|row, _, _| if row % 3 == 0 { -0.1 } else { 0.1 } * (row + 1) as f32)),
        ("nearly parallel", by(&|row, i, e| (1 + i % 3) as f32 + 1e-7 * (row % 4) as f32 * e)),
        ("signs: many equal similarities, with 25 or 100 of them on edges", by(&|_, _, e| e.signum())),
        (
            "from subnormal to near the largest",
            by(&|row, _, e| [1e-38, 1e-44, 1e38, 1.0][row % 4] * e.clamp(-3.0, 3.0)),
        ),
        (
            "subnormal beside large elements",
            by(&|row, i, e| if (i + row).is_multiple_of(5) { e } else { e * 1e-38 * 1e-3 }),
        ),
        (
            "cosines of 0.01 k with every fourth row",
            by(&|row, i, _| match (row % 4, i) {
                (0, _) => f32::from(u8::from(i == 0)),
                (_, 0) => cosine(row),
                _ => ((1.0 - cosine(row).powi(2)) / (dim - 1) as f32).sqrt(),
            }),
        ),
    ];
    for steps in [127.0, 32_767.0] {
        // Half a step on the element of the one other row that is not orthogonal, which is lost by rounding: the whole
        // similarity is the error, and as large as the bound.
        let mut pairs = by(&|row, i, _| if i == row { steps } else { 0.49 * f32::from(u8::from(i == row ^ 1)) });
        pairs.truncate(dim);
        corpora.push(("residuals along each other's row", pairs));
    }
    for (_, rows) in &mut corpora {
        for row in rows.iter_mut().filter(|row| row.iter().all(|&v| v == 0.0)) {
            row[0] = f32::from_bits(1);
        }
    }
    corpora
}

#[test]
fn hostile_corpora_are_exact_by_every_kernel() {
    for (n, dim) in [(60, 1), (60, 2), (60, 3), (150, 63), (50, 64), (50, 65), (280, 100), (50, 127), (30, 4096)] {
        for (name, rows) in hostile(n, dim) {
            let n = rows.len();
            let corpus = corpus(
                &rows,
                &(0..n).map(|i| i / 3 % 7).collect::<Vec<_>>(),
                &(0..n).map(|i| i % 3).collect::<Vec<_>>(),
            );
            let exact = PairSettings { histogram: HistogramChoice::Exact, ..PairSettings::default() };
            // Near an edge, all that a histogram asks for gets a second look: the filter is alone without one.
            let (histogram, block_rows) = (HistogramChoice::Off, Some(37));
            let (stream_capacity, list_capacity) = (Some(300), Some(40));
            // A threshold costs an estimate of 100,000 pairs.
            let threshold = (dim < 64).then_some(0.5);
            for settings in [
                PairSettings { k: 1, near_duplicate: 1.0, histogram, block_rows, ..exact.clone() },
                PairSettings { k: 32, block_rows, stream_capacity, list_capacity, ..exact.clone() },
                PairSettings { k: 256, near_duplicate: 0.0, threshold, ..exact },
            ] {
                let reference = pass(&corpus, &mut CpuBackend::new(CpuKernel::Gemm), &settings);
                check(&corpus, &reference, &settings);
                for kernel in CpuKernel::available() {
                    let what = format!("{name}, {n} x {dim}, k {}, {}", settings.k, kernel.name());
                    same(&pass(&corpus, &mut CpuBackend::new(kernel), &settings), &reference, &what);
                }
            }
        }
    }
}
