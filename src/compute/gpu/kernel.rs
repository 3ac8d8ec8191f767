//! The compiled kernel `shaders/similarity_f32.wgsl`, and the numbers that it shares with the host.

use super::device::Device;
use super::params::Params;
use crate::base::Result;
use crate::compute::outcome::BINS;

/// The shader.
pub(super) const SOURCE: &str = include_str!("../../../shaders/similarity_f32.wgsl");

/// Rows of the tile that one workgroup computes.
pub(super) const TILE_ROWS: usize = 64;

/// Columns of that tile.
pub(super) const TILE_COLUMNS: usize = 128;

/// Values of a row that a workgroup loads at once; rows are padded to a multiple of it.
pub(super) const DEPTH: usize = 8;

/// Values that are summed in one chain before they are added to the total.
pub(super) const SLICE: usize = 64;

/// Words of the counters: survivors, then 4 relations x [`BINS`] in 4 copies that spread the atomic additions.
pub(super) const COUNTERS: usize = 1 + COPIES * 4 * BINS;

/// Copies of the histogram in the counters.
pub(super) const COPIES: usize = 4;

/// gamma of the certificate: |accumulated - exact| <= gamma |x| |y|, as chain u / (1 - chain u).
///
/// u = 2^-23. WGSL (15.7.4.1) and Vulkan demand that f32 addition and multiplication are correctly rounded, which there
/// means to either neighbour, in no given direction: the error is below one unit in the last place, 2^-23 of the value
/// (IEEE round to nearest, which GPUs do, has half of that). `fma(a, b, c)` is at worst a product and a sum, both rounded
/// so; HLSL gets `mad`, which is the same.
///
/// The chain: a product is rounded once, then goes through at most [`SLICE`] additions in its slice and
/// ceil(dim / [`SLICE`]) of slices. WGSL (15.7.5) lets a compiler reassociate, and Metal compiles with fast math. Within
/// a slice that changes nothing: n terms in any order are n - 1 additions deep at most. Across slices it can't happen: each
/// slice's sum passes through an integer exclusive-or with `job.zero`, a uniform that is 0 but that no compiler knows, so
/// the sum must exist as an f32 of its own before it is added. The self-test has rows that show a chain that was not cut.
///
/// One more is for what is left: values below 2^-126 may be flushed to 0, which moves a sum of unit rows by less than
/// dim 2^-125.
pub(super) fn gamma(dim: usize) -> f64 {
    let chain = (dim.min(SLICE) + dim.div_ceil(SLICE) + 2) as f64;
    let unit = 1.0 / f64::from(1u32 << 23);
    chain * unit / (1.0 - chain * unit)
}

/// The pipeline and the layout of its one bind group.
pub(super) struct Kernel {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

impl Kernel {
    /// Compiles `source`, the shader or a test's variant of it.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] with the compiler's words.
    pub(super) fn new(device: &Device, source: &str) -> Result<Self> {
        let raw = device.raw();
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some("similarity_f32"),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        };
        let module = if source == SOURCE {
            // Otherwise wgpu counts the rounds of every loop and clamps every index, which keeps drivers from unrolling
            // the inner loop (wgpu issue 7698).
            // SAFETY: every loop of SOURCE has a fixed step and a bound that does not change, or clears a bit a round.
            // Indices into workgroup memory and arrays follow from constants and invocation ids. Rows are clamped to
            // the rectangle (`min(.., count - 1)`) or compared with its counts, and `GpuBackend::params` puts the
            // rectangle within its piece, whose buffers `Operand::load` made for all rows and the whole depth;
            // survivors are compared with the capacity that their buffer was made for.
            unsafe { raw.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
        } else {
            raw.create_shader_module(descriptor)
        };
        device.check()?;
        let entry = |binding: u32| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match binding {
                    0..4 => wgpu::BufferBindingType::Storage { read_only: true },
                    4..6 => wgpu::BufferBindingType::Storage { read_only: false },
                    _ => wgpu::BufferBindingType::Uniform,
                },
                has_dynamic_offset: false,
                min_binding_size: if binding == 6 { wgpu::BufferSize::new(size_of::<Params>() as u64) } else { None },
            },
            count: None,
        };
        let layout = raw.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("similarity_f32"),
            entries: &[0, 1, 2, 3, 4, 5, 6].map(entry),
        });
        let pipeline_layout = raw.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("similarity_f32"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("similarity_f32"),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // The shader sets what it reads.
                zero_initialize_workgroup_memory: false,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: None,
        });
        device.check()?;
        Ok(Self { pipeline, layout })
    }

    /// Records one dispatch of `rows` x `columns` pairs. `bindings` are (buffer, offset, bytes) by binding number.
    pub(super) fn record(
        &self,
        device: &Device,
        encoder: &mut wgpu::CommandEncoder,
        bindings: [(&wgpu::Buffer, u64, u64); 7],
        rows: usize,
        columns: usize,
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
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(columns.div_ceil(TILE_COLUMNS) as u32, rows.div_ceil(TILE_ROWS) as u32, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To the neighbour above, the worst that "correctly rounded" allows in WGSL.
    fn up(value: f64) -> f32 {
        let rounded = value as f32;
        if f64::from(rounded) < value { rounded.next_up() } else { rounded }
    }

    /// The dot product with every operation rounded up, and summed in slices of `slice`.
    fn rounded_up(x: &[f32], y: &[f32], slice: usize) -> f32 {
        x.chunks(slice).zip(y.chunks(slice)).fold(0.0, |total, (x, y)| {
            let sum = x
                .iter()
                .zip(y)
                .fold(0.0f32, |sum, (a, b)| up(f64::from(sum) + f64::from(up(f64::from(*a) * f64::from(*b)))));
            up(f64::from(total) + f64::from(sum))
        })
    }

    #[test]
    fn gamma_bounds_rounding_to_one_side() {
        let draws = crate::base::random::Stream::new(1, "gamma");
        for dim in [17, 64, 65, 384, 1536] {
            let x: Vec<f32> = (0..dim).map(|i| draws.uniform(0, i as u64) as f32 + 0.1).collect();
            let y: Vec<f32> = (0..dim).map(|i| draws.uniform(1, i as u64) as f32 + 0.1).collect();
            let exact: f64 = x.iter().zip(&y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let error = |slice: usize| (f64::from(rounded_up(&x, &y, slice)) - exact).abs() / exact;
            assert!(error(SLICE) <= gamma(dim), "{dim}: {:e} above {:e}", error(SLICE), gamma(dim));
            assert!(error(SLICE) > gamma(dim) / 8.0, "{dim}: {:e}, far below {:e}", error(SLICE), gamma(dim));
            assert!(dim < 1000 || error(dim) > gamma(dim), "{dim}: one chain would be within the bound too");
        }
    }

    #[test]
    fn slicing_keeps_gamma_small() {
        assert!(gamma(1536) < 1.1e-5 && gamma(1536) > 1.0e-5);
        assert!(gamma(17) < gamma(64) && gamma(64) < gamma(65));
    }
}
