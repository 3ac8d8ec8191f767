//! How numbers that rest on the cut move with the floor from which it is cut.

use super::super::tables::Meanings;

/// What `value` grows by with the floor, at a labelling: `(1 - c) dV / dtau`, over the cuts next to it. 0 where the cut does
/// not move, or is the only one.
pub fn slope(meanings: &Meanings, at: usize, value: impl Fn(usize) -> Option<f64>) -> f64 {
    let labels = &meanings.labels;
    let cut = |at: usize| labels.get(at).and_then(|labels| labels.tau).map(|tau| (at, tau));
    let Some((c, here)) = labels[at].c.zip(cut(at)).filter(|_| !(meanings.given && labels[at].chosen)) else {
        return 0.0;
    };
    let (looser, tighter) = (at.checked_sub(1).and_then(cut).unwrap_or(here), cut(at + 1).unwrap_or(here));
    over(c, [looser, tighter].map(|(at, tau)| Some((tau, value(at)?)))).unwrap_or(0.0)
}

/// The same of values at a looser and a tighter cut.
fn over(c: f64, values: [Option<(f64, f64)>; 2]) -> Option<f64> {
    let [(looser, below), (tighter, above)] = [values[0]?, values[1]?];
    (tighter > looser).then(|| (1.0 - c) * (above - below) / (tighter - looser))
}

/// The same at the chosen cut, of what `value` makes of the clusters next to it.
pub fn slope_of_clusters(meanings: &Meanings, value: impl Fn(usize) -> Option<f64>) -> f64 {
    let c = meanings.labels.iter().find(|labels| labels.chosen).and_then(|labels| labels.c);
    let Some(c) = c.filter(|_| meanings.beside.len() == 2) else { return 0.0 };
    over(c, [0, 1].map(|side| Some((meanings.beside[side].0, value(side)?)))).unwrap_or(0.0)
}
