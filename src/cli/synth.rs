//! `hivescope synth`: corpora whose true values are known.
//!
//! A planted response is `sqrt(C) e0 + sqrt(B - C) q + sqrt(A - B) c + sqrt(1 - A) r` with one direction `q` a query,
//! `c` a cell (query, model) and `r` a response. Where all directions are orthogonal, the cosine of two responses is
//! A within a cell, B across models of one query and C across queries, exactly. With `--meanings K` the direction `c` is
//! that of a meaning of the query: each response has one of the K at random, whatever its model, and the cosine is A
//! within a meaning, B across meanings. The column `class` then says which.

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
    /// Meanings a query; `None` where models differ instead.
    pub meanings: Option<usize>,
    /// Dimension; `None` for the smallest with exact values.
    pub dim: Option<usize>,
    /// Seed of random directions.
    pub seed: u64,
    /// Cosine within a cell or meaning.
    pub within: f64,
    /// Cosine across models or meanings.
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
        1 + self.queries + self.queries * self.parts() + self.rows()
    }

    /// Directions `c` a query.
    fn parts(&self) -> usize {
        self.meanings.unwrap_or(self.models)
    }

    /// The meaning of each response, if there are any.
    fn classes(&self) -> Option<Vec<usize>> {
        let random = Stream::new(self.seed, "synth meanings");
        let of =
            |meanings: usize| (0..self.rows()).map(move |row| random.below(row as u64, 0, meanings as u64) as usize);
        Some(of(self.meanings?).collect())
    }

    /// Builds the rows.
    ///
    /// # Errors
    /// [`Error::Usage`] for sizes of zero or values not in 0 <= floor <= cross <= within <= 1.
    pub fn build(&self) -> Result<PlantedRows> {
        if [self.queries, self.models, self.samples, self.parts(), self.dim.unwrap_or(1)].contains(&0) {
            return Err(Error::Usage("queries, models, samples, meanings and dim must be at least 1".into()));
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
        let classes = self.classes();
        for response in 0..self.rows() {
            let cell = response / self.samples;
            let query = cell / self.models;
            let part = query * self.parts() + classes.as_ref().map_or(cell % self.models, |class| class[response]);
            let rest = 1 + self.queries + self.queries * self.parts();
            let places = [0, 1 + query, 1 + self.queries + part, rest + response];
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

    /// The rows as a table: query, model, sample, embedding, and class where there are meanings.
    fn table(&self, rows: PlantedRows) -> anyhow::Result<RecordBatch> {
        let n = self.rows();
        let cell = |i: usize| i / self.samples;
        let query = StringArray::from_iter_values((0..n).map(|i| format!("query {:04}", cell(i) / self.models)));
        let model = StringArray::from_iter_values((0..n).map(|i| format!("model {:03}", cell(i) % self.models)));
        let sample = Int64Array::from_iter_values((0..n).map(|i| (i % self.samples) as i64));
        let item = Arc::new(Field::new("item", DataType::Float32, false));
        let values: ArrayRef = Arc::new(Float32Array::from(rows.values));
        let embedding = FixedSizeListArray::try_new(item, i32::try_from(rows.dim)?, values, None)?;
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("query", Arc::new(query)),
            ("model", Arc::new(model)),
            ("sample", Arc::new(sample)),
            ("embedding", Arc::new(embedding)),
        ];
        if let Some(classes) = self.classes() {
            let names = classes.iter().map(|class| format!("meaning {class:03}"));
            columns.push(("class", Arc::new(StringArray::from_iter_values(names))));
        }
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
        meanings: args.meanings,
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
    let (within, cross) = match planted.meanings {
        None => ("intra_mean", "inter_mean"),
        Some(_) => ("within_meanings", "across_meanings"),
    };
    if flags.json {
        messages::json(&serde_json::json!({
            "type": "synth", "path": args.out.to_string_lossy(), "rows": planted.rows(), "dim": dim, "exact": exact,
            "meanings": planted.meanings, within: planted.within, cross: planted.cross, "floor": planted.floor,
        }));
    } else if !flags.quiet {
        let how = if exact { "exact" } else { "approximate: random directions" };
        messages::data(&format!(
            "{}: {} rows of dimension {dim}\ntrue mean cosines ({how}): within a {} and query {}, across {} {}, \
             across queries {}",
            args.out.display(),
            planted.rows(),
            if planted.meanings.is_some() { "meaning" } else { "model" },
            planted.within,
            if planted.meanings.is_some() { "meanings" } else { "models" },
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

    const PLANTED: Planted = Planted {
        queries: 3,
        models: 2,
        samples: 2,
        meanings: None,
        dim: None,
        seed: 0,
        within: 0.8,
        cross: 0.6,
        floor: 0.1,
    };

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
    fn the_closed_form_holds_within_and_across_meanings() {
        let planted = Planted { meanings: Some(3), samples: 4, ..PLANTED };
        let (rows, classes) = (planted.build().unwrap(), planted.classes().unwrap());
        let row = |i: usize| &rows.values[i * rows.dim..(i + 1) * rows.dim];
        let similarity = Similarity::new();
        // 8 responses a query: with 3 meanings some share one, whatever their models.
        let mut same = 0;
        for (i, j) in (0..24).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let expected = match (i / 8 == j / 8, classes[i] == classes[j]) {
                (false, _) => 0.1,
                (true, false) => 0.6,
                (true, true) => 0.8,
            };
            same += usize::from(expected == 0.8 && i / 4 != j / 4);
            let got = similarity.dot(row(i), row(j));
            assert!((got - expected).abs() < 1e-6, "rows {i} and {j}: {got} is not {expected}");
        }
        assert!(rows.exact && same > 0);
        assert_eq!(Planted { meanings: Some(0), ..PLANTED }.build().unwrap_err().exit_code(), 2);
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
