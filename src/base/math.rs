//! Elementary functions and quantiles that give the same bits on every machine.

/// Natural logarithm, the same bits everywhere.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Exponential function, the same bits everywhere.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// P(T <= t) of Student's t with `df` >= 1 degrees of freedom: the finite sums for whole `df`
/// (Abramowitz & Stegun 26.7.3 and 26.7.4).
pub fn student_t_cdf(t: f64, df: u32) -> f64 {
    let theta = libm::atan(t / libm::sqrt(f64::from(df)));
    let (sin, cos) = (libm::sin(theta), libm::cos(theta));
    let cos2 = cos * cos;
    let inside = if df % 2 == 1 {
        let mut sum = 0.0;
        let mut term = cos;
        let mut j = 1;
        while j <= i64::from(df) - 2 {
            sum += term;
            term *= cos2 * (j + 1) as f64 / (j + 2) as f64;
            j += 2;
        }
        std::f64::consts::FRAC_2_PI * (theta + sin * sum)
    } else {
        let mut sum = 0.0;
        let mut term = 1.0;
        let mut j = 0;
        while j <= i64::from(df) - 2 {
            sum += term;
            term *= cos2 * (j + 1) as f64 / (j + 2) as f64;
            j += 2;
        }
        sin * sum
    };
    0.5 + 0.5 * inside
}

/// The `p` quantile (0.5 < p < 1) of Student's t with `df` >= 1 degrees of freedom, by bisection.
pub fn student_t_quantile(p: f64, df: u32) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while student_t_cdf(high, df) < p {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if student_t_cdf(middle, df) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Linear-interpolation quantile of sorted values, as `numpy.quantile` has it. `sorted` is not empty.
pub fn quantile_sorted(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy.stats.t.ppf(0.975, df).
    #[test]
    fn student_t_agrees_with_scipy() {
        for (df, expected) in
            [(1, 12.7062047361747), (2, 4.30265272974946), (9, 2.2621571628540993), (49, 2.0095752371292397)]
        {
            let got = student_t_quantile(0.975, df);
            assert!((got / expected - 1.0).abs() < 1e-9, "df {df}: {got} vs {expected}");
        }
    }
}
