//! Keys of a row group: each distinct name once, and one number a row.

use super::columns::Columns;
use super::parquet_file::ParquetFile;
use crate::base::Result;
use crate::corpus::layout::normalise_text;
use arrow::array::{Array, StringArray};
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
}

impl Column {
    fn extend(&mut self, values: &StringArray) {
        // Dumps are mostly sorted by a key: the name of the row before is the likeliest.
        let mut last: Option<(&str, u32)> = None;
        for row in 0..values.len() {
            let id = if values.is_null(row) {
                NULL
            } else {
                let name = values.value(row);
                match last {
                    Some((before, id)) if before == name => id,
                    _ => {
                        let id = self.names.id(name);
                        last = Some((name, id));
                        id
                    }
                }
            };
            self.ids.push(id);
        }
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
    /// Optional columns in the order of [`Columns::roles`].
    pub roles: Vec<Column>,
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
            roles: columns.roles.iter().map(|_| Column::default()).collect(),
            ..Self::default()
        };
        let names: Vec<&str> = columns.keys().collect();
        file.batches(group, &names, BATCH, |batch| {
            let strings = |name: &str| file.strings(batch, name);
            keys.query.extend(&strings(&columns.query)?);
            keys.model.extend(&strings(&columns.model)?);
            if let (Some(out), Some(name)) = (&mut keys.sample, &columns.sample) {
                out.extend(&strings(name)?);
            }
            if let (Some(out), Some(name)) = (&mut keys.text, &columns.text) {
                out.extend(strings(name)?.iter().map(|text| text.map_or(0, text_hash)));
            }
            for ((_, name), out) in columns.roles.iter().zip(&mut keys.roles) {
                out.extend(&strings(name)?);
            }
            Ok(())
        })?;
        Ok(keys)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_several_groups_join_by_name() {
        let mut all = Column::default();
        for group in [vec![Some("b"), Some("b"), None, Some("a")], vec![Some("c"), Some("a")]] {
            let mut column = Column::default();
            column.extend(&StringArray::from(group));
            all.append(&column);
        }
        all.append_nulls(1);
        assert_eq!(all.names.list(), ["b", "a", "c"]);
        assert_eq!(all.ids, [0, 0, NULL, 1, 2, 1, NULL]);
    }
}
