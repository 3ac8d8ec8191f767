//! What changes the result or the memory of a pair pass.

use std::path::PathBuf;

/// `--histogram`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistogramChoice {
    /// Exact up to 1e9 pairs, coarse beyond.
    #[default]
    Auto,
    /// Every pair in its true bin.
    Exact,
    /// By coarse similarity.
    Coarse,
    /// No histogram.
    Off,
}

/// What changes the result or the memory of a pair pass.
#[derive(Debug, Clone)]
pub struct PairSettings {
    /// Neighbours a row; far fewer than 30,000, since lists count their slots in 16 bits.
    pub k: usize,
    /// `--threshold`: every pair at or above it goes to edges.
    pub threshold: Option<f64>,
    /// `--max-edges`.
    pub max_edges: u64,
    /// `--near-duplicate`.
    pub near_duplicate: f64,
    /// `--histogram`.
    pub histogram: HistogramChoice,
    /// Bytes of anonymous memory that the pass may hold: decides the sizes below that are `None`.
    pub memory: u64,
    /// Bytes that the process holds beside the pass; only for the message that names the least `--memory`.
    pub held: u64,
    /// Directory for scratch files, which have no name there.
    pub scratch: PathBuf,
    /// Rows of a block.
    pub block_rows: Option<usize>,
    /// Survivors a dispatch may append.
    pub stream_capacity: Option<usize>,
    /// Candidates a row's list may hold after compaction, beyond which the row is redone; `None`: 8 k + 256.
    pub list_capacity: Option<usize>,
    /// Seed of the edge estimate.
    pub seed: u64,
}

impl Default for PairSettings {
    fn default() -> Self {
        Self {
            k: 10,
            threshold: None,
            max_edges: 1_000_000_000,
            near_duplicate: 0.99,
            histogram: HistogramChoice::Auto,
            memory: u64::MAX,
            held: 0,
            scratch: std::env::temp_dir(),
            block_rows: None,
            stream_capacity: None,
            list_capacity: None,
            seed: 0,
        }
    }
}
