//! Responses by query, family and variant: a variant is a context, or a training stage.
//!
//! Means of pairs of cells come from sums of cell means, so that no pair is formed: with `u` the mean unit vector of a
//! cell, the cosines of all pairs of responses of two cells average to `<u, u'>`. Every sum is taken in the order of the
//! queries, families and variants.

use super::cells::add_unit_row;
use super::chunks::groups;
use super::products::add_products;
use crate::base::{Observer, Result};
use crate::corpus::{Category, Corpus, Dictionary, Role};
use rayon::prelude::*;
use std::ops::Range;

/// `<x, y>`.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut product = [0.0];
    add_products(x, y, x.len(), &mut product);
    product[0]
}

/// The responses of one family and variant to one query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Query id.
    pub query: usize,
    /// Family id.
    pub family: u32,
    /// Id of the context or stage.
    pub variant: u32,
    /// Places in [`Variants::positions`].
    range: Range<usize>,
}

impl Cell {
    /// Number of responses.
    pub fn n(&self) -> usize {
        self.range.len()
    }
}

/// Bytes that packaging or stages hold at most, tables aside: 80 a row for the cells and their order; the sums of families
/// and variants; a thread's cells of a query and what other queries add up to, and with stages its rows by length.
pub fn bytes(corpus: &Corpus) -> usize {
    let categories = &corpus.rows.categories;
    let families = categories.get(&Role::Family).map_or(corpus.rows.models.len(), |family| family.dictionary.len());
    let layout = &corpus.layout;
    let threads = rayon::current_num_threads().min(layout.cells.len());
    let of_role = |role: &Role| {
        let variants = categories.get(role)?.dictionary.len();
        let sums = (families * variants).min(corpus.len()) + families + variants;
        let texts = if *role == Role::Stage && corpus.rows.text_chars.is_some() { 2 } else { 0 };
        let rows = layout.query_positions.iter().map(Range::len);
        let of_query = |(rows, cells): (usize, &Vec<_>)| 2 * rows.min(cells.len() * variants) + texts * rows;
        let largest = rows.zip(&layout.cells).map(of_query).max().unwrap_or(0);
        // Rows without an arm are in every arm.
        let arms = categories.get(&Role::Arm).filter(|_| *role == Role::Stage);
        let unarmed = |arm: &Category| arm.dictionary.len() * arm.ids.iter().filter(|&&id| id == u32::MAX).count();
        Some(80 * (corpus.len() + arms.map_or(0, unarmed)) + 8 * corpus.dim() * (sums + threads * largest))
    };
    [Role::Context, Role::Stage].iter().filter_map(of_role).max().unwrap_or(0)
}

/// Names of the families, and the family of each row (`u32::MAX` where it has none); without such a column every model is
/// its own.
pub fn families(corpus: &Corpus) -> (&Dictionary, &[u32]) {
    match corpus.rows.categories.get(&Role::Family) {
        Some(category) => (&category.dictionary, &category.ids),
        None => (&corpus.rows.models, &corpus.rows.model),
    }
}

/// The cells of a corpus, by query, family and variant.
pub struct Variants<'a> {
    corpus: &'a Corpus,
    /// Names of the families.
    pub families: &'a Dictionary,
    /// Names of the variants.
    pub names: &'a Dictionary,
    /// Family of each row; `u32::MAX` where it has none.
    pub family: &'a [u32],
    positions: Vec<usize>,
    cells: Vec<Cell>,
}

impl<'a> Variants<'a> {
    /// Cells of the rows that have a family and a `role`, and that no person wrote; `None` without such a column.
    pub fn new(corpus: &'a Corpus, role: Role, people: &[bool]) -> Option<Self> {
        Self::of_rows(corpus, role, |row| !people.get(row).copied().unwrap_or(false))
    }

    /// The same of the rows that `takes` takes.
    pub fn of_rows(corpus: &'a Corpus, role: Role, takes: impl Fn(usize) -> bool + Sync) -> Option<Self> {
        let variant = corpus.rows.categories.get(&role)?;
        let (families, family) = families(corpus);
        let keys = |position: usize| {
            let row = corpus.layout.row_at[position] as usize;
            let known = family[row] != u32::MAX && variant.ids[row] != u32::MAX && takes(row);
            known.then(|| (family[row], variant.ids[row], position))
        };
        let by_query: Vec<Vec<(u32, u32, usize)>> = (corpus.layout.query_positions.par_iter())
            .map(|range| {
                let mut found: Vec<_> = range.clone().filter_map(keys).collect();
                found.sort_unstable();
                found
            })
            .collect();
        let mut all =
            Self { corpus, families, names: &variant.dictionary, family, positions: Vec::new(), cells: Vec::new() };
        for (query, found) in by_query.into_iter().enumerate() {
            for (family, variant, position) in found {
                let place = all.positions.len();
                all.positions.push(position);
                match all.cells.last_mut() {
                    Some(last) if (last.query, last.family, last.variant) == (query, family, variant) => {
                        last.range.end = place + 1;
                    }
                    _ => all.cells.push(Cell { query, family, variant, range: place..place + 1 }),
                }
            }
        }
        Some(all)
    }

