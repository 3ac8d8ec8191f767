//! R2 beside plain sums over vectors, planted shares, and permutations.

use super::super::cells::unit_rows;
use super::super::planted;
use super::*;
use crate::base::events::Silent;
use rayon::prelude::*;

const MODELS: usize = 3;

/// Queries with 2 to 4 responses a model; ` 1 ` is a copy of `1`, and model 3 has one query only.
fn ragged() -> Corpus {
    let mut keys = Vec::new();
    for query in 0..9 {
        for model in 0..MODELS {
            let n = if query % 3 == 0 { 2 + model } else { 3 };
            keys.extend(std::iter::repeat_n((query.to_string(), model.to_string()), n));
        }
    }
    keys.extend([("0".into(), "3".into()), (" 1 ".into(), "0".into()), (" 1 ".into(), "2".into())]);
    planted::planted(keys.into_iter(), 5).0
}

/// R2 by vectors: (by cells, by style), of `handed[p]`, the model that position p is handed to.
fn plainly(corpus: &Corpus, handed: &[usize], queries: &[usize], least: usize) -> (f64, f64) {
    let dim = corpus.dim();
    let (mut cell, mut total) = (0.0, 0.0);
    let mut style = vec![(vec![0.0; dim], 0.0); MODELS + 1];
    for &query in queries {
        let of = |m: usize| corpus.layout.query_positions[query].clone().filter(move |&p| handed[p] == m);
        let cells: Vec<usize> = (0..MODELS).filter(|&m| of(m).count() >= least).collect();
        let rows: Vec<(usize, Vec<f64>)> =
            cells.iter().flat_map(|&m| of(m).map(move |p| (m, unit_rows(corpus, &[p])))).collect();
        let mean = |rows: &[&Vec<f64>]| -> Vec<f64> {
            (0..dim).map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64).collect()
        };
        let all = mean(&rows.iter().map(|row| &row.1).collect::<Vec<_>>());
        let distance = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        total += rows.iter().map(|row| distance(&row.1, &all)).sum::<f64>();
        for &m in &cells {
            let own: Vec<&Vec<f64>> = rows.iter().filter(|row| row.0 == m).map(|row| &row.1).collect();
            cell += own.len() as f64 * distance(&mean(&own), &all);
            style[m].1 += own.len() as f64;
            own.iter().for_each(|row| (0..dim).for_each(|i| style[m].0[i] += row[i] - all[i]));
        }
    }
    let style: f64 = style.iter().filter(|s| s.1 > 0.0).map(|s| s.0.iter().map(|x| x * x).sum::<f64>() / s.1).sum();
    (cell / total, style / total)
}

#[test]
fn shares_agree_with_vectors_and_their_permuted_means_with_permutations() {
    let corpus = ragged();
    let sums = Sums::new(&corpus, &[], &Silent).unwrap();
    let keep = [true; MODELS + 1];
    let model = |p: usize| corpus.rows.model[corpus.layout.row_at[p] as usize] as usize;
    let found: Vec<usize> = (0..corpus.len()).map(model).collect();
    let several: Vec<usize> =
        (0..sums.queries.len()).filter(|&q| corpus.rows.queries.name(q as u32) != " 1 ").collect();
    let all: Vec<usize> = (0..sums.queries.len()).collect();
    let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} vs {want}");
    let cell = by_cells(&sums, &keep);
    close(cell.between / cell.total, plainly(&corpus, &found, &several, 2).0);
    // Query 0 has a response of model 3, which answers no other query: it takes no part.
    let style = style(&corpus, &sums, &keep, 0, true, &Silent).unwrap().unwrap();
    close(style.split.between / style.split.total, plainly(&corpus, &found, &all, 1).1);
    close(style.split.terms.iter().map(|t| t.0).sum(), style.split.between - style.split.expected);
    close(style.split.terms.iter().map(|t| t.1).sum(), style.split.total - style.split.expected);
    // What was found is the last of the permuted sums; their mean is the closed form within Monte Carlo error.
    let tests = [
        (test_by_cells(&corpus, &sums, &keep, 0, &Silent).unwrap(), &cell),
        (test_style(&style, 0, &Silent).unwrap(), &style.split),
    ];
    for (test, split) in tests {
        assert!(!test.folded && test.permuted.len() == PERMUTATIONS);
        let n = PERMUTATIONS as f64;
        let mean = test.permuted.iter().sum::<f64>() / n;
        let spread = (test.permuted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        let moved = mean - test.found - (split.expected - split.between);
        assert!(moved.abs() < 4.0 * spread / n.sqrt(), "{moved} of {spread}");
    }
}

