//! Errors and the exit codes they map to.
//!
//! A message says what is wrong, where (file, column, row group, row), and which flag helps.

use std::fmt;
use std::path::PathBuf;

/// Result of every fallible function of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where in the input something is wrong. Parts that do not apply stay `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Path as the user would recognise it (relative to INPUT where there is one).
    pub file: String,
    /// Column name.
    pub column: Option<String>,
    /// Row group, from 0.
    pub row_group: Option<usize>,
    /// Row within the file, from 0.
    pub row: Option<u64>,
}

impl Place {
    /// A place that is a whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// The same place, narrowed to a column.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// The same place, narrowed to a row group.
    #[must_use]
    pub fn row_group(mut self, row_group: usize) -> Self {
        self.row_group = Some(row_group);
        self
    }

    /// The same place, narrowed to a row of the file.
    #[must_use]
    pub fn row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", printable(&self.file))?;
        if let Some(column) = &self.column {
            write!(f, ", column `{}`", printable(column))?;
        }
        if let Some(row_group) = self.row_group {
            write!(f, ", row group {row_group}")?;
        }
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        Ok(())
    }
}

/// Text that is safe to show in a terminal: control characters become `\u{..}` escapes.
pub fn printable(text: &str) -> String {
    if text.chars().any(char::is_control) {
        text.chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
            .collect()
    } else {
        text.to_owned()
    }
}

/// Everything that can go wrong, one variant per exit code and cause.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Flags, paths, a column that is not there: the user can mend the call. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The content of a file that was opened is not usable. Exit code 3.
    #[error("{place}: {problem}")]
    Content {
        /// Where.
        place: Place,
        /// What is wrong and which flag helps.
        problem: String,
    },
    /// Reading or writing failed while running. Exit code 1.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A device (GPU, driver) failed or is missing. Exit code 1.
    #[error("{0}")]
    Device(String),
    /// Anything else that failed while running, memory budgets among it. Exit code 1.
    #[error("{0}")]
    Run(String),
    /// The user interrupted the run. Exit code 130.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A content error at `place`.
    pub fn content(place: Place, problem: impl Into<String>) -> Self {
        Self::Content { place, problem: problem.into() }
    }

    /// An I/O error that names its path.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// Exit code of the process when this error ends it (see README, "Exit codes").
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Content { .. } => 3,
            Self::Io { .. } | Self::Device(_) | Self::Run(_) => 1,
            Self::Interrupted => 130,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_prints_only_what_it_knows() {
        let place = Place::file("part-0.parquet").column("embedding").row_group(2).row(41);
        assert_eq!(place.to_string(), "part-0.parquet, column `embedding`, row group 2, row 41");
        assert_eq!(Place::file("a\u{1b}[31m.parquet").to_string(), "a\\u{1b}[31m.parquet");
    }

    #[test]
    fn exit_codes_follow_the_contract() {
        assert_eq!(Error::Usage(String::new()).exit_code(), 2);
        assert_eq!(Error::content(Place::default(), "x").exit_code(), 3);
        assert_eq!(Error::Run(String::new()).exit_code(), 1);
        assert_eq!(Error::Interrupted.exit_code(), 130);
    }
}
