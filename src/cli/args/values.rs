//! Values of flags that are one of a few words.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// `--io`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IoArg {
    /// Map files
    Mmap,
    /// Read files piece by piece
    Pread,
}

/// `--on-bad-row`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadRowArg {
    /// Stop at the first
    Error,
    /// Leave them out and count them
    Skip,
}

/// `--backend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendArg {
    /// A GPU if there is one, otherwise the CPU
    Auto,
    /// The CPU
    Cpu,
    /// A GPU, or fail
    Gpu,
}

/// `--histogram`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistogramArg {
    /// Exact up to 1e9 pairs, coarse beyond
    Auto,
    /// Every pair in its true bin
    Exact,
    /// By coarse similarity
    Coarse,
    /// None
    Off,
}

/// `--texts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextsArg {
    /// How texts begin stands in report.html, map.parquet and summary.json
    Shown,
    /// No text of a response leaves the input; measures that read texts stay
    Hidden,
}
