//! When responses were written: what the values of the time column say.
//!
//! All values are numbers, in whatever unit the column has, or all are ISO 8601 dates, with or without a time of day and
//! an offset from UTC (none: UTC). Dates become days since 1970.

use crate::corpus::{Corpus, Role};

/// The time of each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// One a row; `None` where it is null.
    pub of_row: Vec<Option<f64>>,
    /// The unit in words: `day`, or `unit of time`.
    pub unit: &'static str,
}

impl Times {
    /// Reads the times of responses.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn new(corpus: &Corpus) -> Result<Self, String> {
        Self::of(corpus, Role::Time)
    }

    /// Reads a column of times.
    ///
    /// # Errors
    /// Why there are no times, as [`super::LeftOut`] says it.
    pub fn of(corpus: &Corpus, role: Role) -> Result<Self, String> {
        let name = if role == Role::RatingTime { "column of rating times" } else { "time column" };
        let Some(category) = corpus.rows.categories.get(&role) else { return Err(format!("no {name}")) };
        let names = category.dictionary.names();
        if names.is_empty() {
            return Err(format!("the {name} is empty"));
        }
        let read = |one: fn(&str) -> Option<f64>| names.iter().map(|name| one(name)).collect::<Option<Vec<f64>>>();
        let (values, unit) = match (read(number), read(days)) {
            (Some(values), _) => (values, "unit of time"),
            (None, Some(values)) => (values, "day"),
            (None, None) => return Err(format!("the {name} holds neither numbers throughout nor ISO 8601 dates")),
        };
        let of_row = category.ids.iter().map(|&id| values.get(id as usize).copied()).collect();
        Ok(Self { of_row, unit })
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|time| time.is_finite())
}

/// Days since 1970-01-01T00:00Z.
fn days(text: &str) -> Option<f64> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = fields(date, '-')?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=length).contains(&day) {
        return None;
    }
    // Days of whole years, then of whole months.
    let before = year - 1;
    let years = 365 * before + before / 4 - before / 100 + before / 400;
    let whole = years + lengths[..month as usize - 1].iter().sum::<i64>() + day - 1;
    const TO_1970: i64 = 719_162;
    let seconds = if rest.is_empty() { 0.0 } else { seconds(rest.strip_prefix(['T', 't', ' '])?)? };
    Some((whole - TO_1970) as f64 + seconds / 86_400.0)
}

/// Seconds from the start of the day in UTC: `hh:mm[:ss[.f]]`, then `Z`, `±hh:mm`, `±hhmm`, `±hh` or nothing.
fn seconds(text: &str) -> Option<f64> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) if text[at..].eq_ignore_ascii_case("z") => (&text[..at], 0),
        Some(at) => {
            let digits = text[at + 1..].replace(':', "");
            let [hours, minutes] = match digits.len() {
                2 => [digits.parse().ok()?, 0],
                4 => fields(&format!("{}:{}", digits.get(..2)?, digits.get(2..)?), ':')?,
                _ => return None,
            };
            let sign = if text[at..].starts_with('-') { -1 } else { 1 };
            (&text[..at], sign * (3600 * hours + 60 * minutes))
        }
        None => (text, 0),
    };
    let (clock, second) = match clock.match_indices(':').nth(1) {
        Some((at, _)) => (&clock[..at], clock[at + 1..].parse::<f64>().ok()?),
        None => (clock, 0.0),
    };
    let [hour, minute] = fields(clock.trim_end(), ':')?;
    let inside = hour < 25 && minute < 60 && (0.0..61.0).contains(&second);
    inside.then(|| (3600 * hour + 60 * minute - offset) as f64 + second)
}

/// Whole numbers between separators.
fn fields<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
    text.split(separator).map(digits).collect::<Option<Vec<i64>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::corpus::{Category, Dictionary};

    fn read(names: &[&str]) -> Result<Times, String> {
        let mut corpus = planted::planted(names.iter().map(|_| ("q".into(), "m".into())), 2).0;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (dictionary, ids) = Dictionary::from_names(&names);
        corpus.rows.categories.insert(Role::Time, Category { dictionary, ids });
        Times::new(&corpus)
    }

    /// Values of Python's datetime.
    #[test]
    fn dates_are_days_since_1970() {
        for (text, want) in [
            ("1970-01-01", 0.0),
            ("2000-02-29", 11_016.0),
            ("2024-12-31T12:00", 20_088.5),
            ("1969-12-31 18:00:00", -0.25),
            ("2024-03-01T00:30:00.25Z", 19_783.0 + 1800.25 / 86_400.0),
            ("2024-03-01T02:00:00+02:00", 19_783.0),
            ("2024-02-29T19:00:00-0500", 19_783.0),
            ("2024-02-29t19:00:00-05", 19_783.0),
        ] {
            assert_eq!(days(text), Some(want), "{text}");
        }
        for bad in [
            "",
            "2023-02-29",
            "2024-13-01",
            "2024-1-1",
            "2024-01-01X",
            "2024-01-01T25",
            "yesterday",
            "é".repeat(9).as_str(),
        ] {
            assert_eq!(days(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_column_is_of_numbers_or_of_dates() {
        assert_eq!(read(&["3", "-1.5", "1e3"]).unwrap().of_row, [Some(3.0), Some(-1.5), Some(1000.0)]);
        let dates = read(&["2024-03-01", "1970-01-02"]).unwrap();
        assert_eq!((dates.of_row, dates.unit), (vec![Some(19_783.0), Some(1.0)], "day"));
        assert!(read(&["3", "2024-03-01"]).unwrap_err().contains("neither"));
        assert!(read(&["NaN"]).is_err());
    }
}
