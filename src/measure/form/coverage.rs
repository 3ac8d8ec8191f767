//! How often intervals of form hold the true value, on planted corpora of 50 questions; with and without an effect.

use super::super::coverage::{self, holds};
use super::super::intervals::{RESAMPLES, Weights};
use super::super::planted;
use super::super::tables::FormFound;
use super::estimates::Of;
use super::{Excerpts, Measured, Question, channels};
use crate::base::events::Silent;
use crate::base::random::Stream;
use rayon::prelude::*;

const QUESTIONS: usize = 50;
const MODELS: usize = 4;
/// Fewest and most characters that one model's texts have in common.
const COMMON: std::ops::Range<u64> = 40..240;
/// Share of content that is the question's.
const TOPIC: f64 = 0.4;

/// Content of a row is `sqrt(TOPIC) u + sqrt(s) g + sqrt(1 - TOPIC - s) r`, directions of the question, the model and the
/// row; s varies by question, as does the number of characters that its texts have from their model.
fn found(seed: u64, questions: usize, planted: bool) -> FormFound {
    let stream = Stream::new(seed, "coverage of form");
    let random = Stream::new(seed, "texts of form");
    let style = |question: usize| if planted { 0.5 * stream.uniform(question as u64, 1).powi(2) } else { 0.0 };
    let common = |question: usize| {
        let some = COMMON.start + stream.below(question as u64, 0, COMMON.end - COMMON.start);
        if planted { some as usize } else { 0 }
    };
    let rows = questions * MODELS;
    let keys = (0..rows).map(|row| (format!("{:03}", row / MODELS), (row % MODELS).to_string()));
    let mut corpus = planted::corpus(keys, questions + MODELS + rows, |row, i| {
        let (question, s) = (row / MODELS, style(row / MODELS));
        let square = match i {
            i if i == question => TOPIC,
            i if i == questions + row % MODELS => s,
            i if i == questions + MODELS + row => 1.0 - TOPIC - s,
            _ => 0.0,
        };
        square.sqrt() as f32
    });
    let text = |row: usize| -> String {
        let letter = |i: usize| {
            let whose = if i < common(row / MODELS) { row % MODELS } else { MODELS + row };
            // Of so many characters that grams of different texts hardly meet.
            char::from_u32(0x4e00 + random.below(whose as u64, i as u64, 5000) as u32).unwrap()
        };
        (0..300).map(letter).collect()
    };
    corpus.rows.excerpts = Some(Excerpts::of_texts(&(0..rows).map(text).collect::<Vec<_>>()));
    let excerpts = corpus.rows.excerpts.as_ref().unwrap();
    let weights = Weights::new(seed, "intervals", RESAMPLES, questions);
    let (questions, _) = Question::all(&corpus, excerpts, &[], &[true; MODELS]);
    let channels = channels((&corpus, excerpts), &questions, &[&[true; MODELS]], &Silent).unwrap();
    Measured { corpus: &corpus, channels: &channels[0], weights: Some(&weights) }.found(Of::OtherModels)
}

fn covered<const N: usize>(names: [&str; N], (seeds, most): (u64, f64), held: impl Fn(u64) -> [bool; N] + Sync + Send) {
    let held: Vec<[bool; N]> = (0..seeds).into_par_iter().map(held).collect();
    coverage::covered(&format!("{QUESTIONS} questions"), names, (92.5, most), &held);
}

/// True contrasts of form and of content, and the share of content that models explain.
fn truth() -> [f64; 3] {
    // Two texts of a model have as many characters in common as the lesser of their numbers, and 3 grams fewer.
    let numbers = || COMMON.map(|n| n as f64);
    let count = numbers().count() as f64;
    let lesser: f64 = numbers().flat_map(|a| numbers().map(move |b| a.min(b) - 3.0)).sum::<f64>() / (count * count);
    // Of random pairs of grams one in 2^18 share a bucket.
    let chance = 297.0 / (1u64 << 18) as f64;
    let form = lesser / 297.0 * (1.0 - chance);
    // E sqrt(s)^2 / (1 - TOPIC) with s = .5 U^2; E s of pairs of different questions is the same square of a mean.
    [form, 0.5 * 0.25, 0.5 * 0.25 / (1.0 - TOPIC)]
}

