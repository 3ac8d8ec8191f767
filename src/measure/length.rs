//! Length: is what looks like meaning only a matter of it? Rank correlations of similarity with the lengths of the two
//! texts, and similarity again on pairs of texts of like length.
//!
//! Correlations are over the pairs of a query, as ranks have no closed form; means of like length are from sums.

use super::cells::{self, add_unit_row};
use super::intervals::total;
use super::intervals::{self, Weights};
use super::products::Triangle;
use super::restricted::{again, all_pairs, whole};
use super::similarities::Similarities;
use super::spearman::{self, centred_ranks, correlation};
use super::sums::Sums;
use super::tables::left_out;
use super::tables::{Interval, LeftOut, LengthSummary, LikeLength, RankCorrelation};
use super::variants::dot;
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;

/// Most responses of a query whose pairs are ranked: two million pairs.
pub const MOST: usize = 2048;
/// Fewest pairs that a rank correlation is taken of.
const LEAST_PAIRS: usize = 10;

/// Pairs of responses of different groups whose longer text has at most 1.25 times the characters of the shorter.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Matched {
    /// Mean over pairs of groups of the mean cosine of their kept pairs; `None` if none is kept.
    pub mean: Option<f64>,
    /// Pairs kept.
    pub kept: u64,
    /// Pairs in all.
    pub pairs: u64,
}

/// Responses that have a text, by length: (characters, position), ascending.
type ByLength = Vec<(u64, usize)>;

fn by_length(corpus: &Corpus, positions: &[usize], chars: &[u32]) -> ByLength {
    let length = |p: usize| u64::from(chars[corpus.layout.row_at[p] as usize]);
    let mut order: ByLength = positions.iter().map(|&p| (length(p), p)).filter(|(chars, _)| *chars > 0).collect();
    order.sort_unstable();
    order
}

/// Sum of cosines and number of the pairs of like length, one response of each: for each response, the others of like
/// length stand together, and their sum moves along with it.
fn like(corpus: &Corpus, of: &ByLength, others: &ByLength) -> (f64, u64) {
    let dim = corpus.dim();
    let (mut window, mut row) = (vec![0.0; dim], vec![0.0; dim]);
    let (mut first, mut end) = (0, 0);
    let (mut sum, mut kept) = (0.0, 0);
    for &(chars, position) in of {
        while others.get(end).is_some_and(|other| 4 * other.0 <= 5 * chars) {
            add_unit_row(corpus, others[end].1, &mut window);
            end += 1;
        }
        while first < end && 5 * others[first].0 < 4 * chars {
            row.fill(0.0);
            add_unit_row(corpus, others[first].1, &mut row);
            window.iter_mut().zip(&row).for_each(|(w, x)| *w -= x);
            first += 1;
        }
        if first == end {
            window.fill(0.0);
            continue;
        }
        row.fill(0.0);
        add_unit_row(corpus, position, &mut row);
        sum += dot(&row, &window);
        kept += (end - first) as u64;
    }
    (sum, kept)
}

/// Pairs of like length among the responses of a query, given as positions by group; nothing without texts.
pub fn matched(corpus: &Corpus, groups: &[&[usize]]) -> Matched {
    let Some(chars) = &corpus.rows.text_chars else { return Matched::default() };
    let by_length: Vec<ByLength> = groups.iter().map(|positions| by_length(corpus, positions, chars)).collect();
    let mut found = Matched::default();
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, one) in by_length.iter().enumerate() {
        for (j, other) in by_length.iter().enumerate().skip(i + 1) {
            let (cosines, kept) = like(corpus, one, other);
            found.pairs += (groups[i].len() * groups[j].len()) as u64;
            found.kept += kept;
            if kept > 0 {
                sum += cosines / kept as f64;
                count += 1.0;
            }
        }
    }
    found.mean = (count > 0.0).then(|| sum / count);
    found
}

/// Rank correlations over the pairs of one query.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Correlations {
    /// Of similarity and the ratio of the longer text to the shorter.
    pub ratio: Option<f64>,
    /// Of similarity and the length of the shorter text.
    pub shorter: Option<f64>,
}

