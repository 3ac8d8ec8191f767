//! Distinct meanings (MEASURES section C): clusters of a query's responses, counted in every group of them.
//!
//! The responses to a query are clustered once, all together, and cut where the mean cosine of two clusters falls under
//! `tau = f + c (1 - f)`, with f the corpus floor: the cut stands a share c of the way from unrelated answers to equal
//! ones, so a direction that all vectors have in common does not move it. The same labels are counted in the query as a
//! whole, in every model, source, stage and time; given classes are counted the same way. A labelling says how many topics and
//! wordings there are, not how many views.

mod adjusted_rand;
mod counting;
mod cut;
mod groups;
mod hill;
mod linkage;
mod periods;
mod summary;

pub use counting::Counting;
pub use cut::{interval, slope_of_chosen};
pub use groups::fill_models;
pub use hill::{Abundances, Hill, LEAST_PER_1000, Rarefaction, Seen};

use super::MeasureSettings;
use super::cells;
use super::tables::{Labels, MeaningRow, Meanings};
use crate::base::random::Stream;
use crate::corpus::{Corpus, Role};
use adjusted_rand::Agreement;

/// Shares c of the curve.
const CURVE: [f64; 5] = [0.5, 0.6, 0.7, 0.8, 0.9];
/// The default c.
const CHOSEN: f64 = 0.7;
/// Most responses of a query that are clustered: a matrix of 268 MB. Of more, this many are drawn.
pub const MOST: usize = 8192;
/// Stands for a response without a label.
const NONE: u32 = u32::MAX;

/// What the responses to a query have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OfAll {
    /// Responses, labels, rare labels.
    pub seen: Seen,
    /// Hill numbers at n.
    pub hill: Hill,
    /// Labels in 1,000 responses.
    pub per_1000: Option<f64>,
}

/// One query under one labelling, of the models that a view keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OfQuery {
    /// What its responses have; `None` under 2.
    pub all: Option<OfAll>,
    /// Sum over models with n >= 2 of the distinct meanings at `at_n`, and how many models.
    pub models: (f64, f64),
    /// The least n >= 2 of a model; 0 if there is none.
    pub at_n: u32,
    /// Distinct meanings of `at_n` responses drawn from all models.
    pub pooled: f64,
    /// Of clusters and given classes.
    pub agreement: Option<Agreement>,
}

/// The measure and what the summary needs beside its table.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Labels, table, clusters.
    pub meanings: Meanings,
    /// `views[view][labelling][query]`.
    pub views: Vec<Vec<Vec<OfQuery>>>,
}

/// Labellings: given classes, then cuts from loose to tight. `floor` is the corpus floor f.
fn labellings(corpus: &Corpus, floor: Option<f64>, tau: Option<f64>) -> Vec<Labels> {
    // Without room between floor and 1 the rounding of a cosine would decide.
    let floor = floor.filter(|f| 1.0 - f > 1e-9);
    let mut cuts: Vec<Labels> = floor.map_or_else(Vec::new, |f| {
        CURVE.map(|c| Labels { c: Some(c), tau: Some(f + c * (1.0 - f)), chosen: tau.is_none() && c == CHOSEN }).into()
    });
    if let Some(tau) = tau {
        match cuts.iter_mut().find(|cut| cut.tau == Some(tau)) {
            Some(cut) => cut.chosen = true,
            None => {
                let c = floor.map(|f| (tau - f) / (1.0 - f));
                cuts.push(Labels { c, tau: Some(tau), chosen: true });
            }
        }
        cuts.sort_by(|a, b| a.tau.unwrap_or_default().total_cmp(&b.tau.unwrap_or_default()));
    }
    if corpus.rows.categories.contains_key(&Role::Class) {
        cuts.insert(0, Labels::default());
    }
    cuts
}

/// Positions of a query; of more than `most` a seeded draw.
pub fn drawn(corpus: &Corpus, query: usize, most: usize, draw: &Stream) -> Vec<usize> {
    let layout = &corpus.layout;
    cells::drawn(layout.query_positions[query].clone().collect(), most, draw, |&p| layout.row_at[p])
}

/// Bytes that the largest query takes while it is clustered.
pub fn clustering_bytes(corpus: &Corpus) -> usize {
    let largest = corpus.layout.query_positions.iter().map(|positions| positions.len().min(MOST)).max().unwrap_or(0);
    linkage::bytes(largest, corpus.dim())
}

