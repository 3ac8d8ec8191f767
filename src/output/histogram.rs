//! histogram.parquet: pairs by relation and similarity; absent if switched off.

use super::Source;
use super::table;
use crate::base::Result;
use crate::compute::PairOutcome;
use std::path::Path;

use crate::compute::outcome::{BINS, Relation, bin_edge};

pub(super) fn write(path: &Path, source: &Source<'_, PairOutcome>) -> Result<()> {
    let Some(histogram) = &source.content.histogram else { return Ok(()) };
    let relations = table::names(&Relation::ALL.map(|relation| relation.name().to_owned()));
    table::write(path, BINS * 4, |range, c| {
        c.name("relation", range.clone().map(|i| (i / BINS) as u32), &relations)?;
        c.u16("bin", range.clone().map(|i| (i % BINS) as u16));
        c.f64("low", range.clone().map(|i| bin_edge(i % BINS)));
        c.f64("high", range.clone().map(|i| bin_edge(i % BINS + 1)));
        c.u64("pairs", range.clone().map(|i| histogram.counts[i / BINS][i % BINS]));
        c.bool("exact", range.map(|_| histogram.exact));
        Ok(())
    })
}
