//! Ensemble gain of order 2: what M models' answers are worth beside one model's, and beside unrelated answers.

use super::cells::{by_model, for_each_block};
use super::effective::{self, Effects};
use super::moves::{Moves, Squares};
use super::products::Triangle;
use super::sums::Sums;
use crate::base::events::Stage;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;

/// Gain and unrelated gain of one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// G.
    pub gain: f64,
    /// G with each model's responses from a different query.
    pub unrelated: Option<f64>,
}

/// Mean squared similarity of pairs of different query and different model among the kept models, in closed form from
/// second moments, for each `(keep, effects of keep)`; the second moment, the sum of e e^T, of the first view, which has all
/// models; and how its mean moves with each query, where some cell is `repeated`: else no gain rests on it. One matrix a view
/// and one more are held.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn unrelated_squares(
    corpus: &Corpus,
    sums: &Sums,
    (views, repeated): (&[(&[bool], &Effects)], bool),
    observer: &dyn Observer,
) -> Result<(Vec<Option<f64>>, Option<Triangle>, Moves)> {
    let dim = corpus.dim();
    let mut all: Vec<Triangle> = views.iter().map(|_| Triangle::zeros(dim)).collect();
    let mut of_models = vec![0.0; views.len()];
    let mut own = Triangle::zeros(dim);
    let mut squares = repeated.then(|| Squares::new(corpus, sums));
    let stage = Stage::start(observer, "measures: unrelated answers", "models", sums.models as u64);
    for (model, positions) in by_model(corpus).iter().enumerate() {
        observer.check_stop()?;
        stage.advance(model as u64);
        own.clear();
        for_each_block(corpus, positions, |columns, rows| own.add_gram_parallel(columns, rows));
        let square = own.frobenius2();
        squares.iter_mut().for_each(|squares| squares.less(model, &own));
        for ((all, of_models), _) in all.iter_mut().zip(&mut of_models).zip(views).filter(|(_, view)| view.0[model]) {
            *of_models += square;
            all.add_scaled(&own, 1.0);
        }
    }
    stage.finish();
    let one = |(view, (keep, effects)): (usize, &(&[bool], &Effects))| {
        let kept: Vec<usize> = (0..sums.models).filter(|&m| keep[m]).collect();
        let (in_cells, in_queries) = effects.same_squares;
        let n: f64 = kept.iter().map(|&m| sums.counts[m]).sum();
        let cells: f64 = kept.iter().map(|&m| sums.same_counts.at(m, m)).sum();
        let queries: f64 = kept.iter().flat_map(|&a| kept.iter().map(move |&b| sums.same_counts.at(a, b))).sum();
        let models: f64 = kept.iter().map(|&m| sums.counts[m] * sums.counts[m]).sum();
        let pairs = n * n - queries - models + cells;
        let sum = all[view].frobenius2() - in_queries - of_models[view] + in_cells;
        (pairs > 0.5).then(|| (sum / pairs).clamp(0.0, 1.0))
    };
    let unrelated = views.iter().enumerate().map(one).collect();
    let moves = match (squares, all.first(), views.first()) {
        (Some(squares), Some(moment), Some((_, effects))) => squares.moves(moment, effects),
        _ => Moves::default(),
    };
    Ok((unrelated, all.into_iter().next(), moves))
}

/// Gain of one query; `None` with fewer than 2 models or an equal n under 4.
pub fn gain(query: &effective::Squares, unrelated: Option<f64>) -> Option<Gain> {
    let (used, n) = effective::Squares::draw(query.cells, query.least)?;
    let (used, n) = (used as f64, n as f64);
    let (a, b, single) = (query.within?, query.across?, query.single?);
    let s = n / used;
    let pool = |b: f64| n * n / (n + used * s * (s - 1.0) * a + used * (used - 1.0) * s * s * b);
    Some(Gain { gain: pool(b) / single, unrelated: unrelated.map(|b| pool(b) / single) })
}

/// One sample a cell: (worth of the M models' answers, worth of M unrelated answers).
pub fn worth(query: &effective::Squares, unrelated: Option<f64>) -> Option<(f64, Option<f64>)> {
    let m = query.cells as f64;
    let value = |b: f64| m * m / (m + m * (m - 1.0) * b);
    let across = query.across?;
    Some((value(across), unrelated.map(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_models_of_copies_that_are_orthogonal_double_the_worth() {
        let query = effective::Squares { cells: 2, least: 4, within: Some(1.0), across: Some(0.0), single: Some(1.0) };
        let gain = gain(&query, Some(0.25)).unwrap();
        assert!((gain.gain - 2.0).abs() < 1e-12);
        // n = 4, s = 2: 16 / (4 + 2*2*1 + 2*4*.25) = 1.6, singles 1
        assert!((gain.unrelated.unwrap() - 1.6).abs() < 1e-12);
    }
}
