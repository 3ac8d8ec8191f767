//! A number of a table or figure, rounded as the paper prints it, beside the published one.

use crate::measure::tables::Interval;
use serde::Serialize;

/// One number beside the published one. Similarities of the parts `table_6` to `inter` are percent, as printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Table or figure.
    pub part: &'static str,
    /// Model of the dump; of a scorer in the parts on ratings. `None` for an average.
    pub name: Option<String>,
    /// Second model, bin, N or what the part compares.
    pub other: Option<String>,
    /// Here.
    pub value: f64,
    /// 95 % interval over queries, of averages.
    pub interval: Option<Interval>,
    /// In the paper.
    pub published: Option<f64>,
    /// `value` with the decimals that the paper prints.
    pub rounded: f64,
    /// Queries, models, answers or items it is of.
    pub n: u64,
}

impl Line {
    /// Of a part, a name and what else there is; the paper prints `value` with so many decimals.
    pub fn new(part: &'static str, name: Option<&str>, other: Option<&str>, (value, decimals): (f64, usize)) -> Self {
        Self {
            part,
            name: name.map(str::to_owned),
            other: other.map(str::to_owned),
            value,
            interval: None,
            published: None,
            // Half to even on the exact decimal value, as Python prints.
            rounded: format!("{value:.decimals$}").parse().unwrap_or(value),
            n: 0,
        }
    }

    /// Beside a published number.
    pub fn published(self, published: Option<f64>) -> Self {
        Self { published, ..self }
    }

    /// Of n queries, models, answers or items.
    pub fn of(self, n: usize) -> Self {
        Self { n: n as u64, ..self }
    }

    /// `value` - `published`.
    pub fn difference(&self) -> Option<f64> {
        self.published.map(|published| self.value - published)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_as_the_paper_prints() {
        let rounded = |value, decimals| Line::new("x", None, None, (value, decimals)).rounded;
        assert_eq!((rounded(0.125, 2), rounded(2.5, 0), rounded(88.249, 1)), (0.12, 2.0, 88.2));
    }
}
