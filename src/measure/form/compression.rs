//! How much the beginnings of a group's responses repeat each other: the compression ratio of a fixed amount of them.

use super::question::Question;
use super::vectors::whole;
use crate::base::random::Stream;
use crate::corpus::{Corpus, Excerpts};

/// Bytes that are compressed.
const BYTES: usize = 20_000;
/// Level of zstd. Ratios at 19, which takes nine times as long, are 2 % higher and in the same order.
const LEVEL: i32 = 9;

/// Ratio of [`BYTES`] of excerpts, one a line, to what zstd makes of them; `None` if there are fewer.
///
/// `of` gives a group's positions in a question. They are drawn in rounds: one response to each question before a second
/// to any, so that it is not the questions that repeat.
pub fn ratio(
    corpus: &Corpus,
    excerpts: &Excerpts,
    questions: &[Question],
    seed: u64,
    of: impl Fn(&Question) -> Vec<usize>,
) -> Option<f64> {
    let random = Stream::new(seed, "compression");
    let row = |position: usize| u64::from(corpus.layout.row_at[position]);
    let mut drawn: Vec<(usize, u64, usize)> = Vec::new();
    for question in questions {
        let mut here = of(question);
        here.sort_by_cached_key(|&position| (random.bits(row(position), 0), position));
        let rounds = here.into_iter().enumerate();
        drawn.extend(rounds.map(|(round, position)| (round, random.bits(row(position), 1), position)));
    }
    drawn.sort_unstable();
    let mut text = Vec::with_capacity(2 * BYTES);
    for (_, _, position) in drawn {
        if text.len() >= BYTES {
            break;
        }
        text.extend_from_slice(whole(corpus, excerpts, position)?.as_bytes());
        text.push(b'\n');
    }
    let text = text.get(..BYTES)?;
    Some(BYTES as f64 / zstd::bulk::compress(text, LEVEL).ok()?.len() as f64)
}
