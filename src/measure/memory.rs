//! How much memory the measures hold, and how queries are taken in chunks so that they hold no more.

use super::cells::BLOCK;
use super::inter::PAIRS;
use super::intervals::{QUERIES, RESAMPLES};
use super::products::Triangle;
use super::sums::groups;
use super::tables::{IntraRow, ModelPairRow, QueryRow};
use super::effective;
use crate::corpus::Corpus;
use std::mem::size_of;

/// Least and most bytes of a chunk of queries; between them an eighth of the vectors.
const CHUNK: std::ops::RangeInclusive<usize> = 16 << 20..=256 << 20;

fn triangle(n: usize) -> usize {
    8 * Triangle::len(n)
}

/// What a canonical query takes: bytes while it is worked, and bytes from then until it is folded.
fn group(corpus: &Corpus, members: &[usize]) -> (usize, usize) {
    let dim = corpus.dim();
    let cells = |q: usize| corpus.layout.cells[q].len();
    let rows = |q: usize| corpus.layout.query_positions[q].len();
    let cell = |q: usize| corpus.layout.cells[q].iter().map(|c| c.positions.len()).max().unwrap_or(0);
    let all: usize = members.iter().map(|&q| rows(q)).sum();
    let sums: usize = members.iter().map(|&q| cells(q)).sum();
    let large = members.iter().map(|&q| cell(q)).sum();
    let held = 8 * sums * dim + members.iter().map(|&q| triangle(cells(q))).sum::<usize>();
    (effective::bytes(all, large, dim) + 16 * all, held)
}

/// Bytes of groups taken at once: those in work, one a thread, and those waiting to be folded.
fn chunk_bytes(work: usize, held: usize, groups: usize) -> usize {
    work * groups.min(rayon::current_num_threads()) + held
}

/// Chunks of consecutive groups that are taken at once: as many as fit, at least one.
pub fn chunks<'a>(corpus: &Corpus, groups: &'a [Vec<usize>]) -> Vec<&'a [Vec<usize>]> {
    let most = (corpus.len() * corpus.dim() / 2).clamp(*CHUNK.start(), *CHUNK.end());
    let mut chunks = Vec::new();
    let (mut first, mut work, mut held) = (0, 0, 0);
    for (place, members) in groups.iter().enumerate() {
        let (more_work, more_held) = group(corpus, members);
        let count = place + 1 - first;
        if count > 1 && chunk_bytes(work.max(more_work), held + more_held, count) > most {
            chunks.push(&groups[first..place]);
            (first, work, held) = (place, 0, 0);
        }
        (work, held) = (work.max(more_work), held + more_held);
    }
    if first < groups.len() {
        chunks.push(&groups[first..]);
    }
    chunks
}

/// Bytes that [`super::all`] holds at its peak beside the corpus and the outcome of the pair pass, tables included, for
/// 1,000 resamples and the threads of the current rayon pool; within a factor of 2 of what is allocated, as a test
/// holds. To be set against `--memory`.
///
/// With M models, d dimensions, Q queries of c models each it is the sum of
/// - what stays: a triangle a query, 4 c (c + 1) bytes and about 350 more with its lines of tables; three triangles of
///   M models; a line of model_pairs.parquet a pair of models; a line of intra.parquet a cell with n >= 2;
/// - the largest of: a chunk of queries (16 MiB to 256 MiB, or one query: a few matrices of min(n, d)^2 values); the
///   models' second moments, d (d + 1) values twice; the bootstrap, 2 Q resamples bytes and about 5 MiB a thread.
pub fn memory(corpus: &Corpus) -> u64 {
    let (dim, models, queries) = (corpus.dim(), corpus.rows.models.len(), corpus.layout.canonical.len());
    let threads = rayon::current_num_threads();
    let cells = || corpus.layout.cells.iter().flatten();
    let repeated = cells().filter(|c| c.positions.len() >= 2).count();
    let kept: usize = corpus.layout.cells.iter().map(|c| triangle(c.len()) + 12 * c.len()).sum();
    let lines = size_of::<QueryRow>() + size_of::<super::sums::QuerySums>() + size_of::<effective::Effective>() + 32;
    let tables = size_of::<ModelPairRow>() * models * (models + 1) / 2 + size_of::<IntraRow>() * repeated;
    let stays = kept + queries * lines + 3 * triangle(models) + tables;

    let groups = groups(corpus);
    let chunk = (chunks(corpus, &groups).into_iter())
        .map(|chunk| {
            let each: Vec<(usize, usize)> = chunk.iter().map(|members| group(corpus, members)).collect();
            let work = each.iter().map(|e| e.0).max().unwrap_or(0);
            chunk_bytes(work, each.iter().map(|e| e.1).sum(), chunk.len())
        })
        .max();
    let by_query = 8 * models * dim + chunk.unwrap_or(0);
    let by_model = if models > 1 { 2 * triangle(dim) + 16 * BLOCK * dim + 8 * corpus.len() } else { 0 };
    let bootstrap = 2 * queries * RESAMPLES
        + 4 * queries * models
        + threads * 8 * (RESAMPLES * QUERIES + 3 * PAIRS * RESAMPLES + 3 * PAIRS * QUERIES);
    (stays + by_query.max(by_model).max(bootstrap)) as u64
}
