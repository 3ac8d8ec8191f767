//! Agreement of two labellings beyond chance: the adjusted Rand index (Hubert & Arabie 1985).

/// The index of two labellings of the same rows; 1 where they are one partition, also if it is all together or all
/// apart. `None` under 2 rows.
///
/// Over pairs of rows: with A together in both, X and Y together in the first and in the second, and N pairs in all,
/// `(A - X Y / N) / ((X + Y) / 2 - X Y / N)`.
pub fn adjusted_rand(first: &[u32], second: &[u32]) -> Option<f64> {
    if first.len() < 2 {
        return None;
    }
    let mut both: Vec<(u32, u32)> = first.iter().copied().zip(second.iter().copied()).collect();
    both.sort_unstable();
    let pairs = |n: usize| n as f64 * (n as f64 - 1.0) / 2.0;
    let together = both.chunk_by(|a, b| a == b).map(|same| pairs(same.len())).sum::<f64>();
    let in_first = both.chunk_by(|a, b| a.0 == b.0).map(|same| pairs(same.len())).sum::<f64>();
    both.sort_unstable_by_key(|labels| labels.1);
    let in_second = both.chunk_by(|a, b| a.1 == b.1).map(|same| pairs(same.len())).sum::<f64>();
    if together == in_first && together == in_second {
        return Some(1.0);
    }
    let chance = in_first * in_second / pairs(both.len());
    Some((together - chance) / ((in_first + in_second) / 2.0 - chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values by sklearn.metrics.adjusted_rand_score.
    #[test]
    fn values_of_scikit_learn() {
        for (first, second, want) in [
            (&[0, 0, 1, 1][..], &[0, 0, 1, 2][..], 0.571_428_571_428_571_4),
            (&[0, 0, 1, 1], &[0, 1, 0, 1], -0.5),
            (&[0, 0, 0, 0], &[0, 1, 2, 3], 0.0),
            (&[3, 3, 3], &[7, 7, 7], 1.0),
            (&[0, 1, 2], &[2, 0, 1], 1.0),
            (&[0, 0, 1, 1, 2, 2, 2], &[5, 5, 5, 1, 1, 9, 9], 0.2125),
        ] {
            let got = adjusted_rand(first, second).unwrap();
            assert!((got - want).abs() < 1e-12, "{first:?} {second:?}: {got} vs {want}");
        }
        assert_eq!(adjusted_rand(&[0], &[0]), None);
    }
}
