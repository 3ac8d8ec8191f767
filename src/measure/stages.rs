//! Training stages: how alike different families are at one stage and at a later one, the same families on the same
//! queries; how alike each is to itself. stages.parquet.
//!
//! Each stage is compared with the one before it and with the first. A comparison before and after is not causal.

use super::intervals::{self, Weights};
use super::length;
use super::meanings::{Abundances, Rarefaction};
use super::packaging::named;
use super::tables::{Headline, Interval, LeftOut, Matched, Meanings, ModelRow, Paired, StageRow};
use super::tails;
use super::variants::{Answered, Cell, Chosen, Variants, dot};
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Dictionary, Role};

/// Comparisons that are all headlines; of more, only the first stage with the last.
const HEADLINES: usize = 3;

/// What the corpus says about its stages.
#[derive(Debug, Default)]
pub struct Stages {
    /// stages.parquet.
    pub rows: Vec<StageRow>,
    /// Of the comparisons that could be made.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// Some stages in order: base, sft, rl, or ascending numbers; `None` if they are neither.
pub fn ordered(names: &Dictionary, mut ids: Vec<u32>) -> Option<Vec<u32>> {
    let known = |name: &str| ["base", "sft", "rl"].iter().position(|stage| name.trim().eq_ignore_ascii_case(stage));
    let number = |name: &str| name.trim().parse::<f64>().ok().filter(|step| step.is_finite());
    let place = |of: &dyn Fn(&str) -> Option<f64>| ids.iter().map(|&id| of(names.name(id))).collect::<Option<Vec<_>>>();
    let places = place(&|name| known(name).map(|place| place as f64)).or_else(|| place(&number))?;
    let mut order: Vec<(f64, u32)> = places.into_iter().zip(ids.drain(..)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    Some(order.into_iter().map(|one| one.1).collect())
}

/// Cells of one family and query at two stages.
type Both<'a> = (&'a Cell, &'a Cell);

/// By query, the families that have both stages.
fn both<'a>(variants: &'a Variants<'_>, (a, b): (u32, u32), skip: &[bool]) -> Vec<Vec<Both<'a>>> {
    let of_family = |family: &'a [Cell]| {
        let at = |stage: u32| family.iter().find(|cell| cell.variant == stage);
        at(a).zip(at(b)).filter(|(cell, _)| !skip[cell.family as usize])
    };
    (variants.queries())
        .map(|query| query.chunk_by(|a, b| a.family == b.family).filter_map(of_family).collect())
        .filter(|found: &Vec<Both<'a>>| !found.is_empty())
        .collect()
}

/// What one query says about one stage.
struct Term {
    query: usize,
    /// Mean cosine of pairs of families, each pair counting once.
    mean: f64,
    /// Sum of cosines and number of pairs of cells of different families to different queries.
    floor: (f64, f64),
    /// Of pairs of like length.
    matched: length::Matched,
}

fn term(corpus: &Corpus, variants: &Variants<'_>, answered: &Answered<'_>) -> Term {
    let cells = answered.cells();
    let own = answered.sum(|_| true);
    let elsewhere = answered.variant_elsewhere(cells[0].variant);
    let mut floor = (dot(&own.vector, &elsewhere.vector), own.count * elsewhere.count);
    let mut squares = 0.0;
    for (cell, mean) in cells.iter().zip(answered.means()) {
        let unit = answered.unit_elsewhere((cell.family, cell.variant));
        squares += dot(mean, mean);
        floor = (floor.0 - dot(mean, &unit.vector), floor.1 - unit.count);
    }
    let positions: Vec<&[usize]> = cells.iter().map(|cell| variants.positions(cell)).collect();
    Term {
        query: answered.query,
        mean: (dot(&own.vector, &own.vector) - squares) / (own.count * (own.count - 1.0)),
        floor,
        matched: length::matched(corpus, &positions),
    }
}

/// What stays fixed while stages are compared.
struct Comparison<'a> {
    corpus: &'a Corpus,
    variants: &'a Variants<'a>,
    meanings: &'a Meanings,
    /// The first stage of all.
    first: u32,
    weights: Option<&'a Weights>,
    observer: &'a dyn Observer,
}

impl Comparison<'_> {
    /// Means of (query, value at a stage, value at another), and the interval of their difference.
    fn paired(&self, values: &[(usize, f64, f64)]) -> Option<Paired> {
        if values.is_empty() {
            return None;
        }
        let queries = self.corpus.layout.canonical.len();
        let interval = |value: &dyn Fn(&(usize, f64, f64)) -> f64| -> Option<Interval> {
            let mut terms = vec![None; queries];
            values.iter().for_each(|one| terms[one.0] = Some((value(one), 1.0)));
            intervals::quotient(&terms, self.weights)
        };
        let n = values.len() as f64;
        let (a, b) = values.iter().fold((0.0, 0.0), |t, one| (t.0 + one.1, t.1 + one.2));
        Some(Paired {
            queries: values.len() as u64,
            a: a / n,
            b: b / n,
            ci_a: interval(&|one| one.1),
            ci_b: interval(&|one| one.2),
            ci: interval(&|one| one.2 - one.1),
        })
    }

