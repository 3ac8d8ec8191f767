//! 95 % intervals: bootstrap over queries by weights from 50 queries on, between quantiles that know how many queries there
//! are; below that Student's t on the linearised ratio, below 5 none. Two-way intervals resample models as well.

use super::products::add_products;
use super::tables::Interval;
use crate::base::math::{beta_quantile, ln, quantile_sorted, student_t_quantile};
use crate::base::random::Stream;
use crate::base::simd::widest;
use pulp::Arch;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::OnceLock;

/// Queries from which on the bootstrap is used.
pub const BOOTSTRAP_QUERIES: usize = 50;
/// Queries (and models, two-way) below which there is no interval.
pub const LEAST: usize = 5;
/// Multiply-adds that all resamples of one table may take; above it the linearised interval stands in.
pub const WORK: f64 = 2e11;
/// Queries whose weights are multiplied at once.
pub const QUERIES: usize = 256;
/// Queries that must have some of what is counted, and as many not all of it, for a share not to be near its edge.
const AWAY_FROM_EDGE: usize = 10;
/// Queries of a two-way bootstrap that are resampled before they are added up.
pub const TWO_WAY_QUERIES: usize = 64;
/// Rows of a Gram matrix that are multiplied with the weights of the models at once.
pub const TWO_WAY_ROWS: usize = 32;
/// Resamples by default.
pub const RESAMPLES: usize = 1000;

/// Weights of all resamples: how often each query was drawn. 2 bytes a resample and query.
#[derive(Debug, Clone)]
pub struct Weights {
    queries: usize,
    counts: Vec<u16>,
}

fn draw(stream: &Stream, resample: usize, counts: &mut [u16]) {
    counts.fill(0);
    let n = counts.len() as u64;
    for i in 0..n {
        let place = stream.below(resample as u64, i, n) as usize;
        counts[place] = counts[place].saturating_add(1);
    }
}

impl Weights {
    /// `resamples` resamples of `queries` queries under (seed, measure).
    pub fn new(seed: u64, measure: &str, resamples: usize, queries: usize) -> Self {
        let stream = Stream::new(seed, measure);
        let mut counts = vec![0; resamples * queries];
        let each = counts.par_chunks_exact_mut(queries.max(1)).enumerate();
        each.for_each(|(resample, counts)| draw(&stream, resample, counts));
        Self { queries, counts }
    }

    /// Number of resamples.
    pub fn resamples(&self) -> usize {
        self.counts.len() / self.queries.max(1)
    }

    /// Weights of one resample.
    pub fn of(&self, resample: usize) -> &[u16] {
        &self.counts[resample * self.queries..(resample + 1) * self.queries]
    }

    /// Weights of some queries, row-major: all resamples x `columns`, 0 past the range's end.
    pub fn block(&self, queries: Range<usize>, columns: usize) -> Vec<f64> {
        let mut block = vec![0.0; self.resamples() * columns];
        for (resample, row) in block.chunks_exact_mut(columns).enumerate() {
            row.iter_mut().zip(&self.of(resample)[queries.clone()]).for_each(|(w, &count)| *w = f64::from(count));
        }
        block
    }
}

