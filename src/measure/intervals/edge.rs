//! Intervals of numbers near the edge of what they can be: shares near 0 and 1, and counts of labels near one label. What is
//! rare is in few queries or in none, and resamples know of no others, so that limits of counts stand in.
//!
//! The limit nearer the edge is a mid-P limit (Lancaster 1961; Berry & Armitage 1995): half of the probability of what was
//! counted itself lies beyond it. The farther one has all of it inside, as exact limits have (Clopper & Pearson 1934): few
//! events show little of how many come together, or of how large others are. Both exact hold 97 to 100 % where there are few
//! events; both mid-P fall to 89 where these are unequal.

use super::super::tables::Interval;
use super::{LEAST, Ratio, Weights, ratio, standard_errors};
use crate::base::math::{beta_cdf, gamma_cdf};

/// Queries that must have some of what is counted, and as many not all of it, for a share not to be near its edge.
const AWAY_FROM_EDGE: usize = 10;
/// Events from which on a number of labels is not near its edge.
const EVENTS: f64 = 12.0;
/// Further labels under this are none: sums of shares differ from 1 by rounding.
const NO_LABEL: f64 = 1e-9;

/// Interval of a share: a ratio of sums over queries, each numerator from 0 to its denominator, a number of responses.
///
/// Near an edge, where fewer than 10 queries (fewer than all, if they are fewer) have some of it or lack some, resamples do
/// not know what else there might be. There it has binomial limits at an effective number of responses, `p (1 - p) / se^2`:
/// nearer the edge the mid-P limit, farther from it the exact one with this number lessened as Student's quantile asks (Korn
/// & Graubard 1998). Where no query has any, or all have nothing else, that number is the number of queries: those of a
/// query may come together.
pub fn share(terms: &[(f64, f64)], weights: Option<&Weights>) -> Option<Interval> {
    let used: Vec<(f64, f64)> = terms.iter().copied().filter(|t| t.1 > 0.0).collect();
    let away = AWAY_FROM_EDGE.min(used.len());
    let count = |of: fn(&&(f64, f64)) -> bool| used.iter().filter(of).count();
    if count(|t| t.0 > 0.0) >= away && count(|t| t.0 < t.1) >= away {
        let cut = |i: Interval| Interval { low: i.low.max(0.0), high: i.high.min(1.0) };
        return ratio(terms, weights).map(cut);
    }
    if used.len() < LEAST {
        return None;
    }
    let Ratio { value: p, error, queries } = Ratio::new(used.iter().copied());
    let responses: f64 = used.iter().map(|t| t.1).sum();
    let (n, lessened) = if error > 0.0 {
        // Not more than there are: responses of a query are not less alike than if they were drawn apart.
        let n = (p * (1.0 - p) / (error * error)).min(responses);
        (n, n * (standard_errors(responses as usize) / standard_errors(queries)).powi(2))
    } else {
        (queries as f64, queries as f64)
    };
    // Probabilities that such a share, x, has as many as were counted, and that it has more.
    let at_least = |x: f64, n: f64| if p > 0.0 { beta_cdf(x, n * p, n * (1.0 - p) + 1.0) } else { 1.0 };
    let more = |x: f64, n: f64| if p < 1.0 { beta_cdf(x, n * p + 1.0, n * (1.0 - p)) } else { 0.0 };
    let middle = |x: f64| 0.5 * (at_least(x, n) + more(x, n));
    Some(Interval {
        low: match p {
            0.0 => 0.0,
            ..0.5 => reached(0.025, 1.0, middle),
            _ => reached(0.025, 1.0, |x| at_least(x, lessened)),
        },
        high: match p {
            1.0 => 1.0,
            ..=0.5 => reached(0.975, 1.0, |x| more(x, lessened)),
            _ => reached(0.975, 1.0, middle),
        },
    })
}

/// Where a function that grows from 0 on reaches p, by bisection; `high` is a first guess.
fn reached(p: f64, high: f64, of: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, high);
    while of(high) < p {
        (low, high) = (high, 2.0 * high);
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if of(middle) < p { low = middle } else { high = middle }
    }
}

/// Limits of a number that is near an edge of what it can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearEdge {
    /// The edge.
    pub edge: f64,
    /// The limits.
    pub limits: Interval,
}

impl NearEdge {
    /// The limits where the number, `value`, also moves with another one, by so much within 95 %. What it moves is in proportion
    /// to what it has beyond the edge. The farther limit is away as variances add up; the one nearer the edge is where the
    /// number is as far away as these add up there, since a number that is large by chance moves more than the true one.
    pub fn moved(&self, value: f64, moved: f64) -> Interval {
        let Interval { low, high } = self.limits;
        let farther = |limit: f64| (limit - value).hypot(moved);
        let nearer = |limit: f64| {
            let (all, away) = ((value - self.edge).abs(), (limit - value).abs());
            if all == 0.0 {
                return 0.0;
            }
            // With x from the edge: (all - x)^2 = away^2 + (moved x / all)^2.
            let (squares, share) = (all * all - away * away, moved / all);
            all - squares / (all + (all * all - (1.0 - share * share) * squares).max(0.0).sqrt())
        };
        if low >= self.edge {
            Interval { low: value - nearer(low), high: value + farther(high) }
        } else {
            Interval { low: value - farther(low), high: value + nearer(high) }
        }
    }
}

