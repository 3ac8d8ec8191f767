//! How far a cut moves with the floor, and numbers that rest on it with the cut.

use super::super::intervals::{self, Ratio, Weights, standard_errors};
use super::super::tables::{Interval, Labels, Meanings, Sides};
use crate::base::math::exp;

/// How many standard errors of the floor a cut is moved, to either side.
const FAR: f64 = 2.0;

/// By labelling, where its cut goes with a floor that is smaller and larger by twice its standard error, `error`, and the place
/// of these two cuts after all labellings; `None` where there is nothing to move. And all these cuts, which are cosines. A
/// given cut, which is the chosen one, stays.
pub fn moving(labels: &[Labels], given: bool, error: f64) -> (Vec<Option<Sides>>, Vec<f64>) {
    let mut cuts = Vec::new();
    let one = |of: &Labels| {
        let (c, tau) = of.c.zip(of.tau).filter(|_| !(given && of.chosen))?;
        let far = FAR * (1.0 - c) * error;
        (far > 0.0).then(|| {
            let (sides, first) = ([(tau - far).max(-1.0), (tau + far).min(1.0)], labels.len() + cuts.len());
            cuts.extend(sides);
            (sides, first)
        })
    };
    (labels.iter().map(one).collect(), cuts)
}

/// What `value`, a number at some labelling, grows by with the floor at labelling `at`: `(1 - c) dV / dtau`, over the two cuts
/// that its own may move to.
pub fn slope(meanings: &Meanings, at: usize, value: impl Fn(usize) -> Option<f64>) -> f64 {
    let first = meanings.moving.get(at).copied().flatten().map_or(0, |(_, first)| first);
    over(meanings, at, |side| value(first + side)).unwrap_or(0.0)
}

/// The same at the chosen cut, of a number on either side.
pub fn slope_of_chosen(meanings: &Meanings, value: impl Fn(usize) -> Option<f64>) -> f64 {
    let chosen = meanings.labels.iter().position(|labels| labels.chosen);
    chosen.and_then(|at| over(meanings, at, value)).unwrap_or(0.0)
}

/// The interval of a number of labels in units that have one at least, such as groups, and by query at `most` so many in all of
/// them; the number grows by `slope` with the floor. It is that of the logarithm of what the number has beyond `least`: few
/// queries have most labels, and corpora that have none of these know no better.
pub fn interval(
    meanings: &Meanings,
    (terms, most): (&[(f64, f64)], &[f64]),
    slope: f64,
    (least, weights): (f64, &Weights),
) -> Option<Interval> {
    let used = terms.iter().zip(most).filter(|(term, _)| term.1 > 0.0);
    let largest = used.map(|(term, most)| most / term.1).fold(1.0, f64::max);
    let within = |low: f64, high: f64| Some(Interval { low: low.max(1.0), high: high.min(largest) });
    let Some(edge) = intervals::number(terms, most) else {
        let carried = meanings.floor.carried(terms, slope);
        let beyond: Vec<(f64, f64)> = carried.iter().map(|term| (term.0 - least * term.1, term.1)).collect();
        let limit = |of: f64| least + exp(of);
        let found = intervals::log_ratio(&beyond, Some(weights))?;
        return within(limit(found.low), limit(found.high));
    };
    let Ratio { value, queries, .. } = Ratio::new(terms.iter().copied().filter(|term| term.1 > 0.0));
    let moved = standard_errors(queries) * slope * meanings.floor.error();
    let found = edge.moved(value, moved);
    within(found.low, found.high)
}

/// `None` where the cut does not move, or by less than rounding; then it carries nothing.
fn over(meanings: &Meanings, at: usize, value: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let ([looser, tighter], _) = meanings.moving.get(at).copied().flatten()?;
    Some((1.0 - meanings.labels[at].c?) * (value(1)? - value(0)?) / (tighter - looser)).filter(|s| s.is_finite())
}
