//! One Parquet file through arrow-rs: footer, keys and vectors of a row group.

use super::columns::Columns;
use super::{InputOptions, Io};
use crate::base::{Error, Place, Result};
use crate::corpus::SourceFile;
use crate::corpus::layout::normalise_text;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows decoded at a time: the level buffers of larger batches fall out of the L2 cache.
const BATCH: usize = 1024;

/// An open file.
pub struct ParquetFile {
    /// Name for messages.
    pub name: String,
    bytes: Bytes,
    metadata: ArrowReaderMetadata,
}

/// Keys of a row group; `None` is null.
#[derive(Debug, Default)]
pub struct Keys {
    /// Query names.
    pub query: Vec<Option<String>>,
    /// Model names.
    pub model: Vec<Option<String>>,
    /// Sample keys.
    pub sample: Option<Vec<Option<String>>>,
    /// Hash of each normalised text; 0 where there is none.
    pub text: Option<Vec<u128>>,
    /// Optional columns in the order of [`Columns::roles`].
    pub roles: Vec<Vec<Option<String>>>,
}

/// Vectors of a row group, `rows x dim`; bad rows are zeros.
#[derive(Debug, Default)]
pub struct Vectors {
    /// Dimension; 0 if no row is good.
    pub dim: usize,
    /// Values of the rows.
    pub values: Vec<f32>,
    /// Rows (within the row group) that can't be used, and why.
    pub bad: Vec<(usize, String)>,
    /// Whether values were narrowed from f64.
    pub narrowed: bool,
}

/// Runs `work`; a panic inside the parquet crate becomes a content error.
fn guarded<T>(place: &Place, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::content(place.clone(), "the file is damaged (the Parquet reader gave up on it)"))
    })
}

impl ParquetFile {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// [`Error::Content`] for a damaged, encrypted or otherwise unreadable footer.
    pub fn open(file: &SourceFile, options: &InputOptions) -> Result<Self> {
        let place = Place::file(&file.name);
        let bytes = match options.io {
            Io::Pread => Bytes::from(std::fs::read(&file.path).map_err(|e| Error::io(&file.path, e))?),
            Io::Mmap => {
                let handle = std::fs::File::open(&file.path).map_err(|e| Error::io(&file.path, e))?;
                // SAFETY: the README asks not to change inputs during a run; size and time are checked before and
                // after. `--io pread` is there for files that may change.
                match unsafe { memmap2::Mmap::map(&handle) } {
                    Ok(map) => Bytes::from_owner(map),
                    Err(_) => Bytes::from(std::fs::read(&file.path).map_err(|e| Error::io(&file.path, e))?),
                }
            }
        };
        let metadata = guarded(&place, || {
            let reader = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let metadata =
                ArrowReaderMetadata::load(&bytes, reader).map_err(|e| Error::content(place.clone(), e.to_string()))?;
            for (group, row_group) in metadata.metadata().row_groups().iter().enumerate() {
                for column in row_group.columns() {
                    let data = column.data_page_offset();
                    let start = column.dictionary_page_offset().map_or(data, |dictionary| dictionary.min(data));
                    let size = column.compressed_size();
                    let inside =
                        start >= 0 && size >= 0 && (start as u64).saturating_add(size as u64) <= bytes.len() as u64;
                    if !inside {
                        return Err(Error::content(
                            place.clone().row_group(group),
                            "the footer points outside the file: it is damaged",
                        ));
                    }
                }
            }
            Ok(metadata)
        })?;
        Ok(Self { name: file.name.clone(), bytes, metadata })
    }

    /// Arrow schema from the Parquet schema alone (a writer's hint may be wrong).
    pub fn schema(&self) -> &arrow::datatypes::Schema {
        self.metadata.schema()
    }

    /// Rows of each row group.
    pub fn row_groups(&self) -> Vec<usize> {
        self.metadata.metadata().row_groups().iter().map(|group| group.num_rows().max(0) as usize).collect()
    }

