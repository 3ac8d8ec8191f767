//! Candidate lists and the keep rule (DESIGN "Keep rule").
//!
//! L_i is the k-th largest lower bound S - B over distinct, non-self candidates; a candidate stays if and only if
//! `S + B + slack >= L_i`. Compaction drops by this rule alone, never by rank.

use crate::compute::certificate::SLACK;

/// A candidate: representative position and coarse similarity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Position of the group's representative.
    pub position: u32,
    /// Coarse similarity S.
    pub coarse: f32,
}

/// The list of one row.
#[derive(Debug, Clone)]
pub struct List {
    /// Candidates, possibly repeated until the next compaction.
    pub candidates: Vec<Candidate>,
    /// L: the k-th largest lower bound so far.
    pub lower: f64,
    /// The list grew past its capacity: the row must be redone.
    pub overflowed: bool,
    compact_at: usize,
}

/// What every list shares.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Neighbours asked for.
    pub k: usize,
    /// Candidates a list may hold after compaction.
    pub capacity: usize,
}

impl List {
    /// An empty list.
    pub fn new(rule: Rule) -> Self {
        Self { candidates: Vec::new(), lower: f64::NEG_INFINITY, overflowed: false, compact_at: 2 * rule.k + 32 }
    }

    /// Whether a candidate with upper bound `coarse + bound` must be kept.
    pub fn keeps(&self, coarse: f32, bound: f64) -> bool {
        !self.overflowed && f64::from(coarse) + bound + SLACK >= self.lower
    }

    /// Adds a candidate (not of the row's own group) that [`Self::keeps`] let through.
    pub fn push(&mut self, candidate: Candidate, rule: Rule, half_bound: f32, half_bounds: &[f32]) {
        self.candidates.push(candidate);
        if self.candidates.len() >= self.compact_at {
            self.compact(rule, half_bound, half_bounds);
        }
    }

    /// Removes repeats, raises L, drops what the keep rule drops. `half_bounds` is indexed by position.
    pub fn compact(&mut self, rule: Rule, half_bound: f32, half_bounds: &[f32]) {
        if self.overflowed {
            return;
        }
        self.candidates.sort_unstable_by(|a, b| a.position.cmp(&b.position).then(b.coarse.total_cmp(&a.coarse)));
        self.candidates.dedup_by_key(|candidate| candidate.position);
        let bound = |c: &Candidate| f64::from(half_bound) + f64::from(half_bounds[c.position as usize]);
        if self.candidates.len() >= rule.k {
            let mut lower: Vec<f64> = self.candidates.iter().map(|c| f64::from(c.coarse) - bound(c)).collect();
            let (_, kth, _) = lower.select_nth_unstable_by(rule.k - 1, |a, b| b.total_cmp(a));
            self.lower = self.lower.max(*kth);
            let least = self.lower;
            self.candidates.retain(|c| f64::from(c.coarse) + bound(c) + SLACK >= least);
        }
        if self.candidates.len() > rule.capacity {
            self.overflowed = true;
            self.candidates = Vec::new();
        } else {
            self.compact_at = (2 * self.candidates.len()).max(2 * rule.k + 32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_tile_twice_does_not_raise_l() {
        let rule = Rule { k: 2, capacity: 100 };
        let bounds = vec![0.001f32; 10];
        let mut list = List::new(rule);
        for _ in 0..3 {
            list.push(Candidate { position: 1, coarse: 0.9 }, rule, 0.001, &bounds);
        }
        list.push(Candidate { position: 2, coarse: 0.5 }, rule, 0.001, &bounds);
        list.compact(rule, 0.001, &bounds);
        assert_eq!(list.candidates.len(), 2, "repeats are one candidate");
        assert!((list.lower - (0.5 - 0.002)).abs() < 1e-6, "L is the second distinct one, not a repeat of the first");
        assert!(list.keeps(0.4999, 0.002) && !list.keeps(0.49, 0.002));
    }

    #[test]
    fn ties_within_the_bound_are_never_dropped_by_rank() {
        let rule = Rule { k: 1, capacity: 100 };
        let bounds = vec![0.001f32; 64];
        let mut list = List::new(rule);
        for position in 0..64 {
            list.push(Candidate { position, coarse: 0.7 + position as f32 * 1e-5 }, rule, 0.001, &bounds);
        }
        list.compact(rule, 0.001, &bounds);
        assert_eq!(list.candidates.len(), 64);
        let mut small = List::new(Rule { k: 1, capacity: 63 });
        for position in 0..64 {
            small.push(Candidate { position, coarse: 0.7 }, Rule { k: 1, capacity: 63 }, 0.001, &bounds);
        }
        small.compact(Rule { k: 1, capacity: 63 }, 0.001, &bounds);
        assert!(small.overflowed);
    }
}
