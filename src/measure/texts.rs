//! What hardly is an answer: empty, refusal-like and repeated texts, and the headline without them.
//!
//! What reads like a refusal is told while reading (`input::refusal`). Copies are collapsed within a query: a text
//! counts once, for the first model by name that has it.

use super::duplicates;
use super::intervals::total;
use super::intervals::{self, Weights};
use super::restricted::{Again, again, all_pairs, whole};
use super::sums::Sums;
use super::tables::{ModelRow, RestrictedLine, TextShare, TextsSummary};
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use std::collections::HashSet;

/// Marks of a corpus with text, by row.
#[derive(Clone, Copy)]
struct Marks<'a> {
    hashes: &'a [u128],
    refusals: &'a [bool],
}

fn marks(corpus: &Corpus) -> Option<Marks<'_>> {
    let rows = &corpus.rows;
    Some(Marks { hashes: rows.text_hash.as_deref()?, refusals: rows.refusal.as_deref()? })
}

/// Fills the shares of models.parquet.
pub fn fill_models(corpus: &Corpus, models: &mut [ModelRow]) {
    let Some(marks) = marks(corpus) else { return };
    let mut counts = vec![[0u64; 2]; models.len()];
    for (row, &model) in corpus.rows.model.iter().enumerate() {
        let count = &mut counts[model as usize];
        count[0] += u64::from(marks.hashes[row] == 0);
        count[1] += u64::from(marks.refusals[row]);
    }
    let everyone = vec![true; models.len()];
    let repeats = duplicates::verbatim_by(corpus, &everyone, models.len(), |row| corpus.rows.model[row] as usize);
    for ((model, count), repeats) in models.iter_mut().zip(counts).zip(repeats.unwrap_or_default()) {
        model.empty_share = Some(count[0] as f64 / model.n as f64);
        model.refusal_share = Some(count[1] as f64 / model.n as f64);
        model.verbatim_share = (repeats.2 > 0.0).then(|| repeats.0 / repeats.2);
    }
}

fn share(name: &str, terms: &[(f64, f64)], weights: &Weights) -> Option<TextShare> {
    let sum = |part: fn(&(f64, f64)) -> f64| terms.iter().map(part).sum::<f64>();
    Some(TextShare {
        name: name.into(),
        value: total(terms)?,
        interval: intervals::share(terms, Some(weights)),
        responses: sum(|t| t.0) as u64,
        of: sum(|t| t.1) as u64,
    })
}

fn line(name: &str, found: &Again, responses: usize, weights: &Weights) -> Option<RestrictedLine> {
    Some(RestrictedLine {
        name: name.into(),
        value: found.value()?,
        interval: intervals::ratio(&found.terms, Some(weights)),
        floor: found.floor,
        queries: found.terms.iter().filter(|t| t.1 > 0.0).count() as u64,
        responses: responses as u64,
    })
}

