//! What becomes of one row of similarities: which pairs pass the filter, and which bin each is counted in.
//!
//! Here for any CPU; `avx512` is the same sixteen columns at a time.

#[cfg(target_arch = "x86_64")]
mod avx512;

use crate::base::simd::widest;
use crate::compute::outcome::BINS;
use pulp::Arch;

/// 2^23: adding it to 0 <= x < 2^22 rounds x to the nearest integer, which then stands in the low mantissa bits.
const ROUNDER: f32 = 8_388_608.0;

/// Copies of the counters: increments of one counter one after the other would wait for each other.
const COPIES: usize = 4;

/// Counters of a copy: relation * 256 + bin.
const COUNTERS: usize = 1024;

/// Where pairs are counted that count nowhere, one for each of sixteen columns.
const NOWHERE: usize = COPIES * COUNTERS;

/// All counters, and as many more as a masked index needs.
const ROOM: usize = 2 * NOWHERE;

/// Set in a column that [`Scan::row`] found near an edge.
pub const NEAR_EDGE: u32 = 1 << 31;

/// Pairs of a tile: `[relation][bin]`.
pub type Counts = Box<[[u32; BINS]; 4]>;

/// What the filter of one row needs of that row.
#[derive(Debug, Clone, Copy)]
pub struct RowContext {
    /// Half bound b.
    pub half_bound: f32,
    /// What S + b of the column must reach.
    pub keep: f32,
    /// Query id.
    pub query: u32,
    /// Model id.
    pub model: u32,
}

/// What the filter of one row needs of the columns; all slices have one length.
#[derive(Debug, Clone, Copy)]
pub struct ColumnContext<'a> {
    /// Half bounds b.
    pub half_bound: &'a [f32],
    /// What S + b of the row must reach.
    pub keep: &'a [f32],
    /// Query ids.
    pub query: &'a [u32],
    /// Model ids.
    pub model: &'a [u32],
}

/// Scans rows of similarities; the buffers of one thread.
#[derive(Debug)]
pub struct Scan {
    arch: Arch,
    /// Whether this CPU scans sixteen columns at a time.
    wide: bool,
    flags: Vec<u8>,
    slots: Vec<u16>,
    counts: Box<[u32; ROOM]>,
}

impl Default for Scan {
    fn default() -> Self {
        Self { arch: Arch::new(), flags: Vec::new(), slots: Vec::new(), counts: Box::new([0; ROOM]), wide: wide() }
    }
}

