//! From files to a checked corpus: keys first, then vectors, row groups in parallel.

use super::columns::{Columns, resolve};
use super::parquet_file::{Keys, ParquetFile, Vectors};
use super::{CheckReport, InputOptions, OnBadRow, Survey, paths};
use crate::base::error::printable;
use crate::base::events::Stage;
use crate::base::similarity::Similarity;
use crate::base::units::show_count;
use crate::base::{Error, Event, Observer, Place, Result};
use crate::corpus::{Category, Corpus, Dictionary, Embeddings, Layout, Rows, Samples, SourceFile};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

/// A row group of a file, and the first of its rows within the file.
struct Group {
    file: usize,
    group: usize,
    first_row: u64,
}

/// Open files, columns and row groups.
struct Opened {
    sources: Vec<SourceFile>,
    files: Vec<ParquetFile>,
    columns: Vec<Columns>,
    groups: Vec<Group>,
    rows: u64,
}

fn open(options: &InputOptions) -> Result<Opened> {
    let mut sources = paths::find(&options.inputs)?;
    let mut opened =
        Opened { sources: Vec::new(), files: Vec::new(), columns: Vec::new(), groups: Vec::new(), rows: 0 };
    let mut key_kinds: Option<(String, Vec<bool>)> = None;
    for (file, source) in sources.iter_mut().enumerate() {
        let parquet = ParquetFile::open(source, options)?;
        let columns = resolve(parquet.schema(), &source.name, options)?;
        let kinds: Vec<bool> = [&columns.query, &columns.model]
            .iter()
            .map(|name| parquet.schema().field_with_name(name).is_ok_and(|field| field.data_type().is_integer()))
            .collect();
        match &key_kinds {
            None => key_kinds = Some((source.name.clone(), kinds)),
            Some((first, first_kinds)) if *first_kinds != kinds => {
                let column = if first_kinds[0] != kinds[0] { &columns.query } else { &columns.model };
                return Err(Error::content(
                    Place::file(&source.name).column(column),
                    format!(
                        "is an integer in one of `{first}` and this file and a string in the other; write both alike"
                    ),
                ));
            }
            Some(_) => {}
        }
        for (group, rows) in parquet.row_groups().into_iter().enumerate() {
            opened.groups.push(Group { file, group, first_row: source.rows });
            source.rows += rows as u64;
        }
        opened.rows += source.rows;
        opened.files.push(parquet);
        opened.columns.push(columns);
    }
    if opened.rows == 0 {
        return Err(Error::content(Place::file(&sources[0].name), "there are 0 rows in all files together"));
    }
    if opened.rows > u64::from(u32::MAX >> 1) {
        return Err(Error::Usage(format!(
            "{} rows are more than one machine's run takes (2^31 - 1)",
            show_count(opened.rows)
        )));
    }
    opened.sources = sources;
    Ok(opened)
}

/// A row that can't be used.
struct BadRow {
    place: Place,
    problem: String,
}

/// What the first pass knows: keys, bad rows, dimension, vectors where they fit.
struct Checked {
    keys: Vec<Keys>,
    vectors: Vec<Option<Vectors>>,
    bad: Vec<BadRow>,
    /// `good[group][row in group]`.
    good: Vec<Vec<bool>>,
    dim: usize,
    narrowed: bool,
}

