//! Numbers that are no sums over queries: what each query, or team, contributes is what the number loses when it is left out
//! (the jackknife), and intervals resample these contributions.
//!
//! Means over pairs of different queries are such numbers. Some of them are 0 but for noise where models are alike: only pairs
//! vary then ([`super::u_statistic`]).

use super::intervals::{self, Noise, Weights};
use super::tables::Interval;

/// A number and what each query or team contributes to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Place of the unit (a query, a team) and contribution, by place; they add up to 0. Without contributions where nothing
    /// is left without some unit.
    contributions: Vec<(usize, Option<f64>)>,
    /// If the number is 0 but for noise, or may be, how it varies then.
    pub noise: Option<Noise>,
}

impl Estimate {
    /// From the number, and by unit what it is without that one; `None` where nothing is left.
    pub fn new(value: f64, without: Vec<(usize, Option<f64>)>) -> Self {
        let n = without.len() as f64;
        let mean = without.iter().map(|one| one.1).sum::<Option<f64>>().map(|sum| sum / n);
        let contribution = |without: Option<f64>| Some((n - 1.0) / n * (mean? - without?));
        let contributions = without.into_iter().map(|(unit, one)| (unit, contribution(one))).collect();
        Self { value, contributions, noise: None }
    }

    /// `self - other`.
    pub fn minus(&self, other: &Self) -> Self {
        let mut all: Vec<(usize, Option<f64>)> = self.contributions.clone();
        all.extend(other.contributions.iter().map(|&(unit, value)| (unit, value.map(|value| -value))));
        all.sort_by_key(|one| one.0);
        let sum = |same: &[(usize, Option<f64>)]| (same[0].0, same.iter().map(|one| one.1).sum());
        let contributions = all.chunk_by(|a, b| a.0 == b.0).map(sum).collect();
        Self { value: self.value - other.value, contributions, noise: None }
    }

    /// Interval over `units` units.
    pub fn interval(&self, units: usize, weights: Option<&Weights>) -> Option<Interval> {
        let mut terms = vec![None; units];
        let n = self.contributions.len() as f64;
        for &(unit, contribution) in &self.contributions {
            terms[unit] = Some((self.value + n * contribution?, 1.0));
        }
        let plain = intervals::quotient(&terms, weights)?;
        let Some(noise) = self.noise else { return Some(plain) };
        let ratio = intervals::Ratio::new(terms.into_iter().flatten());
        Some(intervals::score(plain, (self.value, ratio.error), noise))
    }

    /// Number of units that have a part in it.
    pub fn units(&self) -> usize {
        self.contributions.len()
    }

    /// Place of the unit and contribution.
    #[cfg(test)]
    pub fn contributions(&self) -> &[(usize, Option<f64>)] {
        &self.contributions
    }
}
