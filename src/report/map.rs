//! What the page shows of map.parquet, packed: up to 100,000 points have to go into one file that still opens.
//!
//! Points come by query and model, so that what is alike stands together. Coordinates are 16-bit, categories the smallest
//! whole numbers that do, both little-endian in base64; long lists of texts are JSON in gzip in base64, in blocks that the
//! page unpacks when it needs them.

use super::values::{cut, required};
use crate::base::{Error, Result};
use crate::output::read::Table;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::{Compression, GzBuilder};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// Columns of responses.parquet that points can be coloured by, as far as there are any, after the query and the model.
const COLUMNS: [&str; 8] = ["source", "family", "stage", "arm", "context", "team", "cluster", "sample"];
/// Columns with more distinct values than this are no use on a map.
const VALUES: usize = 10_000;
/// Characters of a query's name.
const QUERY_CHARS: usize = 200;
/// Texts of a block.
const BLOCK: usize = 2048;
/// Where a category has no value.
const NONE: u32 = u32::MAX;

/// The map; null if it is left out. `manifest` says who are people.
pub(super) fn map(directory: &Path, manifest: &Value) -> Result<Value> {
    let Some(table) = Table::read_with(directory, "map.parquet", &["row", "x", "y"], &["text"])? else {
        return Ok(Value::Null);
    };
    let numbers = |column: &str| -> Result<Vec<f64>> {
        Ok(table.numbers(column)?.into_iter().map(Option::unwrap_or_default).collect())
    };
    let (rows, x, y) = (numbers("row")?, numbers("x")?, numbers("y")?);
    let responses = responses(directory)?;
    let (queries, models) = (responses.categories("query")?, responses.categories("model")?);
    let found = rows.iter().all(|&row| (row as usize) < queries.0.len());
    if !found || rows.is_empty() {
        return Err(super::values::damaged("map.parquet", &"its rows are not those of responses.parquet"));
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&point| {
        let row = rows[point] as usize;
        (queries.0[row], models.0[row], row)
    });
    let mut columns = vec![column("model", &models, &order, &rows)];
    for name in COLUMNS.iter().filter(|name| responses.has(name)) {
        let found = responses.categories(name)?;
        if found.1.len() <= VALUES {
            columns.push(column(name, &found, &order, &rows));
        }
    }
    // The names of queries are long, and there may be many: they are packed.
    let mut query = column("query", &queries, &order, &rows);
    let names: Vec<Value> = query["names"].as_array().cloned().unwrap_or_default();
    query["names"] = packed(&names)?;
    query["count"] = names.len().into();
    columns.insert(0, query);
    let texts = if table.has("text") {
        let texts = table.names("text")?;
        let texts: Vec<Value> = order.iter().map(|&point| texts[point].clone().into()).collect();
        packed(&texts)?
    } else {
        Value::Null
    };
    let (low, step) = scale(&x, &y);
    let quantised = |values: &[f64], low: f64| -> Vec<u32> {
        order.iter().map(|&point| ((values[point] - low) / step).round() as u32).collect()
    };
    let rows: Vec<u32> = order.iter().map(|&point| rows[point] as u32).collect();
    Ok(json!({
        "x": base64(&quantised(&x, low[0]), 16),
        "y": base64(&quantised(&y, low[1]), 16),
        "low": low,
        "step": step,
        "row": base64(&rows, 32),
        "columns": columns,
        "texts": texts,
        "block": BLOCK,
        "people": manifest["settings"]["effective"]["human"],
    }))
}

/// responses.parquet, of the columns that there are.
fn responses(directory: &Path) -> Result<Table> {
    match Table::read_with(directory, "responses.parquet", &["query", "model"], &COLUMNS)? {
        Some(table) => Ok(table),
        None => required(directory, "responses.parquet", &[]),
    }
}

/// The lowest coordinates, and the step of both axes: the wider one has all of 16 bits.
fn scale(x: &[f64], y: &[f64]) -> ([f64; 2], f64) {
    let ends = |values: &[f64]| {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least)
    };
    let ((left, wide), (bottom, high)) = (ends(x), ends(y));
    ([left, bottom], wide.max(high).max(f64::MIN_POSITIVE) / f64::from(u16::MAX))
}

