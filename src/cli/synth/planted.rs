//! The rows of a planted corpus and their true values.

use super::Variation;
use super::stages::Design;
use crate::base::random::Stream;
use crate::base::{Error, Result};
use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use std::sync::Arc;

/// Characters of short and long texts.
pub const LENGTHS: [usize; 2] = [100, 200];
/// Characters of a planted text: those that form is measured on, and a few more.
const TEXT_CHARS: usize = 320;
/// Standard deviation of a response's quality about its team's.
const NOISE: f64 = 0.5;

/// What to plant.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// Queries.
    pub queries: usize,
    /// Models.
    pub models: usize,
    /// Samples a cell.
    pub samples: usize,
    /// What varies beside queries and models.
    pub variation: Variation,
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

/// A planted corpus, rows in the order (query, model, context or stage, sample).
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
        self.cells() * self.samples
    }

    /// Contexts or stages of a model.
    fn variants(&self) -> usize {
        match self.variation {
            Variation::Contexts { contexts, .. } => contexts,
            _ => self.design().map_or(1, Design::variants),
        }
    }

    /// Models, people among them.
    fn everyone(&self) -> usize {
        self.models + usize::from(matches!(self.variation, Variation::People { .. }))
    }

    fn cells(&self) -> usize {
        self.queries * self.everyone() * self.variants()
    }

    /// The smallest dimension where every direction has its own coordinate.
    pub fn exact_dim(&self) -> usize {
        1 + self.queries + self.queries * self.parts() + self.rows() + self.common()
    }

    /// Directions `c` a query.
    fn parts(&self) -> usize {
        match self.variation {
            Variation::Meanings { meanings, shared } if shared < 1.0 => meanings * (1 + self.models),
            Variation::Meanings { meanings, .. } => meanings,
            Variation::Fewer { meanings, later } => meanings.max(later),
            Variation::Growth { .. } => self.models * self.samples,
            Variation::People { modes, people } => modes.max(people),
            Variation::Dropped { dropped, design } => 1 + dropped * design.stages().saturating_sub(1),
            _ => self.models * self.variants(),
        }
    }

    /// Directions that some cells have in common: those of a model's contexts of a query, of a model, or of a query's texts
    /// of like length.
    fn common(&self) -> usize {
        match self.variation {
            Variation::Contexts { .. } => self.queries * self.models,
            Variation::Style { .. } => self.models,
            Variation::Lengths { .. } => self.queries * LENGTHS.len(),
            Variation::Texts { .. } => 1,
            _ => 0,
        }
    }

    /// Which of them a model's answers to a query have.
    fn common_of(&self, query: usize, model: usize) -> usize {
        match self.variation {
            Variation::Style { .. } => model,
            Variation::Lengths { .. } => query * LENGTHS.len() + model % LENGTHS.len(),
            Variation::Texts { .. } => 0,
            _ => query * self.models + model,
        }
    }

    /// The meaning of each response, if there are any.
    pub(super) fn classes(&self) -> Option<Vec<usize>> {
        match self.variation {
            Variation::Meanings { meanings, shared } => {
                let random = Stream::new(self.seed, "synth meanings");
                let of_row = |row: usize| {
                    let own = random.uniform(row as u64, 1) >= shared;
                    let first = if own { meanings * (1 + row / self.samples % self.models) } else { 0 };
                    first + random.below(row as u64, 0, meanings as u64) as usize
                };
                Some((0..self.rows()).map(of_row).collect())
            }
            Variation::Fewer { meanings, later } => {
                let random = Stream::new(self.seed, "synth meanings");
                let of = |row: usize| if 2 * self.arrival(row) < self.models * self.samples { meanings } else { later };
                Some((0..self.rows()).map(|row| random.below(row as u64, 0, of(row) as u64) as usize).collect())
            }
            Variation::Growth { exponent, .. } => Some(self.grown(exponent)),
            Variation::People { .. } | Variation::Dropped { .. } => {
                Some((0..self.rows()).map(|row| self.mode(row)).collect())
            }
            _ => None,
        }
    }

    /// Place in its query at which a response came: the first sample of every model, then the second.
    fn arrival(&self, row: usize) -> usize {
        row % self.samples * self.models + row / self.samples % self.models
    }

    /// Meanings by a Pitman-Yor process of discount b and concentration 0 (Pitman & Yor 1997): with K meanings among n
    /// responses the next one has a new meaning with probability b K / n, one that x of them have with (x - b) / n. The
    /// order of responses does not matter.
    fn grown(&self, exponent: f64) -> Vec<usize> {
        let random = Stream::new(self.seed, "synth growth");
        let of_query = self.models * self.samples;
        let mut by_query = Vec::with_capacity(self.queries);
        for query in 0..self.queries {
            let (mut meanings, mut counts) = (Vec::with_capacity(of_query), Vec::<usize>::new());
            for n in 0..of_query {
                let mut left = random.uniform(query as u64, n as u64) * n as f64 - exponent * counts.len() as f64;
                let mut found = 0;
                if left < 0.0 || n == 0 {
                    found = counts.len();
                    counts.push(0);
                } else {
                    left -= counts[0] as f64 - exponent;
                    while left >= 0.0 && found + 1 < counts.len() {
                        found += 1;
                        left -= counts[found] as f64 - exponent;
                    }
                }
                counts[found] += 1;
                meanings.push(found);
            }
            by_query.push(meanings);
        }
        (0..self.rows()).map(|row| by_query[row / of_query][self.arrival(row)]).collect()
    }

    /// The exponent of growth that is expected of all responses to a query: `D(n) = G(n + b) / (G(1 + b) G(n))` with G
    /// the gamma function, over the last factor of 4 in n, linear between whole numbers.
    pub(super) fn growth(&self) -> Option<f64> {
        let Variation::Growth { exponent: b, .. } = self.variation else { return None };
        let expected = |n: f64| (libm::lgamma(n + b) - libm::lgamma(1.0 + b) - libm::lgamma(n)).exp();
        let n = (self.models * self.samples) as f64;
        let below = (n / 4.0).floor().max(1.0);
        let quarter = expected(below) + (n / 4.0 - below) * (expected(below + 1.0) - expected(below));
        Some((expected(n) / quarter).ln() / 4f64.ln())
    }

    /// With meanings, how many n responses of one model are expected to have, and n responses drawn from all models: each of
    /// K in common with probability H / K, each of a model's own with (1 - H) / K.
    pub(super) fn model_meanings(&self) -> Option<[f64; 2]> {
        let Variation::Meanings { meanings, shared } = self.variation else { return None };
        let (k, n, m) = (meanings as f64, self.samples as f64, self.models as f64);
        let seen = |share: f64, n: f64| k * (1.0 - (1.0 - share / k).powf(n));
        // Of n drawn from all M n, j are of one model: hypergeometric.
        let mut pooled = seen(shared, n);
        let mut probability =
            (0..self.samples).map(|i| ((m - 1.0) * n - i as f64) / (m * n - i as f64)).product::<f64>();
        let mut before = 0.0;
        for j in 0..=self.samples {
            let j = j as f64;
            if j > 0.0 {
                // With one model all n are of it.
                let others = (m - 2.0) * n + j;
                probability =
                    if m < 1.5 { f64::from(u8::from(j == n)) } else { before * (n - j + 1.0).powi(2) / (j * others) };
            }
            pooled += m * probability * seen(1.0 - shared, j);
            before = probability;
        }
        Some([seen(shared, n) + seen(1.0 - shared, n), pooled])
    }

    /// The mode of a response where people, who are the last model, or dropped meanings are planted.
    fn mode(&self, row: usize) -> usize {
        let (model, sample) = (row / self.samples % self.everyone(), row % self.samples);
        match self.variation {
            Variation::Dropped { dropped, design } => {
                let variant = row / self.samples % design.variants();
                let left = dropped * (design.stages() - 1 - design.changes(variant));
                let from_end = self.samples - 1 - sample;
                if from_end < 2 * left { 1 + from_end / 2 } else { 0 }
            }
            Variation::People { people, .. } if model == self.models => sample % people,
            Variation::People { modes, .. } => (sample + model) % modes,
            _ => 0,
        }
    }

    /// The true rho of one model and of different models, where people are planted: from the share of pairs with one
    /// mode. NaN where there are no pairs.
    pub(super) fn rho(&self) -> Option<[f64; 2]> {
        let Variation::People { .. } = self.variation else { return None };
        let rows = |model: usize| model * self.samples..(model + 1) * self.samples;
        let apart = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
            let (same, all) = pairs.fold((0.0, 0.0), |(same, all), (a, b)| {
                (same + if self.mode(a) == self.mode(b) { 1.0 } else { 0.0 }, all + 1.0)
            });
            1.0 - self.cross - (self.within - self.cross) * same / all
        };
        let own = |model: usize| {
            apart(&mut rows(model).flat_map(|a| rows(model).filter(move |&b| b > a).map(move |b| (a, b))))
        };
        let models = 0..self.models * self.samples;
        let others = models
            .clone()
            .flat_map(|a| models.clone().filter(move |&b| b / self.samples > a / self.samples).map(move |b| (a, b)));
        let (individual, people) = (own(0), own(self.models));
        Some([individual / people, apart(&mut others.into_iter()) / people])
    }

    /// Cosines of a response with all to its query, and with those that have a direction in common.
    pub(super) fn cosines(&self, variant: usize) -> (f64, f64) {
        match self.variation {
            Variation::Style { style } => (self.cross, self.cross + style),
            Variation::Lengths { drop } => (self.cross - drop, self.cross),
            Variation::Contexts { across, .. } => (self.cross, across),
            Variation::Stages { rise, design } => {
                let cross = self.cross + rise * design.changes(variant) as f64;
                (cross, cross)
            }
            _ => (self.cross, self.cross),
        }
    }

    /// Cosine within the cell of a response.
    fn cosine_within(&self, cell: usize) -> f64 {
        let varied = matches!(self.variation, Variation::Teams(_)) && self.varied(cell);
        if varied { self.cross } else { self.within }
    }

    /// Whether a team's answers are as far from each other as those of different teams: every second team of a query.
    fn varied(&self, cell: usize) -> bool {
        (cell / self.models + cell) % 2 == 1
    }

    /// With refusals and copies: of a model's samples the last so many refuse, the first so many are copies.
    fn refusals_and_copies(&self) -> (usize, usize) {
        let of = |share: f64| (share * self.samples as f64).round() as usize;
        match self.variation {
            Variation::Texts { refusals, copies } => (of(refusals), of(copies)),
            _ => (0, 0),
        }
    }

    fn refuses(&self, response: usize) -> bool {
        response % self.samples + self.refusals_and_copies().0 >= self.samples
    }

    /// The response that this one is: itself, or the first model's that it repeats.
    fn original(&self, response: usize) -> usize {
        let copied = response % self.samples < self.refusals_and_copies().1;
        let model = response / self.samples % self.models;
        if copied { response - model * self.samples } else { response }
    }

    /// The true similarity across models and its floor with refusals and copies: of all answers, without refusals, with
    /// copies collapsed, and both, as summary.json has them under `texts`. NaN where there are no pairs.
    pub(super) fn of_texts(&self) -> Option<[(&'static str, f64, f64); 4]> {
        let Variation::Texts { .. } = self.variation else { return None };
        let model = |i: usize| self.original(i) / self.samples;
        let cosine = |i: usize, j: usize| match (self.refuses(i), self.refuses(j)) {
            (true, true) => self.within,
            (false, false) if self.original(i) == self.original(j) => 1.0,
            (false, false) if model(i) == model(j) => self.within,
            (false, false) => self.cross,
            _ => self.floor,
        };
        let elsewhere = |i: usize, j: usize| if self.refuses(i) && self.refuses(j) { self.within } else { self.floor };
        let mean = |refusals: bool, copies: bool| {
            let of_query = 0..self.models * self.samples;
            let rows: Vec<usize> =
                of_query.filter(|&i| (refusals || !self.refuses(i)) && (copies || self.original(i) == i)).collect();
            let (mut here, mut there, mut pairs) = (0.0, 0.0, 0.0);
            for (at, &i) in rows.iter().enumerate() {
                for &j in rows[at + 1..].iter().filter(|&&j| j / self.samples > i / self.samples) {
                    (here, there, pairs) = (here + cosine(i, j), there + elsewhere(i, j), pairs + 1.0);
                }
            }
            (here / pairs, there / pairs)
        };
        let names = ["all", "without_refusals", "collapsed", "without_refusals_collapsed"];
        let kept = [(true, true), (false, true), (true, false), (false, false)];
        Some(std::array::from_fn(|line| {
            let (here, there) = mean(kept[line].0, kept[line].1);
            (names[line], here, there)
        }))
    }

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

    /// With fewer meanings later, what is expected of the change of distinct meanings from the first quarter of a query's
    /// answers to the last: `L (1 - (1 - 1/L)^m) - K (1 - (1 - 1/K)^m)` with m answers in a quarter.
    pub(super) fn in_time(&self) -> Option<f64> {
        let Variation::Fewer { meanings, later } = self.variation else { return None };
        let quarter = (self.models * self.samples / 4) as f64;
        let expected = |meanings: usize| {
            let meanings = meanings as f64;
            meanings * (1.0 - (1.0 - 1.0 / meanings).powf(quarter))
        };
        Some(expected(later) - expected(meanings))
    }

    /// The true ratio of packaging, with contexts: (S - C) / (A - C).
    pub(super) fn packaging(&self) -> Option<f64> {
        let Variation::Contexts { across, .. } = self.variation else { return None };
        Some((across - self.floor) / (self.within - self.floor))
    }

    /// The true adjusted R2_style, with a style: of the n responses of M models to each of Q queries
    /// `(M - 1) (Q - 1) n T / (SST - E)`, where `SST = Q (M n - 1 - (n - 1) A - (M - 1) n B)` and
    /// `E = (M - 1) (1 + (n - 1) A - n B)` is what cells without a style would give.
    pub(super) fn r2_style(&self) -> Option<f64> {
        let Variation::Style { style } = self.variation else { return None };
        let (q, m, n) = (self.queries as f64, self.models as f64, self.samples as f64);
        let total = q * (m * n - 1.0 - (n - 1.0) * self.within - (m - 1.0) * n * self.cross);
        let expected = (m - 1.0) * (1.0 + (n - 1.0) * self.within - n * self.cross);
        Some((m - 1.0) * (q - 1.0) * n * style / (total - expected))
    }

    /// With lengths, the true similarity of all pairs of different models: B on the share of pairs of like length, B - D
    /// on the others.
    pub(super) fn of_all_lengths(&self) -> Option<f64> {
        let Variation::Lengths { drop } = self.variation else { return None };
        let pairs = |m: usize| (m * m.saturating_sub(1)) as f64 / 2.0;
        let like = pairs(self.models.div_ceil(2)) + pairs(self.models / 2);
        Some(self.cross - drop * (1.0 - like / pairs(self.models)))
    }

    /// Builds the rows.
    ///
    /// # Errors
    /// [`Error::Usage`] for sizes of zero or values not in 0 <= floor <= cross (<= across) <= within <= 1.
    pub fn build(&self) -> Result<PlantedRows> {
        let modes = if let Variation::People { modes, people } = self.variation { modes.min(people) } else { 1 };
        let sizes =
            [self.queries, self.models, self.samples, self.variants(), self.parts(), modes, self.dim.unwrap_or(1)];
        if sizes.contains(&0) {
            return Err(Error::Usage(
                "queries, models, samples, meanings, modes, contexts and dim must be at least 1".into(),
            ));
        }
        if self.design().is_some_and(|design| design.stages() < 2) {
            return Err(Error::Usage("--iterations must be at least 2".into()));
        }
        if let Variation::Dropped { dropped, design } = self.variation
            && 2 * dropped * (design.stages() - 1) >= self.samples
        {
            return Err(Error::Usage("--drop takes two samples a meaning and iteration, and must leave some".into()));
        }
        if let Variation::Fewer { later, .. } = self.variation {
            let answers = self.models * self.samples;
            if later == 0 || answers < 8 || !answers.is_multiple_of(4) {
                return Err(Error::Usage("--later must be at least 1 and takes 8, 12, 16, ... answers a query".into()));
            }
        }
        if let Variation::Meanings { shared, .. } = self.variation
            && !(0.0..=1.0).contains(&shared)
        {
            return Err(Error::Usage("--shared lies between 0 and 1".into()));
        }
        if let Variation::Growth { exponent, .. } = self.variation
            && !(0.0..=1.0).contains(&exponent)
        {
            return Err(Error::Usage("--growth lies between 0 and 1".into()));
        }
        for variant in 0..self.variants() {
            let (cross, across) = self.cosines(variant);
            let cosines = [0.0, self.floor, cross, across, self.within, 1.0];
            if !cosines.is_sorted() || cosines.iter().any(|value| value.is_nan()) {
                return Err(Error::Usage(
                    "planted cosines must have 0 <= --floor <= --cross (<= --across) <= --within <= 1, and so with --rise, \
                     --style and --lengths"
                        .into(),
                ));
            }
        }
        if let Variation::Form(form) = self.variation
            && !(0.0..=1.0).contains(&form)
        {
            return Err(Error::Usage(format!("--form {form} is out of range: 0 to 1")));
        }
        if let Variation::Texts { refusals, copies } = self.variation {
            let (last, first) = self.refusals_and_copies();
            if ![refusals, copies].iter().all(|share| (0.0..=1.0).contains(share))
                || refusals + copies > 1.0
                || first + last > self.samples
            {
                return Err(Error::Usage("--refusals and --copies are shares, together at most 1".into()));
            }
        }
        let dim = self.dim.unwrap_or(self.exact_dim());
        let exact = dim >= self.exact_dim();
        let size = self.rows().checked_mul(dim).filter(|&size| size <= 1 << 31);
        let Some(size) = size else {
            return Err(Error::Usage(
                "that corpus has over 2^31 values: a smaller --dim gives approximate means".into(),
            ));
        };
        let mut values = Vec::with_capacity(size);
        let mut row = vec![0.0f64; dim];
        let classes = self.classes();
        for response in (0..self.rows()).map(|response| self.original(response)) {
            let cell = response / self.samples;
            let model = cell / self.variants();
            let query = model / self.everyone();
            let (cross, across) = self.cosines(cell % self.variants());
            let within = self.cosine_within(cell);
            let mut weights = [self.floor, cross - self.floor, within - across, 1.0 - within, across - cross];
            if self.refuses(response) {
                weights = [self.floor, 0.0, 0.0, 1.0 - within, within - self.floor];
            }
            let weights = weights.map(f64::sqrt);
            let part = classes.as_ref().map_or(cell, |class| query * self.parts() + class[response]);
            let common = self.common_of(query, model % self.models);
            let parts = 1 + self.queries;
            let responses = parts + self.queries * self.parts();
            let places = [0, 1 + query, parts + part, responses + response, responses + self.rows() + common];
            let places = &places[..if self.common() > 0 { 5 } else { 4 }];
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