/// What the measure is taken from.
pub struct Confound<'a> {
    /// The corpus.
    pub corpus: &'a Corpus,
    /// Most responses of a query whose pairs are ranked; of more, this many are drawn.
    pub most: usize,
    /// Draws them.
    pub draw: Stream,
}

impl Confound<'_> {
    /// One query, of the models that `keep` has; and whether responses were drawn.
    pub fn query(&self, query: usize, keep: &[bool], similarities: &Similarities<'_>) -> (Correlations, bool) {
        let corpus = self.corpus;
        let Some(chars) = &corpus.rows.text_chars else { return (Correlations::default(), false) };
        let row = |p: usize| corpus.layout.row_at[p] as usize;
        let model = |p: usize| corpus.rows.model[row(p)];
        let with_text = corpus.layout.query_positions[query].clone();
        let mut positions: Vec<usize> = with_text.filter(|&p| chars[row(p)] > 0 && keep[model(p) as usize]).collect();
        let drawn = positions.len() > self.most;
        positions = cells::drawn(positions, self.most, &self.draw, |&p| corpus.layout.row_at[p]);
        let models: Vec<u32> = positions.iter().map(|&p| model(p)).collect();
        // Cells stand together: the pairs of different models are those of a response with all from `after` on.
        let after: Vec<usize> = models.iter().map(|model| models.partition_point(|other| other <= model)).collect();
        let pairs: usize = after.iter().map(|after| positions.len() - after).sum();
        if pairs < LEAST_PAIRS {
            return (Correlations::default(), false);
        }
        let k = similarities.of(&positions);
        let lengths: Vec<u32> = positions.iter().map(|&p| chars[row(p)]).collect();
        let pairs = || (0..positions.len()).flat_map(|i| (after[i]..positions.len()).map(move |j| (i, j)));
        let both = |(i, j): (usize, usize)| (lengths[i].min(lengths[j]), lengths[i].max(lengths[j]));
        let similar = centred_ranks(pairs().map(|(i, j)| spearman::key(k.at(i, j) as f32)));
        // Lengths are whole and under 2^26, so equal ratios and no others have equal quotients; positive values are
        // ordered as their bits.
        let ratio =
            centred_ranks(pairs().map(both).map(|(short, long)| (f64::from(long) / f64::from(short)).to_bits()));
        let of_ratio = correlation(&similar, &ratio);
        let shorter = centred_ranks(pairs().map(both).map(|(short, _)| short));
        (Correlations { ratio: of_ratio, shorter: correlation(&similar, &shorter) }, drawn)
    }
}

/// Bytes that the pairs of a query of `rows` responses take while they are ranked.
pub fn bytes(rows: usize, dim: usize) -> usize {
    let rows = rows.min(MOST);
    8 * Triangle::len(rows) + (8 * rows * dim).max(40 * rows * rows / 2)
}

/// The mean of a correlation over the queries where it is defined.
fn mean(of: &[Correlations], which: fn(&Correlations) -> Option<f64>, weights: &Weights) -> Option<RankCorrelation> {
    let terms: Vec<(f64, f64)> = of.iter().map(|one| which(one).map_or((0.0, 0.0), |rho| (rho, 1.0))).collect();
    let interval = intervals::ratio(&terms, Some(weights));
    Some(RankCorrelation {
        mean: total(&terms)?,
        interval: interval.map(|i| Interval { low: i.low.max(-1.0), high: i.high.min(1.0) }),
        queries: terms.iter().filter(|t| t.1 > 0.0).count() as u64,
    })
}

