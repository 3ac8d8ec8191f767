//! `hivescope synth`: corpora whose true values are known.
//!
//! A planted response is `sqrt(C) e0 + sqrt(B - C) q + sqrt(A - B) c + sqrt(1 - A) r` with one direction `q` a query,
//! `c` a cell (query, model) and `r` a response. Where all directions are orthogonal, the cosine of two responses is
//! A within a cell, B across models of one query and C across queries, exactly.

use super::args::{Messages, SynthArgs, SynthKind};
use super::messages;
use crate::base::random::Stream;
use crate::base::{Error, Result};
use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use parquet::arrow::ArrowWriter;
use std::fs::File;
use std::sync::Arc;

/// What to plant.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// Queries.
    pub queries: usize,
    /// Models.
    pub models: usize,
    /// Samples a cell.
    pub samples: usize,
    /// Dimension; `None` for the smallest with exact values.
    pub dim: Option<usize>,
    /// Seed of random directions.
    pub seed: u64,
    /// Cosine within a cell.
    pub within: f64,
    /// Cosine across models.
    pub cross: f64,
    /// Cosine across queries.
    pub floor: f64,
}

/// A planted corpus, rows in the order (query, model, sample).
#[derive(Debug, Clone)]
pub struct PlantedRows {
    /// Dimension.
    pub dim: usize,
    /// Whether the closed form holds exactly (up to the rounding of f32).
    pub exact: bool,
    /// Values, row-major.
    pub values: Vec<f32>,
}

impl Planted {
    /// Rows in all.
    pub fn rows(&self) -> usize {
        self.queries * self.models * self.samples
    }

    /// The smallest dimension where every direction has its own coordinate.
    pub fn exact_dim(&self) -> usize {
        1 + self.queries + self.queries * self.models + self.rows()
    }

    /// Builds the rows.
    ///
    /// # Errors
    /// [`Error::Usage`] for sizes of zero or values not in 0 <= floor <= cross <= within <= 1.
    pub fn build(&self) -> Result<PlantedRows> {
        if self.queries == 0 || self.models == 0 || self.samples == 0 || self.dim == Some(0) {
            return Err(Error::Usage("queries, models, samples and dim must be at least 1".into()));
        }
        let ordered = [0.0, self.floor, self.cross, self.within, 1.0].is_sorted();
        if !ordered || [self.floor, self.cross, self.within].iter().any(|value| value.is_nan()) {
            return Err(Error::Usage("planted cosines must have 0 <= --floor <= --cross <= --within <= 1".into()));
        }
        let dim = self.dim.unwrap_or(self.exact_dim());
        let exact = dim >= self.exact_dim();
        let size = self.rows().checked_mul(dim).filter(|&size| size <= 1 << 31);
        let Some(size) = size else {
            return Err(Error::Usage(
                "that corpus has over 2^31 values: a smaller --dim gives approximate means".into(),
            ));
        };
        let weights = [self.floor, self.cross - self.floor, self.within - self.cross, 1.0 - self.within].map(f64::sqrt);
        let mut values = Vec::with_capacity(size);
        let mut row = vec![0.0f64; dim];
        for response in 0..self.rows() {
            let cell = response / self.samples;
            let query = cell / self.models;
            let places =
                [0, 1 + query, 1 + self.queries + cell, 1 + self.queries + self.queries * self.models + response];
            row.fill(0.0);
            for (&place, weight) in places.iter().zip(weights) {
                if exact {
                    row[place] += weight;
                } else {
                    self.add_random(place, weight, &mut row);
                }
            }
            let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            let scale = if norm > 0.0 { 1.0 / norm } else { 1.0 };
            values.extend(row.iter().map(|x| (x * scale) as f32));
        }
        Ok(PlantedRows { dim, exact, values })
    }

    /// Adds `weight` times random unit direction number `place` to `row`.
    fn add_random(&self, place: usize, weight: f64, row: &mut [f64]) {
        let random = Stream::new(self.seed, "synth planted");
        let direction: Vec<f64> = (0..row.len()).map(|i| random.normal(place as u64, i as u64)).collect();
        let norm = direction.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        for (x, d) in row.iter_mut().zip(&direction) {
            *x += weight * d / norm;
        }
    }

