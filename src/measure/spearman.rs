//! Spearman's rank correlation; equal values share the mean of their ranks.

/// Ranks less their mean.
pub fn centred_ranks<K: Ord + Copy>(keys: impl Iterator<Item = K>) -> Vec<f64> {
    let mut order: Vec<(K, u32)> = keys.zip(0..).collect();
    order.sort_unstable();
    let middle = (order.len() as f64 - 1.0) / 2.0;
    let mut ranks = vec![0.0; order.len()];
    let mut start = 0;
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = start as f64 + (tied.len() as f64 - 1.0) / 2.0 - middle;
        tied.iter().for_each(|one| ranks[one.1 as usize] = rank);
        start += tied.len();
    }
    ranks
}

/// A key that orders similarities as their values do, -0 as 0.
pub fn key(similarity: f32) -> u32 {
    let bits = (similarity + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// The same for numbers in f64; no NaN.
pub fn key_f64(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// Correlation of centred ranks; `None` where one does not vary.
pub fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    let spread = dot(x, x) * dot(y, y);
    (spread > 0.0).then(|| dot(x, y) / spread.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By scipy.stats.spearmanr.
    #[test]
    fn correlations_are_those_of_scipy() {
        let x = centred_ranks([0.1f32, -0.5, 0.1, 0.9, -0.0, 0.0, 0.3].into_iter().map(key));
        let y = centred_ranks([3u64, 1, 3, 2, 9, 9, 4].into_iter());
        assert_eq!(x, [0.5, -3.0, 0.5, 3.0, -1.5, -1.5, 2.0]);
        let found = correlation(&x, &y).unwrap();
        assert!((found + 0.111_111_111_111_111_1).abs() < 1e-12, "{found}");
        assert_eq!(correlation(&x, &centred_ranks([5u8; 7].into_iter())), None);
    }
}
