//! Eight rows times the columns of some panels: the innermost product, one file per instruction set.
//!
//! Every kernel computes the same numbers: for row r and column c the sums of q_r q_c over slices of elements, exact in
//! the integer kernels, added as f32, then `(sum * scale_c) * scale_r`. Not here: what becomes of the similarities (`packed`).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;

use super::panels::{Line, PANEL};
use super::quantise::Precision;

/// A slice that holds any row whole.
#[cfg(target_arch = "x86_64")]
const WHOLE: usize = usize::MAX;

/// Rows of a strip: half a panel.
pub const ROWS: usize = PANEL / 2;

/// The operands of a strip.
#[derive(Debug, Clone, Copy)]
pub struct Strip<'a> {
    /// Lines of a panel.
    pub groups: usize,
    /// The panel of the rows.
    pub rows: &'a [Line],
    /// Its first row that is meant: 0 or [`ROWS`].
    pub first: usize,
    /// Scales of those rows.
    pub row_scale: &'a [f32; ROWS],
    /// Their corrections: kernels whose instruction takes one operand as unsigned add 128 to the columns' elements,
    /// and so 128 times the sum of the row's elements too much.
    pub correction: &'a [i32; ROWS],
    /// The panels of the columns, one after the other.
    pub columns: &'a [Line],
    /// Scales of the columns.
    pub column_scale: &'a [f32],
}

/// Multiplies a strip into `similarities`, [`ROWS`] rows of as many columns as there are.
///
/// # Safety
/// The CPU must have the instructions of the kernel ([`super::CpuKernel::is_available`]).
pub type Multiply = unsafe fn(&Strip<'_>, similarities: &mut [f32]);

/// A product kernel on packed rows.
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    /// Name for `--kernel`: precision and instruction set.
    pub name: &'static str,
    /// How its rows are stored.
    pub precision: Precision,
    /// Whether this CPU has the instructions.
    pub(super) available: fn() -> bool,
    /// The product.
    pub(super) multiply: Multiply,
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// All kernels on packed rows, the fastest of each precision first.
pub const KERNELS: &[Kernel] = &[
    #[cfg(target_arch = "x86_64")]
    Kernel { name: "int8-avx512", precision: Precision::Int8, available: avx512::has_vnni, multiply: avx512::int8 },
    #[cfg(target_arch = "x86_64")]
    Kernel { name: "int8-avxvnni", precision: Precision::Int8, available: avx2::has_vnni, multiply: avx2::int8_vnni },
    #[cfg(target_arch = "x86_64")]
    Kernel { name: "int8-avx2", precision: Precision::Int8, available: avx2::has_avx2, multiply: avx2::int8 },
    #[cfg(target_arch = "aarch64")]
    Kernel { name: "int8-neon", precision: Precision::Int8, available: neon::has_dot, multiply: neon::int8 },
    #[cfg(target_arch = "x86_64")]
    Kernel { name: "int16-avx512", precision: Precision::Int16, available: avx512::has_vnni, multiply: avx512::int16 },
    #[cfg(target_arch = "x86_64")]
    Kernel {
        name: "int16-avxvnni",
        precision: Precision::Int16,
        available: avx2::has_vnni,
        multiply: avx2::int16_vnni,
    },
    #[cfg(target_arch = "x86_64")]
    Kernel { name: "int16-avx2", precision: Precision::Int16, available: avx2::has_avx2, multiply: avx2::int16 },
    #[cfg(target_arch = "x86_64")]
    Kernel { name: "bf16-avx512", precision: Precision::Bf16, available: avx512::has_bf16, multiply: avx512::bf16 },
    #[cfg(target_arch = "x86_64")]
    Kernel { name: "f32-avx512", precision: Precision::F32, available: avx512::has_avx512, multiply: avx512::f32 },
    #[cfg(target_arch = "x86_64")]
    Kernel { name: "f32-avx2", precision: Precision::F32, available: avx2::has_fma, multiply: avx2::f32 },
];

/// Panels of columns in a strip, and whether all slices have the lengths that the kernels read and write.
fn panels(strip: &Strip<'_>, similarities: &[f32]) -> usize {
    let panels = strip.columns.len() / strip.groups.max(1);
    assert!(strip.rows.len() == strip.groups && strip.first + ROWS <= PANEL, "one panel of rows");
    assert!(strip.columns.len() == panels * strip.groups && strip.column_scale.len() == panels * PANEL, "whole panels");
    assert!(similarities.len() == ROWS * panels * PANEL, "a place for each pair");
    panels
}
