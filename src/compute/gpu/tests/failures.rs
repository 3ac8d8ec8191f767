//! Failures of the device are errors that name it and the flag that helps.

use super::*;
use crate::base::{Error, Result};
use crate::compute::gpu::cut::Limits;

/// The message of a device error, which must name the device and the flag.
fn message<T>(gpu: &GpuBackend, result: Result<T>) -> String {
    let Err(Error::Device(message)) = result else { panic!("a device error was due") };
    assert!(message.starts_with(&gpu.info().device) && message.contains("`--backend cpu`"), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn a_lost_device_is_an_error_and_stays_one() {
    let Some(mut gpu) = backend(&plain()) else { return };
    let b = block(0, 100, 67);
    let job = whole(&b, &b, 0.3, HistogramMode::Coarse);
    find(&mut gpu, &b, &b, &job);
    gpu.device().destroy();
    for _ in 0..2 {
        let result = gpu.dispatch(&job, &mut Stream::new(10_000));
        let message = message(&gpu, result);
        assert!(message.contains("lost"), "{message}");
    }
    let result = gpu.load(Side::Rows, Arc::new(block(0, 200, 67)));
    assert!(message(&gpu, result).contains("lost"));
    drop(gpu);
    // Another opening of the adapter is not touched.
    let Some(mut gpu) = backend(&plain()) else { return };
    find(&mut gpu, &b, &b, &job);
}

#[test]
fn what_the_driver_interface_refuses_is_an_error() {
    // Limits above the adapter's: the survivors' binding is refused.
    let options = Options { limits: Some(Limits { binding: u64::MAX, groups: 65_535 }), ..plain() };
    let Some(mut gpu) = backend(&options) else { return };
    let b = block(0, 10, 67);
    let job = whole(&b, &b, 0.3, HistogramMode::Coarse);
    let Some(adapter) = adapter() else { return };
    let too_many = adapter.limits().max_buffer_size as usize / 12 + 1;
    gpu.load(Side::Rows, Arc::new(b.clone())).unwrap();
    gpu.load(Side::Columns, Arc::new(b.clone())).unwrap();
    let result = gpu.dispatch(&job, &mut Stream::new(too_many));
    assert!(message(&gpu, result).contains("survivors"), "the buffer is named");
    // Not lost: the next dispatch works.
    find(&mut gpu, &b, &b, &job);
}

/// Memory of dispatches under way is free again before smaller blocks are tried.
#[test]
fn recovery_from_lack_of_memory_waits_for_what_computes() {
    let Some(mut gpu) = backend(&plain()) else { return };
    let large = Arc::new(block(0, 1500, 1024));
    for side in [Side::Rows, Side::Columns] {
        gpu.load(side, Arc::clone(&large)).unwrap();
    }
    gpu.submit(whole(&large, &large, 2.0, HistogramMode::Off), 100).unwrap();
    let allocated =
        |gpu: &GpuBackend| gpu.device().raw().generate_allocator_report().map(|all| all.total_allocated_bytes);
    let Some(before) = allocated(&gpu) else { return };
    gpu.set_faults(Arc::new(Faults::no_memory_above(100)));
    assert!(gpu.load(Side::Columns, Arc::new(block(0, 20, 1024))).is_err());
    assert!(gpu.recover());
    let after = allocated(&gpu).unwrap();
    assert!(before > 6_000_000 && after < before - 6_000_000, "{before} bytes, then {after}");
}

#[test]
fn a_shader_that_does_not_compile_is_an_error() {
    let Some(adapter) = adapter() else { return };
    for source in ["fn main(", "@compute @workgroup_size(64) fn other() {}"] {
        let options = Options { source: Some(source.into()), ..Options::checked(Kernel::F32) };
        let Err(Error::Device(message)) = GpuBackend::new(&adapter, &options) else { panic!("{source} compiled") };
        assert!(message.contains("--backend cpu"), "{message}");
    }
}

#[test]
fn a_job_outside_the_blocks_is_an_error() {
    let Some(mut gpu) = backend(&plain()) else { return };
    let b = block(0, 10, 67);
    let job = whole(&b, &b, 0.3, HistogramMode::Off);
    let result = gpu.dispatch(&job, &mut Stream::new(100));
    assert!(message(&gpu, result).contains("do not fit the job"), "nothing is loaded");
    gpu.load(Side::Rows, Arc::new(b.clone())).unwrap();
    gpu.load(Side::Columns, Arc::new(block(0, 10, 17))).unwrap();
    let result = gpu.dispatch(&job, &mut Stream::new(100));
    assert!(message(&gpu, result).contains("do not fit the job"), "two dimensions");
    gpu.load(Side::Columns, Arc::new(b.clone())).unwrap();
    for shorten in [|job: &mut Job| job.keep_rows.truncate(9), |job: &mut Job| job.keep_columns.truncate(9)] {
        let mut job = job.clone();
        shorten(&mut job);
        let result = gpu.dispatch(&job, &mut Stream::new(100));
        assert!(message(&gpu, result).contains("do not fit the job"), "a keep value is missing");
    }
}

#[test]
fn more_dispatches_than_slots_are_an_error_and_lose_nothing() {
    let Some(mut gpu) = backend(&plain()) else { return };
    let b = block(0, 100, 67);
    let jobs = [0.2, 0.3, 0.4, 0.5].map(|keep| whole(&b, &b, keep, HistogramMode::Coarse));
    let expected: Vec<_> = jobs.iter().map(|job| sorted(&find(&mut gpu, &b, &b, job))).collect();
    for job in &jobs[..gpu.in_flight()] {
        gpu.submit(job.clone(), 10_000).unwrap();
    }
    let result = gpu.submit(jobs[3].clone(), 10_000);
    assert!(message(&gpu, result).contains("under way"));
    for expected in &expected[..gpu.in_flight()] {
        let mut out = Stream::new(10_000);
        assert_eq!(gpu.collect(&mut out).unwrap(), Dispatch::Done);
        assert!(sorted(&out) == *expected);
    }
}
