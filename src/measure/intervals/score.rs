//! Limits of a number whose variance depends on its true value: score intervals (Wilson 1927).

use super::super::tables::Interval;

/// What a number varies that is 0 or more but for noise, as the squared length of what models have of their own is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Its variance where the true value is 0.
    pub at_zero: f64,
    /// The number before the noise was taken off: of |S|^2 less its expectation, |S|^2. Above 0.
    pub with_noise: f64,
}

/// Limits of a number with this standard error, where `plain` are those that do not know of its noise.
///
/// With noise E the number is `b - E`, and its estimated variance goes as b does: at a true value t it is `V_0 + se^2 t / b`,
/// and V_0 where t is 0 or less. A limit is the t from which the number is as many of the standard errors at t away as the
/// plain limit is of its own.
pub fn score(plain: Interval, (value, error): (f64, f64), noise: Noise) -> Interval {
    if !(error > 0.0 && noise.with_noise > 0.0) {
        return plain;
    }
    let slope = error * error / noise.with_noise;
    let limit = |plain: f64, side: f64| {
        let far = (plain - value).abs() / error;
        let at_zero = value + side * far * noise.at_zero.sqrt();
        if at_zero <= 0.0 {
            return at_zero;
        }
        // (value - t)^2 = far^2 (at_zero + slope t)
        let half = value + 0.5 * far * far * slope;
        let product = value * value - far * far * noise.at_zero;
        half + side * (half * half - product).max(0.0).sqrt()
    };
    Interval { low: limit(plain.low, -1.0), high: limit(plain.high, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;

    fn with(value: f64, error: f64, at_zero: f64, with_noise: f64) -> Interval {
        let plain = Interval { low: value - 2.0 * error, high: value + 3.0 * error };
        score(plain, (value, error), Noise { at_zero, with_noise })
    }

    #[test]
    fn a_limit_is_so_many_standard_errors_of_its_own_away() {
        for (value, error, at_zero, with_noise) in
            [(0.5, 0.1, 0.001, 0.6), (0.02, 0.02, 0.0003, 0.1), (-0.05, 0.02, 0.0003, 0.01), (-0.2, 0.01, 0.001, 0.1)]
        {
            let found = with(value, error, at_zero, with_noise);
            let at = |t: f64| (at_zero + error * error * t.max(0.0) / with_noise).sqrt();
            assert!(((value - found.low) / at(found.low) - 2.0).abs() < 1e-9, "{found:?}");
            assert!(((found.high - value) / at(found.high) - 3.0).abs() < 1e-9, "{found:?}");
        }
        // Without noise the variance goes as the value does.
        assert_eq!(with(0.5, 0.0, 0.1, 0.5), Interval { low: 0.5, high: 0.5 });
    }

    /// |S|^2 - D of D normal numbers of mean `mean`: the plain interval, with 4 |S|^2 for its variance, holds 99 to 100 %
    /// where the mean is 0.
    #[test]
    fn squared_lengths_are_held_95_times_in_100() {
        for (dim, mean) in [(1, 0.0), (3, 0.0), (30, 0.0), (30, 0.3), (30, 3.0), (3, 2.0)] {
            let stream = Stream::new(dim, "squared lengths");
            let held = |seed: u64| {
                let square: f64 = (0..dim).map(|i| (mean + stream.normal(seed, i)).powi(2)).sum();
                let (value, error, truth) = (square - dim as f64, 2.0 * square.sqrt(), mean * mean * dim as f64);
                let plain = Interval { low: value - 1.96 * error, high: value + 1.96 * error };
                let found = score(plain, (value, error), Noise { at_zero: 2.0 * dim as f64, with_noise: square });
                [found, plain].map(|of| of.low <= truth && truth <= of.high)
            };
            let all: Vec<[bool; 2]> = (0..4000).map(held).collect();
            let [found, plain] = [0, 1].map(|i| all.iter().filter(|of| of[i]).count() as f64 / 40.0);
            assert!((93.0..97.0).contains(&found), "{dim} of {mean}: {found} %");
            assert!(dim < 30 || mean > 0.0 || plain > 98.5, "{plain} %");
        }
    }
}
