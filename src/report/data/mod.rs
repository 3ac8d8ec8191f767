//! What the page shows, from the files of a result directory. Large tables are cut to what a page can hold: extremes,
//! distributions and at most [`HEAT_MODELS`] models beside each other; the page says so where it happens.

mod lines;
mod models;

use super::distribution::{Distribution, quantile};
use super::map;
use super::values::{cut, damaged, read_json, required, rounded, rounded_or_null, short_manifest, strings};
use crate::base::{Error, Place, Result};
use crate::measure::Summary;
use crate::output::read::Table;
use lines::{contexts, form, sources, stages, teams, trends};
use models::{MODEL_COLUMNS, PAIR_COLUMNS, model_columns, model_pairs};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

/// Queries, pairs of models and groups of near duplicates shown from each end.
const ENDS: usize = 10;
/// Models that the heat map shows; a triangle of 300 models is 1.2 MB.
const HEAT_MODELS: usize = 300;
/// Models that the table of models shows.
const TABLE_MODELS: usize = 2_000;

/// Every table a result may hold, with what a line of it is.
const TABLES: [(&str, &str); 18] = [
    ("responses.parquet", "one line a response: where it came from, its query and model, nearest neighbour, cluster"),
    ("neighbors.parquet", "the nearest neighbours of every response, in order"),
    ("intra.parquet", "one line a query and model: mean similarity of that model's own answers"),
    ("models.parquet", "one line a model: similarity within it, bins, floor, effective number, distinct meanings"),
    ("model_pairs.parquet", "one line a pair of models: mean similarity, interval, floor"),
    ("queries.parquet", "one line a query: means, effective number, distinct meanings, nearest share, ensemble gain"),
    ("topn.parquet", "one line a query and N: distinct models among the N nearest, null, least"),
    ("meanings.parquet", "one line a query, group and cut: distinct meanings, Hill numbers, coverage"),
    ("contexts.parquet", "one line a family: similarity across contexts, what it is set against, ratio, interval"),
    ("stages.parquet", "one line a training stage and an earlier one: similarity, floor, change, interval"),
    (
        "trends.parquet",
        "one line a number, arm and stages: its change or slope less the reference arm’s, slopes by themselves",
    ),
    ("form.parquet", "one line for one model’s pairs, each model, different models, people: form, content, openings"),
    ("teams.parquet", "one line a query and team: quality, diversity, expertise, effective pairs"),
    (
        "growth.parquet",
        "one line a query, group and number of answers: how many meanings they hold, in any order and in time",
    ),
    (
        "sources.parquet",
        "one line a source or a model in it: beside people, distances to the nearest, what a source adds",
    ),
    ("map.parquet", "one line a response on the map: its two coordinates, how its text begins"),
    ("histogram.parquet", "all pairs by relation and similarity, in bins of 0.01"),
    ("edges.parquet", "every pair of responses at or above the threshold"),
];

/// Everything the page shows.
///
/// # Errors
/// [`Error::Usage`] if `directory` is not a result, [`Error::Content`] if a file of it is damaged, [`Error::Io`].
pub(super) fn gather(directory: &Path) -> Result<Value> {
    if !directory.is_dir() {
        return Err(Error::Usage(format!("{}: there is no such directory", directory.display())));
    }
    let mut summary: Summary =
        serde_json::from_value(read_json(directory, "summary.json")?).map_err(|e| damaged("summary.json", &e))?;
    let manifest = read_json(directory, "manifest.json")?;
    for example in &mut summary.examples {
        example.query = cut(&example.query);
    }
    let models = required(directory, "models.parquet", &MODEL_COLUMNS)?;
    let names = strings(&models, "model")?;
    let known = |id: &u32| (*id as usize) < names.len();
    if names.len() as u64 != summary.models || !summary.model_order.iter().all(known) {
        let problem = "does not fit summary.json; run hivescope again";
        return Err(Error::content(Place::file("models.parquet"), problem));
    }
    let pairs = required(directory, "model_pairs.parquet", &PAIR_COLUMNS)?;
    Ok(json!({
        "models": model_columns(&models, &names)?,
        "pairs": model_pairs(&pairs, &models, &names, &summary.model_order)?,
        "queries": queries(directory)?,
        "top_n": top_n(directory)?,
        "contexts": contexts(directory)?,
        "stages": stages(directory)?,
        "trends": trends(directory)?,
        "form": form(directory)?,
        "teams": teams(directory)?,
        "sources": sources(directory)?,
        "map": map::map(directory, &manifest)?,
        "histogram": histogram(directory)?,
        "groups": duplicate_groups(directory)?,
        "files": files(directory),
        "summary": summary,
        "manifest": short_manifest(manifest),
    }))
}

