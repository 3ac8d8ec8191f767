//! Embeddings through arrow-rs, row by row: reads whatever arrow-rs reads, and says what is wrong with a row.

use super::columns::Columns;
use super::parquet_file::ParquetFile;
use super::placement::Placement;
use crate::base::{Error, Place, Result};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use half::f16;
use half::slice::HalfFloatSliceExt;

/// Elements decoded at a time, about: values and levels of a batch stay in the L2 cache.
const BATCH_ELEMENTS: usize = 1 << 18;

/// What is wrong with a row group whose columns don't have the rows that the footer says.
pub const MISCOUNTED: &str = "holds another number of rows than it says: it is damaged";

/// Rows that are asked for the dimension.
const FIRST_ROWS: usize = 64;

/// What was found in a row group.
#[derive(Debug, Default)]
pub struct Found {
    /// Rows (within the row group) that can't be used, and why.
    pub bad: Vec<(usize, String)>,
    /// Whether values were narrowed from f64.
    pub narrowed: bool,
    /// The dimension of the first row with another one than the corpus.
    pub other_dim: Option<usize>,
    /// Rows that can be used.
    pub good: usize,
}

/// Values of a row as the file has them.
#[derive(Debug, Clone, Copy)]
enum Floats<'a> {
    F16(&'a [f16]),
    F32(&'a [f32]),
    F64(&'a [f64]),
    /// Little-endian f32.
    Bytes(&'a [u8]),
}

impl Floats<'_> {
    fn len(self) -> usize {
        match self {
            Self::F16(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::Bytes(v) => v.len() / 4,
        }
    }

    /// All elements in f32.
    fn narrow(self, out: &mut [f32]) {
        match self {
            Self::F32(v) => out.copy_from_slice(v),
            Self::F16(v) => v.convert_to_f32_slice(out),
            Self::F64(v) => out.iter_mut().zip(v).for_each(|(out, &v)| *out = v as f32),
            Self::Bytes(_) => out.iter_mut().enumerate().for_each(|(i, out)| *out = self.get(i).1),
        }
    }

    /// Element `i` as it stands, and in f32.
    fn get(self, i: usize) -> (f64, f32) {
        match self {
            Self::F16(v) => (v[i].to_f64(), v[i].to_f32()),
            Self::F32(v) => (f64::from(v[i]), v[i]),
            Self::F64(v) => (v[i], v[i] as f32),
            Self::Bytes(v) => {
                let value = f32::from_le_bytes([v[4 * i], v[4 * i + 1], v[4 * i + 2], v[4 * i + 3]]);
                (f64::from(value), value)
            }
        }
    }

    /// Why a row of the right length can't be used.
    fn problem(self) -> String {
        for i in 0..self.len() {
            let (wide, narrow) = self.get(i);
            if !wide.is_finite() {
                return format!("element {i} is {wide}");
            }
            if !narrow.is_finite() {
                return format!("element {i} is {wide:e}, too large for f32");
            }
        }
        "the embedding is the zero vector: its cosine similarity is undefined".into()
    }
}

/// Rows of a batch.
struct RowsOf<'a> {
    column: &'a ArrayRef,
    /// Elements of a list column.
    items: Option<ArrayRef>,
}

impl<'a> RowsOf<'a> {
    fn new(column: &'a ArrayRef) -> Option<Self> {
        let items = match column.data_type() {
            DataType::List(item) if item.data_type().is_floating() => Some(column.as_list::<i32>().values().clone()),
            DataType::FixedSizeBinary(width) if width % 4 == 0 => None,
            _ => return None,
        };
        Some(Self { column, items })
    }

    /// Values of a row, or why there are none.
    fn get(&self, row: usize) -> Result<Floats<'_>, String> {
        if self.column.is_null(row) {
            return Err("the embedding is null".into());
        }
        let Some(items) = &self.items else {
            return Ok(Floats::Bytes(self.column.as_fixed_size_binary().value(row)));
        };
        let offsets = self.column.as_list::<i32>().value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        if range.is_empty() {
            return Err("the embedding is an empty list".into());
        }
        if let Some(null) = items.nulls().and_then(|nulls| range.clone().find(|&i| nulls.is_null(i))) {
            return Err(format!("element {} is null", null - range.start));
        }
        Ok(match items.data_type() {
            DataType::Float16 => Floats::F16(&items.as_primitive::<Float16Type>().values()[range]),
            DataType::Float64 => Floats::F64(&items.as_primitive::<Float64Type>().values()[range]),
            _ => Floats::F32(&items.as_primitive::<Float32Type>().values()[range]),
        })
    }
}

/// Calls `each` with the rows of a row group, `batch` at a time.
fn rows(
    file: &ParquetFile,
    group: usize,
    columns: &Columns,
    batch: usize,
    mut each: impl FnMut(usize, &RowsOf<'_>) -> Result<()>,
) -> Result<()> {
    let place = Place::file(&file.name).column(&columns.embedding).row_group(group);
    file.batches(group, &[&columns.embedding], batch, |batch| {
        let column = batch
            .column_by_name(&columns.embedding)
            .ok_or_else(|| Error::content(place.clone(), "the column is missing in this file"))?;
        let rows = RowsOf::new(column).ok_or_else(|| {
            Error::content(place.clone(), format!("a column of type {} can't hold embeddings", column.data_type()))
        })?;
        each(column.len(), &rows)
    })
}

/// The dimension that most of the first rows of a row group have (the earliest of several), if any has one.
///
/// # Errors
/// [`Error::Content`] if the group can't be decoded.
pub fn dimension(file: &ParquetFile, group: usize, columns: &Columns) -> Result<Option<usize>> {
    let mut dim = None;
    // A closure can't end the loop, but an error can.
    let ended = rows(file, group, columns, FIRST_ROWS, |length, rows| {
        let dims: Vec<usize> = (0..length).filter_map(|row| rows.get(row).ok().map(Floats::len)).collect();
        let votes = |dim: usize| dims.iter().filter(|&&other| other == dim).count();
        dim = dims.iter().copied().rev().max_by_key(|&dim| votes(dim));
        if dim.is_some() { Err(Error::Interrupted) } else { Ok(()) }
    });
    match ended {
        Err(Error::Interrupted) if dim.is_some() => Ok(dim),
        Err(error) => Err(error),
        Ok(()) => Ok(None),
    }
}

/// Reads the embeddings of a row group of `declared` rows into `placement`; its first row is input row `first_row`.
///
/// # Errors
/// [`Error::Content`] if the group can't be decoded, or holds another number of rows.
pub fn read(
    file: &ParquetFile,
    group: usize,
    columns: &Columns,
    placement: &Placement<'_>,
    first_row: usize,
    declared: usize,
) -> Result<Found> {
    let dim = placement.dim;
    let miscounted = || Error::content(Place::file(&file.name).row_group(group), MISCOUNTED);
    let (mut found, mut at, mut spare) = (Found::default(), 0, Vec::new());
    rows(file, group, columns, BATCH_ELEMENTS / dim.max(1), |length, rows| {
        if at + length > declared {
            return Err(miscounted());
        }
        for row in 0..length {
            let problem = match rows.get(row) {
                Err(problem) => Some(problem),
                Ok(values) if values.len() != dim => {
                    found.other_dim = found.other_dim.or(Some(values.len()));
                    Some(format!("has {} dimensions, the corpus {dim}", values.len()))
                }
                Ok(values) => {
                    found.narrowed |= matches!(values, Floats::F64(_));
                    let usable = placement.put(first_row + at + row, &mut spare, |out, similarity| {
                        values.narrow(out);
                        Some(similarity.norm(out))
                    });
                    (usable != Some(true)).then(|| values.problem())
                }
            };
            match problem {
                Some(problem) => found.bad.push((at + row, problem)),
                None => found.good += 1,
            }
        }
        at += length;
        Ok(())
    })?;
    if at == declared { Ok(found) } else { Err(miscounted()) }
}
