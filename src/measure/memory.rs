//! How much memory the measures hold, and how queries are taken in chunks so that they hold no more.

use super::MeasureSettings;
use super::adjusted;
use super::cells::BLOCK;
use super::chunks::{self, chunks, groups, triangle};
use super::contexts;
use super::effective;
use super::form;
use super::growth;
use super::inter::PAIRS;
use super::intervals::{OfQuery, RESAMPLES, columns};
use super::length;
use super::map;
use super::meanings;
use super::r2;
use super::tables::{IntraRow, ModelPairRow, QueryRow};
use super::topn;
use super::variants;
use crate::corpus::{Corpus, Role};
use std::mem::size_of;

/// What the eigenvalue solver keeps a thread for packing, whatever the size of the matrix.
const PACKING: usize = 4 << 20;

/// Bytes that [`super::all`] holds at its peak beside the corpus and the outcome of the pair pass, tables included, for
/// 1,000 resamples and the threads of the current rayon pool; within a factor of 2 of what is allocated, as a test
/// holds. To be set against `--memory`.
///
/// With M models, d dimensions, Q queries of c models each it is the sum of
/// - what stays: a triangle a query, 4 c (c + 1) bytes and about 350 more with its lines of tables; three triangles of
///   M models; a line of model_pairs.parquet a pair of models; a line of intra.parquet and one of meanings.parquet a cut, a cell
///   with n >= 2; 4 bytes a response, and a line of map.parquet each for at most 100,000;
/// - 4 MiB a thread, which the eigenvalue solver keeps;
/// - the largest of: a chunk of queries (16 MiB to 256 MiB, or one query: a few matrices of min(n, d)^2 values); the
///   models' second moments, 4 d (d + 1) bytes twice, with the map one of them whole and a few hundred directions; the
///   bootstraps, 2 bytes a query and resample and up to 5 MiB a thread; on each thread the matrix of the largest query,
///   4 n (n + 1) bytes, and its unit rows, or what eigenvalues or the ranks of its pairs take; with contexts or stages their cells and sums, about 80 bytes a row; with texts
///   what responses have of 4-grams and dimensions, 16 bytes each and at most 128 MiB, a quarter more, and on each thread
///   16 bytes a cell twice.
pub fn memory(corpus: &Corpus, settings: &MeasureSettings) -> u64 {
    let (dim, models, queries) = (corpus.dim(), corpus.rows.models.len(), corpus.layout.canonical.len());
    let threads = rayon::current_num_threads();
    let cells = || corpus.layout.cells.iter().flatten();
    let repeated = cells().filter(|c| c.positions.len() >= 2).count();
    let kept: usize = corpus.layout.cells.iter().map(|c| triangle(c.len()) + 12 * c.len()).sum();
    let lines = size_of::<QueryRow>() + size_of::<super::sums::QuerySums>() + size_of::<effective::Effective>() + 32;
    let tables = size_of::<ModelPairRow>() * models * (models + 1) / 2 + size_of::<IntraRow>() * repeated;
    let (clustering, labelled) = meanings::memory(corpus, settings);
    let (mapping, mapped) = map::bytes(corpus);
    let stays = kept + queries * lines + 3 * triangle(models) + tables + labelled + growth::bytes(corpus) + mapped;

    let groups = groups(corpus);
    let chunk = (chunks(corpus, &groups).into_iter())
        .map(|chunk| {
            let each: Vec<(usize, usize)> = chunk.iter().map(|members| chunks::group(corpus, members)).collect();
            let work = each.iter().map(|e| e.0).max().unwrap_or(0);
            chunks::bytes(work, each.iter().map(|e| e.1).sum(), chunk.len())
        })
        .max();
    let by_query = 8 * models * dim + chunk.unwrap_or(0);
    let by_model = if models > 1 { 2 * triangle(dim) + 16 * BLOCK * dim + 8 * corpus.len() } else { 0 };
    let mapping = triangle(dim) + mapping;
    let weights = 2 * RESAMPLES * queries;
    let columns = columns(queries);
    let blocks = threads.min((models * (models + 1) / 2).div_ceil(PAIRS));
    let bootstrap = weights
        + 4 * queries * models
        + blocks * 8 * (RESAMPLES * columns + 5 * PAIRS * RESAMPLES + 3 * PAIRS * columns);
    let two_way = size_of::<OfQuery>() * queries + 24 * cells().count();
    let said = if corpus.rows.categories.contains_key(&Role::Context) { contexts::bytes(corpus) } else { 0 };
    let variants = weights + said + variants::bytes(corpus);
    // Beside each cell's sum the mean of those with as many answers.
    let variation = weights + r2::bytes(corpus) + 2 * chunk.unwrap_or(0);
    // A table of queries and models a thread; of one its own, what is away from its means and their moves.
    let tables = 8 * queries * models * threads.max(4);
    let ranking = weights + tables + adjusted::bytes(models) + 8 * models * (3 * RESAMPLES + 3 * columns);
    let pairs = threads.min(queries) * pairs_of_a_query(corpus, clustering);
    let lengths = if corpus.rows.text_chars.is_some() { 27 * corpus.len() } else { 0 };
    // People beside models take the same matrix.
    let sources = corpus.rows.categories.contains_key(&Role::Source);
    let people = if sources { threads.min(queries) * meanings::clustering_bytes(corpus) } else { 0 };
    let form = weights + form::bytes(corpus);
    let rows = corpus.layout.query_positions.iter().map(std::ops::Range::len).max().unwrap_or(0);
    let topn = if repeated > 0 {
        topn::bytes(rows, dim, if rows > topn::LARGE { threads } else { threads.min(queries) })
    } else {
        0
    };
    let packing = threads.min(queries) * PACKING;
    let largest = [
        by_query, by_model, mapping, pairs, people, bootstrap, two_way, variants, variation, ranking, lengths, form,
        topn,
    ];
    let largest = largest.into_iter().max().unwrap_or(0);
    (stays + packing + largest) as u64
}

