//! How far a cut moves with the floor, and numbers that rest on it with the cut.

use super::super::tables::{Labels, Meanings};

/// How many standard errors of the floor a cut is moved, to either side.
const FAR: f64 = 2.0;

/// By labelling, where its cut goes with a floor that is smaller and larger by twice its standard error, `error`; `None` where
/// there is nothing to move. Cuts are cosines. A given cut, which is the chosen one, stays.
pub fn moving(labels: &[Labels], given: bool, error: f64) -> Vec<Option<[f64; 2]>> {
    let one = |labels: &Labels| {
        let (c, tau) = labels.c.zip(labels.tau).filter(|_| !(given && labels.chosen))?;
        let far = FAR * (1.0 - c) * error;
        (far > 0.0).then(|| [(tau - far).max(-1.0), (tau + far).min(1.0)])
    };
    labels.iter().map(one).collect()
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

/// `None` where the cut does not move; then nothing is asked of either side.
fn over(meanings: &Meanings, at: usize, value: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let ([looser, tighter], _) = meanings.moving.get(at).copied().flatten()?;
    Some((1.0 - meanings.labels[at].c?) * (value(1)? - value(0)?) / (tighter - looser))
}
