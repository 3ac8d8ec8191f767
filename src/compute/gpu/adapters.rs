//! Adapters: list, choice, opening.

use super::backend::GpuBackend;
use super::kernel::Kernel;
use super::{AdapterReport, Request, ladder, memory};
use crate::base::{Error, Result};

pub(super) fn list() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

/// What `adapter` is; its kernels are tested and timed if `examine` says so.
pub(super) fn report(index: usize, adapter: &wgpu::Adapter, examine: bool) -> AdapterReport {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let mut rungs = if examine { ladder::climb(adapter, |_| true) } else { Vec::new() };
    ladder::choose(info.device_type == wgpu::DeviceType::Cpu, &mut rungs);
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
        memory_bytes: memory::device_bytes(adapter),
        subgroup: (info.subgroup_min_size, info.subgroup_max_size),
        matrices: (adapter.cooperative_matrix_properties().iter())
            .map(|m| {
                format!("{}x{}x{} {:?} to {:?}", m.m_size, m.n_size, m.k_size, m.ab_type, m.cr_type).to_lowercase()
            })
            .collect(),
        kernels: rungs.into_iter().map(|(_, rung)| rung).collect(),
    }
}

fn chosen(index: usize, info: &wgpu::AdapterInfo, selector: Option<&str>) -> bool {
    let software = info.device_type == wgpu::DeviceType::Cpu;
    match selector {
        None => !software,
        Some("software") => software,
        Some(s) => match s.parse::<usize>() {
            // Cards are known by their number, too: `4090` is a word of a name.
            Ok(n) => n == index || info.name.split_whitespace().any(|word| word == s),
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
    match selector {
        _ if all.is_empty() => Error::Device(
            "no GPU was found; on Linux its Vulkan driver must be installed: NVIDIA's own package, or mesa-vulkan-drivers for \
             AMD and Intel"
                .into(),
        ),
        None => Error::Device(format!(
            "no GPU was found, only software ({names}); `--device software` computes on it all the same"
        )),
        Some(selector) => {
            Error::Usage(format!("--device {selector}: no adapter is called that; there are {names}"))
        }
    }
}

/// Whether a kernel is of the family asked for, or the very one, and may be taken for that histogram.
fn allows(request: &Request, kernel: &Kernel) -> bool {
    let named = request.kernel.as_deref().is_none_or(|name| kernel.is(name));
    named && (!request.exact_histogram || *kernel == Kernel::F32)
}

/// The adapter that `request` names.
///
/// # Errors
/// [`Error::Usage`] with the adapters that there are if none has the name, [`Error::Device`] if there is none to name.
pub(super) fn find(request: &Request) -> Result<wgpu::Adapter> {
    let mut all = list();
    let selector = request.selector.as_deref();
    match all.iter().enumerate().position(|(i, a)| chosen(i, &a.get_info(), selector)) {
        Some(at) => Ok(all.swap_remove(at)),
        None => Err(none_fits(&all, selector)),
    }
}

pub(super) fn open(request: &Request) -> Result<(GpuBackend, String)> {
    let adapter = find(request)?;
    let family = match (&request.kernel, request.exact_histogram) {
        (Some(name), _) => name.as_str(),
        (None, true) => "f32",
        (None, false) => "any",
    };
    let wanted = |kernel: &Kernel| allows(request, kernel);
    ladder::open(&adapter, family, wanted, request.memory, request.cache.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_named_by_index_part_of_name_or_bus() {
        let mut info = wgpu::AdapterInfo::new(wgpu::DeviceType::DiscreteGpu, wgpu::Backend::Vulkan);
        info.name = "NVIDIA GeForce RTX 4090".into();
        info.device_pci_bus_id = "0000:0A:00.0".into();
        for selector in [None, Some("1"), Some("geforce"), Some("4090"), Some("0000:0a:00.0")] {
            assert!(chosen(1, &info, selector), "{selector:?}");
        }
        for selector in ["0", "4", "90", "409", "software", "radeon"] {
            assert!(!chosen(1, &info, Some(selector)), "{selector}");
        }
    }
}
