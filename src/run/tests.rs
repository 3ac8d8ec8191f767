//! The driver against a brute-force f64 reference, on corpora that would catch an unsound filter.

use super::*;
use crate::base::Silent;
use crate::base::random::Stream as Draws;
use crate::base::similarity::Similarity;
use crate::compute::cpu::CpuBackend;
use crate::compute::outcome::{BINS, bin_of};
use crate::compute::{Backend, BackendInfo, Block, Dispatch, Job, PairOutcome, Side, Stream};
use crate::corpus::{Corpus, Dictionary, Embeddings, Layout, Rows, Samples};

/// A corpus from rows in file order with query and model ids.
fn corpus(values: &[Vec<f32>], query: &[usize], model: &[usize]) -> Corpus {
    let n = values.len();
    let name = |prefix: &str, ids: &[usize]| ids.iter().map(|id| format!("{prefix}{id:05}")).collect::<Vec<_>>();
    let (queries, query) = Dictionary::from_names(&name("q", query));
    let (models, model) = Dictionary::from_names(&name("m", model));
    let rows = Rows {
        file: vec![0; n],
        file_row: (0..n as u64).collect(),
        query,
        model,
        queries,
        models,
        sample: Samples::Number((0..n as i64).collect()),
        text_hash: None,
        categories: Default::default(),
    };
    let layout = Layout::new(&rows);
    let ordered: Vec<f32> = layout.row_at.iter().flat_map(|&row| values[row as usize].iter().copied()).collect();
    let embeddings = Embeddings::from_rows(ordered, values[0].len());
    Corpus { files: Vec::new(), rows, layout, embeddings, notes: Vec::new(), skipped: 0 }
}

fn random(n: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let draws = Draws::new(seed, "rows");
    (0..n as u64).map(|row| (0..dim as u64).map(|i| draws.normal(row, i) as f32).collect()).collect()
}

/// Checks everything the pass found against all pairs in f64.
fn check(corpus: &Corpus, outcome: &PairOutcome, settings: &PairSettings) {
    let n = corpus.len();
    let similarity = Similarity::new();
    let position = &corpus.layout.position_of;
    let s = |a: usize, b: usize| corpus.embeddings.similarity(&similarity, position[a] as usize, position[b] as usize);
    let mut histogram = vec![[0u64; BINS]; 4];
    let mut edges = Vec::new();
    let mut near_duplicates = 0;
    for a in 0..n {
        let mut others: Vec<(f32, u32)> = (0..n).filter(|&b| b != a).map(|b| (s(a, b), b as u32)).collect();
        others.sort_by(|x, y| y.0.partial_cmp(&x.0).expect("finite").then(x.1.cmp(&y.1)));
        let range = outcome.neighbors.starts[a] as usize..outcome.neighbors.starts[a + 1] as usize;
        let got: Vec<(f32, u32)> = range.map(|i| (outcome.neighbors.similarity[i], outcome.neighbors.dst[i])).collect();
        assert_eq!(got, others[..settings.k.min(n - 1)], "neighbours of row {a}");
        if let Some(&(best, _)) = others.first() {
            let tied: Vec<u32> = others.iter().filter(|o| o.0 == best).map(|o| o.1).collect();
            let nearest = outcome.nearest[a];
            assert_eq!((nearest.similarity, nearest.ties), (best, tied.len() as u64), "nearest of row {a}");
            let other_model = tied.iter().filter(|&&b| corpus.rows.model[b as usize] != corpus.rows.model[a]).count();
            assert_eq!(nearest.ties_other_model, other_model as u64, "ties of row {a}");
        }
        for b in a + 1..n {
            let value = s(a, b);
            let relation = 2 * usize::from(corpus.rows.query[a] != corpus.rows.query[b])
                + usize::from(corpus.rows.model[a] != corpus.rows.model[b]);
            histogram[relation][bin_of(value)] += 1;
            near_duplicates += u64::from(f64::from(value) >= settings.near_duplicate);
            if settings.threshold.is_some_and(|t| f64::from(value) >= t) {
                edges.push((a as u32, b as u32, value));
            }
        }
    }
    if let Some(found) = &outcome.histogram {
        assert!(found.exact, "small corpora have an exact histogram");
        assert_eq!(found.counts.to_vec(), histogram, "histogram");
    }
    assert_eq!(outcome.duplicates.pairs, near_duplicates, "near duplicates");
    if let Some(found) = &outcome.edges {
        assert_eq!(found.iter().map(|e| (e.src, e.dst, e.similarity)).collect::<Vec<_>>(), edges, "edges");
    }
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
            check(&corpus, &pass(&corpus, &mut CpuBackend::new(), &settings), &settings);
        }
    }
}

