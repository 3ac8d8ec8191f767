//! Parquet files for the tests of reading.

use arrow::array::{Array, ArrayRef, Int64Array, ListArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use hivescope::base::Silent;
use hivescope::input::{InputOptions, read};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::path::Path;
use std::sync::Arc;

pub const ROWS: usize = 50;
pub const DIM: usize = 17;

pub fn values() -> Vec<f32> {
    // Multiples of 1/64 below 16 are exact in f16.
    (0..ROWS * DIM)
        .map(|i| ((i * 37 % 1000) as f32 - 499.5) / 64.0)
        .map(|v| (v * 64.0).round() / 64.0 + 1.0 / 64.0)
        .collect()
}

pub fn list(items: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new("element", items.data_type().clone(), true));
    let lengths = std::iter::repeat_n(DIM, items.len() / DIM);
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), items, None))
}

pub fn batch(embedding: ArrayRef) -> RecordBatch {
    let n = embedding.len();
    let query: StringArray = (0..n).map(|i| Some(format!("q{}", i % 5))).collect();
    let model: Int64Array = (0..n).map(|i| Some((i % 2) as i64)).collect();
    let schema = Schema::new(vec![
        Field::new("Query", DataType::Utf8, true),
        Field::new("model", DataType::Int64, true),
        Field::new("embedding", embedding.data_type().clone(), true),
    ]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(query), Arc::new(model), embedding]).unwrap()
}

pub fn write(path: &Path, batch: &RecordBatch, properties: WriterProperties) {
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

pub fn options(inputs: &[&Path], scratch: &Path) -> InputOptions {
    InputOptions::new(inputs.iter().map(|p| p.to_string_lossy().into_owned()).collect(), scratch.to_path_buf())
}

pub fn plain() -> WriterProperties {
    WriterProperties::builder().set_dictionary_enabled(false).build()
}

/// Values of the corpus in file order.
pub fn read_back(options: &InputOptions) -> Vec<f32> {
    let corpus = read(options, &Silent).unwrap();
    corpus.layout.position_of.iter().flat_map(|&p| corpus.embeddings.row(p as usize).to_vec()).collect()
}