/// A category of the points: the values that occur, and the place of each point's among them.
fn column(name: &str, (of_rows, names): &(Vec<Option<u32>>, Vec<String>), order: &[usize], rows: &[f64]) -> Value {
    let mut place = vec![NONE; names.len()];
    let mut kept: Vec<Value> = Vec::new();
    let ids: Vec<u32> = (order.iter())
        .map(|&point| {
            let Some(id) = of_rows[rows[point] as usize] else { return NONE };
            let place = &mut place[id as usize];
            if *place == NONE {
                *place = kept.len() as u32;
                let name = cut(&names[id as usize]);
                kept.push(match name.char_indices().nth(QUERY_CHARS) {
                    Some((end, _)) => format!("{}…", &name[..end]).into(),
                    None => name.into(),
                });
            }
            *place
        })
        .collect();
    // The largest number of each width stands for no value.
    let bits = [8, 16].into_iter().find(|bits| kept.len() < (1 << bits) - 1).unwrap_or(32);
    json!({"name": name, "ids": base64(&ids, bits), "bits": bits, "names": kept})
}

/// The lowest 8, 16 or 32 bits of each number, little-endian, in base64.
fn base64(values: &[u32], bits: usize) -> Value {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes().into_iter().take(bits / 8)).collect();
    BASE64_STANDARD.encode(bytes).into()
}

/// Blocks of a list of texts.
fn packed(texts: &[Value]) -> Result<Value> {
    let block = |texts: &[Value]| -> Result<Value> {
        let failed = |e: std::io::Error| Error::Run(format!("texts of the map could not be packed: {e}"));
        // No name and no time in it: the same texts give the same bytes.
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
        gzip.write_all(json!(texts).to_string().as_bytes()).map_err(failed)?;
        Ok(BASE64_STANDARD.encode(gzip.finish().map_err(failed)?).into())
    };
    Ok(Value::Array(texts.par_chunks(BLOCK).map(block).collect::<Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    fn bytes(value: &Value) -> Vec<u8> {
        BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap()
    }

    #[test]
    fn texts_come_back_block_by_block() {
        let texts: Vec<Value> =
            (0..BLOCK + 3).map(|i| if i == 5 { Value::Null } else { format!("é</script>\0{i}").into() }).collect();
        let blocks = packed(&texts).unwrap();
        let mut found = Vec::new();
        for block in blocks.as_array().unwrap() {
            let mut text = String::new();
            GzDecoder::new(&bytes(block)[..]).read_to_string(&mut text).unwrap();
            found.extend(serde_json::from_str::<Vec<Value>>(&text).unwrap());
        }
        assert_eq!((blocks.as_array().unwrap().len(), &found), (2, &texts));
        // The page looks for text i in block i / BLOCK.
        let mut last = String::new();
        GzDecoder::new(&bytes(&blocks[1])[..]).read_to_string(&mut last).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Value>>(&last).unwrap(), texts[BLOCK..]);
    }

    #[test]
    fn categories_keep_what_occurs_in_as_few_bits_as_do() {
        // Points of rows 2, 0 and 3; row 1 is not on the map.
        let names: Vec<String> = ["a", "b", "c"].map(String::from).into();
        let found = column("model", &(vec![Some(2), Some(1), Some(0), None], names), &[0, 1, 2], &[2.0, 0.0, 3.0]);
        assert_eq!((bytes(&found["ids"]), &found["names"]), (vec![0, 1, 255], &json!(["a", "c"])));
        for (count, bits) in [(254, 8), (255, 16), (65_534, 16), (65_535, 32)] {
            let names: Vec<String> = (0..count).map(|i| i.to_string()).collect();
            let ids = (0..count as u32).map(Some).collect();
            let points: Vec<f64> = (0..count).map(|i| i as f64).collect();
            let found = column("query", &(ids, names), &(0..count).collect::<Vec<_>>(), &points);
            assert_eq!(found["bits"], bits, "{count} values");
            assert_eq!(bytes(&found["ids"]).len(), count * bits / 8);
        }
    }

    #[test]
    fn both_axes_have_one_scale() {
        let (low, step) = scale(&[-1.0, 3.0], &[0.5, 0.75]);
        assert_eq!(low, [-1.0, 0.5]);
        assert!((step * 65535.0 - 4.0).abs() < 1e-12);
        assert!((scale(&[0.0, 1.0], &[2.0, 5.0]).1 * 65535.0 - 3.0).abs() < 1e-12, "the wider axis is the second");
        assert!(scale(&[1.0], &[1.0]).1 > 0.0);
    }
}
