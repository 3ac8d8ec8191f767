//! How much memory an adapter has. wgpu does not say; on Vulkan its driver does.

/// VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.
#[cfg(any(target_os = "linux", target_os = "windows", target_os = "android"))]
const DEVICE_LOCAL: u32 = 1;

/// Bytes of the largest heap that is the device's own, if anybody knows.
#[cfg(any(target_os = "linux", target_os = "windows", target_os = "android"))]
pub(super) fn device_bytes(adapter: &wgpu::Adapter) -> Option<u64> {
    if adapter.get_info().backend != wgpu::Backend::Vulkan {
        return None;
    }
    // SAFETY: what is asked of the driver are constants of the physical device, which lives as long as `adapter`.
    let properties = unsafe {
        let vulkan = adapter.as_hal::<wgpu::hal::api::Vulkan>()?;
        vulkan.shared_instance().raw_instance().get_physical_device_memory_properties(vulkan.raw_physical_device())
    };
    let heaps = &properties.memory_heaps[..properties.memory_heap_count as usize];
    heaps.iter().filter(|heap| heap.flags.as_raw() & DEVICE_LOCAL != 0).map(|heap| heap.size).max()
}

/// Metal has one memory for everything.
#[cfg(not(any(target_os = "linux", target_os = "windows", target_os = "android")))]
pub(super) fn device_bytes(_adapter: &wgpu::Adapter) -> Option<u64> {
    None
}