/// Larger first, nulls last.
fn descending(a: Option<f64>, b: Option<f64>) -> Ordering {
    b.unwrap_or(f64::NEG_INFINITY).total_cmp(&a.unwrap_or(f64::NEG_INFINITY))
}

/// The first and, from the end, the last [`ENDS`] of a list, no item twice.
fn both_ends(sorted: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let first = sorted.len().min(ENDS).min(sorted.len().div_ceil(2));
    let last = (sorted.len() - first).min(ENDS);
    (sorted[..first].to_vec(), sorted.iter().rev().take(last).copied().collect())
}

const QUERY_NUMBERS: [&str; 10] = [
    "n",
    "models",
    "mean",
    "intra_mean",
    "inter_mean",
    "vendi_1",
    "vendi_2",
    "distinct",
    "nearest_other_model",
    "ensemble_gain",
];

/// queries.parquet: how its columns are distributed, and the most and least alike queries by `inter_mean`, or by
/// `mean` where no query has two models.
fn queries(directory: &Path) -> Result<Value> {
    let mut wanted = vec!["query"];
    wanted.extend(QUERY_NUMBERS);
    let table = required(directory, "queries.parquet", &wanted)?;
    let names = strings(&table, "query")?;
    let columns: BTreeMap<&str, Vec<Option<f64>>> =
        QUERY_NUMBERS.iter().map(|c| Ok((*c, table.numbers(c)?))).collect::<Result<_>>()?;
    let by = if columns["inter_mean"].iter().any(Option::is_some) { "inter_mean" } else { "mean" };
    let mut sorted: Vec<usize> = (0..names.len()).filter(|&row| columns[by][row].is_some()).collect();
    sorted.sort_by(|&a, &b| descending(columns[by][a], columns[by][b]).then(a.cmp(&b)));
    let (most, least) = both_ends(&sorted);
    let line = |&row: &usize| {
        let mut line: Map<String, Value> =
            columns.iter().map(|(name, values)| ((*name).to_owned(), rounded_or_null(values[row]))).collect();
        line.insert("query".into(), cut(&names[row]).into());
        Value::Object(line)
    };
    let distributions: BTreeMap<&str, Distribution> = (columns.iter())
        .filter_map(|(name, values)| Some((*name, Distribution::of(values.iter().flatten().copied().collect())?)))
        .collect();
    Ok(json!({
        "by": by,
        "ranked": sorted.len(),
        "most": most.iter().map(line).collect::<Vec<_>>(),
        "least": least.iter().map(line).collect::<Vec<_>>(),
        "distributions": distributions,
    }))
}

/// topn.parquet: for each N, how distinct models are distributed over queries.
fn top_n(directory: &Path) -> Result<Value> {
    let table = required(directory, "topn.parquet", &["top_n", "distinct_models_mean"])?;
    let mut by_size: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (n, value) in table.numbers("top_n")?.into_iter().zip(table.numbers("distinct_models_mean")?) {
        if let (Some(n), Some(value)) = (n, value) {
            by_size.entry(n as u64).or_default().push(value);
        }
    }
    let line = |(n, mut values): (u64, Vec<f64>)| {
        values.sort_by(f64::total_cmp);
        let quantiles: Vec<Value> = [0.05, 0.25, 0.5, 0.75, 0.95].map(|p| rounded(quantile(&values, p))).into();
        json!({"n": n, "queries": values.len(), "quantiles": quantiles})
    };
    Ok(by_size.into_iter().map(line).collect())
}

