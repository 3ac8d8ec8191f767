//! The driver against a brute-force f64 reference, on corpora that would catch an unsound filter.

mod faults;
mod gpu;
mod hostile;

use super::budget::Budget;
use super::*;
use crate::base::random::Stream as Draws;
use crate::base::similarity::Similarity;
use crate::base::{Error, Event, Observer, Silent};
use crate::compute::cpu::{CpuBackend, CpuKernel};
use crate::compute::outcome::{BINS, bin_of};
use crate::compute::{Backend, BackendInfo, Block, Dispatch, Job, PairOutcome, Side, Stream};
use crate::corpus::{Corpus, Dictionary, Embeddings, Layout, Rows, Samples};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A corpus from rows in file order with query and model ids.
fn corpus(values: &[Vec<f32>], query: &[usize], model: &[usize]) -> Corpus {
    let n = values.len();
    let name = |prefix: &str, ids: &[usize]| ids.iter().map(|id| format!("{prefix}{id:05}")).collect::<Vec<_>>();
    let (queries, query) = Dictionary::from_names(&name("q", query));
    let (models, model) = Dictionary::from_names(&name("m", model));
    let rows =
        Rows { sample: Samples::Number((0..n as i64).collect()), ..Rows::of_keys((queries, query), (models, model)) };
    let layout = Layout::new(&rows);
    let ordered: Vec<f32> = layout.row_at.iter().flat_map(|&row| values[row as usize].iter().copied()).collect();
    let embeddings = Arc::new(Embeddings::from_rows(ordered, values[0].len()));
    Corpus { files: Vec::new(), rows, layout, embeddings, notes: Vec::new(), skipped: 0 }
}

/// A corpus of one query a row and one model.
pub(super) fn corpus_of(values: &[Vec<f32>]) -> Corpus {
    corpus(values, &(0..values.len()).collect::<Vec<_>>(), &vec![0; values.len()])
}

pub(super) fn random(n: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let draws = Draws::new(seed, "rows");
    (0..n as u64).map(|row| (0..dim as u64).map(|i| draws.normal(row, i) as f32).collect()).collect()
}

/// Checks everything the pass found against all pairs in f64.
fn check(corpus: &Corpus, outcome: &PairOutcome, settings: &PairSettings) {
    let n = corpus.len();
    let similarity = Similarity::new();
    let position = &corpus.layout.position_of;
    let s = |a: usize, b: usize| corpus.embeddings.similarity(&similarity, position[a] as usize, position[b] as usize);
    let (query, model) = (&(0..n as u32).map(|row| corpus.question(row)).collect::<Vec<_>>(), &corpus.rows.model);
    let relation = |a: usize, b: usize| 2 * usize::from(query[a] != query[b]) + usize::from(model[a] != model[b]);
    let starts = &outcome.neighbors.starts;
    // Edges, near duplicates and histogram of each row with those after it.
    let of_row = |a: usize| {
        let mut others: Vec<(f32, u32)> = (0..n).filter(|&b| b != a).map(|b| (s(a, b), b as u32)).collect();
        let mut histogram = vec![[0u64; BINS]; 4];
        others[a..].iter().for_each(|&(value, b)| histogram[relation(a, b as usize)][bin_of(value)] += 1);
        let after = |least: f64| others[a..].iter().filter(move |other| f64::from(other.0) >= least);
        let near_duplicates = after(settings.near_duplicate).count() as u64;
        let edges: Vec<(u32, u32, f32)> =
            settings.threshold.iter().flat_map(|&t| after(t)).map(|&(value, b)| (a as u32, b, value)).collect();
        others.sort_unstable_by(|x, y| y.0.partial_cmp(&x.0).expect("finite").then(x.1.cmp(&y.1)));
        let range = starts[a] as usize..starts[a + 1] as usize;
        let got: Vec<(f32, u32)> = range.map(|i| (outcome.neighbors.similarity[i], outcome.neighbors.dst[i])).collect();
        assert_eq!(got, others[..settings.k.min(n - 1)], "neighbours of row {a}");
        let best = others.first().map_or(0.0, |other| other.0);
        let tied: Vec<usize> = others.iter().take_while(|o| o.0 == best).map(|o| o.1 as usize).collect();
        let nearest = outcome.nearest[a];
        assert_eq!((nearest.similarity, nearest.ties), (best, tied.len() as u64), "nearest of row {a}");
        let other = |key: &[u32]| tied.iter().filter(|&&b| key[b] != key[a]).count() as u64;
        assert_eq!((nearest.ties_other_model, nearest.ties_other_query), (other(model), other(query)), "ties of {a}");
        (histogram, near_duplicates, edges)
    };
    let rows: Vec<_> = (0..n).into_par_iter().map(of_row).collect();
    if let Some(found) = &outcome.histogram {
        assert!(found.exact, "small corpora have an exact histogram");
        let mut histogram = vec![[0u64; BINS]; 4];
        for row in &rows {
            for (total, part) in histogram.iter_mut().flatten().zip(row.0.iter().flatten()) {
                *total += part;
            }
        }
        assert_eq!(found.counts.to_vec(), histogram, "histogram");
    }
    assert_eq!(outcome.duplicates.pairs, rows.iter().map(|row| row.1).sum::<u64>(), "near duplicates");
    assert_eq!(outcome.edges.is_some(), settings.threshold.is_some());
    if let Some(found) = &outcome.edges {
        let edges: Vec<_> = rows.iter().flat_map(|row| row.2.iter().copied()).collect();
        assert_eq!(found.len(), edges.len());
        assert!(found.iter().map(|e| (e.src, e.dst, e.similarity)).eq(edges), "edges");
    }
}

