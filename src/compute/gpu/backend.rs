//! The GPU backend: one dispatch a job.

use super::params::Params;
use crate::base::{Error, Result};
use crate::compute::outcome::BINS;
use crate::compute::tile::{Backend, BackendInfo, Block, Dispatch, HistogramMode, Job, Side, Stream, Survivor};
use wgpu::util::DeviceExt;

const COUNTERS: usize = 1 + 4 * 4 * BINS;

struct Loaded {
    block: Block,
    unit: wgpu::Buffer,
    padded: usize,
}

/// One opened adapter.
pub(super) struct GpuBackend {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    info: BackendInfo,
    max_binding: u64,
    sides: [Option<Loaded>; 2],
}

fn device_error(error: impl std::fmt::Display) -> Error {
    Error::Device(error.to_string())
}

impl GpuBackend {
    pub(super) fn new(adapter: &wgpu::Adapter) -> Result<Self> {
        let limits = adapter.limits();
        let (device, queue) = pollster::block_on(
            adapter.request_device(&wgpu::DeviceDescriptor { required_limits: limits.clone(), ..Default::default() }),
        )
        .map_err(device_error)?;
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("similarity_f32"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../../../shaders/similarity_f32.wgsl").into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("similarity_f32"),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(device_error(error));
        }
        let about = adapter.get_info();
        let info = BackendInfo {
            backend: "gpu".into(),
            device: about.name,
            driver: format!("{} {}", about.driver, about.driver_info),
            kernel: "f32".into(),
            block_rows: 8192,
        };
        let max_binding = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        Ok(Self { device, queue, pipeline, info, max_binding, sides: [None, None] })
    }

    /// Drops the loaded blocks.
    pub(super) fn clear(&mut self) {
        self.sides = [None, None];
    }

    fn buffer(&self, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents: bytes, usage })
    }

    fn empty(&self, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    }

    fn read(&self, source: &wgpu::Buffer, size: u64) -> Result<Vec<u32>> {
        let target = self.empty(size, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(source, 0, &target, 0, size);
        self.queue.submit([encoder.finish()]);
        let (send, receive) = std::sync::mpsc::channel();
        target.slice(..).map_async(wgpu::MapMode::Read, move |result| drop(send.send(result)));
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(device_error)?;
        receive.recv().map_err(device_error)?.map_err(device_error)?;
        let view = target.slice(..).get_mapped_range().map_err(device_error)?;
        Ok(bytemuck::pod_collect_to_vec(&view[..]))
    }

    fn run(&self, job: &Job, out: &mut Stream) -> Result<Dispatch> {
        let [Some(rows), Some(columns)] = &self.sides else { return Err(Error::Device("no block is loaded".into())) };
        if job.rows.is_empty() || job.columns.is_empty() {
            return Ok(Dispatch::Done);
        }
        if rows.padded != columns.padded || job.rows.len() as u64 * job.columns.len() as u64 >= 1 << 32 {
            return Err(Error::Device("the blocks do not fit one dispatch".into()));
        }
        let facts = |side: &Loaded, range: &std::ops::Range<usize>, keep: &[f32]| -> Vec<[u32; 4]> {
            let block = &side.block;
            range
                .clone()
                .zip(keep)
                .map(|(i, k)| {
                    [block.half_bound[i].to_bits(), block.query[i], block.model[i], k.clamp(-3e38, 3e38).to_bits()]
                })
                .collect()
        };
        // Infinities may be assumed away by a shader compiler; 3e38 stands for them.
        let row_facts = facts(rows, &job.rows, &job.keep_rows);
        let column_facts = facts(columns, &job.columns, &job.keep_columns);
        let capacity = (out.capacity as u64).min(self.max_binding / 12).max(1);
        let (mode, width) = match job.histogram {
            HistogramMode::Off => (0, 0.0),
            HistogramMode::Coarse => (1, 0.0),
            HistogramMode::Exact { width } => (2, (width * 100.0).next_up() + 1e-4),
        };
        let params = Params {
            row_start: job.rows.start as u32,
            row_count: job.rows.len() as u32,
            column_start: job.columns.start as u32,
            column_count: job.columns.len() as u32,
            first_row: rows.block.first as u32,
            first_column: columns.block.first as u32,
            d4: (rows.padded / 4) as u32,
            capacity: capacity as u32,
            mode,
            width,
            pad: [0; 2],
        };
        let storage = wgpu::BufferUsages::STORAGE;
        let row_facts = self.buffer(bytemuck::cast_slice(&row_facts), storage);
        let column_facts = self.buffer(bytemuck::cast_slice(&column_facts), storage);
        let counters = self.empty(COUNTERS as u64 * 4, storage | wgpu::BufferUsages::COPY_SRC);
        let survivors = self.empty(capacity * 12, storage | wgpu::BufferUsages::COPY_SRC);
        let uniform = self.buffer(bytemuck::bytes_of(&params), wgpu::BufferUsages::UNIFORM);
        let all = [&rows.unit, &columns.unit, &row_facts, &column_facts, &counters, &survivors, &uniform];
        let entries: Vec<_> = (0u32..)
            .zip(all)
            .map(|(binding, b)| wgpu::BindGroupEntry { binding, resource: b.as_entire_binding() })
            .collect();
        let layout = self.pipeline.get_bind_group_layout(0);
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &layout,
            entries: &entries,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(params.column_count.div_ceil(64), params.row_count.div_ceil(64), 1);
        }
        self.queue.submit([encoder.finish()]);
        let counts = self.read(&counters, COUNTERS as u64 * 4)?;
        let found = u64::from(counts[0]);
        if found > capacity.min(out.capacity as u64) {
            return Ok(Dispatch::StreamFull);
        }
        for (i, count) in counts[1..].iter().enumerate() {
            out.histogram[i / BINS % 4][i % BINS] += u64::from(*count);
        }
        if found > 0 {
            let words = self.read(&survivors, found * 12)?;
            out.survivors.extend_from_slice(bytemuck::cast_slice::<u32, Survivor>(&words));
        }
        Ok(Dispatch::Done)
    }
}

