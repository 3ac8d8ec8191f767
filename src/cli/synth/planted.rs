//! The vectors of a planted corpus.

use super::Variation;
use super::stages::Design;
use crate::base::random::Stream;
use crate::base::{Error, Result};

/// Characters of short and long texts.
pub const LENGTHS: [usize; 2] = [100, 200];

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
    pub(super) fn variants(&self) -> usize {
        match self.variation {
            Variation::Contexts { contexts, .. } => contexts,
            _ => self.design().map_or(1, Design::variants),
        }
    }

    /// Models, people among them.
    pub(super) fn everyone(&self) -> usize {
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
    pub(super) fn varied(&self, cell: usize) -> bool {
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

    pub(super) fn refuses(&self, response: usize) -> bool {
        response % self.samples + self.refusals_and_copies().0 >= self.samples
    }

    /// The response that this one is: itself, or the first model's that it repeats.
    pub(super) fn original(&self, response: usize) -> usize {
        let copied = response % self.samples < self.refusals_and_copies().1;
        let model = response / self.samples % self.models;
        if copied { response - model * self.samples } else { response }
    }

    /// Whether there is such a corpus.
    fn check(&self) -> Result<()> {
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
        Ok(())
    }

    /// Builds the rows.
    ///
    /// # Errors
    /// [`Error::Usage`] for sizes of zero or values not in 0 <= floor <= cross (<= across) <= within <= 1.
    pub fn build(&self) -> Result<PlantedRows> {
        self.check()?;
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
}