/// Whether queries are clustered, and bytes that are held from then on.
pub fn memory(corpus: &Corpus, settings: &MeasureSettings) -> (bool, usize) {
    let questions = corpus.layout.canonical.iter().max().copied().unwrap_or(0);
    let classes = corpus.rows.categories.contains_key(&Role::Class);
    // One question has no floor.
    let cuts = if questions > 0 { CURVE.len() } else { 0 } + usize::from(settings.tau.is_some());
    let queries = corpus.layout.query_positions.len();
    let labels = cuts + usize::from(classes);
    let cells = corpus.layout.cells.iter().flatten().filter(|cell| cell.positions.len() >= 2).count();
    let times = if corpus.rows.categories.contains_key(&Role::Time) { periods::MOST } else { 0 };
    let lines = (queries * (1 + times) + cells) * labels * size_of::<MeaningRow>();
    let of_queries = 3 * queries * labels * size_of::<OfQuery>();
    (cuts > 0, 12 * corpus.len() + lines + of_queries)
}

#[cfg(test)]
mod tests {
    use super::super::intervals::total;
    use super::super::planted::{corpus, planted};
    use super::super::tables::Group;
    use super::super::{Measures, all};
    use super::*;
    use crate::base::events::Silent;
    use crate::corpus::{Category, Dictionary};

    const QUERIES: usize = 60;
    const MODELS: usize = 4;
    const SAMPLES: usize = 6;

    /// Query of a row, and its place among the rows of the query.
    fn place(row: usize) -> (usize, usize) {
        (row / (MODELS * SAMPLES), row % (MODELS * SAMPLES))
    }

    /// Unit rows (query, model, sample) whose cosine is .85 within a meaning, .5 across meanings and 0 across queries, up
    /// to noise; `meaning(query, place)` says which of at most 8 a row has. All are moved by `shift` along one more
    /// direction.
    fn with_meanings(shift: f64, meaning: impl Fn(usize, usize) -> usize) -> Corpus {
        const NOISE: usize = 40;
        let stream = Stream::new(9, "meanings test");
        let names = (0..QUERIES * MODELS * SAMPLES)
            .map(|row| (format!("{:02}", place(row).0), format!("{}", place(row).1 / SAMPLES)));
        corpus(names, 1 + QUERIES + 8 + NOISE, move |row, i| {
            let (query, at) = place(row);
            let noise = |i: usize| stream.normal(row as u64, i as u64);
            let value = match i {
                0 => shift,
                i if i == 1 + query => 0.5f64.sqrt(),
                i if i == 1 + QUERIES + meaning(query, at) => 0.35f64.sqrt(),
                i if i > QUERIES + 8 => {
                    let norm = (0..NOISE).map(|k| noise(QUERIES + 9 + k).powi(2)).sum::<f64>().sqrt();
                    0.15f64.sqrt() * noise(i) / norm
                }
                _ => 0.0,
            };
            value as f32
        })
    }

    fn measured(corpus: &Corpus, tau: Option<f64>) -> Measures {
        let outcome = planted((0..corpus.len()).map(|_| ("q".into(), "m".into())), 2).1;
        let settings = MeasureSettings { tau, resamples: 100, ..MeasureSettings::default() };
        all(corpus, &outcome, &settings, &Silent).unwrap()
    }

    fn classes(corpus: &mut Corpus, names: &[String]) {
        let (dictionary, ids) = Dictionary::from_names(names);
        corpus.rows.categories.insert(Role::Class, Category { dictionary, ids });
    }

    #[test]
    fn planted_meanings_are_found_in_queries_and_models() {
        // Query q has 1 + q mod 8 meanings; model 0 has the first one alone.
        let meaning = |query: usize, at: usize| if at < SAMPLES { 0 } else { at % (1 + query % 8) };
        let mut corpus = with_meanings(0.0, meaning);
        let names = (0..corpus.len()).map(|row| meaning(place(row).0, place(row).1).to_string()).collect::<Vec<_>>();
        classes(&mut corpus, &names);
        let found = measured(&corpus, None);
        for query in &found.queries {
            assert_eq!(query.hill.unwrap().zero, (1 + query.query % 8) as f64);
        }
        assert_eq!(found.models[0].distinct, Some(1.0));
        assert!(found.models[1].distinct.unwrap() > 2.0);
        for row in found.meanings.rows.iter().filter(|row| found.meanings.labels[row.labels].chosen) {
            assert_eq!((row.at_n, row.seen.n), if row.group == Group::All { (24, 24) } else { (6, 6) });
            assert_eq!(row.adjusted_rand, (row.group == Group::All).then_some(1.0));
        }
        // Labels follow the rows of the input, the largest cluster first.
        let of_query = |query: usize| &found.meanings.clusters[query * 24..(query + 1) * 24];
        assert_eq!(&of_query(1)[..8], [0, 0, 0, 0, 0, 0, 0, 1]);
        assert!(of_query(0).iter().all(|&cluster| cluster == 0));
        let named = |name: &str| found.summary.headlines.iter().find(|h| h.name == name).unwrap().clone();
        let (clusters, classes) = (named("distinct_meanings"), named("class_meanings"));
        // The cut moves with the queries, and the number does not with the cut.
        assert_eq!((clusters.value, clusters.interval), (classes.value, classes.interval));
        assert!((clusters.value - (0..60).map(|q| (1 + q % 8) as f64).sum::<f64>() / 60.0).abs() < 1e-12);
        assert_eq!(named("adjusted_rand").value, 1.0);
    }

