//! Average-linkage clusters of the responses to one query (UPGMA, Sokal & Michener 1958).
//!
//! Two clusters are as far apart as the mean of 1 - K over their pairs; the two nearest are merged again and again, by
//! the nearest-neighbour chain (Müllner 2011, crate `kodama`), in O(n^2) operations on one condensed matrix, one thread
//! a query. Where several pairs of clusters are equally near, the order of the rows (model, then row of the input)
//! decides which is met first; threads have no part in it.

use super::super::products::Triangle;
use kodama::{Method, linkage};

/// The merges of one query, nearest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    leaves: usize,
    /// The nodes merged (leaves, then merges in their order) and how far apart they were.
    merges: Vec<(u32, u32, f64)>,
}

impl Tree {
    /// Clusters rows by their similarities K.
    pub fn new(similarities: Triangle) -> Self {
        let leaves = similarities.n();
        if leaves < 2 {
            return Self { leaves, merges: Vec::new() };
        }
        let mut distances = similarities.into_distances();
        let found = linkage(&mut distances, leaves, Method::Average);
        let merges = found.steps().iter().map(|s| (s.cluster1 as u32, s.cluster2 as u32, s.dissimilarity)).collect();
        Self { leaves, merges }
    }

    /// The cluster of each row where clusters are merged as long as their mean cosine is at least `tau`; numbered by
    /// size, largest first, then by first row.
    pub fn cut(&self, tau: f64) -> Vec<u32> {
        let merged = self.merges.partition_point(|merge| merge.2 <= 1.0 - tau);
        // A node stands for the last merge above it; those of later merges are known first.
        let mut top: Vec<usize> = (0..self.leaves + merged).collect();
        for (i, &(a, b, _)) in self.merges[..merged].iter().enumerate().rev() {
            let above = top[self.leaves + i];
            (top[a as usize], top[b as usize]) = (above, above);
        }
        let mut members = vec![(0u32, 0u32); top.len()];
        for (row, &node) in top[..self.leaves].iter().enumerate().rev() {
            members[node] = (members[node].0 + 1, row as u32);
        }
        let mut order: Vec<usize> = (0..top.len()).filter(|&node| members[node].0 > 0).collect();
        order.sort_unstable_by_key(|&node| (std::cmp::Reverse(members[node].0), members[node].1));
        let mut number = vec![0; top.len()];
        order.into_iter().zip(0u32..).for_each(|(node, place)| number[node] = place);
        top[..self.leaves].iter().map(|&node| number[node]).collect()
    }
}

/// Bytes that a query of `n` responses takes while it is clustered: its unit rows and one matrix, then the matrix and
/// what the chain keeps a response.
pub fn bytes(n: usize, dim: usize) -> usize {
    8 * Triangle::len(n) + (8 * n * dim).max(160 * n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;

    /// Merges by the definition: the mean over all pairs of two clusters, formed anew each time.
    fn by_definition(k: &Triangle, tau: f64) -> Vec<Vec<usize>> {
        let mut clusters: Vec<Vec<usize>> = (0..k.n()).map(|i| vec![i]).collect();
        let mean = |a: &[usize], b: &[usize]| {
            a.iter().flat_map(|&i| b.iter().map(move |&j| k.at(i, j))).sum::<f64>() / (a.len() * b.len()) as f64
        };
        loop {
            let mut best = (f64::NEG_INFINITY, 0, 0);
            for i in 0..clusters.len() {
                for j in i + 1..clusters.len() {
                    let value = mean(&clusters[i], &clusters[j]);
                    best = if value > best.0 { (value, i, j) } else { best };
                }
            }
            if best.0 < tau {
                clusters.iter_mut().for_each(|cluster| cluster.sort_unstable());
                clusters.sort_by_key(|cluster| (std::cmp::Reverse(cluster.len()), cluster[0]));
                return clusters;
            }
            let joined = clusters.remove(best.2);
            clusters[best.1].extend(joined);
        }
    }

    #[test]
    fn a_cut_has_the_clusters_of_the_definition() {
        let stream = Stream::new(4, "linkage");
        for n in [1, 2, 3, 17, 60] {
            let rows: Vec<f64> = (0..n * 6).map(|i| stream.normal(i as u64, n as u64) + 0.4).collect();
            let unit: Vec<f64> = (rows.chunks_exact(6))
                .flat_map(|row| {
                    let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
                    row.iter().map(move |x| x / norm)
                })
                .collect();
            let k = Triangle::gram(&unit, 6);
            let tree = Tree::new(k.clone());
            for tau in [-1.0, 0.0, 0.3, 0.6, 0.8, 0.95, 1.5] {
                let labels = tree.cut(tau);
                let expected = by_definition(&k, tau);
                for (number, cluster) in expected.iter().enumerate() {
                    for &row in cluster {
                        assert_eq!(labels[row], number as u32, "n {n}, tau {tau}, row {row}");
                    }
                }
            }
        }
    }

    #[test]
    fn copies_are_one_cluster_and_nobody_is_none() {
        let k = Triangle::gram(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0], 2);
        assert_eq!(Tree::new(k).cut(0.999), [0, 1, 0, 0]);
        assert_eq!(Tree::new(Triangle::zeros(0)).cut(0.5), Vec::<u32>::new());
    }
}
