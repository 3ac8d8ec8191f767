//! Pairs at or above a threshold: near-duplicate components and edges.

use super::edges::EdgeRuns;
use super::settings::PairSettings;
use crate::base::random::Stream;
use crate::base::similarity::Similarity;
use crate::base::units::{show_bytes, show_count};
use crate::base::{Error, Result};
use crate::compute::outcome::{Edge, Edges, NearDuplicates};
use crate::corpus::Corpus;

/// Pairs drawn for the estimate of `--threshold`.
const DRAWS: u64 = 100_000;

/// Bytes of an edge on disk at most: once in the scratch file, once in edges.parquet.
const EDGE_ON_DISK: u64 = 2 * size_of::<Edge>() as u64;

/// Union-find over rows; the root of a component is its lowest row.
#[derive(Debug)]
pub struct Thresholds {
    near_duplicate: f64,
    threshold: Option<f64>,
    parent: Vec<u32>,
    pairs: u64,
    edges: EdgeRuns,
    edge_count: u64,
    max_edges: u64,
}

impl Thresholds {
    /// Nothing found yet among `rows` rows; at most `edges` edges are held in memory.
    pub fn new(rows: usize, edges: usize, settings: &PairSettings) -> Self {
        Self {
            near_duplicate: settings.near_duplicate,
            threshold: settings.threshold,
            parent: (0..rows as u32).collect(),
            pairs: 0,
            edges: EdgeRuns::new(edges, &settings.scratch),
            edge_count: 0,
            max_edges: settings.max_edges,
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
    ///
    /// # Errors
    /// [`Error::Io`] if edges can't be spilled, [`Error::Usage`] if there are more than `max_edges`: the estimate before
    /// the pass is of a sample.
    pub fn add(&mut self, a: u32, b: u32, similarity: f32) -> Result<()> {
        if f64::from(similarity) >= self.near_duplicate {
            self.pairs += 1;
            let (a, b) = (self.root(a), self.root(b));
            self.parent[a.max(b) as usize] = a.min(b);
        }
        if let Some(threshold) = self.threshold.filter(|&threshold| f64::from(similarity) >= threshold) {
            self.edge_count += 1;
            if self.edge_count > self.max_edges {
                return Err(Error::Usage(format!(
                    "--threshold {threshold} gives more than --max-edges {} edges, against the estimate; raise one of them",
                    self.max_edges
                )));
            }
            self.edges.push(Edge { src: a.min(b), dst: a.max(b), similarity })?;
        }
        Ok(())
    }

    /// Components and sorted edges.
    ///
    /// # Errors
    /// [`Error::Io`] if the spilled edges can't be mapped.
    pub fn finish(mut self) -> Result<(NearDuplicates, Option<Edges>)> {
        // A root is never above its row, so by the time a row comes, its parent's entry is a root already.
        for row in 0..self.parent.len() {
            self.parent[row] = self.parent[self.parent[row] as usize];
        }
        let edges = self.edges.finish()?;
        let duplicates = NearDuplicates { threshold: self.near_duplicate, pairs: self.pairs, component: self.parent };
        Ok((duplicates, self.threshold.map(|_| edges)))
    }
}

/// Estimates how many pairs `--threshold` would give, and refuses more than `--max-edges` or than the disk has room for.
///
/// # Errors
/// [`Error::Usage`] with the estimate and a threshold that fits; [`Error::Io`] if the scratch directory can't be asked.
pub fn check_edge_count(corpus: &Corpus, settings: &PairSettings) -> Result<()> {
    if settings.threshold.is_none() {
        return Ok(());
    }
    let free = fs4::available_space(&settings.scratch).map_err(|e| Error::io(&settings.scratch, e))?;
    check_against(corpus, settings, free)
}

/// [`check_edge_count`] where the disk has `free` bytes.
fn check_against(corpus: &Corpus, settings: &PairSettings, free: u64) -> Result<()> {
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
    let on_disk = free / EDGE_ON_DISK;
    let most = settings.max_edges.min(on_disk);
    if estimate <= most as f64 {
        return Ok(());
    }
    drawn.sort_unstable_by(|a, b| b.total_cmp(a));
    let place = (most as f64 / pairs * DRAWS as f64 * 0.9) as usize;
    let fits = f64::from(drawn[place.min(drawn.len() - 1)]);
    let limit = if on_disk < settings.max_edges {
        format!("{} have room for in {}", show_bytes(free), settings.scratch.display())
    } else {
        format!("--max-edges {}", show_count(settings.max_edges))
    };
    Err(Error::Usage(format!(
        "--threshold {threshold} would give about {estimate:.2e} edges, more than {limit}; --threshold {:.3} would fit",
        (fits * 1000.0).ceil() / 1000.0
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_named_by_their_lowest_row() {
        let settings = PairSettings { threshold: Some(0.5), near_duplicate: 0.9, ..PairSettings::default() };
        let mut thresholds = Thresholds::new(6, 100, &settings);
        thresholds.add(4, 2, 0.95).unwrap();
        thresholds.add(5, 4, 0.91).unwrap();
        thresholds.add(0, 1, 0.6).unwrap();
        let (duplicates, edges) = thresholds.finish().unwrap();
        assert_eq!(duplicates.component, [0, 1, 2, 3, 2, 2]);
        assert_eq!(duplicates.pairs, 2);
        let edges = edges.expect("a threshold was given");
        assert_eq!(edges.iter().map(|e| (e.src, e.dst)).collect::<Vec<_>>(), [(0, 1), (2, 4), (4, 5)]);
    }
    #[test]
    fn edges_that_the_disk_has_no_room_for_are_refused() {
        let corpus = crate::run::tests::corpus_of(&crate::run::tests::random(200, 8, 4));
        let settings = PairSettings { threshold: Some(-1.0), ..PairSettings::default() };
        check_against(&corpus, &settings, 20_000 * EDGE_ON_DISK).expect("room for 19,900 edges");
        let error = check_against(&corpus, &settings, 1000 * EDGE_ON_DISK).expect_err("room for 1,000 edges");
        assert_eq!(error.exit_code(), 2);
        let message = error.to_string();
        assert!(message.contains("23.4 KiB") && message.contains("would fit"), "{message}");
        let fits: f64 =
            message.split("--threshold ").nth(2).and_then(|t| t.split(' ').next()).unwrap().parse().unwrap();
        let settings = PairSettings { threshold: Some(fits), ..settings };
        check_against(&corpus, &settings, 1000 * EDGE_ON_DISK).expect("the threshold that was named fits");
    }

    #[test]
    fn more_edges_than_allowed_end_the_pass() {
        let settings = PairSettings { threshold: Some(0.5), max_edges: 2, ..PairSettings::default() };
        let mut thresholds = Thresholds::new(6, 100, &settings);
        for (b, similarity) in [(1, 0.6), (2, 0.4), (3, 0.5)] {
            thresholds.add(0, b, similarity).expect("two edges");
        }
        let error = thresholds.add(0, 4, 0.7).expect_err("a third edge");
        assert!(error.exit_code() == 2 && error.to_string().contains("--max-edges 2"), "{error}");
    }
}
