//! Reading a table back, as JSON lines of its columns (for the report).

use crate::base::{Error, Place, Result};
use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, UInt16Type, UInt32Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};
use std::path::Path;

/// All rows of the table `name` in `directory`; `None` if there is no such file.
///
/// # Errors
/// [`Error::Io`], or [`Error::Content`] if it is no Parquet table.
pub fn table(directory: &Path, name: &str) -> Result<Option<Vec<Map<String, Value>>>> {
    let path = directory.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let bad = |e: &dyn std::fmt::Display| Error::content(Place::file(name), e.to_string());
    let file = std::fs::File::open(&path).map_err(|e| Error::io(&path, e))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|b| b.build()).map_err(|e| bad(&e))?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|e| bad(&e))?;
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            rows.push(
                (schema.fields().iter().zip(batch.columns()))
                    .map(|(field, column)| (field.name().clone(), cell(column.as_ref(), row)))
                    .collect(),
            );
        }
    }
    Ok(Some(rows))
}

/// One value; a type that tables do not have reads as null.
fn cell(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Dictionary(key, _) if **key == DataType::Int32 => {
            let dictionary = array.as_dictionary::<Int32Type>();
            let place = dictionary.keys().value(row) as usize;
            dictionary.values().as_any().downcast_ref::<StringArray>().map_or(Value::Null, |s| s.value(place).into())
        }
        DataType::FixedSizeList(..) => {
            let values = array.as_fixed_size_list().value(row);
            (0..values.len()).map(|i| cell(values.as_ref(), i)).collect()
        }
        _ => Value::Null,
    }
}