fn first_pass(opened: &Opened, keep: bool, observer: &dyn Observer) -> Result<Checked> {
    let stage = Stage::start(observer, "reading", "rows", opened.rows);
    let done = AtomicU64::new(0);
    let parts: Vec<(Keys, Vectors, usize)> = (opened.groups.par_iter())
        .map(|group| {
            observer.check_stop()?;
            let (file, columns) = (&opened.files[group.file], &opened.columns[group.file]);
            let keys = file.keys(group.group, columns)?;
            let mut vectors = file.vectors(group.group, columns)?;
            let rows = keys.query.len();
            if !keep {
                vectors.values = Vec::new();
            }
            stage.advance(done.fetch_add(rows as u64, Ordering::Relaxed) + rows as u64);
            Ok((keys, vectors, rows))
        })
        .collect::<Result<_>>()?;
    stage.finish();
    let mut checked =
        Checked { keys: Vec::new(), vectors: Vec::new(), bad: Vec::new(), good: Vec::new(), dim: 0, narrowed: false };
    let mut dim_from = String::new();
    for (group, (keys, vectors, rows)) in opened.groups.iter().zip(parts) {
        let (file, columns) = (&opened.files[group.file], &opened.columns[group.file]);
        let place = |row: usize| Place::file(&file.name).row_group(group.group).row(group.first_row + row as u64);
        if vectors.dim != 0 && checked.dim == 0 {
            (checked.dim, dim_from) = (vectors.dim, file.name.clone());
        }
        if vectors.dim != 0 && vectors.dim != checked.dim {
            return Err(Error::content(
                Place::file(&file.name).column(&columns.embedding).row_group(group.group),
                format!(
                    "has {} dimensions, `{}` has {}: all embeddings must come from one model",
                    vectors.dim,
                    printable(&dim_from),
                    checked.dim
                ),
            ));
        }
        let mut good = vec![true; rows];
        let mut bad = |row: usize, column: &str, problem: String| {
            if std::mem::replace(&mut good[row], false) {
                checked.bad.push(BadRow { place: place(row).column(column), problem });
            }
        };
        for (row, problem) in &vectors.bad {
            bad(*row, &columns.embedding, problem.clone());
        }
        let keyed = [(&keys.query, &columns.query), (&keys.model, &columns.model)];
        let sampled = keys.sample.iter().zip(&columns.sample);
        for (values, name) in keyed.into_iter().chain(sampled) {
            for row in (0..rows).filter(|&row| values[row].is_none()) {
                bad(row, name, "the key is null".into());
            }
        }
        checked.narrowed |= vectors.narrowed;
        checked.good.push(good);
        checked.keys.push(keys);
        checked.vectors.push(keep.then_some(vectors));
    }
    checked.bad.sort_by(|a, b| (&a.place.file, a.place.row).cmp(&(&b.place.file, b.place.row)));
    Ok(checked)
}

/// Keys of all good rows in file order.
fn rows(opened: &Opened, checked: &mut Checked, notes: &mut Vec<String>) -> Result<Rows> {
    let columns = &opened.columns[0];
    let (mut file, mut file_row) = (Vec::new(), Vec::new());
    let (mut query, mut model, mut sample) = (Vec::new(), Vec::new(), Vec::new());
    let mut text = opened.columns.iter().all(|c| c.text.is_some()).then(Vec::new);
    let mut roles: BTreeMap<_, Vec<Option<String>>> =
        columns.roles.iter().map(|(role, _)| (*role, Vec::new())).collect();
    for ((group, keys), good) in opened.groups.iter().zip(&mut checked.keys).zip(&checked.good) {
        for row in (0..good.len()).filter(|&row| good[row]) {
            file.push(group.file as u32);
            file_row.push(group.first_row + row as u64);
            query.push(keys.query[row].take().unwrap_or_default());
            model.push(keys.model[row].take().unwrap_or_default());
            sample.push(keys.sample.as_mut().and_then(|sample| sample[row].take()));
            if let Some(text) = &mut text {
                text.push(keys.text.as_ref().map_or(0, |hashes| hashes[row]));
            }
            for (role, values) in &mut roles {
                let place = opened.columns[group.file].roles.iter().position(|(other, _)| other == role);
                values.push(place.and_then(|place| keys.roles[place][row].take()));
            }
        }
    }
    let (queries, query) = Dictionary::from_names(&query);
    let (models, model) = Dictionary::from_names(&model);
    let sampled = opened.columns.iter().all(|c| c.sample.is_some());
    let sample = if sampled {
        let names: Vec<String> = sample.into_iter().map(Option::unwrap_or_default).collect();
        match names.iter().map(|name| name.parse().ok()).collect::<Option<Vec<i64>>>() {
            Some(numbers) => Samples::Number(numbers),
            None => {
                let (dictionary, ids) = Dictionary::from_names(&names);
                Samples::Name(Category { dictionary, ids })
            }
        }
    } else {
        notes.push("no sample column: sample is the order of appearance within (query, model)".into());
        let mut seen: HashMap<(u32, u32), i64> = HashMap::new();
        Samples::Number(
            query
                .iter()
                .zip(&model)
                .map(|(&q, &m)| {
                    let next = seen.entry((q, m)).or_insert(0);
                    *next += 1;
                    *next - 1
                })
                .collect(),
        )
    };
    let categories = (roles.into_iter())
        .map(|(role, values)| {
            let names: Vec<String> = values.iter().flatten().cloned().collect();
            let (dictionary, _) = Dictionary::from_names(&names);
            let ids = values
                .iter()
                .map(|value| value.as_deref().and_then(|v| dictionary.id(v)).unwrap_or(u32::MAX))
                .collect();
            (role, Category { dictionary, ids })
        })
        .collect();
    Ok(Rows { file, file_row, query, model, queries, models, sample, text_hash: text, categories })
}

