//! Training stages (MEASURES section D): how alike different families are at one stage and at a later one, the same
//! families on the same queries; how alike each is to itself, how many meanings it has, what becomes of its tail.
//! stages.parquet. The same between arms, such as with and without a critic, and over many stages: trends.parquet.
//!
//! Each stage is compared with the one before it and with the first, families within one arm. A comparison before and
//! after is not causal.

mod arms;
#[cfg(test)]
mod coverage;
mod headlines;
mod order;
mod slope;
mod stages;
mod tails;
mod trends;
mod values;

pub use order::ordered;

use super::intervals::Weights;
use super::packaging::named;
use super::tables::{Headline, LeftOut, Meanings, ModelRow, StageRow, TrendRow};
use super::variants::{Cell, Variants};
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Dictionary, Role};
use arms::Arms;
use values::{Means, Pass, Values, families_at};

/// Comparisons, and arms, that are all headlines; of more comparisons only the first stage with the last, of more arms the
/// first of them.
const HEADLINES: usize = 3;

/// What the corpus says about its stages.
#[derive(Debug, Default)]
pub struct Trained {
    /// stages.parquet.
    pub rows: Vec<StageRow>,
    /// trends.parquet.
    pub trends: Vec<TrendRow>,
    /// Of the comparisons that could be made.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// The cells of one arm, or all without arms.
struct Group<'a> {
    arm: Option<String>,
    variants: Variants<'a>,
}

/// What stays fixed while stages are compared.
struct Training<'a> {
    /// By arm, the reference first.
    groups: Vec<Group<'a>>,
    /// Names of the stages.
    names: &'a Dictionary,
    pass: Pass<'a>,
    means: Means<'a>,
}

impl<'a> Training<'a> {
    /// The values of one arm's families that have all of some stages, but those to skip.
    fn values(&self, group: &Group<'_>, stages: &[u32], skip: &[bool], lengths: bool) -> Result<Values> {
        let found = families_at(&group.variants, stages, skip);
        self.pass.values(&group.variants, stages, &found, lengths)
    }

    /// Whether the family of a name is among `some`.
    fn is(&self, name: &str, some: &[bool]) -> bool {
        let id = self.groups[0].variants.families.id(name);
        id.and_then(|id| some.get(id as usize)).copied().unwrap_or(false)
    }

    /// Names of some families.
    fn named(&self, families: &[u32]) -> Vec<String> {
        let dictionary = self.groups[0].variants.families;
        families.iter().map(|&family| dictionary.name(family).to_owned()).collect()
    }

