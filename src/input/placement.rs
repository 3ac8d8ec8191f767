//! Where the vector of each input row goes, and the check that every path of reading shares.

use crate::base::similarity::Similarity;
use crate::corpus::embeddings::Filling;

/// Place of a row that is left out.
pub const NOWHERE: u32 = u32::MAX;

/// Takes rows from several threads.
pub struct Placement<'a> {
    /// Dimension of the corpus.
    pub dim: usize,
    /// Position of each input row; [`NOWHERE`] for those left out.
    slots: &'a [u32],
    /// Where the values go; without it rows are checked and forgotten.
    filling: Option<Filling<'a>>,
    similarity: Similarity,
}

impl<'a> Placement<'a> {
    /// Puts input row i at `slots[i]`.
    pub fn new(dim: usize, slots: &'a [u32], filling: Filling<'a>) -> Self {
        Self { dim, slots, filling: Some(filling), similarity: Similarity::new() }
    }

    /// Checks only.
    pub fn check_only(dim: usize) -> Self {
        Self { dim, slots: &[], filling: None, similarity: Similarity::new() }
    }

    /// Takes input row `row`, whose `dim` values `write` writes; it returns their norm. `None` if it could not, else
    /// whether the row can be used: finite (the f64 norm of finite f32 values is finite) and not zero (their squares
    /// don't vanish in f64).
    #[inline]
    pub fn put(
        &self,
        row: usize,
        spare: &mut Vec<f32>,
        write: impl FnOnce(&mut [f32], &Similarity) -> Option<f64>,
    ) -> Option<bool> {
        let mut norm = None;
        let fill = |out: &mut [f32]| {
            norm = write(out, &self.similarity);
            norm.unwrap_or(0.0)
        };
        match (&self.filling, self.slots.get(row)) {
            (Some(filling), Some(&slot)) if slot != NOWHERE => filling.row(slot as usize, fill),
            _ => {
                spare.resize(self.dim, 0.0);
                fill(spare);
            }
        }
        norm.map(|norm| norm.is_finite() && norm > 0.0)
    }

    /// Whether every position has got its row.
    pub fn complete(&self) -> bool {
        self.filling.as_ref().is_none_or(Filling::complete)
    }
}
