//! How much of the variation within queries goes with the model.
//!
//! By cells (R2_cell): of the squared distances of a query's responses from their mean, the share between the models'
//! means; cells of n >= 2. By style (R2_style): the share that each model's mean over all queries takes of responses
//! less the mean of their query: what is the model's own whatever is asked; models with 2 queries and more. Both from
//! sums, never from pairs.
//!
//! Each is set against its mean over permutations, R2_0, in closed form, and tested by 999 seeded ones at once in all
//! queries. By cells a permutation hands the responses of a query to its models anew, as many to each as before:
//! `R2_0 = sum_q SST (k - 1) / (n - 1) / sum_q SST` for k models and n responses. For style it hands whole cells to the
//! query's models of equally many responses, since answers of one model to one query belong together even where it has no
//! style: a model's sum then has for its mean the mean of these cells, and their variance, independently from query to
//! query.
//!
//! Where 999 permutations of whole vectors would take long, the test (never R2, R2_0 or the interval) is made on sums
//! folded by seeded signs into [`FOLDED`] numbers a response: a test of the same hypothesis at the same level, as any
//! statistic may be permuted.

mod cell;
mod style;

use super::MeasureSettings;
use super::intervals::{self, Noise, Weights};
use super::sums::Sums;
use super::tables::{Headline, Interval, LeftOut, R2, VariationSummary};
use super::tables::{ONE_SAMPLE, left_out};
use super::u_statistic;
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
pub use cell::of_query;
use cell::{by_cells, repeated, test_by_cells};
use style::{style, test_style};

/// Permutations of a test.
const PERMUTATIONS: usize = 999;
/// Permutations whose sums are held at once.
const AT_ONCE: usize = 8;
/// Additions that all permutations of whole vectors may take; beyond it vectors are folded.
const WORK: usize = 500_000_000;
/// Numbers a vector is folded into.
const FOLDED: usize = 8;
/// A permuted sum counts as at least as large as what was found if it is less by no more than this share of it.
const ROUNDING: f64 = 1e-12;

/// What was found, what is expected of permutations, and all there is; and how they are spread over queries.
#[derive(Debug, Clone, Default)]
struct Split {
    between: f64,
    expected: f64,
    total: f64,
    /// By query: (between - expected, total - expected); they add up to those of the corpus.
    terms: Vec<(f64, f64)>,
    /// Of style: the variance of `between` where models have none, and what it is with its noise.
    noise: Option<Noise>,
}

impl Split {
    fn adjusted(&self) -> Option<f64> {
        let room = self.total - self.expected;
        (room > 1e-9 * self.total.max(1.0)).then(|| (self.between - self.expected) / room)
    }

    fn interval(&self, weights: &Weights) -> Option<Interval> {
        let plain = intervals::ratio(&self.terms, Some(weights))?;
        let Some(noise) = self.noise else { return Some(plain) };
        let ratio = intervals::Ratio::new(self.terms.iter().copied().filter(|term| term.1 > 0.0));
        let room = self.total - self.expected;
        let noise = Noise { at_zero: noise.at_zero / (room * room), with_noise: noise.with_noise / room };
        Some(intervals::score(plain, (ratio.value, ratio.error), noise))
    }
}

/// Folds vectors by adding coordinates, with seeded signs, where a seeded draw says; `None` keeps them whole.
struct Fold {
    places: Option<Vec<(usize, f64)>>,
    size: usize,
}

impl Fold {
    /// For `vectors` vectors.
    fn new(seed: u64, vectors: usize, dim: usize) -> Self {
        if dim <= FOLDED || vectors.saturating_mul(dim * PERMUTATIONS) <= WORK {
            return Self { places: None, size: dim };
        }
        let stream = Stream::new(seed, "r2 folding");
        let sign = |i: u64| if stream.bits(i, 1) & 1 == 0 { 1.0 } else { -1.0 };
        let place = |i: u64| (stream.below(i, 0, FOLDED as u64) as usize, sign(i));
        Self { places: Some((0..dim as u64).map(place).collect()), size: FOLDED }
    }

    fn fold(&self, vector: &[f64], out: &mut Vec<f64>) {
        let Some(places) = &self.places else {
            out.extend(vector);
            return;
        };
        let mut folded = [0.0; FOLDED];
        vector.iter().zip(places).for_each(|(x, (place, sign))| folded[*place] += sign * x);
        out.extend(folded);
    }
}

/// Adds one vector to another.
fn add(sum: &mut [f64], x: &[f64]) {
    sum.iter_mut().zip(x).for_each(|(s, x)| *s += x);
}

/// What was found and its permutations, up to a constant that they share; and whether vectors were folded.
struct Test {
    found: f64,
    permuted: Vec<f64>,
    folded: bool,
}

