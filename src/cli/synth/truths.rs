//! What the measures of a planted corpus must find.

use super::Variation;
use super::planted::Planted;

impl Planted {
    /// The exponent of growth that is expected of all responses to a query: `D(n) = G(n + b) / (G(1 + b) G(n))` with G
    /// the gamma function, over the last factor of 4 in n, linear between whole numbers.
    pub(super) fn growth(&self) -> Option<f64> {
        let Variation::Growth { exponent: b, .. } = self.variation else { return None };
        let expected = |n: f64| (libm::lgamma(n + b) - libm::lgamma(1.0 + b) - libm::lgamma(n)).exp();
        let n = (self.models * self.samples) as f64;
        let below = (n / 4.0).floor().max(1.0);
        let quarter = expected(below) + (n / 4.0 - below) * (expected(below + 1.0) - expected(below));
        Some((expected(n) / quarter).ln() / 4f64.ln())
    }

    /// With meanings, how many n responses of one model are expected to have, and n responses drawn from all models: each of
    /// K in common with probability H / K, each of a model's own with (1 - H) / K.
    pub(super) fn model_meanings(&self) -> Option<[f64; 2]> {
        let Variation::Meanings { meanings, shared } = self.variation else { return None };
        let (k, n, m) = (meanings as f64, self.samples as f64, self.models as f64);
        let seen = |share: f64, n: f64| k * (1.0 - (1.0 - share / k).powf(n));
        // Of n drawn from all M n, j are of one model: hypergeometric.
        let mut pooled = seen(shared, n);
        let mut probability =
            (0..self.samples).map(|i| ((m - 1.0) * n - i as f64) / (m * n - i as f64)).product::<f64>();
        let mut before = 0.0;
        for j in 0..=self.samples {
            let j = j as f64;
            if j > 0.0 {
                // With one model all n are of it.
                let others = (m - 2.0) * n + j;
                probability =
                    if m < 1.5 { f64::from(u8::from(j == n)) } else { before * (n - j + 1.0).powi(2) / (j * others) };
            }
            pooled += m * probability * seen(1.0 - shared, j);
            before = probability;
        }
        Some([seen(shared, n) + seen(1.0 - shared, n), pooled])
    }

    /// The true rho of one model and of different models, where people are planted: from the share of pairs with one
    /// mode. NaN where there are no pairs.
    pub(super) fn rho(&self) -> Option<[f64; 2]> {
        let Variation::People { .. } = self.variation else { return None };
        let rows = |model: usize| model * self.samples..(model + 1) * self.samples;
        let apart = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
            let (same, all) = pairs.fold((0.0, 0.0), |(same, all), (a, b)| {
                (same + if self.mode(a) == self.mode(b) { 1.0 } else { 0.0 }, all + 1.0)
            });
            1.0 - self.cross - (self.within - self.cross) * same / all
        };
        let own = |model: usize| {
            apart(&mut rows(model).flat_map(|a| rows(model).filter(move |&b| b > a).map(move |b| (a, b))))
        };
        let models = 0..self.models * self.samples;
        let others = models
            .clone()
            .flat_map(|a| models.clone().filter(move |&b| b / self.samples > a / self.samples).map(move |b| (a, b)));
        let (individual, people) = (own(0), own(self.models));
        Some([individual / people, apart(&mut others.into_iter()) / people])
    }

    /// The true similarity across models and its floor with refusals and copies: of all answers, without refusals, with
    /// copies collapsed, and both, as summary.json has them under `texts`. NaN where there are no pairs.
    pub(super) fn of_texts(&self) -> Option<[(&'static str, f64, f64); 4]> {
        let Variation::Texts { .. } = self.variation else { return None };
        let model = |i: usize| self.original(i) / self.samples;
        let cosine = |i: usize, j: usize| match (self.refuses(i), self.refuses(j)) {
            (true, true) => self.within,
            (false, false) if self.original(i) == self.original(j) => 1.0,
            (false, false) if model(i) == model(j) => self.within,
            (false, false) => self.cross,
            _ => self.floor,
        };
        let elsewhere = |i: usize, j: usize| if self.refuses(i) && self.refuses(j) { self.within } else { self.floor };
        let mean = |refusals: bool, copies: bool| {
            let of_query = 0..self.models * self.samples;
            let rows: Vec<usize> =
                of_query.filter(|&i| (refusals || !self.refuses(i)) && (copies || self.original(i) == i)).collect();
            let (mut here, mut there, mut pairs) = (0.0, 0.0, 0.0);
            for (at, &i) in rows.iter().enumerate() {
                for &j in rows[at + 1..].iter().filter(|&&j| j / self.samples > i / self.samples) {
                    (here, there, pairs) = (here + cosine(i, j), there + elsewhere(i, j), pairs + 1.0);
                }
            }
            (here / pairs, there / pairs)
        };
        let names = ["all", "without_refusals", "collapsed", "without_refusals_collapsed"];
        let kept = [(true, true), (false, true), (true, false), (false, false)];
        Some(std::array::from_fn(|line| {
            let (here, there) = mean(kept[line].0, kept[line].1);
            (names[line], here, there)
        }))
    }

    /// With fewer meanings later, what is expected of the change of distinct meanings from the first quarter of a query's
    /// answers to the last: `L (1 - (1 - 1/L)^m) - K (1 - (1 - 1/K)^m)` with m answers in a quarter.
    pub(super) fn in_time(&self) -> Option<f64> {
        let Variation::Fewer { meanings, later } = self.variation else { return None };
        let quarter = (self.models * self.samples / 4) as f64;
        let expected = |meanings: usize| {
            let meanings = meanings as f64;
            meanings * (1.0 - (1.0 - 1.0 / meanings).powf(quarter))
        };
        Some(expected(later) - expected(meanings))
    }

    /// The true ratio of packaging, with contexts: (S - C) / (A - C).
    pub(super) fn packaging(&self) -> Option<f64> {
        let Variation::Contexts { across, .. } = self.variation else { return None };
        Some((across - self.floor) / (self.within - self.floor))
    }

    /// The true adjusted R2_style, with a style: of the n responses of M models to each of Q queries
    /// `(M - 1) (Q - 1) n T / (SST - E)`, where `SST = Q (M n - 1 - (n - 1) A - (M - 1) n B)` and
    /// `E = (M - 1) (1 + (n - 1) A - n B)` is what cells without a style would give.
    pub(super) fn r2_style(&self) -> Option<f64> {
        let Variation::Style { style } = self.variation else { return None };
        let (q, m, n) = (self.queries as f64, self.models as f64, self.samples as f64);
        let total = q * (m * n - 1.0 - (n - 1.0) * self.within - (m - 1.0) * n * self.cross);
        let expected = (m - 1.0) * (1.0 + (n - 1.0) * self.within - n * self.cross);
        Some((m - 1.0) * (q - 1.0) * n * style / (total - expected))
    }

    /// With lengths, the true similarity of all pairs of different models: B on the share of pairs of like length, B - D
    /// on the others.
    pub(super) fn of_all_lengths(&self) -> Option<f64> {
        let Variation::Lengths { drop } = self.variation else { return None };
        let pairs = |m: usize| (m * m.saturating_sub(1)) as f64 / 2.0;
        let like = pairs(self.models.div_ceil(2)) + pairs(self.models / 2);
        Some(self.cross - drop * (1.0 - like / pairs(self.models)))
    }
}
