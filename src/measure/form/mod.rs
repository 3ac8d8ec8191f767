//! Form and content: how alike answers begin, whatever they say. form.parquet.
//!
//! Form is the 4-grams of the first 300 characters of a response, content its embedding; both of the same responses, pairs
//! of the same question and of different ones. One model's answers stand beside what people write, where there are people,
//! else beside pairs of different models. "Thinking" is not observed: the finding is form that repeats where content differs.

mod choice;
mod compression;
#[cfg(test)]
pub mod coverage;
mod estimates;
mod pairs;
mod question;
mod sums;
mod vectors;

use super::MeasureSettings;
use super::intervals::{self, Weights};
use super::jackknife::Estimate;
use super::tables::{
    Contrast, FormContrast, FormFound, FormGroup, FormPairs, FormRow, FormStyle, FormSummary, Headline, LeftOut, Mean,
};
use crate::base::math::quantile_sorted;
use crate::base::{Observer, Result};
use crate::corpus::excerpts::CHARS;
use crate::corpus::{Corpus, Excerpts};
use estimates::{Of, mean, noise_between_models, style};
use question::Question;
use rayon::prelude::*;
use std::ops::Range;
use sums::Scalars;
use vectors::{BUCKETS, Content, Form, GRAMS, Openings};

const NAME: &str = "Form and content";

/// What the corpus says about form.
#[derive(Debug, Default)]
pub struct Found {
    /// form.parquet.
    pub rows: Vec<FormRow>,
    /// For summary.json.
    pub summary: Option<FormSummary>,
    /// Of all models.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// Form, content and opening.
type Channels<T> = [T; 3];

/// Bytes held at most, tables aside.
pub fn bytes(corpus: &Corpus) -> usize {
    let Some(excerpts) = &corpus.rows.excerpts else { return 0 };
    let long = |position: &usize| excerpts.of(corpus.layout.row_at[*position] as usize).len() >= CHARS;
    let count = |positions: &Range<usize>| positions.clone().filter(long).count();
    let of = |size: (usize, usize)| sums::bytes(corpus, size, count).max(pairs::bytes(corpus, size, count));
    20 * corpus.len() + of((BUCKETS, GRAMS)).max(of((corpus.dim(), corpus.dim())))
}

/// Form, content and opening of all models, and again of those that `keeps` have.
fn channels(
    (corpus, excerpts): (&Corpus, &Excerpts),
    questions: &[Question],
    keeps: &[&[bool]],
    observer: &dyn Observer,
) -> Result<Vec<Channels<Scalars>>> {
    let form = sums::scalars(questions, &Form::new(corpus, excerpts), keeps, observer)?;
    let content = sums::scalars(questions, &Content(corpus), keeps, observer)?;
    let opening = sums::scalars(questions, &Openings::new(corpus, excerpts), keeps, observer)?;
    let each = form.into_iter().zip(content).zip(opening);
    Ok(each.map(|((form, content), opening)| [form, content, opening]).collect())
}

/// What is measured on some of the models.
struct Measured<'a> {
    corpus: &'a Corpus,
    channels: &'a Channels<Scalars>,
    weights: Option<&'a Weights>,
}

impl Measured<'_> {
    /// Means of form, content and opening over the same pairs.
    fn means(&self, of: Of, other: bool) -> Option<Channels<Estimate>> {
        let [form, content, opening] = self.channels.each_ref().map(|one| mean(&one.questions, of, other));
        Some([form?, content?, opening?])
    }

    fn interval(&self, estimate: &Estimate, weights: Option<&Weights>) -> Mean {
        let queries = self.corpus.layout.canonical.len();
        Mean { value: estimate.value, ci: estimate.interval(queries, weights) }
    }

    /// One model's pairs, or those of different models, beside the reference's; `None` under 2 queries.
    fn contrast(&self, of: Of, reference: Of, other: bool) -> Option<FormContrast> {
        let (here, there) = (self.means(of, other)?, self.means(reference, other)?);
        let queries = here[0].minus(&there[0]).units() as u64;
        if queries < 2 {
            return None;
        }
        let one = |channel: usize| {
            let mut difference = here[channel].minus(&there[channel]);
            if (of, reference, other) == (Of::OneModel, Of::OtherModels, true) {
                difference.noise = noise_between_models(&self.channels[channel]);
            }
            let Mean { value: difference, ci: interval } = self.interval(&difference, self.weights);
            Contrast { value: here[channel].value, reference: there[channel].value, difference, interval }
        };
        Some(FormContrast {
            group: if of == Of::OneModel { FormGroup::OneModel } else { FormGroup::OtherModels },
            other_query: other,
            queries,
            form: one(0),
            content: one(1),
            opening: one(2),
        })
    }

    fn style(&self, channel: usize) -> Option<FormStyle> {
        let found = style(&self.channels[channel])?;
        let Mean { value: adjusted, ci: interval } = self.interval(&found.adjusted, self.weights);
        let queries = found.adjusted.units() as u64;
        Some(FormStyle { r2: found.r2, expected: found.expected, adjusted, interval, queries })
    }

    /// Contrasts, and what models explain.
    fn found(&self, reference: Of) -> FormFound {
        let of: &[Of] = if reference == Of::People { &[Of::OneModel, Of::OtherModels] } else { &[Of::OneModel] };
        let pairs = [true, false].into_iter().flat_map(|other| of.iter().map(move |&of| (of, other)));
        let contrasts = pairs.filter_map(|(of, other)| self.contrast(of, reference, other)).collect();
        FormFound { contrasts, style_form: self.style(0), style_content: self.style(1) }
    }
}

