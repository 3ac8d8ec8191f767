//! Pairs at or above a threshold: near-duplicate components and edges.

use super::settings::PairSettings;
use crate::base::random::Stream;
use crate::base::similarity::Similarity;
use crate::base::{Error, Result};
use crate::compute::outcome::{Edge, NearDuplicates};
use crate::corpus::Corpus;

/// Pairs drawn for the estimate of `--threshold`.
const DRAWS: u64 = 100_000;

/// Union-find over rows; the root of a component is its lowest row.
#[derive(Debug)]
pub struct Thresholds {
    near_duplicate: f64,
    threshold: Option<f64>,
    parent: Vec<u32>,
    pairs: u64,
    edges: Vec<Edge>,
}

impl Thresholds {
    /// Nothing found yet among `rows` rows.
    pub fn new(rows: usize, settings: &PairSettings) -> Self {
        Self {
            near_duplicate: settings.near_duplicate,
            threshold: settings.threshold,
            parent: (0..rows as u32).collect(),
            pairs: 0,
            edges: Vec::new(),
        }
    }

    /// The lowest similarity that matters here.
    pub fn least(&self) -> f64 {
        self.threshold.map_or(self.near_duplicate, |threshold| threshold.min(self.near_duplicate))
    }

    fn root(&mut self, mut row: u32) -> u32 {
        while self.parent[row as usize] != row {
            let above = self.parent[self.parent[row as usize] as usize];
            self.parent[row as usize] = above;
            row = above;
        }
        row
    }

    /// Takes a pair of rows with its true similarity. Each unordered pair comes once.
    pub fn add(&mut self, a: u32, b: u32, similarity: f32) {
        if f64::from(similarity) >= self.near_duplicate {
            self.pairs += 1;
            let (a, b) = (self.root(a), self.root(b));
            self.parent[a.max(b) as usize] = a.min(b);
        }
        if self.threshold.is_some_and(|threshold| f64::from(similarity) >= threshold) {
            self.edges.push(Edge { src: a.min(b), dst: a.max(b), similarity });
        }
    }

    /// Components and sorted edges.
    pub fn finish(mut self) -> (NearDuplicates, Option<Vec<Edge>>) {
        let component = (0..self.parent.len() as u32).map(|row| self.root(row)).collect();
        self.edges.sort_unstable_by_key(|edge| (edge.src, edge.dst));
        let edges = self.threshold.map(|_| std::mem::take(&mut self.edges));
        (NearDuplicates { threshold: self.near_duplicate, pairs: self.pairs, component }, edges)
    }
}

/// Estimates how many pairs `--threshold` would give, and refuses more than `--max-edges`.
///
/// # Errors
/// [`Error::Usage`] with the estimate and a threshold that fits.
pub fn check_edge_count(corpus: &Corpus, settings: &PairSettings) -> Result<()> {
    let (Some(threshold), n) = (settings.threshold, corpus.len() as u64) else { return Ok(()) };
    if n < 2 {
        return Ok(());
    }
    let pairs = n as f64 * (n - 1) as f64 / 2.0;
    let stream = Stream::new(settings.seed, "edge estimate");
    let similarity = Similarity::new();
    let mut drawn: Vec<f32> = (0..DRAWS)
        .map(|draw| {
            let a = stream.below(draw, 0, n);
            let b = (a + 1 + stream.below(draw, 1, n - 1)) % n;
            corpus.embeddings.similarity(&similarity, a as usize, b as usize)
        })
        .collect();
    let above = drawn.iter().filter(|&&s| f64::from(s) >= threshold).count();
    let estimate = above as f64 / DRAWS as f64 * pairs;
    if estimate <= settings.max_edges as f64 {
        return Ok(());
    }
    drawn.sort_unstable_by(|a, b| b.total_cmp(a));
    let place = (settings.max_edges as f64 / pairs * DRAWS as f64 * 0.9) as usize;
    let fits = f64::from(drawn[place.min(drawn.len() - 1)]);
    Err(Error::Usage(format!(
        "--threshold {threshold} would give about {estimate:.2e} edges, more than --max-edges {}; --threshold {:.3} would fit",
        settings.max_edges,
        (fits * 1000.0).ceil() / 1000.0
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_named_by_their_lowest_row() {
        let settings = PairSettings { threshold: Some(0.5), near_duplicate: 0.9, ..PairSettings::default() };
        let mut thresholds = Thresholds::new(6, &settings);
        thresholds.add(4, 2, 0.95);
        thresholds.add(5, 4, 0.91);
        thresholds.add(0, 1, 0.6);
        let (duplicates, edges) = thresholds.finish();
        assert_eq!(duplicates.component, [0, 1, 2, 3, 2, 2]);
        assert_eq!(duplicates.pairs, 2);
        let edges = edges.expect("a threshold was given");
        assert_eq!(edges.iter().map(|e| (e.src, e.dst)).collect::<Vec<_>>(), [(0, 1), (2, 4), (4, 5)]);
    }
}
