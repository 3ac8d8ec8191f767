//! What an adapter can do at most: multiply-adds in registers alone, in f32 and on its matrix units.
//!
//! The rates that kernels are compared with. Measured as kernels run, through WGSL and its compiler, so a matrix
//! instruction that no WGSL reaches (Hopper's `wgmma`) has no part in it. Also here: what the two shaders must store.

use super::backend::subgroups;
use super::device::{Device, Pooled};
use super::kernel::Kernel;
use super::source::{Constants, expand};
use super::{adapters, ladder};
use crate::base::random::Stream as Draws;
use crate::base::{Error, Result};
use half::f16;
use serde::Serialize;
use std::time::Instant;

/// Seconds that a submission takes at most, about: well under 100 ms, so that no watchdog ends it.
const SUBMISSION: f64 = 0.03;

/// Seconds that are measured at least, after submissions that only find out how much work that is.
const LONG_ENOUGH: f64 = 0.05;

/// The same two on a software adapter, whose figure is only to be shown.
const SOFTWARE: f64 = 0.002;

/// Steps of a turn of the loop in `shaders/limit_fma.wgsl`, and its chains of four values.
const FMA_STEPS: usize = 16;
const FMA_CHAINS: usize = 8;

/// Threads of one of its workgroups.
const FMA_THREADS: usize = 256;

/// Steps of a turn in `shaders/limit_matrix.wgsl`, its accumulators down and across, subgroups of a workgroup.
const MATRIX_STEPS: usize = 4;
const MATRIX_ROWS: usize = 4;
const MATRIX_COLUMNS: usize = 2;
const MATRIX_SUBGROUPS: usize = 4;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    /// f32 multiply-adds: `shaders/limit_fma.wgsl`.
    Fma,
    /// Cooperative matrices of this side, f16 to f32: `shaders/limit_matrix.wgsl`.
    Matrix(usize),
}

impl Probe {
    /// Its WGSL, on an adapter with subgroups of `subgroup` threads.
    pub(super) fn source(self, subgroup: usize) -> String {
        match self {
            Self::Fma => {
                let constants: &Constants = &[("THREADS", FMA_THREADS), ("STEPS", FMA_STEPS), ("CHAINS", FMA_CHAINS)];
                expand(include_str!("../../../shaders/limit_fma.wgsl"), constants)
            }
            Self::Matrix(side) => {
                let constants: &Constants = &[
                    ("SIDE", side),
                    ("ROWS", MATRIX_ROWS),
                    ("COLUMNS", MATRIX_COLUMNS),
                    ("STEPS", MATRIX_STEPS),
                    ("SUBGROUPS", MATRIX_SUBGROUPS),
                    ("THREADS", MATRIX_SUBGROUPS * subgroup),
                ];
                expand(include_str!("../../../shaders/limit_matrix.wgsl"), constants)
            }
        }
    }

    /// Operations of a workgroup in a turn; a product and a sum are two.
    fn operations(self) -> usize {
        match self {
            Self::Fma => 2 * FMA_THREADS * FMA_STEPS * FMA_CHAINS * 4,
            Self::Matrix(side) => {
                2 * MATRIX_SUBGROUPS * MATRIX_STEPS * MATRIX_ROWS * MATRIX_COLUMNS * side * side * side
            }
        }
    }

    /// Values that a workgroup stores.
    fn stored(self) -> usize {
        match self {
            Self::Fma => FMA_THREADS,
            Self::Matrix(side) => MATRIX_SUBGROUPS * side * side,
        }
    }

    /// Workgroups: some dozens for each core of the largest cards, so that few idle at the end.
    fn groups(self, software: bool) -> usize {
        match self {
            _ if software => 8,
            Self::Fma => 32_768,
            Self::Matrix(_) => 16_384,
        }
    }

    /// Values of the operands.
    fn operand_values(self) -> usize {
        match self {
            Self::Fma => 8,
            Self::Matrix(side) => (MATRIX_ROWS + MATRIX_COLUMNS) * side * side,
        }
    }

    /// Operands whose bits vary as real ones do, since cards are slower on those than on zeros. The chains of f32 go
    /// back and forth between x and addend - x.
    fn operands(self) -> Vec<f32> {
        let draws = Draws::new(0, "limit");
        let value = |i: usize| (draws.uniform(i as u64, 0) * 2.0 - 1.0) as f32;
        match self {
            Self::Fma => (0..8).map(|i| if i < 4 { -1.0 } else { value(i) }).collect(),
            Self::Matrix(_) => (0..self.operand_values()).map(value).collect(),
        }
    }