    fn batches(&self, group: usize, names: &[&str], mut each: impl FnMut(&RecordBatch) -> Result<()>) -> Result<()> {
        let place = Place::file(&self.name).row_group(group);
        guarded(&place, || {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone());
            let roots = names.iter().filter_map(|name| self.schema().index_of(name).ok());
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            let content = |e: &dyn std::fmt::Display| Error::content(place.clone(), e.to_string());
            let reader = builder
                .with_row_groups(vec![group])
                .with_projection(mask)
                .with_batch_size(BATCH)
                .build()
                .map_err(|e| content(&e))?;
            for batch in reader {
                each(&batch.map_err(|e| content(&e))?)?;
            }
            Ok(())
        })
    }

    /// Keys of a row group.
    ///
    /// # Errors
    /// [`Error::Content`].
    pub fn keys(&self, group: usize, columns: &Columns) -> Result<Keys> {
        let mut keys = Keys {
            sample: columns.sample.as_ref().map(|_| Vec::new()),
            text: columns.text.as_ref().map(|_| Vec::new()),
            roles: vec![Vec::new(); columns.roles.len()],
            ..Keys::default()
        };
        let mut names: Vec<&str> = vec![&columns.query, &columns.model];
        names.extend(columns.sample.as_deref());
        names.extend(columns.text.as_deref());
        names.extend(columns.roles.iter().map(|(_, name)| name.as_str()));
        self.batches(group, &names, |batch| {
            let strings = |name: &str| self.strings(batch, name);
            keys.query.extend(strings(&columns.query)?);
            keys.model.extend(strings(&columns.model)?);
            if let (Some(out), Some(name)) = (&mut keys.sample, &columns.sample) {
                out.extend(strings(name)?);
            }
            if let (Some(out), Some(name)) = (&mut keys.text, &columns.text) {
                out.extend(strings(name)?.iter().map(|text| text.as_deref().map_or(0, text_hash)));
            }
            for (out, (_, name)) in keys.roles.iter_mut().zip(&columns.roles) {
                out.extend(strings(name)?);
            }
            Ok(())
        })?;
        Ok(keys)
    }

    /// A string or integer column of a batch as strings.
    fn strings(&self, batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
        let place = Place::file(&self.name).column(name);
        let column = batch
            .column_by_name(name)
            .ok_or_else(|| Error::content(place.clone(), "the column is missing in this file"))?;
        let column = match column.data_type() {
            DataType::Utf8 => column.clone(),
            _ => arrow::compute::cast(column, &DataType::Utf8).map_err(|e| Error::content(place, e.to_string()))?,
        };
        Ok(column.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect())
    }

    /// Texts of some rows of a row group (ascending, within the group).
    ///
    /// # Errors
    /// [`Error::Content`].
    pub fn texts(&self, group: usize, column: &str, rows: &[usize]) -> Result<Vec<Option<String>>> {
        let (mut at, mut next, mut out) = (0, 0, Vec::new());
        self.batches(group, &[column], |batch| {
            if next < rows.len() && rows[next] < at + batch.num_rows() {
                let strings = self.strings(batch, column)?;
                while next < rows.len() && rows[next] < at + batch.num_rows() {
                    out.push(strings[rows[next] - at].clone());
                    next += 1;
                }
            }
            at += batch.num_rows();
            Ok(())
        })?;
        Ok(out)
    }

    /// Vectors of a row group, checked row by row.
    ///
    /// # Errors
    /// [`Error::Content`] if the group can't be decoded.
    pub fn vectors(&self, group: usize, columns: &Columns) -> Result<Vectors> {
        let mut out = Vectors::default();
        let mut at = 0;
        self.batches(group, &[&columns.embedding], |batch| {
            let place = Place::file(&self.name).column(&columns.embedding).row_group(group);
            let column = batch
                .column_by_name(&columns.embedding)
                .ok_or_else(|| Error::content(place.clone(), "the column is missing in this file"))?;
            append_vectors(column.as_ref(), &place, at, &mut out)?;
            at += batch.num_rows();
            Ok(())
        })?;
        Ok(out)
    }
}

/// blake3 (16 bytes) of a normalised text; 0 if it is empty.
fn text_hash(text: &str) -> u128 {
    let normal = normalise_text(text);
    if normal.is_empty() {
        return 0;
    }
    let hash = blake3::hash(normal.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_le_bytes(short)
}

/// A row's values in f32, or why it can't be used.
fn append_vectors(column: &dyn Array, place: &Place, at: usize, out: &mut Vectors) -> Result<()> {
    let bad_type =
        || Error::content(place.clone(), format!("a column of type {} can't hold embeddings", column.data_type()));
    for row in 0..column.len() {
        let values = if column.is_null(row) {
            Err("the embedding is null".to_owned())
        } else {
            match column.data_type() {
                DataType::FixedSizeBinary(_) => {
                    let bytes = column.as_fixed_size_binary().value(row);
                    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
                }
                DataType::List(_) => {
                    floats(column.as_list::<i32>().value(row).as_ref(), &mut out.narrowed).ok_or_else(bad_type)?
                }
                DataType::LargeList(_) => {
                    floats(column.as_list::<i64>().value(row).as_ref(), &mut out.narrowed).ok_or_else(bad_type)?
                }
                DataType::FixedSizeList(_, _) => {
                    floats(column.as_fixed_size_list().value(row).as_ref(), &mut out.narrowed).ok_or_else(bad_type)?
                }
                _ => return Err(bad_type()),
            }
        };
        let checked = values.and_then(|values: Vec<f32>| {
            if values.is_empty() {
                return Err("the embedding is an empty list".into());
            }
            if let Some(i) = values.iter().position(|v| !v.is_finite()) {
                return Err(format!("element {i} is {}", values[i]));
            }
            if values.iter().all(|&v| v == 0.0) {
                return Err("the embedding is the zero vector: its cosine similarity is undefined".into());
            }
            if out.dim != 0 && values.len() != out.dim {
                return Err(format!("has {} dimensions, the rows before it {}", values.len(), out.dim));
            }
            Ok(values)
        });
        match checked {
            Ok(values) => {
                if out.dim == 0 {
                    out.dim = values.len();
                    out.values.resize((at + row) * out.dim, 0.0);
                }
                out.values.extend(values);
            }
            Err(problem) => {
                out.bad.push((at + row, problem));
                out.values.resize(out.values.len() + out.dim, 0.0);
            }
        }
    }
    Ok(())
}

/// Elements as f32: `None` if they are not floats, `Err` for a null or an overflow.
fn floats(items: &dyn Array, narrowed: &mut bool) -> Option<Result<Vec<f32>, String>> {
    if items.null_count() > 0 {
        let place = (0..items.len()).find(|&i| items.is_null(i)).unwrap_or(0);
        return Some(Err(format!("element {place} is null")));
    }
    Some(match items.data_type() {
        DataType::Float32 => Ok(items.as_primitive::<Float32Type>().values().to_vec()),
        DataType::Float16 => Ok(items.as_primitive::<Float16Type>().values().iter().map(|v| v.to_f32()).collect()),
        DataType::Float64 => {
            *narrowed = true;
            let values = items.as_primitive::<Float64Type>().values();
            match values.iter().position(|v| v.is_finite() && !(*v as f32).is_finite()) {
                Some(i) => Err(format!("element {i} is {:e}, too large for f32", values[i])),
                None => Ok(values.iter().map(|&v| v as f32).collect()),
            }
        }
        _ => return None,
    })
}
