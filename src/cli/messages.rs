//! The one door to stdout and stderr.
//!
//! stdout carries what the user asked for, stderr everything else. A reader that went away (`| head`) is no failure.

use std::io::Write;

/// Writes `text` and a line end to stdout.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Writes `text` and a line end to stderr.
pub fn say(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Writes one JSON value as a line on stdout.
pub fn json(value: &impl serde::Serialize) {
    match serde_json::to_string(value) {
        Ok(line) => data(&line),
        Err(error) => say(&format!("hivescope: an event could not be written as JSON: {error}")),
    }
}

/// Says why the process ends, on stderr, and with `--json` as an `error` line on stdout.
pub fn failure(message: &str, code: u8, as_json: bool) {
    if as_json {
        json(&serde_json::json!({"type": "error", "message": message, "exit_code": code}));
    }
    say(&format!("hivescope: {message}"));
}

/// Prints what clap has to say: help to stdout, mistakes to stderr.
pub fn parse_error(error: &clap::Error) {
    drop(error.print());
}

/// Rows of text in columns: the first column to the left, the others to the right unless `left` lists them.
pub fn table(rows: &[Vec<String>], left: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|c| rows.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = (row.iter().enumerate())
            .map(|(c, cell)| {
                let width = widths[c];
                if c == 0 || left.contains(&c) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "10".to_owned()], vec!["long".to_owned(), "9".to_owned()]];
        assert_eq!(super::table(&rows, &[]), "a     10\nlong   9");
    }
}
