//! The GPU backend: jobs are cut to what the adapter takes, computed, and read back once a batch.

use super::cut::{Limits, Rectangle, batches};
use super::device::{Device, Pooled};
use super::kernel::{self, COUNTERS, Kernel};
use super::operand::Operand;
use super::params::Params;
use crate::base::Result;
use crate::compute::outcome::BINS;
use crate::compute::tile::{Backend, BackendInfo, Block, Dispatch, HistogramMode, Job, Side, Stream, Survivor};
use std::borrow::Cow;
use std::sync::Arc;

/// Survivors that are read back along with the counters at first; later as many as the last dispatch had.
const EXPECTED: usize = 4096;

/// What a test may change.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// The shader.
    pub source: Cow<'static, str>,
    /// Limits below the adapter's.
    pub limits: Option<Limits>,
}

impl Default for Options {
    fn default() -> Self {
        Self { source: kernel::SOURCE.into(), limits: None }
    }
}

/// One opened adapter. Buffers are kept from dispatch to dispatch.
pub(super) struct GpuBackend {
    device: Device,
    kernel: Kernel,
    info: BackendInfo,
    limits: Limits,
    /// Distance of two uniforms in their buffer.
    uniform_stride: u64,
    rows: Operand,
    columns: Operand,
    counters: Pooled,
    survivors: Pooled,
    uniforms: Pooled,
    staging: Pooled,
    expected: usize,
    job: Option<Job>,
}

impl GpuBackend {
    pub(super) fn new(adapter: &wgpu::Adapter, options: &Options) -> Result<Self> {
        let device = Device::open(adapter)?;
        let kernel = Kernel::new(&device, &options.source)?;
        let about = adapter.get_info();
        // A dispatch can't be interrupted: short ones where a second holds few multiplications.
        let block_rows = if about.device_type == wgpu::DeviceType::Cpu { 2048 } else { 8192 };
        let info = BackendInfo {
            backend: "gpu".into(),
            device: about.name,
            driver: format!("{} {}", about.driver, about.driver_info),
            kernel: "f32".into(),
            block_rows,
        };
        let limits = adapter.limits();
        let alignment = u64::from(limits.min_uniform_buffer_offset_alignment);
        Ok(Self {
            device,
            kernel,
            info,
            uniform_stride: (size_of::<Params>() as u64).next_multiple_of(alignment.max(1)),
            limits: options.limits.unwrap_or(Limits::of(&limits)),
            rows: Operand::default(),
            columns: Operand::default(),
            counters: Pooled::default(),
            survivors: Pooled::default(),
            uniforms: Pooled::default(),
            staging: Pooled::default(),
            expected: EXPECTED,
            job: None,
        })
    }

    /// The device, to name it in errors.
    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Drops the loaded blocks and their buffers.
    pub(super) fn clear(&mut self) {
        (self.rows, self.columns) = (Operand::default(), Operand::default());
    }

    /// The uniform of one rectangle.
    fn params(&self, rectangle: &Rectangle, capacity: usize, histogram: HistogramMode) -> Params {
        let (mode, width) = match histogram {
            HistogramMode::Off => (0, 0.0),
            HistogramMode::Coarse => (1, 0.0),
            HistogramMode::Exact { width } => (2, (width * 100.0).next_up()),
        };
        let Rectangle { rows, columns } = rectangle;
        let offset = |operand: &Operand, row: usize| row / operand.piece_rows().max(1) * operand.piece_rows();
        let (row_offset, column_offset) = (offset(&self.rows, rows.start), offset(&self.columns, columns.start));
        Params {
            row_start: (rows.start - row_offset) as u32,
            row_count: rows.len() as u32,
            column_start: (columns.start - column_offset) as u32,
            column_count: columns.len() as u32,
            row_offset: row_offset as u32,
            column_offset: column_offset as u32,
            first_row: (self.rows.first() + row_offset) as u32,
            first_column: (self.columns.first() + column_offset) as u32,
            depth: (self.rows.padded() / 4) as u32,
            capacity: capacity as u32,
            mode,
            width,
            ..Params::default()
        }
    }