/// What tables are made of is the same in both.
fn same(a: &PairOutcome, b: &PairOutcome, what: &str) {
    assert!(a.neighbors == b.neighbors, "neighbours: {what}");
    assert!(a.nearest == b.nearest, "nearest: {what}");
    assert_eq!(a.duplicates, b.duplicates, "near duplicates: {what}");
    assert_eq!(a.histogram, b.histogram, "histogram: {what}");
    let edges = |outcome: &PairOutcome| outcome.edges.as_ref().map(|edges| edges.iter().collect::<Vec<_>>());
    assert!(edges(a) == edges(b), "edges: {what}");
}

fn pass(corpus: &Corpus, backend: &mut dyn Backend, settings: &PairSettings) -> PairOutcome {
    pair_pass(corpus, backend, settings, &Silent).expect("the pass succeeds")
}

#[test]
fn sizes_and_dimensions_at_the_cliffs() {
    for (n, dim) in [(1, 17), (2, 1), (3, 67), (511, 17), (512, 67), (513, 17), (211, 384), (97, 1536)] {
        let rows = random(n, dim, n as u64);
        let corpus =
            corpus(&rows, &(0..n).map(|i| i % 7).collect::<Vec<_>>(), &(0..n).map(|i| i % 3).collect::<Vec<_>>());
        for (k, block_rows) in [(10, None), (1, Some(64)), (300, Some(129))] {
            let settings = PairSettings { k, block_rows, threshold: Some(0.1), ..PairSettings::default() };
            for kernel in CpuKernel::available() {
                check(&corpus, &pass(&corpus, &mut CpuBackend::new(kernel), &settings), &settings);
            }
        }
    }
}

#[test]
fn small_streams_and_small_lists_change_nothing() {
    let rows = random(300, 17, 5);
    let corpus = corpus(&rows, &(0..300).collect::<Vec<_>>(), &vec![0; 300]);
    let settings = PairSettings {
        k: 5,
        stream_capacity: Some(50),
        list_capacity: Some(5),
        threshold: Some(0.3),
        ..PairSettings::default()
    };
    let outcome = pass(&corpus, &mut CpuBackend::default(), &settings);
    assert!(outcome.stats.repeated > 0, "the stream was forced to overflow");
    check(&corpus, &outcome, &settings);
}