    /// The rows as a table: query, model, sample, embedding.
    fn table(&self, rows: PlantedRows) -> anyhow::Result<RecordBatch> {
        let n = self.rows();
        let cell = |i: usize| i / self.samples;
        let query = StringArray::from_iter_values((0..n).map(|i| format!("query {:04}", cell(i) / self.models)));
        let model = StringArray::from_iter_values((0..n).map(|i| format!("model {:03}", cell(i) % self.models)));
        let sample = Int64Array::from_iter_values((0..n).map(|i| (i % self.samples) as i64));
        let item = Arc::new(Field::new("item", DataType::Float32, false));
        let values: ArrayRef = Arc::new(Float32Array::from(rows.values));
        let embedding = FixedSizeListArray::try_new(item, i32::try_from(rows.dim)?, values, None)?;
        let columns: [(&str, ArrayRef); 4] = [
            ("query", Arc::new(query)),
            ("model", Arc::new(model)),
            ("sample", Arc::new(sample)),
            ("embedding", Arc::new(embedding)),
        ];
        Ok(RecordBatch::try_from_iter(columns)?)
    }
}

/// Runs `synth`.
///
/// # Errors
/// Impossible sizes, or a file that can't be written.
pub fn main(args: &SynthArgs, flags: &Messages) -> anyhow::Result<u8> {
    let SynthKind::Planted = args.kind;
    let planted = Planted {
        queries: args.queries,
        models: args.models,
        samples: args.samples,
        dim: args.dim,
        seed: args.seed,
        within: args.within,
        cross: args.cross,
        floor: args.floor,
    };
    let rows = planted.build()?;
    let (dim, exact) = (rows.dim, rows.exact);
    let batch = planted.table(rows)?;
    let file = File::create(&args.out).map_err(|error| Error::io(&args.out, error))?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    if flags.json {
        messages::json(&serde_json::json!({
            "type": "synth", "path": args.out.to_string_lossy(), "rows": planted.rows(), "dim": dim, "exact": exact,
            "intra_mean": planted.within, "inter_mean": planted.cross, "floor": planted.floor,
        }));
    } else if !flags.quiet {
        let how = if exact { "exact" } else { "approximate: random directions" };
        messages::data(&format!(
            "{}: {} rows of dimension {dim}\ntrue mean cosines ({how}): within a model and query {}, across models {}, \
             across queries {}",
            args.out.display(),
            planted.rows(),
            planted.within,
            planted.cross,
            planted.floor
        ));
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::similarity::Similarity;

    const PLANTED: Planted =
        Planted { queries: 3, models: 2, samples: 2, dim: None, seed: 0, within: 0.8, cross: 0.6, floor: 0.1 };

    #[test]
    fn the_closed_form_holds() {
        let rows = PLANTED.build().unwrap();
        assert!(rows.exact);
        let row = |i: usize| &rows.values[i * rows.dim..(i + 1) * rows.dim];
        let similarity = Similarity::new();
        for (other, expected) in [(0, 1.0), (1, 0.8), (2, 0.6), (4, 0.1)] {
            let got = similarity.dot(row(0), row(other));
            assert!((got - expected).abs() < 1e-6, "row {other}: {got} is not {expected}");
        }
    }

    #[test]
    fn a_small_dimension_comes_near_and_nonsense_is_refused() {
        let rows = Planted { dim: Some(4096), queries: 30, models: 10, samples: 20, ..PLANTED };
        assert!(!Planted { dim: Some(16), ..PLANTED }.build().unwrap().exact);
        assert!(rows.exact_dim() > 4096);
        assert_eq!(Planted { cross: 0.9, ..PLANTED }.build().unwrap_err().exit_code(), 2);
        assert_eq!(Planted { floor: f64::NAN, ..PLANTED }.build().unwrap_err().exit_code(), 2);
    }
}