#[test]
fn what_cannot_be_told_is_left_out() {
    let settings = MeasureSettings::default();
    let of = |keys: Vec<(String, String)>| {
        let (corpus, _) = planted::planted(keys.into_iter(), 4);
        let sums = Sums::new(&corpus, &[], &Silent).unwrap();
        let weights = Weights::new(0, "intervals", 100, sums.queries.len());
        let keep = vec![true; sums.models];
        variation((&corpus, &sums), (&keep, None), (&weights, &settings), &Silent).unwrap()
    };
    let keys = |queries: usize, models: usize, samples: usize| {
        let key = move |i: usize| ((i / models / samples).to_string(), (i / samples % models).to_string());
        (0..queries * models * samples).map(key).collect::<Vec<_>>()
    };
    let names = |found: &Variation| found.left_out.iter().map(|l| l.reason.clone()).collect::<Vec<_>>();
    assert_eq!(names(&of(keys(6, 1, 3))), ["one model; needs at least 2"; 2]);
    let single = of(keys(6, 3, 1));
    assert_eq!(names(&single), [ONE_SAMPLE]);
    assert!(single.summary.cell.is_none() && single.summary.style.unwrap().queries == 6);
    let one_query = of(keys(1, 3, 2));
    assert!(one_query.summary.style.is_none() && one_query.summary.cell.unwrap().interval.is_none());
}

const QUERIES: usize = 50;

/// Query and model of the answers of 4 models to 50 queries: two each, or 1 to `most`.
fn answers(stream: &Stream, most: Option<u64>) -> Vec<(usize, usize)> {
    let answers = |cell: usize| most.map_or(2, |most| 1 + stream.below(1 << 40 | cell as u64, 0, most) as usize);
    (0..4 * QUERIES).flat_map(|cell| std::iter::repeat_n((cell / 4, cell % 4), answers(cell))).collect()
}

/// Directions of queries, responses, and with `cells` of cells.
fn random(seed: u64, cells: f64, uneven: bool) -> Corpus {
    let stream = Stream::new(seed, "variation");
    let keys = answers(&stream, uneven.then_some(3));
    planted::corpus(keys.iter().map(|key| (format!("{:02}", key.0), key.1.to_string())), 12, |row, i| {
        let noise = |kind: u64, of: usize| stream.normal(kind << 32 | of as u64, i as u64);
        let (query, model) = keys[row];
        (noise(0, query) + noise(1, row) + cells * noise(2, 4 * query + model)) as f32
    })
}

fn of_seed(seed: u64, cells: f64, uneven: bool) -> (R2, R2) {
    let corpus = random(seed, cells, uneven);
    let sums = Sums::new(&corpus, &[], &Silent).unwrap();
    let weights = Weights::new(seed, "intervals", intervals::RESAMPLES, QUERIES);
    let settings = MeasureSettings { seed, ..MeasureSettings::default() };
    let found = variation((&corpus, &sums), (&[true; 4], None), (&weights, &settings), &Silent).unwrap();
    (found.summary.cell.unwrap(), found.summary.style.unwrap())
}