#[test]
fn copies_of_a_query_are_one_question() {
    let rows = random(90, 17, 12);
    let (query, model): (Vec<_>, Vec<_>) = (0..90).map(|i| (i % 6, i / 6 % 5)).unzip();
    let mut corpus = corpus(&rows, &query, &model);
    let settings = PairSettings { k: 3, ..PairSettings::default() };
    let apart = pass(&corpus, &mut CpuBackend::default(), &settings);
    check(&corpus, &apart, &settings);
    corpus.layout.canonical[1] = 0;
    let joined = pass(&corpus, &mut CpuBackend::default(), &settings);
    check(&corpus, &joined, &settings);
    assert_ne!(apart.histogram, joined.histogram);
}

/// `ties` rows within 1e-5 of each other (their similarities all round to 1) beside `copies` of one row, many queries
/// and models.
fn near_ties(ties: usize, copies: usize) -> Corpus {
    let base = random(1, 67, 1).remove(0);
    let noise = random(ties, 67, 2);
    let mut rows: Vec<Vec<f32>> =
        noise.iter().map(|e| base.iter().zip(e).map(|(b, e)| b + e * 1e-6).collect()).collect();
    rows.extend(vec![base; copies]);
    rows.extend(random(60, 67, 3));
    let n = rows.len();
    corpus(&rows, &(0..n).map(|i| i % 11).collect::<Vec<_>>(), &(0..n).map(|i| i % 40).collect::<Vec<_>>())
}

#[test]
fn near_ties_beside_exact_copies() {
    let corpus = near_ties(5000, 500);
    let settings = PairSettings { k: 10, ..PairSettings::default() };
    let outcome = pass(&corpus, &mut CpuBackend::default(), &settings);
    assert_eq!(outcome.stats.copies, 499);
    assert!(outcome.stats.rows_redone >= 5000, "lists of near ties overflow: {}", outcome.stats.rows_redone);
    check(&corpus, &outcome, &settings);
}

#[test]
fn any_budget_and_any_number_of_threads_give_the_same() {
    // Clusters of a query, of which three hold copies and near ties, over more than one shard.
    let (centres, noise) = (random(30, 33, 21), random(1500, 33, 22));
    let mut rows: Vec<Vec<f32>> = (noise.iter().enumerate())
        .map(|(i, noise)| {
            let scale = if i % 30 < 3 { 1e-6 } else { 0.4 };
            centres[i % 30].iter().zip(noise).map(|(c, e)| c + scale * e).collect()
        })
        .collect();
    for i in (0..600).step_by(30) {
        rows[i] = rows[0].clone();
    }
    let queries: Vec<usize> = (0..1500).map(|i| i % 30).collect();
    let corpus = corpus(&rows, &queries, &(0..1500).map(|i| i / 30 % 7).collect::<Vec<_>>());
    let settings = PairSettings { k: 12, threshold: Some(0.2), ..PairSettings::default() };
    let reference = pass(&corpus, &mut CpuBackend::default(), &settings);
    check(&corpus, &reference, &settings);
    let least = Budget::least(1500, 33, &settings, &CpuBackend::default());
    for memory in [least, least + least / 4, 2 * least, 10 * least] {
        let settings = PairSettings { memory, ..settings.clone() };
        let outcome = pass(&corpus, &mut CpuBackend::default(), &settings);
        assert!(memory > least || outcome.stats.rows_redone > 0, "no room for long lists");
        same(&outcome, &reference, &format!("{memory} bytes"));
    }
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        for memory in [3 * least, u64::MAX] {
            let settings = PairSettings { memory, ..settings.clone() };
            let outcome = pool.install(|| pass(&corpus, &mut CpuBackend::default(), &settings));
            same(&outcome, &reference, &format!("{threads} threads"));
        }
    }
}

