//! Means that can be compared although not everyone answered every query: over common queries, else of an additive
//! model.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use rayon::prelude::*;

/// Sweeps of the additive fit at most.
const SWEEPS: usize = 1000;
/// Values that all sweeps may visit.
const WORK: usize = 4_000_000_000;
/// Change of a mean from one sweep to the next under which the fit has settled.
const SETTLED: f64 = 1e-13;
/// Units of which it is known how queries move the additive fit: 32 MB of products of them.
const UNITS: usize = 2048;
/// Queries that are solved for at once.
const AT_ONCE: usize = 64;

/// How the means were made comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Means over the queries that everyone has: so many of so many.
    Common(usize, usize),
    /// Means at the average query under `value = unit + query`, by least squares; so many queries are common.
    Additive(usize),
    /// Two units share no query, not even by way of others: nothing to compare.
    Unconnected,
}

/// Comparable means of units (models, pairs of models).
#[derive(Debug, Clone, PartialEq)]
pub struct Adjusted {
    /// One a unit; `None` for a unit without values, and for all where units are unconnected.
    pub means: Vec<Option<f64>>,
    /// How.
    pub method: Method,
}

/// Lowest member of the set of `x`.
fn root(parent: &mut [u32], mut x: u32) -> u32 {
    while parent[x as usize] != x {
        parent[x as usize] = parent[parent[x as usize] as usize];
        x = parent[x as usize];
    }
    x
}

fn divided(sums: &[f64], counts: &[u32]) -> Vec<Option<f64>> {
    sums.iter().zip(counts).map(|(&s, &n)| (n > 0).then(|| s / f64::from(n))).collect()
}

/// Comparable means of `units` units; `visit(query, f)` calls f(unit, value) for each value of a query, one a unit.
///
/// The mean is taken over the queries where every unit (that has any value) has one, if these are at least half of the
/// queries with values; otherwise it is a_u + mean of b_q of the least-squares fit `value = a_u + b_q`, found by
/// alternating between a and b.
pub fn means(queries: usize, units: usize, visit: impl Fn(usize, &mut dyn FnMut(usize, f64))) -> Adjusted {
    let (mut of_query, mut of_unit) = (vec![0u32; queries], vec![0u32; units]);
    for (query, count) in of_query.iter_mut().enumerate() {
        visit(query, &mut |unit, _| {
            *count += 1;
            of_unit[unit] += 1;
        });
    }
    let present = of_unit.iter().filter(|&&n| n > 0).count() as u32;
    let used: Vec<usize> = (0..queries).filter(|&q| of_query[q] > 0).collect();
    let common: Vec<usize> = used.iter().copied().filter(|&q| of_query[q] == present).collect();
    if 2 * common.len() >= used.len() {
        let mut sums = vec![0.0; units];
        common.iter().for_each(|&q| visit(q, &mut |unit, value| sums[unit] += value));
        let counts: Vec<u32> = of_unit.iter().map(|&n| if n > 0 { common.len() as u32 } else { 0 }).collect();
        return Adjusted { means: divided(&sums, &counts), method: Method::Common(common.len(), used.len()) };
    }
    let mut parent: Vec<u32> = (0..(units + queries) as u32).collect();
    for &query in &used {
        visit(query, &mut |unit, _| {
            let (x, y) = (root(&mut parent, unit as u32), root(&mut parent, (units + query) as u32));
            parent[x.max(y) as usize] = x.min(y);
        });
    }
    let first = root(&mut parent, (units + used[0]) as u32);
    if used.iter().any(|&q| root(&mut parent, (units + q) as u32) != first) {
        return Adjusted { means: vec![None; units], method: Method::Unconnected };
    }
    let (mut a, mut b) = (vec![0.0; units], vec![0.0; queries]);
    let values: usize = used.iter().map(|&q| of_query[q] as usize).sum();
    for _ in 0..SWEEPS.min(WORK / values) {
        let mut sums = vec![0.0; units];
        used.iter().for_each(|&q| visit(q, &mut |unit, value| sums[unit] += value - b[q]));
        let next: Vec<f64> = divided(&sums, &of_unit).into_iter().map(Option::unwrap_or_default).collect();
        let change = a.iter().zip(&next).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        a = next;
        for &q in &used {
            let mut sum = 0.0;
            visit(q, &mut |unit, value| sum += value - a[unit]);
            b[q] = sum / f64::from(of_query[q]);
        }
        if change < SETTLED {
            break;
        }
    }
    let level = used.iter().map(|&q| b[q]).sum::<f64>() / used.len() as f64;
    let means = a.iter().zip(&of_unit).map(|(&a, &n)| (n > 0).then_some(a + level)).collect();
    Adjusted { means, method: Method::Additive(common.len()) }
}