/// The headline on pairs of like length beside all pairs of the same queries.
fn like_length(
    corpus: &Corpus,
    sums: &Sums,
    keep: &[bool],
    weights: &Weights,
    observer: &dyn Observer,
) -> Result<Option<LikeLength>> {
    let Some(chars) = &corpus.rows.text_chars else { return Ok(None) };
    let row = |p: usize| corpus.layout.row_at[p] as usize;
    let with_text: Vec<bool> =
        (0..corpus.len()).map(|p| chars[row(p)] > 0 && keep[corpus.rows.model[row(p)] as usize]).collect();
    let pairs_of_like_length = |positions: &[usize]| {
        let order = by_length(corpus, positions, chars);
        let (sum, kept) = like(corpus, &order, &order);
        (sum, kept as f64)
    };
    let matched = again(corpus, &sums.groups, &with_text, &pairs_of_like_length, observer)?;
    let Some(value) = matched.value() else { return Ok(None) };
    let used = |p: usize| matched.terms[corpus.rows.query[row(p)] as usize].1 > 0.0;
    let same: Vec<bool> = (0..corpus.len()).map(|p| with_text[p] && used(p)).collect();
    let every = if (0..corpus.len()).all(|p| same[p] == keep[corpus.rows.model[row(p)] as usize]) {
        whole(sums, keep)
    } else {
        again(corpus, &sums.groups, &same, &|of| all_pairs(corpus, of), observer)?
    };
    // A query counts as often among all pairs as it does among those of like length.
    let terms: Vec<(f64, f64)> = (matched.terms.iter().zip(&every.terms))
        .map(|(like, all)| if like.1 > 0.0 { (all.0 / all.1 * like.1, like.1) } else { (0.0, 0.0) })
        .collect();
    let change: Vec<(f64, f64)> =
        matched.terms.iter().zip(&terms).map(|(like, all)| (like.0 - all.0, like.1)).collect();
    let pairs = |terms: &[(f64, f64)]| terms.iter().map(|t| t.1).sum::<f64>();
    Ok(Some(LikeLength {
        value,
        interval: intervals::ratio(&matched.terms, Some(weights)),
        floor: matched.floor,
        all_pairs: total(&terms).unwrap_or(value),
        all_pairs_interval: intervals::ratio(&terms, Some(weights)),
        all_pairs_floor: every.floor,
        difference: total(&change).unwrap_or_default(),
        difference_interval: intervals::ratio(&change, Some(weights)),
        kept: pairs(&matched.terms) / pairs(&every.terms),
        queries: matched.terms.iter().filter(|t| t.1 > 0.0).count() as u64,
    }))
}

/// The measure over the corpus, of the models that `keep` has; `found` are their correlations by query.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn summary(
    (corpus, sums): (&Corpus, &Sums),
    keep: &[bool],
    (found, drawn): (&[Correlations], usize),
    weights: &Weights,
    observer: &dyn Observer,
) -> Result<(Option<LengthSummary>, Vec<LeftOut>)> {
    let name = "Similarity and length";
    if corpus.rows.text_chars.is_none() {
        return Ok((None, vec![left_out(name, "no text column")]));
    }
    let summary = LengthSummary {
        ratio: mean(found, |one| one.ratio, weights),
        shorter: mean(found, |one| one.shorter, weights),
        like_length: like_length(corpus, sums, keep, weights, observer)?,
        drawn: drawn as u64,
    };
    let mut left = Vec::new();
    let models = keep.iter().filter(|&&kept| kept).count();
    if models < 2 {
        return Ok((None, vec![left_out(name, "one model; needs at least 2")]));
    }
    if summary.ratio.is_none() {
        let reason = "no query has 10 pairs of different models' texts with lengths that differ";
        left.push(left_out("Rank correlation of similarity and length", reason));
    }
    if summary.like_length.is_none() {
        left.push(left_out("Similarity at like length", "no query has two models' texts of like length"));
    }
    Ok((Some(summary), left))
}

#[cfg(test)]
mod tests {
    use super::super::cells::unit_rows;
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;
    use rayon::prelude::*;