/// Shares, and the headline without refusals, with copies collapsed, and both, of the models that `keep` has; `None`
/// without a text column.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn summary(
    corpus: &Corpus,
    sums: &Sums,
    keep: &[bool],
    weights: &Weights,
    observer: &dyn Observer,
) -> Result<Option<TextsSummary>> {
    let Some(marks) = marks(corpus) else { return Ok(None) };
    let layout = &corpus.layout;
    let row = |p: usize| layout.row_at[p] as usize;
    let kept = |p: usize| keep[corpus.rows.model[row(p)] as usize];
    let by_query = |of: &dyn Fn(usize) -> bool| -> Vec<(f64, f64)> {
        let count = |positions: &std::ops::Range<usize>, of: &dyn Fn(usize) -> bool| {
            positions.clone().filter(|&p| kept(p) && of(p)).count() as f64
        };
        layout.query_positions.iter().map(|positions| (count(positions, of), count(positions, &|_| true))).collect()
    };
    let repeats = duplicates::verbatim_terms(corpus, keep).unwrap_or_default();
    let shares = [
        share("empty", &by_query(&|p| marks.hashes[row(p)] == 0), weights),
        share("refusal", &by_query(&|p| marks.refusals[row(p)]), weights),
        share("verbatim", &repeats.iter().map(|t| (t.0, t.2)).collect::<Vec<_>>(), weights),
    ];

    // Positions go by query, then model: the first that has a text is that of the first model.
    let mut first = vec![false; corpus.len()];
    for positions in &layout.query_positions {
        let mut seen = HashSet::new();
        positions.clone().filter(|&p| kept(p)).for_each(|p| first[p] = seen.insert(marks.hashes[row(p)]));
    }
    let answered = |p: usize| kept(p) && marks.hashes[row(p)] != 0;
    let mut lines = vec![("all", (0..corpus.len()).map(kept).collect::<Vec<bool>>(), whole(sums, keep))];
    for (name, refusals, copies) in
        [("without_refusals", false, true), ("collapsed", true, false), ("without_refusals_collapsed", false, false)]
    {
        let chosen: Vec<bool> = (0..corpus.len())
            .map(|p| answered(p) && (refusals || !marks.refusals[row(p)]) && (copies || first[p]))
            .collect();
        let known = lines.iter().find(|line| line.1 == chosen).map(|line| line.2.clone());
        let found = match known {
            Some(found) => found,
            None => again(corpus, &sums.groups, &chosen, &|of| all_pairs(corpus, of), observer)?,
        };
        lines.push((name, chosen, found));
    }
    let responses = |chosen: &[bool]| chosen.iter().filter(|&&c| c).count();
    Ok(Some(TextsSummary {
        shares: shares.into_iter().flatten().collect(),
        lines: lines.iter().filter_map(|(name, c, found)| line(name, found, responses(c), weights)).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;
    use crate::measure::intervals::RESAMPLES;

    /// 60 queries of 4 models, 2 answers each, in the cosines of `synth`: B .5 across models, C .1 across queries. With
    /// `junk` model 3 refuses in one direction, whatever is asked, and models 0 and 1 give one text and vector in the
    /// first half of the queries.
    fn corpus(junk: bool) -> Corpus {
        const QUERIES: usize = 60;
        let place = |i: usize| (i / 8, i / 2 % 4, i % 2);
        let keys = (0..QUERIES * 8).map(|i| (format!("{:02}", place(i).0), place(i).1.to_string()));
        let refuses = move |i: usize| junk && place(i).1 == 3;
        let copied = move |i: usize| junk && place(i).0 < QUERIES / 2 && place(i).1 < 2;
        let mut corpus = planted::corpus(keys, 2 + QUERIES + 8, move |i, d| {
            let own = if copied(i) { 0 } else { i % 8 };
            let square = match d {
                _ if refuses(i) => f64::from(u8::from(d == 1)),
                0 => 0.1,
                d if d == 2 + place(i).0 => 0.4,
                d if d == 2 + QUERIES + own => 0.5,
                _ => 0.0,
            };
            // Answers of different queries share directions of answers: signs that alternate take that away.
            let sign = if d >= 2 + QUERIES && (place(i).0 >> ((d - 2 - QUERIES) % 6)) % 2 == 1 { -1.0 } else { 1.0 };
            sign * f64::sqrt(square) as f32
        });
        let n = corpus.len();
        let text = |i: usize| match i {
            i if refuses(i) => 7,
            i if copied(i) => 1000 + place(i).0,
            i => 2000 + i,
        };
        corpus.rows.text_hash = Some((0..n).map(|i| text(i) as u128).collect());
        corpus.rows.refusal = Some((0..n).map(refuses).collect());
        corpus
    }

    fn found(corpus: &Corpus) -> TextsSummary {
        let sums = Sums::new(corpus, &[], &Silent).unwrap();
        let weights = Weights::new(0, "intervals", RESAMPLES, sums.queries.len());
        summary(corpus, &sums, &[true; 4], &weights, &Silent).unwrap().unwrap()
    }

    #[test]
    fn refusals_and_copies_are_taken_out() {
        let corpus = corpus(true);
        let found = found(&corpus);
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-6, "{got} vs {want}");
        let value = |place: usize| found.lines[place].value;
        let names: Vec<&str> = found.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["all", "without_refusals", "collapsed", "without_refusals_collapsed"]);
        // 24 pairs of models' answers a query: 12 with a refusal (0), of the rest .5, 4 of them 1 in half of the queries.
        close(value(0), (0.5 * (4.0 + 8.0 * 0.5) + 0.5 * 12.0 * 0.5) / 24.0);
        close(value(1), (0.5 * (4.0 + 8.0 * 0.5) + 0.5 * 12.0 * 0.5) / 12.0);
        // Half of the queries: one text of models 0 and 1, two of model 2, one refusal: 2 pairs at .5 of 5.
        close(value(2), (30.0 * 2.0 * 0.5 + 30.0 * (12.0 * 0.5 + 0.0)) / (30.0 * 5.0 + 30.0 * 18.0));
        close(value(3), 0.5);
        assert_eq!(found.lines[3].responses, 30 * 3 + 30 * 6);
        let shares: Vec<(&str, u64, u64)> = found.shares.iter().map(|s| (s.name.as_str(), s.responses, s.of)).collect();
        assert_eq!(shares, [("empty", 0, 480), ("refusal", 120, 480), ("verbatim", 240, 480)]);
        let mut models: Vec<ModelRow> = (0..4).map(|model| ModelRow { model, n: 120, ..ModelRow::default() }).collect();
        fill_models(&corpus, &mut models);
        let share =
            |model: usize| (models[model].refusal_share, models[model].verbatim_share, models[model].empty_share);
        assert_eq!(share(3), (Some(1.0), Some(1.0), Some(0.0)));
        assert_eq!((share(0), share(2)), ((Some(0.0), Some(0.5), Some(0.0)), (Some(0.0), Some(0.0), Some(0.0))));
    }

    #[test]
    fn without_junk_every_line_is_the_headline() {
        let found = found(&corpus(false));
        assert!(
            found.lines.iter().all(|line| line.value == found.lines[0].value && line.floor == found.lines[0].floor)
        );
        assert!((found.lines[0].value - 0.5).abs() < 1e-6);
        assert!(found.shares.iter().all(|share| share.value == 0.0));
    }
}