fn wide() -> bool {
    #[cfg(target_arch = "x86_64")]
    return avx512::available();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// `flags[c]` is 1 where the pair passes the filter.
#[inline(always)]
fn filter(products: &[f32], row: &RowContext, columns: &ColumnContext<'_>, flags: &mut [u8]) {
    for (((flag, &s), &half_bound), &keep) in flags.iter_mut().zip(products).zip(columns.half_bound).zip(columns.keep) {
        *flag = u8::from((s + half_bound >= row.keep) | (s + row.half_bound >= keep));
    }
}

/// Bin of a similarity, and whether it is within `width` bins of an edge.
#[inline(always)]
fn place(s: f32, width: f32) -> (u32, bool) {
    let x = ((s + 1.0) * 100.0).clamp(0.0, 200.0);
    let rounded = x + ROUNDER;
    let distance = x - (rounded - ROUNDER);
    let nearest = rounded.to_bits() & 0xff;
    let bin = nearest.wrapping_sub(u32::from(distance < 0.0)).min(BINS as u32 - 1);
    (bin, distance.abs() <= width)
}

/// `slots[c]` is the counter of the pair: that of its relation and bin in the copy of its column, or one of
/// [`NOWHERE`] where the pair is within `width` bins of an edge (then flag bit 1 is set).
#[inline(always)]
fn bins(
    products: &[f32],
    row: &RowContext,
    columns: &ColumnContext<'_>,
    width: f32,
    slots: &mut [u16],
    flags: &mut [u8],
) {
    for (c, ((((slot, flag), &s), &query), &model)) in
        slots.iter_mut().zip(flags.iter_mut()).zip(products).zip(columns.query).zip(columns.model).enumerate()
    {
        let (bin, near) = place(s, width);
        let relation = 2 * u32::from(query != row.query) + u32::from(model != row.model);
        let counter = (c % COPIES * COUNTERS) as u32 + relation * 256 + bin;
        *slot = if near { NOWHERE as u16 } else { counter as u16 };
        *flag |= u8::from(near) << 1;
    }
}

impl Scan {
    /// Scans the similarities of one row. `width` is half the width, in bins, around an edge within which a pair is not
    /// counted but found; nothing is counted without it, and everything if it is negative. Appends to `found` each
    /// column (an index into `products`) that passes the filter or is near an edge (then with [`NEAR_EDGE`]), in order.
    pub fn row(
        &mut self,
        products: &[f32],
        row: &RowContext,
        columns: &ColumnContext<'_>,
        width: Option<f32>,
        found: &mut Vec<u32>,
    ) {
        #[cfg(target_arch = "x86_64")]
        if self.wide {
            // SAFETY: `wide` says that the CPU has the instructions.
            unsafe { avx512::row(products, row, columns, width, &mut self.counts, found) };
            return;
        }
        self.any_row(products, row, columns, width, found);
    }

    /// [`Self::row`] on any CPU.
    fn any_row(
        &mut self,
        products: &[f32],
        row: &RowContext,
        columns: &ColumnContext<'_>,
        width: Option<f32>,
        found: &mut Vec<u32>,
    ) {
        self.flags.resize(products.len(), 0);
        let flags = &mut self.flags[..];
        widest(
            self.arch,
            #[inline(always)]
            || filter(products, row, columns, flags),
        );
        if let Some(width) = width {
            self.slots.resize(products.len(), 0);
            let slots = &mut self.slots[..];
            widest(
                self.arch,
                #[inline(always)]
                || bins(products, row, columns, width, slots, flags),
            );
            slots.iter().for_each(|&slot| self.counts[usize::from(slot) % ROOM] += 1);
        }
        for (chunk, eight) in flags.chunks(8).enumerate() {
            // One bit for each flag that is set.
            let mut bytes = [0; 8];
            bytes[..eight.len()].copy_from_slice(eight);
            let mut set = u64::from_le_bytes(bytes);
            while set != 0 {
                let lane = set.trailing_zeros() / 8;
                let near = if bytes[lane as usize] & 2 != 0 { NEAR_EDGE } else { 0 };
                found.push((8 * chunk as u32 + lane) | near);
                set &= !(0xff << (8 * lane));
            }
        }
    }

    /// Counts one pair by its similarity, unless it is within `width` bins of an edge; returns whether it counted.
    pub fn count(&mut self, s: f32, relation: usize, width: f32) -> bool {
        let (bin, near) = place(s, width);
        if !near {
            self.counts[relation * 256 + bin as usize] += 1;
        }
        !near
    }

    /// What was counted since the last call.
    pub fn take_counts(&mut self) -> Counts {
        let mut sums: Counts = Box::new([[0; BINS]; 4]);
        for copy in self.counts[..NOWHERE].chunks_exact(COUNTERS) {
            for (relation, bins) in sums.iter_mut().enumerate() {
                for (bin, sum) in bins.iter_mut().enumerate() {
                    *sum += copy[relation * 256 + bin];
                }
            }
        }
        self.counts.fill(0);
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream as Draws;

    /// Sixteen columns at a time or one by one: the same columns are found and the same pairs counted, at any length.
    #[test]
    fn every_way_to_scan_finds_and_counts_the_same() {
        let draws = Draws::new(5, "scan");
        for len in [0usize, 1, 15, 16, 17, 63, 64, 65, 131] {
            let value = |which: u64, c: usize| (draws.uniform(which, c as u64) * 2.0 - 1.0) as f32;
            // Some on an edge, some outside -1 to 1 by rounding.
            let products: Vec<f32> = (0..len)
                .map(|c| match c % 9 {
                    3 => (value(0, c) * 100.0).round() / 100.0,
                    5 => 1.000_000_1,
                    7 => -1.000_000_1,
                    _ => value(0, c),
                })
                .collect();
            let half_bound: Vec<f32> = (0..len).map(|c| 0.01 * value(1, c).abs()).collect();
            let keep: Vec<f32> =
                (0..len).map(|c| if c % 4 == 0 { f32::NEG_INFINITY } else { value(2, c) + 0.7 }).collect();
            let (query, model): (Vec<u32>, Vec<u32>) = (0..len as u32).map(|c| (c % 3, c % 5)).unzip();
            let columns = ColumnContext { half_bound: &half_bound, keep: &keep, query: &query, model: &model };
            let row = RowContext { half_bound: 0.003, keep: 0.8, query: 1, model: 2 };
            for width in [None, Some(-1.0), Some(0.0), Some(0.04)] {
                let (mut best, mut any) = (Scan::default(), Scan::default());
                let (mut found, mut expected) = (Vec::new(), Vec::new());
                best.row(&products, &row, &columns, width, &mut found);
                any.any_row(&products, &row, &columns, width, &mut expected);
                assert_eq!(found, expected, "{len} columns, width {width:?}");
                assert_eq!(best.take_counts(), any.take_counts(), "{len} columns, width {width:?}");
                for (c, &s) in products.iter().enumerate() {
                    let passes = s + half_bound[c] >= row.keep || s + row.half_bound >= keep[c];
                    let near = width.is_some_and(|w| place(s, w).1);
                    let place = found.iter().find(|&&f| f & !NEAR_EDGE == c as u32);
                    assert_eq!(place.map(|f| f & NEAR_EDGE != 0), (passes || near).then_some(near), "column {c}");
                }
            }
        }
    }
}