    /// Computes one batch and appends what it found.
    fn batch(&mut self, batch: &[Rectangle], job: &Job, out: &mut Stream) -> Result<Dispatch> {
        let device = &self.device;
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let capacity = out.capacity.min(self.limits.survivors()).max(1);
        let stride = self.uniform_stride;
        let mut uniforms = vec![0u8; batch.len() * stride as usize];
        for (slot, rectangle) in uniforms.chunks_exact_mut(stride as usize).zip(batch) {
            let params = self.params(rectangle, capacity, job.histogram);
            slot[..size_of::<Params>()].copy_from_slice(bytemuck::bytes_of(&params));
        }
        let counter_bytes = COUNTERS as u64 * 4;
        let counters = device.at_least(&mut self.counters, "counters", counter_bytes, storage)?;
        let survivors = device.at_least(&mut self.survivors, "survivors", capacity as u64 * 12, storage)?;
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniform = device.at_least(&mut self.uniforms, "uniforms", uniforms.len() as u64, usage)?;
        device.write(uniform, 0, &uniforms);

        let mut encoder = device.encoder();
        encoder.clear_buffer(counters, 0, Some(counter_bytes));
        for ((i, rectangle), offset) in batch.iter().enumerate().zip((0..).step_by(stride as usize)) {
            if i > 0 {
                // A submission of its own each: short ones keep watchdogs quiet.
                device.submit(std::mem::replace(&mut encoder, device.encoder()));
            }
            let missing = || device.error("no block is loaded");
            let rows = self.rows.piece(rectangle.rows.start).ok_or_else(missing)?;
            let columns = self.columns.piece(rectangle.columns.start).ok_or_else(missing)?;
            let unit_bytes = self.rows.padded() as u64 * 4;
            let bindings = [
                (rows.unit.get().ok_or_else(missing)?, 0, rows.rows as u64 * unit_bytes),
                (columns.unit.get().ok_or_else(missing)?, 0, columns.rows as u64 * unit_bytes),
                (rows.facts.get().ok_or_else(missing)?, 0, rows.rows as u64 * 16),
                (columns.facts.get().ok_or_else(missing)?, 0, columns.rows as u64 * 16),
                (counters, 0, counter_bytes),
                (survivors, 0, capacity as u64 * 12),
                (uniform, offset, size_of::<Params>() as u64),
            ];
            self.kernel.record(device, &mut encoder, bindings, rectangle.rows.len(), rectangle.columns.len());
        }

        let along = self.expected.min(capacity);
        let parts = [(counters, 0, counter_bytes), (survivors, 0, along as u64 * 12)];
        let (counts, mut first) = device.read(encoder, &mut self.staging, &parts, |bytes| {
            let (counts, survivors) = bytes.split_at(counter_bytes as usize);
            let counts: Vec<u32> = bytemuck::pod_collect_to_vec(counts);
            let found = (counts[0] as usize).min(along);
            (counts, bytemuck::pod_collect_to_vec::<u8, Survivor>(&survivors[..found * 12]))
        })?;
        let found = counts[0] as usize;
        if found > capacity || found + out.survivors.len() > out.capacity {
            return Ok(Dispatch::StreamFull);
        }
        self.expected = found.next_power_of_two().max(EXPECTED);
        out.survivors.append(&mut first);
        if found > along {
            let rest = [(survivors, along as u64 * 12, (found - along) as u64 * 12)];
            let mut rest = device.read(device.encoder(), &mut self.staging, &rest, |bytes| {
                bytemuck::pod_collect_to_vec::<u8, Survivor>(bytes)
            })?;
            out.survivors.append(&mut rest);
        }
        for (i, &count) in counts[1..].iter().enumerate() {
            out.histogram[i / BINS % 4][i % BINS] += u64::from(count);
        }
        Ok(Dispatch::Done)
    }

    /// Fills every buffer with ones, as if another program had left them.
    #[cfg(test)]
    pub(super) fn poison(&self) {
        self.rows.poison(&self.device);
        self.columns.poison(&self.device);
        for pooled in [&self.counters, &self.survivors, &self.uniforms] {
            pooled.get().into_iter().for_each(|buffer| self.device.poison(buffer));
        }
    }
}

impl Backend for GpuBackend {
    fn info(&self) -> BackendInfo {
        self.info.clone()
    }

    fn gamma(&self, dim: usize) -> f64 {
        kernel::gamma(dim)
    }

    fn load(&mut self, side: Side, block: Arc<Block>) -> Result<()> {
        let operand = match side {
            Side::Rows => &mut self.rows,
            Side::Columns => &mut self.columns,
        };
        operand.load(&self.device, self.limits, block)
    }

    fn dispatch_rows(&self, _dim: usize) -> usize {
        self.info.block_rows
    }

    fn submit(&mut self, job: Job, _capacity: usize) -> Result<()> {
        self.job = Some(job);
        Ok(())
    }

    fn collect(&mut self, out: &mut Stream) -> Result<Dispatch> {
        let Some(job) = &self.job.take() else { return Ok(Dispatch::Done) };
        if job.rows.is_empty() || job.columns.is_empty() {
            return Ok(Dispatch::Done);
        }
        let outside = job.rows.end > self.rows.len() || job.columns.end > self.columns.len();
        if outside || self.rows.padded() != self.columns.padded() {
            return Err(self.device.error("the loaded blocks do not fit the job"));
        }
        self.rows.write_facts(&self.device, &job.rows, &job.keep_rows);
        self.columns.write_facts(&self.device, &job.columns, &job.keep_columns);
        let batches = batches(
            (job.rows.clone(), job.columns.clone()),
            (self.rows.first(), self.columns.first()),
            (self.rows.piece_rows(), self.columns.piece_rows()),
            self.limits.dispatch_side(self.rows.padded()),
        );
        for batch in &batches {
            if self.batch(batch, job, out)? == Dispatch::StreamFull {
                return Ok(Dispatch::StreamFull);
            }
        }
        Ok(Dispatch::Done)
    }
}
