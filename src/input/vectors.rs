//! The pass over the embedding column: row groups in parallel, each by pages or through arrow-rs.

use super::opened::{Group, Opened};
use super::placement::Placement;
use super::{arrow_path, page_path};
use crate::base::error::printable;
use crate::base::events::Stage;
use crate::base::units::show_count;
use crate::base::{Error, Event, Observer, Place, Result};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the pass found.
#[derive(Debug, Default)]
pub struct Found {
    /// Input rows that can't be used, ascending, and why.
    pub bad: Vec<(usize, String)>,
    /// Whether values were narrowed from f64.
    pub narrowed: bool,
}

/// What one row group gave, and why it was not read by pages (if it was not).
type Part = (arrow_path::Found, Option<String>);

/// Reads every embedding into `placement`.
///
/// # Errors
/// [`Error::Content`] for a row group that can't be decoded and a file that has another dimension throughout; [`Error::Interrupted`].
pub fn read(opened: &Opened, placement: &Placement<'_>, by_pages: bool, observer: &dyn Observer) -> Result<Found> {
    let stage = Stage::start(observer, "reading embeddings", "rows", opened.rows);
    let done = AtomicU64::new(0);
    // Files with few row groups are read in several places at once.
    let parts = (2 * rayon::current_num_threads()).div_ceil(opened.groups.len().max(1));
    let groups: Vec<Result<Part>> = (opened.groups.par_iter())
        .map(|group| {
            let part = one_group(opened, group, placement, by_pages.then_some(parts), observer)?;
            let rows = group.rows as u64;
            stage.advance(done.fetch_add(rows, Ordering::Relaxed) + rows);
            Ok(part)
        })
        .collect();
    stage.finish();
    let mut found = Found::default();
    let (mut through_arrow, mut first_reason) = (0, None);
    // Of each file: usable rows, and where another dimension was met first.
    let mut files: Vec<(usize, Option<(&Group, usize)>)> = vec![(0, None); opened.files.len()];
    for (group, part) in opened.groups.iter().zip(groups) {
        let (part, odd) = part?;
        let file = &mut files[group.file];
        file.0 += part.good;
        file.1 = file.1.or(part.other_dim.map(|other| (group, other)));
        if let Some(reason) = odd {
            through_arrow += 1;
            first_reason.get_or_insert_with(|| format!("{}: {reason}", opened.place(group)));
        }
        found.bad.extend(part.bad.into_iter().map(|(row, problem)| (group.first_input_row + row, problem)));
        found.narrowed |= part.narrowed;
    }
    for (good, other) in files {
        if let (0, Some((group, other))) = (good, other) {
            return Err(Error::content(
                opened.place(group).column(&opened.columns[group.file].embedding),
                format!(
                    "has {other} dimensions, `{}` has {}: all embeddings must come from one model",
                    printable(&opened.sources[opened.dim_from].name),
                    placement.dim
                ),
            ));
        }
    }
    let reason = first_reason.map_or_else(String::new, |reason| format!("; the first through arrow-rs: {reason}"));
    observer.event(Event::Detail {
        message: format!(
            "{} of {} row groups read by pages{reason}",
            show_count((opened.groups.len() - through_arrow) as u64),
            show_count(opened.groups.len() as u64)
        ),
    });
    if found.bad.is_empty() && !placement.complete() {
        return Err(Error::content(Place::file(&opened.sources[0].name), arrow_path::MISCOUNTED));
    }
    Ok(found)
}

/// Reads a row group by pages, in `parts` parts, or else through arrow-rs.
fn one_group(
    opened: &Opened,
    group: &Group,
    placement: &Placement<'_>,
    parts: Option<usize>,
    observer: &dyn Observer,
) -> Result<Part> {
    observer.check_stop()?;
    let (file, columns) = (&opened.files[group.file], &opened.columns[group.file]);
    let mut odd = "switched off".to_owned();
    if let Some(parts) = parts {
        let first = group.first_input_row;
        let read = file.guarded(group.group, || {
            page_path::read(file, group.group, &columns.embedding, placement, first, parts, observer)
        });
        match read {
            Ok(Ok(narrowed)) => {
                return Ok((arrow_path::Found { narrowed, good: group.rows, ..Default::default() }, None));
            }
            Ok(Err(page_path::Odd(reason))) => odd = reason,
            Err(error) => odd = error.to_string(),
        }
        observer.check_stop()?;
    }
    let found = arrow_path::read(file, group.group, columns, placement, group.first_input_row, group.rows)?;
    Ok((found, Some(odd)))
}
