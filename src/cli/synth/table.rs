//! A planted corpus as a table: its vectors, and the columns that name what was planted.

use super::Variation;
use super::planted::{LENGTHS, Planted, PlantedRows};
use crate::base::random::Stream;
use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use std::sync::Arc;

/// Characters of a planted text: those that form is measured on, and a few more.
const TEXT_CHARS: usize = 320;
/// Standard deviation of a response's quality about its team's.
const NOISE: f64 = 0.5;

impl Planted {
    /// The text of a response, with form.
    fn text(&self, response: usize, form: f64) -> String {
        let random = Stream::new(self.seed, "synth form");
        let model = response / self.samples % self.models;
        // 300 characters have 297 4-grams.
        let common = if form > 0.0 { (297.0 * form).round() as usize + 3 } else { 0 };
        let one = |i: usize| {
            let whose = if i < common { model } else { self.models + response };
            let letter = random.below(whose as u64, i as u64, 36);
            if i % 6 == 5 { ' ' } else { char::from_digit(letter as u32, 36).unwrap_or('-') }
        };
        (0..TEXT_CHARS).map(one).collect()
    }

    /// A team's expertise: evenly from 0 to 1.
    fn expertise(&self, model: usize) -> f64 {
        (model as f64 + 0.5) / self.models as f64
    }

    /// Whether a response is there but its team (odd queries) or its quality (even queries) is not known: the first one
    /// of every third cell of three and more.
    fn incomplete(&self, response: usize) -> bool {
        let cell = response / self.samples;
        let third = (cell / self.models + cell % self.models / 2).is_multiple_of(3);
        self.samples > 2 && third && response.is_multiple_of(self.samples)
    }

    /// Quality of a response, with teams: an effect of the query, the outcome model, and noise.
    fn quality(&self, response: usize, coefficients: [f64; 4]) -> f64 {
        let random = Stream::new(self.seed, "synth quality");
        let cell = response / self.samples;
        let first = cell * self.samples;
        let size = (first..first + self.samples).filter(|&other| !self.incomplete(other)).count();
        let diversity = (self.within - self.cross) * if self.varied(cell) { 0.5 } else { -0.5 };
        let expertise = self.expertise(cell % self.models) - 0.5;
        let predictors = [diversity, expertise, diversity * expertise, crate::base::math::ln(size as f64)];
        let of_query = random.normal((cell / self.models) as u64, 0);
        let explained: f64 = coefficients.iter().zip(predictors).map(|(b, x)| b * x).sum();
        of_query + explained + NOISE * random.normal(response as u64, 1)
    }

    /// The rows as a table: query, model, sample, what varies beside them (class, context or stage), embedding.
    pub(super) fn table(&self, rows: PlantedRows) -> anyhow::Result<RecordBatch> {
        let n = self.rows();
        let variant = |i: usize| i / self.samples % self.variants();
        let cell = |i: usize| i / self.samples / self.variants();
        let person = |i: usize| cell(i) % self.everyone() == self.models;
        let name =
            |i: usize| if person(i) { "human".into() } else { format!("model {:03}", cell(i) % self.everyone()) };
        let query = StringArray::from_iter_values((0..n).map(|i| format!("query {:04}", cell(i) / self.everyone())));
        let model = StringArray::from_iter_values((0..n).map(name));
        let sample = Int64Array::from_iter_values((0..n).map(|i| (i % (self.samples * self.variants())) as i64));
        let item = Arc::new(Field::new("item", DataType::Float32, false));
        let values: ArrayRef = Arc::new(Float32Array::from(rows.values));
        let embedding = FixedSizeListArray::try_new(item, i32::try_from(rows.dim)?, values, None)?;
        let mut columns: Vec<(&str, ArrayRef)> =
            vec![("query", Arc::new(query)), ("model", Arc::new(model)), ("sample", Arc::new(sample))];
        if let Some(classes) = self.classes() {
            let names = classes.into_iter().map(|class| format!("meaning {class:03}"));
            columns.push(("class", Arc::new(StringArray::from_iter_values(names))));
        }
        match self.variation {
            Variation::Nothing | Variation::Meanings { .. } | Variation::Style { .. } => {}
            Variation::Fewer { .. } => {
                let times = (0..n).map(|i| (self.arrival(i) + 1) as i64);
                columns.push(("time", Arc::new(Int64Array::from_iter_values(times))));
            }
            Variation::Growth { lag, .. } => {
                let times = |later: f64| {
                    let time = |i: usize| ((self.arrival(i) + 1) as f64).ln() * (1.0 + later);
                    Arc::new(Float64Array::from_iter_values((0..n).map(time)))
                };
                columns.push(("time", times(0.0)));
                columns.push(("rating_time", times(lag)));
            }
            Variation::People { .. } => {
                let names = (0..n).map(|i| if person(i) { "human" } else { "model" });
                columns.push(("source", Arc::new(StringArray::from_iter_values(names))));
            }
            Variation::Contexts { .. } => {
                let names = (0..n).map(|i| format!("context {:02}", variant(i)));
                columns.push(("context", Arc::new(StringArray::from_iter_values(names))));
            }
            Variation::Stages { design, .. } | Variation::Dropped { design, .. } => {
                let names = (0..n).map(|i| design.name(variant(i)));
                columns.push(("stage", Arc::new(StringArray::from_iter_values(names))));
                if design.arms {
                    let arms = (0..n).map(|i| design.arm(variant(i)));
                    columns.push(("arm", Arc::new(arms.collect::<StringArray>())));
                }
            }
            Variation::Lengths { .. } => {
                // The number of the response, padded: no text twice.
                let text = |i: usize| format!("{i:0width$}", width = LENGTHS[cell(i) % self.models % LENGTHS.len()]);
                columns.push(("text", Arc::new(StringArray::from_iter_values((0..n).map(text)))));
            }
            Variation::Form(form) => {
                let texts = (0..n).map(|i| self.text(i, form));
                columns.push(("text", Arc::new(StringArray::from_iter_values(texts))));
            }
            Variation::Texts { .. } => {
                let text = |i: usize| match self.original(i) {
                    i if self.refuses(i) => format!("I'm sorry, but I can't help with that. (Answer {i})"),
                    i => format!("Answer {i} says something of its own."),
                };
                columns.push(("text", Arc::new(StringArray::from_iter_values((0..n).map(text)))));
            }
            Variation::Teams(coefficients) => {
                let team = |i: usize| (!(self.incomplete(i) && cell(i) / self.models % 2 == 1)).then_some(i);
                let names = (0..n).map(|i| team(i).map(|i| format!("team {:03}", cell(i) % self.models)));
                let quality = (0..n).map(|i| (!self.incomplete(i)).then(|| self.quality(i, coefficients)));
                let expertise = (0..n).map(|i| self.expertise(cell(i) % self.models));
                columns.push(("team", Arc::new(names.collect::<StringArray>())));
                columns.push(("quality", Arc::new(quality.collect::<Float64Array>())));
                columns.push(("expertise", Arc::new(Float64Array::from_iter_values(expertise))));
            }
        }
        columns.push(("embedding", Arc::new(embedding)));
        Ok(RecordBatch::try_from_iter(columns)?)
    }
}