/// The share of resamples of `units` units that lies below an interval, and above it: `P(Z < -sqrt(n / (n - 1)) t)` with
/// Student's 97.5 % quantile t. Resamples vary by (n - 1) / n too little, and a normal distribution is narrower than
/// Student's ("expanded percentiles", Hesterberg 2015). 2.1 % of 50.
fn tail(units: usize) -> f64 {
    const MOST: usize = 1000;
    static KNOWN: [OnceLock<f64>; MOST + 1] = [const { OnceLock::new() }; MOST + 1];
    let units = units.clamp(2, MOST);
    *KNOWN[units].get_or_init(|| {
        let n = units as f64;
        let far = (n / (n - 1.0)).sqrt() * student_t_quantile(0.975, units as u32 - 1);
        0.5 * libm::erfc(far / std::f64::consts::SQRT_2)
    })
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

fn student(value: f64, se: f64, df: usize) -> Interval {
    let half = student_t_quantile(0.975, df.clamp(1, 1000) as u32) * se;
    Interval { low: value - half, high: value + half }
}

/// Student interval of a number by the jackknife: `without` has what it is without each of 2 units and more.
pub fn jackknife(value: f64, without: &[f64]) -> Interval {
    let n = without.len() as f64;
    let mean = without.iter().sum::<f64>() / n;
    let squares: f64 = without.iter().map(|v| (v - mean) * (v - mean)).sum();
    student(value, (squares * (n - 1.0) / n).sqrt(), without.len() - 1)
}

/// Student interval of sum(numerators) / sum(denominators) over queries by the linearised standard error.
pub fn linearised(terms: &[(f64, f64)]) -> Option<Interval> {
    linearised_of(&terms.iter().copied().filter(|t| t.1 > 0.0).collect::<Vec<_>>())
}

fn linearised_of(used: &[(f64, f64)]) -> Option<Interval> {
    if used.len() < LEAST {
        return None;
    }
    let (x, y) = used.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
    let ratio = x / y;
    let squares: f64 = used.iter().map(|(a, b)| (a - ratio * b) * (a - ratio * b)).sum();
    let n = used.len() as f64;
    Some(student(ratio, (squares * n / (n - 1.0)).sqrt() / y, used.len() - 1))
}

/// Interval of a ratio of sums over queries; `terms` has one (numerator, denominator) a query, (0, 0) where it has none.
pub fn ratio(terms: &[(f64, f64)], weights: Option<&Weights>) -> Option<Interval> {
    let used = terms.iter().filter(|t| t.1 > 0.0).count();
    match weights {
        Some(weights) if used >= BOOTSTRAP_QUERIES && weights.resamples() > 0 => bootstrap(terms, used, weights),
        _ => linearised(terms),
    }
}

/// Sum of numerators over sum of denominators.
pub fn total(terms: &[(f64, f64)]) -> Option<f64> {
    let (sum, count) = terms.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
    (count > 0.0).then(|| sum / count)
}

/// Interval of a share: a ratio of sums over queries, each numerator from 0 to its denominator, a number of responses.
///
/// Near an edge, where fewer than 10 queries (fewer than all, if they are fewer) have some of it or lack some, resamples do
/// not know what else there might be. There it has the exact binomial limits (Clopper & Pearson 1934) of an effective
/// number of responses, `p (1 - p) / se^2`, lessened as Student's quantile asks (Korn & Graubard 1998). Where no query has
/// any, or all have nothing else, that number is the number of queries: those of a query may come together.
pub fn share(terms: &[(f64, f64)], weights: Option<&Weights>) -> Option<Interval> {
    let used: Vec<(f64, f64)> = terms.iter().copied().filter(|t| t.1 > 0.0).collect();
    let away = AWAY_FROM_EDGE.min(used.len());
    let count = |of: fn(&&(f64, f64)) -> bool| used.iter().filter(of).count();
    if count(|t| t.0 > 0.0) >= away && count(|t| t.0 < t.1) >= away {
        let cut = |i: Interval| Interval { low: i.low.max(0.0), high: i.high.min(1.0) };
        return ratio(terms, weights).map(cut);
    }
    let plain = linearised_of(&used)?;
    let (x, responses) = used.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
    let (p, half) = (x / responses, (plain.high - plain.low) / 2.0);
    let quantile = |df: f64| student_t_quantile(0.975, (df as u32).clamp(1, 1000));
    let error = half / quantile(used.len() as f64 - 1.0);
    let n = if error > 0.0 {
        // Not more than there are: responses of a query are not less alike than if they were drawn apart.
        let lessened = quantile(responses - 1.0) / quantile(used.len() as f64 - 1.0);
        (p * (1.0 - p) / (error * error)).min(responses) * lessened * lessened
    } else {
        used.len() as f64
    };
    let (some, rest) = (n * p, n * (1.0 - p));
    Some(Interval {
        low: if some > 0.0 { beta_quantile(0.025, some, rest + 1.0) } else { 0.0 },
        high: if rest > 0.0 { beta_quantile(0.975, some + 1.0, rest) } else { 1.0 },
    })
}

/// The same where a term may have a denominator of 0 or less, such as a similarity above its floor: `None` is a query
/// without a term.
pub fn quotient(terms: &[Option<(f64, f64)>], weights: Option<&Weights>) -> Option<Interval> {
    let used: Vec<(f64, f64)> = terms.iter().flatten().copied().collect();
    match weights {
        Some(weights) if used.len() >= BOOTSTRAP_QUERIES && weights.resamples() > 0 => {
            bootstrap(&terms.iter().map(|t| t.unwrap_or((0.0, 0.0))).collect::<Vec<_>>(), used.len(), weights)
        }
        _ => linearised_of(&used),
    }
}

/// Interval of the logarithm of a ratio of sums over queries, both of them positive: the percentiles are those of the
/// ratio; Student's interval is one of the logarithm, whose standard error is that of the ratio over the ratio.
pub fn log_ratio(terms: &[(f64, f64)], weights: Option<&Weights>) -> Option<Interval> {
    let used: Vec<(f64, f64)> = terms.iter().copied().filter(|t| t.1 > 0.0).collect();
    let (x, y) = used.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
    if x <= 0.0 {
        return None;
    }
    match weights {
        Some(weights) if used.len() >= BOOTSTRAP_QUERIES && weights.resamples() > 0 => {
            let of_ratio = bootstrap(terms, used.len(), weights).filter(|i| i.low > 0.0)?;
            Some(Interval { low: ln(of_ratio.low), high: ln(of_ratio.high) })
        }
        _ => {
            let of_ratio = linearised_of(&used)?;
            let half = (of_ratio.high - of_ratio.low) / 2.0 / (x / y);
            Some(Interval { low: ln(x / y) - half, high: ln(x / y) + half })
        }
    }
}

/// Interval of a smooth function of sums over queries; `None` is a query without a term. Below 50 queries Student's t with
/// the standard error of the jackknife.
pub fn of_sums<const N: usize>(
    terms: &[Option<[f64; N]>],
    weights: Option<&Weights>,
    value: impl Fn([f64; N]) -> f64,
) -> Option<Interval> {
    let sum = |weight: &dyn Fn(usize) -> f64| {
        let mut total = [0.0; N];
        for (query, term) in terms.iter().enumerate() {
            let (w, term) = (weight(query), term.unwrap_or([0.0; N]));
            total.iter_mut().zip(term).for_each(|(t, x)| *t += w * x);
        }
        total
    };
    let used: Vec<usize> = (0..terms.len()).filter(|&query| terms[query].is_some()).collect();
    match weights {
        Some(weights) if used.len() >= BOOTSTRAP_QUERIES && weights.resamples() > 0 => {
            let one = |resample: usize| value(sum(&|query| f64::from(weights.of(resample)[query])));
            let mut values: Vec<f64> = (0..weights.resamples()).map(one).filter(|v| v.is_finite()).collect();
            percentiles(&mut values, used.len())
        }
        _ if used.len() < LEAST => None,
        _ => {
            let without = |left: &usize| value(sum(&|query| if query == *left { 0.0 } else { 1.0 }));
            Some(jackknife(value(sum(&|_| 1.0)), &used.iter().map(without).collect::<Vec<f64>>()))
        }
    }
}

/// Sums of two columns weighted by counts: element i to lane i mod 8, lanes added in the order of a product.
#[inline(always)]
fn weighted(counts: &[u16], columns: [&[f64]; 2]) -> [f64; 2] {
    let mut sums = [[0.0; 8]; 2];
    let (whole, rest) = counts.as_chunks::<8>();
    for (sums, column) in sums.iter_mut().zip(columns) {
        let (of_whole, of_rest) = column.as_chunks::<8>();
        for (counts, column) in whole.iter().zip(of_whole) {
            for lane in 0..8 {
                sums[lane] += f64::from(counts[lane]) * column[lane];
            }
        }
        let lanes = sums.iter_mut().zip(rest).zip(of_rest);
        lanes.for_each(|((sum, &count), x)| *sum += f64::from(count) * x);
    }
    sums.map(|s| ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])))
}