/// Interval of a number of labels: a ratio of sums over queries, each numerator from its denominator, a number of units that
/// have one label at least, such as groups, to the `most` that there can be, where all responses differ. `None` where it is
/// near neither edge, or without 5 queries.
///
/// With e the labels of a query beyond one (or short of the most) over the mean number of units, their sum has the variance of
/// `sum(e)^2 / sum(e^2)` events worth `sum(e^2) / sum(e)` each, as if e were sums of Poisson counts. Near an edge, where these
/// are fewer than 12 and than half of the queries, the limits are those of such sums: of the gamma distribution with one more
/// query that has as many as any (one label in each unit where none has any) the limit farther from the edge (Fay & Feuer
/// 1997), of half of it and half of the one without the nearer limit (mid-P, Fay & Kim 2017).
pub fn number(terms: &[(f64, f64)], most: &[f64]) -> Option<NearEdge> {
    let used: Vec<(f64, f64, f64)> =
        terms.iter().zip(most).filter(|(term, _)| term.1 > 0.0).map(|(&(x, y), &most)| (x, y, most)).collect();
    if used.len() < LEAST {
        return None;
    }
    let units = used.iter().map(|t| t.1).sum::<f64>() / used.len() as f64;
    let of = |count: fn(&(f64, f64, f64)) -> f64| rare(used.iter().map(|t| count(t) / units));
    if let Some(Interval { low, high }) = of(|t| t.0 - t.1) {
        return Some(NearEdge { edge: 1.0, limits: Interval { low: 1.0 + low, high: 1.0 + high } });
    }
    let all = used.iter().map(|t| t.2 / units).sum::<f64>() / used.len() as f64;
    let limits = |Interval { low, high }| Interval { low: all - high, high: all - low };
    of(|t| t.2 - t.0).map(|beyond| NearEdge { edge: all, limits: limits(beyond) })
}

