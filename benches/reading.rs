//! Reading embeddings, for `benches/reading.py`, which runs it beside pyarrow on the same files.
//!
//! `reading FILE ROUNDS [WAY...]`: so many rounds of each way, in turn, on all threads, after one that does not count;
//! prints `way seconds bytes` a line, bytes being those of the vectors as f32. `memcpy` copies as many bytes from a fresh mapping of FILE to fresh memory (large pages, as the
//! embeddings have), which is what the other ways start and end with. `staging` copies them through a small buffer instead,
//! and `check` decodes and checks by pages without keeping anything. `pages` and `rows` are the pass over the embedding column (decoding, checks, norms,
//! each row to its place), by pages and through arrow-rs; `whole` is all of reading: footer, keys, order and the pass by
//! pages. `arrow` is arrow-rs as it comes: its record batch reader over a mapping, which has one thread. Without FILE a
//! small one is made.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(clippy::expect_used, reason = "a benchmark may stop on any error")]

use arrow::array::{ArrayRef, Float32Array, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use arrow::record_batch::RecordBatch;
use hivescope::base::{Event, Observer};
use hivescope::input::{InputOptions, check, read};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Seconds of the pass over the embedding column.
#[derive(Default)]
struct Pass(Mutex<f64>);

impl Observer for Pass {
    fn event(&self, event: Event) {
        if let Event::StageFinished { stage, seconds } = event
            && stage == "reading embeddings"
        {
            *self.0.lock().expect("no thread panicked") = seconds;
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let made = directory.path().join("small.parquet");
    let file = match arguments.first() {
        Some(file) => Path::new(file),
        None => {
            make(&made);
            &made
        }
    };
    let rounds = arguments.get(1).map_or(1, |rounds| rounds.parse().expect("a number of rounds"));
    let wanted = |way: &str| arguments.len() < 3 || arguments[2..].iter().any(|wanted| wanted == way);
    let bytes = by(file, true).2;
    let print = |way: &str, seconds: f64| println!("{way} {seconds:.6} {bytes}");
    for _ in 0..rounds {
        if wanted("memcpy") {
            print("memcpy", memcpy(file, bytes));
        }
        if wanted("check") {
            print("staging", staging(file, bytes));
            print("check", check_only(file));
        }
        if wanted("pages") {
            let (pages, whole, _) = by(file, true);
            print("pages", pages);
            print("whole", whole);
        }
        if wanted("rows") {
            print("rows", by(file, false).0);
        }
        if wanted("arrow") {
            print("arrow", arrow(file));
        }
    }
}

/// What reads `file` by pages or through arrow-rs.
fn options(file: &Path, page_path: bool) -> InputOptions {
    let file = file.to_string_lossy().into_owned();
    InputOptions { page_path, ..InputOptions::new(vec![file], std::env::temp_dir()) }
}

/// Seconds of the pass when rows are decoded, checked and forgotten.
fn check_only(file: &Path) -> f64 {
    let pass = Pass::default();
    check(&options(file, true), &pass).expect("a corpus");
    pass.0.into_inner().expect("no thread panicked")
}

/// Seconds of the pass, seconds in all, bytes of the vectors.
fn by(file: &Path, page_path: bool) -> (f64, f64, usize) {
    let pass = Pass::default();
    let started = Instant::now();
    let corpus = read(&options(file, page_path), &pass).expect("a corpus");
    let whole = started.elapsed().as_secs_f64();
    let seconds = *pass.0.lock().expect("no thread panicked");
    (seconds, whole, size_of_val(corpus.embeddings.values()))
}

/// Seconds until arrow-rs has decoded every batch of the embedding column.
fn arrow(file: &Path) -> f64 {
    let file = std::fs::File::open(file).expect("the file");
    let started = Instant::now();
    // SAFETY: nobody changes the file of a benchmark while it runs.
    let map = unsafe { memmap2::Mmap::map(&file) }.expect("a mapping");
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from_owner(map)).expect("a Parquet file");
    let column = builder.schema().index_of("embedding").expect("an embedding column");
    let mask = ProjectionMask::roots(builder.parquet_schema(), [column]);
    for batch in builder.with_projection(mask).build().expect("a reader") {
        std::hint::black_box(&batch.expect("a batch"));
    }
    started.elapsed().as_secs_f64()
}

/// Seconds to copy `bytes` bytes of a fresh mapping of the file through a small buffer of each thread.
fn staging(file: &Path, bytes: usize) -> f64 {
    let file = std::fs::File::open(file).expect("the file");
    // SAFETY: nobody changes the file of a benchmark while it runs.
    let map = unsafe { memmap2::Mmap::map(&file) }.expect("a mapping");
    let piece = 1 << 18;
    let started = Instant::now();
    (0..bytes.div_ceil(piece)).into_par_iter().for_each_init(
        || vec![0u8; piece],
        |buffer, i| {
            let from = if (i + 1) * piece <= map.len() { i * piece } else { 0 };
            let length = piece.min(map.len() - from);
            buffer[..length].copy_from_slice(&map[from..from + length]);
            std::hint::black_box(buffer);
        },
    );
    started.elapsed().as_secs_f64()
}

/// Seconds to copy `bytes` bytes of the file, again from its start where it is shorter.
fn memcpy(file: &Path, bytes: usize) -> f64 {
    let file = std::fs::File::open(file).expect("the file");
    // SAFETY: nobody changes the file of a benchmark while it runs.
    let map = unsafe { memmap2::Mmap::map(&file) }.expect("a mapping");
    let started = Instant::now();
    let mut copy = memmap2::MmapMut::map_anon(bytes).expect("memory");
    #[cfg(target_os = "linux")]
    copy.advise(memmap2::Advice::HugePage).expect("large pages");
    let piece = 4 << 20;
    copy.par_chunks_mut(piece).enumerate().for_each(|(i, to)| {
        let from = if (i + 1) * piece <= map.len() { i * piece } else { 0 };
        to.copy_from_slice(&map[from..][..to.len()]);
    });
    let seconds = started.elapsed().as_secs_f64();
    std::hint::black_box(&copy);
    seconds
}

/// 4,000 rows of d = 384 as parquet-rs writes them without being asked for anything.
fn make(path: &Path) {
    let (rows, dim) = (4000usize, 384usize);
    let draws = hivescope::base::random::Stream::new(1, "bench");
    let items: Float32Array = (0..(rows * dim) as u64).map(|i| Some(draws.normal(0, i) as f32)).collect();
    let field = Arc::new(Field::new("element", DataType::Float32, true));
    let list = ListArray::new(field, OffsetBuffer::from_lengths(vec![dim; rows]), Arc::new(items), None);
    let keys = |modulus: i64| Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|i| i % modulus))) as ArrayRef;
    let columns: [(&str, ArrayRef); 3] = [("query", keys(100)), ("model", keys(7)), ("embedding", Arc::new(list))];
    let batch = RecordBatch::try_from_iter(columns).expect("equal lengths");
    let file = std::fs::File::create(path).expect("a file");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}
