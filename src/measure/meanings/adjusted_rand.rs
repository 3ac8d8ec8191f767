//! Agreement of two labellings beyond chance: the adjusted Rand index (Hubert & Arabie 1985).

/// Agreement beyond chance, and what it would be of equal labellings; the index is their ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// `A - X Y / N`.
    pub found: f64,
    /// `(X + Y) / 2 - X Y / N`.
    pub possible: f64,
}

impl Agreement {
    /// Of two labellings of the same rows; `None` under 2 rows. Over pairs of rows: A are together in both, X in the
    /// first, Y in the second, and there are N.
    pub fn new(first: &[u32], second: &[u32]) -> Option<Self> {
        if first.len() < 2 {
            return None;
        }
        let mut both: Vec<(u32, u32)> = first.iter().copied().zip(second.iter().copied()).collect();
        let pairs = |n: usize| n as f64 * (n as f64 - 1.0) / 2.0;
        both.sort_unstable();
        let together = both.chunk_by(|a, b| a == b).map(|same| pairs(same.len())).sum::<f64>();
        let in_first = both.chunk_by(|a, b| a.0 == b.0).map(|same| pairs(same.len())).sum::<f64>();
        both.sort_unstable_by_key(|labels| labels.1);
        let in_second = both.chunk_by(|a, b| a.1 == b.1).map(|same| pairs(same.len())).sum::<f64>();
        // Equal labellings, also all together or all apart, where nothing is left to agree on.
        let chance = in_first * in_second / pairs(both.len());
        let equal = together == in_first && together == in_second;
        let possible = (in_first + in_second) / 2.0 - chance;
        Some(Self { found: if equal { possible } else { together - chance }, possible })
    }

    /// The adjusted Rand index; 1 where the labellings are one partition, also if it is all together or all apart.
    pub fn index(self) -> f64 {
        if self.found == self.possible { 1.0 } else { self.found / self.possible }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values by sklearn.metrics.adjusted_rand_score.
    #[test]
    fn values_of_scikit_learn() {
        for (first, second, want) in [
            (&[0, 0, 1, 1][..], &[0, 0, 1, 2][..], 0.571_428_571_428_571_4),
            (&[0, 0, 1, 1], &[0, 1, 0, 1], -0.5),
            (&[0, 0, 0, 0], &[0, 1, 2, 3], 0.0),
            (&[3, 3, 3], &[7, 7, 7], 1.0),
            (&[0, 1, 2], &[2, 0, 1], 1.0),
            (&[0, 0, 1, 1, 2, 2, 2], &[5, 5, 5, 1, 1, 9, 9], 0.2125),
        ] {
            let got = Agreement::new(first, second).unwrap().index();
            assert!((got - want).abs() < 1e-12, "{first:?} {second:?}: {got} vs {want}");
        }
        assert_eq!(Agreement::new(&[0], &[0]), None);
    }

    #[test]
    fn where_nothing_is_left_to_agree_on_nothing_is_weighed() {
        assert_eq!(Agreement::new(&[0, 0, 0], &[1, 1, 1]), Some(Agreement { found: 0.0, possible: 0.0 }));
        assert_eq!(Agreement::new(&[0, 1, 2], &[2, 0, 1]), Some(Agreement { found: 0.0, possible: 0.0 }));
        // One class only: no labelling of more than one cluster can do better than chance.
        assert_eq!(Agreement::new(&[0, 0, 0], &[0, 0, 1]).map(|a| a.found), Some(0.0));
    }
}
