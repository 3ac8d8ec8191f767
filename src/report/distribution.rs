//! A distribution of numbers in few numbers: what stands in the page for a column of any length.

use serde::Serialize;

/// The fewest bins that a distribution over more than one value should have.
const BINS: f64 = 16.0;
const QUANTILES: [f64; 7] = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];

/// Histogram with round edges, mean and quantiles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// Number of values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Lower edge of the first bin.
    pub start: f64,
    /// Width of a bin.
    pub width: f64,
    /// Values in each bin; low <= x < high, the last bin closed.
    pub counts: Vec<u64>,
    /// (p, value): minimum, 5, 25, 50, 75, 95 percent, maximum, linear between values.
    pub quantiles: Vec<(f64, f64)>,
}

impl Distribution {
    /// The distribution of `values`; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let (&low, &high) = (values.first()?, values.last()?);
        let width = round_width((high - low) / BINS);
        // Whole numbers have a bin each, or several share one.
        let width = if values.iter().all(|value| value.fract() == 0.0) { width.max(1.0) } else { width };
        let first = (low / width).floor();
        let bins = ((high / width).floor() - first) as usize + 1;
        let mut counts = vec![0; bins];
        for value in &values {
            counts[(((value / width).floor() - first) as usize).min(bins - 1)] += 1;
        }
        Some(Self {
            n: values.len(),
            mean: values.iter().sum::<f64>() / values.len() as f64,
            start: first * width,
            width,
            counts,
            quantiles: QUANTILES.iter().map(|&p| (p, quantile(&values, p))).collect(),
        })
    }
}

/// The `p` quantile of sorted values (at least one), linear between neighbours, as numpy's default.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (place - place.floor()) * (above - below)
}

/// The largest of 1, 2 and 5 times a power of ten that is at most `width`; .01 for a width that says nothing.
fn round_width(width: f64) -> f64 {
    if width < 1e-9 {
        return 0.01;
    }
    let power = 10f64.powf(width.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|step| step * power).find(|step| *step <= width).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_round_edges_and_hold_every_value() {
        let found = Distribution::of((0..=100).map(|i| 0.31 + f64::from(i) * 0.004).collect()).unwrap();
        assert_eq!((found.n, found.width), (101, 0.02));
        assert!((found.start - 0.3).abs() < 1e-12);
        assert_eq!(found.counts.iter().sum::<u64>(), 101);
        assert!((found.quantiles[3].1 - 0.51).abs() < 1e-12);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
    }

    #[test]
    fn whole_numbers_have_whole_bins() {
        let found = Distribution::of(vec![1.0, 1.0, 2.0, 4.0]).unwrap();
        assert_eq!((found.start, found.width, found.counts), (1.0, 1.0, vec![2, 1, 0, 1]));
    }

    #[test]
    fn one_value_is_one_bin_and_no_value_is_none() {
        let found = Distribution::of(vec![2.5; 3]).unwrap();
        assert_eq!(found.counts, [3]);
        assert_eq!(Distribution::of(vec![f64::NAN]), None);
    }
}
