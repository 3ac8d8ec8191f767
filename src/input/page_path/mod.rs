//! Embeddings straight from the pages of a row group: no levels are written out, and a value is copied once.
//!
//! A list column spends as many bytes on levels as on values once they are decoded, which makes the general way 9 to
//! 19 times slower than a copy (`benches/RESULTS.md`, "Reading"). Here the levels are only checked ([`levels`]): every
//! row has `dim` elements and nothing is null. Then the values ([`values`]) go to where the corpus wants them.
//!
//! Whatever is not so plain (nulls, ragged rows, a row that can't be used, an encoding or a level encoding not known
//! here, a damaged page) is [`Odd`]: the row group is read again through arrow-rs, which names what is wrong. Both
//! ways give the same bits.

mod levels;
#[cfg(test)]
mod tests;
mod values;

use super::parquet_file::ParquetFile;
use super::placement::Placement;
use crate::base::Observer;
use crate::base::similarity::Similarity;
use arrow::datatypes::DataType;
use parquet::basic::{Encoding, LogicalType, Type};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::serialized_reader::SerializedPageReader;
use rayon::prelude::*;
use std::sync::Arc;
use values::{Dictionary, Kind, Values};

/// Why a row group is not for the page path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd(pub String);

impl From<ParquetError> for Odd {
    fn from(error: ParquetError) -> Self {
        Self(error.to_string())
    }
}

fn odd<T>(why: &str) -> Result<T, Odd> {
    Err(Odd(why.to_owned()))
}

/// A leaf column that holds embeddings.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    /// Its index among the leaves.
    index: usize,
    kind: Kind,
    max_definition: i16,
    /// 1 in a list, 0 in fixed-size binary.
    max_repetition: i16,
}

/// The leaf of the column named `column`.
fn leaf(file: &ParquetFile, column: &str) -> Result<Leaf, Odd> {
    let schema = file.metadata().file_metadata().schema_descr();
    let Ok(root) = file.schema().index_of(column) else { return odd("the column is missing") };
    let mut leaves = (0..schema.num_columns()).filter(|&leaf| schema.get_column_root_idx(leaf) == root);
    let (Some(index), None) = (leaves.next(), leaves.next()) else { return odd("the column is not a plain list") };
    let leaf = schema.column(index);
    let half = leaf.logical_type_ref() == Some(&LogicalType::Float16);
    let kind = match (file.schema().field(root).data_type(), leaf.physical_type(), leaf.max_rep_level()) {
        (DataType::List(_), Type::FLOAT, 1) => Kind::F32,
        (DataType::List(_), Type::DOUBLE, 1) => Kind::F64,
        (DataType::List(_), Type::FIXED_LEN_BYTE_ARRAY, 1) if half => Kind::F16,
        (DataType::FixedSizeBinary(width), Type::FIXED_LEN_BYTE_ARRAY, 0) if *width >= 4 => {
            Kind::Row(*width as usize / 4)
        }
        _ => return odd("the type is not a list of floats or fixed-size binary"),
    };
    Ok(Leaf { index, kind, max_definition: leaf.max_def_level(), max_repetition: leaf.max_rep_level() })
}

/// Consecutive data pages, the first of which begins with a row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PageRun {
    first_page: usize,
    pages: usize,
    /// Values before the first page.
    first_value: usize,
}

type Pages = Box<dyn PageReader>;

/// The embedding column of one row group.
struct Group<'a> {
    /// Opens the pages from the first on.
    open: &'a (dyn Fn() -> Result<Pages, Odd> + Sync),
    /// Values that the footer says there are.
    values: usize,
    rows: usize,
    leaf: Leaf,
    placement: &'a Placement<'a>,
    /// Input row of the first row of the group.
    first_row: usize,
    observer: &'a dyn Observer,
}

