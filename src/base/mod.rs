//! Floor 0: what every other module may use and what knows no other module.
//!
//! Here: errors and exit codes, byte units, events, counter-based random numbers, the one similarity, elementary
//! functions that give the same bits on every machine. Not here: anything that knows a corpus, a file or a device.

pub mod error;
pub mod events;
pub mod math;
pub mod random;
pub mod simd;
pub mod similarity;
pub mod units;

pub use error::{Error, Place, Result};
pub use events::{Event, Observer, Silent};
