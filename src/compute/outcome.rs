//! What the pair pass found. Ids are rows (file order), not positions.

use memmap2::Mmap;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

/// Number of histogram bins: edges (i - 100) / 100, the last bin closed.
pub const BINS: usize = 200;

/// Lower edge of a bin; `bin_edge(200)` is 1.
pub fn bin_edge(bin: usize) -> f64 {
    (bin as f64 - 100.0) / 100.0
}

/// The bin of a similarity: low <= s < high, the last one closed; what rounding put past an end counts there.
pub fn bin_of(similarity: f32) -> usize {
    let s = f64::from(similarity);
    let mut bin = ((s + 1.0) * 100.0).floor().clamp(0.0, (BINS - 1) as f64) as usize;
    while bin > 0 && s < bin_edge(bin) {
        bin -= 1;
    }
    while bin + 1 < BINS && s >= bin_edge(bin + 1) {
        bin += 1;
    }
    bin
}

/// How the two rows of a pair are related; the index into a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Same query, same model.
    SameQuerySameModel = 0,
    /// Same query, other model.
    SameQueryOtherModel = 1,
    /// Other query, same model.
    OtherQuerySameModel = 2,
    /// Other query, other model.
    OtherQueryOtherModel = 3,
}

impl Relation {
    /// All four, in table order.
    pub const ALL: [Self; 4] =
        [Self::SameQuerySameModel, Self::SameQueryOtherModel, Self::OtherQuerySameModel, Self::OtherQueryOtherModel];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::SameQuerySameModel => "same_query_same_model",
            Self::SameQueryOtherModel => "same_query_other_model",
            Self::OtherQuerySameModel => "other_query_same_model",
            Self::OtherQueryOtherModel => "other_query_other_model",
        }
    }
}

/// Pairs by relation and bin.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// `counts[relation as usize][bin]`, every unordered pair once.
    pub counts: Box<[[u64; BINS]; 4]>,
    /// Whether every pair stands in its true bin.
    pub exact: bool,
    /// If not exact: how far a counted similarity can be from the true one.
    pub bound: f64,
}

/// The rows nearest to one row, ties and all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Nearest {
    /// Similarity of the nearest other row.
    pub similarity: f32,
    /// How many other rows have exactly that similarity (0 when N = 1).
    pub ties: u64,
    /// How many of them are of another model.
    pub ties_other_model: u64,
    /// How many of them are of another query.
    pub ties_other_query: u64,
}

/// One line of edges.parquet; `src < dst`.
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Edge {
    /// Lower row.
    pub src: u32,
    /// Higher row.
    pub dst: u32,
    /// Similarity.
    pub similarity: f32,
}

/// Every pair at or above a threshold: sorted runs, in memory or in a mapped scratch file, merged as they are read.
#[derive(Debug, Clone, Default)]
pub struct Edges {
    file: Option<Arc<Mmap>>,
    /// Edges up to the end of each run in the file.
    ends: Vec<usize>,
    /// The last run.
    memory: Vec<Edge>,
}

impl Edges {
    /// From edges sorted by (src, dst).
    pub fn from_sorted(edges: Vec<Edge>) -> Self {
        Self { memory: edges, ..Self::default() }
    }

    /// From runs that are each sorted by (src, dst): those in `file` end at `ends` (in edges), one more is in memory.
    pub fn from_runs(file: Mmap, ends: Vec<usize>, memory: Vec<Edge>) -> Self {
        Self { file: Some(Arc::new(file)), ends, memory }
    }

    /// Number of edges.
    pub fn len(&self) -> usize {
        self.ends.last().unwrap_or(&0) + self.memory.len()
    }