/// Every kernel of this CPU, alone and with a histogram, in any budget: what tables are made of is the same, and the
/// packed ones let more pairs through than they report.
#[test]
fn every_kernel_gives_the_same() {
    let (centres, noise) = (random(30, 67, 41), random(1500, 67, 42));
    let mut rows: Vec<Vec<f32>> = (noise.iter().enumerate())
        .map(|(i, noise)| centres[i % 30].iter().zip(noise).map(|(c, e)| c + 0.3 * e).collect())
        .collect();
    for i in (0..600).step_by(30) {
        rows[i] = rows[0].clone();
    }
    let queries: Vec<usize> = (0..1500).map(|i| i % 30).collect();
    let corpus = corpus(&rows, &queries, &(0..1500).map(|i| i / 30 % 7).collect::<Vec<_>>());
    let near = near_ties(300, 20);
    for corpus in [&corpus, &near] {
        for histogram in [HistogramChoice::Exact, HistogramChoice::Off] {
            let settings = PairSettings { k: 9, threshold: Some(0.7), histogram, ..PairSettings::default() };
            let reference = pass(corpus, &mut CpuBackend::new(CpuKernel::Gemm), &settings);
            check(corpus, &reference, &settings);
            for kernel in CpuKernel::available() {
                let mut backend = CpuBackend::new(kernel);
                let outcome = pass(corpus, &mut backend, &settings);
                same(&outcome, &reference, kernel.name());
                let refined = outcome.stats.refined;
                assert!(kernel == CpuKernel::Gemm || refined >= outcome.stats.survivors, "{} {refined}", kernel.name());
                let least = Budget::least(corpus.len(), corpus.dim(), &settings, &backend);
                let settings = PairSettings { memory: 2 * least, ..settings.clone() };
                same(&pass(corpus, &mut backend, &settings), &reference, kernel.name());
            }
        }
    }
}

/// A coarse histogram has every pair within its bound, those at -1 and 1 too.
#[test]
fn a_coarse_histogram_says_how_far_off_it_may_be() {
    let mut rows = random(300, 384, 8);
    rows.extend(random(100, 384, 8).iter().map(|row| row.iter().map(|v| -3.0 * v).collect()));
    rows[1] = rows[0].iter().map(|v| 3.0 * v).collect();
    let corpus = corpus_of(&rows);
    let exact = PairSettings { histogram: HistogramChoice::Exact, ..PairSettings::default() };
    let exact = pass(&corpus, &mut CpuBackend::default(), &exact).histogram.expect("a histogram");
    let total =
        |counts: &[[u64; BINS]; 4], to: usize| counts.iter().map(|bins| bins[..to].iter().sum::<u64>()).sum::<u64>();
    for kernel in CpuKernel::available() {
        let settings = PairSettings { histogram: HistogramChoice::Coarse, ..PairSettings::default() };
        let found = pass(&corpus, &mut CpuBackend::new(kernel), &settings).histogram.expect("a histogram");
        let wide = kernel.is_coarse();
        assert!(
            !found.exact && (if wide { 0.003..0.05 } else { 1e-7..4e-4 }).contains(&found.bound),
            "{} {}",
            kernel.name(),
            found.bound
        );
        assert_eq!(total(&found.counts, BINS), 400 * 399 / 2, "{}", kernel.name());
        // Below an edge there are at least as many as well below it, and at most as many as a little above it.
        let bins = (found.bound * 100.0).ceil() as usize;
        for edge in bins..=BINS - bins {
            let between = total(&exact.counts, edge - bins)..=total(&exact.counts, edge + bins);
            assert!(between.contains(&total(&found.counts, edge)), "{} edge {edge}", kernel.name());
        }
    }
}

#[test]
fn small_streams_and_lists_in_a_small_budget() {
    let corpus = near_ties(400, 30);
    let settings = PairSettings {
        k: 5,
        stream_capacity: Some(700),
        list_capacity: Some(6),
        threshold: Some(-0.1),
        ..PairSettings::default()
    };
    let memory = Budget::least(corpus.len(), corpus.dim(), &settings, &CpuBackend::default());
    let settings = PairSettings { memory, ..settings };
    let outcome = pass(&corpus, &mut CpuBackend::default(), &settings);
    assert!(outcome.stats.repeated > 0 && outcome.stats.rows_redone > 400);
    check(&corpus, &outcome, &settings);
}

