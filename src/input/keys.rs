//! Keys of a row group: each distinct name once, and one number a row.

use super::columns::Columns;
use super::parquet_file::ParquetFile;
use super::refusal::is_refusal;
use crate::base::{Error, Place, Result};
use crate::corpus::excerpts::excerpt;
use crate::corpus::layout::normalise_text;
use arrow::array::{ArrayAccessor, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::record_batch::RecordBatch;
use std::collections::HashMap;

/// The number of a null.
pub const NULL: u32 = u32::MAX;

/// Rows decoded at a time.
const BATCH: usize = 1024;

/// Distinct names in order of appearance.
#[derive(Debug, Default)]
pub struct Names {
    ids: HashMap<String, u32>,
    list: Vec<String>,
}

impl Names {
    /// The number of `name`.
    pub fn id(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.list.len() as u32;
        self.ids.insert(name.to_owned(), id);
        self.list.push(name.to_owned());
        id
    }

    /// All of them.
    pub fn list(&self) -> &[String] {
        &self.list
    }
}

/// A column as numbers into [`Names`]; [`NULL`] where it is null.
#[derive(Debug, Default)]
pub struct Column {
    /// The names.
    pub names: Names,
    /// One number a row.
    pub ids: Vec<u32>,
    /// Numbers of integer keys, so that each is written out in decimal once.
    integers: HashMap<i64, u32>,
}

impl Column {
    /// Adds a key column of a batch.
    fn extend(&mut self, file: &ParquetFile, batch: &RecordBatch, name: &str) -> Result<()> {
        match batch.column_by_name(name).map(|column| (column, column.data_type())) {
            // u64 above i64 is rare enough to go by strings.
            Some((column, kind)) if kind.is_integer() && *kind != DataType::UInt64 => {
                let values = arrow::compute::cast(column, &DataType::Int64)
                    .map_err(|e| Error::content(Place::file(&file.name).column(name), e.to_string()))?;
                let (names, integers) = (&mut self.names, &mut self.integers);
                extend(&mut self.ids, values.as_primitive::<Int64Type>(), |value| {
                    *integers.entry(value).or_insert_with(|| names.id(&value.to_string()))
                });
            }
            _ => extend(&mut self.ids, &file.strings(batch, name)?, |value| self.names.id(value)),
        }
        Ok(())
    }

    /// Adds the rows of `other`.
    pub fn append(&mut self, other: &Self) {
        let renamed: Vec<u32> = other.names.list().iter().map(|name| self.names.id(name)).collect();
        self.ids.extend(other.ids.iter().map(|&id| renamed.get(id as usize).copied().unwrap_or(NULL)));
    }

    /// Adds `rows` nulls.
    pub fn append_nulls(&mut self, rows: usize) {
        self.ids.resize(self.ids.len() + rows, NULL);
    }
}

/// Adds the number of each value. Dumps are mostly sorted by a key: the value of the row before is the likeliest.
#[expect(clippy::needless_pass_by_value, reason = "an accessor is a reference")]
fn extend<A: ArrayAccessor>(ids: &mut Vec<u32>, values: A, mut id: impl FnMut(A::Item) -> u32)
where
    A::Item: PartialEq + Copy,
{
    let mut last: Option<(A::Item, u32)> = None;
    for row in 0..values.len() {
        if values.is_null(row) {
            ids.push(NULL);
            continue;
        }
        let value = values.value(row);
        match last {
            Some((before, id)) if before == value => ids.push(id),
            _ => {
                let id = id(value);
                last = Some((value, id));
                ids.push(id);
            }
        }
    }
}

/// Keys of consecutive rows.
#[derive(Debug, Default)]
pub struct Keys {
    /// Queries.
    pub query: Column,
    /// Models.
    pub model: Column,
    /// Sample keys.
    pub sample: Option<Column>,
    /// blake3 (16 bytes) of each normalised text; 0 where there is none.
    pub text: Option<Vec<u128>>,
    /// Characters of each text; 0 where there is none.
    pub text_chars: Option<Vec<u32>>,
    /// Whether each text reads like a refusal.
    pub refusal: Option<Vec<bool>>,
    /// How each normalised text begins, one after the other.
    pub excerpts: Vec<u8>,
    /// Bytes of each.
    pub excerpt_lengths: Vec<u16>,
    /// Optional columns in the order of [`Columns::roles`].
    pub roles: Vec<Column>,
    /// Columns of numbers in the order of [`Columns::numbers`]; NaN where a value is null or not finite.
    pub numbers: Vec<Vec<f64>>,
}

impl Keys {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.query.ids.len()
    }

    /// Reads the keys of a row group.
    ///
    /// # Errors
    /// [`crate::base::Error::Content`].
    pub fn read(file: &ParquetFile, group: usize, columns: &Columns) -> Result<Self> {
        let mut keys = Self {
            sample: columns.sample.as_ref().map(|_| Column::default()),
            text: columns.text.as_ref().map(|_| Vec::new()),
            text_chars: columns.text.as_ref().map(|_| Vec::new()),
            refusal: columns.text.as_ref().map(|_| Vec::new()),
            roles: columns.roles.iter().map(|_| Column::default()).collect(),
            numbers: columns.numbers.iter().map(|_| Vec::new()).collect(),
            ..Self::default()
        };
        let names: Vec<&str> = columns.keys().collect();
        file.batches(group, &names, BATCH, |batch| {
            keys.query.extend(file, batch, &columns.query)?;
            keys.model.extend(file, batch, &columns.model)?;
            if let (Some(out), Some(name)) = (&mut keys.sample, &columns.sample) {
                out.extend(file, batch, name)?;
            }
            if let (Some(hashes), Some(chars), Some(refusals), Some(name)) =
                (&mut keys.text, &mut keys.text_chars, &mut keys.refusal, &columns.text)
            {
                let texts = file.strings(batch, name)?;
                for text in texts.iter().map(Option::unwrap_or_default) {
                    let normal = normalise_text(text);
                    hashes.push(text_hash(&normal));
                    chars.push(text.chars().count() as u32);
                    refusals.push(is_refusal(&normal));
                    keys.excerpts.extend_from_slice(excerpt(&normal).as_bytes());
                    keys.excerpt_lengths.push(excerpt(&normal).len() as u16);
                }
            }
            for ((_, name), out) in columns.roles.iter().zip(&mut keys.roles) {
                out.extend(file, batch, name)?;
            }
            for ((_, name), out) in columns.numbers.iter().zip(&mut keys.numbers) {
                extend_numbers(out, file, batch, name)?;
            }
            Ok(())
        })?;
        Ok(keys)
    }
}

