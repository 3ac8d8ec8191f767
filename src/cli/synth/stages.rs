//! Training stages and arms of a planted corpus.

use super::{Planted, Variation};

/// Names of stages that are not numbered.
const STAGES: [&str; 2] = ["sft", "rl"];
/// Names of the arms; what is planted changes in the first alone.
const ARMS: [&str; 2] = ["none", "critic"];

/// Which stages and arms there are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Design {
    /// So many numbered stages; `None` for sft and rl.
    pub iterations: Option<usize>,
    /// Whether there are two arms.
    pub arms: bool,
}

impl Design {
    /// Stages of an arm.
    pub fn stages(self) -> usize {
        self.iterations.unwrap_or(STAGES.len())
    }

    /// Stages of all arms: those of the first, then those of the second.
    pub fn variants(self) -> usize {
        self.stages() * if self.arms { ARMS.len() } else { 1 }
    }

    /// Name of a stage.
    pub fn name(self, variant: usize) -> String {
        let stage = variant % self.stages();
        if self.iterations.is_some() { (stage + 1).to_string() } else { STAGES[stage].to_owned() }
    }

    /// Name of the arm.
    pub fn arm(self, variant: usize) -> Option<&'static str> {
        self.arms.then(|| ARMS[variant / self.stages()])
    }

    /// How often what is planted has changed: once a stage after the first, never in the second arm.
    pub fn changes(self, variant: usize) -> usize {
        if variant < self.stages() { variant } else { 0 }
    }
}

impl Planted {
    /// Stages and arms, if there are any.
    pub(super) fn design(&self) -> Option<Design> {
        match self.variation {
            Variation::Stages { design, .. } | Variation::Dropped { design, .. } => Some(design),
            _ => None,
        }
    }

    /// With stages, the true changes from each to the next in the first arm: of the similarity across models and of the
    /// distinct meanings of a model. They are slopes too; less those of the second arm they stay what they are, negated.
    pub(super) fn per_stage(&self) -> Option<(f64, f64)> {
        match self.variation {
            Variation::Stages { rise, .. } => Some((rise, 0.0)),
            Variation::Dropped { dropped, .. } => Some((0.0, -(dropped as f64))),
            _ => None,
        }
    }
}
