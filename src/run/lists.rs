//! Candidate lists and the keep rule (DESIGN "Keep rule").
//!
//! Lists hold true similarities: what a coarse product lets through is computed again before it comes here. L_i is the
//! k-th largest of them over distinct candidates, or a lower bound of that; a candidate stays if and only if it reaches
//! L_i. So ties at L stay, however many, and compaction never drops by rank.
//!
//! Lists stand in shards of consecutive positions. Each row has a few slots in one array of its shard; a list that the
//! rule leaves longer (ties) moves to the shard's bounded room for long lists. Where that is used up too, the list
//! *overflows*: its row is redone, and keeps its L until then.

use super::buffer::Buffer;
use crate::base::Result;
use std::collections::HashMap;

/// Positions of a shard.
pub const SHARD: usize = 1024;

/// Length of a list that lives among the long ones.
const LONG: u16 = u16::MAX;

/// Length of a list that overflowed.
const OVERFLOWED: u16 = u16::MAX - 1;

/// A candidate: representative position and similarity.
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Candidate {
    /// Position of the group's representative.
    pub position: u32,
    /// Similarity.
    pub similarity: f32,
}

/// What every list shares.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Neighbours asked for.
    pub k: usize,
    /// Candidates a list may hold after compaction.
    pub capacity: usize,
    /// Slots of a row; more than k, under 65,000.
    pub slots: usize,
    /// Candidates that the long lists of a shard may hold, for each row of the shard.
    pub long: usize,
}

/// The lists of the positions `first..first + len()`.
#[derive(Debug)]
pub struct Shard {
    /// First position.
    pub first: usize,
    rule: Rule,
    /// `slots[local * rule.slots..]`: candidates, possibly repeated until the next compaction.
    slots: Buffer<Candidate>,
    lengths: Vec<u16>,
    /// L of each row.
    lower: Vec<f32>,
    long: HashMap<usize, Vec<Candidate>>,
    /// Candidates that the long lists have room for together.
    long_held: usize,
}

impl Shard {
    fn new(first: usize, rows: usize, rule: Rule) -> Result<Self> {
        Ok(Self {
            first,
            rule,
            slots: Buffer::zeroed(rows * rule.slots)?,
            lengths: vec![0; rows],
            lower: vec![f32::NEG_INFINITY; rows],
            long: HashMap::new(),
            long_held: 0,
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// L of a row.
    pub fn lower(&self, local: usize) -> f32 {
        self.lower[local]
    }

    /// Says that k distinct candidates of a row have at least the similarity `lower`.
    pub fn raise(&mut self, local: usize, lower: f32) {
        self.lower[local] = self.lower[local].max(lower);
    }

    /// Whether the list of a row grew past what there is room for.
    pub fn overflowed(&self, local: usize) -> bool {
        self.lengths[local] == OVERFLOWED
    }

    /// Candidates of a row; none if it overflowed.
    pub fn candidates(&self, local: usize) -> &[Candidate] {
        match self.lengths[local] {
            OVERFLOWED => &[],
            LONG => self.long.get(&local).map_or(&[], Vec::as_slice),
            len => &self.slots[local * self.rule.slots..][..usize::from(len)],
        }
    }

    /// Adds a candidate (not of the row's own group) if the rule keeps it.
    pub fn offer(&mut self, local: usize, candidate: Candidate) {
        if candidate.similarity < self.lower[local] {
            return;
        }
        let full = match self.lengths[local] {
            OVERFLOWED => false,
            LONG => match self.long.get_mut(&local) {
                Some(list) => {
                    list.push(candidate);
                    list.len() >= list.capacity()
                }
                None => false,
            },
            len => {
                let len = usize::from(len);
                self.slots[local * self.rule.slots + len] = candidate;
                self.lengths[local] += 1;
                len + 1 == self.rule.slots
            }
        };
        if full {
            self.compact(local);
        }
    }

    /// Removes repeats, raises L, drops what the keep rule drops.
    pub fn compact(&mut self, local: usize) {
        match self.lengths[local] {
            OVERFLOWED => {}
            LONG => self.compact_long(local),
            len => {
                let slots = &mut self.slots[local * self.rule.slots..][..usize::from(len)];
                let len = reduce(slots, &mut self.lower[local], self.rule.k);
                let room = self.long_held + 2 * len <= self.rule.long * self.lengths.len();
                let crowded = 4 * len > 3 * self.rule.slots;
                if len > self.rule.capacity || (len == self.rule.slots && !room) {
                    self.lengths[local] = OVERFLOWED;
                } else if crowded && room && len > self.rule.k {
                    let mut list = Vec::with_capacity(2 * len);
                    list.extend_from_slice(&slots[..len]);
                    self.long_held += list.capacity();
                    self.long.insert(local, list);
                    self.lengths[local] = LONG;
                } else {
                    self.lengths[local] = len as u16;
                }
            }
        }
    }

    fn compact_long(&mut self, local: usize) {
        let Some(mut list) = self.long.remove(&local) else { return };
        self.long_held -= list.capacity();
        let len = reduce(&mut list, &mut self.lower[local], self.rule.k);
        list.truncate(len);
        if 2 * len <= self.rule.slots {
            self.slots[local * self.rule.slots..][..len].copy_from_slice(&list);
            self.lengths[local] = len as u16;
            return;
        }
        let room = self.long_held + 2 * len <= self.rule.long * self.lengths.len();
        if 4 * len > 3 * list.capacity() && room {
            list.reserve_exact(len);
        }
        if len > self.rule.capacity || len == list.capacity() {
            self.lengths[local] = OVERFLOWED;
        } else {
            self.long_held += list.capacity();
            self.long.insert(local, list);
        }
    }
}

/// Applies the keep rule to one list: what stays is moved to the front, best first, and its number returned.
fn reduce(list: &mut [Candidate], lower: &mut f32, k: usize) -> usize {
    // A repeat has the same similarity, so it comes to stand beside its like.
    list.sort_unstable_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.position.cmp(&b.position)));
    let mut len = 0;
    for at in 0..list.len() {
        if len == 0 || list[len - 1].position != list[at].position {
            list[len] = list[at];
            len += 1;
        }
    }
    if len >= k {
        *lower = lower.max(list[k - 1].similarity);
    }
    list[..len].partition_point(|candidate| candidate.similarity >= *lower)
}

/// The lists of all positions.
#[derive(Debug)]
pub struct Lists {
    /// Shards in order; every one but the last has [`SHARD`] rows.
    pub shards: Vec<Shard>,
}

impl Lists {
    /// Empty lists for `rows` positions.
    ///
    /// # Errors
    /// [`crate::base::Error::Run`] if there is no memory.
    pub fn new(rows: usize, rule: Rule) -> Result<Self> {
        let shards = (0..rows).step_by(SHARD).map(|first| Shard::new(first, SHARD.min(rows - first), rule));
        Ok(Self { shards: shards.collect::<Result<_>>()? })
    }

