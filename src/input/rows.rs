//! From the keys of all input rows to the rows of a corpus.

use super::arrow_path::MISCOUNTED;
use super::keys::{Column, Keys, NULL};
use super::opened::Opened;
use crate::base::error::printable;
use crate::base::events::Stage;
use crate::base::{Error, Observer, Place, Result};
use crate::corpus::excerpts::Appending;
use crate::corpus::{Category, Dictionary, Excerpts, Layout, Number, Role, Rows, Samples};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// Keys of all input rows.
pub struct InputKeys {
    keys: Keys,
    roles: Vec<Role>,
    numbers: Vec<Number>,
    excerpts: Option<Excerpts>,
}

impl InputKeys {
    /// Reads the keys of every row group; a few groups at a time, so that only distinct names stay, and of texts what
    /// `excerpts` takes.
    ///
    /// # Errors
    /// [`Error::Content`] for what can't be decoded, [`Error::Io`] for a scratch file, [`Error::Interrupted`].
    pub fn read(opened: &Opened, mut excerpts: Option<Appending>, observer: &dyn Observer) -> Result<Self> {
        let stage = Stage::start(observer, "reading keys", "rows", opened.rows);
        let columns = &opened.columns;
        let roles: Vec<Role> = columns[0].roles.iter().map(|(role, _)| *role).collect();
        let numbers: Vec<Number> = columns[0].numbers.iter().map(|(number, _)| *number).collect();
        let mut all = Keys {
            sample: columns.iter().all(|c| c.sample.is_some()).then(Column::default),
            text: columns.iter().all(|c| c.text.is_some()).then(Vec::new),
            text_chars: columns.iter().all(|c| c.text.is_some()).then(Vec::new),
            refusal: columns.iter().all(|c| c.text.is_some()).then(Vec::new),
            roles: roles.iter().map(|_| Column::default()).collect(),
            numbers: numbers.iter().map(|_| Vec::new()).collect(),
            ..Keys::default()
        };
        for groups in opened.groups.chunks(2 * rayon::current_num_threads()) {
            let parts: Vec<Result<Keys>> = (groups.par_iter())
                .map(|group| {
                    observer.check_stop()?;
                    Keys::read(&opened.files[group.file], group.group, &columns[group.file])
                })
                .collect();
            for (group, part) in groups.iter().zip(parts) {
                let part = part?;
                if part.len() != group.rows {
                    return Err(Error::content(opened.place(group), MISCOUNTED));
                }
                if let Some(excerpts) = excerpts.as_mut().filter(|_| all.text.is_some()) {
                    excerpts.append(&part.excerpts, &part.excerpt_lengths)?;
                }
                append(&mut all, &part, &roles, &columns[group.file].roles);
                append_numbers(&mut all, &part, &numbers, &columns[group.file].numbers);
            }
            stage.advance(all.len() as u64);
        }
        stage.finish();
        let excerpts = excerpts.filter(|_| all.text.is_some()).map(Appending::finish).transpose()?;
        Ok(Self { keys: all, roles, numbers, excerpts })
    }

    /// Number of input rows.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Input rows without a query, model or sample key, and the column that lacks it.
    pub fn incomplete(&self, opened: &Opened) -> Vec<(usize, String)> {
        let column = |row: usize| {
            let columns = &opened.columns[opened.group_of(row).file];
            let missing = |column: &Column| column.ids[row] == NULL;
            if missing(&self.keys.query) {
                Some(columns.query.clone())
            } else if missing(&self.keys.model) {
                Some(columns.model.clone())
            } else {
                self.keys.sample.as_ref().filter(|sample| missing(sample)).and(columns.sample.clone())
            }
        };
        let null = |row: &usize| {
            [Some(&self.keys.query), Some(&self.keys.model), self.keys.sample.as_ref()]
                .into_iter()
                .flatten()
                .any(|column| column.ids[*row] == NULL)
        };
        (0..self.len()).filter(null).filter_map(|row| column(row).map(|column| (row, column))).collect()
    }

    /// The rows of the corpus: those input rows that are `good`.
    pub fn rows(&self, opened: &Opened, good: &[bool], notes: &mut Vec<String>) -> Rows {
        let kept = || (0..self.len()).filter(|&row| good[row]);
        let category = |column: &Column| category(column, kept());
        let (queries, query) = category(&self.keys.query);
        let (models, model) = category(&self.keys.model);
        let sample = match &self.keys.sample {
            Some(column) => samples(category(column)),
            None => {
                notes.push("no sample column: sample is the order of appearance within (query, model)".into());
                let mut seen: HashMap<(u32, u32), i64> = HashMap::new();
                let appearance = |(&q, &m): (&u32, &u32)| {
                    let next = seen.entry((q, m)).or_insert(0);
                    *next += 1;
                    *next - 1
                };
                Samples::Number(query.iter().zip(&model).map(appearance).collect())
            }
        };
        let (mut file, mut file_row) = (Vec::with_capacity(query.len()), Vec::with_capacity(query.len()));
        for group in &opened.groups {
            for row in (0..group.rows).filter(|row| good[group.first_input_row + row]) {
                file.push(group.file as u32);
                file_row.push(group.first_row + row as u64);
            }
        }
        let categories: BTreeMap<Role, Category> = (self.roles.iter().zip(&self.keys.roles))
            .map(|(&role, column)| {
                let (dictionary, ids) = category(column);
                (role, Category { dictionary, ids })
            })
            .collect();
        let text_hash = self.keys.text.as_ref().map(|text| kept().map(|row| text[row]).collect());
        let text_chars = self.keys.text_chars.as_ref().map(|chars| kept().map(|row| chars[row]).collect());
        let refusal = self.keys.refusal.as_ref().map(|refusal| kept().map(|row| refusal[row]).collect());
        let excerpts = self.excerpts.as_ref().map(|excerpts| excerpts.select(kept()));
        let of_kept = |values: &Vec<f64>| kept().map(|row| values[row]).collect();
        let numbers = self.numbers.iter().zip(&self.keys.numbers).map(|(&n, values)| (n, of_kept(values))).collect();
        Rows {
            file,
            file_row,
            query,
            model,
            queries,
            models,
            sample,
            text_hash,
            text_chars,
            refusal,
            excerpts,
            numbers,
            categories,
        }
    }
}

