//! The uniform of the kernel.

/// Mirrors `Job` of shaders/similarity_f32.wgsl.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Params {
    pub row_start: u32,
    pub row_count: u32,
    pub column_start: u32,
    pub column_count: u32,
    pub first_row: u32,
    pub first_column: u32,
    pub d4: u32,
    pub capacity: u32,
    pub mode: u32,
    pub width: f32,
    pub pad: [u32; 2],
}