    /// L at a position; `None` if its list overflowed.
    pub fn lower(&self, position: usize) -> Option<f32> {
        let (shard, local) = (&self.shards[position / SHARD], position % SHARD);
        (!shard.overflowed(local)).then(|| shard.lower(local))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(rule: Rule) -> Shard {
        Shard::new(0, 1, rule).expect("memory")
    }

    fn ties(shard: &mut Shard, number: u32) {
        for position in 0..number {
            shard.offer(0, Candidate { position, similarity: 0.7 });
        }
        shard.compact(0);
    }

    #[test]
    fn the_same_tile_twice_does_not_raise_l() {
        let mut shard = shard(Rule { k: 2, capacity: 100, slots: 4, long: 0 });
        for _ in 0..3 {
            shard.offer(0, Candidate { position: 1, similarity: 0.9 });
        }
        shard.offer(0, Candidate { position: 2, similarity: 0.5 });
        shard.compact(0);
        assert_eq!(shard.candidates(0).len(), 2, "repeats are one candidate");
        assert_eq!(shard.lower(0), 0.5, "L is the second distinct one, not a repeat of the first");
        shard.offer(0, Candidate { position: 3, similarity: 0.4999 });
        assert_eq!(shard.candidates(0).len(), 2, "under L");
        shard.offer(0, Candidate { position: 3, similarity: 0.5 });
        assert_eq!(shard.candidates(0).len(), 3, "a tie with L stays");
        shard.compact(0);
        assert_eq!(shard.candidates(0).len(), 3);
    }

    #[test]
    fn what_the_seed_says_holds_before_the_list_is_full() {
        let mut shard = shard(Rule { k: 2, capacity: 100, slots: 4, long: 0 });
        shard.raise(0, 0.6);
        shard.raise(0, 0.4);
        shard.offer(0, Candidate { position: 1, similarity: 0.59 });
        shard.offer(0, Candidate { position: 2, similarity: 0.61 });
        shard.compact(0);
        assert_eq!((shard.candidates(0).len(), shard.lower(0)), (1, 0.6));
    }

    #[test]
    fn ties_are_never_dropped_by_rank() {
        let mut wide = shard(Rule { k: 1, capacity: 100, slots: 80, long: 0 });
        ties(&mut wide, 64);
        assert_eq!(wide.candidates(0).len(), 64);
        let mut long = shard(Rule { k: 1, capacity: 100, slots: 8, long: 128 });
        ties(&mut long, 64);
        assert_eq!(long.candidates(0).len(), 64, "a long list moves out of its slots");
    }

    #[test]
    fn a_list_without_room_overflows_and_keeps_its_l() {
        for rule in [
            Rule { k: 1, capacity: 63, slots: 80, long: 0 },
            Rule { k: 1, capacity: 100, slots: 63, long: 0 },
            Rule { k: 1, capacity: 100, slots: 8, long: 60 },
        ] {
            let mut shard = shard(rule);
            ties(&mut shard, 64);
            assert!(shard.overflowed(0) && shard.candidates(0).is_empty(), "{rule:?}");
            assert_eq!(shard.lower(0), 0.7, "{rule:?}");
        }
    }

    #[test]
    fn a_list_that_shrinks_goes_back_to_its_slots() {
        let mut shard = shard(Rule { k: 1, capacity: 100, slots: 8, long: 128 });
        ties(&mut shard, 32);
        assert!(shard.long_held > 0);
        shard.offer(0, Candidate { position: 40, similarity: 0.9 });
        shard.compact(0);
        assert_eq!((shard.candidates(0).len(), shard.long_held, shard.long.len()), (1, 0, 0));
    }
}
