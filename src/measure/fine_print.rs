//! What stands under a headline: the same number by another order, without what hardly is an answer, at like length.

use super::tables::{Headline, Interval, Summary};

fn with_floor(value: f64, floor: Option<f64>) -> String {
    floor.map_or_else(|| format!("{value:.3}"), |floor| format!("{value:.3} (floor {floor:.3})"))
}

/// A signed number and its interval.
pub fn with_interval(value: f64, interval: Option<Interval>) -> String {
    interval.map_or_else(|| format!("{value:+.3}"), |i| format!("{value:+.3} ({:+.3} to {:+.3})", i.low, i.high))
}

/// Notes of the headline of different models' answers.
fn of_inter(summary: &Summary) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(texts) = &summary.texts {
        let line = |name: &str| texts.lines.iter().find(|line| line.name == name);
        let all = line("all").map(|line| line.responses);
        for (name, words, kind) in [
            ("without_refusals", "without refusals and empty answers", "of them"),
            ("collapsed", "each text to a query counted once", "copies or empty"),
        ] {
            if let Some((line, all)) = line(name).zip(all).filter(|(line, all)| line.responses < *all) {
                let less = all - line.responses;
                notes.push(format!("{words}: {}; {less} {kind}", with_floor(line.value, line.floor)));
            }
        }
    }
    if let Some(like) = summary.length.as_ref().and_then(|length| length.like_length) {
        notes.push(format!(
            "pairs of like length only: {}, {:.0} % of the pairs kept; all pairs of these queries: {}; difference {}",
            with_floor(like.value, like.floor),
            100.0 * like.kept,
            with_floor(like.all_pairs, like.all_pairs_floor),
            with_interval(like.difference, like.difference_interval)
        ));
    }
    notes
}

/// Adds the fine print to the headlines of a summary that is otherwise whole.
pub fn add(summary: &mut Summary) {
    let mut notes = vec![("inter_mean", of_inter(summary))];
    if let Some(one) = summary.ensemble.order_1 {
        notes.push((
            "ensemble_gain",
            vec![format!(
                "order 1, which counts rare answers more: {:.1} %, Monte Carlo error {:.2} points ({} draws); mean gain \
                 {:.3}, of unrelated answers {:.3}",
                100.0 * one.value,
                100.0 * one.error,
                summary.ensemble.draws,
                one.gain,
                one.unrelated
            )],
        ));
    }
    if let Some(one) = summary.ensemble.worth_1 {
        let reference = one.unrelated.zip(one.error).map_or_else(String::new, |(unrelated, error)| {
            let draws = summary.ensemble.draws;
            format!("; to different queries {unrelated:.2}, Monte Carlo error {error:.2} ({draws} draws)")
        });
        notes.push((
            "models_worth",
            vec![format!(
                "order 1, which counts rare answers more: {} models’ answers to one query {:.2}{reference}",
                one.models, one.value
            )],
        ));
    }
    for (name, notes) in notes {
        let of = |headline: &&mut Headline| headline.name == name;
        summary.headlines.iter_mut().filter(of).for_each(|headline| headline.notes.extend(notes.iter().cloned()));
    }
}
