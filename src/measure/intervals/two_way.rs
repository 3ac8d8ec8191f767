//! Intervals for models in general, where queries and models are both a draw of more.
//!
//! The variance of a mean clustered two ways is that by queries, plus that by models, less that of what one model does in one
//! query, which both of them hold (Cameron, Gelbach & Miller 2011). Resamples of both ways would hold it three times (Owen
//! 2007), and all of them would be as wide as the fewer of the two allow: of 50 queries and 10 models that do not differ
//! such intervals held 98 to 99 %. Degrees of freedom are Satterthwaite's: those of the models count as far as models
//! differ.

use super::super::tables::Interval;
use super::{LEAST, Ratio};
use crate::base::math::beta_quantile;

/// A query's part in a ratio of sums over its pairs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OfQuery {
    /// (numerator, denominator).
    pub all: (f64, f64),
    /// By model with a part in it: what `all` would be less without that model. Pairs of two models are in both.
    pub models: Vec<(usize, (f64, f64))>,
}

/// Student's 97.5 % quantile for any number of degrees of freedom >= 1: t^2 = df x / (1 - x) where x is of the beta
/// distribution (1/2, df/2).
fn student_t(df: f64) -> f64 {
    let x = beta_quantile(0.95, 0.5, 0.5 * df);
    (df * x / (1.0 - x)).sqrt()
}

/// Interval of the ratio for models in general, of queries with a denominator above 0; `None` with fewer than 5 queries or
/// models, or where nothing is left without some model.
///
/// With phi_qm = (x_qm - r y_qm) / (y - y_m), by which the ratio r changes without model m because of query q: by queries
/// V_Q is the linearised variance, by models V_M the jackknife's, `(M - 1) / M` times the sum of squares of sum_q phi_qm
/// about their mean, and what both hold, E, is `(M - 1) / M Q / (Q - 1)` times that of phi_qm about their mean in each query.
/// The variance is `max(V_Q, E) + max(V_M - E, 0)`, and these two have Q - 1 and M - 1 degrees of freedom.
pub fn two_way(queries: &[OfQuery]) -> Option<Interval> {
    let used = queries.iter().map(|query| query.all).filter(|all| all.1 > 0.0);
    let (y, q) = used.clone().fold((0.0, 0usize), |t, all| (t.0 + all.1, t.1 + 1));
    let most = queries.iter().flat_map(|query| &query.models).map(|one| one.0 + 1).max()?;
    let mut left = vec![None; most];
    for (model, (_, part)) in queries.iter().flat_map(|query| &query.models) {
        *left[*model].get_or_insert(y) -= part;
    }
    let m = left.iter().flatten().count();
    if q < LEAST || m < LEAST || left.iter().flatten().any(|&rest| rest < 0.5) {
        return None;
    }
    let ratio = Ratio::new(used);
    let mut moves = vec![0.0; most];
    let mut both = 0.0;
    for query in queries {
        let phi = |&(model, (x, y)): &(usize, (f64, f64))| Some((model, (x - ratio.value * y) / left[model]?));
        let here: Vec<(usize, f64)> = query.models.iter().filter_map(phi).collect();
        here.iter().for_each(|&(model, phi)| moves[model] += phi);
        both += squares(here.iter().map(|one| one.1));
    }
    let moves = moves.iter().zip(&left).filter(|one| one.1.is_some()).map(|one| *one.0);
    let (queries, models) = (q as f64, m as f64);
    let some = (models - 1.0) / models;
    let by_query = ratio.error * ratio.error;
    let by_model = some * squares(moves);
    let both = some * queries / (queries - 1.0) * both;
    let (by_query, by_model) = (by_query.max(both), (by_model - both).max(0.0));
    let variance = by_query + by_model;
    let freedom = variance * variance / (by_query.powi(2) / (queries - 1.0) + by_model.powi(2) / (models - 1.0));
    let half = if variance > 0.0 { variance.sqrt() * student_t(freedom) } else { 0.0 };
    Some(Interval { low: ratio.value - half, high: ratio.value + half })
}

