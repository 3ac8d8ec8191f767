//! The best of one group of copies: its nearest rows in order, and how many tie at the very nearest.
//!
//! Candidates come as groups with their true similarity, each group once, in any order; memory does not grow with
//! their number.

use super::copies::Copies;
use crate::compute::outcome::Nearest;
use crate::corpus::Corpus;
use std::cmp::Ordering;

/// A row and its similarity.
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Scored {
    /// Row (file order).
    pub row: u32,
    /// Similarity.
    pub similarity: f32,
}

/// Similarity descending, then row ascending.
pub fn by_rank(a: &Scored, b: &Scored) -> Ordering {
    b.similarity.total_cmp(&a.similarity).then(a.row.cmp(&b.row))
}

/// Rows of one key (query or model) among those that tie at the nearest.
type Count = (u32, u64);

/// The best of the group that `representative` stands for.
pub struct Ranking<'a> {
    corpus: &'a Corpus,
    copies: &'a Copies,
    /// The group.
    pub representative: u32,
    /// Rows to rank: k, and one more where the row itself may be among them.
    most: usize,
    /// At least the `most` best rows so far, in no order.
    best: Vec<Scored>,
    /// The last of the `most` best when that was last known.
    cut: Option<Scored>,
    /// Highest similarity, rows that have it, and how many of those have a model or a query of this group.
    top: f32,
    tied: u64,
    tied_models: Vec<Count>,
    tied_queries: Vec<Count>,
    /// Whether the group itself is among those that tie.
    tied_with_itself: bool,
}

impl<'a> Ranking<'a> {
    /// Nothing but the copies of the group itself; `own` is its similarity with itself.
    pub fn new(corpus: &'a Corpus, copies: &'a Copies, representative: u32, k: usize, own: f32) -> Self {
        let group = copies.group(&representative);
        let keys = |key: &dyn Fn(u32) -> u32| -> Vec<Count> {
            let mut keys: Vec<Count> =
                group.iter().map(|&member| (key(corpus.layout.row_at[member as usize]), 0)).collect();
            keys.sort_unstable();
            keys.dedup();
            keys
        };
        let several = group.len() > 1;
        let mut ranking = Self {
            corpus,
            copies,
            representative,
            most: k + usize::from(several),
            best: Vec::new(),
            cut: None,
            top: f32::NEG_INFINITY,
            tied: 0,
            tied_models: keys(&|row| corpus.rows.model[row as usize]),
            tied_queries: keys(&|row| corpus.question(row)),
            tied_with_itself: false,
        };
        if several {
            ranking.add(representative, own);
        }
        ranking
    }

    /// A group below this can't be among the best.
    pub fn least(&self) -> f32 {
        self.cut.map_or(f32::NEG_INFINITY, |cut| cut.similarity)
    }

    /// Takes the group that `representative` stands for.
    pub fn add(&mut self, representative: u32, similarity: f32) {
        if similarity < self.least() {
            return;
        }
        if similarity > self.top {
            self.top = similarity;
            (self.tied, self.tied_with_itself) = (0, false);
            self.tied_models.iter_mut().chain(&mut self.tied_queries).for_each(|count| count.1 = 0);
        }
        let ties = similarity == self.top;
        self.tied_with_itself |= ties && representative == self.representative;
        let copies = self.copies;
        for &member in copies.group(&representative) {
            let row = self.corpus.layout.row_at[member as usize];
            if ties {
                self.tied += 1;
                count(&mut self.tied_models, self.corpus.rows.model[row as usize]);
                count(&mut self.tied_queries, self.corpus.question(row));
            }
            let scored = Scored { row, similarity };
            if self.cut.is_none_or(|cut| by_rank(&scored, &cut) == Ordering::Less) {
                self.best.push(scored);
                if self.best.len() >= 2 * self.most {
                    let (_, last, _) = self.best.select_nth_unstable_by(self.most - 1, by_rank);
                    self.cut = Some(*last);
                    self.best.truncate(self.most);
                }
            }
        }
    }

    /// The best rows in order: k others for every member of the group, once the member itself is left out.
    pub fn ranked(&mut self) -> &[Scored] {
        self.best.sort_unstable_by(by_rank);
        self.best.truncate(self.most);
        &self.best
    }

    /// The row of each member of the group and its nearest rows.
    pub fn nearest(&self) -> impl Iterator<Item = (u32, Nearest)> {
        self.copies.group(&self.representative).iter().map(|&member| {
            let row = self.corpus.layout.row_at[member as usize];
            if self.tied == 0 {
                return (row, Nearest::default());
            }
            let same_model = number(&self.tied_models, self.corpus.rows.model[row as usize]);
            let same_query = number(&self.tied_queries, self.corpus.question(row));
            let nearest = Nearest {
                similarity: self.top,
                ties: self.tied - u64::from(self.tied_with_itself),
                // The row itself, where it is among them, has its own model and its own query.
                ties_other_model: self.tied - same_model,
                ties_other_query: self.tied - same_query,
            };
            (row, nearest)
        })
    }
}

fn count(counts: &mut [Count], key: u32) {
    if let Ok(place) = counts.binary_search_by_key(&key, |count| count.0) {
        counts[place].1 += 1;
    }
}

fn number(counts: &[Count], key: u32) -> u64 {
    counts.binary_search_by_key(&key, |count| count.0).map_or(0, |place| counts[place].1)
}
