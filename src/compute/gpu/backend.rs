//! The GPU backend: blocks stay on the device while its memory lasts, jobs are cut to what it takes, and several are
//! under way at a time.

use super::cut::{DISPATCH_SIDE, Limits, Rectangle, rectangles};
use super::device::{Device, Fault};
use super::kernel::{Kernel, Subgroups};
use super::operand::{FACT_BYTES, Operand, Resident, UPLOAD_BYTES};
use super::params::Params;
use super::pipeline::{Checks, Pipeline};
use super::slot::{EXPECTED, Slot, Work};
use crate::base::Result;
use crate::compute::tile::{Backend, BackendInfo, Block, Dispatch, Job, Side, Stream};
use crate::corpus::Embeddings;
use std::collections::VecDeque;
use std::sync::Arc;

/// Dispatches under way: one computes, one waits for it, one is merged by the host.
const IN_FLIGHT: usize = 3;

/// Operations a second that are assumed where nothing was measured.
const UNMEASURED: f64 = 1e12;

/// Rows of a block and of a dispatch of a software adapter, which computes few multiplications a second and can't be
/// interrupted in one.
const SOFTWARE_ROWS: usize = 2048;

/// Bytes of device memory that blocks may take where nobody knows how much there is.
const UNKNOWN_MEMORY: u64 = 2 << 30;

/// How an adapter is opened.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// What it multiplies by.
    pub kernel: Kernel,
    /// Whether the compiler's checks stay in.
    pub checks: Checks,
    /// Operations a second, if measured.
    pub speed: Option<f64>,
    /// Bytes of device memory that blocks may take; otherwise three quarters of it.
    pub memory: Option<u64>,
    /// A test's variant of the shader.
    pub source: Option<String>,
    /// Limits below the adapter's, for tests.
    pub limits: Option<Limits>,
}

impl Options {
    /// `kernel` with the compiler's checks.
    pub(super) fn checked(kernel: Kernel) -> Self {
        Self { kernel, checks: Checks::On, speed: None, memory: None, source: None, limits: None }
    }
}

/// One opened adapter.
pub(super) struct GpuBackend {
    adapter: wgpu::Adapter,
    options: Options,
    device: Device,
    pipeline: Pipeline,
    info: BackendInfo,
    limits: Limits,
    software: bool,
    /// Distance of two uniforms in their buffer.
    uniform_stride: u64,
    resident: Resident,
    rows: Arc<Operand>,
    columns: Arc<Operand>,
    slots: Vec<Slot>,
    /// Slots of what was submitted and not collected, oldest first; `None` for a job without pairs.
    under_way: VecDeque<Option<usize>>,
    next: usize,
    expected: usize,
    /// When the last dispatch that was collected ended, in ticks of the device.
    clock: u64,
}

/// The subgroups that kernels are laid out for.
pub(super) fn subgroups(adapter: &wgpu::Adapter) -> Subgroups {
    let about = adapter.get_info();
    Subgroups { least: about.subgroup_min_size as usize, most: about.subgroup_max_size as usize }
}

/// Compiles the kernel of `options`.
fn compile(adapter: &wgpu::Adapter, device: &Device, options: &Options) -> Result<Pipeline> {
    let source = options.source.clone().unwrap_or_else(|| options.kernel.source(subgroups(adapter)));
    Pipeline::new(device, &options.kernel.describe(), &source, options.checks)
}

