//! Human ratings: how far people disagree, and whether scorers follow them where quality is alike or people disagree.
//!
//! As the paper's code has it (Spearman; its text says Pearson in places). Correlations of the paper are in figures
//! only, so nothing is published beside.

use super::{Differs, LeftOut, Line, Reproduction};
use crate::base::math::quantile_sorted;
use crate::input::{Rated, Ratings};
use crate::measure::spearman::{centred_ranks, correlation, key_f64};
use std::collections::BTreeMap;

/// Labels an item in the paper.
const LABELS: usize = 25;

/// A rated item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Line of the file, from 0.
    pub row: u64,
    /// Labels.
    pub labels: u64,
    /// Mean label; of a pair counted without labels, (C1 - C2) / C_total.
    pub human: f64,
    /// Entropy of the labels in bits; of a pair 1 - (max(C1, C2) + C_tie / 2) / C_total.
    pub disagreement: f64,
}

/// Shannon entropy in bits of the distribution of values.
fn entropy(labels: &[f64]) -> f64 {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    // -0 is 0.
    labels.iter().for_each(|label| *counts.entry((label + 0.0).to_bits()).or_default() += 1);
    // Sorted, so that equal distributions have the same bits whatever the labels are.
    let mut counts: Vec<u64> = counts.into_values().collect();
    counts.sort_unstable();
    let n = labels.len() as f64;
    counts.iter().map(|&count| count as f64 / n).map(|p| -p * libm::log2(p)).sum::<f64>() + 0.0
}

fn item(row: usize, rated: &Rated, pairwise: bool) -> Item {
    let (labels, human, counts) = match rated {
        Rated::Labels(labels) => {
            let count = |choose: fn(&f64) -> bool| labels.iter().filter(|x| choose(x)).count() as f64;
            let counts = [count(|x| *x > 0.0), count(|x| *x < 0.0), count(|x| *x == 0.0)];
            (labels.len() as u64, labels.iter().sum::<f64>() / labels.len() as f64, counts)
        }
        Rated::Counts(counts) => {
            let total: f64 = counts.iter().sum();
            (total as u64, (counts[0] - counts[1]) / total, *counts)
        }
    };
    let disagreement = match rated {
        Rated::Labels(labels) if !pairwise => entropy(labels),
        _ => 1.0 - (counts[0].max(counts[1]) + counts[2] / 2.0) / counts.iter().sum::<f64>(),
    };
    Item { row: row as u64, labels, human, disagreement }
}

/// Spearman's rank correlation; `None` with fewer than 3 pairs or where one side does not vary.
fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let x = centred_ranks(pairs.iter().map(|pair| key_f64(pair.0)));
    let y = centred_ranks(pairs.iter().map(|pair| key_f64(pair.1)));
    if pairs.len() < 3 { None } else { correlation(&x, &y) }
}

