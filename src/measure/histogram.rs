//! Quantiles and tail shares of the similarity histogram, by relation.

use super::tables::RelationSummary;
use crate::compute::outcome::{BINS, Histogram, Relation, bin_edge};

const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const TAILS: [(f64, usize); 6] = [(0.5, 150), (0.6, 160), (0.7, 170), (0.8, 180), (0.9, 190), (0.95, 195)];

/// The `p` quantile, linear within a bin. There is at least one pair.
fn quantile(counts: &[u64; BINS], pairs: u64, p: f64) -> f64 {
    let target = p * pairs as f64;
    let mut below = 0u64;
    for (bin, &count) in counts.iter().enumerate() {
        if count > 0 && (below + count) as f64 >= target {
            let within = ((target - below as f64) / count as f64).clamp(0.0, 1.0);
            return bin_edge(bin) + within * (bin_edge(bin + 1) - bin_edge(bin));
        }
        below += count;
    }
    1.0
}

/// One line a relation that has pairs.
pub fn summaries(histogram: &Histogram) -> Vec<RelationSummary> {
    let lines = Relation::ALL.iter().map(|&relation| {
        let counts = &histogram.counts[relation as usize];
        let pairs: u64 = counts.iter().sum();
        (pairs > 0).then(|| RelationSummary {
            relation: relation.name().into(),
            pairs,
            quantiles: QUANTILES.iter().map(|&p| (p, quantile(counts, pairs, p))).collect(),
            tail_shares: (TAILS.iter())
                .map(|&(t, bin)| (t, counts[bin..].iter().sum::<u64>() as f64 / pairs as f64))
                .collect(),
        })
    });
    lines.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_within_a_bin() {
        let mut counts = Box::new([[0u64; BINS]; 4]);
        counts[0][150] = 2;
        counts[0][190] = 2;
        let lines = summaries(&Histogram { counts, exact: true, bound: 0.0 });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].pairs, 4);
        assert!((lines[0].quantiles[2].1 - 0.505).abs() < 1e-12);
        assert!((lines[0].quantiles[4].1 - 0.905).abs() < 1e-12);
        assert_eq!(lines[0].tail_shares[4], (0.9, 0.5));
    }
}
