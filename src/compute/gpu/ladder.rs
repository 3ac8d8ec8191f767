//! Which kernel an adapter gets: those that its lists and limits allow, self-tested with and without the compiler's checks,
//! timed, and remembered by adapter and driver.

use super::backend::{GpuBackend, Options, subgroups};
use super::kernel::{Kernel, Shape};
use super::self_test::self_test;
use super::timing;
use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A kernel of rows in f16 must be this much faster than one in f32, whose bound is a hundred times tighter.
const WORTH_IT: f64 = 1.2;

/// Operations a second that a remembered figure may say.
const POSSIBLE: std::ops::Range<f64> = 1e8..1e17;

/// One kernel on one adapter.
#[derive(Debug, Clone, Serialize)]
pub struct Rung {
    /// Kernel, with tile and depth.
    pub kernel: String,
    /// `passed`, or why not.
    pub self_test: String,
    /// Operations a second (a product and a sum are two), where it was timed.
    pub speed: Option<f64>,
    /// Whether a run takes it.
    pub chosen: bool,
}

/// What was found out about an adapter before.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    kernel: String,
    speed: f64,
}

/// Kernels that `adapter` has the features and limits for, the most promising first.
///
/// wgpu lists the shapes of its cooperative matrices but accepts shaders with others, so only listed ones are taken.
pub(super) fn candidates(adapter: &wgpu::Adapter) -> Vec<Kernel> {
    let (features, limits) = (adapter.features(), adapter.limits());
    let f16 = features.contains(wgpu::Features::SHADER_F16);
    let matrices = f16
        && features.contains(
            wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX
                | wgpu::Features::SUBGROUP
                | wgpu::Features::SUBGROUP_BARRIER,
        );
    let listed = if matrices { adapter.cooperative_matrix_properties() } else { Vec::new() };
    let has = |side: u32| {
        listed.iter().any(|shape| {
            (shape.m_size, shape.n_size, shape.k_size) == (side, side, side)
                && shape.ab_type == wgpu::CooperativeScalarType::F16
                && shape.cr_type == wgpu::CooperativeScalarType::F32
        })
    };
    let sides = [16, 8].into_iter().filter(|&side| has(side as u32));
    let matrix = sides.flat_map(Shape::candidates).map(Kernel::Matrix);
    let rest = [Some(Kernel::F16).filter(|_| f16), Some(Kernel::F32)].into_iter().flatten();
    let (memory, threads) =
        (limits.max_compute_workgroup_storage_size as usize, limits.max_compute_invocations_per_workgroup as usize);
    matrix.chain(rest).filter(|kernel| kernel.fits(subgroups(adapter), memory, threads)).collect()
}

/// Opens `adapter` with `kernel` and tests it, first with the compiler's checks, then as it will run.
///
/// # Errors
/// [`Error::Device`] that says what is wrong.
pub(super) fn tested(adapter: &wgpu::Adapter, kernel: Kernel, memory: Option<u64>) -> Result<GpuBackend> {
    let mut backend = GpuBackend::new(adapter, &Options { memory, ..Options::checked(kernel) })?;
    self_test(&mut backend)?;
    backend.uncheck()?;
    self_test(&mut backend)?;
    Ok(backend)
}

/// Tests and times every kernel of `adapter` that `wanted` lets through.
pub(super) fn climb(adapter: &wgpu::Adapter, wanted: impl Fn(&Kernel) -> bool) -> Vec<(Kernel, Rung)> {
    let rung = |kernel: Kernel| {
        let outcome = tested(adapter, kernel, None).and_then(|mut backend| timing::speed(&mut backend));
        let (self_test, speed) = match outcome {
            Ok(speed) => ("passed".into(), Some(speed)),
            Err(error) => (error.to_string(), None),
        };
        (kernel, Rung { kernel: kernel.describe(), self_test, speed, chosen: false })
    };
    candidates(adapter).into_iter().filter(wanted).map(rung).collect()
}