#[test]
fn more_neighbours_than_rows_and_fewer() {
    for n in [1, 2, 3, 200, 256, 257, 300, 1100] {
        let rows = random(n, 19, n as u64);
        let corpus = corpus(&rows, &(0..n).map(|i| i % 5).collect::<Vec<_>>(), &vec![0; n]);
        for memory in
            [Budget::least(n, 19, &PairSettings { k: 256, ..Default::default() }, &CpuBackend::default()), u64::MAX]
        {
            let settings = PairSettings { k: 256, memory, ..PairSettings::default() };
            let outcome = pass(&corpus, &mut CpuBackend::default(), &settings);
            assert_eq!(outcome.neighbors.dst.len(), n * 256.min(n - 1));
            check(&corpus, &outcome, &settings);
        }
    }
}

/// Asks to stop at its `at`-th question.
struct StopAt {
    at: usize,
    asked: AtomicUsize,
}

impl Observer for StopAt {
    fn event(&self, _event: Event) {}
    fn stop_requested(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.at
    }
}

#[test]
fn an_interrupted_pass_leaves_no_scratch_file() {
    let corpus = corpus_of(&random(700, 9, 31));
    let scratch = tempfile::tempdir().expect("a directory");
    let settings = PairSettings {
        threshold: Some(-1.0),
        scratch: scratch.path().to_owned(),
        block_rows: Some(100),
        list_capacity: Some(10),
        ..PairSettings::default()
    };
    let memory = Budget::least(700, 9, &settings, &CpuBackend::default());
    let settings = PairSettings { memory, ..settings };
    let mut stopped = 0;
    for at in (0..).step_by(5) {
        let observer = StopAt { at, asked: AtomicUsize::new(0) };
        let result = pair_pass(&corpus, &mut CpuBackend::default(), &settings, &observer);
        assert_eq!(std::fs::read_dir(scratch.path()).expect("a directory").count(), 0, "a file is left");
        match result {
            Err(Error::Interrupted) => stopped += 1,
            Err(error) => panic!("{error}"),
            Ok(outcome) => {
                assert_eq!(outcome.edges.expect("edges").len(), 700 * 699 / 2);
                break;
            }
        }
    }
    assert!(stopped > 5, "the pass was stopped only {stopped} times");
}