#[test]
fn small_streams_and_small_lists_change_nothing() {
    let rows = random(300, 17, 5);
    let corpus = corpus(&rows, &(0..300).collect::<Vec<_>>(), &vec![0; 300]);
    let settings = PairSettings {
        k: 5,
        stream_capacity: 50,
        list_capacity: Some(5),
        threshold: Some(0.3),
        ..PairSettings::default()
    };
    let outcome = pass(&corpus, &mut CpuBackend::new(), &settings);
    assert!(outcome.stats.repeated > 0, "the stream was forced to overflow");
    check(&corpus, &outcome, &settings);
}

#[test]
fn near_ties_beside_exact_copies() {
    // 600 rows within 1e-5 of each other (their similarities all round to 1) beside 80 copies of one row.
    let base = random(1, 67, 1).remove(0);
    let noise = random(600, 67, 2);
    let mut rows: Vec<Vec<f32>> =
        noise.iter().map(|e| base.iter().zip(e).map(|(b, e)| b + e * 1e-6).collect()).collect();
    rows.extend(vec![base; 80]);
    rows.extend(random(60, 67, 3));
    let n = rows.len();
    let corpus =
        corpus(&rows, &(0..n).map(|i| i % 11).collect::<Vec<_>>(), &(0..n).map(|i| i % 40).collect::<Vec<_>>());
    let settings = PairSettings { k: 10, block_rows: Some(200), ..PairSettings::default() };
    let outcome = pass(&corpus, &mut CpuBackend::new(), &settings);
    assert_eq!(outcome.stats.copies, 79);
    assert!(outcome.stats.rows_redone > 0, "lists of near ties overflow");
    check(&corpus, &outcome, &settings);
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
    check(&corpus, &pass(&corpus, &mut CpuBackend::new(), &settings), &settings);
}

/// Does what real devices do wrong: kills dispatches half way, and reports every survivor twice.
struct Faulty {
    inner: CpuBackend,
    calls: usize,
    drop_one: bool,
}

impl Backend for Faulty {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }
    fn gamma(&self, dim: usize) -> f64 {
        self.inner.gamma(dim)
    }
    fn load(&mut self, side: Side, block: Block) -> crate::base::Result<()> {
        self.inner.load(side, block)
    }
    fn dispatch(&mut self, job: &Job, out: &mut Stream) -> crate::base::Result<Dispatch> {
        self.calls += 1;
        let done = self.inner.dispatch(job, out)?;
        if self.calls % 3 == 1 && job.rows.len() > 1 {
            // Half of the survivors and all of the counts are there already; the driver must discard both.
            out.survivors.truncate(out.survivors.len() / 2);
            return Ok(Dispatch::StreamFull);
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
    let mut backend = Faulty { inner: CpuBackend::new(), calls: 0, drop_one: false };
    check(&corpus, &pass(&corpus, &mut backend, &settings), &settings);
}

#[test]
#[should_panic(expected = "neighbours of row")]
fn a_lost_survivor_is_noticed() {
    let rows = random(260, 33, 9);
    let corpus = corpus(&rows, &(0..260).collect::<Vec<_>>(), &vec![0; 260]);
    let settings = PairSettings { k: 7, histogram: HistogramChoice::Off, ..PairSettings::default() };
    let mut backend = Faulty { inner: CpuBackend::new(), calls: 1, drop_one: true };
    check(&corpus, &pass(&corpus, &mut backend, &settings), &settings);
}

#[test]
fn too_many_edges_are_refused_with_a_threshold_that_fits() {
    let rows = random(200, 8, 4);
    let corpus = corpus(&rows, &(0..200).collect::<Vec<_>>(), &vec![0; 200]);
    let settings = PairSettings { threshold: Some(-1.0), max_edges: 1000, ..PairSettings::default() };
    let error = pair_pass(&corpus, &mut CpuBackend::new(), &settings, &Silent).expect_err("20,000 edges are too many");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("would fit"), "{error}");
}
