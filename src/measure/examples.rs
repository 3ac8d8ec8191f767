//! Answers side by side: the closest pair of the most and least alike query, and of the most and least alike models.

use super::cells::{Cells, drawn};
use super::coarse::{ANCHORS, Coarse};
use super::sums::Sums;
use super::tables::{Example, ModelPairRow, QueryRow};
use crate::base::random::Stream;
use crate::base::similarity::Similarity;
use crate::corpus::Corpus;

/// Most responses of a query among which the closest pair is looked for; of more, this many are drawn.
const MOST: usize = 8192;

/// Two responses and their similarity, the row of the first below that of the second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair {
    similarity: f32,
    rows: (u32, u32),
}

impl Pair {
    /// Whether it is the closer one, or of equally close ones the one whose rows come first.
    fn before(&self, other: Option<Self>) -> bool {
        other.is_none_or(|other| {
            self.similarity > other.similarity || (self.similarity == other.similarity && self.rows < other.rows)
        })
    }
}

/// The closest of the pairs of some positions for which `of(place, place)`.
fn closest(corpus: &Corpus, positions: &[usize], of: impl Fn(usize, usize) -> bool) -> Option<Pair> {
    let (similarity, coarse) = (Similarity::new(), Coarse::new(corpus, positions));
    let row = |place: usize| corpus.layout.row_at[positions[place]];
    let (mut best, mut cosines) = (None::<Pair>, Vec::new());
    let places: Vec<usize> = (0..positions.len()).collect();
    for anchors in places.chunks(ANCHORS) {
        coarse.cosines(anchors, &mut cosines);
        for (&i, cosines) in anchors.iter().zip(cosines.chunks_exact(positions.len())) {
            for j in i + 1..positions.len() {
                if best.is_some_and(|best| cosines[j] < best.similarity - coarse.bound) || !of(i, j) {
                    continue;
                }
                let rows = (row(i).min(row(j)), row(i).max(row(j)));
                let pair =
                    Pair { similarity: corpus.embeddings.similarity(&similarity, positions[i], positions[j]), rows };
                best = if pair.before(best) { Some(pair) } else { best };
            }
        }
    }
    best
}

/// Finds examples.
struct Search<'a> {
    corpus: &'a Corpus,
    sums: &'a Sums,
    draw: Stream,
}

impl Search<'_> {
    fn drawn(&self, positions: Vec<usize>) -> Vec<usize> {
        drawn(positions, MOST, &self.draw, |&p| self.corpus.layout.row_at[p])
    }

    fn example(&self, kind: &str, query: usize, pair: Pair) -> Example {
        let rows = &self.corpus.rows;
        let name = |row: u32| rows.models.name(rows.model[row as usize]).to_string();
        Example {
            kind: kind.into(),
            query: rows.queries.name(query as u32).to_string(),
            models: [name(pair.rows.0), name(pair.rows.1)],
            rows: pair.rows.into(),
            similarity: pair.similarity,
            texts: None,
        }
    }

    /// The closest answers to a query.
    fn of_query(&self, kind: &str, query: usize) -> Option<Example> {
        let positions = self.drawn(self.corpus.layout.query_positions[query].clone().collect());
        Some(self.example(kind, query, closest(self.corpus, &positions, |_, _| true)?))
    }

    /// The closest answers of two models over all queries, of equally close ones in the first query.
    fn of_models(&self, kind: &str, pair: &ModelPairRow) -> Option<Example> {
        let keep: Vec<bool> = (0..self.sums.models as u32).map(|m| [pair.model_a, pair.model_b].contains(&m)).collect();
        let mut best: Option<(Pair, usize)> = None;
        for query in 0..self.sums.queries.len() {
            let cells = Cells::new(self.corpus, &[query], &keep);
            if cells.len() < 2 {
                continue;
            }
            let positions = self.drawn(cells.positions);
            let model = |place: usize| self.corpus.rows.model[self.corpus.layout.row_at[positions[place]] as usize];
            if let Some(found) = closest(self.corpus, &positions, |i, j| model(i) != model(j))
                && best.is_none_or(|(best, _)| found.similarity > best.similarity)
            {
                best = Some((found, query));
            }
        }
        best.map(|(found, query)| self.example(kind, query, found))
    }
}

/// At most four examples, texts not yet filled in.
pub fn examples(
    corpus: &Corpus,
    sums: &Sums,
    (queries, pairs): (&[QueryRow], &[ModelPairRow]),
    seed: u64,
) -> Vec<Example> {
    let search = Search { corpus, sums, draw: Stream::new(seed, "examples") };
    let mut found = Vec::new();
    let large: Vec<(usize, f64)> =
        queries.iter().filter(|q| q.n >= 3).filter_map(|q| Some((q.query as usize, q.mean?))).collect();
    let most = large.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
    let fewest = large.iter().copied().reduce(|a, b| if b.1 < a.1 { b } else { a });
    found.extend(most.and_then(|q| search.of_query("most alike query", q.0)));
    if large.len() > 1 {
        found.extend(fewest.and_then(|q| search.of_query("least alike query", q.0)));
    }
    let across = || pairs.iter().filter(|p| p.model_a != p.model_b && p.mean.is_some());
    let needed = across().map(|p| p.queries).max().unwrap_or(0).min(5);
    let pairs: Vec<&ModelPairRow> = across().filter(|p| p.queries >= needed).collect();
    let value = |pair: &ModelPairRow| pair.adjusted_mean.or(pair.mean);
    let most = pairs.iter().copied().reduce(|a, b| if value(b) > value(a) { b } else { a });
    let fewest = pairs.iter().copied().reduce(|a, b| if value(b) < value(a) { b } else { a });
    found.extend(most.and_then(|pair| search.of_models("most alike models", pair)));
    if pairs.len() > 1 {
        found.extend(fewest.and_then(|pair| search.of_models("least alike models", pair)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    /// Against all pairs: random rows, copies among them, of which those whose rows come first count.
    #[test]
    fn the_closest_pair_is_that_of_all_pairs() {
        for (n, copies) in [(2, 1), (65, 1), (130, 1), (130, 13), (130, 130)] {
            let stream = Stream::new(n as u64, "examples");
            let keys = (0..n).map(|i| ("q".to_string(), (i % 3).to_string()));
            let corpus = planted::corpus(keys, 17, |row, i| stream.normal((row / copies) as u64, i as u64) as f32);
            let positions: Vec<usize> = (0..n).collect();
            let model = |place: usize| corpus.rows.model[corpus.layout.row_at[place] as usize];
            for apart in [false, true] {
                let of = |i: usize, j: usize| !apart || model(i) != model(j);
                let mut want = None;
                for i in 0..n {
                    for j in (i + 1..n).filter(|&j| of(i, j)) {
                        let rows = (corpus.layout.row_at[i], corpus.layout.row_at[j]);
                        let similarity = corpus.embeddings.similarity(&Similarity::new(), i, j);
                        let pair = Pair { similarity, rows: (rows.0.min(rows.1), rows.0.max(rows.1)) };
                        want = if pair.before(want) { Some(pair) } else { want };
                    }
                }
                assert_eq!(closest(&corpus, &positions, of), want, "{n} {copies} {apart}");
            }
        }
    }
}
