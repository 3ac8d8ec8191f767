//! Code compiled for the widest instructions of this CPU, chosen at run time.

use pulp::{Arch, Simd, WithSimd};

struct Widest<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Widest<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

/// Runs `work` compiled for the widest instructions. `work` is a closure marked `#[inline(always)]`, and so is every
/// function it calls that is to be compiled so.
///
/// A closure given to [`Arch::dispatch`] itself is called through a shim that is not inlined, and then it is compiled
/// for the oldest CPU (found by `perf annotate`); through `FnMut` its body is called directly.
#[inline(always)]
pub fn widest<R>(arch: Arch, work: impl FnMut() -> R) -> R {
    arch.dispatch(Widest(work))
}
