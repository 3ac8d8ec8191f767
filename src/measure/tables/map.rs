//! The response map.

use serde::{Deserialize, Serialize};

/// One line of map.parquet: a response on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapRow {
    /// Row.
    pub row: u32,
    /// Coordinate along the first principal component of all unit vectors, 0 at their mean.
    pub x: f64,
    /// Along the second.
    pub y: f64,
    /// How its text begins: at most [`MapRow::CHARS`] characters as they stand; `None` without a text.
    pub text: Option<String>,
}

impl MapRow {
    /// Most responses on the map.
    pub const MOST: usize = 100_000;
    /// Most characters of a text.
    pub const CHARS: usize = 160;
}

/// What the map shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapSummary {
    /// Responses on it.
    pub shown: u64,
    /// Responses in all.
    pub responses: u64,
    /// Share of the variance of all unit vectors about their mean along either component.
    pub explained: [f64; 2],
}
