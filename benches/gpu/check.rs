//! `check`: the pair pass with every kernel of the adapter gives what the CPU gives.

use super::corpus::{S1, Size, plant};
use super::opened::Setup;
use anyhow::bail;
use hivescope::base::Silent;
use hivescope::compute::cpu::CpuBackend;
use hivescope::compute::{Backend, BackendInfo, PairOutcome};
use hivescope::corpus::Corpus;
use hivescope::run::{HistogramChoice, PairSettings, pair_pass};
use serde_json::json;

/// Dimensions: no multiple of anything, one that crosses slices, those of common models.
const DIMENSIONS: [usize; 4] = [17, 67, 384, 1536];

/// What a pass found, as bits.
#[derive(PartialEq)]
struct Found {
    neighbors: Vec<(u64, u32, u32)>,
    edges: Vec<(u32, u32, u32)>,
    component: Vec<u32>,
    /// Whole where it is exact, else only how many pairs there are.
    histogram: Vec<u64>,
}

fn found(outcome: &PairOutcome) -> Found {
    let ends = outcome.neighbors.starts.iter().skip(1);
    let rows = ends
        .zip(&outcome.neighbors.starts)
        .enumerate()
        .flat_map(|(row, (end, start))| std::iter::repeat_n(row as u64, (end - start) as usize));
    let graph = rows.zip(&outcome.neighbors.dst).zip(&outcome.neighbors.similarity);
    let edges = outcome.edges.iter().flat_map(|edges| edges.iter());
    let counts = outcome.histogram.iter().flat_map(|h| h.counts.iter().flatten().copied().map(|c| (h.exact, c)));
    let (exact, counts): (Vec<bool>, Vec<u64>) = counts.unzip();
    Found {
        neighbors: graph.map(|((row, &dst), similarity)| (row, dst, similarity.to_bits())).collect(),
        edges: edges.map(|edge| (edge.src, edge.dst, edge.similarity.to_bits())).collect(),
        component: outcome.duplicates.component.clone(),
        histogram: if exact.iter().all(|&exact| exact) { counts } else { vec![counts.iter().sum()] },
    }
}

fn pass(corpus: &Corpus, backend: &mut dyn Backend, settings: &PairSettings) -> anyhow::Result<(Found, u64)> {
    let outcome = pair_pass(corpus, backend, settings, &Silent)?;
    Ok((found(&outcome), outcome.stats.survivors))
}

/// Compares; says what is wrong and goes on, so that one call shows all.
fn compare(
    corpus: &Corpus,
    backend: &mut dyn Backend,
    settings: &PairSettings,
    expected: &Found,
) -> anyhow::Result<serde_json::Value> {
    let (own, survivors) = pass(corpus, backend, settings)?;
    let same = own == *expected;
    let (rows, dim) = (corpus.len(), corpus.dim());
    let verdict = if same { "the same" } else { "DIFFERENT" };
    eprintln!("{rows} x {dim}, histogram {:?}: {verdict}, {} edges", settings.histogram, own.edges.len());
    Ok(json!({ "rows": rows, "dim": dim, "histogram": settings.histogram, "same": same, "edges": own.edges.len(),
        "neighbors": own.neighbors.len(), "survivors": survivors }))
}

/// A corpus, and what the CPU finds in it with a coarse and with an exact histogram.
struct Case {
    corpus: Corpus,
    settings: [PairSettings; 2],
    expected: [Found; 2],
}

impl Case {
    fn new(size: Size, block_rows: Option<usize>) -> anyhow::Result<Self> {
        let corpus = plant(size)?;
        let settings = [HistogramChoice::Coarse, HistogramChoice::Exact].map(|histogram| PairSettings {
            threshold: Some(0.75),
            near_duplicate: 0.9,
            histogram,
            block_rows,
            ..PairSettings::default()
        });
        let of_cpu = |settings| anyhow::Ok(pass(&corpus, &mut CpuBackend::default(), settings)?.0);
        let expected = [of_cpu(&settings[0])?, of_cpu(&settings[1])?];
        Ok(Self { corpus, settings, expected })
    }
}

/// Runs every kernel on small corpora, in several blocks, and the one that a run would take on a larger one too.
///
/// # Errors
/// If anything differs, after all was compared.
pub fn main(setup: &mut Setup) -> anyhow::Result<()> {
    let info = setup.open(Some("f32"))?.info();
    let adapter = setup.adapter(&info, true)?;
    let software = adapter.kind == "software";
    let small = Size { name: "check", queries: if software { 10 } else { 80 }, models: 7, samples: 9, dim: 0 };
    let some = Some(small.rows() / 3);
    let cases: Vec<Case> =
        DIMENSIONS.map(|dim| Case::new(small.with_dim(dim), some)).into_iter().collect::<anyhow::Result<_>>()?;
    let large = if software { None } else { Some(Case::new(S1.scaled(0.32 * setup.scale), None)?) };
    let mut wrong = 0;
    for rung in adapter.kernels.iter().filter(|rung| setup.kernel.as_ref().is_none_or(|k| rung.kernel.starts_with(k))) {
        let of_kernel = BackendInfo { kernel: rung.kernel.clone(), ..info.clone() };
        if rung.self_test != "passed" {
            eprintln!("{}: {}", rung.kernel, rung.self_test);
            wrong += 1;
            continue;
        }
        let before = setup.journal.find("check", &of_kernel, setup.scale);
        if before.is_some_and(|line| line.figures["same"] == true) {
            eprintln!("{}: checked already", rung.kernel);
            continue;
        }
        let mut backend = setup.open(Some(&rung.kernel))?;
        let exact = rung.kernel.starts_with("f32");
        let mut passes = Vec::new();
        for case in cases.iter().chain(large.iter().filter(|_| rung.chosen)) {
            for (settings, expected) in case.settings.iter().zip(&case.expected).take(if exact { 2 } else { 1 }) {
                passes.push(compare(&case.corpus, backend.as_mut(), settings, expected)?);
            }
        }
        let same = passes.iter().all(|pass| pass["same"] == true);
        wrong += usize::from(!same);
        setup.journal.add("check", &of_kernel, setup.scale, json!({ "same": same, "passes": passes }))?;
    }
    if wrong > 0 {
        bail!("{wrong} kernels are wrong");
    }
    Ok(())
}