/// Reads the embeddings of a row group into `placement`; its first row is input row `first_row`. Pages are read in
/// about `parts` parts at once. Returns whether values were narrowed from f64.
///
/// # Errors
/// [`Odd`]; then some rows may have been written, and all must be read again through arrow-rs.
pub fn read(
    file: &ParquetFile,
    group: usize,
    column: &str,
    placement: &Placement<'_>,
    first_row: usize,
    parts: usize,
    observer: &dyn Observer,
) -> Result<bool, Odd> {
    let leaf = leaf(file, column)?;
    let metadata = file.metadata().row_group(group);
    let chunk = metadata.column(leaf.index);
    let size = |count: i64| usize::try_from(count).map_err(|_| Odd("a negative count".into()));
    let (rows, values) = (size(metadata.num_rows())?, size(chunk.num_values())?);
    let open = || -> Result<Pages, Odd> {
        Ok(Box::new(SerializedPageReader::new(Arc::new(file.source().clone()), chunk, rows, None)?))
    };
    Group { open: &open, values, rows, leaf, placement, first_row, observer }.read(parts)?;
    Ok(leaf.kind == Kind::F64)
}

impl Group<'_> {
    /// Values of a row.
    fn row_values(&self) -> usize {
        self.placement.dim / self.leaf.kind.elements()
    }

    fn read(&self, parts: usize) -> Result<(), Odd> {
        self.plan(parts)?.into_par_iter().map(|run| self.read_run(run)).collect()
    }

    /// Cuts the pages of the group into about `parts` runs by their headers alone.
    fn plan(&self, parts: usize) -> Result<Vec<PageRun>, Odd> {
        if !self.placement.dim.is_multiple_of(self.leaf.kind.elements()) || self.row_values() == 0 {
            return odd("another dimension");
        }
        let whole = self.values;
        if self.rows.checked_mul(self.row_values()) != Some(whole) {
            return odd("not every row has the same number of elements");
        }
        let mut pages = (self.open)()?;
        let (mut runs, mut page, mut value) = (Vec::<PageRun>::new(), 0, 0usize);
        while let Some(header) = pages.peek_next_page()? {
            pages.skip_next_page()?;
            if header.is_dict {
                continue;
            }
            if value.is_multiple_of(self.row_values()) && value >= whole / parts.max(1) * runs.len() {
                runs.push(PageRun { first_page: page, pages: 0, first_value: value });
            }
            let Some(run) = runs.last_mut() else { return odd("no page begins with a row") };
            run.pages += 1;
            page += 1;
            value = value.saturating_add(header.num_levels.unwrap_or(0));
        }
        if value == whole { Ok(runs) } else { odd("the pages do not hold as many values as the footer says") }
    }

    /// Reads the pages of a run, row by row.
    fn read_run(&self, run: PageRun) -> Result<(), Odd> {
        let (dim, kind) = (self.placement.dim, self.leaf.kind);
        let mut pages = (self.open)()?;
        let mut dictionary: Option<Dictionary> = None;
        let (mut page, mut row, mut value) = (0, self.first_row + run.first_value / self.row_values(), run.first_value);
        // Of a row that began on an earlier page.
        let mut begun: Vec<f32> = Vec::new();
        let mut spare = Vec::new();
        while page < run.first_page + run.pages {
            if self.observer.stop_requested() {
                return odd("interrupted");
            }
            let Some(header) = pages.peek_next_page()? else { return odd("a page is missing") };
            if page < run.first_page && !header.is_dict {
                pages.skip_next_page()?;
                page += 1;
                continue;
            }
            let Some(content) = pages.get_next_page()? else { return odd("a page is missing") };
            if let Page::DictionaryPage {
                buf,
                num_values,
                encoding: Encoding::PLAIN | Encoding::PLAIN_DICTIONARY,
                ..
            } = &content
            {
                dictionary = Dictionary::new(kind, buf, *num_values as usize);
                continue;
            }
            page += 1;
            let count = content.num_values() as usize;
            let bytes = self.checked_values(&content, value)?;
            let values = match content.encoding() {
                Encoding::PLAIN => Values::plain(kind, bytes, count),
                Encoding::BYTE_STREAM_SPLIT => Values::split(kind, bytes, count),
                Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                    dictionary.as_ref().and_then(|dictionary| Values::indexed(dictionary, bytes, count))
                }
                other => return Err(Odd(format!("encoding {other}"))),
            };
            let Some(mut values) = values else { return odd("a page is too short, or its dictionary is") };
            value += count;
            let mut left = count * kind.elements();
            if !begun.is_empty() {
                let (from, more) = (begun.len(), left.min(dim - begun.len()));
                begun.resize(from + more, 0.0);
                values.take(&mut begun[from..]).ok_or_else(damaged)?;
                left -= more;
                if begun.len() == dim {
                    self.put(row, &mut spare, |out, similarity| {
                        out.copy_from_slice(&begun);
                        Some(similarity.norm(out))
                    })?;
                    row += 1;
                    begun.clear();
                }
            }
            while left >= dim {
                self.put(row, &mut spare, |out, similarity| values.take_row(out, similarity))?;
                row += 1;
                left -= dim;
            }
            if left > 0 && begun.is_empty() {
                begun.resize(left, 0.0);
                values.take(&mut begun).ok_or_else(damaged)?;
            }
        }
        if begun.is_empty() { Ok(()) } else { odd("the last row is not whole") }
    }

    fn put(
        &self,
        row: usize,
        spare: &mut Vec<f32>,
        write: impl FnOnce(&mut [f32], &Similarity) -> Option<f64>,
    ) -> Result<(), Odd> {
        match self.placement.put(row, spare, write) {
            Some(true) => Ok(()),
            Some(false) => odd("a row that can't be used"),
            None => Err(damaged()),
        }
    }

    /// Checks the levels of a data page that begins after `value` values of the group; returns the bytes of its values.
    fn checked_values<'p>(&self, page: &'p Page, value: usize) -> Result<&'p [u8], Odd> {
        let short = || Odd("a page is too short for its levels".into());
        let (repetition, definition, values) = match page {
            Page::DataPage { buf, def_level_encoding, rep_level_encoding, .. } => {
                let mut rest = &buf[..];
                // Version 1: each stream of levels that there is begins with its length in four bytes.
                let mut stream = |max: i16, encoding: Encoding| {
                    if max == 0 {
                        return Ok([].as_slice());
                    }
                    if encoding != Encoding::RLE {
                        return Err(Odd(format!("levels in encoding {encoding}")));
                    }
                    let (length, after) = rest.split_first_chunk::<4>().ok_or_else(short)?;
                    let (levels, after) =
                        after.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(short)?;
                    rest = after;
                    Ok(levels)
                };
                let repetition = stream(self.leaf.max_repetition, *rep_level_encoding)?;
                let definition = stream(self.leaf.max_definition, *def_level_encoding)?;
                (repetition, definition, rest)
            }
            Page::DataPageV2 { num_nulls: 1.., .. } => return odd("a null"),
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
                let (repetition, rest) = buf.split_at_checked(*rep_levels_byte_len as usize).ok_or_else(short)?;
                let (definition, values) = rest.split_at_checked(*def_levels_byte_len as usize).ok_or_else(short)?;
                (repetition, definition, values)
            }
            Page::DictionaryPage { .. } => return odd("a dictionary in an unknown encoding"),
        };
        let count = page.num_values() as usize;
        if self.leaf.max_definition > 0 && !levels::all_defined(definition, self.leaf.max_definition, count) {
            return odd("a null");
        }
        if self.leaf.max_repetition > 0 && !levels::rows_of(repetition, self.row_values(), value, count) {
            return odd("a row with another number of elements");
        }
        Ok(values)
    }
}

fn damaged() -> Odd {
    Odd("a page is damaged".into())
}