/// Section E of the table of [`super::super::coverage`].
pub fn table(seeds: u64) {
    let names = ["E form", "E content of the same pairs", "E share of form that models explain", "E share of content"];
    let [form, content, style] = truth();
    coverage::rows(names, seeds, |seed, questions, planted| {
        let found = found(seed, questions, planted);
        let pairs = &found.contrasts[0];
        let of = |style: Option<super::super::tables::FormStyle>| style.and_then(|style| style.interval);
        if planted {
            let held = [holds(pairs.form.interval, form), holds(pairs.content.interval, content)];
            [Some(held[0]), Some(held[1]), None, Some(holds(of(found.style_content), style))]
        } else {
            [Some(holds(pairs.form.interval, 0.0)), None, Some(holds(of(found.style_form), 0.0)), None]
        }
    });
}

#[test]
fn form_that_repeats_is_recovered() {
    let [form, content, style] = truth();
    covered(["form", "content of the same pairs", "share of content that models explain"], (1000, 97.5), |seed| {
        let found = found(seed, QUESTIONS, true);
        let pairs = &found.contrasts[0];
        [
            holds(pairs.form.interval, form),
            holds(pairs.content.interval, content),
            holds(found.style_content.unwrap().interval, style),
        ]
    });
}

/// Models that are alike, but of which some answer more often than others, in words that all of them use: here a
/// question has a part in the contrast though no model has a form of its own.
fn uneven(seed: u64) -> FormFound {
    let random = Stream::new(seed, "uneven texts of form");
    let answers = |question: usize, model: usize| 1 + model + usize::from((question + model).is_multiple_of(3));
    let keys = (0..QUESTIONS).flat_map(|question| {
        (0..MODELS).flat_map(move |model| vec![(format!("{question:03}"), model.to_string()); answers(question, model)])
    });
    let keys: Vec<(String, String)> = keys.collect();
    let rows = keys.len();
    let topic: Vec<usize> = keys.iter().map(|key| key.0.parse().unwrap()).collect();
    let mut corpus = planted::corpus(keys.into_iter(), 12, |row, i| {
        let own = random.normal(1 << 40 | row as u64, i as u64);
        (f64::from(u8::from(i == 0)) + 0.3 * random.normal(1 << 41 | topic[row] as u64, i as u64) + 0.3 * own) as f32
    });
    // Words of four letters, the first of 30 of them the most frequent; some texts have more of it than others.
    let text = |row: usize| -> String {
        let taste = 1.0 + 3.0 * random.uniform(1 << 42 | row as u64, 0);
        let word = |i: u64| {
            let which = (30.0 * random.uniform(1 << 43 | row as u64, i).powf(taste)) as u8;
            format!("{}{}st", (b'a' + which % 26) as char, (b'a' + which / 26) as char)
        };
        (0..80).map(word).collect::<Vec<_>>().concat()
    };
    corpus.rows.excerpts = Some(Excerpts::of_texts(&(0..rows).map(text).collect::<Vec<_>>()));
    let excerpts = corpus.rows.excerpts.as_ref().unwrap();
    let weights = Weights::new(seed, "intervals", RESAMPLES, QUESTIONS);
    let (questions, _) = Question::all(&corpus, excerpts, &[], &[true; MODELS]);
    let channels = channels((&corpus, excerpts), &questions, &[&[true; MODELS]], &Silent).unwrap();
    Measured { corpus: &corpus, channels: &channels[0], weights: Some(&weights) }.found(Of::OtherModels)
}

#[test]
fn uneven_numbers_of_answers_are_no_form() {
    let names = ["form", "content", "share of form that models explain", "share of content that models explain"];
    covered(names, (1000, 98.0), |seed| {
        let found = uneven(seed);
        let pairs = &found.contrasts[0];
        let share = |style: Option<super::super::tables::FormStyle>| style.unwrap().interval;
        [pairs.form.interval, pairs.content.interval, share(found.style_form), share(found.style_content)]
            .map(|interval| holds(interval, 0.0))
    });
}

#[test]
fn no_form_is_found_where_none_is_planted() {
    // Only pairs vary, and no question by itself has an effect.
    covered(["form", "share of form that models explain"], (1000, 97.0), |seed| {
        let found = found(seed, QUESTIONS, false);
        [holds(found.contrasts[0].form.interval, 0.0), holds(found.style_form.unwrap().interval, 0.0)]
    });
}
