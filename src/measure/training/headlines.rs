//! Headlines of training stages and of arms.

use super::super::fine_print::with_interval;
use super::super::intervals;
use super::super::packaging::named;
use super::super::tables::{Course, Headline, Paired, Quantity, StageRow, TrendRow};

/// Of one stage with a later one; `without` is the same without families that answer regardless of the query.
pub(super) fn of_stages(row: &StageRow, without: Option<&StageRow>) -> Vec<Headline> {
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
            let interval = |of: &Paired| with_interval(of.difference(), of.ci);
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
        if let Some(threshold) = row.tail_threshold {
            one.notes.push(format!("the tail begins at 1 - cosine {threshold:.3}"));
        }
        if let Some(met) = &row.coverage {
            one.notes.push(format!(
                "of {a}'s meanings {:.0} % are met again in its other half, {:.0} % in as many answers of {b}",
                100.0 * met.a,
                100.0 * met.b
            ));
        }
        found.push(one);
    }
    found
}

/// Quantities of arms that are headlines.
const OF_ARMS: [Quantity; 4] = [Quantity::Inter, Quantity::Intra, Quantity::Distinct, Quantity::Tail];

/// Of a change in an arm less that of the reference; `None` for lines that are no headline.
pub(super) fn of_arms(row: &TrendRow, without: Option<&TrendRow>) -> Option<Headline> {
    let (arm, reference, parts) = (row.arm.as_deref()?, row.reference.as_deref()?, row.parts?);
    if row.course != Course::Change || !OF_ARMS.contains(&row.quantity) {
        return None;
    }
    let (a, b) = (row.stage_a.trim(), row.stage_b.trim());
    let paired = if row.paired == Some(true) {
        "each family beside itself in the other arm"
    } else {
        "no family is in both arms: the arms differ in their families too"
    };
    Some(Headline {
        name: format!("arm_{}:{arm}:{a}:{b}", row.quantity.name()),
        label: format!("{arm} beside {reference}: change in the {} from {a} to {b}", row.quantity.words()),
        value: row.difference.value,
        interval: row.difference.ci,
        floor: Some(0.0),
        floor_label: Some("if both arms changed alike".into()),
        without_regardless: without.map(|row| row.difference.value),
        queries: row.queries,
        notes: (intervals::warning(row.queries as usize).into_iter())
            .chain([
                format!(
                    "{arm} {}; {reference}, the reference, {}",
                    with_interval(parts.0.value, parts.0.ci),
                    with_interval(parts.1.value, parts.1.ci)
                ),
                format!("{paired}; families: {}", named(&row.families)),
            ])
            .collect(),
        ..Headline::default()
    })
}