/// The positions of a group in a question.
fn positions(question: &Question, of: Of) -> Vec<usize> {
    match of {
        Of::Model(model) => {
            let place = question.cells.binary_search_by_key(&model, |cell| cell.0);
            place.map_or_else(|_| Vec::new(), |place| question.cells[place].1.clone())
        }
        Of::OneModel | Of::OtherModels => question.cells.iter().flat_map(|cell| cell.1.iter().copied()).collect(),
        Of::People => question.people.clone(),
    }
}

/// Lines of the table.
struct Lines<'a> {
    measured: Measured<'a>,
    excerpts: &'a Excerpts,
    questions: &'a [Question],
    seed: u64,
}

impl Lines<'_> {
    fn row(&self, group: FormGroup, of: Of, weights: Option<&Weights>) -> Option<FormRow> {
        let corpus = self.measured.corpus;
        let counts = self.questions.iter().map(|question| positions(question, of).len() as u64);
        let (responses, queries) = counts.fold((0, 0), |t, n| (t.0 + n, t.1 + u64::from(n > 0)));
        let pairs = |other: bool| {
            let [form, content, opening] =
                self.measured.means(of, other)?.map(|one| self.measured.interval(&one, weights));
            Some(FormPairs { form, content, opening })
        };
        let (other_query, same_query) = (pairs(true), pairs(false));
        let model = if let Of::Model(model) = of { Some(corpus.rows.models.name(model).to_owned()) } else { None };
        let compression = match of {
            Of::OneModel => None,
            _ => {
                compression::ratio(corpus, self.excerpts, self.questions, self.seed, |question| positions(question, of))
            }
        };
        (other_query.is_some() || same_query.is_some()).then_some(FormRow {
            group,
            model,
            responses,
            queries,
            other_query,
            same_query,
            compression,
        })
    }

    /// Each model's own pairs together, then of each model, of different models, of people.
    fn rows(&self, observer: &dyn Observer) -> Result<Vec<FormRow>> {
        let mut models: Vec<u32> =
            self.questions.iter().flat_map(|question| &question.cells).map(|cell| cell.0).collect();
        models.sort_unstable();
        models.dedup();
        let work = self.measured.weights.map_or(0, Weights::resamples) * 6 * models.len() * self.questions.len();
        let weights = self.measured.weights.filter(|_| (work as f64) < intervals::WORK);
        let of_models: Vec<Option<FormRow>> = (models.par_iter())
            .map(|&model| {
                observer.check_stop()?;
                Ok(self.row(FormGroup::OneModel, Of::Model(model), weights))
            })
            .collect::<Result<_>>()?;
        let of_models: Vec<FormRow> = of_models.into_iter().flatten().collect();
        let mut together = self.row(FormGroup::OneModel, Of::OneModel, self.measured.weights);
        if let Some(together) = &mut together {
            let mut known: Vec<f64> = of_models.iter().filter_map(|row| row.compression).collect();
            known.sort_unstable_by(f64::total_cmp);
            together.compression = (!known.is_empty()).then(|| quantile_sorted(&known, 0.5));
        }
        let others = self.row(FormGroup::OtherModels, Of::OtherModels, self.measured.weights);
        let people = self.row(FormGroup::People, Of::People, self.measured.weights);
        Ok(together.into_iter().chain(of_models).chain(others).chain(people).collect())
    }
}