/// Refuses two rows with one (query, model, sample).
fn check_unique(opened: &Opened, rows: &Rows) -> Result<()> {
    let sample = |row: usize| match &rows.sample {
        Samples::Number(numbers) => numbers[row],
        Samples::Name(category) => i64::from(category.ids[row]),
    };
    let mut order: Vec<usize> = (0..rows.query.len()).collect();
    order.par_sort_unstable_by_key(|&row| (rows.query[row], rows.model[row], sample(row), row));
    for pair in order.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if (rows.query[a], rows.model[a], sample(a)) == (rows.query[b], rows.model[b], sample(b)) {
            let first = Place::file(&opened.sources[rows.file[a] as usize].name).row(rows.file_row[a]);
            let second = Place::file(&opened.sources[rows.file[b] as usize].name).row(rows.file_row[b]);
            return Err(Error::content(
                second,
                format!(
                    "has the same (query, model, sample) as {first}: (`{}`, `{}`, {}); is a file given twice, or is --sample another column?",
                    printable(rows.queries.name(rows.query[a])),
                    printable(rows.models.name(rows.model[a])),
                    sample(a)
                ),
            ));
        }
    }
    Ok(())
}

/// Reads and checks a corpus.
///
/// # Errors
/// [`Error::Usage`] for paths and columns, [`Error::Content`] for what a file holds.
pub fn read(options: &InputOptions, observer: &dyn Observer) -> Result<Corpus> {
    let opened = open(options)?;
    // The dimension is not known yet; f32 values never take more than what the columns hold uncompressed.
    let bytes: u64 = opened.sources.iter().map(|source| source.bytes).sum();
    let keep = bytes.saturating_mul(2) <= options.memory / 2;
    let mut checked = first_pass(&opened, keep, observer)?;
    let skipped = checked.bad.len() as u64;
    if let Some(first) = checked.bad.first() {
        if options.on_bad_row == OnBadRow::Error {
            return Err(Error::content(
                first.place.clone(),
                format!(
                    "{} ({} bad rows in all; `--on-bad-row skip` leaves them out)",
                    first.problem,
                    show_count(skipped)
                ),
            ));
        }
        let ten: Vec<String> =
            checked.bad.iter().take(10).map(|bad| format!("{}: {}", bad.place, bad.problem)).collect();
        observer.event(Event::Warning {
            message: format!("{} bad rows left out; the first: {}", show_count(skipped), ten.join("; ")),
        });
    }
    if checked.dim == 0 {
        return Err(Error::content(Place::file(&opened.sources[0].name), "no row is usable"));
    }
    let columns = &opened.columns[0];
    let mut notes = vec![format!(
        "columns: embedding = {}, query = {}, model = {}",
        columns.embedding, columns.query, columns.model
    )];
    if checked.narrowed {
        notes.push("embeddings were narrowed from f64 to f32".into());
    }
    let rows = rows(&opened, &mut checked, &mut notes)?;
    check_unique(&opened, &rows)?;
    let layout = Layout::new(&rows);
    let embeddings = place_vectors(&opened, &checked, &layout, options, observer)?;
    Ok(Corpus { files: opened.sources, rows, layout, embeddings, notes, skipped })
}

