//! Least-squares slopes: over stages, and of how often meanings occur over their rank.

use crate::base::math::ln;

/// Fewest points of a slope.
pub const LEAST: usize = 3;

/// What each point's value counts for in the slope over `x`: `(x - mean) / sum (x - mean)^2`; `None` with fewer than 3
/// different x.
pub fn weights(x: &[f64]) -> Option<Vec<f64>> {
    let mut different = x.to_vec();
    different.sort_unstable_by(f64::total_cmp);
    different.dedup();
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let squares: f64 = x.iter().map(|x| (x - mean) * (x - mean)).sum();
    (different.len() >= LEAST).then(|| x.iter().map(|x| (x - mean) / squares).collect())
}

/// `sum w y`.
pub fn weighted(weights: &[f64], values: &[f64]) -> f64 {
    weights.iter().zip(values).map(|(w, y)| w * y).sum()
}

/// For some groups of equally many labels the slope of `ln x_r` over `ln r`, where x_r is how often the label of rank r
/// occurs, over the ranks that all groups have; `None` under 3 ranks.
pub fn of_frequencies(groups: &[&[u32]]) -> Option<Vec<f64>> {
    let counts: Vec<Vec<f64>> = groups.iter().map(|labels| by_rank(labels)).collect();
    let ranks = counts.iter().map(Vec::len).min().unwrap_or(0);
    let log_ranks: Vec<f64> = (1..=ranks).map(|rank| ln(rank as f64)).collect();
    let weights = weights(&log_ranks)?;
    let slope = |counts: &Vec<f64>| weighted(&weights, &counts[..ranks].iter().map(|&x| ln(x)).collect::<Vec<f64>>());
    Some(counts.iter().map(slope).collect())
}

/// How often each label occurs, the most frequent first.
fn by_rank(labels: &[u32]) -> Vec<f64> {
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    let mut counts: Vec<usize> = sorted.chunk_by(|a, b| a == b).map(<[u32]>::len).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts.into_iter().map(|count| count as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_and_two_points_none() {
        let x = [0.0, 1.0, 2.0, 10.0];
        let line = weighted(&weights(&x).unwrap(), &x.map(|x| 3.0 - 0.25 * x));
        assert!((line + 0.25).abs() < 1e-12);
        assert_eq!(weights(&[1.0, 2.0]), None);
        assert_eq!(weights(&[1.0, 2.0, 2.0]), None);
    }

    /// Counts 8, 4, 2 beside 12, 1, 1 and a rank more: numpy.polyfit(log([1, 2, 3]), log(counts), 1)[0].
    #[test]
    fn frequencies_are_compared_over_the_ranks_that_all_have() {
        let labels = |counts: &[usize]| -> Vec<u32> {
            counts.iter().zip(0..).flat_map(|(&x, label)| std::iter::repeat_n(label, x)).collect()
        };
        let (a, b) = (labels(&[2, 8, 4]), labels(&[1, 12, 1]));
        let found = of_frequencies(&[&a, &b]).unwrap();
        assert!((found[0] + 1.233_661_942_252_173_5).abs() < 1e-12, "{found:?}");
        assert!((found[1] + 2.404_333_931_408_113_6).abs() < 1e-12, "{found:?}");
        assert_eq!(of_frequencies(&[&a, &labels(&[9, 5])]), None);
        let more = labels(&[8, 4, 2, 1]);
        assert_eq!(of_frequencies(&[&a, &more]).unwrap()[1], found[0]);
    }
}
