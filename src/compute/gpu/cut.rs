//! Cuts blocks and jobs so that every binding and every dispatch fits the adapter's own limits.

use std::ops::Range;

/// Most bytes of one piece of a block, whatever the adapter takes: keeps single allocations moderate.
const PIECE_BYTES: u64 = 1 << 30;

/// Seconds that a dispatch takes at most, about: no watchdog ends it, and the host's share of one is small.
const DISPATCH_SECONDS: f64 = 0.1;

/// Most rows or columns of a dispatch: its pairs fit a u32, and whole tiles of every kernel do.
pub(super) const DISPATCH_SIDE: usize = 61_440;

/// What an adapter takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of one storage binding.
    pub binding: u64,
    /// Workgroups of a dispatch in each dimension.
    pub groups: u32,
}

impl Limits {
    /// The limits of an adapter.
    pub(super) fn of(limits: &wgpu::Limits) -> Self {
        Self {
            binding: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            groups: limits.max_compute_workgroups_per_dimension,
        }
    }

    /// Rows of `row_bytes` that one binding holds; 0 if not even one fits.
    pub(super) fn piece_rows(self, row_bytes: usize) -> usize {
        let bytes = row_bytes as u64;
        usize::try_from(self.binding.min(PIECE_BYTES.max(bytes)) / bytes).unwrap_or(usize::MAX)
    }

    /// Survivors of 12 bytes that one binding holds.
    pub(super) fn survivors(self) -> usize {
        (self.binding / 12).min(u64::from(u32::MAX)) as usize
    }

    /// Most rows and columns of one dispatch at `padded` values a row by a kernel of that tile and speed (operations a
    /// second).
    pub(super) fn dispatch_side(self, padded: usize, tile: (usize, usize), speed: f64) -> usize {
        let larger = tile.0.max(tile.1);
        let pairs = DISPATCH_SECONDS * speed / (2 * padded.max(1)) as f64;
        let side = (pairs.sqrt() as usize / larger * larger).max(larger);
        side.min(DISPATCH_SIDE).min(self.groups as usize * tile.0.min(tile.1))
    }
}

/// A part of a job that one dispatch computes. Ranges are local to the blocks, each within one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

impl Rectangle {
    /// Rows times columns.
    pub(super) fn pairs(&self) -> u64 {
        self.rows.len() as u64 * self.columns.len() as u64
    }
}

/// `range` cut at multiples of `piece` and to at most `side`.
fn cuts(range: Range<usize>, piece: usize, side: usize) -> Vec<Range<usize>> {
    let (piece, side) = (piece.max(1), side.max(1));
    let mut cuts = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min((start / piece + 1) * piece).min(start + side);
        cuts.push(start..end);
        start = end;
    }
    cuts
}

/// The rectangles of a job that hold at least one pair (column position above row position). `first` are the positions of
/// row 0 and column 0 of the blocks, `piece` their rows a piece, `side` the most rows and columns of a dispatch.
pub(super) fn rectangles(
    job: (Range<usize>, Range<usize>),
    first: (usize, usize),
    piece: (usize, usize),
    side: usize,
) -> Vec<Rectangle> {
    let all_columns = cuts(job.1, piece.1, side);
    let all = cuts(job.0, piece.0, side).into_iter().flat_map(|rows| {
        let with = move |columns: &Range<usize>| Rectangle { rows: rows.clone(), columns: columns.clone() };
        all_columns.iter().map(with).collect::<Vec<_>>()
    });
    all.filter(|one| first.1 + one.columns.end - 1 > first.0 + one.rows.start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_in_exactly_one_rectangle() {
        for (first, piece, side) in [((0, 0), (7, 5), 4), ((0, 0), (100, 100), 100), ((3, 10), (8, 3), 16)] {
            let (job_rows, job_columns) = (2..20, 1..23);
            let mut seen = vec![[0u8; 30]; 30];
            for rectangle in &rectangles((job_rows.clone(), job_columns.clone()), first, piece, side) {
                let Rectangle { rows, columns } = rectangle;
                assert!(rows.len() <= side && columns.len() <= side);
                assert_eq!(
                    (rows.start / piece.0, columns.start / piece.1),
                    ((rows.end - 1) / piece.0, (columns.end - 1) / piece.1)
                );
                for row in rows.clone() {
                    for column in columns.clone() {
                        seen[row][column] += 1;
                    }
                }
            }
            for (row, line) in seen.iter().enumerate() {
                for (column, &count) in line.iter().enumerate() {
                    let inside = job_rows.contains(&row) && job_columns.contains(&column);
                    let pair = inside && first.1 + column > first.0 + row;
                    assert!(count <= 1 && (count == 1 || !pair) && (count == 0 || inside), "{row} {column} {count}");
                }
            }
        }
    }

    #[test]
    fn limits_decide_pieces_and_dispatches() {
        let software = Limits { binding: 1 << 27, groups: 65_535 };
        assert_eq!(software.piece_rows(384 * 4), 87_381);
        assert_eq!(Limits { binding: 1 << 16, groups: 1 }.piece_rows(1536 * 4), 10);
        assert_eq!(Limits { binding: 4096, groups: 1 }.piece_rows(1536 * 4), 0);
        // A row above the usual piece is still taken where the adapter can bind it.
        assert_eq!(Limits { binding: 1 << 31, groups: 1 }.piece_rows(1 << 29), 2);
        assert_eq!(Limits { binding: 1 << 31, groups: 1 }.piece_rows(1 << 31), 1);
        assert_eq!(software.dispatch_side(1536, (128, 128), 1e15), DISPATCH_SIDE);
        assert!((DISPATCH_SIDE as u64).pow(2) < 1 << 32, "the counters of a dispatch can't overflow");
        assert!([64, 128, 256].iter().all(|&tile| DISPATCH_SIDE.is_multiple_of(tile)), "whole tiles");
        let side = software.dispatch_side(1536, (64, 128), 3e12);
        assert!(side.is_multiple_of(128) && (9_700..10_000).contains(&side), "{side}: 0.1 s at 3 TFLOP/s");
        assert_eq!(software.dispatch_side(1 << 27, (64, 128), 1e9), 128);
        assert_eq!(Limits { binding: 1 << 27, groups: 2 }.dispatch_side(384, (64, 128), 1e15), 2 * 64);
    }
}
