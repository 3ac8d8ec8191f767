//! One dispatch under way: its own counters, survivors, keep values and staging memory.

use super::cut::{Limits, Rectangle};
use super::device::{Device, Pooled, UnderWay};
use super::kernel::COUNTERS;
use super::operand::Operand;
use super::params::Params;
use super::pipeline::{BINDINGS, Pipeline};
use crate::base::Result;
use crate::compute::outcome::BINS;
use crate::compute::tile::{Dispatch, HistogramMode, Job, Stream, Survivor};

/// Survivors that are read back along with the counters at first; later twice as many as the last dispatch had.
pub(super) const EXPECTED: usize = 4096;

/// Bytes of the counters.
const COUNTER_BYTES: u64 = COUNTERS as u64 * 4;

/// Bytes of the two timestamps.
const TIME_BYTES: u64 = 16;

/// What a dispatch is computed by and from.
pub(super) struct Work<'a> {
    pub device: &'a Device,
    pub pipeline: &'a Pipeline,
    /// Rows and columns of the kernel's tile.
    pub tile: (usize, usize),
    /// Bytes of a row.
    pub row_bytes: usize,
    pub limits: Limits,
    /// Distance of two uniforms in their buffer.
    pub uniform_stride: u64,
    pub rows: &'a Operand,
    pub columns: &'a Operand,
}

/// What was submitted.
struct Submitted {
    under_way: UnderWay,
    capacity: usize,
    /// Survivors that are read back along with the counters.
    along: usize,
    timed: bool,
}

/// Buffers of one dispatch, kept for the next.
#[derive(Default)]
pub(super) struct Slot {
    counters: Pooled,
    survivors: Pooled,
    uniforms: Pooled,
    row_keep: Pooled,
    column_keep: Pooled,
    times: Pooled,
    staging: Pooled,
    queries: Option<wgpu::QuerySet>,
    submitted: Option<Submitted>,
}

impl Slot {
    /// Submits the `rectangles` of `job`, which have fewer than 2^32 pairs together, with room for `capacity` survivors, of
    /// which `expected` are read back at once.
    pub(super) fn submit(
        &mut self,
        work: &Work<'_>,
        rectangles: &[Rectangle],
        job: &Job,
        (capacity, expected): (usize, usize),
    ) -> Result<()> {
        let device = work.device;
        let capacity = capacity.min(work.limits.survivors()).max(1);
        let stride = work.uniform_stride;
        let mut uniforms = vec![0u8; rectangles.len().max(1) * stride as usize];
        for (slot, rectangle) in uniforms.chunks_exact_mut(stride as usize).zip(rectangles) {
            slot[..size_of::<Params>()].copy_from_slice(bytemuck::bytes_of(&params(work, rectangle, job, capacity)));
        }
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let counters = device.at_least(&mut self.counters, "counters", COUNTER_BYTES, storage)?;
        let survivors = device.at_least(&mut self.survivors, "survivors", capacity as u64 * 12, storage)?;
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniform = device.at_least(&mut self.uniforms, "uniforms", uniforms.len() as u64, usage)?;
        device.write(uniform, 0, &uniforms);
        let row_keep = upload_keep(device, &mut self.row_keep, &job.keep_rows)?;
        let column_keep = upload_keep(device, &mut self.column_keep, &job.keep_columns)?;
        if device.timestamp_period().is_some() && self.queries.is_none() {
            self.queries = Some(device.raw().create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("times"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }));
        }
        let queries = self.queries.as_ref().filter(|_| !rectangles.is_empty());

