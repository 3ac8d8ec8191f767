//! How much memory a run may use, what it holds of it, and how freed memory goes back to the system.

use crate::base::units::{parse_bytes, show_bytes};
use crate::base::{Error, Event, Observer};
use crate::corpus::Corpus;
use crate::measure::tables::MapRow;
use crate::measure::{self, MeasureSettings};

/// Share of the available memory that a run takes by default.
const SHARE: f64 = 0.6;

/// What is taken for available where the system does not say: 2 GiB.
const ASSUMED: u64 = 2 << 30;

/// What the process holds before it reads anything: 2 MiB, and 14 MiB more where a software GPU driver was looked at.
const START: u64 = 16 << 20;

/// Smallest budget that is worth starting with.
const LEAST: u64 = 64 << 20;

/// Bytes available to this process: what the system has free, or the control group's rest where that is less.
pub fn available() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else {
        return ASSUMED;
    };
    system.refresh_memory();
    let free = system.available_memory();
    match system.cgroup_limits() {
        Some(limits) if limits.total_memory > 0 => {
            free.min(limits.total_memory.saturating_sub(limits.rss)).min(limits.total_memory)
        }
        _ => free,
    }
}

/// The budget in bytes: `--memory` if given, otherwise 60 % of what is available.
///
/// # Errors
/// [`Error::Usage`] if the text is not a size or the size is under 64 MiB.
pub fn budget(asked: Option<&str>) -> Result<u64, Error> {
    match asked {
        Some(text) => {
            let bytes = parse_bytes(text)?;
            if bytes < LEAST {
                return Err(Error::Usage(format!("--memory {text} is too little: at least {}", show_bytes(LEAST))));
            }
            Ok(bytes)
        }
        None => Ok(((available() as f64 * SHARE) as u64).max(LEAST)),
    }
}

/// Blocks of this size and more go back to the system when they are freed. Decompressed pages (1 MiB) stay below it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const GIVEN_BACK: i32 = 2 << 20;

/// Tells the C library's allocator to give large blocks back. By itself it raises the size from which it does so to
/// that of the largest block freed (32 MiB at most), and then a run holds what its earlier parts needed.
pub fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` sets a parameter of the allocator; it may be called at any time and takes its lock.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, GIVEN_BACK);
    }
}

/// Gives everything that is free back to the system.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` releases free memory of the allocator; it may be called at any time and takes its locks.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Bytes that the process holds beside the pair pass: what it started with, and the corpus.
pub fn held(corpus: &Corpus) -> u64 {
    START + corpus.memory()
}

/// Says so if the measures may not keep to `budget`. The pass shares out what it has; the measures hold what they hold.
pub fn warn_of_measures(corpus: &Corpus, settings: &MeasureSettings, budget: u64, observer: &dyn Observer) {
    // Of the graph, the nearest neighbour of each row is kept for responses.parquet.
    let nearest = (size_of::<Option<(u32, f32)>>() * corpus.len()) as u64;
    let texts = if corpus.rows.text_hash.is_some() { MapRow::CHARS * corpus.len().min(MapRow::MOST) } else { 0 };
    let wanted = held(corpus) + nearest + texts as u64 + measure::memory(corpus, settings);
    if wanted > budget {
        observer.event(Event::Note {
            message: format!(
                "the measures may take {} in all, more than --memory {}: about 8 bytes for each query and two models",
                show_bytes(wanted),
                show_bytes(budget)
            ),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_budget_is_taken_and_a_tiny_one_refused() {
        assert_eq!(budget(Some("1GiB")).unwrap(), 1 << 30);
        assert_eq!(budget(Some("1KiB")).unwrap_err().exit_code(), 2);
        assert!(budget(None).unwrap() >= LEAST);
    }
}