/// Numbers of this size and more are marks of something missing; their sums and squares might not be finite.
const MOST: f64 = 1e100;

/// Adds a column of numbers of a batch.
fn extend_numbers(out: &mut Vec<f64>, file: &ParquetFile, batch: &RecordBatch, name: &str) -> Result<()> {
    let failed = |problem: &str| Error::content(Place::file(&file.name).column(name), problem);
    let column = batch.column_by_name(name).ok_or_else(|| failed("the column is missing in this file"))?;
    let values = arrow::compute::cast(column, &DataType::Float64).map_err(|e| failed(&e.to_string()))?;
    let known = |value: Option<f64>| value.filter(|value| value.abs() < MOST).unwrap_or(f64::NAN);
    out.extend(values.as_primitive::<Float64Type>().iter().map(known));
    Ok(())
}

/// blake3 (16 bytes) of a normalised text; 0 if it is empty.
fn text_hash(normal: &str) -> u128 {
    if normal.is_empty() {
        return 0;
    }
    let hash = blake3::hash(normal.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_le_bytes(short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringArray;

    #[test]
    fn columns_of_several_groups_join_by_name() {
        let mut all = Column::default();
        for group in [vec![Some("b"), Some("b"), None, Some("a")], vec![Some("c"), Some("a")]] {
            let mut column = Column::default();
            extend(&mut column.ids, &StringArray::from(group), |name| column.names.id(name));
            all.append(&column);
        }
        all.append_nulls(1);
        assert_eq!(all.names.list(), ["b", "a", "c"]);
        assert_eq!(all.ids, [0, 0, NULL, 1, 2, 1, NULL]);
    }
}
