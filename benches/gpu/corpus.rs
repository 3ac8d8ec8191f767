//! Planted corpora of the sizes that are designed for, made on the spot on all cores.
//!
//! A row is mean + centre of its query + radius x (0.77 style of its model for that query + 0.63 noise), by the recipe of
//! `benches/peers/corpora.py`, which fits real answers: a common direction of squared length 0.035, centres of squared
//! length 0.69 whose components fall off, log-normal radii. Two things differ: no rotation afterwards (f16 rounds every
//! component relative to itself), and centres, styles and noise are uniform in each component, four from one draw of 64
//! bits, since similarities add up 1536 of them and 3e9 values must not take a minute. One row in 101 is a copy of the
//! one before.

use hivescope::base::random::Stream;
use hivescope::base::similarity::Similarity;
use hivescope::compute::tile::Vectors;
use hivescope::compute::{Backend, Block};
use hivescope::corpus::{Corpus, Dictionary, Embeddings, Layout, Rows, Samples};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// A size by name.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub name: &'static str,
    pub queries: usize,
    pub models: usize,
    pub samples: usize,
    pub dim: usize,
}

/// The paper's main study.
pub const S1: Size = Size { name: "S1", queries: 100, models: 25, samples: 50, dim: 1536 };

/// The paper's 79 models.
pub const S2: Size = Size { name: "S2", queries: 100, models: 79, samples: 50, dim: 1536 };

/// INFINITY-CHAT's scale: 2,059,530 rows, 12.7 GB in f32.
pub const S3: Size = Size { name: "S3", queries: 26_070, models: 79, samples: 1, dim: 1536 };

impl Size {
    pub fn rows(&self) -> usize {
        self.queries * self.models * self.samples
    }

    /// With so large a share of the queries.
    pub fn scaled(self, scale: f64) -> Self {
        Self { queries: ((self.queries as f64 * scale).ceil() as usize).max(1), ..self }
    }

    pub fn with_dim(self, dim: usize) -> Self {
        Self { dim, ..self }
    }

    /// Query and model of a row.
    fn keys(&self, row: usize) -> (usize, usize) {
        (row / (self.models * self.samples), row / self.samples % self.models)
    }
}

/// Writes one row of a size.
struct Maker {
    size: Size,
    draws: Stream,
    between: Vec<f32>,
    within: Vec<f32>,
}

/// Standard deviations of components whose variances fall as exp(-rate ((j + 1) / dim)^power) and sum to `total`.
fn deviations(dim: usize, total: f64, rate: f64, power: f64) -> Vec<f32> {
    let variance = |j: usize| libm::exp(-rate * libm::pow((j + 1) as f64 / dim as f64, power));
    let sum: f64 = (0..dim).map(variance).sum();
    (0..dim).map(|j| (variance(j) * total / sum).sqrt() as f32).collect()
}

impl Maker {
    fn new(size: Size) -> Self {
        let (between, within) = (deviations(size.dim, 0.69, 5.8, 0.65), deviations(size.dim, 1.0, 3.6, 0.31));
        Self { size, draws: Stream::new(1, "gpu bench"), between, within }
    }

    /// Adds `factor` times uniform values of those deviations, drawn by `key`.
    fn add(&self, key: u64, deviations: &[f32], factor: f32, row: &mut [f32]) {
        // Of a uniform 16-bit number to variance 1.
        let unit = factor * 12f32.sqrt() / 65_536.0;
        for (block, (row, deviations)) in row.chunks_mut(4).zip(deviations.chunks(4)).enumerate() {
            let bits = self.draws.bits(key, block as u64);
            for (i, (value, deviation)) in row.iter_mut().zip(deviations).enumerate() {
                *value += (((bits >> (16 * i)) & 0xffff) as f32 - 32_767.5) * unit * deviation;
            }
        }
    }

    fn write(&self, row: usize, values: &mut [f32]) {
        let row = if row % 101 == 100 { row - 1 } else { row };
        let (query, model) = self.size.keys(row);
        let key = |kind: u64, index: usize| kind << 40 | index as u64;
        let radius = 0.46 * libm::exp(0.33 * self.draws.normal(key(4, row), 0)) as f32;
        values.fill((0.035 / self.size.dim as f32).sqrt());
        self.add(key(1, query), &self.between, 1.0, values);
        self.add(key(2, query * self.size.models + model), &self.within, 0.6f32.sqrt() * radius, values);
        self.add(key(3, row), &self.within, 0.4f32.sqrt() * radius, values);
    }
}

