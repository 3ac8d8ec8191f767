//! Odd little corpora: whatever columns they have and however little is in them, nothing panics and every number is finite
//! or null.

use super::coverage::outcome;
use super::{MeasureSettings, Measures, Summary, all, planted};
use crate::base::events::Silent;
use crate::base::random::Stream;
use crate::corpus::layout::normalise_text;
use crate::corpus::{Category, Corpus, Dictionary, Excerpts, Number, Role};
use rayon::prelude::*;

/// Values that a column may have; of some of these lists all, of others only the first are drawn.
const NAMES: [(Role, &[&[&str]]); 8] = [
    (Role::Source, &[&["human"], &["ai"], &["human", "ai"], &["human", "a", "b", "c"]]),
    (Role::Family, &[&["f"], &["f", "g"]]),
    (Role::Stage, &[&["base"], &["sft", "rl"], &["BASE", "rl", " sft "], &["1", "2", "10", "-3"], &["x", "y"]]),
    (Role::Arm, &[&["on"], &["on", "off"]]),
    (Role::Context, &[&["plain"], &["plain", "poem"], &["a", "b", "c"]]),
    (Role::Class, &[&["1"], &["1", "2"], &["1", "2", "3", "4", "5"]]),
    (Role::Team, &[&["t"], &["t", "u"], &["a", "b", "c", "d", "e", "f"]]),
    (
        Role::Time,
        &[&["1"], &["1", "2", "3", "4.5"], &["2024-01-01", "2024-02-29"], &["1e300", "-1e300", "0"], &["soon", "1"]],
    ),
];
/// Numbers that a column may have.
const NUMBERS: [&[f64]; 6] =
    [&[1.0], &[0.0, 1.0], &[f64::NAN], &[f64::NAN, 2.0], &[1.0, 2.0, 3.0, 5.0, -1e6], &[9e99, -9e99, 1e-300]];
/// Texts.
const TEXTS: [&str; 5] = ["", " \n ", "Yes.", "I'm sorry, but I can't help with that.", "\u{0}\u{202e}é"];

/// Draws of one corpus.
struct Draw(Stream);

impl Draw {
    /// One of `n`, for a use and a row.
    fn below(&self, what: u64, row: usize, n: usize) -> usize {
        self.0.below(what, row as u64, n as u64) as usize
    }

    fn one<'a, T>(&self, what: u64, row: usize, of: &'a [T]) -> &'a T {
        &of[self.below(what, row, of.len())]
    }
}

