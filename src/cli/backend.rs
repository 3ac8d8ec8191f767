//! Which backend and kernel a run takes, and how fast the CPU's are.

use super::args::{BackendArg, PassSettings};
use super::observer::Console;
use crate::base::random::Stream as Random;
use crate::base::{Error, Event, Observer, Result};
use crate::compute::cpu::{CpuBackend, CpuKernel};
use crate::compute::tile::Vectors;
use crate::compute::{Backend, Block, HistogramMode, Job, Side, Stream, gpu};
use crate::run::HistogramChoice;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The only kernel of GPUs.
const GPU_KERNEL: &str = "f32";

/// Rows of the blocks that are multiplied to measure a kernel.
const ROWS: usize = 1024;

/// How long a measurement takes at least.
const LONG_ENOUGH: Duration = Duration::from_millis(100);

/// The CPU kernel that a run would take; whether the flags make sense together is seen here, before anything is read.
///
/// # Errors
/// [`Error::Usage`].
pub fn cpu_kernel(pass: &PassSettings, histogram: HistogramChoice) -> Result<CpuKernel> {
    let asked = pass.backend.unwrap_or(BackendArg::Auto);
    if asked == BackendArg::Cpu && pass.device.is_some() {
        return Err(Error::Usage("--device names a GPU and --backend cpu asks for none: leave one out".into()));
    }
    let Some(name) = named(pass) else {
        return Ok(CpuKernel::choose(histogram != HistogramChoice::Off));
    };
    let kernel = CpuKernel::named(name)?;
    if name != GPU_KERNEL && (asked == BackendArg::Gpu || pass.device.is_some()) {
        return Err(Error::Usage(format!(
            "--kernel {name} is one of the CPU, and a GPU is asked for, which has {GPU_KERNEL}: leave one out"
        )));
    }
    if kernel.is_coarse() && !matches!(histogram, HistogramChoice::Off | HistogramChoice::Coarse) {
        return Err(Error::Usage(format!(
            "--kernel {name} would look at nearly every pair of an exact histogram again, its bound is about as wide as a \
             bin: add --histogram off or coarse, or take int16"
        )));
    }
    Ok(kernel)
}

/// `--kernel`, unless it says nothing.
fn named(pass: &PassSettings) -> Option<&str> {
    pass.kernel.as_deref().filter(|&name| name != "auto")
}

/// The backend asked for, and a sentence on why it is this one; `kernel` is the CPU's.
///
/// # Errors
/// [`Error::Device`] if the GPU asked for is not there.
pub fn choose(pass: &PassSettings, kernel: CpuKernel, console: &Console) -> Result<(Box<dyn Backend>, String)> {
    let device = pass.device.as_deref();
    let cpu = |reason: String| -> (Box<dyn Backend>, String) { (Box::new(CpuBackend::new(kernel)), reason) };
    match pass.backend.unwrap_or(BackendArg::Auto) {
        BackendArg::Cpu => Ok(cpu("asked for".into())),
        BackendArg::Gpu => Ok((gpu::open(device)?, "asked for".into())),
        BackendArg::Auto if device.is_some() => Ok((gpu::open(device)?, "device asked for".into())),
        BackendArg::Auto if named(pass).is_some_and(|name| name != GPU_KERNEL) => {
            Ok(cpu("its kernel is asked for".into()))
        }
        BackendArg::Auto => match gpu::open(None) {
            Ok(backend) => Ok((backend, "a GPU was found".into())),
            Err(Error::Device(reason)) => {
                let first = reason.lines().next().unwrap_or_default().to_owned();
                console.event(Event::Note { message: format!("computing on the CPU: {first}") });
                Ok(cpu(format!("no GPU: {first}")))
            }
            Err(error) => Err(error),
        },
    }
}

/// A block of random rows of about unit length.
fn block(first: usize, dim: usize) -> Arc<Block> {
    let random = Random::new(0, "speed");
    let scale = (3.0 / dim as f64).sqrt();
    let value = |i: usize| ((2.0 * random.uniform((first * dim + i) as u64, 0) - 1.0) * scale) as f32;
    Arc::new(Block {
        first,
        vectors: Vectors::Unit((0..ROWS * dim).map(value).collect()),
        half_bound: vec![0.0; ROWS],
        query: vec![0; ROWS],
        model: vec![0; ROWS],
    })
}

/// Operations a second (a product and a sum are two) of a kernel at dimension `dim` with that histogram; measured for about
/// 0.1 s.
///
/// # Errors
/// None of the CPU backend's can happen here.
pub fn cpu_speed(kernel: CpuKernel, dim: usize, histogram: HistogramMode) -> Result<f64> {
    let mut backend = CpuBackend::new(kernel);
    backend.load(Side::Rows, block(0, dim))?;
    backend.load(Side::Columns, block(ROWS, dim))?;
    let job =
        Job { rows: 0..ROWS, columns: 0..ROWS, keep_rows: vec![2.0; ROWS], keep_columns: vec![2.0; ROWS], histogram };
    let mut out = Stream::new(1 << 16);
    backend.dispatch(&job, &mut out)?;
    let started = Instant::now();
    let mut repeats = 0u32;
    while started.elapsed() < LONG_ENOUGH {
        out.clear();
        backend.dispatch(&job, &mut out)?;
        repeats += 1;
    }
    let operations = 2.0 * (ROWS * ROWS * dim) as f64 * f64::from(repeats);
    Ok(operations / started.elapsed().as_secs_f64())
}
