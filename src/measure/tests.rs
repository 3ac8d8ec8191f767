//! All measures together: tables beside plain sums, provenance, odd corpora.

use super::*;
use crate::base::events::Silent;
use crate::corpus::{Category, Dictionary, Role};

const DIM: usize = 7;

fn planted(keys: &[(&str, &str)]) -> (Corpus, PairOutcome) {
    planted::planted(keys.iter().map(|k| (k.0.to_string(), k.1.to_string())), DIM)
}

fn keys() -> Vec<(&'static str, &'static str)> {
    let mut keys = Vec::new();
    for (query, counts) in [("a", [4, 5, 6]), (" A ", [2, 1, 0]), ("b", [3, 4, 4]), ("c", [1, 4, 5])] {
        for (model, count) in ["m", "n", "o"].into_iter().zip(counts) {
            keys.extend(std::iter::repeat_n((query, model), count));
        }
    }
    keys
}

/// Mean of `value` of similarity over pairs of rows (i < j) that `choose` takes.
fn brute(corpus: &Corpus, value: impl Fn(f64) -> f64, choose: impl Fn(usize, usize) -> bool) -> f64 {
    let (mut sum, mut pairs) = (0.0, 0.0);
    let at = |row: usize| {
        let p = corpus.layout.position_of[row] as usize;
        corpus.embeddings.row(p).iter().map(|&x| f64::from(x)).collect::<Vec<f64>>()
    };
    for i in 0..corpus.len() {
        for j in (i + 1..corpus.len()).filter(|&j| choose(i, j)) {
            let (x, y) = (at(i), at(j));
            let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
            sum += value(dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt());
            pairs += 1.0;
        }
    }
    sum / pairs
}

#[test]
fn means_and_floors_agree_with_all_pairs() {
    let (corpus, outcome) = planted(&keys());
    let all = all(&corpus, &outcome, &MeasureSettings::default(), &Silent).unwrap();
    let (q, m) = (&corpus.rows.query, &corpus.rows.model);
    let group = |i: usize| corpus.layout.canonical[q[i] as usize];
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-12, "{got} vs {expected}");
    close(all.summary.floor.unwrap(), brute(&corpus, |s| s, |i, j| group(i) != group(j) && m[i] != m[j]));
    for row in &all.model_pairs {
        let (a, b) = (row.model_a, row.model_b);
        let these = |i: usize, j: usize| (m[i].min(m[j]), m[i].max(m[j])) == (a, b);
        close(row.mean.unwrap(), brute(&corpus, |s| s, |i, j| q[i] == q[j] && these(i, j)));
        close(row.floor.unwrap(), brute(&corpus, |s| s, |i, j| group(i) != group(j) && these(i, j)));
    }
    for row in &all.queries {
        close(row.mean.unwrap(), brute(&corpus, |s| s, |i, j| q[i] == row.query && q[j] == row.query));
        let n = row.n as f64;
        let square = brute(&corpus, |s| s * s, |i, j| q[i] == row.query && q[j] == row.query);
        close(row.vendi_2.unwrap(), n * n / (n + n * (n - 1.0) * square));
    }
    for row in &all.intra {
        let cell = |i: usize| q[i] == row.query && m[i] == row.model;
        close(row.mean, brute(&corpus, |s| s, |i, j| cell(i) && cell(j)));
    }
    let sums = Sums::new(&corpus, &[], &Silent).unwrap();
    let everyone = vec![true; sums.models];
    let effects = by_query::effects(&corpus, &sums, &everyone, true);
    let (unrelated, ..) =
        ensemble::unrelated_squares(&corpus, &sums, (&[(&everyone, &effects)], true), &Silent).unwrap();
    let unrelated = unrelated[0].unwrap();
    close(unrelated, brute(&corpus, |s| s * s, |i, j| group(i) != group(j) && m[i] != m[j]));
    assert!(!all.topn.is_empty() && all.summary.headlines[0].name == "inter_mean");
    close(all.summary.headlines[0].value, brute(&corpus, |s| s, |i, j| q[i] == q[j] && m[i] != m[j]));
    assert_eq!(all.summary.model_order.len(), 3);
    assert!(all.summary.examples.len() >= 3);
}