/// Makes the corpus: positions are rows, query by query.
///
/// # Errors
/// If there is no memory.
pub fn plant(size: Size) -> anyhow::Result<Corpus> {
    let started = std::time::Instant::now();
    let (maker, similarity) = (Maker::new(size), Similarity::new());
    let corpus = filled(size, |row, values| {
        maker.write(row, values);
        similarity.norm(values)
    })?;
    eprintln!(
        "{}: {} rows of {} values planted in {:.1} s",
        size.name,
        size.rows(),
        size.dim,
        started.elapsed().as_secs_f64()
    );
    Ok(corpus)
}

/// A corpus of that size whose rows are written, and their norms returned, by `write`.
///
/// # Errors
/// If there is no memory.
pub fn filled(size: Size, write: impl Fn(usize, &mut [f32]) -> f64 + Sync) -> anyhow::Result<Corpus> {
    let n = size.rows();
    let mut embeddings = Embeddings::zeroed(n, size.dim, None)?;
    let filling = embeddings.filling();
    (0..n).into_par_iter().with_min_len(64).for_each(|row| filling.row(row, |values| write(row, values)));
    drop(filling);
    let names = |prefix: &str, count: usize| {
        Dictionary::from_names(&(0..count).map(|id| format!("{prefix}{id:06}")).collect::<Vec<_>>()).0
    };
    let rows = Rows {
        sample: Samples::Number((0..n).map(|row| (row % size.samples) as i64).collect()),
        ..Rows::of_keys(
            (names("q", size.queries), (0..n).map(|row| size.keys(row).0 as u32).collect()),
            (names("m", size.models), (0..n).map(|row| size.keys(row).1 as u32).collect()),
        )
    };
    let layout = Layout::new(&rows);
    Ok(Corpus { files: Vec::new(), rows, layout, embeddings: Arc::new(embeddings), notes: Vec::new(), skipped: 0 })
}

/// Rows around a row that it is seeded with.
const WINDOW: usize = 128;

/// L of the positions `range`: the k-th largest similarity to rows of the same query nearby, as the driver seeds it.
pub fn seeds(corpus: &Corpus, range: Range<usize>, k: usize) -> Vec<f32> {
    let similarity = Similarity::new();
    let query = |position: usize| corpus.rows.query[corpus.layout.row_at[position] as usize] as usize;
    let seed = |position: usize| {
        let own = &corpus.layout.query_positions[query(position)];
        let start = position.saturating_sub(WINDOW / 2).clamp(own.start, own.end.saturating_sub(WINDOW).max(own.start));
        let others = (start..own.end.min(start + WINDOW)).filter(|&other| other != position);
        let mut all: Vec<f32> =
            others.map(|other| corpus.embeddings.similarity(&similarity, position, other)).collect();
        if all.len() < k {
            return f32::NEG_INFINITY;
        }
        *all.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1
    };
    range.into_par_iter().map(seed).collect()
}

/// The positions `range` as a block.
pub fn block(corpus: &Corpus, half_bound: &[f32], range: Range<usize>) -> Arc<Block> {
    let row_at = &corpus.layout.row_at[range.clone()];
    Arc::new(Block {
        first: range.start,
        vectors: Vectors::Stored { embeddings: Arc::clone(&corpus.embeddings), start: range.start },
        half_bound: half_bound[range].to_vec(),
        query: row_at.iter().map(|&row| corpus.question(row)).collect(),
        model: row_at.iter().map(|&row| corpus.rows.model[row as usize]).collect(),
    })
}

/// Half bounds of a backend, and the keep values of rows whose L is `lower`.
pub fn keep(lower: &[f32], half_bound: &[f32]) -> Vec<f32> {
    let value = |(&lower, &bound): (&f32, &f32)| hivescope::compute::certificate::keep_value(f64::from(lower), bound);
    lower.iter().zip(half_bound).map(value).collect()
}

/// b of every position.
pub fn half_bounds(corpus: &Corpus, backend: &dyn Backend) -> Vec<f32> {
    backend.half_bounds(&corpus.embeddings)
}