    /// Ids of the stages that there are.
    fn stages(groups: &[Group<'a>]) -> Vec<u32> {
        let mut ids: Vec<u32> =
            groups.iter().flat_map(|group| group.variants.cells()).map(|cell| cell.variant).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

fn left_out(measure: &str, reason: &str) -> LeftOut {
    LeftOut { measure: measure.into(), reason: reason.into() }
}

const STAGES: &str = "Training stages";
const ARMS: &str = "Training arms";
const SLOPES: &str = "Slopes over training stages";

/// The stages of the families that have two or more of them; `meanings` has the clusters that are counted, `people` says of
/// each row whether a person wrote it (empty: nobody).
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn training(
    corpus: &Corpus,
    people: &[bool],
    models: &[ModelRow],
    meanings: &Meanings,
    weights: Option<&Weights>,
    observer: &dyn Observer,
) -> Result<Trained> {
    let mut out = Trained::default();
    let Some(all) = Variants::new(corpus, Role::Stage, people) else {
        out.left_out.push(left_out(STAGES, "no stage column"));
        out.left_out.extend(corpus.rows.categories.get(&Role::Arm).map(|_| left_out(ARMS, "no stage column")));
        return Ok(out);
    };
    let names = all.names;
    let regardless = all.families_of(|model| models[model as usize].answers_regardless);
    let groups = match Arms::new(corpus, people) {
        Ok(arms) => {
            let outside = arms.outside(&all);
            if !outside.is_empty() {
                let reason = format!("these families are in no arm: {}", named(&outside));
                out.left_out.push(left_out("Training stages of some families", &reason));
            }
            drop(all);
            let group = |&id: &u32| Some(Group { arm: Some(arms.name(id).to_owned()), variants: arms.variants(id)? });
            arms.ids.iter().filter_map(group).collect()
        }
        Err(reason) => {
            out.left_out.push(left_out(ARMS, reason));
            vec![Group { arm: None, variants: all }]
        }
    };
    let Some(order) = ordered(names, Training::stages(&groups)) else {
        let reason = "the stages have no known order: it is base, sft, rl, or a step number";
        out.left_out.push(left_out(STAGES, reason));
        return Ok(out);
    };
    let Some(&(first, _)) = order.first() else {
        out.left_out.push(left_out(STAGES, "no response has a family and a stage"));
        return Ok(out);
    };
    let pass = Pass { corpus, meanings, first, observer };
    let means = Means { queries: corpus.layout.canonical.len(), weights };
    let training = Training { groups, names, pass, means };
    let nobody = vec![false; regardless.len()];
    let steps = steps(&order);
    let mut by_step: Vec<Vec<StageRow>> = Vec::with_capacity(steps.len());
    for &step in &steps {
        by_step.push(training.step(step, &nobody)?);
    }
    if by_step.iter().all(|rows| stages::none(&rows[0])) {
        let reason = "no two families have the same two stages of one query, and none has 2 responses at both \
                      (--family names the model that stages are variants of)";
        out.left_out.push(left_out(STAGES, if order.len() < 2 { "one stage; needs at least 2" } else { reason }));
        return Ok(out);
    }
    let first_lines: Vec<&StageRow> = by_step.iter().map(|rows| &rows[0]).collect();
    out.left_out.extend(stages::left_out(&first_lines, names.name(first), corpus.rows.text_chars.is_some()));
    // Which headlines stand without families that answer regardless of the query as well.
    let odd = |of: &[String]| of.iter().any(|name| training.is(name, &regardless));
    let last = order[order.len() - 1].0;
    for (&step, rows) in steps.iter().zip(&by_step) {
        let differences = training.changes(step, &nobody)?;
        if step == [first, last] && training.groups.len() > 1 {
            let without = if differences.iter().any(|row| odd(&row.families)) {
                training.changes(step, &regardless)?
            } else {
                Vec::new()
            };
            out.left_out.extend(trends::left_out(ARMS, &differences));
            let same =
                |row: &TrendRow| without.iter().find(|other| (other.quantity, &other.arm) == (row.quantity, &row.arm));
            let shown =
                |row: &&TrendRow| training.groups.iter().skip(1).take(HEADLINES).any(|group| group.arm == row.arm);
            let found = differences.iter().filter(shown).filter_map(|row| headlines::of_arms(row, same(row)));
            out.headlines.extend(found);
        }
        out.trends.extend(differences);
        if steps.len() <= HEADLINES || step == [first, last] {
            let without = odd(&rows[0].families).then(|| training.step(step, &regardless)).transpose()?;
            let mut found = headlines::of_stages(&rows[0], without.as_ref().map(|rows| &rows[0]));
            if training.groups.len() > 1 {
                let note = "each arm compared within itself; a query counts with the mean over its arms";
                found.iter_mut().for_each(|headline| headline.notes.push(note.into()));
            }
            out.headlines.extend(found);
        }
    }
    match training.slopes(&order, &nobody)? {
        None => out.left_out.push(left_out(SLOPES, "fewer than 3 stages")),
        Some(rows) => {
            let alone: Vec<TrendRow> = rows.iter().filter(|row| row.reference.is_none()).cloned().collect();
            out.left_out.extend(trends::left_out(SLOPES, &alone));
            out.trends.extend(rows);
        }
    }
    out.rows = by_step.into_iter().flatten().filter(|row| !stages::none(row)).collect();
    Ok(out)
}

/// Each stage after the one before it and after the first.
fn steps(order: &[(u32, f64)]) -> Vec<[u32; 2]> {
    let mut steps: Vec<(usize, usize)> = (1..order.len()).map(|b| (b - 1, b)).collect();
    steps.extend((2..order.len()).map(|b| (0, b)));
    steps.sort_unstable();
    steps.into_iter().map(|(a, b)| [order[a].0, order[b].0]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;
    use crate::corpus::Category;

    /// Families a and b at the given stages, 6 queries, `samples` responses each.
    fn corpus(of: &[(&str, &str)], samples: usize) -> Corpus {
        let rows: Vec<(usize, &str, &str)> =
            (0..6).flat_map(|q| of.iter().flat_map(move |&(f, s)| vec![(q, f, s); samples])).collect();
        let keys = rows.iter().map(|row| (row.0.to_string(), row.1.to_string())).collect::<Vec<_>>();
        let (mut corpus, _) = planted::planted(keys.into_iter(), 6);
        let names: Vec<String> = rows.iter().map(|row| row.2.to_string()).collect();
        let (dictionary, ids) = Dictionary::from_names(&names);
        corpus.rows.categories.insert(Role::Stage, Category { dictionary, ids });
        corpus
    }

    /// Stages of a line, and whether it has a value between and within families.
    type Found = (String, String, bool, bool);

    fn found(of: &[(&str, &str)], samples: usize) -> (Vec<Found>, Vec<String>) {
        let corpus = corpus(of, samples);
        let models = vec![ModelRow::default(); corpus.rows.models.len()];
        let found = training(&corpus, &[], &models, &Meanings::default(), None, &Silent).unwrap();
        let row = |r: StageRow| (r.stage_a, r.stage_b, r.inter.is_some(), r.intra.is_some());
        let left = |l: LeftOut| format!("{}: {}", l.measure, l.reason);
        (found.rows.into_iter().map(row).collect(), found.left_out.into_iter().map(left).collect())
    }

    #[test]
    fn only_families_with_both_stages_count_and_what_is_missing_is_named() {
        let (rows, left) = found(&[("a", "sft"), ("b", "sft"), ("a", "rl"), ("b", "rl"), ("a", "base")], 1);
        assert_eq!(rows, [("sft".to_string(), "rl".to_string(), true, false)]);
        assert!(left.iter().any(|l| l.starts_with("Similarity of families by stage, base to sft, base to rl: fewer")));
        assert!(left.iter().any(|l| l.starts_with("Similarity of one family’s own answers by stage: one response")));
        let (rows, _) = found(&[("a", "1"), ("a", "2"), ("a", "10")], 2);
        let steps: Vec<(&str, &str)> = rows.iter().map(|row| (row.0.as_str(), row.1.as_str())).collect();
        assert_eq!(steps, [("1", "2"), ("1", "10"), ("2", "10")]);
        assert!(rows.iter().all(|row| !row.2 && row.3));
        assert_eq!(found(&[("a", "sft"), ("b", "rl")], 1).0, []);
        assert!(found(&[("a", "early"), ("a", "late")], 2).1[0].contains("no known order"));
        assert!(found(&[("a", "rl"), ("b", "rl")], 2).1[0].contains("one stage"));
    }
}