/// Marks the one to take: the fastest, in f32 unless f16 is worth its wider bound; on a software adapter, where speed says
/// nothing about a card, the plainest that works.
pub(super) fn choose(software: bool, rungs: &mut [(Kernel, Rung)]) -> Option<(Kernel, f64)> {
    let weight = |kernel: &Kernel, speed: f64| match (software, kernel) {
        (true, Kernel::F32) => 3.0,
        (true, Kernel::F16) => 2.0,
        (true, Kernel::Matrix(_)) => 1.0,
        (false, Kernel::F32) => speed * WORTH_IT,
        (false, _) => speed,
    };
    let best = rungs
        .iter_mut()
        .filter_map(|(kernel, rung)| rung.speed.map(|speed| (weight(kernel, speed), speed, *kernel, rung)))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    best.3.chosen = true;
    Some((best.2, best.1))
}

/// What tells an adapter, its driver and our kernels from others.
fn key(adapter: &wgpu::Adapter, family: &str) -> String {
    let about = adapter.get_info();
    let subgroups = subgroups(adapter);
    let sources: Vec<String> = candidates(adapter).iter().map(|kernel| kernel.source(subgroups)).collect();
    let hash = blake3::hash(sources.concat().as_bytes()).to_hex();
    let device = format!("{} {:?} {:x}:{:x}", about.name, about.backend, about.vendor, about.device);
    format!("{device}; {} {}; {family}; {}", about.driver, about.driver_info, &hash[..16])
}

fn read_known(path: &Path) -> BTreeMap<String, Known> {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Best effort: without it the next start takes longer.
fn remember(path: &Path, key: String, known: Known) {
    let mut all = read_known(path);
    all.insert(key, known);
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &all)?;
        file.persist(path)?;
        Ok(())
    };
    drop(write());
}

/// The kernel and speed that are remembered of `adapter`, for any of its kernels.
pub(super) fn remembered(adapter: &wgpu::Adapter, cache: &Path) -> Option<(String, f64)> {
    let known = read_known(cache).remove(&key(adapter, "any"))?;
    Some((known.kernel, known.speed))
}

/// Whether `adapter` could have a kernel of that name or description.
///
/// # Errors
/// [`Error::Device`] with the names of those that it could have.
pub(super) fn check(adapter: &wgpu::Adapter, name: Option<&str>) -> Result<()> {
    let kernels = candidates(adapter);
    let mut names: Vec<&str> = kernels.iter().map(Kernel::name).collect();
    names.dedup();
    match name {
        Some(name) if !kernels.iter().any(|kernel| kernel.is(name)) => {
            let adapter = adapter.get_info().name;
            Err(Error::Device(format!("{adapter}: it has no {name} kernel, only {}", names.join(", "))))
        }
        _ => Ok(()),
    }
}

