//! How a pass shares out its memory.
//!
//! Every part has a least size with which the pass works, a comfortable one, and a most beyond which more brings
//! nothing. One number `t` decides how far they have grown when the budget is used up: from 0 to 1 blocks and stream
//! become comfortable, since small ones cost the most time; from 1 to 2 the lists; from 2 to 3 all grow to the most.
//! Results do not depend on it.

use super::lists::Rule;
use super::settings::PairSettings;
use super::{redo, seed};
use crate::base::units::show_count;
use crate::base::{Error, Result};
use crate::compute::Backend;
use crate::compute::outcome::{Edge, Nearest};
use crate::compute::tile::Survivor;

/// Sizes of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Rows of the block that is held over a sweep.
    pub rows: usize,
    /// Rows of the block that changes from dispatch to dispatch.
    pub columns: usize,
    /// Slots of a row's list.
    pub slots: usize,
    /// Candidates of long lists, for each row.
    pub long: usize,
    /// Survivors of a dispatch.
    pub stream: usize,
    /// Edges held before they are spilled.
    pub edges: usize,
    /// Rows around a row that one thread seeds it with.
    pub seed: usize,
    /// Rows of the two blocks by which overflowed rows are redone.
    pub redo: usize,
}

/// What the sizes depend on.
struct Need<'a> {
    n: u64,
    dim: u64,
    k: u64,
    threads: u64,
    settings: &'a PairSettings,
    backend: &'a dyn Backend,
}

/// The k that N rows allow.
pub fn neighbors(settings: &PairSettings, n: usize) -> usize {
    settings.k.clamp(1, n.max(2) - 1)
}

impl Budget {
    /// The most that fits into `settings.memory`.
    ///
    /// # Errors
    /// [`Error::Run`] if not even the least does, with the least `--memory` that would.
    pub fn new(n: usize, dim: usize, settings: &PairSettings, backend: &dyn Backend) -> Result<Self> {
        let need = Need::new(n, dim, settings, backend);
        let least = need.bytes(&need.parts(0.0));
        if least > settings.memory {
            return Err(Error::Run(format!(
                "{} rows of dimension {dim} with {} neighbours each on {} threads need --memory {}MiB or more",
                show_count(need.n),
                need.k,
                need.threads,
                (least + settings.held).div_ceil(1 << 20)
            )));
        }
        let (mut fits, mut over) = (0.0, 3.0);
        if need.bytes(&need.parts(over)) <= settings.memory {
            fits = over;
        }
        while over - fits > 1e-3 {
            let middle = 0.5 * (fits + over);
            if need.bytes(&need.parts(middle)) <= settings.memory { fits = middle } else { over = middle }
        }
        Ok(need.parts(fits))
    }

    /// The least memory with which a pass works, in bytes.
    #[cfg(test)]
    pub fn least(n: usize, dim: usize, settings: &PairSettings, backend: &dyn Backend) -> u64 {
        let need = Need::new(n, dim, settings, backend);
        need.bytes(&need.parts(0.0))
    }

    /// What every list shares.
    pub fn rule(&self, settings: &PairSettings, n: usize) -> Rule {
        Rule { k: neighbors(settings, n), capacity: capacity(settings, n), slots: self.slots, long: self.long }
    }
}

fn capacity(settings: &PairSettings, n: usize) -> usize {
    settings.list_capacity.unwrap_or(8 * neighbors(settings, n) + 256)
}

impl<'a> Need<'a> {
    fn new(n: usize, dim: usize, settings: &'a PairSettings, backend: &'a dyn Backend) -> Self {
        let (k, threads) = (neighbors(settings, n) as u64, rayon::current_num_threads() as u64);
        Self { n: n as u64, dim: dim as u64, k, threads, settings, backend }
    }

    /// The parts at `t`, between 0 and 3.
    fn parts(&self, t: f64) -> Budget {
        let between = |from: f64, [least, comfortable, most]: [usize; 3]| {
            let comfortable = comfortable.max(least);
            let first = (comfortable - least) as f64 * (t - from).clamp(0.0, 1.0);
            let then = most.saturating_sub(comfortable) as f64 * (t - 2.0).clamp(0.0, 1.0);
            least + first as usize + then as usize
        };
        let early = |sizes| between(0.0, sizes);
        let late = |sizes| between(1.0, sizes);
        let (n, k, settings) = (self.n as usize, self.k as usize, self.settings);
        let block = self.backend.block_rows(self.dim as usize).min(n.max(64));
        // Whole tiles of the CPU where there are some.
        let whole = |rows: usize| if rows >= n { n } else { rows - rows % if rows >= 512 { 512 } else { 64 } };
        let block_rows = |comfortable: usize| {
            settings.block_rows.unwrap_or_else(|| whole(early([64, comfortable.min(block), block]))).clamp(1, n.max(1))
        };
        let pairs = (n * n / 2).max(1);
        let mut parts = Budget {
            rows: block_rows(2048),
            columns: block_rows(512),
            slots: late([k + k / 8 + 8, 2 * k + 32, 2 * k + 32]),
            long: late([0, 8, capacity(settings, n)]),
            stream: settings.stream_capacity.unwrap_or_else(|| early([1 << 14, 1 << 18, 1 << 22])).clamp(1, pairs),
            edges: settings.threshold.map_or(0, |_| early([1 << 14, 1 << 18, 1 << 24]).min(pairs)),
            seed: 0,
            redo: early([64, 512, 2048]).clamp(1, n.max(1)),
        };
        // Seeding comes before the blocks and has at least their memory, which is little where they are on a device.
        let each = self.block_bytes(&parts) / self.threads / seed::row_bytes(self.dim);
        parts.seed = early([16, seed::most(k), seed::most(k)]).max(each as usize).clamp(16, seed::most(k));
        parts
    }

