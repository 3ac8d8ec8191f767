//! Models and pairs of models: columns, not lines, so that thousands of names stand once.

use super::super::values::{cut, rounded_or_null, strings};
use super::{HEAT_MODELS, TABLE_MODELS, both_ends, descending};
use crate::base::Result;
use crate::output::read::Table;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Columns of models.parquet: a name, numbers, a name, bins.
pub(super) const MODEL_COLUMNS: [&str; 25] = [
    "model",
    "n",
    "queries",
    "intra_mean",
    "intra_ci_low",
    "intra_ci_high",
    "share_ge_0_8",
    "floor",
    "answers_regardless",
    "vendi_1",
    "vendi_2",
    "distinct",
    "intra_next",
    "with_others",
    "with_others_joint_low",
    "with_others_joint_high",
    "with_others_next",
    "most_like_mean",
    "most_like_next",
    "empty_share",
    "refusal_share",
    "verbatim_share",
    "most_like",
    "bins",
    "paper_bins",
];

/// models.parquet by column.
pub(super) fn model_columns(table: &Table, names: &[String]) -> Result<Value> {
    let shown = names.len().min(TABLE_MODELS);
    let mut columns = Map::new();
    columns.insert("model".into(), names[..shown].iter().map(|name| cut(name)).collect());
    for column in &MODEL_COLUMNS[1..22] {
        let values = table.numbers(column)?;
        columns.insert((*column).into(), values[..shown].iter().map(|v| rounded_or_null(*v)).collect());
    }
    let most_like = table.names("most_like")?.into_iter().take(shown);
    columns.insert(
        "most_like".into(),
        most_like.map(|name| name.map(|name| cut(&name)).into()).collect::<Vec<Value>>().into(),
    );
    for column in &MODEL_COLUMNS[23..] {
        let tenth = |value: f64| json!((value * 10.0).round() / 10.0);
        let lists = table.lists(column)?.into_iter().take(shown);
        let values = lists.map(|list| list.map_or(Value::Null, |list| list.into_iter().map(tenth).collect()));
        columns.insert((*column).into(), values.collect());
    }
    Ok(Value::Object(columns))
}

pub(super) const PAIR_COLUMNS: [&str; 7] = ["model_a", "model_b", "mean", "ci_low", "ci_high", "floor", "queries"];

/// model_pairs.parquet: the triangle of the models shown, in clustered order, and the extremes of all pairs of models
/// that don't answer regardless of the query.
pub(super) fn model_pairs(pairs: &Table, models: &Table, names: &[String], order: &[u32]) -> Result<Value> {
    let answered = models.numbers("queries")?;
    let regardless: Vec<bool> = models.numbers("answers_regardless")?.iter().map(|v| *v == Some(1.0)).collect();
    let place_of: BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    let place = |name: &String| place_of.get(name.as_str()).copied().unwrap_or(usize::MAX);
    let ends: Vec<(usize, usize)> = (strings(pairs, "model_a")?.iter().zip(&strings(pairs, "model_b")?))
        .map(|(a, b)| (place(a), place(b)))
        .collect();
    let columns: Vec<Vec<Option<f64>>> = PAIR_COLUMNS[2..].iter().map(|c| pairs.numbers(c)).collect::<Result<_>>()?;

    // The models that answered most queries are the ones a heat map can compare.
    let mut shown: Vec<usize> = if order.len() == names.len() {
        order.iter().map(|&m| m as usize).collect()
    } else {
        (0..names.len()).collect()
    };
    if shown.len() > HEAT_MODELS {
        let mut kept = shown.clone();
        kept.sort_by(|&a, &b| descending(answered[a], answered[b]).then(a.cmp(&b)));
        kept.truncate(HEAT_MODELS);
        kept.sort_unstable();
        shown.retain(|model| kept.binary_search(model).is_ok());
    }
    let n = shown.len();
    let mut rank = vec![None; names.len()];
    shown.iter().enumerate().for_each(|(i, &model)| rank[model] = Some(i));
    let mut triangle = vec![vec![Value::Null; n * (n + 1) / 2]; columns.len()];
    for (row, &(a, b)) in ends.iter().enumerate() {
        if let (Some(Some(i)), Some(Some(j))) = (rank.get(a), rank.get(b)) {
            let (low, high) = (*i.min(j), *i.max(j));
            let at = high * (high + 1) / 2 + low;
            columns.iter().zip(&mut triangle).for_each(|(column, cells)| cells[at] = rounded_or_null(column[row]));
        }
    }
    let across: Vec<usize> =
        (0..ends.len()).filter(|&row| ends[row].0 != ends[row].1 && columns[0][row].is_some()).collect();
    let odd = |model: usize| regardless.get(model).copied().unwrap_or(false);
    let mut regular: Vec<usize> =
        across.iter().copied().filter(|&row| !odd(ends[row].0) && !odd(ends[row].1)).collect();
    if regular.is_empty() {
        regular.clone_from(&across);
    }
    regular.sort_by(|&a, &b| descending(columns[0][a], columns[0][b]).then(a.cmp(&b)));
    let line = |&row: &usize| {
        let mut line = Map::new();
        line.insert("a".into(), names.get(ends[row].0).map(|name| cut(name)).into());
        line.insert("b".into(), names.get(ends[row].1).map(|name| cut(name)).into());
        for (name, column) in PAIR_COLUMNS[2..].iter().zip(&columns) {
            line.insert((*name).into(), rounded_or_null(column[row]));
        }
        Value::Object(line)
    };
    let (most, least) = both_ends(&regular);
    let triangle: Map<String, Value> =
        PAIR_COLUMNS[2..].iter().map(|c| (*c).to_owned()).zip(triangle.into_iter().map(Value::Array)).collect();
    Ok(json!({
        "shown": shown.iter().map(|&model| cut(&names[model])).collect::<Vec<_>>(),
        "clustered": order.len() == names.len(),
        "triangle": triangle,
        "across": across.len(),
        "without_regardless": regular.len() < across.len(),
        "most": most.iter().map(line).collect::<Vec<_>>(),
        "least": least.iter().map(line).collect::<Vec<_>>(),
    }))
}