    /// How often the responses of a cell have each meaning.
    fn counts(&self, cell: &Cell) -> Abundances {
        let row = |position: &usize| self.corpus.layout.row_at[*position] as usize;
        let label = |position: &usize| self.meanings.clusters.get(row(position)).copied();
        let mut labels: Vec<u32> = self.variants.positions(cell).iter().filter_map(label).collect();
        labels.retain(|&label| label != u32::MAX);
        Abundances::new(&mut labels)
    }

    /// (distinct meanings, evenness) of two cells at the same n, the lesser; `None` under 2.
    fn of_meanings(&self, a: &Cell, b: &Cell) -> Option<[(f64, f64); 2]> {
        let counts = [a, b].map(|cell| self.counts(cell));
        let n = counts[0].n().min(counts[1].n());
        let rarefaction = (n >= 2).then(|| Rarefaction::new(n))?;
        let [a, b] = counts.map(|counts| rarefaction.hill(&counts));
        Some([(a.zero, b.zero), (a.two / a.zero, b.two / b.zero)])
    }

    /// One stage with a later one.
    fn row(&self, stages: (u32, u32), skip: &[bool]) -> Result<StageRow> {
        let found = both(self.variants, stages, skip);
        let several = || found.iter().filter(|families| families.len() >= 2).flatten();
        let at = |cells: Vec<&Cell>| -> Result<Vec<Term>> {
            let chosen = Chosen::new(self.variants, cells, self.observer)?;
            chosen.each_query(self.observer, |answered| term(self.corpus, self.variants, answered))
        };
        let terms = [at(several().map(|both| both.0).collect())?, at(several().map(|both| both.1).collect())?];
        let pairs = || terms[0].iter().zip(&terms[1]);
        let floor = |terms: &[Term]| {
            let (sum, pairs) = terms.iter().fold((0.0, 0.0), |t, term| (t.0 + term.floor.0, t.1 + term.floor.1));
            (pairs > 0.5).then(|| sum / pairs)
        };
        let of_like_length = || pairs().filter_map(|(a, b)| Some((a, b, a.matched.mean?, b.matched.mean?)));
        let kept = |terms: &[Term]| {
            let sum = |part: fn(&length::Matched) -> u64| terms.iter().map(|term| part(&term.matched)).sum::<u64>();
            sum(|m| m.kept) as f64 / sum(|m| m.pairs) as f64
        };
        let like: Vec<_> = of_like_length().map(|(a, _, x, y)| (a.query, x, y)).collect();
        let all: Vec<_> = of_like_length().map(|(a, b, ..)| (a.query, a.mean, b.mean)).collect();
        let matched = self.paired(&like).zip(self.paired(&all));
        // The first responses of each, as many at one stage as at the other.
        let mut repeated: Vec<u32> = Vec::new();
        let mut within: Vec<(usize, f64, f64)> = Vec::new();
        let mut of_meanings: [Vec<(usize, f64, f64)>; 2] = Default::default();
        for families in &found {
            self.observer.check_stop()?;
            let (mut sum, mut count) = ((0.0, 0.0), 0.0);
            let counted: Vec<_> = families.iter().filter_map(|(a, b)| self.of_meanings(a, b)).collect();
            for (which, values) in of_meanings.iter_mut().enumerate().filter(|_| !counted.is_empty()) {
                let (a, b) = counted.iter().fold((0.0, 0.0), |t, one| (t.0 + one[which].0, t.1 + one[which].1));
                values.push((families[0].0.query, a / counted.len() as f64, b / counted.len() as f64));
            }
            for (a, b) in families {
                let n = a.n().min(b.n());
                if n >= 2 {
                    sum = (sum.0 + self.variants.within(a, n), sum.1 + self.variants.within(b, n));
                    count += 1.0;
                    repeated.push(a.family);
                }
            }
            if count > 0.0 {
                within.push((families[0].0.query, sum.0 / count, sum.1 / count));
            }
        }
        let mut families: Vec<u32> = several().map(|both| both.0.family).chain(repeated).collect();
        families.sort_unstable();
        families.dedup();
        let name = |stage: u32| self.variants.names.name(stage).to_owned();
        let tau = self.meanings.labels.iter().find(|labels| labels.chosen).and_then(|labels| labels.tau);
        let pass = tails::Pass { corpus: self.corpus, variants: self.variants, clusters: &self.meanings.clusters, tau };
        let tails = if stages.0 == self.first { pass.tails(&found) } else { tails::Tails::default() };
        Ok(StageRow {
            distinct: self.paired(&of_meanings[0]),
            evenness: self.paired(&of_meanings[1]),
            tail_threshold: tails.threshold,
            tail: self.paired(&tails.shares),
            coverage: self.paired(&tails.coverage),
            stage_a: name(stages.0),
            stage_b: name(stages.1),
            families: families.iter().map(|&family| self.variants.families.name(family).to_owned()).collect(),
            inter: self.paired(&pairs().map(|(a, b)| (a.query, a.mean, b.mean)).collect::<Vec<_>>()),
            floor_a: floor(&terms[0]),
            floor_b: floor(&terms[1]),
            matched: matched.map(|(matched, unmatched)| Matched {
                kept_a: kept(&terms[0]),
                kept_b: kept(&terms[1]),
                matched,
                unmatched,
            }),
            intra: self.paired(&within),
        })
    }
}

