//! Lines of stages.parquet: some families at one stage and at a later one.

use super::super::packaging::named;
use super::super::tables::{LeftOut, Matched, Paired, StageRow};
use super::Training;
use super::values::{Value, Values};
use crate::base::Result;

impl Training<'_> {
    /// Means of the values at two stages, and the interval of their difference.
    fn paired(&self, values: &[Value]) -> Option<Paired> {
        let mean = |stage: usize| values.iter().map(|value| value.at[stage]).sum::<f64>() / values.len() as f64;
        let (_, ci) = self.means.of(values, |at| at[1] - at[0])?;
        Some(Paired { queries: values.len() as u64, a: mean(0), b: mean(1), ci_a: None, ci_b: None, ci })
    }

    /// The same with intervals of either stage.
    fn levels(&self, values: &[Value]) -> Option<Paired> {
        let interval = |stage: usize| self.means.of(values, |at| at[stage])?.1;
        self.paired(values).map(|paired| Paired { ci_a: interval(0), ci_b: interval(1), ..paired })
    }

    /// One stage with a later one: of each arm, and of all together first; `skip` are families.
    pub(super) fn step(&self, stages: [u32; 2], skip: &[bool]) -> Result<Vec<StageRow>> {
        let groups = self.groups.iter().map(|group| self.values(group, &stages, skip, true));
        let groups: Vec<Values> = groups.collect::<Result<_>>()?;
        if let [alone] = groups.as_slice() {
            return Ok(vec![self.row(None, stages, alone)]);
        }
        let mut rows = vec![self.row(None, stages, &Values::together(&groups))];
        rows.extend(self.groups.iter().zip(&groups).map(|(group, values)| self.row(group.arm.clone(), stages, values)));
        Ok(rows)
    }

    fn row(&self, arm: Option<String>, stages: [u32; 2], values: &Values) -> StageRow {
        let floor = |at: usize| values.floors.get(at).filter(|floor| floor.1 > 0.5).map(|floor| floor.0 / floor.1);
        let kept = |at: usize| values.kept[at].0 as f64 / values.kept[at].1 as f64;
        let matched = self.paired(&values.matched).zip(self.paired(&values.unmatched));
        let of_frequency = self.paired(&values.frequency);
        StageRow {
            arm,
            stage_a: self.names.name(stages[0]).to_owned(),
            stage_b: self.names.name(stages[1]).to_owned(),
            families: self.named(&values.families),
            inter: self.levels(&values.inter),
            floor_a: floor(0),
            floor_b: floor(1),
            matched: matched.map(|(matched, unmatched)| Matched {
                kept_a: kept(0),
                kept_b: kept(1),
                matched,
                unmatched,
            }),
            intra: self.paired(&values.intra),
            distinct: self.paired(&values.distinct),
            evenness: self.paired(&values.evenness),
            frequency: of_frequency.map(|paired| Paired { ci: None, ..paired }),
            tail_threshold: values.tail_threshold,
            tail: self.paired(&values.tail),
            coverage: self.paired(&values.coverage),
        }
    }
}

/// Whether a line has nothing to say.
pub(super) fn none(row: &StageRow) -> bool {
    row.inter.is_none() && row.intra.is_none()
}

/// Says of some comparisons what they lack; `all` is how many there are.
fn lacking(measure: &str, of: &[&StageRow], all: usize, reason: &str) -> Option<LeftOut> {
    let steps: Vec<String> = of.iter().map(|row| format!("{} to {}", row.stage_a, row.stage_b)).collect();
    let measure = if steps.len() < all { format!("{measure}, {}", named(&steps)) } else { measure.to_owned() };
    (!steps.is_empty()).then(|| LeftOut { measure, reason: reason.into() })
}

/// What the comparisons lack; `first` is the first stage, `texts` whether there are any.
pub(super) fn left_out(rows: &[&StageRow], first: &str, texts: bool) -> Vec<LeftOut> {
    let lack = |measure: &str, of: &dyn Fn(&StageRow) -> bool, reason: &str| {
        let found: Vec<&StageRow> = rows.iter().copied().filter(|row| of(row)).collect();
        lacking(measure, &found, rows.len(), reason)
    };
    let of_length = if texts { "no query has pairs of like length at both stages" } else { "no text column" };
    let one = "one response per family, query and stage; needs at least 2";
    [
        lack(
            "Similarity of families by stage",
            &|row| row.inter.is_none(),
            "fewer than 2 families answered a query at both stages",
        ),
        lack(
            "Similarity of families by stage, matched for length",
            &|row| row.inter.is_some() && row.matched.is_none(),
            of_length,
        ),
        lack("Similarity of one family’s own answers by stage", &|row| row.intra.is_none(), one),
        lack("Distinct meanings and evenness by stage", &|row| row.intra.is_none(), one),
        lack(
            "Distinct meanings and evenness by stage",
            &|row| row.intra.is_some() && row.distinct.is_none(),
            "no clusters of meanings to count",
        ),
        lack(
            "Slope of the frequencies of meanings by stage",
            &|row| row.distinct.is_some() && row.frequency.is_none(),
            "no family has 3 meanings of a query at both stages",
        ),
        lack(
            "Tails by stage",
            &|row| row.stage_a == first && row.tail.is_none(),
            "no family has 5 responses to a query at the first stage",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