    /// Operands as the shader reads them.
    fn bytes(self, operands: &[f32]) -> Vec<u8> {
        match self {
            Self::Fma => bytemuck::cast_slice(operands).to_vec(),
            Self::Matrix(_) => {
                let halves: Vec<f16> = operands.iter().map(|&value| f16::from_f32(value)).collect();
                bytemuck::cast_slice(&halves).to_vec()
            }
        }
    }

    /// What the workgroup `group` must store after `turns` turns: the mirror of both shaders.
    #[cfg(test)]
    pub(super) fn expected(self, operands: &[f32], group: usize, turns: usize) -> Vec<f32> {
        match self {
            Self::Fma => {
                let chain = |start: f32, component: usize| {
                    let step = |x: f32, _| x.mul_add(operands[component], operands[4 + component]);
                    (0..turns * FMA_STEPS).fold(start, step)
                };
                let thread = |li: usize| {
                    let start = ((group * FMA_THREADS + li) % 64) as f32 / 64.0;
                    let component = |j: usize| (0..FMA_CHAINS).map(|i| chain(start + i as f32, j)).sum::<f32>();
                    (0..4).map(component).sum()
                };
                (0..FMA_THREADS).map(thread).collect()
            }
            Self::Matrix(side) => {
                let matrix = |m: usize| &operands[m * side * side..][..side * side];
                // Columns stand one after the other, so both are read along the sum.
                let product = |a: &[f32], b: &[f32], row: usize, column: usize| -> f32 {
                    a[row * side..][..side].iter().zip(&b[column * side..][..side]).map(|(x, y)| x * y).sum()
                };
                let sum = |e: usize| {
                    let pairs = (0..MATRIX_ROWS).flat_map(|i| (0..MATRIX_COLUMNS).map(move |j| (i, MATRIX_ROWS + j)));
                    pairs.map(|(i, j)| product(matrix(i), matrix(j), e / side, e % side)).sum::<f32>()
                };
                let one: Vec<f32> = (0..side * side).map(|e| sum(e) * (turns * MATRIX_STEPS) as f32).collect();
                one.repeat(MATRIX_SUBGROUPS)
            }
        }
    }
}

/// A probe on an opened device.
pub(super) struct Opened {
    probe: Probe,
    device: Device,
    pipeline: wgpu::ComputePipeline,
    operands: Pooled,
    results: Pooled,
    turns: Pooled,
    times: Pooled,
    staging: Pooled,
    groups: usize,
}

