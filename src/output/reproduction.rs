//! What `reproduce` writes: reproduction.parquet, pca.parquet, ratings.parquet, reproduction.json.

use super::{ResultDirectory, json, table};
use crate::base::Result;
use crate::measure::reproduce::{Item, Line, Pca, Reproduction};
use std::path::Path;

impl ResultDirectory {
    /// Writes the tables and reproduction.json; a table without lines is left out.
    ///
    /// # Errors
    /// [`crate::base::Error::Io`].
    pub fn write_reproduction(&self, done: &Reproduction) -> Result<()> {
        lines(&self.partial.join("reproduction.parquet"), &done.lines)?;
        if let Some(pca) = &done.pca {
            points(&self.partial.join("pca.parquet"), pca)?;
        }
        if !done.items.is_empty() {
            items(&self.partial.join("ratings.parquet"), &done.items)?;
        }
        json::write(&self.partial.join("reproduction.json"), done)
    }
}

fn lines(path: &Path, lines: &[Line]) -> Result<()> {
    table::write(path, lines.len(), |range, c| {
        let lines = &lines[range];
        c.text("part", lines.iter().map(|line| Some(line.part)), false);
        c.text("name", lines.iter().map(|line| line.name.as_deref()), true);
        c.text("other", lines.iter().map(|line| line.other.as_deref()), true);
        c.f64("value", lines.iter().map(|line| line.value));
        c.f64_or_null("ci_low", lines.iter().map(|line| line.interval.map(|ci| ci.low)));
        c.f64_or_null("ci_high", lines.iter().map(|line| line.interval.map(|ci| ci.high)));
        c.f64_or_null("published", lines.iter().map(|line| line.published));
        c.f64_or_null("difference", lines.iter().map(Line::difference));
        c.f64("rounded", lines.iter().map(|line| line.rounded));
        c.u64("n", lines.iter().map(|line| line.n));
        Ok(())
    })
}

fn points(path: &Path, pca: &Pca) -> Result<()> {
    table::write(path, pca.points.len(), |range, c| {
        let points = &pca.points[range];
        c.text("model", points.iter().map(|point| Some(point.model.as_str())), false);
        c.u32("file", points.iter().map(|point| point.file));
        c.u64("file_row", points.iter().map(|point| point.file_row));
        c.f64("x", points.iter().map(|point| point.at[0]));
        c.f64("y", points.iter().map(|point| point.at[1]));
        Ok(())
    })
}

fn items(path: &Path, items: &[Item]) -> Result<()> {
    table::write(path, items.len(), |range, c| {
        let items = &items[range];
        c.u64("row", items.iter().map(|item| item.row));
        c.u64("labels", items.iter().map(|item| item.labels));
        c.f64("human", items.iter().map(|item| item.human));
        c.f64("disagreement", items.iter().map(|item| item.disagreement));
        Ok(())
    })
}