    #[test]
    fn windows_of_lengths_agree_with_all_pairs() {
        let keys = (0..40).map(|i| ("q".to_string(), format!("{}", i % 4)));
        let (mut corpus, _) = planted::planted(keys, 6);
        // Lengths at the ratio exactly (80 and 100, 100 and 125), just past it, equal, and none.
        let lengths = [80u32, 100, 125, 126, 79, 100, 0, 400, 499, 500, 501];
        let chars: Vec<u32> = (0..40).map(|row| lengths[row * 7 % lengths.len()]).collect();
        corpus.rows.text_chars = Some(chars.clone());
        let of_model = |m: u32| {
            let row = |p: &usize| corpus.layout.row_at[*p] as usize;
            (0..40).filter(|p| corpus.rows.model[row(p)] == m).collect::<Vec<usize>>()
        };
        let groups: Vec<Vec<usize>> = (0..4).map(of_model).collect();
        let found = matched(&corpus, &groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (mut means, mut kept) = (Vec::new(), 0);
        for i in 0..4 {
            for j in i + 1..4 {
                let mut cosines = Vec::new();
                for &a in &groups[i] {
                    for &b in &groups[j] {
                        let of = |p: usize| f64::from(chars[corpus.layout.row_at[p] as usize]);
                        let (short, long) = (of(a).min(of(b)), of(a).max(of(b)));
                        if short > 0.0 && long <= 1.25 * short {
                            cosines.push(dot(&unit_rows(&corpus, &[a]), &unit_rows(&corpus, &[b])));
                        }
                    }
                }
                kept += cosines.len() as u64;
                means.push(cosines.iter().sum::<f64>() / cosines.len() as f64);
            }
        }
        assert_eq!((found.kept, found.pairs), (kept, 600));
        assert!((found.mean.unwrap() - means.iter().sum::<f64>() / 6.0).abs() < 1e-12);
        corpus.rows.text_chars = None;
        assert_eq!(matched(&corpus, &[&[0], &[1]]), Matched::default());
    }

    /// 60 queries, 6 models, 2 texts each, at cosines of `cross` across models, less `drop` where lengths differ by class.
    /// Lengths are by class of model, or at random.
    fn corpus(queries: usize, seed: u64, drop: f64, by_class: bool) -> Corpus {
        let stream = Stream::new(seed, "length");
        let place = |i: usize| (i / 12, i / 2 % 6, i % 12);
        let keys = (0..queries * 12).map(|i| (format!("{:02}", place(i).0), place(i).1.to_string()));
        let mut corpus = planted::corpus(keys, 15, |row, i| {
            let (query, model, response) = place(row);
            let cross = 0.3 + 0.4 * stream.uniform(query as u64, 0);
            let square = match i {
                0 => cross - drop,
                i if i == 1 + model % 2 => drop,
                i if i == 3 + response => 1.0 - cross,
                _ => 0.0,
            };
            let noise = 0.05 * stream.normal(1000 + row as u64, i as u64);
            (f64::sqrt(square) + noise) as f32
        });
        let chars = |i: usize| {
            let spread = stream.below(i as u64, 7, 10);
            let short = if by_class { place(i).1 % 2 == 0 } else { stream.bits(i as u64, 8) & 1 == 0 };
            (if short { 100 + spread } else { 300 + spread }) as u32
        };
        corpus.rows.text_chars = Some((0..corpus.len()).map(chars).collect());
        corpus
    }

    fn correlations(confound: &Confound<'_>, sums: &Sums, keep: &[bool]) -> (Vec<Correlations>, usize) {
        let one = |query: usize| {
            let positions = confound.corpus.layout.query_positions[query].clone().collect();
            confound.query(query, keep, &Similarities::new(confound.corpus, sums, query, positions, false))
        };
        let (of, drawn): (Vec<Correlations>, Vec<bool>) = (0..sums.queries.len()).map(one).unzip();
        (of, drawn.into_iter().filter(|&drawn| drawn).count())
    }

    fn found(corpus: &Corpus, seed: u64) -> LengthSummary {
        let sums = Sums::new(corpus, &[], &Silent).unwrap();
        let keep = vec![true; sums.models];
        let confound = Confound { corpus, most: MOST, draw: Stream::new(seed, "length") };
        let (of, drawn) = correlations(&confound, &sums, &keep);
        let weights = Weights::new(seed, "intervals", intervals::RESAMPLES, sums.queries.len());
        summary((corpus, &sums), &keep, (&of, drawn), &weights, &Silent).unwrap().0.unwrap()
    }

    /// Means of like length and their floor against all pairs; a text that is empty takes no part.
    #[test]
    fn means_at_like_length_agree_with_all_pairs() {
        let mut corpus = corpus(8, 3, 0.2, true);
        let chars = corpus.rows.text_chars.as_mut().unwrap();
        chars.iter_mut().step_by(9).for_each(|chars| *chars = 0);
        let chars = chars.clone();
        let like = found(&corpus, 0).like_length.unwrap();
        let of = |p: usize| corpus.layout.row_at[p] as usize;
        let (mut kept, mut all, mut floor) = (vec![(0.0, 0.0); 8], vec![(0.0, 0.0); 8], (0.0, 0.0));
        for i in (0..corpus.len()).filter(|&i| chars[of(i)] > 0) {
            for j in (0..i).filter(|&j| chars[of(j)] > 0) {
                let (a, b) = (of(i), of(j));
                if corpus.rows.model[a] == corpus.rows.model[b] {
                    continue;
                }
                let cosine = dot(&unit_rows(&corpus, &[i]), &unit_rows(&corpus, &[j]));
                let near = 4 * chars[a].max(chars[b]) <= 5 * chars[a].min(chars[b]);
                let add = |t: &mut (f64, f64)| *t = (t.0 + cosine, t.1 + 1.0);
                if corpus.rows.query[a] == corpus.rows.query[b] {
                    let query = corpus.rows.query[a] as usize;
                    add(&mut all[query]);
                    if near {
                        add(&mut kept[query]);
                    }
                } else if near {
                    add(&mut floor);
                }
            }
        }
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-11, "{got} vs {want}");
        let pairs = |t: &[(f64, f64)]| t.iter().map(|t| t.1).sum::<f64>();
        close(like.value, total(&kept).unwrap());
        close(like.floor.unwrap(), floor.0 / floor.1);
        close(like.kept, pairs(&kept) / pairs(&all));
        let weighted: f64 = kept.iter().zip(&all).map(|(k, a)| k.1 * a.0 / a.1).sum();
        close(like.all_pairs, weighted / pairs(&kept));
        close(like.difference, like.value - like.all_pairs);
    }

