//! Floor 4: the driver of the pair pass. Knows neither wgpu nor Parquet.
//!
//! `pairs` orders the dispatches; `copies`, `seed`, `lists`, `thresholds` and `finish` are its steps.

mod copies;
mod finish;
mod lists;
mod pairs;
mod seed;
mod settings;
#[cfg(test)]
mod tests;
mod thresholds;

pub use pairs::pair_pass;
pub use settings::{HistogramChoice, PairSettings};
