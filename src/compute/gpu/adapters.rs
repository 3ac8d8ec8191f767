//! Adapters: list, choice, opening.

use super::AdapterReport;
use super::backend::{GpuBackend, Options};
use super::self_test::self_test;
use crate::base::{Error, Result};

pub(super) fn list() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

pub(super) fn report(index: usize, adapter: &wgpu::Adapter) -> AdapterReport {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let self_test = open_one(adapter, &Options::default());
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
        self_test: self_test.map_or_else(|e| e.to_string(), |_| "passed".into()),
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

/// Why there is no adapter, and what helps.
fn none_fits(all: &[wgpu::Adapter], selector: Option<&str>) -> Error {
    let names: Vec<String> = all.iter().enumerate().map(|(i, a)| format!("{i}: {}", a.get_info().name)).collect();
    let names = names.join(", ");
    Error::Device(match selector {
        _ if all.is_empty() => "no GPU was found; on Linux its Vulkan driver must be installed: NVIDIA's own package, \
                                or mesa-vulkan-drivers for AMD and Intel"
            .into(),
        None => format!("no GPU was found, only software ({names}); `--device software` computes on it all the same"),
        Some(selector) => format!("--device {selector}: no adapter is called that; there are {names}"),
    })
}

pub(super) fn open(selector: Option<&str>) -> Result<GpuBackend> {
    let all = list();
    let Some((_, adapter)) = all.iter().enumerate().find(|(i, a)| chosen(*i, &a.get_info(), selector)) else {
        return Err(none_fits(&all, selector));
    };
    open_one(adapter, &Options::default())
}

/// Opens `adapter` and tests it.
pub(super) fn open_one(adapter: &wgpu::Adapter, options: &Options) -> Result<GpuBackend> {
    let mut backend = GpuBackend::new(adapter, options)?;
    self_test(&mut backend)?;
    Ok(backend)
}
