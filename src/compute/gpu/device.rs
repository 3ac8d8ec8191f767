//! Adapters: list, choice, self-test.

use super::AdapterReport;
use super::backend::GpuBackend;
use crate::base::{Error, Result};
use crate::compute::tile::{Backend, Block, Dispatch, HistogramMode, Job, Side, Stream};

pub(super) fn list() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

pub(super) fn report(index: usize, adapter: &wgpu::Adapter) -> AdapterReport {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let self_test = GpuBackend::new(adapter).and_then(|mut b| self_test(&mut b));
    AdapterReport {
        index,
        name: info.name,
        api: format!("{:?}", info.backend),
        kind: match info.device_type {
            wgpu::DeviceType::Cpu => "software".into(),
            wgpu::DeviceType::DiscreteGpu => "discrete".into(),
            wgpu::DeviceType::IntegratedGpu => "integrated".into(),
            wgpu::DeviceType::VirtualGpu => "virtual".into(),
            wgpu::DeviceType::Other => "other".into(),
        },
        driver: format!("{} {}", info.driver, info.driver_info),
        pci_bus_id: info.device_pci_bus_id,
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        self_test: self_test.map_or_else(|e| e.to_string(), |()| "passed".into()),
    }
}

fn chosen(index: usize, info: &wgpu::AdapterInfo, selector: Option<&str>) -> bool {
    let software = info.device_type == wgpu::DeviceType::Cpu;
    match selector {
        None => !software,
        Some("software") => software,
        Some(s) => match s.parse::<usize>() {
            Ok(n) => n == index,
            Err(_) => {
                let wanted = s.to_lowercase();
                info.name.to_lowercase().contains(&wanted) || info.device_pci_bus_id.eq_ignore_ascii_case(s)
            }
        },
    }
}

pub(super) fn open(selector: Option<&str>) -> Result<GpuBackend> {
    let all = list();
    let Some((_, adapter)) = all.iter().enumerate().find(|(i, a)| chosen(*i, &a.get_info(), selector)) else {
        let names: Vec<_> = all.iter().enumerate().map(|(i, a)| format!("{i}: {}", a.get_info().name)).collect();
        return Err(Error::Device(format!(
            "no GPU was found; adapters: [{}]; on Linux the Vulkan driver is mesa-vulkan-drivers, or NVIDIA's own package",
            names.join(", ")
        )));
    };
    let mut backend = GpuBackend::new(adapter)?;
    self_test(&mut backend)?;
    Ok(backend)
}

/// Every pair of 130 rows (distinct tiles; cancelling and wide-ranging values) against f64.
fn self_test(backend: &mut GpuBackend) -> Result<()> {
    let (n, dim) = (130usize, 67usize);
    let mut state = 1u32;
    let mut unit = vec![0.0f32; n * dim];
    for (i, value) in unit.iter_mut().enumerate() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let scale = if i % 11 == 0 { 1e-3 } else { 0.2 };
        *value = ((state >> 8) as f32 / 8_388_608.0 - 1.0) * scale;
    }
    let block = Block { first: 0, unit: unit.clone(), half_bound: vec![0.0; n], query: vec![0; n], model: vec![0; n] };
    backend.load(Side::Rows, block.clone())?;
    backend.load(Side::Columns, block)?;
    let keep = vec![f32::NEG_INFINITY; n];
    let job =
        Job { rows: 0..n, columns: 0..n, keep_rows: keep.clone(), keep_columns: keep, histogram: HistogramMode::Off };
    let mut out = Stream::new(n * n);
    let end = backend.dispatch(&job, &mut out)?;
    backend.clear();
    if end != Dispatch::Done || out.survivors.len() != n * (n - 1) / 2 {
        return Err(Error::Device("self-test: pairs are missing".into()));
    }
    let gamma = backend.gamma(dim);
    let dot = |a: usize, b: usize| -> f64 {
        (0..dim).map(|k| f64::from(unit[a * dim + k]) * f64::from(unit[b * dim + k])).sum()
    };
    for s in &out.survivors {
        let (r, c) = (s.row as usize, s.column() as usize);
        if r >= c || c >= n {
            return Err(Error::Device("self-test: a pair that is none".into()));
        }
        let allowed = (gamma * (dot(r, r) * dot(c, c)).sqrt() / 4.0).max(1e-6);
        let error = (f64::from(s.coarse) - dot(r, c)).abs();
        if error.is_nan() || error > allowed {
            return Err(Error::Device("self-test: wrong similarity".into()));
        }
    }
    Ok(())
}
