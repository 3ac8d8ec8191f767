//! Which product the CPU uses: the `gemm` crate's everywhere, or one of the kernels on packed rows where the CPU has its
//! instructions.

use super::quantise::Precision;
use super::strip::{KERNELS, Kernel};
use crate::base::{Error, Result};

/// A product of the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum CpuKernel {
    /// f32, by the `gemm` crate, on any CPU.
    #[default]
    Gemm,
    /// Quantised rows; what they let through is looked at again in f32.
    Packed(Kernel),
}

impl CpuKernel {
    /// Every product that this CPU has, the `gemm` crate's last.
    pub fn available() -> Vec<Self> {
        let packed = KERNELS.iter().map(|&kernel| Self::Packed(kernel)).filter(Self::is_available);
        packed.chain([Self::Gemm]).collect()
    }

    /// Whether this CPU has its instructions.
    pub fn is_available(&self) -> bool {
        match self {
            Self::Gemm => true,
            Self::Packed(kernel) => (kernel.available)(),
        }
    }

    /// The fastest for a graph, or for a graph with a `histogram`.
    ///
    /// int8 multiplies twice as fast as int16, but its bound is wider than a bin, so a histogram takes int16. bf16 is as
    /// fast as int16 with a bound thirty times as wide (d = 384): it is there for comparison.
    pub fn choose(histogram: bool) -> Self {
        let fast = |name: &str| Self::available().into_iter().find(|kernel| kernel.name() == name);
        let graph = ["int8-avx512", "int8-avxvnni", "int16-avx2", "int8-neon"];
        let bins = ["int16-avx512", "int16-avxvnni", "int16-avx2", "f32-avx2"];
        let order = if histogram { &bins[..] } else { &graph[..] };
        order.iter().find_map(|name| fast(name)).unwrap_or_default()
    }

    /// The product called `name`: a precision (its fastest kernel on this CPU) or a kernel.
    ///
    /// # Errors
    /// [`Error::Usage`] with the names there are.
    pub fn named(name: &str) -> Result<Self> {
        let available = Self::available();
        let wanted = |kernel: &&Self| kernel.name() == name || kernel.name().split('-').next() == Some(name);
        available.iter().find(wanted).copied().ok_or_else(|| {
            let names: Vec<_> = available.iter().map(Self::name).collect();
            Error::Usage(format!("--kernel {name}: this CPU has {}", names.join(", ")))
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gemm => "f32-gemm",
            Self::Packed(kernel) => kernel.name,
        }
    }

    /// Whether its bound is about as wide as a bin of the histogram.
    pub fn is_coarse(&self) -> bool {
        matches!(self.precision(), Some(Precision::Int8 | Precision::Bf16))
    }

    /// How its rows are stored; `None`: as f32.
    pub fn precision(&self) -> Option<Precision> {
        match self {
            Self::Gemm => None,
            Self::Packed(kernel) => Some(kernel.precision),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_there_and_gemm_where_nothing_else_is() {
        let available = CpuKernel::available();
        for histogram in [false, true] {
            let chosen = CpuKernel::choose(histogram);
            assert!(available.contains(&chosen) && CpuKernel::named(chosen.name()).is_ok_and(|named| named == chosen));
            assert!(!histogram || !chosen.is_coarse(), "{}", chosen.name());
        }
        let int8 = available.iter().any(|kernel| kernel.precision() == Some(Precision::Int8));
        assert_eq!(CpuKernel::choose(false) == CpuKernel::Gemm, !int8, "a graph");
        assert_eq!(CpuKernel::named("int8").is_ok(), int8);
    }
}