/// One response a cell, `a` and ` A ` copies of one query.
#[test]
fn floors_of_contexts_and_stages_agree_with_all_pairs() {
    let keys: Vec<_> =
        ["a", " A ", "b", "c", "d", "e"].iter().flat_map(|&q| ["m", "m", "n", "n", "o", "o"].map(|m| (q, m))).collect();
    let (mut corpus, outcome) = planted(&keys);
    for (role, names) in [(Role::Context, ["plain", "poem"]), (Role::Stage, ["9", "10"])] {
        let names: Vec<String> = (0..corpus.len()).map(|row| names[row % 2].to_string()).collect();
        let (dictionary, ids) = Dictionary::from_names(&names);
        corpus.rows.categories.insert(role, Category { dictionary, ids });
    }
    let all = all(&corpus, &outcome, &MeasureSettings::default(), &Silent).unwrap();
    let (q, m) = (&corpus.rows.query, &corpus.rows.model);
    let group = |i: usize| corpus.layout.canonical[q[i] as usize];
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-12, "{got} vs {expected}");
    let apart = |i: usize, j: usize| group(i) != group(j);
    let same = |i: usize, j: usize| i % 2 == j % 2;
    for (model, name) in ["m", "n", "o"].into_iter().enumerate() {
        let row = all.contexts.iter().find(|row| row.family.as_deref() == Some(name)).unwrap();
        assert_eq!((row.against, row.queries, row.n), (tables::Against::OtherFamily, 6, 1));
        let own = |i: usize| m[i] as usize == model;
        close(row.other_context, brute(&corpus, |s| s, |i, j| q[i] == q[j] && own(i) && own(j)));
        close(row.reference, brute(&corpus, |s| s, |i, j| q[i] == q[j] && own(i) != own(j) && same(i, j)));
        let floor = brute(&corpus, |s| s, |i, j| apart(i, j) && own(i) && own(j) && !same(i, j));
        close(row.other_context_floor.unwrap(), floor);
        let floor = brute(&corpus, |s| s, |i, j| apart(i, j) && own(i) != own(j) && same(i, j));
        close(row.reference_floor.unwrap(), floor);
    }
    for (parity, floor) in [all.stages[0].floor_a, all.stages[0].floor_b].into_iter().enumerate() {
        let here = |i: usize| i % 2 == parity;
        close(floor.unwrap(), brute(&corpus, |s| s, |i, j| apart(i, j) && m[i] != m[j] && here(i) && here(j)));
    }
}