/// `queries` is how many of the terms there are.
fn bootstrap(terms: &[(f64, f64)], queries: usize, weights: &Weights) -> Option<Interval> {
    let (x, y): (Vec<f64>, Vec<f64>) = terms.iter().copied().unzip();
    let mut values = widest(
        Arch::new(),
        #[inline(always)]
        || {
            let sums = (0..weights.resamples()).map(|resample| weighted(weights.of(resample), [&x, &y]));
            sums.filter(|sums| sums[1] > 0.0).map(|sums| sums[0] / sums[1]).collect::<Vec<f64>>()
        },
    );
    percentiles(&mut values, queries)
}

/// Columns of a block of queries: a multiple of the eight lanes of a product, so that none has a rest.
pub fn columns(queries: usize) -> usize {
    queries.min(QUERIES).next_multiple_of(8)
}

/// Weighted sums over queries of many terms, in all resamples.
pub struct Resampled {
    rows: usize,
    resamples: usize,
    sums: Vec<f64>,
}

impl Resampled {
    /// Zeros for `rows` terms.
    pub fn new(rows: usize, resamples: usize) -> Self {
        Self { rows, resamples, sums: vec![0.0; rows * resamples] }
    }

    /// Adds the terms of some queries, rows x columns, weighted by [`Weights::block`] of those queries.
    pub fn add(&mut self, terms: &[f64], weights: &[f64]) {
        add_products(terms, weights, weights.len() / self.resamples, &mut self.sums);
    }