/// A signed number with three decimals.
fn signed(value: f64) -> String {
    format!("{value:+.3}")
}

fn headlines(row: &StageRow, without: Option<&StageRow>) -> Vec<Headline> {
    let (a, b) = (row.stage_a.trim(), row.stage_b.trim());
    let headline = |name: &str, label: &str, of: &Paired, without: Option<&Paired>| Headline {
        name: format!("{name}:{a}:{b}"),
        label: format!("{label} from {a} to {b}"),
        value: of.difference(),
        interval: of.ci,
        without_regardless: without.map(Paired::difference),
        queries: of.queries,
        notes: (intervals::warning(of.queries as usize).into_iter())
            .chain([format!("{a} {:.3}, {b} {:.3}; families: {}", of.a, of.b, named(&row.families))])
            .collect(),
        ..Headline::default()
    };
    let mut found = Vec::new();
    if let Some(of) = &row.inter {
        let label = "Change in the similarity of different families’ answers";
        let mut one = headline("stage_inter", label, of, without.and_then(|row| row.inter.as_ref()));
        if let Some((a, b)) = row.floor_a.zip(row.floor_b) {
            one.floor = Some(b - a);
            one.floor_label = Some("change for answers to different queries".into());
        }
        if let Some(matched) = &row.matched {
            let interval = |of: &Paired| match of.ci {
                Some(ci) => format!("{} ({} to {})", signed(of.difference()), signed(ci.low), signed(ci.high)),
                None => signed(of.difference()),
            };
            one.notes.push(format!(
                "pairs of like length only: {} on {} queries, {:.0} % and {:.0} % of the pairs kept; all pairs of these \
                 queries: {}",
                interval(&matched.matched),
                matched.matched.queries,
                100.0 * matched.kept_a,
                100.0 * matched.kept_b,
                interval(&matched.unmatched)
            ));
        }
        found.push(one);
    }
    if let Some(of) = &row.intra {
        let label = "Change in the similarity of one family’s own answers";
        found.push(headline("stage_intra", label, of, without.and_then(|row| row.intra.as_ref())));
    }
    if let Some(of) = &row.distinct {
        let label = "Change in the distinct meanings of one family’s answers";
        found.push(headline("stage_distinct", label, of, without.and_then(|row| row.distinct.as_ref())));
    }
    if let Some(of) = &row.tail {
        let label = "Change in the share of answers in the first stage’s tail";
        let mut one = headline("stage_tail", label, of, without.and_then(|row| row.tail.as_ref()));
        if let (Some(threshold), Some(met)) = (row.tail_threshold, &row.coverage) {
            one.notes.push(format!(
                "the tail begins at 1 - cosine {threshold:.3}; of {a}'s meanings {:.0} % are met again in its other half, \
                 {:.0} % in as many answers of {b}",
                100.0 * met.a,
                100.0 * met.b
            ));
        }
        found.push(one);
    }
    found
}

/// Says of some comparisons what they lack; `all` is how many there are.
fn lacking(measure: &str, of: &[&StageRow], all: usize, reason: &str) -> Option<LeftOut> {
    let steps: Vec<String> = of.iter().map(|row| format!("{} to {}", row.stage_a, row.stage_b)).collect();
    let measure = if steps.len() < all { format!("{measure}, {}", named(&steps)) } else { measure.to_owned() };
    (!steps.is_empty()).then(|| LeftOut { measure, reason: reason.into() })
}

