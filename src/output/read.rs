//! Reading a table back, column by column (for the report).

use crate::base::{Error, Place, Result};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type, UInt32Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Some columns of a table, in memory.
#[derive(Debug)]
pub struct Table {
    name: String,
    known: Vec<String>,
    rows: RecordBatch,
}

impl Table {
    /// Reads `columns` of the table `name` in `directory`; `None` if there is no such file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Content`] if it is no Parquet table or lacks one of the columns.
    pub fn read(directory: &Path, name: &str, columns: &[&str]) -> Result<Option<Self>> {
        let path = directory.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let damaged = |e: &dyn std::fmt::Display| {
            Error::content(Place::file(name), format!("can't be read as a Parquet table ({e}); run hivescope again"))
        };
        let file = std::fs::File::open(&path).map_err(|e| Error::io(&path, e))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(&e))?;
        let schema = builder.schema().clone();
        if let Some(missing) = columns.iter().find(|column| schema.column_with_name(column).is_none()) {
            let problem = "is missing: the table is damaged or of another version; run hivescope again";
            return Err(Error::content(Place::file(name).column(*missing), problem));
        }
        let known = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        let reader = builder.with_projection(mask).build().map_err(|e| damaged(&e))?;
        let schema = arrow::record_batch::RecordBatchReader::schema(&reader);
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|e| damaged(&e))?;
        let rows = concat_batches(&schema, &batches).map_err(|e| damaged(&e))?;
        Ok(Some(Self { name: name.into(), known, rows }))
    }

    /// Reads `columns` and those of `optional` that the table has.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read_with(directory: &Path, name: &str, columns: &[&str], optional: &[&str]) -> Result<Option<Self>> {
        let Some(none) = Self::read(directory, name, &[])? else { return Ok(None) };
        let present = optional.iter().filter(|column| none.known.iter().any(|known| known == *column));
        Self::read(directory, name, &columns.iter().chain(present).copied().collect::<Vec<_>>())
    }

    /// Whether a column was read.
    pub fn has(&self, column: &str) -> bool {
        self.rows.column_by_name(column).is_some()
    }

    /// A column of strings or whole numbers as places among its distinct values, which come in order of appearance; `None`
    /// where it is null.
    ///
    /// # Errors
    /// [`Error::Content`] if the column was not read or holds something else.
    pub fn categories(&self, column: &str) -> Result<(Vec<Option<u32>>, Vec<String>)> {
        let array = self.column(column)?;
        let (keys, values) = match array.as_any_dictionary_opt() {
            Some(dictionary) => {
                let keys = cast(dictionary.keys(), &DataType::UInt32).map_err(|_| self.unusable(column, array))?;
                (keys, dictionary.values().clone())
            }
            None => (Arc::new(UInt32Array::from_iter_values(0..array.len() as u32)) as ArrayRef, array.clone()),
        };
        let values = cast(&values, &DataType::Utf8).map_err(|_| self.unusable(column, array))?;
        let values = values.as_string::<i32>();
        let (mut places, mut names) = (HashMap::new(), Vec::new());
        let mut place = |key: u32| {
            let at = key as usize;
            (!values.is_null(at)).then(|| {
                *places.entry(values.value(at)).or_insert_with(|| {
                    names.push(values.value(at).to_owned());
                    names.len() as u32 - 1
                })
            })
        };
        let found = keys.as_primitive::<UInt32Type>().iter().map(|key| key.and_then(&mut place)).collect();
        Ok((found, names))
    }

    /// A column of numbers or booleans (1 and 0) as f64.
    ///
    /// # Errors
    /// [`Error::Content`] if the column was not read or holds something else.
    pub fn numbers(&self, column: &str) -> Result<Vec<Option<f64>>> {
        let array = self.cast(column, &DataType::Float64)?;
        Ok(array.as_primitive::<Float64Type>().iter().collect())
    }

    /// A column of strings.
    ///
    /// # Errors
    /// [`Error::Content`] if the column was not read or holds something else.
    pub fn names(&self, column: &str) -> Result<Vec<Option<String>>> {
        let array = self.cast(column, &DataType::Utf8)?;
        Ok(array.as_string::<i32>().iter().map(|name| name.map(str::to_owned)).collect())
    }

    /// A column of fixed-size lists of numbers.
    ///
    /// # Errors
    /// [`Error::Content`] if the column was not read or holds something else.
    pub fn lists(&self, column: &str) -> Result<Vec<Option<Vec<f64>>>> {
        let array = self.column(column)?;
        let lists = array.as_fixed_size_list_opt().ok_or_else(|| self.unusable(column, array))?;
        let values = |list: ArrayRef| {
            let numbers = cast(&list, &DataType::Float64).map_err(|_| self.unusable(column, array))?;
            Ok(numbers.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)).collect())
        };
        lists.iter().map(|list| list.map(values).transpose()).collect()
    }

    /// A column of lists of strings.
    ///
    /// # Errors
    /// [`Error::Content`] if the column was not read or holds something else.
    pub fn texts(&self, column: &str) -> Result<Vec<Vec<String>>> {
        let array = self.column(column)?;
        let lists = array.as_list_opt::<i32>().ok_or_else(|| self.unusable(column, array))?;
        let texts = |list: ArrayRef| {
            let strings = list.as_string_opt::<i32>().ok_or_else(|| self.unusable(column, array))?;
            Ok(strings.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
        };
        lists.iter().map(|list| list.map_or_else(|| Ok(Vec::new()), texts)).collect()
    }

    fn column(&self, column: &str) -> Result<&ArrayRef> {
        let missing = || Error::content(Place::file(&*self.name).column(column), "is missing");
        self.rows.column_by_name(column).ok_or_else(missing)
    }

    fn cast(&self, column: &str, to: &DataType) -> Result<ArrayRef> {
        let array = self.column(column)?;
        let plain = matches!(array.data_type(), DataType::Utf8 | DataType::Dictionary(..));
        if plain != (*to == DataType::Utf8) {
            return Err(self.unusable(column, array));
        }
        cast(array, to).map_err(|_| self.unusable(column, array))
    }

    fn unusable(&self, column: &str, array: &ArrayRef) -> Error {
        let problem = format!("has the unexpected type {}; run hivescope again", array.data_type());
        Error::content(Place::file(&*self.name).column(column), problem)
    }
}

