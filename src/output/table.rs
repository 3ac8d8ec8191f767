//! How a table is written: columns of one batch, and the Parquet writer with its settings.

use crate::base::{Error, Result};
use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array,
    ListBuilder, RecordBatch, StringArray, StringBuilder, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding, Type, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Rows of a batch, which is built in memory.
const BATCH: usize = 1 << 16;

/// Most rows of a row group; its encoded columns are in memory until it is written.
const ROW_GROUP: usize = 1 << 18;

/// The columns of one batch, in table order.
#[derive(Default)]
pub(super) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn push(&mut self, name: &str, array: ArrayRef, nullable: bool) {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }
    pub(super) fn u16(&mut self, name: &str, values: impl Iterator<Item = u16>) {
        self.push(name, Arc::new(UInt16Array::from_iter_values(values)), false);
    }
    pub(super) fn u32(&mut self, name: &str, values: impl Iterator<Item = u32>) {
        self.push(name, Arc::new(UInt32Array::from_iter_values(values)), false);
    }
    pub(super) fn u32_or_null(&mut self, name: &str, values: impl Iterator<Item = Option<u32>>) {
        self.push(name, Arc::new(values.collect::<UInt32Array>()), true);
    }
    pub(super) fn u64(&mut self, name: &str, values: impl Iterator<Item = u64>) {
        self.push(name, Arc::new(UInt64Array::from_iter_values(values)), false);
    }
    pub(super) fn i64(&mut self, name: &str, values: impl Iterator<Item = i64>) {
        self.push(name, Arc::new(Int64Array::from_iter_values(values)), false);
    }
    pub(super) fn f32(&mut self, name: &str, values: impl Iterator<Item = f32>) {
        self.push(name, Arc::new(Float32Array::from_iter_values(values)), false);
    }
    pub(super) fn f32_or_null(&mut self, name: &str, values: impl Iterator<Item = Option<f32>>) {
        self.push(name, Arc::new(values.collect::<Float32Array>()), true);
    }
    pub(super) fn f64(&mut self, name: &str, values: impl Iterator<Item = f64>) {
        self.push(name, Arc::new(Float64Array::from_iter_values(values)), false);
    }
    pub(super) fn f64_or_null(&mut self, name: &str, values: impl Iterator<Item = Option<f64>>) {
        self.push(name, Arc::new(values.collect::<Float64Array>()), true);
    }
    pub(super) fn bool(&mut self, name: &str, values: impl Iterator<Item = bool>) {
        self.push(name, Arc::new(values.map(Some).collect::<BooleanArray>()), false);
    }
    /// Dictionary strings; `keys` are places in `names`.
    pub(super) fn name(&mut self, name: &str, keys: impl Iterator<Item = u32>, names: &Arc<StringArray>) -> Result<()> {
        let keys = Int32Array::from_iter_values(keys.map(|key| key as i32));
        let array = DictionaryArray::<Int32Type>::try_new(keys, names.clone()).map_err(failed)?;
        self.push(name, Arc::new(array), false);
        Ok(())
    }
    /// Dictionary strings that may be null.
    pub(super) fn name_or_null(
        &mut self,
        name: &str,
        keys: impl Iterator<Item = Option<u32>>,
        names: &Arc<StringArray>,
    ) -> Result<()> {
        let keys: Int32Array = keys.map(|key| key.map(|key| key as i32)).collect();
        let array = DictionaryArray::<Int32Type>::try_new(keys, names.clone()).map_err(failed)?;
        self.push(name, Arc::new(array), true);
        Ok(())
    }
    /// Dictionary strings as they are, or null.
    pub(super) fn text<'a>(&mut self, name: &str, values: impl Iterator<Item = Option<&'a str>>, nullable: bool) {
        self.push(name, Arc::new(values.collect::<DictionaryArray<Int32Type>>()), nullable);
    }
    /// A list of strings a row.
    pub(super) fn texts<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a [String]>) {
        let mut lists = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, false));
        for list in values {
            list.iter().for_each(|text| lists.values().append_value(text));
            lists.append(true);
        }
        self.push(name, Arc::new(lists.finish()), false);
    }
    /// Ten f64 a row, or null.
    pub(super) fn bins(&mut self, name: &str, values: impl Iterator<Item = Option<[f64; 10]>>) -> Result<()> {
        let (mut flat, mut valid) = (Vec::new(), Vec::new());
        for value in values {
            flat.extend(value.unwrap_or([0.0; 10]));
            valid.push(value.is_some());
        }
        let item = Arc::new(Field::new("item", DataType::Float64, false));
        let values = Arc::new(Float64Array::from(flat));
        let array = FixedSizeListArray::try_new(item, 10, values, Some(NullBuffer::from(valid))).map_err(failed)?;
        self.push(name, Arc::new(array), true);
        Ok(())
    }
}

/// Names as dictionary values.
pub(super) fn names(names: &[String]) -> Arc<StringArray> {
    Arc::new(StringArray::from_iter_values(names))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Run(format!("a table could not be built: {error}"))
}

/// Writes `rows` rows to `path`, batch after batch in order, and syncs the file.
pub(super) fn write(
    path: &Path,
    rows: usize,
    mut batch: impl FnMut(Range<usize>, &mut Columns) -> Result<()>,
) -> Result<()> {
    let io = |e: std::io::Error| Error::io(path, e);
    let pq = |e: parquet::errors::ParquetError| Error::io(path, std::io::Error::other(e));
    let mut writer: Option<ArrowWriter<File>> = None;
    let mut start = 0;
    loop {
        let end = rows.min(start + BATCH);
        let mut columns = Columns::default();
        batch(start..end, &mut columns)?;
        let schema = Arc::new(Schema::new(columns.fields));
        let record = RecordBatch::try_new(schema.clone(), columns.arrays).map_err(failed)?;
        let mut open = match writer.take() {
            Some(open) => open,
            None => {
                let file = File::create(path).map_err(io)?;
                ArrowWriter::try_new(file, schema.clone(), Some(properties(&schema).map_err(pq)?)).map_err(pq)?
            }
        };
        open.write(&record).map_err(pq)?;
        start = end;
        if start == rows {
            return open.into_inner().map_err(pq)?.sync_all().map_err(io);
        }
        writer = Some(open);
    }
}

fn properties(schema: &Schema) -> parquet::errors::Result<WriterProperties> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_created_by(format!("hivescope {}", env!("CARGO_PKG_VERSION")));
    for column in ArrowSchemaConverter::new().convert(schema)?.columns() {
        let path = column.path().clone();
        builder = match column.physical_type() {
            Type::FLOAT | Type::DOUBLE => builder.set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT),
            Type::BYTE_ARRAY => builder.set_column_dictionary_enabled(path, true),
            _ if column.name() == "src" => builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
            _ => builder,
        };
    }
    Ok(builder.build())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error_that_names_the_path() {
        let path = Path::new("/dev/full");
        let error = write(path, 3 * BATCH, |range, c| {
            c.u32("value", range.map(|i| (i as u32).wrapping_mul(2_654_435_761)));
            Ok(())
        })
        .expect_err("nothing can be written there");
        assert_eq!(error.exit_code(), 1);
        let message = error.to_string();
        assert!(message.starts_with("/dev/full: ") && message.contains("No space left"), "{message}");
    }
}