impl GpuBackend {
    /// Opens `adapter`. What it computes is not tested yet: see `self_test`.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`].
    pub(super) fn new(adapter: &wgpu::Adapter, options: &Options) -> Result<Self> {
        let device = Device::open(adapter)?;
        let pipeline = compile(adapter, &device, options)?;
        let about = adapter.get_info();
        let limits = adapter.limits();
        let alignment = u64::from(limits.min_uniform_buffer_offset_alignment);
        let memory = options.memory.or_else(|| super::memory::device_bytes(adapter).map(|bytes| bytes / 4 * 3));
        Ok(Self {
            adapter: adapter.clone(),
            device,
            pipeline,
            info: BackendInfo {
                backend: "gpu".into(),
                device: about.name,
                driver: format!("{} {}", about.driver, about.driver_info),
                kernel: options.kernel.describe(),
                assumes: options.kernel.assumes().into(),
            },
            limits: options.limits.unwrap_or(Limits::of(&limits)),
            software: about.device_type == wgpu::DeviceType::Cpu,
            uniform_stride: (size_of::<Params>() as u64).next_multiple_of(alignment.max(1)),
            resident: Resident::new(memory.unwrap_or(UNKNOWN_MEMORY)),
            rows: Arc::default(),
            columns: Arc::default(),
            slots: std::iter::repeat_with(Slot::default).take(IN_FLIGHT).collect(),
            under_way: VecDeque::new(),
            next: 0,
            expected: EXPECTED,
            clock: 0,
            options: options.clone(),
        })
    }

    /// The device, to name it in errors.
    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// What it multiplies by.
    pub(super) fn kernel(&self) -> Kernel {
        self.options.kernel
    }

    /// Whether the adapter is software.
    pub(super) fn is_software(&self) -> bool {
        self.software
    }

    /// Says how fast it is, in operations a second.
    pub(super) fn set_speed(&mut self, speed: f64) {
        self.options.speed = Some(speed);
    }

    /// Compiles the kernel again, without the compiler's checks.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`].
    pub(super) fn uncheck(&mut self) -> Result<()> {
        self.options.checks = Checks::Off;
        self.pipeline = compile(&self.adapter, &self.device, &self.options)?;
        Ok(())
    }

    /// Drops all blocks and their buffers, and what is under way.
    pub(super) fn clear(&mut self) {
        (self.rows, self.columns) = (Arc::default(), Arc::default());
        self.resident.clear();
        self.under_way.clear();
        self.clock = 0;
        self.slots.fill_with(Slot::default);
    }

    fn dispatch_side(&self, padded: usize) -> usize {
        let speed = self.options.speed.unwrap_or(UNMEASURED);
        let side = self.limits.dispatch_side(padded, self.options.kernel.tile(), speed);
        if self.software { side.min(SOFTWARE_ROWS) } else { side }
    }

    /// Fills every buffer with ones, as if another program had left them.
    #[cfg(test)]
    pub(super) fn poison(&self) {
        self.rows.poison(&self.device);
        self.columns.poison(&self.device);
        self.slots.iter().for_each(|slot| slot.poison(&self.device));
    }

    /// Blocks that were uploaded so far.
    #[cfg(test)]
    pub(super) fn uploads(&self) -> u64 {
        self.resident.uploads()
    }

    /// What a test makes go wrong.
    #[cfg(test)]
    pub(super) fn set_faults(&mut self, faults: Arc<super::tests::Faults>) {
        self.device.set_faults(faults);
    }

    /// Opens the adapter again, as another device; blocks are gone.
    fn reopen(&mut self) -> Result<()> {
        self.clear();
        #[cfg(test)]
        let faults = self.device.faults();
        self.device = Device::open(&self.adapter)?;
        #[cfg(test)]
        self.device.set_faults(faults);
        self.pipeline = compile(&self.adapter, &self.device, &self.options)?;
        Ok(())
    }
}

impl Backend for GpuBackend {
    fn info(&self) -> BackendInfo {
        self.info.clone()
    }

    fn gamma(&self, dim: usize) -> f64 {
        self.options.kernel.gamma(dim)
    }

    fn half_bounds(&self, embeddings: &Embeddings) -> Vec<f32> {
        self.options.kernel.format().half_bounds(embeddings, self.gamma(embeddings.dim()))
    }