    /// All cells.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Cells of each query that has some.
    pub fn queries(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunk_by(|a, b| a.query == b.query)
    }

    /// Positions of the responses of a cell.
    pub fn positions(&self, cell: &Cell) -> &[usize] {
        &self.positions[cell.range.clone()]
    }

    /// Mean unit vector of a cell.
    fn mean(&self, cell: &Cell) -> Vec<f64> {
        let mut mean = vec![0.0; self.corpus.dim()];
        self.positions(cell).iter().for_each(|&p| add_unit_row(self.corpus, p, &mut mean));
        mean.iter_mut().for_each(|x| *x /= cell.n() as f64);
        mean
    }

    /// Mean cosine of the pairs of the first `n` >= 2 responses of a cell.
    pub fn within(&self, cell: &Cell, n: usize) -> f64 {
        let mut sum = vec![0.0; self.corpus.dim()];
        self.positions(cell)[..n].iter().for_each(|&p| add_unit_row(self.corpus, p, &mut sum));
        let n = n as f64;
        (dot(&sum, &sum) - n) / (n * (n - 1.0))
    }

    /// Which families have a model with `flag`.
    pub fn families_of(&self, flag: impl Fn(u32) -> bool) -> Vec<bool> {
        let mut found = vec![false; self.families.len()];
        for (&family, &model) in self.family.iter().zip(&self.corpus.rows.model) {
            if let Some(found) = found.get_mut(family as usize) {
                *found |= flag(model);
            }
        }
        found
    }
}

/// A sum of cell means, and how many they are.
#[derive(Debug, Clone)]
pub struct Sum {
    /// The sum.
    pub vector: Vec<f64>,
    /// Cells.
    pub count: f64,
}

impl Sum {
    fn zero(dim: usize) -> Self {
        Self { vector: vec![0.0; dim], count: 0.0 }
    }

    fn add(&mut self, other: &Self) {
        self.vector.iter_mut().zip(&other.vector).for_each(|(s, x)| *s += x);
        self.count += other.count;
    }

    /// Adds the mean of a cell (sign 1) or takes it away (-1).
    pub fn put(&mut self, mean: &[f64], sign: f64) {
        self.vector.iter_mut().zip(mean).for_each(|(s, x)| *s += sign * x);
        self.count += sign;
    }
}

/// Some of the cells, with the sums of their means over all queries.
pub struct Chosen<'a> {
    variants: &'a Variants<'a>,
    /// The cells, in the order of all.
    pub cells: Vec<&'a Cell>,
    /// By (family, variant), ascending.
    units: Vec<((u32, u32), Sum)>,
    /// By family.
    families: Vec<(u32, Sum)>,
    /// By variant.
    variant_sums: Vec<(u32, Sum)>,
}

