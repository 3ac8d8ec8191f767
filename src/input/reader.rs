//! From files to a checked corpus: keys first, then the order of the rows, then each vector to its place.

use super::columns::resolve;
use super::opened::Opened;
use super::parquet_file::ParquetFile;
use super::placement::{NOWHERE, Placement};
use super::rows::{InputKeys, check_unique};
use super::{CheckReport, InputOptions, OnBadRow, Survey, paths, vectors};
use crate::base::units::show_count;
use crate::base::{Error, Event, Observer, Place, Result};
use crate::corpus::excerpts::Appending;
use crate::corpus::{Corpus, Embeddings, Layout};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bad rows that a message names.
const NAMED: usize = 10;

/// Bad rows that `check` names.
const LISTED: usize = 1000;

/// The part of the memory budget (one in so many) beyond which excerpts of texts go to a scratch file.
const EXCERPTS: u64 = 32;

/// Input rows that can't be used: the column and why.
#[derive(Debug, Default)]
struct BadRows {
    rows: BTreeMap<usize, (String, String)>,
}

impl BadRows {
    /// Rows whose keys are not complete.
    fn of_keys(opened: &Opened, keys: &InputKeys) -> Self {
        let incomplete = keys.incomplete(opened).into_iter();
        Self { rows: incomplete.map(|(row, column)| (row, (column, "the key is null".into()))).collect() }
    }

    /// Adds rows whose embeddings can't be used.
    fn add(&mut self, opened: &Opened, found: Vec<(usize, String)>) {
        for (row, problem) in found {
            let column = &opened.columns[opened.group_of(row).file].embedding;
            self.rows.entry(row).or_insert_with(|| (column.clone(), problem));
        }
    }

    fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The first `most` of them, in file order.
    fn lines(&self, opened: &Opened, most: usize) -> Vec<String> {
        let line = |(&row, (column, problem)): (&usize, &(String, String))| {
            format!("{}: {problem}", opened.row_place(row).column(column))
        };
        self.rows.iter().take(most).map(line).collect()
    }

    /// Which input rows are not among them.
    fn others(&self, rows: usize) -> Vec<bool> {
        let mut good = vec![true; rows];
        self.rows.keys().for_each(|&row| good[row] = false);
        good
    }

    /// The error that names the first.
    fn error(&self, opened: &Opened) -> Option<Error> {
        let (&row, (column, problem)) = self.rows.first_key_value()?;
        let count = show_count(self.len());
        Some(Error::content(
            opened.row_place(row).column(column),
            format!("{problem} ({count} bad rows in all; `--on-bad-row skip` leaves them out)"),
        ))
    }

    /// The warning that names the first ten.
    fn warn(&self, opened: &Opened, observer: &dyn Observer) {
        if !self.rows.is_empty() {
            observer.event(Event::Warning {
                message: format!(
                    "{} bad rows left out; the first: {}",
                    show_count(self.len()),
                    self.lines(opened, NAMED).join("; ")
                ),
            });
        }
    }
}

fn no_usable_row(opened: &Opened) -> Error {
    Error::content(Place::file(&opened.sources[0].name), "no row is usable")
}

/// Reads and checks a corpus.
///
/// Bad rows are known only when their embeddings have been decoded, and the order of the others depends on which they
/// are: with `--on-bad-row skip` a corpus that has some is decoded twice.
///
/// # Errors
/// [`Error::Usage`] for paths and columns, [`Error::Content`] for what a file holds.
pub fn read(options: &InputOptions, observer: &dyn Observer) -> Result<Corpus> {
    let opened = Opened::open(options)?;
    let excerpts = Appending::new(options.memory / EXCERPTS, options.scratch.clone());
    let keys = InputKeys::read(&opened, Some(excerpts), observer)?;
    let mut bad = BadRows::of_keys(&opened, &keys);
    let strict = options.on_bad_row == OnBadRow::Error;
    let dim = opened.dim;
    if dim == 0 || (strict && bad.len() > 0) {
        bad.add(&opened, vectors::read(&opened, &Placement::check_only(dim), options.page_path, observer)?.bad);
        return Err(bad.error(&opened).filter(|_| strict).unwrap_or_else(|| no_usable_row(&opened)));
    }
    loop {
        let good = bad.others(keys.len());
        let mut notes = vec![format!(
            "columns: embedding = {}, query = {}, model = {}",
            opened.columns[0].embedding, opened.columns[0].query, opened.columns[0].model
        )];
        let rows = keys.rows(&opened, &good, &mut notes);
        if rows.query.is_empty() {
            return Err(no_usable_row(&opened));
        }
        let layout = Layout::new(&rows);
        check_unique(&opened, &rows, &layout)?;
        let mut slots = vec![NOWHERE; keys.len()];
        for (row, input_row) in (0..keys.len()).filter(|&row| good[row]).enumerate() {
            slots[input_row] = layout.position_of[row];
        }
        let n = layout.row_at.len();
        let scratch = ((n * dim * 4) as u64 > options.memory / 2).then_some(options.scratch.as_path());
        let mut embeddings = Embeddings::zeroed(n, dim, scratch)?;
        let placement = Placement::new(dim, &slots, embeddings.filling());
        let found = vectors::read(&opened, &placement, options.page_path, observer)?;
        drop(placement);
        let before = bad.len();
        bad.add(&opened, found.bad);
        if bad.len() > before {
            if strict {
                return Err(bad.error(&opened).unwrap_or_else(|| no_usable_row(&opened)));
            }
            continue;
        }
        bad.warn(&opened, observer);
        if found.narrowed {
            notes.push("embeddings were narrowed from f64 to f32".into());
        }
        let embeddings = Arc::new(embeddings);
        return Ok(Corpus { files: opened.sources, rows, layout, embeddings, notes, skipped: bad.len() });
    }
}

