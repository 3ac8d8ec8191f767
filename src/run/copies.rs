//! Exact copies: rows with the same bytes. Candidate lists hold one representative a group.

use crate::corpus::Embeddings;
use rayon::prelude::*;
use std::collections::HashMap;

/// Groups of positions whose rows have the same bytes.
#[derive(Debug)]
pub struct Copies {
    /// Lowest position of each position's group.
    pub representative: Vec<u32>,
    /// Members of each group of more than one, ascending, by representative.
    members: HashMap<u32, Vec<u32>>,
}

impl Copies {
    /// Finds the groups by hash and compares the bytes.
    pub fn find(embeddings: &Embeddings) -> Self {
        let hashes: Vec<[u8; 16]> = (0..embeddings.len())
            .into_par_iter()
            .map(|p| {
                let mut short = [0; 16];
                short.copy_from_slice(&blake3::hash(bytemuck::cast_slice(embeddings.row(p))).as_bytes()[..16]);
                short
            })
            .collect();
        let mut first: HashMap<[u8; 16], u32> = HashMap::with_capacity(hashes.len());
        let mut representative = Vec::with_capacity(hashes.len());
        let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
        for (position, hash) in hashes.into_iter().enumerate() {
            let position = position as u32;
            let found = *first.entry(hash).or_insert(position);
            let same = bytemuck::cast_slice::<f32, u8>(embeddings.row(found as usize))
                == bytemuck::cast_slice::<f32, u8>(embeddings.row(position as usize));
            let group = if same { found } else { position };
            representative.push(group);
            if group != position {
                members.entry(group).or_insert_with(|| vec![group]).push(position);
            }
        }
        Self { representative, members }
    }

    /// Whether `position` stands for its group.
    pub fn is_representative(&self, position: u32) -> bool {
        self.representative[position as usize] == position
    }

    /// All positions of the group that `representative` stands for.
    pub fn group<'a>(&'a self, representative: &'a u32) -> &'a [u32] {
        self.members.get(representative).map_or(std::slice::from_ref(representative), Vec::as_slice)
    }

    /// Rows that are copies of an earlier row.
    pub fn count(&self) -> u64 {
        self.members.values().map(|group| group.len() as u64 - 1).sum()
    }
}