fn corpus(draw: &Draw) -> Corpus {
    let (queries, models) = (1 + draw.below(0, 0, 12), 1 + draw.below(0, 1, 4));
    let rows = 1 + draw.below(0, 2, 90);
    let dim = 1 + draw.below(0, 3, 5);
    let query =
        |row: usize| ["a", " A ", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"][draw.below(1, row, queries)];
    let keys = (0..rows).map(|row| (query(row).to_string(), draw.below(2, row, models).to_string()));
    let kind = draw.below(0, 4, 6);
    let mut corpus = planted::corpus(keys, dim, |row, i| {
        let (noise, ones) = (draw.0.normal(100 + row as u64, i as u64) as f32, if i == 0 { 1.0 } else { 0.0 });
        match kind {
            0 => ones,
            1 => ones * [1.0, -1.0][draw.below(3, row, 2)],
            2 => ones + 1e-7 * noise,
            3 => 1e-30 * (ones + draw.below(3, row, 3) as f32),
            _ => 0.5 + noise,
        }
    });
    for (at, (role, lists)) in NAMES.iter().enumerate() {
        let what = 10 + 4 * at as u64;
        if draw.below(what, 0, 4) == 0 {
            continue;
        }
        let list = *draw.one(what, 1, lists);
        let nulls = [0, 0, 30, 100][draw.below(what, 2, 4)];
        let names: Vec<Option<&str>> = (0..rows)
            .map(|row| (draw.below(what + 1, row, 100) >= nulls).then(|| *draw.one(what + 2, row, list)))
            .collect();
        let (dictionary, _) =
            Dictionary::from_names(&names.iter().flatten().map(|n| n.to_string()).collect::<Vec<_>>());
        let ids = names.iter().map(|name| name.and_then(|name| dictionary.id(name)).unwrap_or(u32::MAX)).collect();
        corpus.rows.categories.insert(*role, Category { dictionary, ids });
    }
    for (what, number) in [(50, Number::Quality), (54, Number::Expertise)] {
        let list = draw.one(what, 0, &NUMBERS);
        if draw.below(what, 1, 4) > 0 {
            corpus.rows.numbers.insert(number, (0..rows).map(|row| *draw.one(what + 1, row, list)).collect());
        }
    }
    if draw.below(60, 0, 4) > 0 {
        let some = 1 + draw.below(60, 1, TEXTS.len() + 2);
        let text = |row: usize| match draw.below(61, row, some) {
            at if at < TEXTS.len() => TEXTS[at].to_owned(),
            at => (0..200 + 150 * at).map(|i| ['a', 'b', ' '][draw.below(1000 + row as u64, i, 3)]).collect(),
        };
        let texts: Vec<String> = (0..rows).map(text).collect();
        let hash = |text: &String| match normalise_text(text) {
            normal if normal.is_empty() => 0,
            normal => blake3::hash(normal.as_bytes()).as_bytes()[..16].iter().fold(1, |h, b| h << 8 | u128::from(*b)),
        };
        corpus.rows.text_hash = Some(texts.iter().map(hash).collect());
        corpus.rows.text_chars = Some(texts.iter().map(|text| text.chars().count() as u32).collect());
        corpus.rows.refusal = Some(texts.iter().map(|text| text.starts_with("I'm sorry")).collect());
        corpus.rows.excerpts = Some(Excerpts::of_texts(&texts));
    }
    corpus
}

/// What is not a number in a result.
fn not_finite(found: &Measures) -> Option<String> {
    let said = format!("{found:?}");
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    let mut at = 0;
    for part in said.split(word) {
        if part == "NaN" || part == "inf" {
            let from = said[..at].char_indices().rev().nth(300).map_or(0, |(from, _)| from);
            return Some(said[from..at + part.len()].to_owned());
        }
        at += part.len() + said[at + part.len()..].chars().next().map_or(0, char::len_utf8);
    }
    None
}

#[test]
fn every_number_of_an_odd_corpus_is_finite_or_null() {
    let wrong: Vec<String> = (0..400u64)
        .into_par_iter()
        .filter_map(|seed| {
            let draw = Draw(Stream::new(seed, "odd corpora"));
            let corpus = corpus(&draw);
            let settings = MeasureSettings {
                seed,
                resamples: 60,
                tau: *draw.one(0, 5, &[None, None, Some(-1.0), Some(0.5), Some(1.0)]),
                quality_bar: *draw.one(0, 6, &[None, Some(0.0), Some(1e9)]),
                ..MeasureSettings::default()
            };
            let run =
                std::panic::AssertUnwindSafe(|| all(&corpus, &outcome(&corpus, true), &settings, &Silent).unwrap());
            let Ok(found) = std::panic::catch_unwind(run) else { return Some(format!("{seed}: panics")) };
            let summary = serde_json::to_string(&found.summary).unwrap();
            let same = serde_json::from_str::<Summary>(&summary).is_ok_and(|read| read == found.summary);
            let of_intervals = found.summary.headlines.iter().filter_map(|line| line.interval);
            let ordered = of_intervals.clone().all(|i| i.low <= i.high);
            let reasons = found.summary.left_out.iter().all(|left| !left.reason.is_empty());
            let said = not_finite(&found);
            (said.is_some() || !same || !ordered || !reasons)
                .then(|| format!("{seed}: same {same}, ordered {ordered}, reasons {reasons}: {said:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of 400:\n{}", wrong.len(), wrong.join("\n"));
}