/// Opens `adapter` with its best kernel of those that `wanted` lets through, which are called `family` together; and says
/// why it is that one.
///
/// # Errors
/// [`Error::Device`] if there is none, or each failed: with the reasons.
pub(super) fn open(
    adapter: &wgpu::Adapter,
    family: &str,
    wanted: impl Fn(&Kernel) -> bool,
    memory: Option<u64>,
    cache: Option<&Path>,
) -> Result<(GpuBackend, String)> {
    check(adapter, Some(family).filter(|family| *family != "any"))?;
    let mut possible: Vec<Kernel> = candidates(adapter).into_iter().filter(&wanted).collect();
    let key = cache.map(|path| (path, key(adapter, family)));
    let known = key.as_ref().and_then(|(path, key)| read_known(path).remove(key));
    if let Some(known) = known
        && let Some(kernel) = possible.iter().find(|kernel| kernel.describe() == known.kernel)
        && POSSIBLE.contains(&known.speed)
        && let Ok(mut backend) = tested(adapter, *kernel, memory)
    {
        backend.set_speed(known.speed);
        return Ok((backend, format!("remembered as the fastest, {}", show_speed(known.speed))));
    }
    if adapter.get_info().device_type == wgpu::DeviceType::Cpu {
        // Nothing to time: the plainest.
        possible.reverse();
        let mut errors = Vec::new();
        for kernel in possible {
            match tested(adapter, kernel, memory) {
                Ok(backend) => return Ok((backend, "the plainest, on a software adapter".into())),
                Err(error) => errors.push(error.to_string()),
            }
        }
        return Err(Error::Device(errors.join("; ")));
    }
    let mut rungs = climb(adapter, wanted);
    let passed = rungs.iter().filter(|(_, rung)| rung.speed.is_some()).count();
    // One that passed once and then fails is not taken; the next one is.
    while let Some((kernel, speed)) = choose(false, &mut rungs) {
        match tested(adapter, kernel, memory) {
            Ok(mut backend) => {
                if let Some((path, key)) = key {
                    remember(path, key, Known { kernel: kernel.describe(), speed });
                }
                backend.set_speed(speed);
                let why = format!("the fastest of {passed} that passed their self-test, {}", show_speed(speed));
                return Ok((backend, why));
            }
            Err(error) => {
                for (_, rung) in rungs.iter_mut().filter(|(other, _)| *other == kernel) {
                    (rung.self_test, rung.speed, rung.chosen) = (error.to_string(), None, false);
                }
            }
        }
    }
    let reasons: Vec<&str> = rungs.iter().map(|(_, rung)| rung.self_test.as_str()).collect();
    Err(Error::Device(reasons.join("; ")))
}

/// Operations a second for people.
fn show_speed(speed: f64) -> String {
    format!("{:.1} T operations/s", speed * 1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(kernel: Kernel, speed: Option<f64>) -> (Kernel, Rung) {
        (kernel, Rung { kernel: kernel.describe(), self_test: String::new(), speed, chosen: false })
    }

    #[test]
    fn the_fastest_is_taken_and_f32_unless_f16_is_worth_it() {
        let shapes = Shape::candidates(16);
        let (small, large) = (Kernel::Matrix(shapes[0]), Kernel::Matrix(shapes[4]));
        let mut rungs = vec![
            rung(small, Some(2e14)),
            rung(large, Some(3e14)),
            rung(Kernel::F16, Some(3e13)),
            rung(Kernel::F32, None),
        ];
        assert_eq!(choose(false, &mut rungs), Some((large, 3e14)));
        assert_eq!(rungs.iter().map(|(_, rung)| rung.chosen).collect::<Vec<_>>(), [false, true, false, false]);
        let mut close = [rung(Kernel::F16, Some(1.1e13)), rung(Kernel::F32, Some(1e13))];
        assert_eq!(choose(false, &mut close), Some((Kernel::F32, 1e13)), "its bound is tighter");
        let mut far = [rung(Kernel::F16, Some(1.3e13)), rung(Kernel::F32, Some(1e13))];
        assert_eq!(choose(false, &mut far), Some((Kernel::F16, 1.3e13)));
        assert_eq!(choose(true, &mut far), Some((Kernel::F32, 1e13)), "on software the plainest");
        assert_eq!(choose(false, &mut [rung(Kernel::F16, None), rung(Kernel::F32, None)]), None, "none passed");
    }

    #[test]
    fn choices_are_remembered_side_by_side() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache").join("kernels.json");
        assert!(read_known(&path).is_empty(), "no file, no memory");
        for (key, speed) in [("a card", 1e14), ("another", 2e14), ("a card", 3e14)] {
            remember(&path, key.into(), Known { kernel: "f32".into(), speed });
        }
        let known = read_known(&path);
        assert_eq!(
            known.iter().map(|(key, known)| (key.as_str(), known.speed)).collect::<Vec<_>>(),
            [("a card", 3e14), ("another", 2e14)]
        );
        std::fs::write(&path, b"{\"a card\": 3").unwrap();
        assert!(read_known(&path).is_empty(), "a damaged file is no memory");
    }
}