/// histogram.parquet: counts by relation; null if the histogram was switched off.
fn histogram(directory: &Path) -> Result<Value> {
    let columns = ["relation", "low", "high", "pairs", "exact"];
    let Some(table) = Table::read(directory, "histogram.parquet", &columns)? else { return Ok(Value::Null) };
    let mut relations: Vec<(String, Vec<f64>)> = Vec::new();
    for (name, pairs) in strings(&table, "relation")?.into_iter().zip(table.numbers("pairs")?) {
        if relations.last().is_none_or(|(last, _)| *last != name) {
            relations.push((name, Vec::new()));
        }
        if let Some((_, counts)) = relations.last_mut() {
            counts.push(pairs.unwrap_or(0.0));
        }
    }
    let (low, high) = (table.numbers("low")?, table.numbers("high")?);
    let bins = relations.first().map_or(0, |(_, counts)| counts.len());
    if bins == 0 || relations.iter().any(|(_, counts)| counts.len() != bins) {
        return Err(damaged("histogram.parquet", &"relations have different bins"));
    }
    Ok(json!({
        "exact": table.numbers("exact")?.first().is_some_and(|exact| *exact == Some(1.0)),
        "low": low[..bins].iter().map(|v| rounded_or_null(*v)).collect::<Vec<_>>(),
        "high": high[..bins].iter().map(|v| rounded_or_null(*v)).collect::<Vec<_>>(),
        "relations": relations.iter().map(|(name, counts)| json!({"name": name, "counts": counts})).collect::<Vec<_>>(),
    }))
}

/// The largest groups of near duplicates in responses.parquet: size, models and queries of each.
fn duplicate_groups(directory: &Path) -> Result<Value> {
    let table = required(directory, "responses.parquet", &["duplicate_group", "query", "model"])?;
    let mut members: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (row, group) in table.numbers("duplicate_group")?.into_iter().enumerate() {
        if let Some(group) = group {
            members.entry(group as u64).or_default().push(row);
        }
    }
    if members.is_empty() {
        return Ok(json!([]));
    }
    let (queries, models) = (strings(&table, "query")?, strings(&table, "model")?);
    let mut groups: Vec<(u64, Vec<usize>)> = members.into_iter().collect();
    groups.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
    let distinct = |rows: &[usize], names: &[String]| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        rows.iter().for_each(|&row| *counts.entry(&names[row]).or_default() += 1);
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        json!({"count": counts.len(), "first": counts.iter().take(4).map(|(name, _)| cut(name)).collect::<Vec<_>>()})
    };
    let line = |(row, rows): &(u64, Vec<usize>)| json!({"row": row, "size": rows.len(), "models": distinct(rows, &models), "queries": distinct(rows, &queries)});
    Ok(groups.iter().take(ENDS).map(line).collect())
}

/// The files that lie beside the report.
fn files(directory: &Path) -> Value {
    let others = [
        ("summary.json", "every headline number, interval and floor; what was left out and why"),
        ("manifest.json", "version, settings, fingerprints of the input, device, timings"),
    ];
    (TABLES.iter().chain(&others))
        .filter_map(|(name, what)| {
            let bytes = std::fs::metadata(directory.join(name)).ok()?.len();
            Some(json!({"name": name, "what": what, "bytes": bytes}))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_share_no_item() {
        let (most, least) = both_ends(&[7, 8, 9]);
        assert_eq!((most, least), (vec![7, 8], vec![9]));
        let (most, least) = both_ends(&(0..100).collect::<Vec<_>>());
        assert_eq!((most.len(), least[0], least[9]), (ENDS, 99, 90));
    }

    #[test]
    fn what_is_no_result_is_a_mistake_in_the_call_and_what_is_damaged_is_content() {
        let directory = tempfile::tempdir().unwrap();
        let error = |name: &str, text: &str| {
            std::fs::write(directory.path().join(name), text).unwrap();
            gather(directory.path()).unwrap_err()
        };
        assert_eq!(gather(&directory.path().join("nowhere")).unwrap_err().exit_code(), 2);
        let found = gather(directory.path()).unwrap_err();
        assert!(found.exit_code() == 2 && found.to_string().contains("not a result of hivescope"), "{found}");
        let found = error("summary.json", "{\"version\": 1, \"rows\":");
        assert!(found.exit_code() == 3 && found.to_string().contains("summary.json"), "{found}");
        assert_eq!(error("summary.json", "[]").exit_code(), 3);
        let summary = serde_json::to_string(&Summary::default()).unwrap();
        assert_eq!(error("summary.json", &summary).exit_code(), 2, "without a manifest");
        let found = error("manifest.json", "{}");
        assert!(found.exit_code() == 3 && found.to_string().contains("models.parquet: is missing"), "{found}");
        let found = error("models.parquet", "PAR1 is all that is right here");
        assert!(found.exit_code() == 3 && found.to_string().contains("models.parquet"), "{found}");
    }
}
