//! How far the nearest response is, of the other side and of the own one, among equally many.
//!
//! The nearest of k candidates drawn from n without replacement is at the j-th smallest distance with probability
//! `C(n - j, k - 1) / C(n, k)`: the mean over all draws, so nothing is drawn. A response is no candidate of its own.

use super::super::products::Triangle;

/// Mean distances (1 - cosine) to the nearest of n candidates in one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distances {
    /// Candidates: one fewer than the smaller side has.
    pub n: u32,
    /// From people to models.
    pub people_to_models: f64,
    /// From people to other people.
    pub people_to_people: f64,
    /// From models to people.
    pub models_to_people: f64,
    /// From models to other models' and own other responses.
    pub models_to_models: f64,
}

/// Expected least of `k` of some distances.
fn nearest(mut distances: Vec<f64>, k: usize) -> f64 {
    distances.sort_unstable_by(f64::total_cmp);
    let n = distances.len();
    let mut share = k as f64 / n as f64;
    let mut expected = 0.0;
    for (j, distance) in distances[..=n - k].iter().enumerate() {
        expected += share * distance;
        share *= (n - k - j) as f64 / (n - 1 - j).max(1) as f64;
    }
    expected
}

impl Distances {
    /// Between some rows and others; `None` with fewer than 2 of either.
    pub fn new(cosines: &Triangle, people: &[usize], models: &[usize]) -> Option<Self> {
        let k = people.len().min(models.len()).checked_sub(1).filter(|&k| k > 0)?;
        let mean = |from: &[usize], to: &[usize]| {
            let one = |&a: &usize| {
                let candidates = to.iter().filter(|&&b| b != a).map(|&b| 1.0 - cosines.at(a, b));
                nearest(candidates.collect(), k)
            };
            from.iter().map(one).sum::<f64>() / from.len() as f64
        };
        Some(Self {
            n: k as u32,
            people_to_models: mean(people, models),
            people_to_people: mean(people, people),
            models_to_people: mean(models, people),
            models_to_models: mean(models, models),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_the_mean_over_all_draws() {
        let distances = [0.5, 0.1, 0.9, 0.4, 0.1, 0.7];
        for k in 1..=6u32 {
            let (mut sum, mut draws) = (0.0, 0.0);
            for chosen in (0u32..64).filter(|chosen| chosen.count_ones() == k) {
                let least = (0..6).filter(|i| chosen >> i & 1 == 1).map(|i| distances[i]).fold(f64::INFINITY, f64::min);
                (sum, draws) = (sum + least, draws + 1.0);
            }
            assert!((nearest(distances.to_vec(), k as usize) - sum / draws).abs() < 1e-12, "{k}");
        }
    }
}