/// The stages of the families that have two or more of them; `meanings` has the clusters that are counted, `people` says of each row whether a person wrote it (empty:
/// nobody).
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn stages(
    corpus: &Corpus,
    people: &[bool],
    models: &[ModelRow],
    meanings: &Meanings,
    weights: Option<&Weights>,
    observer: &dyn Observer,
) -> Result<Stages> {
    let mut out = Stages::default();
    let left_out = |reason: &str| LeftOut { measure: "Training stages".into(), reason: reason.into() };
    let Some(variants) = Variants::new(corpus, Role::Stage, people) else {
        out.left_out.push(left_out("no stage column"));
        return Ok(out);
    };
    let mut ids: Vec<u32> = variants.cells().iter().map(|cell| cell.variant).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        out.left_out.push(left_out("no response of a model has a stage"));
        return Ok(out);
    }
    let Some(order) = ordered(variants.names, ids) else {
        out.left_out.push(left_out("the stages have no known order: it is base, sft, rl, or a step number"));
        return Ok(out);
    };
    let mut steps: Vec<(usize, usize)> = (1..order.len()).map(|b| (b - 1, b)).collect();
    steps.extend((2..order.len()).map(|b| (0, b)));
    steps.sort_unstable();
    let regardless = variants.families_of(|model| models[model as usize].answers_regardless);
    let nobody = vec![false; regardless.len()];
    let first = order[0];
    let comparison = Comparison { corpus, variants: &variants, meanings, first, weights, observer };
    let mut rows = Vec::new();
    for &(a, b) in &steps {
        rows.push(comparison.row((order[a], order[b]), &nobody)?);
    }
    let none = |row: &&StageRow| row.inter.is_none() && row.intra.is_none();
    if rows.iter().filter(|row| !none(row)).count() == 0 {
        let reason = "no two families have the same two stages of one query, and none has 2 responses at both \
                      (--family names the model that stages are variants of)";
        out.left_out.push(left_out(if order.len() < 2 { "one stage; needs at least 2" } else { reason }));
        return Ok(out);
    }
    let lack = |of: &dyn Fn(&StageRow) -> bool| rows.iter().filter(|row| of(row)).collect::<Vec<_>>();
    let texts = if corpus.rows.text_chars.is_some() {
        "no query has pairs of like length at both stages"
    } else {
        "no text column"
    };
    let two = "fewer than 2 families answered a query at both stages";
    out.left_out.extend(
        [
            lacking("Similarity of families by stage", &lack(&|row| row.inter.is_none()), rows.len(), two),
            lacking(
                "Similarity of families by stage, matched for length",
                &lack(&|row| row.inter.is_some() && row.matched.is_none()),
                rows.len(),
                texts,
            ),
            lacking(
                "Similarity of one family’s own answers by stage",
                &lack(&|row| row.intra.is_none()),
                rows.len(),
                "one response per family, query and stage; needs at least 2",
            ),
            lacking(
                "Distinct meanings and evenness by stage",
                &lack(&|row| row.intra.is_none()),
                rows.len(),
                "one response per family, query and stage; needs at least 2",
            ),
            lacking(
                "Distinct meanings and evenness by stage",
                &lack(&|row| row.intra.is_some() && row.distinct.is_none()),
                rows.len(),
                "no clusters of meanings to count",
            ),
            lacking(
                "Tails by stage",
                &lack(&|row| row.stage_a == variants.names.name(first) && row.tail.is_none()),
                rows.len(),
                "no family has 5 responses to a query at the first stage",
            ),
        ]
        .into_iter()
        .flatten(),
    );
    let last = order.len() - 1;
    let shown = |step: &(usize, usize)| steps.len() <= HEADLINES || *step == (0, last);
    for (&(a, b), row) in steps.iter().zip(&rows).filter(|(step, _)| shown(step)) {
        let odd =
            variants.families.names().iter().zip(&regardless).any(|(name, &odd)| odd && row.families.contains(name));
        let without = odd.then(|| comparison.row((order[a], order[b]), &regardless)).transpose()?;
        out.headlines.extend(headlines(row, without.as_ref()));
    }
    rows.retain(|row| !none(&row));
    out.rows = rows;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;
    use crate::corpus::Category;

    #[test]
    fn stages_come_in_the_order_of_training_or_of_steps() {
        let order = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let dictionary = Dictionary::from_names(&names).0;
            let ids = ordered(&dictionary, (0..dictionary.len() as u32).collect())?;
            Some(ids.into_iter().map(|id| dictionary.name(id).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(order(&["rl", "SFT", "base"]).unwrap(), ["base", "SFT", "rl"]);
        assert_eq!(order(&["1000", "20", "3e2"]).unwrap(), ["20", "3e2", "1000"]);
        assert_eq!(order(&["base", "20"]), None);
        assert_eq!(order(&["nan", "20"]), None);
    }

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
        let found = stages(&corpus, &[], &models, &Meanings::default(), None, &Silent).unwrap();
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
