//! What a response is by form, by opening and by content: sparse unit vectors, and their sums.
//!
//! Pairs are never formed: the cosines of all pairs of two groups add up to the product of the groups' sums.

use crate::corpus::excerpts::CHARS;
use crate::corpus::{Corpus, Excerpts};
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;

/// Buckets of the fixed hashing, 2^18.
pub const BUCKETS: usize = 1 << 18;
/// Characters of a gram.
const GRAM: usize = 4;
/// Grams of an excerpt that has all its characters.
pub const GRAMS: usize = CHARS - GRAM + 1;
/// Rows whose lengths are taken at once.
const ROWS: usize = 4096;
/// Words of an opening.
const WORDS: usize = 5;

/// The bucket of some bytes: FNV-1a of 64 bits, multiplied by 2^64 / phi (Knuth's multiplicative hashing), its top 18 bits.
fn bucket(bytes: &[u8]) -> u32 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BUCKETS.trailing_zeros())) as u32
}

/// A sum while it is made: some elements, and which of them were touched.
pub struct Scatter {
    values: Vec<f64>,
    touched: Vec<u32>,
    seen: Vec<bool>,
}

impl Scatter {
    /// Zeros.
    pub fn new(elements: usize) -> Self {
        Self { values: vec![0.0; elements], touched: Vec::new(), seen: vec![false; elements] }
    }

    /// Adds to an element.
    #[inline]
    pub fn add(&mut self, key: u32, value: f64) {
        let at = key as usize;
        if !self.seen[at] {
            self.seen[at] = true;
            self.touched.push(key);
        }
        self.values[at] += value;
    }

    /// Hands out the elements that were touched, in the order in which they were, and leaves zeros.
    pub fn drain(&mut self, mut each: impl FnMut(u32, f64)) {
        for key in self.touched.drain(..) {
            self.seen[key as usize] = false;
            each(key, std::mem::take(&mut self.values[key as usize]));
        }
    }
}

/// Unit vectors of responses.
pub trait Vectors: Sync {
    /// Elements of a vector.
    fn dim(&self) -> usize;
    /// Most of them that are not 0.
    fn some(&self) -> usize;
    /// Adds some elements, `keys`, of the unit vector of the response at a position; the first of them is 0 in `sum`.
    fn add(&self, position: usize, keys: &Range<u32>, sum: &mut Scatter);
}

/// The excerpt of a response, if it has all its characters.
pub fn whole<'a>(corpus: &Corpus, excerpts: &'a Excerpts, position: usize) -> Option<&'a str> {
    let excerpt = excerpts.of(corpus.layout.row_at[position] as usize);
    (excerpt.len() >= CHARS && excerpt.chars().count() == CHARS).then_some(excerpt)
}

/// Form: how often each 4-gram of characters is in the excerpt, at unit length.
pub struct Form<'a> {
    corpus: &'a Corpus,
    excerpts: &'a Excerpts,
    /// Lengths of the vectors of counts, by row.
    norms: Vec<f64>,
}

/// Calls `each` with the bucket of every gram of an excerpt, in its order.
#[inline]
fn grams(excerpt: &str, mut each: impl FnMut(u32)) {
    let bytes = excerpt.as_bytes();
    if excerpt.is_ascii() {
        return bytes.windows(GRAM).for_each(|gram| each(bucket(gram)));
    }
    let places: Vec<usize> = excerpt.char_indices().map(|(at, _)| at).chain([bytes.len()]).collect();
    places.windows(GRAM + 1).for_each(|at| each(bucket(&bytes[at[0]..at[GRAM]])));
}

impl<'a> Form<'a> {
    /// Form of a corpus with texts.
    pub fn new(corpus: &'a Corpus, excerpts: &'a Excerpts) -> Self {
        let norm = |counts: &mut Vec<u16>, row: usize| {
            let mut square = 0;
            grams(excerpts.of(row), |gram| {
                let count = &mut counts[gram as usize];
                square += 2 * u32::from(*count) + 1;
                *count += 1;
            });
            grams(excerpts.of(row), |gram| counts[gram as usize] = 0);
            f64::from(square).sqrt()
        };
        let rows = (0..corpus.len()).into_par_iter().with_min_len(ROWS);
        Self { corpus, excerpts, norms: rows.map_init(|| vec![0; BUCKETS], norm).collect() }
    }
}