/// The subsets of the paper by name, as places in `items`.
fn subsets(items: &[Item], pairwise: bool) -> Vec<(String, Vec<usize>)> {
    let all: Vec<usize> = (0..items.len()).collect();
    let mut subsets = vec![("all".to_owned(), all.clone())];
    if pairwise {
        // Sorting keeps the order of the file among equals.
        let mut order = all;
        order.sort_by(|&a, &b| items[b].disagreement.total_cmp(&items[a].disagreement));
        for percent in (60..=95).step_by(5) {
            subsets.push((format!("top {percent} % disagreement"), order[..items.len() * percent / 100].to_vec()));
        }
        return subsets;
    }
    let sorted = |value: fn(&Item) -> f64| {
        let mut values: Vec<f64> = items.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let chosen = |keep: &dyn Fn(&Item) -> bool| all.iter().copied().filter(|&i| keep(&items[i])).collect::<Vec<_>>();
    let scores = sorted(|item| item.human);
    let (low, high) = (quantile_sorted(&scores, 0.25), quantile_sorted(&scores, 0.75));
    for halves in 1..=6 {
        let k = f64::from(halves) / 2.0;
        let range = low - k * (high - low)..=high + k * (high - low);
        subsets.push((format!("fences k = {k:.1}"), chosen(&|item| range.contains(&item.human))));
    }
    let entropies = sorted(|item| item.disagreement);
    for percent in (2..=16).step_by(2) {
        let least = quantile_sorted(&entropies, f64::from(100 - percent) / 100.0);
        subsets.push((format!("top {percent} % entropy"), chosen(&|item| item.disagreement >= least)));
    }
    subsets
}

/// Adds the numbers on ratings.
pub fn ratings(ratings: &Ratings, done: &mut Reproduction) {
    let items: Vec<Item> =
        ratings.items.iter().enumerate().map(|(row, rated)| item(row, rated, ratings.pairwise)).collect();
    let subsets = subsets(&items, ratings.pairwise);
    let n = |labels: &mut dyn Iterator<Item = u64>| labels.fold((u64::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
    let (low, high) = n(&mut items.iter().map(|item| item.labels));
    if (low, high) != (LABELS as u64, LABELS as u64) {
        done.differs.push(Differs {
            what: "labels",
            how: format!("{low} to {high} an item, the paper has {LABELS}: entropy grows with their number"),
            forbids: false,
        });
    }
    for (name, places) in subsets.iter().filter(|(_, places)| !places.is_empty()) {
        let mean = places.iter().map(|&i| items[i].disagreement).sum::<f64>() / places.len() as f64;
        done.lines.push(Line::new("ratings_disagreement", None, Some(name), (mean, 3)).of(places.len()));
    }
    for (scorer, scores) in &ratings.scores {
        for (name, places) in &subsets {
            let pairs: Vec<(f64, f64)> = places.iter().filter_map(|&i| Some((scores[i]?, items[i].human))).collect();
            match spearman(&pairs) {
                Some(rho) => {
                    let line = Line::new("ratings_correlation", Some(scorer), Some(name), (rho, 3));
                    done.lines.push(line.of(pairs.len()));
                }
                None => done.left_out.push(LeftOut {
                    measure: format!("Correlation of {scorer} with people, {name}"),
                    reason: "fewer than 3 items, or one side does not vary".into(),
                }),
            }
        }
    }
    if ratings.scores.is_empty() {
        done.left_out("Correlations of scorers with people", "no column of scores is named (--rating-scores)");
    }
    done.ratings = Some(if ratings.pairwise { "pairwise" } else { "absolute" });
    done.items = items;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_and_disagreement_have_their_known_values() {
        assert_eq!(entropy(&[1.0, 1.0, 1.0]), 0.0);
        assert!((entropy(&[1.0, 2.0, 3.0, 4.0]) - 2.0).abs() < 1e-15);
        assert_eq!(entropy(&[5.0, 5.0, 1.0]).to_bits(), entropy(&[2.0, 3.0, 3.0]).to_bits());
        let pair = item(0, &Rated::Counts([10.0, 5.0, 10.0]), true);
        assert!((pair.disagreement - (1.0 - 15.0 / 25.0)).abs() < 1e-15 && (pair.human - 0.2).abs() < 1e-15);
        let labels = item(0, &Rated::Labels(vec![2.0, 1.0, -1.0, 0.0]), true);
        assert!((labels.disagreement - (1.0 - 2.5 / 4.0)).abs() < 1e-15 && labels.human == 0.5);
    }

    #[test]
    fn spearman_with_ties_is_that_of_scipy() {
        // scipy.stats.spearmanr([1, 2, 2, 4, 5], [3, 1, 4, 4, 9])
        let rho = spearman(&[(1.0, 3.0), (2.0, 1.0), (2.0, 4.0), (4.0, 4.0), (5.0, 9.0)]).unwrap();
        assert!((rho - 0.763_157_894_736_842).abs() < 1e-12, "{rho}");
        assert_eq!(spearman(&[(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]), None);
        assert_eq!(spearman(&[(1.0, 1.0), (2.0, 2.0)]), None);
    }

    #[test]
    fn subsets_have_the_papers_sizes() {
        let items: Vec<Item> = (0..100)
            .map(|row| Item {
                row,
                labels: 25,
                // Beyond the fences of k = 3 and of k = 1.
                human: if row == 0 {
                    90.0
                } else if row == 1 {
                    16.0
                } else {
                    row as f64 / 10.0
                },
                disagreement: row as f64,
            })
            .collect();
        let found = subsets(&items, false);
        let size = |name: &str| found.iter().find(|subset| subset.0 == name).unwrap().1.len();
        assert_eq!((found.len(), size("all"), size("fences k = 1.0"), size("fences k = 3.0")), (15, 100, 98, 99));
        // The 98th percentile of 0..99 is 97.02.
        assert_eq!((size("top 2 % entropy"), size("top 16 % entropy")), (2, 16));
        let found = subsets(&items, true);
        assert_eq!((found.len(), found[1].0.as_str(), found[1].1.len()), (9, "top 60 % disagreement", 60));
        assert_eq!((found[1].1[0], found[8].1.len()), (99, 95));
    }
}
