//! Which backend and kernel a run takes, and how fast the CPU's are.

use super::args::{BackendArg, PassSettings};
use super::observer::Console;
use crate::base::random::Stream as Random;
use crate::base::units::{parse_bytes, show_bytes};
use crate::base::{Error, Event, Observer, Result};
use crate::compute::cpu::{CpuBackend, CpuKernel};
use crate::compute::gpu::{self, Request};
use crate::compute::tile::Vectors;
use crate::compute::{Backend, Block, HistogramMode, Job, Side, Stream};
use crate::run::{HistogramChoice, is_exact};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The kernel that both CPU and GPU have.
const SHARED_KERNEL: &str = "f32";

/// Rows of the blocks that are multiplied to measure a kernel.
const ROWS: usize = 1024;

/// How long a measurement takes at least.
const LONG_ENOUGH: Duration = Duration::from_millis(100);

/// Smallest `--gpu-memory` that is worth starting with.
const LEAST_GPU_MEMORY: u64 = 16 << 20;

/// What the flags ask for; whether they make sense together is seen here, before anything is read.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The kernel if the CPU computes.
    cpu: CpuKernel,
    /// Whether that is the only way.
    only_cpu: bool,
    /// Whether a GPU is the only way.
    only_gpu: bool,
    request: Request,
    histogram: HistogramChoice,
}

/// Reads the flags.
///
/// # Errors
/// [`Error::Usage`]; [`Error::Device`] if the GPU asked for is not there.
pub fn asked(pass: &PassSettings, histogram: HistogramChoice) -> Result<Asked> {
    let backend = pass.backend.unwrap_or(BackendArg::Auto);
    let name = named(pass);
    let only_gpu = backend == BackendArg::Gpu || pass.device.is_some();
    if backend == BackendArg::Cpu && pass.device.is_some() {
        return Err(Error::Usage("--device names a GPU and --backend cpu asks for none: leave one out".into()));
    }
    if backend == BackendArg::Cpu && pass.gpu_memory.is_some() {
        return Err(Error::Usage("--gpu-memory is of a GPU and --backend cpu asks for none: leave one out".into()));
    }
    let of_gpu = name.is_some_and(|name| gpu::KERNELS.contains(&name));
    let coarse = !matches!(histogram, HistogramChoice::Off | HistogramChoice::Coarse);
    if let Some(name) = name.filter(|&name| of_gpu && name != SHARED_KERNEL) {
        if backend == BackendArg::Cpu {
            return Err(Error::Usage(format!(
                "--kernel {name} is one of GPUs, and --backend cpu asks for none: leave one out"
            )));
        }
        if coarse {
            return Err(too_coarse(name, SHARED_KERNEL));
        }
    }
    let memory = match &pass.gpu_memory {
        Some(text) => match parse_bytes(text)? {
            bytes if bytes < LEAST_GPU_MEMORY => {
                let least = show_bytes(LEAST_GPU_MEMORY);
                return Err(Error::Usage(format!("--gpu-memory {text} is too little: at least {least}")));
            }
            bytes => Some(bytes),
        },
        None => None,
    };
    let request = Request {
        selector: pass.device.clone(),
        kernel: name.filter(|_| of_gpu).map(String::from),
        exact_histogram: histogram == HistogramChoice::Exact,
        memory,
        cache: cache(),
    };
    let cpu = match name.filter(|&name| !of_gpu || name == SHARED_KERNEL) {
        None => CpuKernel::choose(histogram != HistogramChoice::Off),
        Some(name) => {
            let kernel = CpuKernel::named(name)?;
            if !of_gpu && only_gpu {
                return Err(Error::Usage(format!(
                    "--kernel {name} is one of the CPU, and a GPU is asked for, which has {}: leave one out",
                    gpu::KERNELS.join(", ")
                )));
            }
            if kernel.is_coarse() && coarse {
                return Err(too_coarse(name, "int16"));
            }
            kernel
        }
    };
    let only_gpu = only_gpu || name.is_some_and(|name| of_gpu && name != SHARED_KERNEL);
    if only_gpu {
        gpu::check(&request)?;
    }
    Ok(Asked { cpu, only_cpu: backend == BackendArg::Cpu || (name.is_some() && !of_gpu), only_gpu, request, histogram })
}

/// A kernel within whose bound of a bin's edge a good part of all pairs lies can't count an exact histogram.
fn too_coarse(name: &str, instead: &str) -> Error {
    Error::Usage(format!(
        "--kernel {name} would leave a tenth of all pairs or more to be computed again for an exact histogram, so wide is its \
         bound beside a bin: add --histogram off or coarse, or take {instead}"
    ))
}

/// Operations (rows^2 x dimension) under which a run that may choose takes the CPU: it is done before a GPU's kernels are
/// compiled and tested.
const SMALL: f64 = 1e12;

/// Where the choice of a GPU's kernel is remembered: in the user's cache directory, if there is one.
pub fn cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CACHE_HOME").or_else(|| set("LOCALAPPDATA")).or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(folder.join("hivescope").join("kernels.json"))
}

/// `--kernel`, unless it says nothing.
fn named(pass: &PassSettings) -> Option<&str> {
    pass.kernel.as_deref().filter(|&name| name != "auto")
}

/// The backend asked for, for a corpus of `rows` rows of dimension `dim`, and a sentence on why it is this one.
///
/// # Errors
/// [`Error::Device`] if the GPU asked for is not there.
pub fn choose(asked: &Asked, (rows, dim): (usize, usize), console: &Console) -> Result<(Box<dyn Backend>, String)> {
    let cpu = |reason: String| -> (Box<dyn Backend>, String) { (Box::new(CpuBackend::new(asked.cpu)), reason) };
    if asked.only_cpu {
        return Ok(cpu("asked for".into()));
    }
    if !asked.only_gpu && rows as f64 * rows as f64 * (dim as f64) < SMALL {
        return Ok(cpu("too few pairs to be worth a GPU's start".into()));
    }
    let exact = asked.request.exact_histogram || (asked.histogram == HistogramChoice::Auto && is_exact(rows));
    let opened = gpu::open(&Request { exact_histogram: exact, ..asked.request.clone() });
    match opened {
        Ok((backend, why)) if asked.only_gpu => Ok((backend, format!("asked for; its kernel is {why}"))),
        Ok((backend, why)) => Ok((backend, format!("a GPU was found; its kernel is {why}"))),
        Err(Error::Device(reason)) if !asked.only_gpu => {
            let first = reason.lines().next().unwrap_or_default().to_owned();
            console.event(Event::Note { message: format!("computing on the CPU: {first}") });
            Ok(cpu(format!("no GPU: {first}")))
        }
        Err(error) => Err(error),
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