impl Vectors for Form<'_> {
    fn dim(&self) -> usize {
        BUCKETS
    }

    fn some(&self) -> usize {
        GRAMS
    }

    fn add(&self, position: usize, keys: &Range<u32>, sum: &mut Scatter) {
        let row = self.corpus.layout.row_at[position] as usize;
        let one = 1.0 / self.norms[row];
        grams(self.excerpts.of(row), |gram| {
            if keys.contains(&gram) {
                sum.add(gram - keys.start, one);
            }
        });
    }
}

/// Openings: which first five words a response has. The mean over pairs is the share of pairs that begin alike.
pub struct Openings<'a> {
    corpus: &'a Corpus,
    /// Number of the opening of each row.
    numbers: Vec<u32>,
    distinct: usize,
}

impl<'a> Openings<'a> {
    /// Openings of a corpus with texts.
    pub fn new(corpus: &'a Corpus, excerpts: &Excerpts) -> Self {
        let mut known: HashMap<&str, u32> = HashMap::new();
        let number = |row: usize| {
            let excerpt = excerpts.of(row);
            let end = excerpt.match_indices(' ').nth(WORDS - 1).map_or(excerpt.len(), |(at, _)| at);
            let next = known.len() as u32;
            *known.entry(&excerpt[..end]).or_insert(next)
        };
        let numbers = (0..corpus.len()).map(number).collect();
        Self { corpus, numbers, distinct: known.len() }
    }
}

impl Vectors for Openings<'_> {
    fn dim(&self) -> usize {
        self.distinct
    }

    fn some(&self) -> usize {
        1
    }

    fn add(&self, position: usize, keys: &Range<u32>, sum: &mut Scatter) {
        let number = self.numbers[self.corpus.layout.row_at[position] as usize];
        if keys.contains(&number) {
            sum.add(number - keys.start, 1.0);
        }
    }
}

/// Content: the embedding.
pub struct Content<'a>(pub &'a Corpus);

impl Vectors for Content<'_> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn some(&self) -> usize {
        self.0.dim()
    }

    fn add(&self, position: usize, keys: &Range<u32>, sum: &mut Scatter) {
        let (scale, row) = (1.0 / self.0.embeddings.norms()[position], self.0.embeddings.row(position));
        let some = &row[keys.start as usize..keys.end as usize];
        (0..).zip(some).for_each(|(key, &x)| sum.add(key, f64::from(x) * scale));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the definition written out in Python with whole numbers.
    #[test]
    fn buckets_are_fixed() {
        assert_eq!([bucket(b"the "), bucket("é b ".as_bytes()), bucket(b"")], BUCKETS_OF);
    }

    const BUCKETS_OF: [u32; 3] = [58_515, 69_550, 254_702];

    #[test]
    fn a_sum_is_what_was_added_and_leaves_zeros() {
        let mut scatter = Scatter::new(9);
        [(7, 1.0), (2, 0.5), (7, 2.0)].into_iter().for_each(|(key, value)| scatter.add(key, value));
        let mut taken = Vec::new();
        scatter.drain(|key, value| taken.push((key, value)));
        assert_eq!(taken, [(7, 3.0), (2, 0.5)]);
        scatter.drain(|_, _| panic!("it is empty"));
        assert_eq!(scatter.values, [0.0; 9]);
    }

    #[test]
    fn grams_of_ascii_are_those_of_characters() {
        let found = |text: &str| {
            let mut buckets = Vec::new();
            grams(text, |gram| buckets.push(gram));
            buckets
        };
        assert_eq!(found("ab cdé")[..2], found("ab cd")[..]);
        assert_eq!((found("abc").len(), found("abé").len(), found("é b ")), (0, 0, vec![BUCKETS_OF[1]]));
    }
}