/// Checks a corpus row by row without keeping it.
///
/// # Errors
/// As [`read`], except that bad rows are reported, not errors.
pub fn check(options: &InputOptions, observer: &dyn Observer) -> Result<CheckReport> {
    let opened = Opened::open(options)?;
    let keys = InputKeys::read(&opened, None, observer)?;
    let mut bad = BadRows::of_keys(&opened, &keys);
    let placement = Placement::check_only(opened.dim);
    bad.add(&opened, vectors::read(&opened, &placement, options.page_path, observer)?.bad);
    let mut notes = Vec::new();
    let rows = keys.rows(&opened, &bad.others(keys.len()), &mut notes);
    check_unique(&opened, &rows, &Layout::new(&rows))?;
    Ok(CheckReport {
        rows: opened.rows,
        bad_rows: bad.len(),
        problems: bad.lines(&opened, LISTED),
        queries: rows.queries.len() as u64,
        models: rows.models.len() as u64,
        dim: opened.dim,
        notes,
    })
}

/// Reads footers and the first rows (for the dimension).
///
/// # Errors
/// As [`read`], for what footers show.
pub fn survey(options: &InputOptions) -> Result<Survey> {
    let opened = Opened::open(options)?;
    let columns = &opened.columns[0];
    let mut parts = vec![
        ("embedding".to_owned(), columns.embedding.clone()),
        ("query".to_owned(), columns.query.clone()),
        ("model".to_owned(), columns.model.clone()),
    ];
    parts.extend(columns.sample.iter().map(|name| ("sample".to_owned(), name.clone())));
    parts.extend(columns.text.iter().map(|name| ("text".to_owned(), name.clone())));
    parts.extend(columns.roles.iter().map(|(role, name)| (format!("{role:?}").to_lowercase(), name.clone())));
    parts.extend(columns.numbers.iter().map(|(number, name)| (format!("{number:?}").to_lowercase(), name.clone())));
    let files = opened.sources.iter().map(|source| (source.name.clone(), source.rows, source.bytes)).collect();
    Ok(Survey { files, rows: opened.rows, dim: opened.dim, columns: parts })
}

/// Texts of some rows of a corpus, in the order asked for, the first `chars` characters of each; `None` where there is no
/// text. An ellipsis stands where something was cut.
///
/// # Errors
/// As [`read`].
pub fn texts(options: &InputOptions, corpus: &Corpus, rows: &[u32], chars: usize) -> Result<Vec<Option<String>>> {
    let mut out = vec![None; rows.len()];
    for (file, source) in corpus.files.iter().enumerate() {
        let mut wanted: Vec<(u64, usize)> = (rows.iter().enumerate())
            .filter(|&(_, &row)| corpus.rows.file[row as usize] as usize == file)
            .map(|(place, &row)| (corpus.rows.file_row[row as usize], place))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        wanted.sort_unstable();
        let parquet = ParquetFile::open(source, options)?;
        let Some(column) = resolve(parquet.schema(), &source.name, options)?.text else { continue };
        let mut first = 0;
        for (group, length) in parquet.row_groups().into_iter().enumerate() {
            let length = length as u64;
            let here: Vec<(u64, usize)> =
                wanted.iter().filter(|(row, _)| (first..first + length).contains(row)).copied().collect();
            if !here.is_empty() {
                let mut distinct: Vec<usize> = here.iter().map(|(row, _)| (row - first) as usize).collect();
                distinct.dedup();
                let found = parquet.texts(group, &column, &distinct, chars)?;
                for (row, place) in here {
                    let at = distinct.partition_point(|&other| other < (row - first) as usize);
                    out[place] = found.get(at).cloned().flatten();
                }
            }
            first += length;
        }
    }
    Ok(out)
}

/// Size and time of each file are what they were when it was opened.
///
/// # Errors
/// [`Error::Content`] that names the file that changed.
pub fn verify_unchanged(corpus: &Corpus) -> Result<()> {
    for file in &corpus.files {
        let metadata = std::fs::metadata(&file.path).map_err(|e| Error::io(&file.path, e))?;
        if metadata.len() != file.bytes || paths::modified_ns(&metadata) != file.modified_ns {
            return Err(Error::content(Place::file(&file.name), "the file changed while it was read; run again"));
        }
    }
    Ok(())
}