/// Bytes that the moves of so many units take beside tables of queries and units.
pub fn bytes(units: usize) -> usize {
    8 * units.min(UNITS) * (2 * units.min(UNITS) + rayon::current_num_threads() * AT_ONCE)
}

/// How queries move the means of an additive fit, to first order in their weights: queries x units, row-major, with the means
/// for their means over the queries that have values; NaN elsewhere. `None` with more than 2,048 units.
///
/// With r the residuals of query q, n_u the queries of unit u and n_p the units of query p, a moves by the delta that solves
/// `n_u delta_u - sum_p (sum of delta over p) / n_p = r_u` (p: the queries that have u), and the level by `b_q` less its mean
/// and by what these take from the others, all over the number of queries.
pub fn moves(
    queries: usize,
    means: &[Option<f64>],
    visit: impl Fn(usize, &mut dyn FnMut(usize, f64)),
) -> Option<Vec<f64>> {
    let present: Vec<usize> = (0..means.len()).filter(|&unit| means[unit].is_some()).collect();
    if present.len() > UNITS {
        return None;
    }
    // By query: place of the unit among those present, value less its mean.
    let away = |query: usize| -> Vec<(usize, f64)> {
        let mut found = Vec::new();
        visit(query, &mut |unit, value| {
            if let (Some(mean), Ok(place)) = (means[unit], present.binary_search(&unit)) {
                found.push((place, value - mean));
            }
        });
        found
    };
    let rows: Vec<Vec<(usize, f64)>> = (0..queries).map(away).collect();
    let used = rows.iter().filter(|row| !row.is_empty()).count() as f64;
    let units = present.len();
    // A constant for all units is no fit of its own: it is taken to be 0.
    let mut products = Mat::from_fn(units, units, |_, _| used / units as f64);
    let mut taken = vec![0.0; units];
    for row in &rows {
        let share = 1.0 / row.len() as f64;
        for &(i, _) in row {
            products[(i, i)] += 1.0;
            taken[i] += share;
            row.iter().for_each(|&(j, _)| products[(i, j)] -= share);
        }
    }
    let products = products.llt(Side::Lower).ok()?;
    let mut found = vec![f64::NAN; queries * means.len()];
    let chunks = found.par_chunks_mut(AT_ONCE * means.len().max(1)).zip(rows.par_chunks(AT_ONCE));
    chunks.for_each(|(found, rows)| {
        let level = |row: &[(usize, f64)]| row.iter().map(|one| one.1).sum::<f64>() / row.len() as f64;
        let mut moved = Mat::<f64>::zeros(units, rows.len());
        for (column, row) in rows.iter().enumerate() {
            let level = level(row);
            row.iter().for_each(|&(unit, away)| moved[(unit, column)] = away - level);
        }
        products.solve_in_place(&mut moved);
        for ((column, row), found) in rows.iter().enumerate().zip(found.chunks_exact_mut(means.len())) {
            if row.is_empty() {
                continue;
            }
            let from_others: f64 = taken.iter().enumerate().map(|(unit, taken)| taken * moved[(unit, column)]).sum();
            for (place, &unit) in present.iter().enumerate() {
                let mean = means[unit].unwrap_or_default();
                found[unit] = mean + used * moved[(place, column)] + level(row) - from_others;
            }
        }
    });
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[Vec<(usize, f64)>], units: usize) -> Adjusted {
        means(values.len(), units, |q, visit| values[q].iter().for_each(|&(unit, value)| visit(unit, value)))
    }

    #[test]
    fn a_full_table_gives_plain_means_and_few_gaps_those_of_common_queries() {
        let full = of(&[vec![(0, 1.0), (1, 2.0)], vec![(0, 3.0), (1, 5.0)]], 3);
        assert_eq!(full.means, [Some(2.0), Some(3.5), None]);
        let gap = of(&[vec![(0, 1.0), (1, 2.0)], vec![(0, 3.0), (1, 5.0)], vec![(0, 100.0)]], 2);
        assert_eq!((gap.means, gap.method), (vec![Some(2.0), Some(3.5)], Method::Common(2, 3)));
    }

    #[test]
    fn many_gaps_are_adjusted_to_the_average_query() {
        // value = unit + query exactly, each unit on other queries: a is at 1, 2, 3 above queries at 0, 10, 20, 30
        let value = |unit: usize, query: usize| (unit + 1) as f64 + 10.0 * query as f64;
        let have = [vec![0, 1], vec![1, 2], vec![0, 2], vec![2]];
        let values: Vec<Vec<(usize, f64)>> =
            have.iter().enumerate().map(|(q, units)| units.iter().map(|&u| (u, value(u, q))).collect()).collect();
        let found = of(&values, 3);
        assert_eq!(found.method, Method::Additive(0));
        for (unit, mean) in found.means.into_iter().enumerate() {
            assert!((mean.unwrap() - value(unit, 0) - 15.0).abs() < 1e-9, "{unit}: {mean:?}");
        }
    }

    /// A full table's values are what its queries do; with gaps the moves have the means for their means, and leaving out a
    /// query changes a mean as its move says, to first order.
    #[test]
    fn queries_move_the_means_as_leaving_them_out_does() {
        let stream = crate::base::random::Stream::new(3, "moves");
        for (queries, units, gaps) in [(7, 3, 0.0), (300, 5, 0.5)] {
            let value =
                |q: usize, u: usize| u as f64 + stream.normal(q as u64, 99) + 0.5 * stream.normal(q as u64, u as u64);
            let there = |q: usize, u: usize| stream.uniform(q as u64, 200 + u as u64) >= gaps;
            let values: Vec<Vec<(usize, f64)>> =
                (0..queries).map(|q| (0..units).filter(|&u| there(q, u)).map(|u| (u, value(q, u))).collect()).collect();
            let means = of(&values, units).means;
            let all = |values: &[Vec<(usize, f64)>], means: &[Option<f64>]| {
                moves(values.len(), means, |q, visit| values[q].iter().for_each(|&(u, x)| visit(u, x))).unwrap()
            };
            let found = all(&values, &means);
            let used: Vec<usize> = (0..queries).filter(|&q| !values[q].is_empty()).collect();
            for unit in 0..units {
                let mean = means[unit].unwrap();
                let sum: f64 = used.iter().map(|&q| found[q * units + unit]).sum();
                assert!((sum / used.len() as f64 - mean).abs() < 1e-10);
                for &q in used.iter().take(9) {
                    let one = found[q * units + unit];
                    if gaps == 0.0 {
                        assert!((one - value(q, unit)).abs() < 1e-12);
                        continue;
                    }
                    let mut left = values.clone();
                    left[q].clear();
                    let changed = (mean - of(&left, units).means[unit].unwrap()) * (used.len() - 1) as f64;
                    assert!((one - mean - changed).abs() < 0.03 * (1.0 + changed.abs()), "{one} {mean} {changed}");
                }
            }
        }
    }

    #[test]
    fn units_that_never_meet_are_not_compared() {
        let found = of(&[vec![(0, 1.0)], vec![(1, 2.0)], vec![(0, 1.0)]], 2);
        assert_eq!((found.means, found.method), (vec![None, None], Method::Unconnected));
    }
}
