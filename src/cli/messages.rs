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

/// Columns of the terminal that stdout is, if it is one.
pub fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// As [`table`], with the first column wrapped at spaces where the lines would be longer than `width` characters.
pub fn table_within(rows: &[Vec<String>], width: usize) -> String {
    let longest = |c: usize| rows.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count()).max();
    let others: usize = (1..).map_while(longest).map(|longest| longest + 2).sum();
    let most = width.saturating_sub(others).max(LEAST_LABEL);
    let wrapped: Vec<Vec<String>> = rows.iter().flat_map(|row| wrap(row, most)).collect();
    table(&wrapped, &[])
}

/// Characters that a wrapped first column has at least.
const LEAST_LABEL: usize = 24;

/// A row whose first cell is at most `most` characters wide, if its words are; what does not fit follows in rows of its
/// own.
fn wrap(row: &[String], most: usize) -> Vec<Vec<String>> {
    let mut lines = vec![String::new()];
    for word in row.first().map_or("", String::as_str).split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let mut rows: Vec<Vec<String>> = lines.into_iter().map(|line| vec![line]).collect();
    if let Some(first) = rows.first_mut() {
        first.extend(row.iter().skip(1).cloned());
    }
    rows
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "10".to_owned()], vec!["long".to_owned(), "9".to_owned()]];
        assert_eq!(super::table(&rows, &[]), "a     10\nlong   9");
    }

    #[test]
    fn a_long_label_is_wrapped_where_the_terminal_is_narrow() {
        let rows = [["", "value"], ["a label of several words, some longer than others", "0.5"]];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        let narrow = super::table_within(&rows, 40);
        assert_eq!(
            narrow,
            "                                value\na label of several words, some    0.5\nlonger than others"
        );
        assert!(narrow.lines().all(|line| line.chars().count() <= 40));
        assert_eq!(super::table_within(&rows, 400), super::table(&rows, &[]));
    }
}
