//! Means over pairs and shares explained, each with what every question contributes to it.
//!
//! Pairs of different questions have a part in two of them. So a question's contribution is what the number loses when the
//! question is left out (the jackknife), and intervals resample these contributions.

use super::super::intervals::{self, Weights};
use super::super::tables::Interval;
use super::sums::{OfQuestion, Part};

/// A number and its contributions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Query id and contribution, by query; they add up to 0.
    contributions: Vec<(usize, f64)>,
}

impl Estimate {
    /// From the number, and by question what it is without that question; `None` where nothing is left.
    fn new(value: f64, without: Vec<(usize, Option<f64>)>) -> Self {
        let without: Option<Vec<(usize, f64)>> =
            without.into_iter().map(|(query, value)| value.map(|value| (query, value))).collect();
        let Some(without) = without else { return Self { value, contributions: Vec::new() } };
        let n = without.len() as f64;
        let mean = without.iter().map(|one| one.1).sum::<f64>() / n;
        let share = (n - 1.0) / n;
        Self { value, contributions: without.into_iter().map(|(q, v)| (q, share * (mean - v))).collect() }
    }

    /// `self - other`.
    pub fn minus(&self, other: &Self) -> Self {
        let mut all: Vec<(usize, f64)> = self.contributions.clone();
        all.extend(other.contributions.iter().map(|&(query, value)| (query, -value)));
        all.sort_by_key(|one| one.0);
        let sum = |same: &[(usize, f64)]| (same[0].0, same.iter().map(|one| one.1).sum());
        let known = !self.contributions.is_empty() && !other.contributions.is_empty();
        let contributions = if known { all.chunk_by(|a, b| a.0 == b.0).map(sum).collect() } else { Vec::new() };
        Self { value: self.value - other.value, contributions }
    }

    /// Interval over `queries` queries.
    pub fn interval(&self, queries: usize, weights: Option<&Weights>) -> Option<Interval> {
        let mut terms = vec![None; queries];
        let n = self.contributions.len() as f64;
        self.contributions.iter().for_each(|&(q, c)| terms[q] = Some((self.value + n * c, 1.0)));
        intervals::quotient(&terms, weights)
    }

    /// Number of questions.
    pub fn questions(&self) -> usize {
        self.contributions.len()
    }
}

/// Whose pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// One model's.
    Model(u32),
    /// Each model's own.
    OneModel,
    /// Different models'.
    OtherModels,
    /// People's.
    People,
}

fn plus(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 + b.0, a.1 + b.1)
}

fn minus(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 - b.0, a.1 - b.1)
}

fn ratio(pairs: (f64, f64)) -> Option<f64> {
    (pairs.1 > 0.5).then(|| pairs.0 / pairs.1)
}

/// Sum and number of the pairs that a question has.
fn pairs(question: &OfQuestion, of: Of, part: fn(&Part) -> (f64, f64)) -> (f64, f64) {
    let models = || question.models.iter().map(|one| part(&one.1)).fold((0.0, 0.0), plus);
    match of {
        Of::Model(model) => {
            let place = question.models.binary_search_by_key(&model, |one| one.0);
            place.map_or((0.0, 0.0), |place| part(&question.models[place].1))
        }
        Of::OneModel => models(),
        Of::OtherModels => minus(part(&question.together), models()),
        Of::People => part(&question.people),
    }
}

/// Mean over pairs within a question, or with `other` of different questions; `None` if there is no pair.
pub fn mean(questions: &[OfQuestion], of: Of, other: bool) -> Option<Estimate> {
    let part = if other { Part::other } else { Part::same };
    let parts: Vec<(usize, (f64, f64))> = (questions.iter())
        .map(|question| (question.query, pairs(question, of, part)))
        .filter(|(_, pairs)| pairs.1 > 0.5)
        .collect();
    // A pair of questions is met from both.
    let sides = if other { 0.5 } else { 1.0 };
    let all = parts.iter().fold((0.0, 0.0), |t, one| plus(t, one.1));
    let all = (sides * all.0, sides * all.1);
    let value = ratio(all)?;
    let without = parts.iter().map(|(query, part)| (*query, ratio(minus(all, *part)))).collect();
    Some(Estimate::new(value, without))
}

/// Share of the variation within questions that models explain.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Style {
    /// R^2 of the model means of rows centred by question.
    pub r2: f64,
    /// Its mean if models were shuffled within each question.
    pub expected: f64,
    /// `(r2 - expected) / (1 - expected)`.
    pub adjusted: Estimate,
}

/// Sums that R^2 and its expectation rest on.
#[derive(Debug, Clone, Copy, Default)]
struct Variation {
    within: f64,
    explained: f64,
    expected: f64,
}

impl Variation {
    fn adjusted(self) -> Option<f64> {
        let rest = self.within - self.expected;
        (rest > 1e-9 * self.within).then(|| (self.explained - self.expected) / rest)
    }
}

/// What a question's rows vary, and by what the sum of n of its N drawn without replacement does: n (N - n) / (N - 1)
/// times the mean square.
fn variation(question: &OfQuestion) -> (f64, impl Fn(f64) -> f64) {
    let all = question.together.n;
    let within = if all > 1.0 { all - question.together.square / all } else { 0.0 };
    let drawn = move |n: f64| if all > 1.0 { n * (all - n) / (all - 1.0) * within / all } else { 0.0 };
    (within, drawn)
}

/// R^2 by model of the rows centred by question, of `models` models; `None` with one model, one question, or nothing left
/// to explain.
pub fn style(questions: &[OfQuestion], models: usize) -> Option<Style> {
    // By model: responses, squared length of the centred sum, its expectation.
    let mut of = vec![(0.0, 0.0, 0.0); models];
    let mut all = Variation::default();
    for question in questions {
        let (within, drawn) = variation(question);
        all.within += within;
        for (model, part, centred) in &question.models {
            let one = &mut of[*model as usize];
            *one = (one.0 + part.n, centred.all, one.2 + drawn(part.n));
        }
    }
    let present = of.iter().filter(|one| one.0 > 0.0);
    all.explained = present.clone().map(|one| one.1 / one.0).sum();
    all.expected = present.clone().map(|one| one.2 / one.0).sum();
    if present.count() < 2 || questions.iter().filter(|question| question.together.n > 1.0).count() < 2 {
        return None;
    }
    let value = all.adjusted()?;
    let without = |question: &OfQuestion| {
        let (within, drawn) = variation(question);
        let mut left = Variation { within: all.within - within, ..all };
        for (model, part, centred) in &question.models {
            let (n, square, expected) = of[*model as usize];
            let rest = n - part.n;
            left.explained -= square / n;
            left.expected -= expected / n;
            if rest > 0.5 {
                left.explained += (square - 2.0 * centred.with_all + centred.square) / rest;
                left.expected += (expected - drawn(part.n)) / rest;
            }
        }
        left.adjusted()
    };
    let counted = questions.iter().filter(|question| question.together.n > 1.0);
    let adjusted = Estimate::new(value, counted.map(|question| (question.query, without(question))).collect());
    Some(Style { r2: all.explained / all.within, expected: all.expected / all.within, adjusted })
}
