//! Bytes, counts and durations as people type and read them.

use crate::base::{Error, Result};

/// Parses `8GiB`, `512MiB`, `1.5GB`, `1000000` (bytes). Binary suffixes end in `iB`, decimal ones in `B`.
///
/// # Errors
/// [`Error::Usage`] with the accepted forms.
pub fn parse_bytes(text: &str) -> Result<u64> {
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let scale = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tib" => 1024.0f64.powi(4),
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => {
            return Err(Error::Usage(format!(
                "`{text}` is not a size: use a number with KiB, MiB, GiB, TiB, KB, MB, GB or TB"
            )));
        }
    };
    let value: f64 =
        number.parse().map_err(|_| Error::Usage(format!("`{text}` is not a size: it must begin with a number")))?;
    Ok((value * scale) as u64)
}

/// `1.5 GiB`, `12 MiB`, `980 B`.
pub fn show_bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" || value >= 100.0 {
                format!("{value:.0} {unit}")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// `22,647`: thousands separated by commas.
///
/// ```
/// assert_eq!(hivescope::base::units::show_count(22_647), "22,647");
/// ```
pub fn show_count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `0.42 s`, `3 min 20 s`, `2 h 5 min`.
pub fn show_seconds(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{} min {} s", seconds as u64 / 60, seconds as u64 % 60)
    } else {
        format!("{} h {} min", seconds as u64 / 3600, seconds as u64 / 60 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        assert_eq!(parse_bytes("8GiB").ok(), Some(8 << 30));
        assert_eq!(parse_bytes(" 1.5 GB ").ok(), Some(1_500_000_000));
        assert_eq!(parse_bytes("512m").ok(), Some(512 << 20));
        assert!(parse_bytes("many").is_err() && parse_bytes("3 parsecs").is_err());
        assert_eq!(show_bytes(1536 << 20), "1.5 GiB");
        assert_eq!(show_count(1234567), "1,234,567");
    }
}