/// Adds the keys of a row group whose optional columns are `columns` to those of all.
fn append(all: &mut Keys, part: &Keys, roles: &[Role], columns: &[(Role, String)]) {
    let rows = part.len();
    all.query.append(&part.query);
    all.model.append(&part.model);
    if let (Some(all), Some(part)) = (&mut all.sample, &part.sample) {
        all.append(part);
    }
    if let (Some(all), Some(part)) = (&mut all.text, &part.text) {
        all.extend_from_slice(part);
    }
    if let (Some(all), Some(part)) = (&mut all.text_chars, &part.text_chars) {
        all.extend_from_slice(part);
    }
    if let (Some(all), Some(part)) = (&mut all.refusal, &part.refusal) {
        all.extend_from_slice(part);
    }
    for (role, all) in roles.iter().zip(&mut all.roles) {
        match columns.iter().position(|(other, _)| other == role) {
            Some(place) => all.append(&part.roles[place]),
            None => all.append_nulls(rows),
        }
    }
}

/// Adds the numbers of a row group whose columns of numbers are `columns` to those of all.
fn append_numbers(all: &mut Keys, part: &Keys, numbers: &[Number], columns: &[(Number, String)]) {
    for (number, all) in numbers.iter().zip(&mut all.numbers) {
        match columns.iter().position(|(other, _)| other == number) {
            Some(place) => all.extend_from_slice(&part.numbers[place]),
            None => all.resize(all.len() + part.len(), f64::NAN),
        }
    }
}

/// Dictionary of the names that `rows` use, and the id of each of them (`u32::MAX` where it is null).
fn category(column: &Column, rows: impl Iterator<Item = usize> + Clone) -> (Dictionary, Vec<u32>) {
    let names = column.names.list();
    let mut used = vec![false; names.len()];
    for row in rows.clone() {
        if let Some(used) = used.get_mut(column.ids[row] as usize) {
            *used = true;
        }
    }
    let used: Vec<String> = names.iter().zip(used).filter(|(_, used)| *used).map(|(name, _)| name.clone()).collect();
    let (dictionary, _) = Dictionary::from_names(&used);
    let renamed: Vec<u32> = names.iter().map(|name| dictionary.id(name).unwrap_or(u32::MAX)).collect();
    let ids = rows.map(|row| renamed.get(column.ids[row] as usize).copied().unwrap_or(u32::MAX)).collect();
    (dictionary, ids)
}

/// Samples as whole numbers where all names are, each another one.
fn samples((dictionary, ids): (Dictionary, Vec<u32>)) -> Samples {
    let numbers: Option<Vec<i64>> = dictionary.names().iter().map(|name| name.parse().ok()).collect();
    if let Some(numbers) = numbers {
        let mut distinct = numbers.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() == numbers.len() {
            return Samples::Number(ids.iter().map(|&id| numbers[id as usize]).collect());
        }
    }
    Samples::Name(Category { dictionary, ids })
}

/// Refuses two rows with one (query, model, sample).
///
/// # Errors
/// [`Error::Content`] that names both.
pub fn check_unique(opened: &Opened, rows: &Rows, layout: &Layout) -> Result<()> {
    let sample = |row: u32| match &rows.sample {
        Samples::Number(numbers) => numbers[row as usize],
        Samples::Name(category) => i64::from(category.ids[row as usize]),
    };
    // The rows of a query and model stand together.
    let repeated = layout.cells.par_iter().flatten().find_map_first(|cell| {
        let mut order = layout.row_at[cell.positions.clone()].to_vec();
        order.sort_unstable_by_key(|&row| (sample(row), row));
        order
            .windows(2)
            .find(|pair| sample(pair[0]) == sample(pair[1]))
            .map(|pair| [pair[0] as usize, pair[1] as usize])
    });
    let Some([first, second]) = repeated else { return Ok(()) };
    let place = |row: usize| Place::file(&opened.sources[rows.file[row] as usize].name).row(rows.file_row[row]);
    let sample = match &rows.sample {
        Samples::Number(numbers) => numbers[first].to_string(),
        Samples::Name(category) => printable(category.dictionary.name(category.ids[first])),
    };
    Err(Error::content(
        place(second),
        format!(
            "has the same (query, model, sample) as {}: (`{}`, `{}`, {sample}); is a file given twice, or is --sample another column?",
            place(first),
            printable(rows.queries.name(rows.query[first])),
            printable(rows.models.name(rows.model[first])),
        ),
    ))
}
