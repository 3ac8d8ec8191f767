//! `check`: the pair pass with every kernel of the adapter gives what the CPU gives.

use super::corpus::{S1, Size, plant};
use super::opened::Setup;
use anyhow::bail;
use hivescope::base::Silent;
use hivescope::compute::cpu::CpuBackend;
use hivescope::compute::{Backend, PairOutcome};
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

/// Runs every kernel on small corpora, and the one that a run would take on a larger one.
///
/// # Errors
/// If anything differs, after all was compared.
pub fn main(setup: &mut Setup) -> anyhow::Result<()> {
    let info = setup.open(Some("f32"))?.info();
    let adapter = setup.adapter(&info, true)?;
    let software = adapter.kind == "software";
    for rung in adapter.kernels.iter().filter(|rung| rung.self_test != "passed") {
        eprintln!("{}: {}", rung.kernel, rung.self_test);
    }
    let queries = if software { 10 } else { 80 };
    let small = Size { name: "check", queries, models: 7, samples: 9, dim: 0 };
    let mut jobs: Vec<(Size, Vec<String>)> = Vec::new();
    let asked = |kernel: &String| setup.kernel.as_ref().is_none_or(|name| kernel.starts_with(name));
    let passed: Vec<String> = (adapter.kernels.iter().filter(|rung| rung.self_test == "passed"))
        .map(|rung| rung.kernel.clone())
        .filter(asked)
        .collect();
    for dim in DIMENSIONS {
        jobs.push((small.with_dim(dim), passed.clone()));
    }
    if !software {
        let chosen = adapter.kernels.iter().filter(|rung| rung.chosen).map(|rung| rung.kernel.clone());
        jobs.push((S1.scaled(0.32 * setup.scale), chosen.collect()));
    }
    let mut different = adapter.kernels.len() - adapter.kernels.iter().filter(|r| r.self_test == "passed").count();
    let mut results: Vec<(String, Vec<serde_json::Value>)> = Vec::new();
    for (size, kernels) in jobs {
        let corpus = plant(size)?;
        let coarse = PairSettings {
            threshold: Some(0.75),
            near_duplicate: 0.9,
            histogram: HistogramChoice::Coarse,
            block_rows: if size.name == "check" { Some(size.rows() / 3) } else { None },
            ..PairSettings::default()
        };
        let exact = PairSettings { histogram: HistogramChoice::Exact, ..coarse.clone() };
        let of_cpu = |settings: &PairSettings| pass(&corpus, &mut CpuBackend::default(), settings);
        let (expected, expected_exact) = (of_cpu(&coarse)?.0, of_cpu(&exact)?.0);
        for kernel in kernels {
            let mut backend = setup.open(Some(&kernel))?;
            let mut lines = vec![compare(&corpus, backend.as_mut(), &coarse, &expected)?];
            if kernel.starts_with("f32") {
                lines.push(compare(&corpus, backend.as_mut(), &exact, &expected_exact)?);
            }
            different += lines.iter().filter(|line| line["same"] != true).count();
            match results.iter_mut().find(|(name, _)| *name == kernel) {
                Some((_, all)) => all.append(&mut lines),
                None => results.push((kernel, lines)),
            }
        }
    }
    for (kernel, lines) in results {
        let same = lines.iter().all(|line| line["same"] == true);
        let of_kernel = hivescope::compute::BackendInfo { kernel, ..info.clone() };
        setup.journal.add("check", &of_kernel, setup.scale, json!({ "same": same, "passes": lines }))?;
    }
    if different > 0 {
        bail!("{different} kernels or passes are wrong");
    }
    Ok(())
}