    #[test]
    fn a_direction_that_all_have_in_common_changes_nothing() {
        let meaning = |query: usize, at: usize| (at * at + query) % (2 + query % 5);
        let plain = measured(&with_meanings(0.0, meaning), None);
        for shift in [1.5, 3.0] {
            let shifted = measured(&with_meanings(shift, meaning), None);
            let (before, after) = (plain.summary.floor.unwrap(), shifted.summary.floor.unwrap());
            assert!(before < 0.1 && after > 0.25, "the floor moved from {before} to {after}");
            assert!(plain.meanings.clusters == shifted.meanings.clusters);
            for (a, b) in plain.meanings.rows.iter().zip(&shifted.meanings.rows) {
                assert_eq!((a.seen, a.hill), (b.seen, b.hill), "query {}, labelling {}", a.query, a.labels);
            }
            // A fixed cosine would not do.
            let fixed = plain.summary.meanings.as_ref().unwrap().tau;
            assert!(measured(&with_meanings(shift, meaning), fixed).meanings.clusters != plain.meanings.clusters);
        }
    }

    #[test]
    fn models_that_differ_in_nothing_have_what_a_draw_of_all_has() {
        let stream = Stream::new(2, "no effect");
        let at_random = |query: usize, at: usize| stream.below(query as u64, at as u64, 6) as usize;
        let one_each = |_: usize, at: usize| at / SAMPLES;
        let gap = |meaning: &dyn Fn(usize, usize) -> usize| {
            let found = measured(&with_meanings(0.0, meaning), None);
            let line = found.summary.meanings.unwrap().curve.into_iter().find(|line| line.labels.chosen).unwrap();
            line.pooled.unwrap() - line.model.unwrap()
        };
        // 240 models a query: the standard error of their mean is about .05.
        assert!(gap(&at_random).abs() < 0.15, "{}", gap(&at_random));
        assert!(gap(&one_each) > 2.0);
    }

    #[test]
    fn one_question_needs_tau_and_a_given_tau_is_where_it_is_cut() {
        let names = || (0..12).map(|row| ("q".to_string(), (row % 2).to_string()));
        let mut one = planted(names(), 5).0;
        let found = measured(&one, None);
        assert!(found.meanings.rows.is_empty() && found.meanings.clusters.is_empty());
        assert!(found.summary.meanings.is_none() && found.queries[0].hill.is_none());
        assert!(found.summary.left_out.iter().any(|l| l.measure == "Distinct meanings" && l.reason.contains("--tau")));
        let found = measured(&one, Some(-1.0));
        assert_eq!(found.queries[0].hill.map(|hill| hill.zero), Some(1.0));
        assert_eq!(found.summary.meanings.unwrap().tau, Some(-1.0));
        // Classes need no floor; a row without one is not counted.
        classes(&mut one, &(0..12).map(|row| (row % 3).to_string()).collect::<Vec<_>>());
        if let Some(category) = one.rows.categories.get_mut(&Role::Class) {
            category.ids[0] = NONE;
        }
        let found = measured(&one, None);
        let row = &found.meanings.rows[0];
        assert_eq!((row.seen.n, row.seen.distinct, row.adjusted_rand), (11, 3, None));
        assert!(found.meanings.clusters.is_empty() && found.queries[0].hill.is_none());
    }

    #[test]
    fn one_answer_each_is_counted_over_models() {
        let keys = (0..6).flat_map(|q| (0..5).map(move |m| (q.to_string(), m.to_string())));
        let found = measured(&planted(keys, 4).0, None);
        assert!(found.meanings.rows.iter().all(|row| row.group == Group::All && row.seen.n == 5));
        assert!(found.models.iter().all(|model| model.distinct.is_none()));
        let terms: Vec<(f64, f64)> = found.queries.iter().map(|q| (q.hill.unwrap().zero, 1.0)).collect();
        let headline = found.summary.headlines.iter().find(|h| h.name == "distinct_meanings").unwrap();
        assert_eq!(Some(headline.value), total(&terms));
        assert!(headline.label.contains("the models' answers"));
    }
}