    /// Whether there is no edge.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All edges by (src, dst).
    pub fn iter(&self) -> impl Iterator<Item = Edge> {
        let file: &[Edge] = self.file.as_ref().map_or(&[], |map| bytemuck::cast_slice(map));
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let mut runs: Vec<&[Edge]> = starts.zip(&self.ends).map(|(start, &end)| &file[start..end]).collect();
        runs.push(&self.memory);
        let key = |edge: &Edge, run: usize| Reverse((edge.src, edge.dst, run));
        let mut heads: BinaryHeap<Reverse<(u32, u32, usize)>> =
            runs.iter().enumerate().filter_map(|(at, run)| Some(key(run.first()?, at))).collect();
        std::iter::from_fn(move || {
            let mut head = heads.peek_mut()?;
            let run = &mut runs[head.0.2];
            let (first, rest) = run.split_first()?;
            *run = rest;
            match rest.first() {
                Some(next) => *head = key(next, head.0.2),
                None => drop(PeekMut::pop(head)),
            }
            Some(*first)
        })
    }
}

/// The exact neighbour graph: up to k neighbours a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbors {
    /// `starts[row]..starts[row + 1]` are the neighbours of `row`; length N + 1.
    pub starts: Vec<u64>,
    /// Neighbour rows, similarity descending then row ascending.
    pub dst: Vec<u32>,
    /// Their similarities.
    pub similarity: Vec<f32>,
}

/// Near duplicates: pairs at or above the threshold and their connected components.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NearDuplicates {
    /// Threshold.
    pub threshold: f64,
    /// Pairs at or above it.
    pub pairs: u64,
    /// For each row the lowest row of its component (itself if alone).
    pub component: Vec<u32>,
}

/// How the pass went, for manifest.json.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PairStats {
    /// Unordered pairs computed by tiles.
    pub pairs: u64,
    /// Survivors that reached the host.
    pub survivors: u64,
    /// Dispatches that had to be repeated because the stream was full.
    pub repeated: u64,
    /// Faults of the device (lost, out of memory) after which the pass went on with smaller blocks.
    pub device_faults: u64,
    /// Pairs that a product of quantised rows let through and f32 looked at again.
    pub refined: u64,
    /// Pairs whose true similarity was computed in f64.
    pub rescored: u64,
    /// Candidates that the lists held at the end, together: the mean of a list is that over rows less copies.
    pub listed: u64,
    /// The longest list at the end.
    pub longest_list: u64,
    /// Rows whose list overflowed and that were redone.
    pub rows_redone: u64,
    /// Pairs near a bin edge settled in f64.
    pub settled: u64,
    /// Rows that are exact copies of an earlier row.
    pub copies: u64,
    /// Largest half bound b of the certificate: |true - coarse| <= b_i + b_j.
    pub half_bound_max: f64,
    /// Wall-clock seconds by phase; `rescore` is part of `merge`, and `device` what a GPU computed by its own clock, beside
    /// the host.
    pub seconds: std::collections::BTreeMap<String, f64>,
}

/// Everything the pair pass found.
#[derive(Debug, Clone)]
pub struct PairOutcome {
    /// Neighbours asked for.
    pub k: usize,
    /// The neighbour graph.
    pub neighbors: Neighbors,
    /// The nearest rows of each row, ties counted.
    pub nearest: Vec<Nearest>,
    /// Near duplicates.
    pub duplicates: NearDuplicates,
    /// The four-way histogram, unless switched off.
    pub histogram: Option<Histogram>,
    /// Every pair at or above `--threshold`, sorted by (src, dst), if asked for.
    pub edges: Option<Edges>,
    /// How the pass went.
    pub stats: PairStats,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_half_open_on_the_f64_edges() {
        assert_eq!(bin_of(-1.0), 0);
        assert_eq!(bin_of(1.0), 199);
        assert_eq!(bin_of(0.0), 100);
        assert_eq!(bin_of(-1e-9), 99);
        for bin in 0..BINS {
            let mut s = bin_edge(bin) as f32;
            if f64::from(s) < bin_edge(bin) {
                s = s.next_up();
            }
            assert_eq!(bin_of(s), bin, "first f32 at or above edge {bin}");
        }
    }
}