impl Backend for GpuBackend {
    fn info(&self) -> BackendInfo {
        self.info.clone()
    }

    /// d u / (1 - d u) with u = 2^-22: four times the IEEE unit, since GPU arithmetic need not be IEEE.
    fn gamma(&self, dim: usize) -> f64 {
        let du = dim as f64 / f64::from(1u32 << 22);
        du / (1.0 - du)
    }

    fn load(&mut self, side: Side, block: Block) -> Result<()> {
        let len = block.len();
        let dim = block.unit.len().checked_div(len).unwrap_or(0);
        let padded = dim.next_multiple_of(16).max(16);
        let bytes = len.next_multiple_of(64).max(64) * padded * 4;
        if bytes as u64 > self.max_binding {
            return Err(Error::Device(format!(
                "a block of {bytes} bytes is above the storage binding limit of {}",
                self.max_binding
            )));
        }
        let mut unit = vec![0.0f32; bytes / 4];
        if dim > 0 {
            for (to, from) in unit.chunks_mut(padded).zip(block.unit.chunks(dim)) {
                to[..dim].copy_from_slice(from);
            }
        }
        let slot = match side {
            Side::Rows => 0,
            Side::Columns => 1,
        };
        self.sides[slot] = None;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let unit = self.buffer(bytemuck::cast_slice(&unit), wgpu::BufferUsages::STORAGE);
        if let Some(error) = pollster::block_on(memory.pop()) {
            return Err(device_error(error));
        }
        self.sides[slot] = Some(Loaded { block, unit, padded });
        Ok(())
    }

    fn dispatch(&mut self, job: &Job, out: &mut Stream) -> Result<Dispatch> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let valid = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = self.run(job, out);
        let errors = [pollster::block_on(valid.pop()), pollster::block_on(memory.pop())];
        match errors.into_iter().flatten().next() {
            Some(error) => Err(device_error(error)),
            None => result,
        }
    }
}