/// Sum of squares about the mean; 0 of nothing.
fn squares(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (sum, n) = values.clone().fold((0.0, 0.0), |t, x| (t.0 + x, t.1 + 1.0));
    let mean = if n > 0.0 { sum / n } else { 0.0 };
    values.map(|x| (x - mean) * (x - mean)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;

    /// Values of scipy.stats.t.ppf(.975, df).
    #[test]
    fn degrees_of_freedom_need_not_be_whole() {
        for (df, expected) in [(1.0, 12.706204736174694), (9.5, 2.2441374614922958), (300.25, 1.9678963746654339)] {
            assert!((student_t(df) / expected - 1.0_f64).abs() < 1e-9, "{df}: {}", student_t(df));
        }
    }

    /// Values x of q queries and m models, one each: (effects of queries, of models, of both).
    fn crossed(seed: u64, (q, m): (usize, usize), sizes: [f64; 3]) -> Vec<OfQuery> {
        let stream = Stream::new(seed, "two-way");
        let normal = |kind: u64, of: usize| stream.normal(of as u64, kind);
        (0..q)
            .map(|query| {
                let value = |model: usize| {
                    sizes[0] * normal(0, query) + sizes[1] * normal(1, model) + sizes[2] * normal(2, query * m + model)
                };
                let models: Vec<(usize, (f64, f64))> = (0..m).map(|model| (model, (value(model), 1.0))).collect();
                OfQuery { all: (models.iter().map(|one| one.1.0).sum(), m as f64), models }
            })
            .collect()
    }

    /// A table with as many values everywhere has the mean squares of the analysis of variance, to the last digit.
    #[test]
    fn a_full_table_has_the_mean_squares_of_the_analysis_of_variance() {
        let (q, m) = (23, 7);
        let table = crossed(1, (q, m), [1.0, 2.0, 0.5]);
        let at = |query: usize, model: usize| table[query].models[model].1.0;
        let row: Vec<f64> = (0..q).map(|i| (0..m).map(|j| at(i, j)).sum::<f64>() / m as f64).collect();
        let column: Vec<f64> = (0..m).map(|j| (0..q).map(|i| at(i, j)).sum::<f64>() / q as f64).collect();
        let mean = row.iter().sum::<f64>() / q as f64;
        let (queries, models) = (q as f64, m as f64);
        let by_query = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (queries * (queries - 1.0));
        let by_model = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (models * (models - 1.0));
        // About the means of queries, as phi is.
        let apart: f64 =
            (0..q).flat_map(|i| (0..m).map(move |j| (i, j))).map(|(i, j)| (at(i, j) - row[i]).powi(2)).sum();
        let both = apart / (queries * (queries - 1.0) * models * (models - 1.0));
        let variance = by_query + by_model - both;
        let df = variance.powi(2) / (by_query.powi(2) / (queries - 1.0) + (by_model - both).powi(2) / (models - 1.0));
        let half = variance.sqrt() * student_t(df);
        let found = two_way(&table).unwrap();
        assert!((found.low - (mean - half)).abs() < 1e-12 && (found.high - (mean + half)).abs() < 1e-12, "{found:?}");
    }

    /// Whatever varies, queries, models or only both together.
    #[test]
    fn intervals_hold_the_true_value_95_times_in_100() {
        for sizes in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.1, 0.2, 1.0]] {
            let held = |seed: u64| {
                let found = two_way(&crossed(seed, (50, 10), sizes)).unwrap();
                found.low <= 0.0 && 0.0 <= found.high
            };
            let held = (0..2000).filter(|&seed| held(seed)).count() as f64 / 20.0;
            assert!((93.0..97.5).contains(&held), "{sizes:?}: {held} %");
        }
    }

    #[test]
    fn few_queries_or_models_have_no_interval() {
        let of = |q, m| two_way(&crossed(3, (q, m), [1.0; 3]));
        assert!(of(4, 9).is_none() && of(9, 4).is_none() && of(5, 5).is_some() && two_way(&[]).is_none());
        // Every pair has model 0.
        let star = |_| OfQuery {
            all: (1.0, 4.0),
            models: (0..5).map(|m| (m, (1.0, if m == 0 { 4.0 } else { 1.0 }))).collect(),
        };
        assert_eq!(two_way(&(0..9).map(star).collect::<Vec<_>>()), None);
    }
}