#[test]
fn one_hot_tiny_and_huge_rows() {
    let dim = 40;
    let mut rows: Vec<Vec<f32>> =
        (0..dim).map(|i| (0..dim).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    rows.extend((0..20).map(|i| vec![1e-6 * (i + 1) as f32; dim]));
    rows.extend(random(20, dim, 7).into_iter().map(|row| row.into_iter().map(|v| v * 1e-30).collect()));
    rows.extend(random(20, dim, 7).into_iter().map(|row| row.into_iter().map(|v| v * 1e30).collect()));
    rows.extend(random(20, dim, 8).into_iter().map(|row| row.into_iter().map(|v| -v).collect()));
    let n = rows.len();
    let corpus =
        corpus(&rows, &(0..n).map(|i| i / 10).collect::<Vec<_>>(), &(0..n).map(|i| i % 10).collect::<Vec<_>>());
    let settings = PairSettings { k: 256, threshold: Some(-0.05), block_rows: Some(50), ..PairSettings::default() };
    for kernel in CpuKernel::available() {
        check(&corpus, &pass(&corpus, &mut CpuBackend::new(kernel), &settings), &settings);
    }
}

/// Does what real devices do wrong: kills dispatches half way, reports every survivor twice, loses one.
#[derive(Default)]
struct Faulty {
    inner: CpuBackend,
    calls: usize,
    several: bool,
    kill: bool,
    twice: bool,
    drop_one: bool,
}

impl Backend for Faulty {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }
    fn gamma(&self, dim: usize) -> f64 {
        self.inner.gamma(dim)
    }
    fn load(&mut self, side: Side, block: Arc<Block>) -> crate::base::Result<()> {
        self.inner.load(side, block)
    }
    fn block_rows(&self, dim: usize) -> usize {
        self.inner.block_rows(dim)
    }
    fn dispatch_rows(&self, dim: usize) -> usize {
        self.inner.dispatch_rows(dim)
    }
    fn submit(&mut self, job: Job, capacity: usize) -> crate::base::Result<()> {
        self.several = job.rows.len() > 1;
        self.inner.submit(job, capacity)
    }
    fn collect(&mut self, out: &mut Stream) -> crate::base::Result<Dispatch> {
        self.calls += 1;
        let done = self.inner.collect(out)?;
        if self.kill && self.calls % 3 == 1 && self.several {
            // Half of the survivors and all of the counts are there already; the driver must discard both.
            out.survivors.truncate(out.survivors.len() / 2);
            return Ok(Dispatch::StreamFull);
        }
        if self.twice {
            out.survivors.extend_from_within(..);
        }
        let best =
            (0..out.survivors.len()).max_by(|&a, &b| out.survivors[a].coarse.total_cmp(&out.survivors[b].coarse));
        if let (true, Some(best)) = (self.drop_one, best) {
            out.survivors.swap_remove(best);
        }
        Ok(done)
    }
}

#[test]
fn a_dispatch_killed_half_way_is_repeated_whole() {
    let rows = random(260, 33, 9);
    let corpus =
        corpus(&rows, &(0..260).map(|i| i / 4).collect::<Vec<_>>(), &(0..260).map(|i| i % 4).collect::<Vec<_>>());
    let settings = PairSettings { k: 7, block_rows: Some(100), ..PairSettings::default() };
    let mut backend = Faulty { kill: true, ..Faulty::default() };
    check(&corpus, &pass(&corpus, &mut backend, &settings), &settings);
}

#[test]
fn survivors_that_come_twice_count_once() {
    let rows = random(260, 33, 9);
    let corpus =
        corpus(&rows, &(0..260).map(|i| i / 4).collect::<Vec<_>>(), &(0..260).map(|i| i % 4).collect::<Vec<_>>());
    let settings = PairSettings { k: 7, block_rows: Some(100), threshold: Some(0.3), ..PairSettings::default() };
    let mut backend = Faulty { twice: true, ..Faulty::default() };
    let outcome = pass(&corpus, &mut backend, &settings);
    check(&corpus, &outcome, &settings);
    same(&outcome, &pass(&corpus, &mut CpuBackend::default(), &settings), "survivors once and twice");
    assert!(outcome.stats.settled > 0, "some pairs are settled at bin edges");
}

#[test]
#[should_panic(expected = "neighbours of row")]
fn a_lost_survivor_is_noticed() {
    let rows = random(260, 33, 9);
    let corpus = corpus(&rows, &(0..260).collect::<Vec<_>>(), &vec![0; 260]);
    let settings = PairSettings { k: 7, histogram: HistogramChoice::Off, ..PairSettings::default() };
    let mut backend = Faulty { drop_one: true, ..Faulty::default() };
    check(&corpus, &pass(&corpus, &mut backend, &settings), &settings);
}

#[test]
fn too_many_edges_are_refused_with_a_threshold_that_fits() {
    let rows = random(200, 8, 4);
    let corpus = corpus(&rows, &(0..200).collect::<Vec<_>>(), &vec![0; 200]);
    let settings = PairSettings { threshold: Some(-1.0), max_edges: 1000, ..PairSettings::default() };
    let error =
        pair_pass(&corpus, &mut CpuBackend::default(), &settings, &Silent).expect_err("20,000 edges are too many");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("would fit"), "{error}");
}
