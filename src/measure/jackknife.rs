//! Numbers that are no sums over queries: what each query, or team, contributes is what the number loses when it is left out
//! (the jackknife), and intervals resample these contributions.
//!
//! Means over pairs of different queries are such numbers. Where only pairs vary and no query by itself has an effect, the
//! intervals are on the wide side.

use super::intervals::{self, Weights};
use super::tables::Interval;

/// A number and what each query or team contributes to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Place of the unit (a query, a team) and contribution, by place; they add up to 0.
    contributions: Vec<(usize, f64)>,
}

impl Estimate {
    /// From the number, and by unit what it is without that one; `None` where nothing is left.
    pub fn new(value: f64, without: Vec<(usize, Option<f64>)>) -> Self {
        let without: Option<Vec<(usize, f64)>> =
            without.into_iter().map(|(unit, value)| value.map(|value| (unit, value))).collect();
        let Some(without) = without else { return Self { value, contributions: Vec::new() } };
        let n = without.len() as f64;
        let mean = without.iter().map(|one| one.1).sum::<f64>() / n;
        let share = (n - 1.0) / n;
        Self { value, contributions: without.into_iter().map(|(q, v)| (q, share * (mean - v))).collect() }
    }

    /// `self - other`.
    pub fn minus(&self, other: &Self) -> Self {
        let mut all: Vec<(usize, f64)> = self.contributions.clone();
        all.extend(other.contributions.iter().map(|&(unit, value)| (unit, -value)));
        all.sort_by_key(|one| one.0);
        let sum = |same: &[(usize, f64)]| (same[0].0, same.iter().map(|one| one.1).sum());
        let known = !self.contributions.is_empty() && !other.contributions.is_empty();
        let contributions = if known { all.chunk_by(|a, b| a.0 == b.0).map(sum).collect() } else { Vec::new() };
        Self { value: self.value - other.value, contributions }
    }

    /// Interval over `units` units.
    pub fn interval(&self, units: usize, weights: Option<&Weights>) -> Option<Interval> {
        let mut terms = vec![None; units];
        let n = self.contributions.len() as f64;
        self.contributions.iter().for_each(|&(q, c)| terms[q] = Some((self.value + n * c, 1.0)));
        intervals::quotient(&terms, weights)
    }

    /// Number of units that contribute.
    pub fn units(&self) -> usize {
        self.contributions.len()
    }

    /// Place of the unit and contribution.
    #[cfg(test)]
    pub fn contributions(&self) -> &[(usize, f64)] {
        &self.contributions
    }
}