fn repeats(contrast: &FormContrast, reference: FormGroup, without: Option<&FormContrast>) -> Headline {
    let form = &contrast.form;
    let mut notes: Vec<String> = intervals::warning(contrast.queries as usize).into_iter().collect();
    notes.push(format!(
        "form {:.3}, {} {:.3}; content {:.3}, {} {:.3}",
        form.value,
        reference.words(),
        form.reference,
        contrast.content.value,
        reference.words(),
        contrast.content.reference
    ));
    Headline {
        name: "form_repeats".into(),
        label: format!(
            "How much more alike in form one model’s answers to different queries are than {}",
            reference.words()
        ),
        value: form.difference,
        interval: form.interval,
        floor: Some(contrast.content.difference),
        floor_label: Some("the same difference in content".into()),
        without_regardless: without.map(|contrast| contrast.form.difference),
        queries: contrast.queries,
        notes,
        ..Headline::default()
    }
}

fn style_headline(form: &FormStyle, content: &FormStyle, without: Option<&FormStyle>) -> Headline {
    let mut notes: Vec<String> = intervals::warning(form.queries as usize).into_iter().collect();
    notes.push(format!(
        "before the adjustment {:.3}, where shuffled models have {:.3}; content {:.3} and {:.3}",
        form.r2, form.expected, content.r2, content.expected
    ));
    Headline {
        name: "form_style".into(),
        label: "Share of the variation in form within a query that the model explains".into(),
        value: form.adjusted,
        interval: form.interval,
        floor: Some(content.adjusted),
        floor_label: Some("the same share of the variation in content".into()),
        without_regardless: without.map(|form| form.adjusted),
        queries: form.queries,
        notes,
        ..Headline::default()
    }
}

/// Form and content of the responses of 300 characters and more; `keep` has the models and `regular` those that do not
/// answer regardless of the query, `people` says of each row whether a person wrote it (empty: nobody).
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn form(
    corpus: &Corpus,
    (people, keep, regular): (&[bool], &[bool], &[bool]),
    settings: &MeasureSettings,
    weights: Option<&Weights>,
    observer: &dyn Observer,
) -> Result<Found> {
    let mut out = Found::default();
    let mut left = |measure: &str, reason: &str| {
        out.left_out.push(LeftOut { measure: measure.into(), reason: reason.into() });
    };
    let Some(excerpts) = &corpus.rows.excerpts else {
        left(NAME, "no text column");
        return Ok(out);
    };
    let (questions, short) = Question::all(corpus, excerpts, people, keep);
    let odd = keep != regular && regular.contains(&true);
    let keeps = if odd { vec![keep, regular] } else { vec![keep] };
    let channels = channels((corpus, excerpts), &questions, &keeps, observer)?;
    let measured = |channels| Measured { corpus, channels, weights };
    let lines = Lines { measured: measured(&channels[0]), excerpts, questions: &questions, seed: settings.seed };
    let rows = lines.rows(observer)?;
    if rows.is_empty() {
        left(NAME, "fewer than 2 responses have a text of 300 characters");
        return Ok(out);
    }
    let reference = if people.contains(&true) { Of::People } else { Of::OtherModels };
    let group = if reference == Of::People { FormGroup::People } else { FormGroup::OtherModels };
    let found = lines.measured.found(reference);
    let without = channels.get(1).map(|channels| measured(channels).found(reference));
    fn own(found: &FormFound, other: bool) -> Option<&FormContrast> {
        found.contrasts.iter().find(|one| one.group == FormGroup::OneModel && one.other_query == other)
    }
    match own(&found, true) {
        Some(contrast) => {
            out.headlines.push(repeats(contrast, group, without.as_ref().and_then(|found| own(found, true))));
        }
        None => left(
            "Form of answers to different queries",
            "needs one model’s answers of 300 characters to 2 queries, and people’s or other models’ beside them",
        ),
    }
    if own(&found, false).is_none() {
        left(
            "Form of one model’s answers to the same query",
            "no 2 queries with 2 answers of 300 characters to set beside others",
        );
    }
    match found.style_form.zip(found.style_content) {
        Some((form, content)) => {
            let without = without.as_ref().and_then(|found| found.style_form.as_ref());
            out.headlines.push(style_headline(&form, &content, without));
        }
        None => left(
            "Share of form that models explain",
            "needs 2 models and 2 queries with 2 answers of 300 characters that differ",
        ),
    }
    if rows.iter().all(|row| row.compression.is_none()) {
        left("Compression ratio", "no model has 20 kB of beginnings (67 answers of 300 characters)");
    }
    out.summary = Some(FormSummary {
        responses: questions.iter().map(|q| (q.n() as usize + q.people.len()) as u64).sum(),
        short,
        reference: group,
        all: found,
        without_regardless: without,
    });
    out.rows = rows;
    Ok(out)
}
