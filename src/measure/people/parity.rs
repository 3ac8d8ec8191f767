//! How alike models' responses to one query are: one model's, and different models'.

use super::sides::AnsweredBy;

/// Mean cosines of some models' responses to one query.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cosines {
    /// Mean over models with 2 and more responses of the mean over their pairs.
    pub individual: Option<f64>,
    /// Mean over pairs of different models of the mean over their pairs: what two responses of two models drawn at
    /// random are expected to have.
    pub population: Option<f64>,
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |t, value| (t.0 + value, t.1 + 1.0));
    (count > 0.0).then(|| sum / count)
}

impl Cosines {
    /// Of some cells.
    pub fn new(answered: &AnsweredBy, cells: &[usize]) -> Self {
        let model = |cell: usize| answered.cells[cell].by.1;
        let pairs = cells.iter().enumerate().flat_map(|(at, &a)| cells[at + 1..].iter().map(move |&b| (a, b)));
        Self {
            individual: mean(cells.iter().filter_map(|&cell| answered.within(cell))),
            population: mean(pairs.filter(|&(a, b)| model(a) != model(b)).map(|(a, b)| answered.across(a, b))),
        }
    }
}