        let mut encoder = device.encoder();
        encoder.clear_buffer(counters, 0, Some(COUNTER_BYTES));
        for ((i, rectangle), offset) in rectangles.iter().enumerate().zip((0..).step_by(stride as usize)) {
            if i > 0 {
                // A submission of its own each: short ones keep watchdogs quiet.
                device.submit(std::mem::replace(&mut encoder, device.encoder()));
            }
            let missing = || device.error("no block is loaded");
            let rows = work.rows.piece(rectangle.rows.start).ok_or_else(missing)?;
            let columns = work.columns.piece(rectangle.columns.start).ok_or_else(missing)?;
            let unit = work.row_bytes as u64;
            let bindings: [_; BINDINGS] = [
                (rows.unit.get().ok_or_else(missing)?, 0, rows.rows as u64 * unit),
                (columns.unit.get().ok_or_else(missing)?, 0, columns.rows as u64 * unit),
                (rows.facts.get().ok_or_else(missing)?, 0, rows.rows as u64 * 16),
                (columns.facts.get().ok_or_else(missing)?, 0, columns.rows as u64 * 16),
                (row_keep, 0, job.keep_rows.len() as u64 * 4),
                (column_keep, 0, job.keep_columns.len() as u64 * 4),
                (counters, 0, COUNTER_BYTES),
                (survivors, 0, capacity as u64 * 12),
                (uniform, offset, size_of::<Params>() as u64),
            ];
            let groups = (rectangle.columns.len().div_ceil(work.tile.1), rectangle.rows.len().div_ceil(work.tile.0));
            let (begins, ends) = (i == 0, i + 1 == rectangles.len());
            let timestamps = queries.filter(|_| begins || ends).map(|query_set| wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: begins.then_some(0),
                end_of_pass_write_index: ends.then_some(1),
            });
            work.pipeline.record(device, &mut encoder, bindings, groups, timestamps);
        }
        let along = expected.min(capacity);
        let mut parts = vec![(counters, 0, COUNTER_BYTES), (survivors, 0, along as u64 * 12)];
        if let Some(queries) = queries {
            let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
            let times = device.at_least(&mut self.times, "times", TIME_BYTES, usage)?;
            encoder.resolve_query_set(queries, 0..2, times, 0);
            parts.push((times, 0, TIME_BYTES));
        }
        let under_way = device.start_reading(encoder, &mut self.staging, &parts)?;
        self.submitted = Some(Submitted { under_way, capacity, along, timed: queries.is_some() });
        Ok(())
    }

    /// Waits for what was submitted and appends it to `out`; the number of survivors, too. `clock` is when the dispatch before
    /// ended, by the device's clock, and becomes when this one did.
    pub(super) fn collect(&mut self, device: &Device, clock: &mut u64, out: &mut Stream) -> Result<(Dispatch, usize)> {
        let Some(submitted) = self.submitted.take() else {
            return Err(device.error("no dispatch was submitted"));
        };
        let Submitted { under_way, capacity, along, timed } = submitted;
        let period = f64::from(device.timestamp_period().unwrap_or_default());
        let (counts, mut first, ticks) = device.finish(&under_way, &mut self.staging, |bytes| {
            let (counts, rest) = bytes.split_at(COUNTER_BYTES as usize);
            let (survivors, times) = rest.split_at(along * 12);
            let counts: Vec<u32> = bytemuck::pod_collect_to_vec(counts);
            let found = (counts[0] as usize).min(along);
            let times: Vec<u64> = bytemuck::pod_collect_to_vec(times);
            // One begins while the one before still computes.
            let ticks = if timed { times[1].saturating_sub(times[0].max(*clock)) } else { 0 };
            *clock = times.get(1).copied().unwrap_or(*clock);
            (counts, bytemuck::pod_collect_to_vec::<u8, Survivor>(&survivors[..found * 12]), ticks)
        })?;
        let found = counts[0] as usize;
        out.device_seconds += ticks as f64 * period * 1e-9;
        if found > capacity || found + out.survivors.len() > out.capacity {
            return Ok((Dispatch::StreamFull, found));
        }
        out.survivors.append(&mut first);
        if let (true, Some(survivors)) = (found > along, self.survivors.get()) {
            let rest = [(survivors, along as u64 * 12, (found - along) as u64 * 12)];
            let under_way = device.start_reading(device.encoder(), &mut self.staging, &rest)?;
            let mut rest =
                device.finish(&under_way, &mut self.staging, bytemuck::pod_collect_to_vec::<u8, Survivor>)?;
            out.survivors.append(&mut rest);
        }
        for (i, &count) in counts[1..].iter().enumerate() {
            out.histogram[i / BINS % 4][i % BINS] += u64::from(count);
        }
        Ok((Dispatch::Done, found))
    }

    /// Fills every buffer that it keeps with ones, as if another program had left them.
    #[cfg(test)]
    pub(super) fn poison(&self, device: &Device) {
        for pooled in [&self.counters, &self.survivors, &self.uniforms, &self.row_keep, &self.column_keep] {
            pooled.get().into_iter().for_each(|buffer| device.poison(buffer));
        }
    }
}

/// Keep values on the device.
fn upload_keep<'a>(device: &Device, pooled: &'a mut Pooled, keep: &[f32]) -> Result<&'a wgpu::Buffer> {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
    let buffer = device.at_least(pooled, "keep values", keep.len() as u64 * 4, usage)?;
    // A shader compiler may assume that there are no infinities; 3e38 stands for them.
    let keep: Vec<f32> = keep.iter().map(|&keep| keep.clamp(-3e38, 3e38)).collect();
    device.write(buffer, 0, bytemuck::cast_slice(&keep));
    Ok(buffer)
}

/// The uniform of one rectangle.
fn params(work: &Work<'_>, rectangle: &Rectangle, job: &Job, capacity: usize) -> Params {
    let (mode, width) = match job.histogram {
        HistogramMode::Off => (0, 0.0),
        HistogramMode::Coarse => (1, 0.0),
        HistogramMode::Exact { width } => (2, (width * 100.0).next_up()),
    };
    let Rectangle { rows, columns } = rectangle;
    let offset = |operand: &Operand, row: usize| row / operand.piece_rows().max(1) * operand.piece_rows();
    let (row_offset, column_offset) = (offset(work.rows, rows.start), offset(work.columns, columns.start));
    Params {
        row_start: (rows.start - row_offset) as u32,
        row_count: rows.len() as u32,
        column_start: (columns.start - column_offset) as u32,
        column_count: columns.len() as u32,
        row_offset: row_offset as u32,
        column_offset: column_offset as u32,
        first_row: (work.rows.first() + row_offset) as u32,
        first_column: (work.columns.first() + column_offset) as u32,
        depth: (work.rows.padded() / 4) as u32,
        capacity: capacity as u32,
        mode,
        width,
        row_keep: (rows.start - job.rows.start) as u32,
        column_keep: (columns.start - job.columns.start) as u32,
        ..Params::default()
    }
}
