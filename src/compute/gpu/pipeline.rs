//! A compiled kernel, and how a dispatch of it is recorded.

use super::device::Device;
use super::params::Params;
use crate::base::Result;

/// Bindings of a kernel: rows, columns, their facts, their keep values, counters, survivors, then the uniform.
pub(super) const BINDINGS: usize = 9;

/// Whether the compiler's own checks of loops and indices stay in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    /// For sources that have not passed the self-test on this device, and for tests' variants.
    On,
    /// For the project's own shaders, once their checked build has passed.
    Off,
}

/// The pipeline and the layout of its one bind group.
pub(super) struct Pipeline {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

impl Pipeline {
    /// Compiles `source`.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] with the compiler's words.
    pub(super) fn new(device: &Device, label: &str, source: &str, checks: Checks) -> Result<Self> {
        let raw = device.raw();
        let descriptor =
            wgpu::ShaderModuleDescriptor { label: Some(label), source: wgpu::ShaderSource::Wgsl(source.into()) };
        let module = match checks {
            Checks::On => raw.create_shader_module(descriptor),
            // Otherwise wgpu counts the rounds of every loop and clamps every index, which keeps drivers from unrolling
            // the inner loop (wgpu issue 7698).
            // SAFETY: every loop of the shaders has a fixed step and a bound that does not change, or clears a bit a round.
            // Indices into workgroup memory and arrays follow from constants, invocation and subgroup ids (a subgroup past
            // the last that has work counts as that one), and rows and columns below the tile's. Rows are clamped to the
            // rectangle (`min(.., count - 1)`) or compared with its counts, and `Slot::params` puts the rectangle within
            // its piece, whose buffers `Operand::load` made for all rows and the whole depth, and within the keep values
            // of the job; survivors are compared with the capacity that their buffer was made for.
            Checks::Off => unsafe {
                raw.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
            },
        };
        device.check()?;
        let entry = |binding: usize| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match binding {
                    0..6 => wgpu::BufferBindingType::Storage { read_only: true },
                    6..8 => wgpu::BufferBindingType::Storage { read_only: false },
                    _ => wgpu::BufferBindingType::Uniform,
                },
                has_dynamic_offset: false,
                min_binding_size: if binding == 8 { wgpu::BufferSize::new(size_of::<Params>() as u64) } else { None },
            },
            count: None,
        };
        let entries: [_; BINDINGS] = std::array::from_fn(entry);
        let layout =
            raw.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries });
        let pipeline_layout = raw.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(label),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // The shaders set what they read.
                zero_initialize_workgroup_memory: false,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: None,
        });
        device.check()?;
        Ok(Self { pipeline, layout })
    }

    /// Records one dispatch of so many workgroups across and down. `bindings` are (buffer, offset, bytes) by binding
    /// number.
    pub(super) fn record(
        &self,
        device: &Device,
        encoder: &mut wgpu::CommandEncoder,
        bindings: [(&wgpu::Buffer, u64, u64); BINDINGS],
        (across, down): (usize, usize),
        timestamps: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) {
        let mut binding = 0;
        let entries = bindings.map(|(buffer, offset, size)| {
            let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: wgpu::BufferSize::new(size),
            });
            binding += 1;
            wgpu::BindGroupEntry { binding: binding - 1, resource }
        });
        let group = device.raw().create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.layout,
            entries: &entries,
        });
        let mut pass =
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes: timestamps });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(across as u32, down as u32, 1);
    }
}
