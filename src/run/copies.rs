//! Exact copies: rows with the same bytes. Candidate lists hold one representative a group.

use crate::base::random::Stream;
use crate::base::similarity::Similarity;
use crate::corpus::Embeddings;
use rayon::prelude::*;

/// Groups of positions whose rows have the same bytes.
#[derive(Debug)]
pub struct Copies {
    /// Lowest position of each position's group.
    pub representative: Vec<u32>,
    /// Groups of more than one, by representative: (representative, first of its members in `members`).
    groups: Vec<(u32, u32)>,
    /// Positions of those groups, group after group, ascending within each.
    members: Vec<u32>,
}

impl Copies {
    /// Finds the groups by hash and compares the bytes. Takes 8 bytes a row while it works, 4 afterwards.
    pub fn find(embeddings: &Embeddings) -> Self {
        let bytes = |position: u32| bytemuck::cast_slice::<f32, u8>(embeddings.row(position as usize));
        // The product with one random row, a function of the bytes, is the fastest hash at hand.
        let (draws, similarity) = (Stream::new(0, "copies"), Similarity::new());
        let random: Vec<f32> = (0..embeddings.dim() as u64).map(|i| draws.uniform(0, i) as f32 - 0.5).collect();
        // Half of the word is a hash and half the position: equal rows become neighbours, lowest position first.
        let mut keys: Vec<u64> = (0..embeddings.len() as u32)
            .into_par_iter()
            .map(|position| {
                let product = similarity.dot(embeddings.row(position as usize), &random).to_bits();
                product.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 << 32 | u64::from(position)
            })
            .collect();
        keys.par_sort_unstable();
        let mut representative: Vec<u32> = (0..embeddings.len() as u32).collect();
        let mut copies: Vec<(u32, u32)> = Vec::new();
        for run in keys.chunk_by(|a, b| a >> 32 == b >> 32).filter(|run| run.len() > 1) {
            // Rows of one hash are nearly always copies; `distinct` is for the few that are not.
            let mut distinct: Vec<u32> = Vec::new();
            for position in run.iter().map(|&key| key as u32) {
                match distinct.iter().find(|&&first| bytes(first) == bytes(position)) {
                    Some(&first) => {
                        representative[position as usize] = first;
                        copies.push((first, position));
                    }
                    None => distinct.push(position),
                }
            }
        }
        drop(keys);
        copies.sort_unstable();
        let (mut groups, mut members) = (Vec::new(), Vec::new());
        for group in copies.chunk_by(|a, b| a.0 == b.0) {
            groups.push((group[0].0, members.len() as u32));
            members.push(group[0].0);
            members.extend(group.iter().map(|&(_, position)| position));
        }
        Self { representative, groups, members }
    }

    /// Whether `position` stands for its group.
    pub fn is_representative(&self, position: u32) -> bool {
        self.representative[position as usize] == position
    }

    /// All positions of the group that `representative` stands for.
    pub fn group<'a>(&'a self, representative: &'a u32) -> &'a [u32] {
        match self.groups.binary_search_by_key(representative, |group| group.0) {
            Ok(place) => {
                let end = self.groups.get(place + 1).map_or(self.members.len(), |next| next.1 as usize);
                &self.members[self.groups[place].1 as usize..end]
            }
            Err(_) => std::slice::from_ref(representative),
        }
    }

    /// Rows that are copies of an earlier row.
    pub fn count(&self) -> u64 {
        (self.members.len() - self.groups.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_grouped_under_their_lowest_position() {
        let values = [1.0f32, 2.0, 1.0, 3.0, 2.0, 1.0, -0.0, 0.0];
        let copies = Copies::find(&Embeddings::from_rows(values.to_vec(), 1));
        assert_eq!(copies.representative, [0, 1, 0, 3, 1, 0, 6, 7], "0 and -0 have other bytes");
        assert_eq!(copies.group(&0), [0, 2, 5]);
        assert_eq!(copies.group(&1), [1, 4]);
        assert_eq!(copies.group(&3), [3]);
        assert_eq!(copies.count(), 3);
        assert!(copies.is_representative(1) && !copies.is_representative(4));
    }
}
