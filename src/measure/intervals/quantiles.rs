//! Where limits lie: Student's quantile, and the quantiles of resamples.

use super::super::tables::Interval;
use crate::base::math::{quantile_sorted, student_t_quantile};
use std::sync::OnceLock;

/// Units from which on more make no difference.
const MOST: usize = 1000;

/// Student's 97.5 % quantile for `units` units: how many standard errors a limit is away.
pub fn standard_errors(units: usize) -> f64 {
    static KNOWN: [OnceLock<f64>; MOST + 1] = [const { OnceLock::new() }; MOST + 1];
    let units = units.clamp(2, MOST);
    *KNOWN[units].get_or_init(|| student_t_quantile(0.975, units as u32 - 1))
}

/// The share of resamples of `units` units that lies below an interval, and above it: `P(Z < -sqrt(n / (n - 1)) t)` with
/// Student's 97.5 % quantile t. Resamples vary by (n - 1) / n too little, and a normal distribution is narrower than
/// Student's ("expanded percentiles", Hesterberg 2015). 2.1 % of 50.
fn tail(units: usize) -> f64 {
    let n = units.clamp(2, MOST) as f64;
    0.5 * libm::erfc((n / (n - 1.0)).sqrt() * standard_errors(units) / std::f64::consts::SQRT_2)
}

/// The interval that resamples of `units` units (queries, teams) give. Reorders `values`.
pub fn percentiles(values: &mut [f64], units: usize) -> Option<Interval> {
    quantiles(values, tail(units))
}

/// The `tail` and 1 - `tail` quantiles, by selection: those of [`quantile_sorted`]. Reorders `values`.
pub fn quantiles(values: &mut [f64], tail: f64) -> Option<Interval> {
    if values.len() < 100 {
        values.sort_unstable_by(f64::total_cmp);
        return (!values.is_empty())
            .then(|| Interval { low: quantile_sorted(values, tail), high: quantile_sorted(values, 1.0 - tail) });
    }
    // Of 100 values and more the two quantiles lie in places far apart.
    let place = |p: f64| p * (values.len() - 1) as f64;
    let (low, high) = (place(tail), place(1.0 - tail));
    let quantile = |values: &mut [f64], place: f64| {
        let below = place.floor();
        let (_, &mut first, above) = values.select_nth_unstable_by(below as usize, f64::total_cmp);
        let second = above.iter().copied().min_by(f64::total_cmp).unwrap_or(first);
        first + (second - first) * (place - below)
    };
    let high_value = quantile(values, high);
    let low_value = quantile(&mut values[..high as usize], low);
    Some(Interval { low: low_value, high: high_value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;

    /// Of 50 units plain percentiles would hold 94.2 %, and Student's interval holds 95.
    #[test]
    fn resamples_of_few_units_know_how_few_they_are() {
        // scipy.stats.norm.cdf(-sqrt(50 / 49) scipy.stats.t.ppf(.975, 49))
        assert!((tail(50) - 0.02117941121137757).abs() < 1e-9 && (tail(5000) - 0.025).abs() < 3e-4, "{}", tail(50));
        // scipy.stats.t.ppf(.975, 49)
        assert!((standard_errors(50) - 2.009_575_237_129_240_4).abs() < 1e-9);
    }

    #[test]
    fn selection_gives_the_quantiles_of_sorting() {
        let stream = Stream::new(2, "percentiles");
        for n in [1, 2, 99, 100, 101, 1000, 1003] {
            // Few distinct values: ties at the quantiles too.
            let values: Vec<f64> = (0..n).map(|i| (stream.uniform(i, 0) * 400.0).floor()).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let found = quantiles(&mut values.clone(), 0.025).unwrap();
            assert_eq!(
                (found.low, found.high),
                (quantile_sorted(&sorted, 0.025), quantile_sorted(&sorted, 0.975)),
                "{n}"
            );
        }
        assert!(quantiles(&mut [], 0.025).is_none());
    }
}