/// Adds sums of equal key.
fn by_key(units: &[((u32, u32), Sum)], dim: usize, key: impl Fn((u32, u32)) -> u32) -> Vec<(u32, Sum)> {
    let mut keys: Vec<u32> = units.iter().map(|unit| key(unit.0)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut sums: Vec<(u32, Sum)> = keys.into_iter().map(|key| (key, Sum::zero(dim))).collect();
    for (unit, sum) in units {
        let place = sums.partition_point(|other| other.0 < key(*unit));
        sums[place].1.add(sum);
    }
    sums
}

impl<'a> Chosen<'a> {
    /// The given cells, which stand in the order of all.
    ///
    /// # Errors
    /// [`crate::base::Error::Interrupted`].
    pub fn new(variants: &'a Variants<'a>, cells: Vec<&'a Cell>, observer: &dyn Observer) -> Result<Self> {
        let dim = variants.corpus.dim();
        let mut of_unit: Vec<(u32, u32, usize)> =
            cells.iter().enumerate().map(|(place, cell)| (cell.family, cell.variant, place)).collect();
        of_unit.sort_unstable();
        let of_unit: Vec<&[(u32, u32, usize)]> = of_unit.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).collect();
        let units: Vec<((u32, u32), Sum)> = (of_unit.par_iter())
            .map(|places| {
                observer.check_stop()?;
                let mut sum = Sum::zero(dim);
                places.iter().for_each(|&(_, _, place)| sum.put(&variants.mean(cells[place]), 1.0));
                Ok(((places[0].0, places[0].1), sum))
            })
            .collect::<Result<_>>()?;
        let families = by_key(&units, dim, |unit| unit.0);
        let variant_sums = by_key(&units, dim, |unit| unit.1);
        Ok(Self { variants, cells, units, families, variant_sums })
    }

    /// Calls `each` for every query that has chosen cells; the results are in the order of the queries.
    ///
    /// # Errors
    /// [`crate::base::Error::Interrupted`].
    pub fn each_query<T: Send>(
        &self,
        observer: &dyn Observer,
        each: impl Fn(&Answered<'_>) -> T + Sync,
    ) -> Result<Vec<T>> {
        let first = |query: usize| self.cells.partition_point(|cell| cell.query < query);
        let one_group = |members: &Vec<usize>| -> Result<Vec<(usize, T)>> {
            observer.check_stop()?;
            let ranges: Vec<Range<usize>> = members.iter().map(|&q| first(q)..first(q + 1)).collect();
            let cells: Vec<&Cell> = ranges.iter().flat_map(|range| &self.cells[range.clone()]).copied().collect();
            let means: Vec<Vec<f64>> = cells.iter().map(|cell| self.variants.mean(cell)).collect();
            let mut start = 0;
            let mut found = Vec::with_capacity(members.len());
            for (&query, range) in members.iter().zip(&ranges).filter(|(_, range)| !range.is_empty()) {
                let here = start..start + range.len();
                start = here.end;
                found.push((query, each(&Answered { query, chosen: self, group: &cells, means: &means, here })));
            }
            Ok(found)
        };
        let found: Vec<Vec<(usize, T)>> =
            groups(self.variants.corpus).par_iter().map(one_group).collect::<Result<_>>()?;
        let mut found: Vec<(usize, T)> = found.into_iter().flatten().collect();
        found.sort_by_key(|one| one.0);
        Ok(found.into_iter().map(|one| one.1).collect())
    }
}

/// The chosen cells of one query, and of the queries that are copies of it.
pub struct Answered<'a> {
    /// Query id.
    pub query: usize,
    chosen: &'a Chosen<'a>,
    group: &'a [&'a Cell],
    means: &'a [Vec<f64>],
    here: Range<usize>,
}

impl Answered<'_> {
    /// The query's cells, by family and variant.
    pub fn cells(&self) -> &[&Cell] {
        &self.group[self.here.clone()]
    }

    /// Their mean unit vectors.
    pub fn means(&self) -> &[Vec<f64>] {
        &self.means[self.here.clone()]
    }

    /// Sum of the means of some of this query's cells.
    pub fn sum(&self, pick: impl Fn(&Cell) -> bool) -> Sum {
        let mut sum = Sum::zero(self.chosen.variants.corpus.dim());
        let picked = self.cells().iter().zip(self.means()).filter(|(cell, _)| pick(cell));
        picked.for_each(|(_, mean)| sum.put(mean, 1.0));
        sum
    }

    /// A sum over all queries without this query and its copies.
    fn elsewhere(&self, total: Option<&Sum>, pick: impl Fn(&Cell) -> bool) -> Sum {
        let mut rest = total.cloned().unwrap_or_else(|| Sum::zero(self.chosen.variants.corpus.dim()));
        let picked = self.group.iter().zip(self.means).filter(|(cell, _)| pick(cell));
        picked.for_each(|(_, mean)| rest.put(mean, -1.0));
        rest
    }

    /// The cells of one family and variant to other queries.
    pub fn unit_elsewhere(&self, unit: (u32, u32)) -> Sum {
        let total = self.chosen.units.binary_search_by_key(&unit, |one| one.0).ok();
        let total = total.map(|place| &self.chosen.units[place].1);
        self.elsewhere(total, |other| (other.family, other.variant) == unit)
    }

    /// The cells of one family to other queries.
    pub fn family_elsewhere(&self, family: u32) -> Sum {
        let total = self.chosen.families.binary_search_by_key(&family, |one| one.0).ok();
        self.elsewhere(total.map(|place| &self.chosen.families[place].1), |other| other.family == family)
    }

    /// The cells of one variant to other queries.
    pub fn variant_elsewhere(&self, variant: u32) -> Sum {
        let sums = &self.chosen.variant_sums;
        let total = sums.binary_search_by_key(&variant, |one| one.0).ok();
        self.elsewhere(total.map(|place| &sums[place].1), |other| other.variant == variant)
    }
}
