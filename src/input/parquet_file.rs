//! One Parquet file: footer, schema, row groups, and record batches through arrow-rs.

use super::InputOptions;
use super::source::Source;
use crate::base::{Error, Place, Result};
use crate::corpus::SourceFile;
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows decoded at a time, at most: level buffers of larger batches fall out of the L2 cache.
const BATCH: usize = 1024;

thread_local! {
    /// Whether this thread is inside [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread will become an error, so that a panic hook need not print it.
pub fn panic_is_handled() -> bool {
    GUARDED.get()
}

/// Runs `work`; a panic inside the parquet crate becomes a content error.
fn guarded<T>(place: &Place, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    result.unwrap_or_else(|_| {
        Err(Error::content(place.clone(), "the file is damaged (the Parquet reader gave up on it)"))
    })
}

/// An open file.
pub struct ParquetFile {
    /// Name for messages.
    pub name: String,
    source: Source,
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// [`Error::Content`] for a damaged, encrypted or otherwise unreadable footer.
    pub fn open(file: &SourceFile, options: &InputOptions) -> Result<Self> {
        let place = Place::file(&file.name);
        let source = Source::open(file, options.io)?;
        let metadata = guarded(&place, || {
            let reader = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let metadata =
                ArrowReaderMetadata::load(&source, reader).map_err(|e| Error::content(place.clone(), e.to_string()))?;
            check_places(metadata.metadata(), file.bytes, &place)?;
            Ok(metadata)
        })?;
        Ok(Self { name: file.name.clone(), source, metadata })
    }

    /// Arrow schema from the Parquet schema alone (a writer's hint may be wrong).
    pub fn schema(&self) -> &arrow::datatypes::Schema {
        self.metadata.schema()
    }

    /// The footer.
    pub fn metadata(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }

    /// The bytes.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Rows of each row group.
    pub fn row_groups(&self) -> Vec<usize> {
        self.metadata().row_groups().iter().map(|group| group.num_rows().max(0) as usize).collect()
    }

    /// Says which of `columns` can't be read at all, before anything is decoded.
    ///
    /// # Errors
    /// [`Error::Content`] for a compression that no release of the reader knows.
    pub fn check_codecs<'a>(&self, columns: impl Iterator<Item = &'a str>) -> Result<()> {
        let schema = self.metadata().file_metadata().schema_descr();
        let roots: Vec<usize> = columns.filter_map(|name| self.schema().index_of(name).ok()).collect();
        for (group, metadata) in self.metadata().row_groups().iter().enumerate() {
            for (leaf, chunk) in metadata.columns().iter().enumerate() {
                let root = schema.get_column_root_idx(leaf);
                if chunk.compression() == Compression::LZO && roots.contains(&root) {
                    return Err(Error::content(
                        Place::file(&self.name).column(self.schema().field(root).name()).row_group(group),
                        "is compressed with LZO, which is not supported; write it again with zstd, snappy or none",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Record batches of some columns of a row group, with at most `rows` rows each.
    ///
    /// # Errors
    /// [`Error::Content`] if the group can't be decoded, and those of `each`.
    pub fn batches(
        &self,
        group: usize,
        names: &[&str],
        rows: usize,
        mut each: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let place = Place::file(&self.name).row_group(group);
        guarded(&place, || {
            let builder =
                ParquetRecordBatchReaderBuilder::new_with_metadata(self.source.clone(), self.metadata.clone());
            let roots = names.iter().filter_map(|name| self.schema().index_of(name).ok());
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            let content = |e: &dyn std::fmt::Display| Error::content(place.clone(), in_plain_words(&e.to_string()));
            let reader = builder
                .with_row_groups(vec![group])
                .with_projection(mask)
                .with_batch_size(rows.clamp(1, BATCH))
                .build()
                .map_err(|e| content(&e))?;
            for batch in reader {
                each(&batch.map_err(|e| content(&e))?)?;
            }
            Ok(())
        })
    }

    /// Runs `work` on this file; a panic inside the parquet crate becomes a content error.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Content`] for a panic.
    pub fn guarded<T>(&self, group: usize, work: impl FnOnce() -> T) -> Result<T> {
        guarded(&Place::file(&self.name).row_group(group), || Ok(work()))
    }

    /// A key or text column of a batch as strings; numbers in decimal, timestamps in ISO 8601 (UTC where they have a
    /// time zone).
    ///
    /// # Errors
    /// [`Error::Content`] if the column is missing or is neither.
    pub fn strings(&self, batch: &RecordBatch, name: &str) -> Result<StringArray> {
        let place = Place::file(&self.name).column(name);
        let column = batch
            .column_by_name(name)
            .ok_or_else(|| Error::content(place.clone(), "the column is missing in this file"))?;
        if let DataType::Utf8 = column.data_type() {
            return Ok(column.as_string::<i32>().clone());
        }
        let cast = |column: &ArrayRef, to: &DataType| {
            arrow::compute::cast(column, to).map_err(|e| Error::content(place.clone(), e.to_string()))
        };
        let text = match column.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                cast(&cast(column, &DataType::Timestamp(*unit, None))?, &DataType::Utf8)?
            }
            _ => cast(column, &DataType::Utf8)?,
        };
        Ok(text.as_string::<i32>().clone())
    }

    /// Texts of some rows of a row group (ascending, within the group).
    ///
    /// # Errors
    /// [`Error::Content`].
    pub fn texts(&self, group: usize, column: &str, rows: &[usize], chars: usize) -> Result<Vec<Option<String>>> {
        let (mut at, mut next, mut out) = (0, 0, Vec::new());
        self.batches(group, &[column], BATCH, |batch| {
            if next < rows.len() && rows[next] < at + batch.num_rows() {
                let strings = self.strings(batch, column)?;
                while next < rows.len() && rows[next] < at + batch.num_rows() {
                    let row = rows[next] - at;
                    out.push(strings.is_valid(row).then(|| cut(strings.value(row), chars)));
                    next += 1;
                }
            }
            at += batch.num_rows();
            Ok(())
        })?;
        Ok(out)
    }
}

/// At most `chars` characters of `text`, with an ellipsis where something was cut.
fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The parquet crate's message, or a better one where its words mislead.
fn in_plain_words(message: &str) -> String {
    // What an encrypted column under a plain footer looks like to a reader that can't decrypt.
    if message.contains("Required field") {
        return "a page header can't be read: the file is damaged, or a column is encrypted (decrypt it first)".into();
    }
    message.to_owned()
}

/// Every column chunk lies inside the file: the reader takes the footer's word for it and panics.
fn check_places(metadata: &ParquetMetaData, bytes: u64, place: &Place) -> Result<()> {
    for (group, row_group) in metadata.row_groups().iter().enumerate() {
        for column in row_group.columns() {
            let data = column.data_page_offset();
            let start = column.dictionary_page_offset().map_or(data, |dictionary| dictionary.min(data));
            let size = column.compressed_size();
            let inside = start >= 0 && size >= 0 && (start as u64).saturating_add(size as u64) <= bytes;
            if !inside {
                return Err(Error::content(
                    place.clone().row_group(group),
                    "the footer points outside the file: it is damaged",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_characters() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut(&"é".repeat(6), 5), "ééééé…");
    }

    #[test]
    fn a_panic_of_the_reader_is_an_error_that_names_the_file() {
        let place = Place::file("a.parquet").row_group(3);
        let error = guarded(&place, || -> Result<()> {
            assert!(panic_is_handled());
            panic!("as the reader does");
        })
        .expect_err("a panic");
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().starts_with("a.parquet, row group 3: the file is damaged"), "{error}");
        assert!(!panic_is_handled());
    }
}