#[cfg(test)]
mod tests {
    use super::super::table;
    use super::*;

    #[test]
    fn categories_are_places_among_distinct_values_by_appearance() {
        let directory = tempfile::tempdir().unwrap();
        let names = table::names(&["a", "b", "unused"].map(String::from));
        table::write(&directory.path().join("t.parquet"), 4, |range, c| {
            c.name_or_null("name", range.clone().map(|i| [Some(1), None, Some(0), Some(1)][i]), &names)?;
            c.text("text", range.clone().map(|i| [Some("x"), Some("y"), None, Some("x")][i]), true);
            c.i64("number", range.map(|i| [7, -7, 7, 0][i]));
            Ok(())
        })
        .unwrap();
        let table =
            Table::read_with(directory.path(), "t.parquet", &["name"], &["number", "text", "none"]).unwrap().unwrap();
        assert!(table.has("text") && !table.has("none"));
        let found = |column: &str| table.categories(column).unwrap();
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(found("name"), (vec![Some(0), None, Some(1), Some(0)], strings(&["b", "a"])));
        assert_eq!(found("text"), (vec![Some(0), Some(1), None, Some(0)], strings(&["x", "y"])));
        assert_eq!(found("number"), (vec![Some(0), Some(1), Some(0), Some(2)], strings(&["7", "-7", "0"])));
        assert!(table.categories("none").is_err());
        assert!(Table::read_with(directory.path(), "no.parquet", &["name"], &[]).unwrap().is_none());
    }
}