/// Where nothing is planted p is under .05 in 5 of 100 corpora; effects of cells are none of style.
#[test]
#[expect(clippy::print_stdout, reason = "what is found is to be read")]
fn no_effect_is_found_where_none_is_planted() {
    const SEEDS: u64 = 400;
    for (cells, uneven) in [(0.0, false), (1.0, false), (0.0, true), (1.0, true)] {
        let found: Vec<(R2, R2)> = (0..SEEDS).into_par_iter().map(|seed| of_seed(seed, cells, uneven)).collect();
        let share = |of: fn(&(R2, R2)) -> R2, what: fn(&R2) -> bool| {
            100.0 * found.iter().filter(|one| what(&of(one))).count() as f64 / SEEDS as f64
        };
        let holds = |r2: &R2| r2.interval.is_some_and(|i| i.low <= 0.0 && 0.0 <= i.high);
        let (p_cell, p_style) = (share(|f| f.0, |r2| r2.p <= 0.05), share(|f| f.1, |r2| r2.p <= 0.05));
        let (held_cell, held_style) = (share(|f| f.0, holds), share(|f| f.1, holds));
        println!(
            "cells {cells}, uneven {uneven}: p <= .05 by cells {p_cell} %, for style {p_style} %; 0 held {held_cell} %, {held_style} %"
        );
        // Monte Carlo error of 5 %: 1.1.
        assert!((1.0..9.0).contains(&p_style), "{p_style}");
        assert!((92.0..=98.0).contains(&held_style), "{held_style}");
        if cells == 0.0 {
            assert!((1.0..9.0).contains(&p_cell) && (92.0..=99.0).contains(&held_cell), "{p_cell} {held_cell}");
        } else {
            assert!(p_cell == 100.0 && held_cell == 0.0, "{p_cell} {held_cell}");
        }
    }
}

/// The true shares are those of a corpus with many more queries of the same kind: means over seeds.
#[test]
#[expect(clippy::print_stdout, reason = "what is covered is to be read")]
fn planted_shares_are_recovered() {
    const SEEDS: u64 = 400;
    // The style is drawn once: one corpus' models, other queries.
    let one = |seed: u64, uneven: bool| {
        let stream = Stream::new(seed, "variation");
        let fixed = Stream::new(0, "variation");
        // Of 1 to 9 most cells have no equal: what is expected moves with the queries as well.
        let keys = answers(&stream, uneven.then_some(9));
        let names = keys.iter().map(|key| (format!("{:02}", key.0), key.1.to_string()));
        let corpus = planted::corpus(names, 12, |row, i| {
            let noise = |kind: u64, of: usize| stream.normal(kind << 32 | of as u64, i as u64);
            let (query, model) = keys[row];
            let own = fixed.normal(3 << 32 | model as u64, i as u64);
            (noise(0, query) + noise(1, row) + 0.7 * noise(2, 4 * query + model) + 0.4 * own) as f32
        });
        let sums = Sums::new(&corpus, &[], &Silent).unwrap();
        let weights = Weights::new(seed, "intervals", intervals::RESAMPLES, QUERIES);
        let settings = MeasureSettings { seed, ..MeasureSettings::default() };
        let found = variation((&corpus, &sums), (&[true; 4], None), (&weights, &settings), &Silent).unwrap();
        [found.summary.cell.unwrap(), found.summary.style.unwrap()]
    };
    let found = [false, true].map(|uneven| {
        let found: Vec<[R2; 2]> = (0..SEEDS).into_par_iter().map(|seed| one(seed, uneven)).collect();
        (uneven, found)
    });
    for (which, name, (uneven, found)) in
        ["by cells", "style"].into_iter().enumerate().flat_map(|(i, name)| found.iter().map(move |of| (i, name, of)))
    {
        let truth = found.iter().map(|f| f[which].adjusted).sum::<f64>() / SEEDS as f64;
        let holds = |f: &&[R2; 2]| f[which].interval.is_some_and(|i| i.low <= truth && truth <= i.high);
        let share = 100.0 * found.iter().filter(holds).count() as f64 / SEEDS as f64;
        println!("{name}, uneven {uneven}: {truth:.4} held in {share:.1} % of {SEEDS} corpora");
        assert!(found.iter().all(|f| f[which].p < 0.01));
        assert!((91.0..=97.5).contains(&share), "{name}, uneven {uneven}: {share}");
    }
}