#[test]
fn one_sample_a_cell_leaves_out_what_needs_two() {
    let keys: Vec<_> = ["a", "b", "c"].iter().flat_map(|&q| ["m", "n", "o"].map(|m| (q, m))).collect();
    let (corpus, outcome) = planted(&keys);
    let all = all(&corpus, &outcome, &MeasureSettings::default(), &Silent).unwrap();
    assert!(all.intra.is_empty() && all.topn.is_empty());
    assert!(all.queries.iter().all(|q| q.nearest_other_model.is_none() && q.ensemble_gain.is_none()));
    let names: Vec<&str> = all.summary.left_out.iter().map(|l| l.measure.as_str()).collect();
    for name in ["Similarity of one model's answers", "Distinct models in the top N", "Nearest share", "Ensemble gain"]
    {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert!(all.summary.headlines.iter().any(|h| h.name == "models_worth"));
}

#[test]
fn people_stand_beside_the_models() {
    let (mut corpus, outcome) = planted(&keys());
    let names: Vec<String> =
        corpus.rows.model.iter().map(|&m| if m == 2 { "human" } else { "ai" }.to_string()).collect();
    let (dictionary, ids) = Dictionary::from_names(&names);
    corpus.rows.categories.insert(Role::Source, Category { dictionary, ids });
    let all = all(&corpus, &outcome, &MeasureSettings::default(), &Silent).unwrap();
    let (q, m) = (&corpus.rows.query, &corpus.rows.model);
    let first = &all.summary.headlines[0];
    let people = brute(&corpus, |s| s, |i, j| q[i] == q[j] && m[i] == 2 && m[j] == 2);
    let models = brute(&corpus, |s| s, |i, j| q[i] == q[j] && m[i] != m[j] && m[i] != 2 && m[j] != 2);
    assert!((first.human.unwrap() - people).abs() < 1e-12);
    assert!((first.value - models).abs() < 1e-12);
    assert!(!all.summary.notes.iter().any(|n| n.starts_with("no people")));
}

#[test]
fn repeats_are_counted_by_text_and_by_component() {
    let (mut corpus, mut outcome) = planted(&[("a", "m"), ("a", "m"), ("a", "n"), ("b", "n"), ("b", "m")]);
    corpus.rows.text_hash = Some(vec![7, 7, 8, 8, 0]);
    assert_eq!(duplicates::verbatim(&corpus, &[true; 2]), Some((1.0, 0.0)));
    corpus.rows.text_hash = Some(vec![7, 9, 7, 8, 0]);
    outcome.duplicates.component = vec![0, 0, 0, 3, 4];
    let summary = duplicates::summary(&corpus, &outcome);
    assert_eq!((summary.verbatim_share, summary.verbatim_share_other_model), (Some(0.5), Some(0.5)));
    assert_eq!((summary.components, summary.share_shared), (1, 0.6));
}

#[test]
fn one_model_leads_with_intra() {
    let keys: Vec<_> = ["a", "b", "c"].iter().flat_map(|&q| [(q, "m"), (q, "m")]).collect();
    let (corpus, outcome) = planted(&keys);
    let all = all(&corpus, &outcome, &MeasureSettings::default(), &Silent).unwrap();
    assert_eq!(all.summary.headlines[0].name, "intra_mean");
    assert_eq!(all.summary.floor, all.models[0].floor);
}

/// 35 models: over 32 rows of a two-way product and 64 pairs; 260 queries: over 256 of a bootstrap; some cells miss.
fn ragged() -> (Corpus, PairOutcome) {
    let mut keys = Vec::new();
    for query in 0..260 {
        for model in (0..35).filter(|model| !(query * 7usize + model * 11).is_multiple_of(13)) {
            let samples = 1 + usize::from((query + model).is_multiple_of(5));
            keys.extend(std::iter::repeat_n((format!("{query:03}"), format!("{model:02}")), samples));
        }
    }
    planted::planted(keys.into_iter(), 5)
}

/// With contexts, stages and lengths by row.
fn labelled((mut corpus, outcome): (Corpus, PairOutcome)) -> (Corpus, PairOutcome) {
    let rows = 0..corpus.len();
    for (role, every, names) in [(Role::Context, 2, ["plain", "poem"]), (Role::Stage, 4, ["9", "10"])] {
        let names: Vec<String> = rows.clone().map(|row| names[row % every * 2 / every].to_string()).collect();
        let (dictionary, ids) = Dictionary::from_names(&names);
        corpus.rows.categories.insert(role, Category { dictionary, ids });
    }
    with_texts(&mut corpus);
    (corpus, outcome)
}

fn with_texts(corpus: &mut Corpus) {
    let rows = 0..corpus.len();
    corpus.rows.text_chars = Some(rows.clone().map(|row| (row * 37 % 200) as u32).collect());
    corpus.rows.text_hash = Some(rows.clone().map(|row| (row * 37 % 200 * (row % 50)) as u128).collect());
    corpus.rows.refusal = Some(rows.map(|row| row % 17 == 0).collect());
}

/// With people and times by row.
fn peopled((mut corpus, outcome): (Corpus, PairOutcome)) -> (Corpus, PairOutcome) {
    for (role, every, names) in [(Role::Source, 3, ["human", "ai"]), (Role::Time, 2, ["1", "2"])] {
        let names: Vec<String> = (0..corpus.len()).map(|row| names[(row % every).min(1)].to_string()).collect();
        let (dictionary, ids) = Dictionary::from_names(&names);
        corpus.rows.categories.insert(role, Category { dictionary, ids });
    }
    with_texts(&mut corpus);
    (corpus, outcome)
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let settings = MeasureSettings { resamples: 70, ..MeasureSettings::default() };
    for (corpus, outcome) in
        [labelled(planted(&keys())), labelled(ragged()), peopled(ragged()), peopled(planted(&keys()))]
    {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| all(&corpus, &outcome, &settings, &Silent)).unwrap()
        };
        let (one, three) = (run(1), run(3));
        assert_eq!(one.summary, three.summary);
        assert_eq!(one.model_pairs, three.model_pairs);
        assert_eq!(one.queries, three.queries);
        assert_eq!(one.models, three.models);
        assert_eq!(one.topn, three.topn);
        assert_eq!(one.meanings, three.meanings);
        assert_eq!(one.growth, three.growth);
        assert_eq!(one.sources, three.sources);
        assert_eq!(one.contexts, three.contexts);
        assert_eq!(one.stages, three.stages);
        assert_eq!(one.trends, three.trends);
        assert_eq!(one.map, three.map);
        assert!(one.summary.texts.is_some() && one.summary.length.as_ref().is_some_and(|l| l.like_length.is_some()));
        assert!(one.summary.variation.style.is_some());
        assert_eq!(one.models[0].with_others_joint.is_some(), one.summary.queries >= 5);
        if corpus.rows.categories.contains_key(&Role::Source) {
            assert!(one.sources.iter().any(|row| row.adds.is_some()));
            assert!(one.growth.iter().any(|row| row.distinct_in_time.is_some()));
        } else {
            assert!(!one.contexts.is_empty() && one.stages.iter().any(|row| row.matched.is_some()));
        }
    }
}