/// Bytes that the pairs of the largest query take: their similarities and, one after the other, effective numbers, ranks of
/// lengths, clusters.
fn pairs_of_a_query(corpus: &Corpus, clustering: bool) -> usize {
    let dim = corpus.dim();
    let texts = corpus.rows.text_chars.is_some();
    let of_query = |query: usize| {
        let rows = corpus.layout.query_positions[query].len();
        let cell = corpus.layout.cells[query].iter().map(|cell| cell.positions.len()).max().unwrap_or(0);
        let known = clustering || effective::by_similarities(rows, corpus);
        let similarities = if known { triangle(rows.min(meanings::MOST)) } else { 0 };
        let effective = effective::bytes(rows, cell, dim);
        let lengths = if texts { length::bytes(rows, dim) } else { 0 };
        let clusters = if known { 8 * rows.min(meanings::MOST) * dim.max(20) } else { 0 };
        similarities + effective.max(lengths).max(clusters)
    };
    (0..corpus.layout.query_positions.len()).map(of_query).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::super::planted::planted;
    use super::super::vendi::vendi;
    use super::*;
    use crate::base::events::Silent;
    use crate::corpus::{Category, Dictionary, Role};
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;
    use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

    static HELD: AtomicIsize = AtomicIsize::new(0);
    static PEAK: AtomicIsize = AtomicIsize::new(0);

    thread_local! {
        /// Whether the bytes of this thread are counted.
        static COUNTED: Cell<bool> = const { Cell::new(false) };
    }

    /// The system's allocator, which counts what the threads of one pool hold.
    struct Counting;

    fn count(bytes: isize) {
        if COUNTED.try_with(Cell::get).unwrap_or(false) {
            let held = HELD.fetch_add(bytes, Relaxed) + bytes;
            PEAK.fetch_max(held, Relaxed);
        }
    }

    // SAFETY: every call goes to the system's allocator with the caller's arguments; counting allocates nothing.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            count(layout.size() as isize);
            // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            count(-(layout.size() as isize));
            // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    /// What a corpus has beside its vectors.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum With {
        Nothing,
        Contexts,
        Texts,
    }

    /// Bytes held at the peak of `all`, and the estimate.
    fn peak_and_estimate((queries, models, samples, dim): (usize, usize, usize, usize), with: With) -> (f64, f64) {
        let keys = (0..queries)
            .flat_map(|q| (0..models * samples).map(move |i| (format!("{q:04}"), format!("{}", i % models))));
        let (mut corpus, outcome) = planted(keys, dim);
        if with == With::Texts {
            let text = |row: usize| (0..80).map(|i| format!("{} ", (row * 7919 + i * i) % 5000)).collect::<String>();
            let texts: Vec<String> = (0..corpus.len()).map(text).collect();
            corpus.rows.excerpts = Some(crate::corpus::Excerpts::of_texts(&texts));
        }
        if with == With::Contexts {
            let names: Vec<String> =
                (0..corpus.len()).map(|row| (row % (models * samples) / models).to_string()).collect();
            let (dictionary, ids) = Dictionary::from_names(&names);
            corpus.rows.categories.insert(Role::Context, Category { dictionary, ids });
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).start_handler(|_| COUNTED.set(true)).build().unwrap();
        HELD.store(0, Relaxed);
        PEAK.store(0, Relaxed);
        // Where the machine is busy one thread may do all the work: the solver keeps its packing on each.
        if queries > 1 {
            let rows: Vec<f64> = (0..64 * 64).map(|i| f64::from(i * i % 101)).collect();
            pool.broadcast(|_| vendi(&crate::measure::products::Triangle::gram(&rows, 64), 64));
        }
        let done = pool.install(|| all(&corpus, &outcome, &MeasureSettings::default(), &Silent)).unwrap();
        drop(done);
        (PEAK.load(Relaxed) as f64, pool.install(|| memory(&corpus, &MeasureSettings::default())) as f64)
    }

    #[test]
    fn the_estimate_is_within_a_factor_of_two() {
        // One response a cell; many samples with n_q > d; one large query, and two; many small queries; many models.
        let shapes = [
            (60, 40, 1, 96),
            (12, 4, 40, 64),
            (1, 4, 1500, 256),
            (2, 4, 500, 64),
            (3000, 6, 1, 16),
            (6, 300, 1, 64),
            (8, 5, 60, 512),
        ];
        for shape in shapes {
            for with in [With::Nothing, With::Contexts, With::Texts] {
                let (peak, estimate) = peak_and_estimate(shape, with);
                let ratio = estimate / peak;
                assert!(
                    (0.5..=2.0).contains(&ratio),
                    "{shape:?} with {with:?}: {estimate} estimated, {peak} held, ratio {ratio:.2}"
                );
            }
        }
    }
}
