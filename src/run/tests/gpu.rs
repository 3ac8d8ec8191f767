//! The driver on a graphics adapter (software will do), with every kernel, and with faults on the way.

use super::*;
use crate::compute::gpu::{Faults, backends, every_backend};

/// A corpus of four queries a model, and settings that need several blocks and dispatches.
fn sample() -> (Corpus, PairSettings) {
    let (rows, n) = (random(1000, 67, 5), 1000);
    let corpus = corpus(&rows, &(0..n).map(|i| i / 9).collect::<Vec<_>>(), &(0..n).map(|i| i % 9).collect::<Vec<_>>());
    let settings = PairSettings {
        k: 8,
        histogram: HistogramChoice::Coarse,
        threshold: Some(0.4),
        near_duplicate: 0.45,
        block_rows: Some(300),
        ..PairSettings::default()
    };
    (corpus, settings)
}

/// Neighbours, ties, components and edges are the same, and every pair was counted once.
fn same_graph(a: &PairOutcome, b: &PairOutcome, what: &str) {
    assert!(a.neighbors == b.neighbors && a.nearest == b.nearest && a.duplicates == b.duplicates, "{what}");
    let edges = |outcome: &PairOutcome| outcome.edges.iter().flat_map(|edges| edges.iter()).collect::<Vec<_>>();
    assert!(edges(a) == edges(b) && !edges(a).is_empty(), "{what}: edges");
    let counted = |outcome: &PairOutcome| outcome.histogram.as_ref().map(|h| h.counts.iter().flatten().sum::<u64>());
    assert_eq!(counted(a), counted(b), "{what}: pairs");
}

#[test]
fn every_kernel_of_an_adapter_gives_the_same_as_the_cpu() {
    let (corpus, settings) = sample();
    for stream_capacity in [None, Some(500)] {
        let settings = PairSettings { stream_capacity, ..settings.clone() };
        let expected = pass(&corpus, &mut CpuBackend::default(), &settings);
        for mut backend in every_backend(Faults::default) {
            let outcome = pass(&corpus, backend.as_mut(), &settings);
            same_graph(&outcome, &expected, &backend.info().kernel);
            assert_eq!(outcome.stats.device_faults, 0);
        }
    }
}

#[test]
fn a_corpus_larger_than_the_card_streams_through() {
    let (corpus, settings) = sample();
    let expected = pass(&corpus, &mut CpuBackend::default(), &settings);
    // Two blocks of 150 rows in f32, a little more in f16; the corpus has 1000.
    for mut backend in backends(Some(2 * 150 * (72 * 4 + 16)), Faults::default) {
        let settings = PairSettings { block_rows: Some(150), ..settings.clone() };
        same_graph(&pass(&corpus, backend.as_mut(), &settings), &expected, &backend.info().kernel);
    }
}

#[test]
fn a_pass_goes_on_after_the_device_is_lost() {
    let (corpus, settings) = sample();
    let expected = pass(&corpus, &mut CpuBackend::default(), &settings);
    for submissions in [0, 1, 7] {
        for mut backend in every_backend(|| Faults::lost_at(submissions)) {
            let outcome = pass(&corpus, backend.as_mut(), &settings);
            assert_eq!(outcome.stats.device_faults, 1, "lost at submission {submissions}");
            same_graph(&outcome, &expected, &backend.info().kernel);
        }
    }
}

#[test]
fn a_pass_that_finds_no_memory_goes_on_with_smaller_blocks() {
    let (corpus, settings) = sample();
    let settings = PairSettings { block_rows: None, stream_capacity: Some(3000), ..settings };
    let expected = pass(&corpus, &mut CpuBackend::default(), &settings);
    // 96 values of 2 bytes or 72 of 4 a row: blocks of 1000 and of 500 rows do not fit, of 250 they do.
    for mut backend in every_backend(|| Faults::no_memory_above(400 * 200)) {
        let outcome = pass(&corpus, backend.as_mut(), &settings);
        assert!(outcome.stats.device_faults >= 2, "{}", outcome.stats.device_faults);
        same_graph(&outcome, &expected, &backend.info().kernel);
    }
}

#[test]
fn a_device_without_any_memory_ends_the_pass_with_one_clear_error() {
    let (corpus, settings) = sample();
    for mut backend in every_backend(|| Faults::no_memory_above(100)) {
        let Err(Error::Device(message)) = pair_pass(&corpus, backend.as_mut(), &settings, &Silent) else {
            panic!("a device error was due")
        };
        assert!(message.contains("out of device memory") && message.contains("--backend cpu"), "{message}");
    }
}

#[test]
fn hostile_corpora_are_exact_by_every_kernel_of_an_adapter() {
    let mut backends = every_backend(Faults::default);
    for (n, dim) in [(60, 1), (60, 3), (150, 63), (50, 65), (280, 100)] {
        for (name, rows) in hostile::hostile(n, dim) {
            let n = rows.len();
            let ids = |every: usize, of: usize| (0..n).map(|i| i / every % of).collect::<Vec<_>>();
            let corpus = corpus(&rows, &ids(3, 7), &ids(1, 3));
            for settings in [
                PairSettings { k: 1, histogram: HistogramChoice::Off, block_rows: Some(37), ..PairSettings::default() },
                PairSettings { k: 32, stream_capacity: Some(300), list_capacity: Some(40), ..PairSettings::default() },
            ] {
                let expected = pass(&corpus, &mut CpuBackend::new(CpuKernel::Gemm), &settings);
                for backend in &mut backends {
                    let what = format!("{name}, {n} x {dim}, k {}, {}", settings.k, backend.info().kernel);
                    same(&pass(&corpus, backend.as_mut(), &settings), &expected, &what);
                }
            }
        }
    }
}

#[test]
fn a_pass_after_an_interrupted_one_begins_anew_on_the_device() {
    let (corpus, settings) = sample();
    let expected = pass(&corpus, &mut CpuBackend::default(), &settings);
    for mut backend in every_backend(Faults::default) {
        let observer = faults::Impatient(AtomicUsize::new(3));
        assert!(matches!(pair_pass(&corpus, backend.as_mut(), &settings, &observer), Err(Error::Interrupted)));
        same_graph(&pass(&corpus, backend.as_mut(), &settings), &expected, &backend.info().kernel);
    }
}
