//! The scan of a row in AVX-512, sixteen columns at a time.

use super::{COPIES, COUNTERS, ColumnContext, NEAR_EDGE, NOWHERE, ROOM, ROUNDER, RowContext, Width};
use crate::compute::outcome::BINS;
use std::arch::x86_64::*;

/// Columns of a step.
const WIDE: usize = 16;

/// Whether this CPU has the instructions.
pub fn available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl")
}

/// Sixteen columns, of which those of `mask` are there.
#[derive(Clone, Copy)]
struct Columns {
    mask: __mmask16,
    products: __m512,
    half_bound: __m512,
    keep: __m512,
    query: __m512i,
    model: __m512i,
}

/// The columns from `first` on; zeros past the last.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn load(products: &[f32], columns: &ColumnContext<'_>, first: usize) -> Columns {
    let left = products.len() - first;
    let mask: __mmask16 = if left >= WIDE { !0 } else { (1 << left) - 1 };
    let floats = |values: &[f32]| {
        assert!(values.len() == products.len(), "all slices have one length");
        // SAFETY: the mask ends with the slice.
        unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr().add(first)) }
    };
    let ids = |values: &[u32]| {
        assert!(values.len() == products.len(), "all slices have one length");
        // SAFETY: the mask ends with the slice.
        unsafe { _mm512_maskz_loadu_epi32(mask, values.as_ptr().add(first).cast()) }
    };
    Columns {
        mask,
        products: floats(products),
        half_bound: floats(columns.half_bound),
        keep: floats(columns.keep),
        query: ids(columns.query),
        model: ids(columns.model),
    }
}

/// The columns that pass the filter.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn filter(columns: &Columns, row: &RowContext) -> __mmask16 {
    let (s, half_bound) = (columns.products, _mm512_set1_ps(row.half_bound));
    let by_row = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(_mm512_add_ps(s, columns.half_bound), _mm512_set1_ps(row.keep));
    let by_column = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(_mm512_add_ps(s, half_bound), columns.keep);
    (by_row | by_column) & columns.mask
}

/// The counters of the columns, and which of them are within `width` of an edge.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn bins(columns: &Columns, row: &RowContext, width: Width) -> (__m512i, __mmask16) {
    let rounder = _mm512_set1_ps(ROUNDER);
    let scaled = _mm512_mul_ps(_mm512_add_ps(columns.products, _mm512_set1_ps(1.0)), _mm512_set1_ps(100.0));
    let x = _mm512_min_ps(_mm512_max_ps(scaled, _mm512_setzero_ps()), _mm512_set1_ps(200.0));
    let rounded = _mm512_add_ps(x, rounder);
    let distance = _mm512_sub_ps(x, _mm512_sub_ps(rounded, rounder));
    let nearest = _mm512_and_si512(_mm512_castps_si512(rounded), _mm512_set1_epi32(0xff));
    let below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(distance, _mm512_setzero_ps());
    let bin = _mm512_mask_sub_epi32(nearest, below, nearest, _mm512_set1_epi32(1));
    let bin = _mm512_min_epi32(bin, _mm512_set1_epi32(BINS as i32 - 1));
    let other_query = _mm512_cmpneq_epi32_mask(columns.query, _mm512_set1_epi32(row.query as i32));
    let other_model = _mm512_cmpneq_epi32_mask(columns.model, _mm512_set1_epi32(row.model as i32));
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let copy = _mm512_and_si512(lanes, _mm512_set1_epi32(COPIES as i32 - 1));
    let counter = _mm512_add_epi32(bin, _mm512_mullo_epi32(copy, _mm512_set1_epi32(COUNTERS as i32)));
    let counter = _mm512_mask_add_epi32(counter, other_query, counter, _mm512_set1_epi32(512));
    let counter = _mm512_mask_add_epi32(counter, other_model, counter, _mm512_set1_epi32(256));
    let bounds = _mm512_add_ps(_mm512_set1_ps(row.half_bound), columns.half_bound);
    let reach = _mm512_add_ps(_mm512_set1_ps(width.fixed), _mm512_mul_ps(_mm512_set1_ps(width.times), bounds));
    let near = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(_mm512_abs_ps(distance), reach) & columns.mask;
    let nowhere = _mm512_add_epi32(_mm512_set1_epi32(NOWHERE as i32), lanes);
    (_mm512_mask_mov_epi32(counter, near | !columns.mask, nowhere), near)
}

/// [`super::Scan::row`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub fn row(
    products: &[f32],
    row: &RowContext,
    columns: &ColumnContext<'_>,
    width: Option<Width>,
    counts: &mut [u32; ROOM],
    found: &mut Vec<u32>,
) {
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for first in (0..products.len()).step_by(WIDE) {
        let sixteen = load(products, columns, first);
        let mut wanted = filter(&sixteen, row);
        let mut flagged = _mm512_add_epi32(_mm512_set1_epi32(first as i32), lanes);
        if let Some(width) = width {
            let (counters, near) = bins(&sixteen, row, width);
            wanted |= near;
            flagged = _mm512_mask_or_epi32(flagged, near, flagged, _mm512_set1_epi32(NEAR_EDGE as i32));
            let mut slots = [0u16; WIDE];
            // SAFETY: sixteen counters of 16 bits.
            unsafe { _mm256_storeu_si256(slots.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(counters)) };
            // Four counters a word: one by one they would be taken out of a register by slower instructions.
            for word in bytemuck::cast::<[u16; WIDE], [u64; WIDE / 4]>(slots) {
                for shift in [0, 16, 32, 48] {
                    counts[(word >> shift) as usize % ROOM] += 1;
                }
            }
        }
        // Near an edge there is one in every few steps: a branch would often be mispredicted.
        if wanted != 0 || width.is_some() {
            let mut columns = [0u32; WIDE];
            // SAFETY: sixteen columns of 32 bits.
            unsafe { _mm512_storeu_si512(columns.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(wanted, flagged)) };
            let len = found.len();
            found.extend_from_slice(&columns);
            found.truncate(len + wanted.count_ones() as usize);
        }
    }
}