impl Opened {
    /// Compiles `probe` on `adapter`.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub(super) fn new(adapter: &wgpu::Adapter, probe: Probe, groups: usize) -> Result<Self> {
        let device = Device::open(adapter)?;
        let source = probe.source(subgroups(adapter).most);
        let module = device.raw().create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("limit"),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        device.check()?;
        let pipeline = device.raw().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("limit"),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        device.check()?;
        let [operands, results, turns, times, staging] = std::array::from_fn(|_| Pooled::default());
        Ok(Self { probe, device, pipeline, operands, results, turns, times, staging, groups })
    }

    /// Runs `turns` turns on `operands`: seconds by the clock of the device or else of the host, and what the first
    /// `read` workgroups stored.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub(super) fn run(&mut self, operands: &[f32], turns: usize, read: usize) -> Result<(f64, Vec<f32>)> {
        let (device, bytes) = (&self.device, self.probe.bytes(operands));
        let stored = 4 * self.probe.stored() as u64;
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let operands = device.at_least(&mut self.operands, "operands", bytes.len() as u64, storage)?;
        let results = device.at_least(&mut self.results, "results", self.groups as u64 * stored, storage)?;
        let uniform = device.at_least(&mut self.turns, "turns", 16, uniform)?;
        device.write(operands, 0, &bytes);
        device.write(uniform, 0, bytemuck::cast_slice(&[turns as u32, 0, 0, 0]));
        let buffers = [operands, results, uniform];
        let entries = std::array::from_fn::<_, 3, _>(|i| wgpu::BindGroupEntry {
            binding: i as u32,
            resource: buffers[i].as_entire_binding(),
        });
        let group = device.raw().create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let period = device.timestamp_period();
        let queries = period.map(|_| {
            let ty = wgpu::QueryType::Timestamp;
            device.raw().create_query_set(&wgpu::QuerySetDescriptor { label: Some("times"), ty, count: 2 })
        });
        let mut encoder = device.encoder();
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: queries.as_ref().map(|query_set| wgpu::ComputePassTimestampWrites {
                    query_set,
                    beginning_of_pass_write_index: Some(0),
                    end_of_pass_write_index: Some(1),
                }),
            });
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(self.groups as u32, 1, 1);
        }
        let mut parts = vec![(results, 0, read.max(1) as u64 * stored)];
        if let Some(queries) = &queries {
            let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
            let times = device.at_least(&mut self.times, "times", 16, usage)?;
            encoder.resolve_query_set(queries, 0..2, times, 0);
            parts.push((times, 0, 16));
        }
        let started = Instant::now();
        let under_way = device.start_reading(encoder, &mut self.staging, &parts)?;
        let (values, ticks) = device.finish(&under_way, &mut self.staging, |bytes| {
            let (values, times) = bytes.split_at(parts[0].2 as usize);
            let times: Vec<u64> = bytemuck::pod_collect_to_vec(times);
            let ticks = times.first().zip(times.last()).map_or(0, |(first, last)| last.saturating_sub(*first));
            (bytemuck::pod_collect_to_vec::<u8, f32>(values), ticks)
        })?;
        let by_device = ticks as f64 * f64::from(period.unwrap_or_default()) * 1e-9;
        let seconds = if by_device > 0.0 { by_device } else { started.elapsed().as_secs_f64() };
        Ok((seconds, values))
    }

    /// Operations a second: the fastest of several submissions.
    fn rate(&mut self, software: bool) -> Result<f64> {
        let (submission, long_enough) = if software { (SOFTWARE, SOFTWARE) } else { (SUBMISSION, LONG_ENOUGH) };
        let operands = self.probe.operands();
        // Odd, so that no chain of f32 ends where it began.
        let mut turns = 1;
        let mut seconds = self.run(&operands, turns, 0)?.0;
        while seconds < submission / 2.0 && turns < 1 << 24 {
            turns = 2 * turns + 1;
            seconds = self.run(&operands, turns, 0)?.0;
        }
        let (mut fastest, mut measured, mut repeats) = (f64::MAX, 0.0, 0);
        while measured < long_enough || repeats < 3 {
            let seconds = self.run(&operands, turns, 0)?.0;
            fastest = fastest.min(seconds);
            measured += seconds;
            repeats += 1;
        }
        Ok((self.probe.operations() * self.groups) as f64 * turns as f64 / fastest)
    }
}

/// The most that an adapter multiplies and adds, operations a second; a product and a sum are two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CardLimits {
    /// f32 multiply-adds.
    pub fma: f64,
    /// Its cooperative matrices, f16 to f32; the faster of 8 x 8 and 16 x 16 where it lists both.
    pub matrix: Option<f64>,
}

impl CardLimits {
    /// The limit of a kernel, named as [`super::Rung::kernel`] has it.
    pub fn of(&self, kernel: &str) -> Option<f64> {
        if kernel.starts_with("matrix") { self.matrix } else { Some(self.fma) }
    }
}

/// Matrices that the kernels of `adapter` use.
fn sides(adapter: &wgpu::Adapter) -> Vec<usize> {
    let mut sides: Vec<usize> = (ladder::candidates(adapter).iter())
        .filter_map(|kernel| match kernel {
            Kernel::Matrix(shape) => Some(shape.side),
            Kernel::F32 | Kernel::F16 => None,
        })
        .collect();
    sides.sort_unstable();
    sides.dedup();
    sides
}

/// Every probe that `adapter` can run.
pub(super) fn probes(adapter: &wgpu::Adapter) -> Vec<Probe> {
    std::iter::once(Probe::Fma).chain(sides(adapter).into_iter().map(Probe::Matrix)).collect()
}

/// Measures the adapter with this index, as [`super::AdapterReport::index`] has it; takes a fraction of a second.
///
/// # Errors
/// [`Error::Device`] if there is none, or it fails.
pub fn card_limits(index: usize) -> Result<CardLimits> {
    let all = adapters::list();
    let adapter = all.get(index).ok_or_else(|| Error::Device(format!("there is no adapter {index}")))?;
    let software = adapter.get_info().device_type == wgpu::DeviceType::Cpu;
    let mut limits = CardLimits { fma: 0.0, matrix: None };
    for probe in probes(adapter) {
        let rate = Opened::new(adapter, probe, probe.groups(software))?.rate(software)?;
        match probe {
            Probe::Fma => limits.fma = rate,
            Probe::Matrix(_) => limits.matrix = Some(limits.matrix.map_or(rate, |other| other.max(rate))),
        }
    }
    Ok(limits)
}
