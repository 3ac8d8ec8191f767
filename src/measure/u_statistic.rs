//! Means over pairs of different queries (U-statistics, Hoeffding 1948) near the value at which they are degenerate: no query
//! by itself has an effect there, and only pairs vary.
//!
//! Contributions of queries hold what lies in pairs twice (Efron & Stein 1981), and vary with the number itself: where models
//! have no style of their own, intervals made of them hold 99 to 100 % instead of 95. So what pairs alone vary is taken from
//! some queries, all pairs of them, and [`super::intervals::score`] makes limits of both.

/// Queries whose pairs are looked at: 104 degrees of freedom.
pub const QUERIES: usize = 16;

/// Places of at most 16 of n queries, spread evenly.
pub fn some(n: usize) -> Vec<usize> {
    let k = n.min(QUERIES);
    (0..k).map(|i| i * n / k).collect()
}

/// Variance of a sum over all pairs of n queries that lies in pairs alone: the mean square of what pairs of k of them have
/// beyond the parts of both their queries, for each pair. `pair(i, j)` is that of places i < j. `None` under 4 queries.
pub fn variance(n: usize, k: usize, pair: impl Fn(usize, usize) -> f64) -> Option<f64> {
    if k < 4 {
        return None;
    }
    let pairs = || (0..k).flat_map(|i| (i + 1..k).map(move |j| (i, j)));
    let mut rows = vec![0.0; k];
    for (i, j) in pairs() {
        let value = pair(i, j);
        rows[i] += value;
        rows[j] += value;
    }
    let size = k as f64;
    let both = rows.iter().sum::<f64>() / ((size - 1.0) * (size - 2.0));
    let squares: f64 = pairs().map(|(i, j)| (pair(i, j) - (rows[i] + rows[j]) / (size - 2.0) + both).powi(2)).sum();
    let all = n as f64 * (n as f64 - 1.0) / 2.0;
    Some(all * squares / (size * (size - 3.0) / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;

    #[test]
    fn queries_are_spread_evenly() {
        assert_eq!(some(3), [0, 1, 2]);
        assert_eq!(some(16), (0..16).collect::<Vec<_>>());
        assert_eq!(some(160)[15], 150);
        assert!(some(0).is_empty());
    }

    /// Effects of queries and a mean are nothing; a pair's own variance is found without bias.
    #[test]
    fn what_lies_in_pairs_is_found_beside_what_queries_have() {
        let stream = Stream::new(1, "pairs");
        let of = |seed: u64, own: f64, k: usize| {
            let query = |i: usize| 3.0 * stream.normal(seed << 8 | i as u64, 0);
            let pair = |i: usize, j: usize| {
                5.0 + query(i) + query(j) + own * stream.normal(seed << 20 | (i * k + j) as u64, 1)
            };
            variance(40, k, pair).unwrap()
        };
        assert!(of(1, 0.0, 4) < 1e-20 && of(1, 0.0, 16) < 1e-20);
        for k in [4, 5, 16] {
            let mean = (0..4000).map(|seed| of(seed, 2.0, k)).sum::<f64>() / 4000.0;
            assert!((mean / (780.0 * 4.0) - 1.0).abs() < 0.07, "{k}: {mean}");
        }
        assert!(variance(9, 3, |_, _| 1.0).is_none());
    }
}
