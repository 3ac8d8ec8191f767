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
use super::tables::{Headline, LeftOut, Meanings, ModelRow, StageRow, TrendRow, left_out};
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
    use super::super::{planted, tables};
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
        assert!(found(&[("a", "early"), ("a", "late")], 2).1[1].contains("no known order"));
        assert!(found(&[("a", "rl"), ("b", "rl")], 2).1[1].contains("one stage"));
    }

    /// The same with arms: (family, arm, stage), an empty arm being null, 2 responses each.
    fn with_arms(of: &[(&str, &str, &str)]) -> Trained {
        let families: Vec<(&str, &str)> = of.iter().map(|&(family, _, stage)| (family, stage)).collect();
        let mut corpus = corpus(&families, 2);
        let names: Vec<String> = (0..corpus.len()).map(|row| of[row / 2 % of.len()].1.to_owned()).collect();
        let known: Vec<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
        let dictionary = Dictionary::from_names(&known).0;
        let ids = names.iter().map(|name| dictionary.id(name).unwrap_or(u32::MAX)).collect();
        corpus.rows.categories.insert(Role::Arm, Category { dictionary, ids });
        let models = vec![ModelRow::default(); corpus.rows.models.len()];
        training(&corpus, &[], &models, &Meanings::default(), None, &Silent).unwrap()
    }

    fn reasons(found: &Trained) -> String {
        found.left_out.iter().map(|l| format!("{}: {}; ", l.measure, l.reason)).collect()
    }

    #[test]
    fn families_are_compared_within_an_arm_and_with_themselves_in_the_other() {
        let both = |arm: &'static str| ["a", "b"].map(|family| [(family, arm, "1"), (family, arm, "2")]).concat();
        let found = with_arms(&[both("critic"), both("none")].concat());
        let arms: Vec<Option<&str>> = found.rows.iter().map(|row| row.arm.as_deref()).collect();
        assert_eq!(arms, [None, Some("none"), Some("critic")]);
        let change = |row: &StageRow| row.intra.as_ref().unwrap().difference();
        let [all, none, critic] = [0, 1, 2].map(|at| change(&found.rows[at]));
        assert!((all - (none + critic) / 2.0).abs() < 1e-12);
        let line = |found: &Trained, quantity| {
            found.trends.iter().find(|row| row.quantity == quantity).map(|row| (row.difference.value, row.paired))
        };
        let (difference, paired) = line(&found, tables::Quantity::Intra).unwrap();
        assert!((difference - (critic - none)).abs() < 1e-12 && paired == Some(true));
        assert!(
            found.headlines.iter().any(|one| one.name == "arm_intra:critic:1:2" && one.label.contains("beside none"))
        );
        assert!(
            reasons(&found).contains("Training arms: distinct, evenness: no family has 2 responses with a meaning")
        );
        assert!(reasons(&found).contains("Slopes over training stages: fewer than 3 stages"));

        // Family c is in one arm only: where others are in both, it has no part in the comparison.
        let more = with_arms(&[both("critic"), both("none"), vec![("c", "none", "1"), ("c", "none", "2")]].concat());
        let row = more.trends.iter().find(|row| row.quantity == tables::Quantity::Intra).unwrap();
        assert_eq!((row.families.as_slice(), row.queries), (&["a".to_owned(), "b".to_owned()][..], 6));
        assert!(more.rows[1].families.contains(&"c".to_owned()));
        // Where none is, queries alone are paired.
        let apart = with_arms(&[("a", "critic", "1"), ("a", "critic", "2"), ("b", "none", "1"), ("b", "none", "2")]);
        assert_eq!(line(&apart, tables::Quantity::Intra).unwrap().1, Some(false));
        assert_eq!(line(&apart, tables::Quantity::Inter), None);
    }

    #[test]
    fn a_null_arm_is_a_stage_before_the_arms_part() {
        let of = [("a", "", "0"), ("a", "critic", "1"), ("a", "none", "1"), ("b", "", "0"), ("b", "", "1")];
        let found = with_arms(&of);
        assert!(reasons(&found).contains("these families are in no arm: b"));
        assert_eq!(found.rows.len(), 3);
        let start = |row: &StageRow| row.intra.as_ref().unwrap().a;
        assert_eq!(start(&found.rows[1]), start(&found.rows[2]));
        assert!(found.rows.iter().all(|row| row.families == ["a"]));
        let one = with_arms(&[("a", "critic", "0"), ("a", "critic", "1"), ("b", "", "0"), ("b", "", "1")]);
        assert!(reasons(&one).contains("Training arms: one arm; needs at least 2"));
        assert_eq!((one.rows.len(), one.rows[0].families.len()), (1, 2));
    }

    #[test]
    fn slopes_rest_on_families_that_have_every_stage() {
        let stages =
            |family: &'static str, stages: &'static [&'static str]| stages.iter().map(move |&s| (family, "", s));
        let all = &["0", "10", "40"];
        let found =
            with_arms(&stages("a", all).chain(stages("b", all)).chain(stages("c", &all[..2])).collect::<Vec<_>>());
        let rows: Vec<&TrendRow> = found.trends.iter().collect();
        assert!(
            rows.iter().all(|row| row.course == tables::Course::Slope && row.reference.is_none() && row.stages == 3)
        );
        assert_eq!(rows[0].families, ["a", "b"]);
        // The slope of the means, which stages.parquet has of the same families.
        let two = with_arms(&stages("a", all).chain(stages("b", all)).collect::<Vec<_>>());
        let at = |b: &str| {
            let row = two.rows.iter().find(|row| row.stage_a == "0" && row.stage_b == b).unwrap();
            row.intra.clone().unwrap()
        };
        let y = [at("10").a, at("10").b, at("40").b];
        let slope = slope::weighted(&slope::weights(&[0.0, 10.0, 40.0]).unwrap(), &y);
        let line = two.trends.iter().find(|row| row.quantity == tables::Quantity::Intra).unwrap();
        assert!((line.difference.value - slope).abs() < 1e-12);
        let none = with_arms(&[("a", "", "0"), ("a", "", "1"), ("b", "", "1"), ("b", "", "2")]);
        assert!(none.trends.is_empty() && reasons(&none).contains("Slopes over training stages: inter: fewer than 2"));
    }
}
