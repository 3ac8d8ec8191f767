//! Which meaning each planted response has.

use super::Variation;
use super::planted::Planted;
use crate::base::random::Stream;

impl Planted {
    /// The meaning of each response, if there are any.
    pub(super) fn classes(&self) -> Option<Vec<usize>> {
        match self.variation {
            Variation::Meanings { meanings, shared } => {
                let random = Stream::new(self.seed, "synth meanings");
                let of_row = |row: usize| {
                    let own = random.uniform(row as u64, 1) >= shared;
                    let first = if own { meanings * (1 + row / self.samples % self.models) } else { 0 };
                    first + random.below(row as u64, 0, meanings as u64) as usize
                };
                Some((0..self.rows()).map(of_row).collect())
            }
            Variation::Fewer { meanings, later } => {
                let random = Stream::new(self.seed, "synth meanings");
                let of = |row: usize| if 2 * self.arrival(row) < self.models * self.samples { meanings } else { later };
                Some((0..self.rows()).map(|row| random.below(row as u64, 0, of(row) as u64) as usize).collect())
            }
            Variation::Growth { exponent, .. } => Some(self.grown(exponent)),
            Variation::People { .. } | Variation::Dropped { .. } => {
                Some((0..self.rows()).map(|row| self.mode(row)).collect())
            }
            _ => None,
        }
    }

    /// Place in its query at which a response came: the first sample of every model, then the second.
    pub(super) fn arrival(&self, row: usize) -> usize {
        row % self.samples * self.models + row / self.samples % self.models
    }

    /// Meanings by a Pitman-Yor process of discount b and concentration 0 (Pitman & Yor 1997): with K meanings among n
    /// responses the next one has a new meaning with probability b K / n, one that x of them have with (x - b) / n. The
    /// order of responses does not matter.
    fn grown(&self, exponent: f64) -> Vec<usize> {
        let random = Stream::new(self.seed, "synth growth");
        let of_query = self.models * self.samples;
        let mut by_query = Vec::with_capacity(self.queries);
        for query in 0..self.queries {
            let (mut meanings, mut counts) = (Vec::with_capacity(of_query), Vec::<usize>::new());
            for n in 0..of_query {
                let mut left = random.uniform(query as u64, n as u64) * n as f64 - exponent * counts.len() as f64;
                let mut found = 0;
                if left < 0.0 || n == 0 {
                    found = counts.len();
                    counts.push(0);
                } else {
                    left -= counts[0] as f64 - exponent;
                    while left >= 0.0 && found + 1 < counts.len() {
                        found += 1;
                        left -= counts[found] as f64 - exponent;
                    }
                }
                counts[found] += 1;
                meanings.push(found);
            }
            by_query.push(meanings);
        }
        (0..self.rows()).map(|row| by_query[row / of_query][self.arrival(row)]).collect()
    }

    /// The mode of a response where people, who are the last model, or dropped meanings are planted.
    pub(super) fn mode(&self, row: usize) -> usize {
        let (model, sample) = (row / self.samples % self.everyone(), row % self.samples);
        match self.variation {
            Variation::Dropped { dropped, design } => {
                let variant = row / self.samples % design.variants();
                let left = dropped * (design.stages() - 1 - design.changes(variant));
                let from_end = self.samples - 1 - sample;
                if from_end < 2 * left { 1 + from_end / 2 } else { 0 }
            }
            Variation::People { people, .. } if model == self.models => sample % people,
            Variation::People { modes, .. } => (sample + model) % modes,
            _ => 0,
        }
    }
}