    /// The two blocks with what belongs to their rows; one if they are all rows.
    fn block_bytes(&self, parts: &Budget) -> u64 {
        let both = if parts.rows.min(parts.columns) as u64 >= self.n { parts.rows } else { parts.rows + parts.columns };
        both as u64 * (self.backend.row_bytes(self.dim as usize) + 16)
    }

    /// Anonymous memory at the fullest moment.
    fn bytes(&self, parts: &Budget) -> u64 {
        let (n, k) = (self.n, self.k);
        let edges = (parts.edges * size_of::<Edge>()) as u64;
        // Half bound, representative, component; L and length of the list.
        let rows = n * (4 + 4 + 4) + edges;
        let lists = n * (8 * (parts.slots + parts.long) as u64 + 6);
        let blocks = self.block_bytes(parts);
        // The driver holds the survivors of a dispatch once, the backend those of every dispatch under way.
        let copies = 1 + self.backend.in_flight();
        let stream = (copies * parts.stream * size_of::<Survivor>()) as u64;
        let backend = self.backend.working_bytes(parts.rows, parts.columns);
        let sweep = rows + lists + blocks + stream + backend;
        let seeding = rows + lists + self.threads * parts.seed as u64 * seed::row_bytes(self.dim);
        let nearest = n * size_of::<Nearest>() as u64;
        let redo =
            parts.redo as u64 * (8 * self.dim + 16 * (k + 1) + 256) + self.threads * redo::strip_bytes(parts.redo);
        let rank = rows + lists + nearest + redo;
        // Ranked rows by position, and the same by row.
        let graph = rows + n * (8 * (k + 1) + 2) + nearest + n * (8 * k + 8);
        sweep.max(seeding).max(rank).max(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::cpu::CpuBackend;
    use crate::compute::{BackendInfo, Block, Dispatch, Job, Side, Stream};
    use std::sync::Arc;

    #[test]
    fn parts_grow_with_the_memory_and_stay_within_it() {
        let (n, dim, backend) = (43_000, 1536, CpuBackend::default());
        let mut before = None;
        for mebibytes in [30, 40, 48, 64, 100, 1000, 10_000] {
            let settings = PairSettings { memory: mebibytes << 20, threshold: Some(0.5), ..PairSettings::default() };
            let budget = Budget::new(n, dim, &settings, &backend).expect("enough memory");
            let bytes = Need::new(n, dim, &settings, &backend).bytes(&budget);
            assert!(bytes <= settings.memory, "{bytes} at {mebibytes} MiB");
            assert!(
                bytes as f64 >= 0.8 * settings.memory as f64 || budget.rows == backend.block_rows(dim).min(n),
                "{budget:?} wastes memory"
            );
            let parts = [budget.rows, budget.columns, budget.slots, budget.long, budget.stream, budget.edges];
            if let Some(before) = before.replace(parts) {
                assert!(before.iter().zip(&parts).all(|(a, b)| a <= b), "{before:?} then {parts:?}");
            }
        }
    }

    /// Blocks that are on a device take no memory of the host: seeding must not be left with as little.
    #[test]
    fn seeding_does_not_depend_on_where_blocks_are() {
        struct OnDevice(CpuBackend);
        impl Backend for OnDevice {
            fn info(&self) -> BackendInfo {
                self.0.info()
            }
            fn gamma(&self, dim: usize) -> f64 {
                self.0.gamma(dim)
            }
            fn block_rows(&self, _dim: usize) -> usize {
                61_440
            }
            fn dispatch_rows(&self, _dim: usize) -> usize {
                61_440
            }
            fn row_bytes(&self, _dim: usize) -> u64 {
                16
            }
            fn load(&mut self, _side: Side, _block: Arc<Block>) -> Result<()> {
                Ok(())
            }
            fn submit(&mut self, _job: Job, _capacity: usize) -> Result<()> {
                Ok(())
            }
            fn collect(&mut self, _out: &mut Stream) -> Result<Dispatch> {
                Ok(Dispatch::Done)
            }
        }
        let settings = PairSettings { k: 32, memory: 8 << 30, ..PairSettings::default() };
        let on_device = Budget::new(125_000, 1536, &settings, &OnDevice(CpuBackend::default())).expect("enough memory");
        assert_eq!((on_device.seed, on_device.rows), (seed::most(32), 61_440));
    }

    #[test]
    fn too_little_memory_names_the_least_that_would_do() {
        let backend = CpuBackend::default();
        let mut settings = PairSettings { k: 256, memory: 1 << 20, held: 5 << 20, ..PairSettings::default() };
        let error = Budget::new(43_000, 1536, &settings, &backend).expect_err("1 MiB is too little");
        assert_eq!(error.exit_code(), 1);
        let message = error.to_string();
        let named = message.split("--memory ").nth(1).and_then(|rest| rest.split("MiB").next()).expect("a size");
        settings.memory = (named.parse::<u64>().expect("a number") << 20) - settings.held;
        Budget::new(43_000, 1536, &settings, &backend).expect("the size that was named is enough");
        settings.memory -= 1 << 20;
        Budget::new(43_000, 1536, &settings, &backend).expect_err("and it was the least");
    }
}
