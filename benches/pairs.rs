//! The pair pass with everything on (neighbours, exact histogram, near duplicates), for `benches/pairs.py`, which runs
//! it beside numpy and faiss-cpu on the same rows.
//!
//! `pairs ROWS.f32 DIM QUERIES K REPETITIONS`: a flat little-endian f32 file; row r answers query r mod QUERIES.
//! Prints one line of seconds a repetition. Without arguments it runs a small planted corpus.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(clippy::expect_used, reason = "a benchmark may stop on any error")]

use hivescope::base::Silent;
use hivescope::base::random::Stream;
use hivescope::compute::cpu::CpuBackend;
use hivescope::corpus::{Corpus, Dictionary, Embeddings, Layout, Rows, Samples};
use hivescope::run::{PairSettings, pair_pass};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let (values, dim, queries, k, repetitions) = match arguments.as_slice() {
        [file, dim, queries, k, repetitions] => {
            let bytes = std::fs::read(file).expect("the file of rows");
            let values = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let number = |text: &String| text.parse::<usize>().expect("a number");
            (values, number(dim), number(queries), number(k), number(repetitions))
        }
        _ => (planted(2000, 384), 384, 20, 10, 1),
    };
    let corpus = corpus(&values, dim, queries);
    for _ in 0..repetitions {
        let started = std::time::Instant::now();
        let settings = PairSettings { k, ..PairSettings::default() };
        let outcome = pair_pass(&corpus, &mut CpuBackend::new(), &settings, &Silent).expect("the pass");
        println!(
            "seconds {:.4} {}",
            started.elapsed().as_secs_f64(),
            serde_json::to_string(&outcome.stats).expect("json")
        );
    }
}

fn planted(n: u64, dim: u64) -> Vec<f32> {
    let draws = Stream::new(1, "bench");
    (0..n * dim).map(|i| (draws.normal(i / dim % 20, i % dim) + draws.normal(100 + i / dim, i % dim)) as f32).collect()
}

fn corpus(values: &[f32], dim: usize, queries: usize) -> Corpus {
    let n = values.len() / dim;
    let names = |prefix: &str, ids: &mut dyn Iterator<Item = usize>| {
        ids.map(|id| format!("{prefix}{id:06}")).collect::<Vec<_>>()
    };
    let (queries_dictionary, query) = Dictionary::from_names(&names("q", &mut (0..n).map(|row| row % queries)));
    let (models, model) = Dictionary::from_names(&names("m", &mut (0..n).map(|row| row / queries)));
    let rows = Rows {
        file: vec![0; n],
        file_row: (0..n as u64).collect(),
        query,
        model,
        queries: queries_dictionary,
        models,
        sample: Samples::Number(vec![0; n]),
        text_hash: None,
        text_chars: None,
        categories: Default::default(),
    };
    let layout = Layout::new(&rows);
    let ordered =
        layout.row_at.iter().flat_map(|&r| values[r as usize * dim..(r as usize + 1) * dim].iter().copied()).collect();
    Corpus {
        files: Vec::new(),
        rows,
        layout,
        embeddings: Embeddings::from_rows(ordered, dim),
        notes: Vec::new(),
        skipped: 0,
    }
}