/// The matrix products of both bootstraps against plain sums, resample after resample.
#[test]
fn bootstraps_across_blocks_agree_with_plain_sums() {
    let (corpus, outcome) = ragged();
    let settings = MeasureSettings { resamples: 70, ..MeasureSettings::default() };
    let all = all(&corpus, &outcome, &settings, &Silent).unwrap();
    let sums = Sums::new(&corpus, &[], &Silent).unwrap();
    let weights = Weights::new(settings.seed, "intervals", settings.resamples, sums.queries.len());
    let term = |query: &sums::QuerySums, a: u32, b: u32| {
        let place = |model| query.models.iter().position(|&m| m == model);
        place(a).zip(place(b)).map_or((0.0, 0.0), |(a, b)| query.pairs(a, b))
    };
    let close = |got: Interval, want: Interval| {
        assert!((got.low - want.low).abs() < 1e-12 && (got.high - want.high).abs() < 1e-12, "{got:?} {want:?}");
    };
    for row in all.model_pairs.iter().filter(|row| row.queries > 0) {
        let terms: Vec<_> = sums.queries.iter().map(|q| term(q, row.model_a, row.model_b)).collect();
        close(row.ci.unwrap(), intervals::ratio(&terms, Some(&weights)).unwrap());
    }
}

/// What models have in common is what the mean loses without each of them, measured again.
#[test]
fn intervals_for_models_in_general_agree_with_leaving_models_out() {
    let (corpus, outcome) = ragged();
    let all = all(&corpus, &outcome, &MeasureSettings::default(), &Silent).unwrap();
    let sums = Sums::new(&corpus, &[], &Silent).unwrap();
    for (name, same) in [("inter_mean", false), ("intra_mean", true)] {
        let headline = all.summary.headlines.iter().find(|h| h.name == name).unwrap();
        let terms = |keep: &[bool]| -> Vec<(f64, f64)> {
            sums.queries.iter().map(|q| if same { q.intra(keep) } else { q.inter(keep) }).collect()
        };
        let everyone = terms(&[true; 35]);
        let total = |terms: &[(f64, f64)]| terms.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
        let (x, y) = total(&everyone);
        // What the ratio changes by without a model, by query: its numerator less r times its denominator.
        let mut moves: Vec<Vec<Option<f64>>> = Vec::new();
        for model in 0..35 {
            let mut keep = [true; 35];
            keep[model] = false;
            let without = terms(&keep);
            let rest = total(&without).1;
            if rest == y {
                continue;
            }
            let one = |(all, without): (&(f64, f64), &(f64, f64))| {
                (all.1 > without.1).then(|| ((without.0 - all.0) - x / y * (without.1 - all.1)) / rest)
            };
            moves.push(everyone.iter().zip(&without).map(one).collect());
            let ratio = total(&without).0 / rest;
            let sum: f64 = moves.last().unwrap().iter().flatten().sum();
            assert!((ratio - x / y - sum).abs() < 1e-12, "{name}: {ratio} {sum}");
        }
        let about = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
        };
        let (m, q) = (moves.len() as f64, everyone.iter().filter(|t| t.1 > 0.0).count() as f64);
        let by_query = everyone.iter().map(|t| (t.0 - x / y * t.1).powi(2)).sum::<f64>() * q / (q - 1.0) / (y * y);
        let by_model = (m - 1.0) / m * about(moves.iter().map(|of| of.iter().flatten().sum()).collect());
        let here = |query: usize| about(moves.iter().filter_map(|of| of[query]).collect());
        let both = (0..everyone.len()).map(here).filter(|x| x.is_finite()).sum::<f64>();
        let both = (m - 1.0) / m * q / (q - 1.0) * both;
        let (by_query, by_model) = (by_query.max(both), (by_model - both).max(0.0));
        let variance = by_query + by_model;
        let found = headline.interval_models_too.unwrap();
        let df = variance.powi(2) / (by_query.powi(2) / (q - 1.0) + by_model.powi(2) / (m - 1.0));
        let student = |df: f64| crate::base::math::student_t_quantile(0.975, df as u32);
        let away = 0.5 * (found.high - found.low) / variance.sqrt();
        assert!((0.5 * (found.high + found.low) - headline.value).abs() < 1e-12 && m >= 20.0);
        assert!(student(df.ceil()) <= away + 1e-9 && away <= student(df.floor()) + 1e-9, "{name}: {away} at {df}");
    }
}
