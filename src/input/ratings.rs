//! Human ratings of responses or of pairs of them, and scores by models, from one Parquet file.
//!
//! A line is an item. Labels are a list of numbers a line (for pairs: above 0 for the first response, below for the
//! second, 0 a tie), or for pairs three counts. Not here: what is computed from them.

use crate::base::{Error, Place, Result};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Float64Type, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::Path;
use std::sync::Arc;

/// Default names of the column of labels, first of the list that is there.
const LABELS: [&str; 4] = ["human_labels", "labels", "ratings", "annotations"];
/// Default names of the counts of a pair: for the first response, for the second, ties.
const COUNTS: [&str; 3] = ["count_1", "count_2", "count_tie"];
/// A file that has these is of pairs.
const PAIR: [&str; 2] = ["response_1", "response_2"];

/// Which columns to read; what is `None` is looked for by default names.
#[derive(Debug, Clone, Default)]
pub struct RatingColumns {
    /// Lists of labels.
    pub labels: Option<String>,
    /// Counts for the first response, for the second, and of ties.
    pub counts: Option<[String; 3]>,
    /// Scores; of pairs `NAME_1` and `NAME_2` whose difference is taken, or `NAME`, a difference already.
    pub scores: Vec<String>,
}

/// What people said of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Rated {
    /// Their labels.
    Labels(Vec<f64>),
    /// Of a pair: for the first, for the second, ties.
    Counts([f64; 3]),
}

/// A file of ratings.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratings {
    /// Whether items are pairs of responses.
    pub pairwise: bool,
    /// By line.
    pub items: Vec<Rated>,
    /// Scores by column, as named, then line; `None` where they are null or not finite.
    pub scores: Vec<(String, Vec<Option<f64>>)>,
}

struct File {
    name: String,
    rows: RecordBatch,
}

impl File {
    fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let bad = |e: &dyn std::fmt::Display| {
            Error::content(Place::file(&*name), format!("can't be read as a Parquet file ({e})"))
        };
        let file = std::fs::File::open(path).map_err(|e| Error::Usage(format!("--ratings {name}: {e}")))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| bad(&e))?;
        let schema: SchemaRef = builder.schema().clone();
        let batches = builder.build().map_err(|e| bad(&e))?.collect::<Result<Vec<_>, _>>().map_err(|e| bad(&e))?;
        let rows = concat_batches(&schema, &batches).map_err(|e| bad(&e))?;
        Ok(Self { name, rows })
    }

    fn has(&self, column: &str) -> bool {
        self.rows.column_by_name(column).is_some()
    }

    fn missing(&self, flag: &str, looked_for: &str) -> Error {
        let schema = self.rows.schema();
        let all: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        Error::Usage(format!("{}: no column {looked_for}; name it with {flag}; it has {}", self.name, all.join(", ")))
    }

    /// A column as another type; an error if it can't be that.
    fn cast(&self, flag: &str, column: &str, to: &DataType, what: &str) -> Result<ArrayRef> {
        let array = self.rows.column_by_name(column).ok_or_else(|| self.missing(flag, column))?;
        cast(array, to).map_err(|_| {
            let problem = format!("has the type {}, not {what}; name another with {flag}", array.data_type());
            Error::content(Place::file(&*self.name).column(column), problem)
        })
    }

    fn numbers(&self, flag: &str, column: &str) -> Result<Vec<Option<f64>>> {
        let array = self.cast(flag, column, &DataType::Float64, "numbers")?;
        Ok(array.as_primitive::<Float64Type>().iter().map(|x| x.filter(|x| x.is_finite())).collect())
    }

    fn bad_row(&self, column: &str, row: usize, problem: &str) -> Error {
        Error::content(Place::file(&*self.name).column(column).row(row as u64), problem)
    }

    fn labels(&self, column: &str) -> Result<Vec<Rated>> {
        // arrow-rs would make a list of one of a number or a text.
        if let Some(kind) = self.rows.column_by_name(column).map(|array| array.data_type())
            && !matches!(kind, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..))
        {
            let problem = format!("has the type {kind}, not a list of numbers; name another with --rating-labels");
            return Err(Error::content(Place::file(&*self.name).column(column), problem));
        }
        let list = DataType::List(Arc::new(Field::new("item", DataType::Float64, true)));
        let array = self.cast("--rating-labels", column, &list, "a list of numbers")?;
        let lists = array.as_list::<i32>();
        let one = |row: usize| {
            let values: Option<Vec<f64>> = if lists.is_null(row) {
                None
            } else {
                let values = lists.value(row);
                values.as_primitive::<Float64Type>().iter().map(|x| x.filter(|x| x.is_finite())).collect()
            };
            let values = values.filter(|values| !values.is_empty());
            values
                .map(Rated::Labels)
                .ok_or_else(|| self.bad_row(column, row, "has no labels, or one that is no number"))
        };
        (0..self.rows.num_rows()).map(one).collect()
    }

    fn counts(&self, columns: &[String; 3]) -> Result<Vec<Rated>> {
        let [first, second, ties] = columns;
        let read = |column: &String| self.numbers("--rating-counts", column);
        let (a, b, c) = (read(first)?, read(second)?, read(ties)?);
        let one = |row: usize| {
            let counts: Option<Vec<f64>> = [a[row], b[row], c[row]].into_iter().collect();
            let counts = counts.filter(|counts| counts.iter().all(|x| *x >= 0.0) && counts.iter().sum::<f64>() > 0.0);
            let counts = counts.map(|counts| Rated::Counts([counts[0], counts[1], counts[2]]));
            counts.ok_or_else(|| self.bad_row(first, row, "has no counts, or a negative one, or nobody rated the pair"))
        };
        (0..self.rows.num_rows()).map(one).collect()
    }
}

/// Reads a file of ratings.
///
/// # Errors
/// [`Error::Usage`] if the file or a column is missing, [`Error::Content`] if it is no Parquet file, a column has
/// another type, or a line has no labels.
pub fn ratings(path: &Path, columns: &RatingColumns) -> Result<Ratings> {
    let file = File::open(path)?;
    let owned = || COUNTS.map(String::from);
    let counted = columns.counts.is_some() || (columns.labels.is_none() && COUNTS.iter().all(|name| file.has(name)));
    let pairwise = counted || PAIR.iter().all(|name| file.has(name));
    let items = if counted {
        file.counts(&columns.counts.clone().unwrap_or_else(owned))?
    } else {
        let default = || LABELS.into_iter().find(|name| file.has(name)).map(String::from);
        let looked_for = || format!("of labels ({}) or counts ({})", LABELS.join(", "), COUNTS.join(", "));
        let column = columns.labels.clone().or_else(default);
        file.labels(&column.ok_or_else(|| file.missing("--rating-labels or --rating-counts", &looked_for()))?)?
    };
    if items.is_empty() {
        return Err(Error::content(Place::file(&*file.name), "has no line"));
    }
    let score = |name: &String| {
        let read = |column: &str| file.numbers("--rating-scores", column);
        let [first, second] = ["_1", "_2"].map(|end| format!("{name}{end}"));
        if pairwise && !file.has(name) {
            let differences = read(&first)?.into_iter().zip(read(&second)?);
            return Ok((name.clone(), differences.map(|(a, b)| Some(a? - b?)).collect()));
        }
        Ok((name.clone(), read(name)?))
    };
    Ok(Ratings { pairwise, items, scores: columns.scores.iter().map(score).collect::<Result<_>>()? })
}
