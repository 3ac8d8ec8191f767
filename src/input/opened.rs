//! Open files with their columns and row groups, before anything is decoded.

use super::columns::{Columns, resolve};
use super::parquet_file::ParquetFile;
use super::{InputOptions, arrow_path, paths};
use crate::base::units::show_count;
use crate::base::{Error, Place, Result};
use crate::corpus::SourceFile;

/// A row group of a file.
#[derive(Debug)]
pub struct Group {
    /// Index of the file.
    pub file: usize,
    /// Row group within the file.
    pub group: usize,
    /// Its first row within the file.
    pub first_row: u64,
    /// Its first row among the rows of all files.
    pub first_input_row: usize,
    /// Rows.
    pub rows: usize,
}

/// All files of a corpus, open.
pub struct Opened {
    /// What they are.
    pub sources: Vec<SourceFile>,
    /// The files.
    pub files: Vec<ParquetFile>,
    /// Columns of each file.
    pub columns: Vec<Columns>,
    /// Row groups of all files in order.
    pub groups: Vec<Group>,
    /// Rows in all.
    pub rows: u64,
    /// Dimension of the first row that has one; 0 if none has.
    pub dim: usize,
    /// The file that row is in.
    pub dim_from: usize,
}

/// Which of query and model are integers.
fn key_kinds(file: &ParquetFile, columns: &Columns) -> [bool; 2] {
    [&columns.query, &columns.model]
        .map(|name| file.schema().field_with_name(name).is_ok_and(|field| field.data_type().is_integer()))
}

impl Opened {
    /// Finds and opens the files, chooses their columns, and looks at the first rows for the dimension.
    ///
    /// # Errors
    /// [`Error::Usage`] for paths and columns, [`Error::Content`] for what a footer shows.
    pub fn open(options: &InputOptions) -> Result<Self> {
        let mut opened = Self {
            sources: paths::find(&options.inputs)?,
            files: Vec::new(),
            columns: Vec::new(),
            groups: Vec::new(),
            rows: 0,
            dim: 0,
            dim_from: 0,
        };
        for file in 0..opened.sources.len() {
            let source = &opened.sources[file];
            let parquet = ParquetFile::open(source, options)?;
            let columns = resolve(parquet.schema(), &source.name, options)?;
            parquet.check_codecs(columns.keys().chain([columns.embedding.as_str()]))?;
            if let (Some(first), Some(first_columns)) = (opened.files.first(), opened.columns.first()) {
                let (one, other) = (key_kinds(first, first_columns), key_kinds(&parquet, &columns));
                if one != other {
                    let column = if one[0] != other[0] { &columns.query } else { &columns.model };
                    return Err(Error::content(
                        Place::file(&source.name).column(column),
                        format!(
                            "is an integer in one of `{}` and this file and a string in the other; write both alike",
                            first.name
                        ),
                    ));
                }
            }
            opened.add(file, parquet, columns);
        }
        if opened.rows == 0 {
            return Err(Error::content(Place::file(&opened.sources[0].name), "there are 0 rows in all files together"));
        }
        if opened.rows > u64::from(u32::MAX >> 1) {
            return Err(Error::Usage(format!(
                "{} rows are more than one machine's run takes (2^31 - 1)",
                show_count(opened.rows)
            )));
        }
        for group in &opened.groups {
            if let Some(dim) =
                arrow_path::dimension(&opened.files[group.file], group.group, &opened.columns[group.file])?
            {
                (opened.dim, opened.dim_from) = (dim, group.file);
                break;
            }
        }
        Ok(opened)
    }

    fn add(&mut self, file: usize, parquet: ParquetFile, columns: Columns) {
        for (group, rows) in parquet.row_groups().into_iter().enumerate() {
            let (first_row, first_input_row) = (self.sources[file].rows, self.rows as usize);
            self.groups.push(Group { file, group, first_row, first_input_row, rows });
            self.sources[file].rows += rows as u64;
            self.rows += rows as u64;
        }
        self.files.push(parquet);
        self.columns.push(columns);
    }

    /// Where a row group is.
    pub fn place(&self, group: &Group) -> Place {
        Place::file(&self.sources[group.file].name).row_group(group.group)
    }

    /// The row group of an input row.
    pub fn group_of(&self, input_row: usize) -> &Group {
        &self.groups[self.groups.partition_point(|group| group.first_input_row + group.rows <= input_row)]
    }

    /// Where an input row is.
    pub fn row_place(&self, input_row: usize) -> Place {
        let group = self.group_of(input_row);
        self.place(group).row(group.first_row + (input_row - group.first_input_row) as u64)
    }
}