impl Test {
    /// The share of the permutations, what was found among them, whose value is at least that of what was found.
    fn p(&self) -> f64 {
        let least = self.found - ROUNDING * self.found.abs();
        let as_large = self.permuted.iter().filter(|&&value| value >= least).count();
        (1 + as_large) as f64 / (1 + self.permuted.len()) as f64
    }
}

/// Bytes that the measure holds at most.
pub fn bytes(corpus: &Corpus) -> usize {
    let (dim, models) = (corpus.dim(), corpus.rows.models.len());
    let cells: usize = corpus.layout.cells.iter().map(Vec::len).sum();
    let size = Fold::new(0, cells, dim).size;
    let most = corpus.layout.cells.iter().map(Vec::len).max().unwrap_or(0);
    let looked_at = u_statistic::QUERIES.min(corpus.layout.cells.len()) * most * dim;
    8 * (2 * models * dim + cells * (size + 3) + 2 * looked_at)
        + rayon::current_num_threads() * 8 * AT_ONCE * models * size
}

/// The measure.
#[derive(Debug, Default)]
pub struct Variation {
    /// For summary.json.
    pub summary: VariationSummary,
    /// Both shares, adjusted.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

impl Variation {
    fn put(&mut self, name: &str, split: &Split, test: &Test, without: Option<f64>, weights: &Weights) -> Option<R2> {
        let adjusted = split.adjusted()?;
        let queries = split.terms.iter().filter(|t| t.1 > 0.0).count() as u64;
        let found = R2 {
            r2: split.between / split.total,
            permuted: split.expected / split.total,
            adjusted,
            interval: split.interval(weights),
            without_regardless: without,
            p: test.p(),
            permutations: PERMUTATIONS as u32,
            folded: test.folded.then_some(FOLDED as u32),
            queries,
        };
        let label = match name {
            "r2_cell" => "Share of the variation within a query that goes with the model",
            _ => "Share of the variation within a query that is a model’s own style, the same in all queries",
        };
        let mut notes: Vec<String> = intervals::warning(queries as usize).into_iter().collect();
        notes.push(format!(
            "{:.2} % as found, {:.2} % on average if models were exchanged; p = {:.3} ({PERMUTATIONS} permutations)",
            100.0 * found.r2,
            100.0 * found.permuted,
            found.p
        ));
        self.headlines.push(Headline {
            name: name.into(),
            label: label.into(),
            value: adjusted,
            interval: found.interval,
            floor: Some(0.0),
            floor_label: Some("if models were exchanged".into()),
            without_regardless: without,
            queries,
            notes,
            ..Headline::default()
        });
        Some(found)
    }
}

/// Both shares of the models that `keep` has; `regular` are those that don't answer regardless of the query.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn variation(
    (corpus, sums): (&Corpus, &Sums),
    (keep, regular): (&[bool], Option<&[bool]>),
    (weights, settings): (&Weights, &MeasureSettings),
    observer: &dyn Observer,
) -> Result<Variation> {
    let mut out = Variation::default();
    let seed = settings.seed;
    let names = ["Share of variation by model (R2_cell)", "Share of variation by style (R2_style)"];
    if keep.iter().filter(|&&kept| kept).count() < 2 {
        out.left_out = names.map(|name| left_out(name, "one model; needs at least 2")).into();
        return Ok(out);
    }
    let cell = by_cells(sums, keep);
    if cell.adjusted().is_some() {
        let test = test_by_cells(corpus, sums, keep, seed, observer)?;
        let without = regular.and_then(|keep| by_cells(sums, keep).adjusted());
        out.summary.cell = out.put("r2_cell", &cell, &test, without, weights);
    } else if cell.total > 0.0 || sums.queries.iter().any(|query| !repeated(query, keep).is_empty()) {
        out.left_out.push(left_out(names[0], "no query whose answers vary has two models with 2 responses each"));
    } else {
        out.left_out.push(left_out(names[0], ONE_SAMPLE));
    }
    let Some(found) = style(corpus, sums, keep, seed, true, observer)?.filter(|one| one.split.adjusted().is_some())
    else {
        let reason = "no two models have equally many responses to each of two queries whose answers vary";
        out.left_out.push(left_out(names[1], reason));
        return Ok(out);
    };
    let test = test_style(&found, seed, observer)?;
    let without = match regular {
        Some(keep) => style(corpus, sums, keep, seed, false, observer)?.and_then(|one| one.split.adjusted()),
        None => None,
    };
    out.summary.style = out.put("r2_style", &found.split, &test, without, weights);
    Ok(out)
}

#[cfg(test)]
mod tests;