/// Interval of a mean of numbers of what is rare, one a query; `None` where it is not.
fn rare(counts: impl Iterator<Item = f64>) -> Option<Interval> {
    let counts: Vec<f64> = counts.map(|e| if e > NO_LABEL { e } else { 0.0 }).collect();
    let queries = counts.len() as f64;
    let (sum, squares) = counts.iter().fold((0.0, 0.0), |t, e| (t.0 + e, t.1 + e * e));
    if sum * sum >= EVENTS.min(queries / 2.0) * squares && sum > 0.0 {
        return None;
    }
    let most = if sum > 0.0 { counts.iter().copied().fold(0.0, f64::max) } else { 1.0 };
    let below = |x: f64, sum: f64, squares: f64| gamma_cdf(x * queries * sum / squares, sum * sum / squares);
    let more = |x: f64| below(x, sum + most, squares + most * most);
    let middle = |x: f64| 0.5 * (below(x, sum, squares) + more(x));
    let guess = (sum + most) / queries;
    Some(Interval {
        low: if sum > 0.0 { reached(0.025, guess, middle) } else { 0.0 },
        high: reached(0.975, guess, more),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Limits of counts where hardly a query has any; the usual interval elsewhere.
    #[test]
    fn a_share_near_its_edge_is_not_thought_to_be_known() {
        let weights = Weights::new(1, "shares", 1000, 60);
        let of = |some: usize, x: f64| (0..60).map(|q| (if q < some { x } else { 0.0 }, 10.0)).collect::<Vec<_>>();
        let none = share(&of(0, 0.0), Some(&weights)).unwrap();
        // 1 - .025^(1/60)
        assert!(none.low == 0.0 && (none.high - 0.059_629_492_286).abs() < 1e-11, "{none:?}");
        let all = share(&of(60, 10.0), Some(&weights)).unwrap();
        assert!((all.low - (1.0 - none.high)).abs() < 1e-12 && all.high == 1.0, "{all:?}");
        // Ten of one query: as one of 59, or a little fewer; one each of three: as three of 600, or a little fewer.
        let one = share(&of(1, 10.0), Some(&weights)).unwrap();
        let three = share(&of(3, 1.0), Some(&weights)).unwrap();
        // The same of those that lack it.
        let lacking = |terms: Vec<(f64, f64)>| -> Vec<(f64, f64)> { terms.iter().map(|&(x, n)| (n - x, n)).collect() };
        let but_one = share(&lacking(of(1, 10.0)), Some(&weights)).unwrap();
        let but_three = share(&lacking(of(3, 1.0)), Some(&weights)).unwrap();
        // From scipy.
        for (found, mirrored, [low, high]) in [
            (one, but_one, [0.0007996800490349, 0.0926597047857464]),
            (three, but_three, [0.0012733561803810, 0.0148082753291768]),
        ] {
            assert!((found.low - low).abs() < 1e-11 && (found.high - high).abs() < 1e-11, "{found:?}");
            assert!(
                (1.0 - mirrored.high - low).abs() < 1e-11 && (1.0 - mirrored.low - high).abs() < 1e-11,
                "{mirrored:?}"
            );
        }
        assert_eq!(share(&of(30, 4.0), Some(&weights)), ratio(&of(30, 4.0), Some(&weights)));
        assert_eq!(share(&of(4, 4.0)[..4], None), None);
    }

    /// Fifty queries of one label, but for some of more.
    fn counts(more: &[f64], units: f64) -> Vec<(f64, f64)> {
        (0..50).map(|q| (units * (1.0 + more.get(q).unwrap_or(&0.0)), units)).collect()
    }

    #[test]
    fn a_number_near_an_edge_has_limits_of_events() {
        let above = |terms: &[(f64, f64)]| number(terms, &vec![100.0; terms.len()]).map(|near| near.limits);
        let close = |found: Interval, [low, high]: [f64; 2]| {
            assert!((found.low - low).abs() < 1e-11 && (found.high - high).abs() < 1e-11, "{found:?}");
        };
        // From scipy: limits of 3 events in 50 queries, of none, of unequal ones.
        for units in [1.0, 3.0] {
            close(above(&counts(&[1.0; 3], units)).unwrap(), [1.0152619259559557, 1.1753454613948464]);
            close(above(&counts(&[], units)).unwrap(), [1.0, 1.0737775890822787]);
            close(above(&counts(&[1.0, 4.0, 1.0], units)).unwrap(), [1.0203147623539583, 1.4849153044378474]);
        }
        assert!(above(&counts(&[1.0; 11], 1.0)).is_some() && above(&counts(&[1.0; 12], 1.0)).is_none());
        let few = |some: usize| above(&counts(&vec![1.0; some], 1.0)[..10]);
        assert!(few(4).is_some() && few(5).is_none() && above(&counts(&[1.0; 3], 1.0)[..4]).is_none());
        // Short of 8 and of 12 labels, by turns, as the others are beyond one.
        let most: Vec<f64> = (0..50).map(|q| if q % 2 == 0 { 8.0 } else { 12.0 }).collect();
        for short in [&[1.0; 3][..], &[], &[1.0, 4.0, 1.0]] {
            let beyond = above(&counts(short, 3.0)).unwrap();
            let terms: Vec<(f64, f64)> =
                (0..50).map(|q| (3.0 * (most[q] - short.get(q).unwrap_or(&0.0)), 3.0)).collect();
            let most: Vec<f64> = most.iter().map(|most| 3.0 * most).collect();
            close(number(&terms, &most).unwrap().limits, [10.0 - (beyond.high - 1.0), 10.0 - (beyond.low - 1.0)]);
        }
    }

    /// What the number moves with another one is in proportion to what it has beyond the edge, on the side of the edge.
    #[test]
    fn limits_go_farther_by_what_the_number_moves() {
        let near = NearEdge { edge: 1.0, limits: Interval { low: 1.02, high: 1.2 } };
        for moved in [0.0, 0.03, 0.08, 0.3] {
            let found = near.moved(1.08, moved);
            assert!((found.high - (1.08 + f64::hypot(0.12, moved))).abs() < 1e-12, "{found:?}");
            let there = moved * (found.low - 1.0) / 0.08;
            assert!((1.08 - found.low - f64::hypot(0.06, there)).abs() < 1e-12 && found.low > 1.0, "{found:?}");
            // The other edge is a mirror.
            let far = NearEdge { edge: 9.0, limits: Interval { low: 8.8, high: 8.98 } }.moved(8.92, moved);
            assert!((far.low - (10.0 - found.high)).abs() < 1e-12 && (far.high - (10.0 - found.low)).abs() < 1e-12);
        }
        let none = NearEdge { edge: 1.0, limits: Interval { low: 1.0, high: 1.06 } }.moved(1.0, 0.03);
        assert!(none.low == 1.0 && (none.high - (1.0 + f64::hypot(0.06, 0.03))).abs() < 1e-12);
    }

    /// Rare labels: resamples of queries hold the mean in some 80 % of corpora.
    #[test]
    fn a_mean_near_one_label_is_held() {
        let (seeds, queries) = (2000, 50);
        let truth = 1.0 + 0.06 * 1.5;
        let held = (0..seeds).filter(|&seed| {
            let stream = crate::base::random::Stream::new(seed, "rare labels");
            let more = |q| match stream.uniform(q, 0) {
                x if x < 0.01 => 4.0,
                x if x < 0.06 => 1.0,
                _ => 0.0,
            };
            let terms: Vec<(f64, f64)> = (0..queries).map(|q| (1.0 + more(q), 1.0)).collect();
            let most = vec![20.0; terms.len()];
            number(&terms, &most)
                .map(|near| near.limits)
                .or_else(|| ratio(&terms, None))
                .is_some_and(|i| i.low <= truth && truth <= i.high)
        });
        let share = held.count() as f64 / seeds as f64;
        assert!((0.95..0.995).contains(&share), "{share}");
    }
}