    fn block_rows(&self, dim: usize) -> usize {
        let row_bytes = (self.options.kernel.format().row_bytes(dim) + FACT_BYTES) as u64;
        // Two blocks that are loaded and one to come.
        let fits = (self.resident.budget() / 3 / row_bytes) as usize;
        let whole = DISPATCH_SIDE.min(fits / 256 * 256).max(256);
        if self.software { whole.min(SOFTWARE_ROWS) } else { whole }
    }

    fn dispatch_rows(&self, dim: usize) -> usize {
        self.dispatch_side(self.options.kernel.format().padded(dim))
    }

    fn row_bytes(&self, _dim: usize) -> u64 {
        FACT_BYTES as u64
    }

    fn working_bytes(&self, _rows: usize, _columns: usize) -> u64 {
        // Unit rows in f32 (twice as large as f16), what is made of them, and the driver's copy of that.
        4 * UPLOAD_BYTES as u64
    }

    fn load(&mut self, side: Side, block: Arc<Block>) -> Result<()> {
        let loaded = match side {
            Side::Rows => &mut self.rows,
            Side::Columns => &mut self.columns,
        };
        *loaded = Arc::default();
        *loaded = self.resident.load(&self.device, self.limits, self.options.kernel.format(), block)?;
        Ok(())
    }

    fn in_flight(&self) -> usize {
        IN_FLIGHT
    }

    fn submit(&mut self, job: Job, capacity: usize) -> Result<()> {
        if self.under_way.len() >= IN_FLIGHT {
            return Err(self.device.error(format!("more than {IN_FLIGHT} dispatches under way")));
        }
        if job.rows.is_empty() || job.columns.is_empty() {
            self.under_way.push_back(None);
            return Ok(());
        }
        let (rows, columns) = (&*self.rows, &*self.columns);
        let outside = job.rows.end > rows.len() || job.columns.end > columns.len();
        // The shader reads a keep value a row and a column, unchecked.
        let keeps = job.keep_rows.len() == job.rows.len() && job.keep_columns.len() == job.columns.len();
        if outside || !keeps || rows.padded() != columns.padded() {
            return Err(self.device.error("the loaded blocks do not fit the job"));
        }
        let rectangles = rectangles(
            (job.rows.clone(), job.columns.clone()),
            (rows.first(), columns.first()),
            (rows.piece_rows(), columns.piece_rows()),
            self.dispatch_side(rows.padded()),
        );
        if rectangles.iter().map(Rectangle::pairs).sum::<u64>() >= 1 << 32 {
            return Err(self.device.error("a job of 2^32 pairs would overflow its counters"));
        }
        if rectangles.is_empty() {
            self.under_way.push_back(None);
            return Ok(());
        }
        let format = self.options.kernel.format();
        let work = Work {
            device: &self.device,
            pipeline: &self.pipeline,
            tile: self.options.kernel.tile(),
            row_bytes: format.row_bytes(rows.padded()),
            limits: self.limits,
            uniform_stride: self.uniform_stride,
            rows,
            columns,
        };
        self.slots[self.next].submit(&work, &rectangles, &job, (capacity, self.expected))?;
        self.under_way.push_back(Some(self.next));
        self.next = (self.next + 1) % IN_FLIGHT;
        Ok(())
    }

    fn collect(&mut self, out: &mut Stream) -> Result<Dispatch> {
        let Some(slot) = self.under_way.pop_front() else {
            return Err(self.device.error("no dispatch was submitted"));
        };
        let Some(slot) = slot else { return Ok(Dispatch::Done) };
        let (end, found) = self.slots[slot].collect(&self.device, &mut self.clock, out)?;
        if end == Dispatch::Done {
            self.expected = (2 * found).next_power_of_two().max(EXPECTED);
        }
        Ok(end)
    }

    fn recover(&mut self) -> bool {
        let fault = self.device.fault();
        match fault {
            Some(Fault::Lost) => self.reopen().is_ok(),
            Some(Fault::OutOfMemory) => {
                self.clear();
                self.resident.shrink();
                // What computes still has its buffers: they are free once it is done.
                self.device.wait();
                self.device.forgive();
                true
            }
            None => false,
        }
    }
}