/// Copies the vectors of good rows to their positions and computes their norms.
fn place_vectors(
    opened: &Opened,
    checked: &Checked,
    layout: &Layout,
    options: &InputOptions,
    observer: &dyn Observer,
) -> Result<Embeddings> {
    let (n, dim) = (layout.row_at.len(), checked.dim);
    let scratch = ((n * dim * 4) as u64 > options.memory / 2).then_some(options.scratch.as_path());
    let mut embeddings = Embeddings::zeroed(n, dim, scratch)?;
    let similarity = Similarity::new();
    let mut row = 0usize;
    for ((group, good), vectors) in opened.groups.iter().zip(&checked.good).zip(&checked.vectors) {
        observer.check_stop()?;
        let again;
        let vectors = match vectors {
            Some(vectors) => vectors,
            None => {
                again = opened.files[group.file].vectors(group.group, &opened.columns[group.file])?;
                &again
            }
        };
        for place in (0..good.len()).filter(|&place| good[place]) {
            let position = layout.position_of[row] as usize;
            let values = &vectors.values[place * dim..(place + 1) * dim];
            embeddings.values_mut()[position * dim..(position + 1) * dim].copy_from_slice(values);
            embeddings.set_norm(position, similarity.norm(values));
            row += 1;
        }
    }
    Ok(embeddings)
}

/// Checks a corpus row by row without keeping it.
///
/// # Errors
/// As [`read`], except that bad rows are reported, not errors.
pub fn check(options: &InputOptions, observer: &dyn Observer) -> Result<CheckReport> {
    let opened = open(options)?;
    let mut checked = first_pass(&opened, false, observer)?;
    let mut notes = Vec::new();
    let problems = checked.bad.iter().take(1000).map(|bad| format!("{}: {}", bad.place, bad.problem)).collect();
    let bad_rows = checked.bad.len() as u64;
    let rows = rows(&opened, &mut checked, &mut notes)?;
    check_unique(&opened, &rows)?;
    let (queries, models) = (rows.queries.len() as u64, rows.models.len() as u64);
    Ok(CheckReport { rows: opened.rows, bad_rows, problems, queries, models, dim: checked.dim, notes })
}

/// Reads footers and, for the dimension, the first row group.
///
/// # Errors
/// As [`read`], for what footers show.
pub fn survey(options: &InputOptions) -> Result<Survey> {
    let opened = open(options)?;
    let columns = &opened.columns[0];
    let mut dim = 0;
    for group in &opened.groups {
        dim = opened.files[group.file].vectors(group.group, &opened.columns[group.file])?.dim;
        if dim != 0 {
            break;
        }
    }
    let mut parts = vec![
        ("embedding".to_owned(), columns.embedding.clone()),
        ("query".to_owned(), columns.query.clone()),
        ("model".to_owned(), columns.model.clone()),
    ];
    parts.extend(columns.sample.iter().map(|name| ("sample".to_owned(), name.clone())));
    parts.extend(columns.text.iter().map(|name| ("text".to_owned(), name.clone())));
    parts.extend(columns.roles.iter().map(|(role, name)| (format!("{role:?}").to_lowercase(), name.clone())));
    let files = opened.sources.iter().map(|source| (source.name.clone(), source.rows, source.bytes)).collect();
    Ok(Survey { files, rows: opened.rows, dim, columns: parts })
}

/// Texts of some rows of a corpus, in the order asked for; `None` where there is no text.
///
/// # Errors
/// As [`read`].
pub fn texts(options: &InputOptions, corpus: &Corpus, rows: &[u32]) -> Result<Vec<Option<String>>> {
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
                let found = parquet.texts(group, &column, &distinct)?;
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
