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

/// P(X <= x) of the beta distribution, 0 < x < 1 and a, b > 0: the continued fraction of the incomplete beta function
/// (DLMF 8.17.22) by Lentz's method.
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    // It converges fast below the mean.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_cdf(1.0 - x, b, a);
    }
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut last = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            last = c * d;
            fraction *= last;
        }
        if (last - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let scale = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * ln(x) + b * libm::log1p(-x);
    exp(scale) * fraction / a
}

/// The `p` quantile of the beta distribution, by bisection.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if beta_cdf(middle, a, b) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// P(X <= x) of the gamma distribution with this shape and scale 1, x and shape > 0: the series of the incomplete gamma
/// function (DLMF 8.7.1), whose terms are all positive. For shapes to some hundreds.
pub fn gamma_cdf(x: f64, shape: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0, 1.0, 0.0);
    while term > 1e-17 * sum {
        n += 1.0;
        term *= x / (shape + n);
        sum += term;
    }
    exp(shape * ln(x) - x - libm::lgamma(shape + 1.0)) * sum
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

    /// Values of scipy.stats.gamma.ppf, put in again.
    #[test]
    fn gamma_agrees_with_scipy() {
        for (p, shape, expected) in [
            (0.025, 1.0, 0.025317807984289876),
            (0.975, 1.0, 3.6888794541139354),
            (0.025, 0.3, 3.1856790317391693e-06),
            (0.975, 0.3, 1.9002636428388258),
            (0.025, 11.75, 6.022040446858778),
            (0.975, 12.5, 20.3232345601376),
            (0.5, 300.25, 299.9167325354818),
        ] {
            let got = gamma_cdf(expected, shape);
            assert!((got / p - 1.0_f64).abs() < 1e-11, "{p} of {shape}: {got} at {expected}");
        }
    }

    /// Values of scipy.stats.beta.ppf.
    #[test]
    fn beta_agrees_with_scipy() {
        for (p, a, b, expected) in [
            (0.025, 1.0, 50.0, 0.000506227983040829),
            (0.975, 1.0, 50.0, 0.07112173646419764),
            (0.975, 3.5, 200.25, 0.038956092173392784),
            (0.025, 2.5, 2000.0, 0.00020770344584560078),
            (0.975, 0.5, 0.75, 0.9840998742417796),
            (0.025, 40.0, 3.0, 0.838358040308346),
            (0.5, 700.0, 900.5, 0.43733722704184835),
        ] {
            let got = beta_quantile(p, a, b);
            assert!((got / expected - 1.0_f64).abs() < 1e-9, "{p}, {a}, {b}: {got} vs {expected}");
        }
    }
}
