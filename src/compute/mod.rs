//! Floor 2: tiles, the certificate and the backends.
//!
//! A *backend* multiplies blocks of unit rows and reports survivors and histogram counts; it decides nothing. The
//! [`certificate`] says how far a coarse similarity can be from the true one. What the pair pass found is an
//! [`outcome::PairOutcome`]. Not here: the order of blocks, lists and what is computed again (`run`), measures, Parquet.

pub mod certificate;
pub mod cpu;
pub mod gpu;
pub mod outcome;
pub mod tile;

pub use outcome::PairOutcome;
pub use tile::{Backend, BackendInfo, Block, Dispatch, HistogramMode, Job, Side, Stream, Survivor};
