//! neighbors.parquet: up to k neighbours a row.

use super::Source;
use super::table;
use crate::base::Result;
use crate::compute::PairOutcome;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, PairOutcome>) -> Result<()> {
    let graph = &source.content.neighbors;
    let starts = &graph.starts;
    // The row that holds line `i`: the last whose start is not past it.
    let row_of = |i: usize| starts.partition_point(|&start| start <= i as u64).saturating_sub(1);
    table::write(path, graph.dst.len(), |range, c| {
        let (mut src, mut rank) = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len()));
        let mut row = row_of(range.start);
        for i in range.clone() {
            while starts.get(row + 1).is_some_and(|&next| next <= i as u64) {
                row += 1;
            }
            src.push(row as u32);
            rank.push((i as u64 - starts[row] + 1) as u16);
        }
        c.u32("src", src.into_iter());
        c.u16("rank", rank.into_iter());
        c.u32("dst", graph.dst[range.clone()].iter().copied());
        c.f32("similarity", graph.similarity[range].iter().copied());
        Ok(())
    })
}
