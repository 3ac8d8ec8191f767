//! What the headlines rest on: the measures of each query, of some of the models.

use super::effective::Effects;
use super::ensemble::{self, Gain};
use super::meanings::OfQuery;
use super::nearest::Share;
use super::vendi::Vendi;

/// Measures of each query, of the models that `keep` has.
#[derive(Debug, Clone)]
pub struct View {
    /// By model.
    pub keep: Vec<bool>,
    /// Effective numbers and squared similarities.
    pub effects: Effects,
    /// Nearest share by query; `None` throughout where no cell has n >= 2.
    pub shares: Vec<Option<Share>>,
    /// Mean squared similarity of unrelated pairs.
    pub unrelated: Option<f64>,
    /// Distinct meanings by labelling and query.
    pub meanings: Vec<Vec<OfQuery>>,
}

impl View {
    /// Ensemble gain of a query.
    pub fn gain(&self, query: usize) -> Option<Gain> {
        ensemble::gain(&self.effects.queries[query].squares, self.unrelated)
    }

    /// Effective numbers of a query, if it has responses and they could be computed.
    pub fn vendi(&self, query: usize) -> Option<Vendi> {
        let one = &self.effects.queries[query];
        (one.squares.cells > 0 && one.vendi.one.is_finite()).then_some(one.vendi)
    }
}