    /// The same where many rows have equal terms: each is multiplied once.
    pub fn add_repeated(&mut self, terms: &[f64], weights: &[f64]) {
        let columns = weights.len() / self.resamples;
        let mut distinct: Vec<f64> = Vec::new();
        let mut kinds = Vec::with_capacity(self.rows);
        for row in terms.chunks_exact(columns) {
            let found = distinct.chunks_exact(columns).position(|other| other == row);
            kinds.push(found.unwrap_or(distinct.len() / columns));
            if found.is_none() {
                distinct.extend(row);
            }
        }
        let mut sums = vec![0.0; distinct.len() / columns * self.resamples];
        add_products(&distinct, weights, columns, &mut sums);
        for (target, kind) in self.sums.chunks_exact_mut(self.resamples).zip(kinds) {
            target.iter_mut().zip(&sums[kind * self.resamples..]).for_each(|(s, x)| *s += x);
        }
    }

    /// Sums of row `i`, by resample.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.sums[i * self.resamples..(i + 1) * self.resamples]
    }
}

/// What to say about a number that rests on few queries.
pub fn warning(queries: usize) -> Option<String> {
    match queries {
        0..LEAST => Some("fewer than 5 queries: no interval".into()),
        LEAST..10 => Some("fewer than 10 queries".into()),
        _ => None,
    }
}

/// Weights of queries and of models in all resamples of a two-way bootstrap.
pub struct TwoWay {
    /// By query.
    pub queries: Weights,
    /// By model.
    pub models: Weights,
}

impl TwoWay {
    /// `None` with fewer than 5 queries or models.
    pub fn new(seed: u64, measure: &str, resamples: usize, queries: usize, models: usize) -> Option<Self> {
        let weights = |what: &str, n: usize| Weights::new(seed, &format!("{measure}/{what}"), resamples, n);
        (queries >= LEAST && models >= LEAST && resamples >= 2)
            .then(|| Self { queries: weights("queries", queries), models: weights("models", models) })
    }

    /// Weight of query `q` in each resample.
    pub fn query(&self, q: usize) -> impl Iterator<Item = f64> {
        (0..self.queries.resamples()).map(move |r| f64::from(self.queries.of(r)[q]))
    }

    /// Weights of models in each resample, row-major: resamples x `columns`; `models` may be fewer than `columns`.
    pub fn block(&self, models: &[usize], columns: usize) -> Vec<f64> {
        let mut block = vec![0.0; self.models.resamples() * columns];
        for (resample, row) in block.chunks_exact_mut(columns).enumerate() {
            let counts = self.models.of(resample);
            row.iter_mut().zip(models).for_each(|(w, &m)| *w = f64::from(counts[m]));
        }
        block
    }