    #[test]
    fn of_a_large_query_responses_are_drawn() {
        let corpus = corpus(2, 3, 0.2, true);
        let sums = Sums::new(&corpus, &[], &Silent).unwrap();
        let confound = Confound { corpus: &corpus, most: 10, draw: Stream::new(0, "length") };
        let (of, drawn) = correlations(&confound, &sums, &[true; 6]);
        assert!(drawn == 2 && of.iter().all(|one| one.ratio.is_some_and(|rho| rho < -0.3)));
        let few = Confound { most: 4, ..confound };
        assert_eq!(correlations(&few, &sums, &[true; 6]).0[0], Correlations::default(), "under 10 pairs");
    }

    /// How often intervals of 50 queries hold what was planted: a drop of .2 across classes of length, and nothing.
    #[test]
    #[expect(clippy::print_stdout, reason = "what is covered is to be read")]
    fn what_is_planted_is_recovered_and_nothing_found_without() {
        const SEEDS: u64 = 400;
        for (drop, by_class) in [(0.2, true), (0.0, true), (0.2, false)] {
            let all: Vec<LengthSummary> =
                (0..SEEDS).into_par_iter().map(|seed| found(&corpus(50, seed, drop, by_class), seed)).collect();
            let share = |holds: &dyn Fn(&LengthSummary) -> bool| {
                100.0 * all.iter().filter(|one| holds(one)).count() as f64 / SEEDS as f64
            };
            let holds = |i: Option<Interval>, truth: f64| i.is_some_and(|i| i.low <= truth && truth <= i.high);
            // The mean over corpora stands for the truth where there is an effect, 0 where there is none.
            let effect = drop > 0.0 && by_class;
            let mean = |of: &dyn Fn(&LengthSummary) -> f64| {
                if effect { all.iter().map(of).sum::<f64>() / SEEDS as f64 } else { 0.0 }
            };
            let rho = mean(&|one| one.ratio.unwrap().mean);
            let difference = mean(&|one| one.like_length.unwrap().difference);
            let of_rho = share(&|one| holds(one.ratio.unwrap().interval, rho));
            let of_difference = share(&|one| holds(one.like_length.unwrap().difference_interval, difference));
            println!(
                "drop {drop}, by class {by_class}: rho {rho:.3} held in {of_rho} %, {difference:.4} in {of_difference} %"
            );
            assert!((91.0..=98.5).contains(&of_rho) && (91.0..=98.5).contains(&of_difference));
            if effect {
                // 9 of the 15 pairs of models are of unlike length; vectors are a little shorter than planted for noise.
                assert!(rho < -0.6 && (0.09..0.13).contains(&difference), "{rho} {difference}");
            }
        }
    }
}
