//! Queries in chunks that are worked at once, so that the measures hold no more than so much.

use super::effective;
use super::products::Triangle;
use crate::corpus::Corpus;

/// Least and most bytes of a chunk of queries; between them an eighth of the vectors.
const CHUNK: std::ops::RangeInclusive<usize> = 16 << 20..=256 << 20;

/// Bytes of a triangle.
pub fn triangle(n: usize) -> usize {
    8 * Triangle::len(n)
}

/// Queries by canonical query.
pub fn groups(corpus: &Corpus) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); corpus.layout.canonical.len()];
    for (query, &canonical) in corpus.layout.canonical.iter().enumerate() {
        groups[canonical as usize].push(query);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// What a canonical query takes: bytes while it is worked, and bytes from then until it is folded.
pub fn group(corpus: &Corpus, members: &[usize]) -> (usize, usize) {
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
pub fn bytes(work: usize, held: usize, groups: usize) -> usize {
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
        if count > 1 && bytes(work.max(more_work), held + more_held, count) > most {
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
