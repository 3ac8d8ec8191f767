//! What a source adds to the variety of the responses to a query: the effective number (Vendi score of order 2) of n of
//! them drawn from all sources at equal shares, less that of n drawn from all but this one.
//!
//! No draw is needed: with `A_s` the mean squared cosine of pairs within source s, `B_st` that of pairs across and a
//! responses of each, the expected squared norm of K is `n + sum_s a (a - 1) A_s + sum_{s != t} a^2 B_st`. The placebo has
//! the same sizes: sources are dealt out anew among the responses.

use super::super::products::Triangle;
use super::sides::AnsweredBy;
use crate::base::random::Stream;
use crate::corpus::Corpus;

/// Times that sources are dealt out at most and at least.
const DRAWS: std::ops::RangeInclusive<usize> = 19..=199;
/// Pairs of responses that all of these may visit.
const WORK: usize = 20_000_000_000;
/// Fewest responses of a source.
const LEAST: usize = 2;

/// What one source adds in one query.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Responses n.
    pub n: u32,
    /// Effective number of n responses of all sources.
    pub with: f64,
    /// Of n responses of all but this one.
    pub without: f64,
    /// The difference, with sources dealt out at random.
    pub placebo: Vec<f64>,
}

/// Times that sources are dealt out.
pub fn draws(corpus: &Corpus) -> usize {
    let pairs: usize = corpus.layout.query_positions.iter().map(|positions| positions.len().pow(2) / 2).sum();
    (WORK / pairs.max(1)).clamp(*DRAWS.start(), *DRAWS.end())
}

/// Mean squared cosines within and across the sources of some rows.
struct Squares {
    sizes: Vec<usize>,
    means: Triangle,
}

impl Squares {
    /// `of_row` is the source of each row, `rows` are those of `cosines`.
    fn new(cosines: &Triangle, rows: &[usize], of_row: &[usize], sizes: &[usize]) -> Self {
        let sources = sizes.len();
        let mut sums = Triangle::zeros(sources);
        let mut of_source = vec![0.0; sources];
        for (i, &a) in rows.iter().enumerate() {
            of_source.fill(0.0);
            let row = cosines.row(a);
            for (&b, &source) in rows[i + 1..].iter().zip(&of_row[i + 1..]) {
                of_source[source] += row[b - a] * row[b - a];
            }
            of_source.iter().enumerate().for_each(|(source, sum)| sums.add(of_row[i], source, *sum));
        }
        let mut means = Triangle::zeros(sources);
        for s in 0..sources {
            for t in s..sources {
                let pairs = if s == t { sizes[s] * (sizes[s] - 1) / 2 } else { sizes[s] * sizes[t] };
                means.add(s, t, sums.at(s, t) / pairs as f64);
            }
        }
        Self { sizes: sizes.to_vec(), means }
    }

    /// Effective number of `share` responses of each source but `left_out`.
    fn worth(&self, share: usize, left_out: Option<usize>) -> f64 {
        let kept: Vec<usize> = (0..self.sizes.len()).filter(|&s| Some(s) != left_out).collect();
        let (a, n) = (share as f64, (share * kept.len()) as f64);
        let mut norm = n;
        for (at, &s) in kept.iter().enumerate() {
            norm += a * (a - 1.0) * self.means.at(s, s);
            norm += kept[at + 1..].iter().map(|&t| 2.0 * a * a * self.means.at(s, t)).sum::<f64>();
        }
        n * n / norm
    }
}

/// What each of `sides` sources adds in a query; `None` for one with fewer than 2 responses, and for all where some of the
/// others has fewer than there are sources.
pub fn shares(answered: &AnsweredBy, sides: usize, placebo: &Stream, query: usize, draws: usize) -> Vec<Option<Share>> {
    let mut found = vec![None; sides];
    let rows_of: Vec<(usize, Vec<usize>)> =
        (0..sides).map(|side| (side, answered.rows_of(side as u32))).filter(|(_, rows)| rows.len() >= LEAST).collect();
    let sources = rows_of.len();
    let sizes: Vec<usize> = rows_of.iter().map(|(_, rows)| rows.len()).collect();
    let times = sizes.iter().min().map_or(0, |least| least / sources.max(1));
    if sources < 2 || times == 0 {
        return found;
    }
    // Shares of n = S (S - 1) times: one with all sources, one without one of them.
    let (with, without) = ((sources - 1) * times, sources * times);
    let rows: Vec<usize> = rows_of.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    let mut of_row: Vec<usize> = sizes.iter().enumerate().flat_map(|(s, &n)| std::iter::repeat_n(s, n)).collect();
    let squares = Squares::new(&answered.cosines, &rows, &of_row, &sizes);
    let mut dealt = vec![Vec::with_capacity(draws); sources];
    for draw in 0..draws {
        for last in (1..of_row.len()).rev() {
            let place = placebo.below((query * draws + draw) as u64, last as u64, last as u64 + 1);
            of_row.swap(last, place as usize);
        }
        let squares = Squares::new(&answered.cosines, &rows, &of_row, &sizes);
        let whole = squares.worth(with, None);
        dealt.iter_mut().enumerate().for_each(|(s, values)| values.push(whole - squares.worth(without, Some(s))));
    }
    for (s, ((side, _), placebo)) in rows_of.iter().zip(dealt).enumerate() {
        found[*side] = Some(Share {
            n: (without * (sources - 1)) as u32,
            with: squares.worth(with, None),
            without: squares.worth(without, Some(s)),
            placebo,
        });
    }
    found
}
