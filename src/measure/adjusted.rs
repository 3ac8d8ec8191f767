//! Means that can be compared although not everyone answered every query: over common queries, else of an additive
//! model.

/// Sweeps of the additive fit at most.
const SWEEPS: usize = 1000;
/// Values that all sweeps may visit.
const WORK: usize = 4_000_000_000;
/// Change of a mean from one sweep to the next under which the fit has settled.
const SETTLED: f64 = 1e-13;

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

    #[test]
    fn units_that_never_meet_are_not_compared() {
        let found = of(&[vec![(0, 1.0)], vec![(1, 2.0)], vec![(0, 1.0)]], 2);
        assert_eq!((found.means, found.method), (vec![None, None], Method::Unconnected));
    }
}
