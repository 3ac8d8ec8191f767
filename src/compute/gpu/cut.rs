//! Cuts blocks and jobs so that every binding and every dispatch fits the adapter's own limits.

use super::kernel::{TILE_COLUMNS, TILE_ROWS};
use std::ops::Range;

/// Most bytes of one piece of a block, whatever the adapter takes: keeps single allocations and uploads moderate.
const PIECE_BYTES: u64 = 1 << 28;

/// Multiplications of one dispatch: under 100 ms from 3 TFLOP/s on, and seconds on the slowest integrated GPU, so that
/// no watchdog ends it.
const DISPATCH_WORK: usize = 1 << 37;

/// Most rows or columns of a dispatch: its pairs fit a u32 many times over.
const DISPATCH_SIDE: usize = 1 << 14;

/// What an adapter takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of one storage binding.
    pub binding: u64,
    /// Workgroups of a dispatch in each dimension.
    pub groups: u32,
}

impl Limits {
    /// The limits of `adapter`.
    pub(super) fn of(limits: &wgpu::Limits) -> Self {
        Self {
            binding: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            groups: limits.max_compute_workgroups_per_dimension,
        }
    }

    /// Rows of `padded` f32 values that one binding holds; 0 if not even one fits.
    pub(super) fn piece_rows(self, padded: usize) -> usize {
        usize::try_from(self.binding.min(PIECE_BYTES.max(padded as u64 * 4)) / (padded as u64 * 4))
            .unwrap_or(usize::MAX)
    }

    /// Survivors of 12 bytes that one binding holds.
    pub(super) fn survivors(self) -> usize {
        (self.binding / 12).min(u64::from(u32::MAX)) as usize
    }

    /// Most rows and columns of one dispatch at `padded` values a row.
    pub(super) fn dispatch_side(self, padded: usize) -> usize {
        let tile = TILE_ROWS.max(TILE_COLUMNS);
        let work = ((DISPATCH_WORK / padded.max(1)).isqrt() / tile * tile).max(tile);
        work.min(DISPATCH_SIDE).min(self.groups as usize * TILE_ROWS.min(TILE_COLUMNS))
    }
}

/// A part of a job that one dispatch computes. Ranges are local to the blocks, each within one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

impl Rectangle {
    fn pairs(&self) -> u64 {
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

/// The rectangles of a job that hold at least one pair (column position above row position), in batches of under 2^32
/// pairs, so that the counters of a batch can't overflow. `first` are the positions of row 0 and column 0 of the blocks,
/// `piece` their rows a piece, `side` the most rows and columns of a dispatch.
pub(super) fn batches(
    job: (Range<usize>, Range<usize>),
    first: (usize, usize),
    piece: (usize, usize),
    side: usize,
) -> Vec<Vec<Rectangle>> {
    let mut batches: Vec<Vec<Rectangle>> = Vec::new();
    let mut pairs = u64::MAX;
    let all_columns = cuts(job.1, piece.1, side);
    for rows in cuts(job.0, piece.0, side) {
        for columns in &all_columns {
            if first.1 + columns.end - 1 <= first.0 + rows.start {
                continue;
            }
            let rectangle = Rectangle { rows: rows.clone(), columns: columns.clone() };
            let sum = pairs.saturating_add(rectangle.pairs());
            match batches.last_mut() {
                Some(batch) if sum < 1 << 32 => {
                    pairs = sum;
                    batch.push(rectangle);
                }
                _ => {
                    pairs = rectangle.pairs();
                    batches.push(vec![rectangle]);
                }
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_in_exactly_one_rectangle() {
        for (first, piece, side) in [((0, 0), (7, 5), 4), ((0, 0), (100, 100), 100), ((3, 10), (8, 3), 16)] {
            let (job_rows, job_columns) = (2..20, 1..23);
            let mut seen = vec![[0u8; 30]; 30];
            for rectangle in batches((job_rows.clone(), job_columns.clone()), first, piece, side).iter().flatten() {
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
    fn counters_of_a_batch_can_not_overflow() {
        let all = batches((0..200_000, 0..200_000), (0, 200_000), (90_000, 90_000), DISPATCH_SIDE);
        assert!(all.len() > 1);
        for batch in &all {
            assert!(batch.iter().map(Rectangle::pairs).sum::<u64>() < 1 << 32);
        }
        assert_eq!(all.iter().flatten().map(Rectangle::pairs).sum::<u64>(), 40_000_000_000);
    }

    #[test]
    fn limits_decide_pieces_and_dispatches() {
        let software = Limits { binding: 1 << 27, groups: 65_535 };
        assert_eq!(software.piece_rows(384), 87_381);
        assert_eq!(Limits { binding: 1 << 16, groups: 1 }.piece_rows(1536), 10);
        assert_eq!(Limits { binding: 4096, groups: 1 }.piece_rows(1536), 0);
        // A row above the usual piece is still taken where the adapter can bind it.
        assert_eq!(Limits { binding: 1 << 31, groups: 1 }.piece_rows(1 << 27), 1);
        assert!(software.dispatch_side(1536) >= 8192, "the default block is one dispatch");
        assert!(software.dispatch_side(1 << 27) >= 64);
        assert_eq!(Limits { binding: 1 << 27, groups: 2 }.dispatch_side(384), 2 * TILE_ROWS.min(TILE_COLUMNS));
    }
}
