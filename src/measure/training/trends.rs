//! Lines of trends.parquet: what becomes of a quantity over stages in one arm less what becomes of it in the reference arm
//! (difference in differences), and slopes over three stages and more, of an arm by itself and less the reference's.
//!
//! Both are the same weighted sum over stages for every query, so that queries are paired; where a family is in both arms,
//! it is paired with itself.

use super::super::packaging::named;
use super::super::tables::{Course, Estimated, LeftOut, Quantity, TrendRow};
use super::values::{Families, Value, Values, families_at};
use super::{Group, Training, slope};
use crate::base::Result;

/// A weighted sum over stages.
struct Contrast<'a> {
    course: Course,
    stages: &'a [u32],
    weights: &'a [f64],
}

/// The same queries of two arms, and where a family is in both, only such families; says whether it is so.
fn paired<'a>(a: &[Families<'a>], b: &[Families<'a>]) -> ([Vec<Families<'a>>; 2], bool) {
    let keys = |of: &[Families<'a>]| -> Vec<(usize, u32)> {
        of.iter().flatten().map(|cells| (cells[0].query, cells[0].family)).collect()
    };
    let keys = [keys(a), keys(b)];
    let families = keys[0].iter().any(|key| keys[1].binary_search(key).is_ok());
    let kept = |of: &[Families<'a>], other: &[(usize, u32)]| -> Vec<Families<'a>> {
        let known = |cells: &&Vec<&'a super::Cell>| {
            let key = (cells[0].query, cells[0].family);
            let place = other.partition_point(|one| *one < if families { key } else { (key.0, 0) });
            other.get(place).is_some_and(|one| if families { *one == key } else { one.0 == key.0 })
        };
        (of.iter())
            .map(|families| families.iter().filter(known).cloned().collect::<Families<'a>>())
            .filter(|families| !families.is_empty())
            .collect()
    };
    ([kept(a, &keys[1]), kept(b, &keys[0])], families)
}

/// The values of the queries that both have, one beside the other.
fn beside(arm: &[Value], reference: &[Value]) -> Vec<Value> {
    let of = |value: &Value| {
        let place = reference.binary_search_by_key(&value.query, |other| other.query).ok()?;
        Some(Value { query: value.query, at: [value.at.as_slice(), &reference[place].at].concat() })
    };
    arm.iter().filter_map(of).collect()
}

impl Training<'_> {
    /// The contrast of every quantity, of the values of an arm; beside `reference`, less that of the reference.
    fn lines(
        &self,
        contrast: &Contrast<'_>,
        arm: &Group<'_>,
        values: &Values,
        against: Option<(&Group<'_>, &Values, bool)>,
    ) -> Vec<TrendRow> {
        let n = contrast.stages.len();
        let name = |place: usize| self.names.name(contrast.stages[place]).to_owned();
        let sum = |at: &[f64]| slope::weighted(contrast.weights, at);
        let estimated = |of: &[Value], number: &dyn Fn(&[f64]) -> f64| {
            self.means.of(of, number).map(|(value, ci)| Estimated { value, ci })
        };
        let line = |quantity: Quantity| {
            let own = values.of(quantity);
            let (queries, difference, parts) = match against {
                None => (own.len(), estimated(own, &sum)?, None),
                Some((_, reference, _)) => {
                    let both = beside(own, reference.of(quantity));
                    let parts = (estimated(&both, &|at| sum(&at[..n]))?, estimated(&both, &|at| sum(&at[n..]))?);
                    (both.len(), estimated(&both, &|at| sum(&at[..n]) - sum(&at[n..]))?, Some(parts))
                }
            };
            let mut families = values.families.clone();
            families.extend(against.iter().flat_map(|against| &against.1.families));
            families.sort_unstable();
            families.dedup();
            Some(TrendRow {
                course: contrast.course,
                quantity,
                arm: arm.arm.clone(),
                reference: against.and_then(|against| against.0.arm.clone()),
                stage_a: name(0),
                stage_b: name(n - 1),
                stages: n as u32,
                families: self.named(&families),
                paired: against.map(|against| against.2),
                queries: queries as u64,
                difference,
                parts,
            })
        };
        Quantity::ALL.into_iter().filter_map(line).collect()
    }

    /// Of each arm but the reference, less the reference.
    fn between_arms(&self, contrast: &Contrast<'_>, skip: &[bool]) -> Result<Vec<TrendRow>> {
        let mut rows = Vec::new();
        for arm in self.groups.iter().skip(1) {
            let reference = &self.groups[0];
            let found = [arm, reference].map(|group| families_at(&group.variants, contrast.stages, skip));
            let (found, families) = paired(&found[0], &found[1]);
            let of = |group: &Group<'_>, found: &[Families<'_>]| {
                self.pass.values(&group.variants, contrast.stages, found, false)
            };
            let (values, others) = (of(arm, &found[0])?, of(reference, &found[1])?);
            rows.extend(self.lines(contrast, arm, &values, Some((reference, &others, families))));
        }
        Ok(rows)
    }

    /// A change between two stages in each arm, less that in the reference.
    pub(super) fn changes(&self, stages: [u32; 2], skip: &[bool]) -> Result<Vec<TrendRow>> {
        self.between_arms(&Contrast { course: Course::Change, stages: &stages, weights: &[-1.0, 1.0] }, skip)
    }

    /// Slopes over all stages, `None` with fewer than 3 different ones.
    pub(super) fn slopes(&self, order: &[(u32, f64)], skip: &[bool]) -> Result<Option<Vec<TrendRow>>> {
        let (stages, at): (Vec<u32>, Vec<f64>) = order.iter().copied().unzip();
        let Some(weights) = slope::weights(&at) else { return Ok(None) };
        let contrast = Contrast { course: Course::Slope, stages: &stages, weights: &weights };
        let mut rows = Vec::new();
        for group in &self.groups {
            rows.extend(self.lines(&contrast, group, &self.values(group, &stages, skip, false)?, None));
        }
        rows.extend(self.between_arms(&contrast, skip)?);
        Ok(Some(rows))
    }
}

/// Why a quantity has no value at some stages.
fn reason(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Inter => "fewer than 2 families answered a query at all of the stages compared",
        Quantity::Intra => "no family has 2 responses to a query at all of the stages compared",
        Quantity::Distinct | Quantity::Evenness => {
            "no family has 2 responses with a meaning to a query at all of the stages compared"
        }
        Quantity::Tail => "no family has 5 responses to a query at the first stage",
        Quantity::Coverage => {
            "no family has 5 responses with a meaning to a query at the first stage, and half as many at the later ones"
        }
    }
}

/// Names the quantities that have no line among `rows`, by reason.
pub(super) fn left_out(measure: &str, rows: &[TrendRow]) -> Vec<LeftOut> {
    let missing: Vec<Quantity> =
        Quantity::ALL.into_iter().filter(|quantity| rows.iter().all(|row| row.quantity != *quantity)).collect();
    (missing.chunk_by(|a, b| reason(*a) == reason(*b)))
        .map(|same| {
            let names: Vec<String> = same.iter().map(|quantity| quantity.name().to_owned()).collect();
            LeftOut { measure: format!("{measure}: {}", named(&names)), reason: reason(same[0]).into() }
        })
        .collect()
}