    /// Interval around `value` from the (numerator, denominator) of each resample.
    pub fn interval(&self, value: f64, resampled: &[(f64, f64)]) -> Option<Interval> {
        let mut values: Vec<f64> = resampled.iter().filter(|t| t.1 > 0.0).map(|t| t.0 / t.1).collect();
        if values.len() < 2 {
            return None;
        }
        let least = self.queries.queries.min(self.models.queries);
        if least >= BOOTSTRAP_QUERIES {
            return percentiles(&mut values, least);
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
        Some(student(value, variance.sqrt(), least - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_queries_use_student_and_none_below_five() {
        let terms: Vec<(f64, f64)> = [0.1, 0.2, 0.3, 0.4, 0.5].map(|x| (x, 1.0)).into();
        assert!(ratio(&terms[..4], None).is_none());
        let ci = ratio(&terms, None).unwrap();
        // mean .3, standard error sqrt(.025 / 5), t(.975, 4) = 2.7764451051977987
        let half = 2.776_445_105_197_798_7 * (0.025f64 / 5.0).sqrt();
        assert!((ci.low - (0.3 - half)).abs() < 1e-9 && (ci.high - (0.3 + half)).abs() < 1e-9);
    }

    /// A ratio is a smooth function of sums; the others of a few queries are its jackknife.
    #[test]
    fn a_function_of_sums_has_the_interval_of_a_ratio() {
        let terms: Vec<(f64, f64)> = (0..60).map(|i| (f64::from(i % 7) + 1.0, f64::from(i % 5) + 2.0)).collect();
        let sums = |n: usize| terms[..n].iter().map(|t| Some([t.0, t.1])).collect::<Vec<_>>();
        let weights = Weights::new(1, "sums", 500, 60);
        let value = |[x, y]: [f64; 2]| x / y;
        assert_eq!(of_sums(&sums(60), Some(&weights), value), ratio(&terms, Some(&weights)));
        let log = log_ratio(&terms, Some(&weights)).unwrap();
        let plain = ratio(&terms, Some(&weights)).unwrap();
        assert!((log.low - plain.low.ln()).abs() < 1e-12 && (log.high - plain.high.ln()).abs() < 1e-12);
        let (few, exact) = (of_sums(&sums(20), None, value).unwrap(), linearised(&terms[..20]).unwrap());
        assert!((few.low - exact.low).abs() < 0.02 && (few.high - exact.high).abs() < 0.02);
        let log = log_ratio(&terms[..20], None).unwrap();
        let ratio = (exact.high + exact.low) / 2.0;
        assert!((log.high + log.low - 2.0 * ratio.ln()).abs() < 1e-12);
        assert!((log.high - log.low - (exact.high - exact.low) / ratio).abs() < 1e-12);
        assert_eq!(of_sums(&sums(4), None, value), None);
    }

    /// Exact limits where hardly a query has any; the usual interval elsewhere.
    #[test]
    fn a_share_near_its_edge_is_not_thought_to_be_known() {
        let weights = Weights::new(1, "shares", 1000, 60);
        let of = |some: usize, x: f64| (0..60).map(|q| (if q < some { x } else { 0.0 }, 10.0)).collect::<Vec<_>>();
        let none = share(&of(0, 0.0), Some(&weights)).unwrap();
        // 1 - .025^(1/60)
        assert!(none.low == 0.0 && (none.high - 0.059_629_512).abs() < 1e-6, "{none:?}");
        let all = share(&of(60, 10.0), Some(&weights)).unwrap();
        assert!((all.low - (1.0 - none.high)).abs() < 1e-12 && all.high == 1.0, "{all:?}");
        // Ten of one query: as one of 60 or a little fewer; one each of three: as three of 600 or a little fewer.
        let one = share(&of(1, 10.0), Some(&weights)).unwrap();
        assert!(one.low > 1e-4 && one.low < 5e-4 && (0.085..0.1).contains(&one.high), "{one:?}");
        let three = share(&of(3, 1.0), Some(&weights)).unwrap();
        assert!((0.0008..0.0011).contains(&three.low) && (0.014..0.016).contains(&three.high), "{three:?}");
        assert_eq!(share(&of(30, 4.0), Some(&weights)), ratio(&of(30, 4.0), Some(&weights)));
        assert_eq!(share(&of(4, 4.0)[..4], None), None);
    }

    /// Means of 50 normal values: plain percentiles would hold 94.2 %, and Student's interval holds 95.
    #[test]
    fn resamples_of_few_queries_know_how_few_they_are() {
        // scipy.stats.norm.cdf(-sqrt(50 / 49) scipy.stats.t.ppf(.975, 49))
        assert!((tail(50) - 0.02117941121137757).abs() < 1e-9 && (tail(5000) - 0.025).abs() < 3e-4, "{}", tail(50));
        let stream = Stream::new(5, "normal values");
        let terms: Vec<(f64, f64)> = (0..50).map(|q| (stream.normal(q, 0), 1.0)).collect();
        let weights = Weights::new(1, "normal values", 40_000, 50);
        let (found, exact) = (ratio(&terms, Some(&weights)).unwrap(), linearised(&terms).unwrap());
        let width = |i: Interval| i.high - i.low;
        assert!((width(found) / width(exact) - 1.0).abs() < 0.02, "{found:?} {exact:?}");
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

    #[test]
    fn the_bootstrap_agrees_with_the_normal_interval() {
        let terms: Vec<(f64, f64)> = (0..400).map(|i| (f64::from(i % 10) / 10.0, 1.0)).collect();
        let ci = ratio(&terms, Some(&Weights::new(1, "test", 1000, terms.len()))).unwrap();
        let exact = linearised(&terms).unwrap();
        assert!((ci.low - exact.low).abs() < 0.005 && (ci.high - exact.high).abs() < 0.005);
    }
}
