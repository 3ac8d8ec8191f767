//! What a response is by form, by opening and by content: sparse unit vectors, and their sums.
//!
//! Pairs are never formed: the cosines of all pairs of two groups add up to the product of the groups' sums.

use super::super::cells::add_unit_row;
use crate::corpus::excerpts::CHARS;
use crate::corpus::{Corpus, Excerpts};
use rayon::prelude::*;
use std::collections::HashMap;

/// Buckets of the fixed hashing, 2^18.
pub const BUCKETS: usize = 1 << 18;
/// Characters of a gram.
const GRAM: usize = 4;
/// Words of an opening.
const WORDS: usize = 5;

/// The bucket of some bytes: FNV-1a of 64 bits, multiplied by 2^64 / phi (Knuth's multiplicative hashing), its top 18 bits.
fn bucket(bytes: &[u8]) -> u32 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BUCKETS.trailing_zeros())) as u32
}

/// A sum while it is made: all its elements, and which were touched.
pub struct Scatter {
    values: Vec<f64>,
    touched: Vec<u32>,
    seen: Vec<bool>,
}

impl Scatter {
    /// Zeros.
    pub fn new(dim: usize) -> Self {
        Self { values: vec![0.0; dim], touched: Vec::new(), seen: vec![false; dim] }
    }

    /// All elements.
    pub fn values(&self) -> &[f64] {
        &self.values
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

    /// The sum so far; zeros are left behind.
    pub fn take(&mut self) -> Sparse {
        let keys = std::mem::take(&mut self.touched);
        let one = |&key: &u32| {
            self.seen[key as usize] = false;
            std::mem::take(&mut self.values[key as usize])
        };
        let values = keys.iter().map(one).collect();
        Sparse { keys, values }
    }
}

/// A vector by the elements that were touched, in the order in which they were: that of the responses and their texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sparse {
    keys: Vec<u32>,
    values: Vec<f64>,
}

impl Sparse {
    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (u32, f64)> {
        self.keys.iter().copied().zip(self.values.iter().copied())
    }

    /// Squared length.
    pub fn square(&self) -> f64 {
        self.values.iter().map(|x| x * x).sum()
    }

    /// Product with a vector that has all its elements.
    pub fn dot(&self, dense: &[f64]) -> f64 {
        self.iter().map(|(key, value)| value * dense[key as usize]).sum()
    }

    /// Adds this vector to one that has all its elements.
    pub fn add_to(&self, dense: &mut [f64]) {
        self.iter().for_each(|(key, value)| dense[key as usize] += value);
    }
}

/// Unit vectors of responses.
pub trait Vectors: Sync {
    /// Elements of a vector.
    fn dim(&self) -> usize;
    /// Adds the unit vector of the response at a position.
    fn add(&self, position: usize, sum: &mut Scatter);
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

/// The buckets of an excerpt's grams, in its order.
fn grams(excerpt: &str) -> Vec<u32> {
    let places: Vec<usize> = excerpt.char_indices().map(|(at, _)| at).chain([excerpt.len()]).collect();
    places.windows(GRAM + 1).map(|at| bucket(&excerpt.as_bytes()[at[0]..at[GRAM]])).collect()
}

impl<'a> Form<'a> {
    /// Form of a corpus with texts.
    pub fn new(corpus: &'a Corpus, excerpts: &'a Excerpts) -> Self {
        let norm = |row: usize| {
            let mut grams = grams(excerpts.of(row));
            grams.sort_unstable();
            grams.chunk_by(|a, b| a == b).map(|same| (same.len() * same.len()) as f64).sum::<f64>().sqrt()
        };
        Self { corpus, excerpts, norms: (0..corpus.len()).into_par_iter().map(norm).collect() }
    }
}

impl Vectors for Form<'_> {
    fn dim(&self) -> usize {
        BUCKETS
    }

    fn add(&self, position: usize, sum: &mut Scatter) {
        let row = self.corpus.layout.row_at[position] as usize;
        let one = 1.0 / self.norms[row];
        grams(self.excerpts.of(row)).into_iter().for_each(|gram| sum.add(gram, one));
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

    fn add(&self, position: usize, sum: &mut Scatter) {
        sum.add(self.numbers[self.corpus.layout.row_at[position] as usize], 1.0);
    }
}

/// Content: the embedding.
pub struct Content<'a>(pub &'a Corpus);

impl Vectors for Content<'_> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn add(&self, position: usize, sum: &mut Scatter) {
        let mut row = vec![0.0; self.0.dim()];
        add_unit_row(self.0, position, &mut row);
        row.iter().enumerate().for_each(|(key, value)| sum.add(key as u32, *value));
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
        let sum = scatter.take();
        assert_eq!(sum.iter().collect::<Vec<_>>(), [(7, 3.0), (2, 0.5)]);
        assert_eq!((sum.square(), sum.dot(&[1.0; 9])), (9.25, 3.5));
        assert_eq!(scatter.take(), Sparse::default());
        let mut dense = vec![1.0; 9];
        sum.add_to(&mut dense);
        assert_eq!((dense[2], dense[7], dense[0]), (1.5, 4.0, 1.0));
    }
}
