//! What becomes of one row of similarities: which pairs pass the filter, and which bin each is counted in.

use crate::base::simd::widest;
use crate::compute::outcome::BINS;
use pulp::Arch;

/// 2^23: adding it to 0 <= x < 2^22 rounds x to the nearest integer, which then stands in the low mantissa bits.
const ROUNDER: f32 = 8_388_608.0;

/// Copies of the counters: increments of one counter one after the other would wait for each other.
const COPIES: usize = 4;

/// Counters of a copy: relation * 256 + bin, and one for pairs that are counted nowhere.
const COUNTERS: usize = 1025;

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
    flags: Vec<u8>,
    slots: Vec<u16>,
    counts: Vec<u32>,
}

impl Default for Scan {
    fn default() -> Self {
        Self { arch: Arch::new(), flags: Vec::new(), slots: Vec::new(), counts: vec![0; COPIES * COUNTERS] }
    }
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

/// `slots[c]` is relation * 256 + bin, or 1024 where the pair is within `width` bins of an edge (then flag bit 1 is set).
#[inline(always)]
fn bins(
    products: &[f32],
    row: &RowContext,
    columns: &ColumnContext<'_>,
    width: f32,
    slots: &mut [u16],
    flags: &mut [u8],
) {
    for ((((slot, flag), &s), &query), &model) in
        slots.iter_mut().zip(flags.iter_mut()).zip(products).zip(columns.query).zip(columns.model)
    {
        let (bin, near) = place(s, width);
        let relation = 2 * u32::from(query != row.query) + u32::from(model != row.model);
        *slot = if near { 1024 } else { (relation * 256 + bin) as u16 };
        *flag |= u8::from(near) << 1;
    }
}

impl Scan {
    /// Scans the similarities of one row. `width` is half the width, in bins, around an edge within which a pair is not
    /// counted but found; nothing is counted without it, and everything if it is negative. Calls `found` with each
    /// column (an index into `products`) that passes the filter or is near an edge (then with `true`), in order.
    pub fn row(
        &mut self,
        products: &[f32],
        row: &RowContext,
        columns: &ColumnContext<'_>,
        width: Option<f32>,
        mut found: impl FnMut(usize, bool),
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
            for four in slots.chunks(COPIES) {
                for (copy, &slot) in four.iter().enumerate() {
                    self.counts[copy * COUNTERS + usize::from(slot)] += 1;
                }
            }
        }
        let (chunks, rest) = flags.as_chunks::<64>();
        for (chunk, flags) in chunks.iter().enumerate() {
            let any = flags.as_chunks::<8>().0.iter().fold(0, |any, eight| any | u64::from_ne_bytes(*eight));
            if any != 0 {
                flags
                    .iter()
                    .enumerate()
                    .filter(|flag| *flag.1 != 0)
                    .for_each(|(lane, flag)| found(chunk * 64 + lane, flag & 2 != 0));
            }
        }
        let start = chunks.len() * 64;
        rest.iter().enumerate().filter(|flag| *flag.1 != 0).for_each(|(lane, flag)| found(start + lane, flag & 2 != 0));
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
        for copy in self.counts.chunks_exact(COUNTERS) {
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
