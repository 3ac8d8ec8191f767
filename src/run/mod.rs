//! Floor 4: the driver of the pair pass. Knows neither wgpu nor Parquet.
//!
//! `pairs` orders the dispatches; `copies`, `seed`, `lists`, `thresholds`, `finish` and `redo` are its steps; `budget`
//! says how much memory each part of it takes.

mod budget;
mod buffer;
mod copies;
mod edges;
mod finish;
mod lists;
mod pairs;
mod ranking;
mod redo;
mod seed;
mod settings;
#[cfg(test)]
mod tests;
mod thresholds;

pub use pairs::{is_exact, pair_pass};
pub use settings::{HistogramChoice, PairSettings};
