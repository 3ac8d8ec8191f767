//! Pairs of some questions, one by one: what lies in pairs of questions alone, by which intervals know numbers that are 0 but
//! for noise.

use super::super::u_statistic;
use super::choice::usual;
use super::question::Question;
use super::sums::{BLOCK, elements, most};
use super::vectors::{Scatter, Vectors};
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::ops::Range;

/// What two questions have in common: sums of cosines over pairs of a response to each, and numbers of such pairs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Common {
    /// Of the same model.
    pub own: (f64, f64),
    /// Of any two models.
    pub all: (f64, f64),
    /// With X the sums of a model's rows here and there, each centred at the mean of the models' responses to its question, and n
    /// the model's responses: the sum over models of `<X, X> / n`.
    pub centred: f64,
}

/// All pairs of some of the questions that have two responses of models and more.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    /// Questions that have.
    questions: usize,
    /// Of question i and each later one.
    rows: Vec<Vec<Common>>,
}

impl Pairs {
    /// Variance of a sum over all pairs of questions that lies in pairs alone.
    pub fn variance(&self, of: impl Fn(&Common) -> f64) -> Option<f64> {
        u_statistic::variance(self.questions, self.rows.len(), |i, j| of(&self.rows[i][j - i - 1]))
    }
}

/// Some of the models in one question.
struct Chosen {
    /// Place of the cell, model, responses.
    cells: Vec<(usize, usize, f64)>,
    /// Responses of all of them.
    n: f64,
    /// Responses that most of them have.
    usual: f64,
}

impl Chosen {
    fn new(question: &Question, keep: &[bool]) -> Self {
        let all = question.cells.iter().enumerate();
        let cells: Vec<(usize, usize, f64)> = all
            .filter(|(_, cell)| keep[cell.0 as usize])
            .map(|(place, cell)| (place, cell.0 as usize, cell.1.len() as f64))
            .collect();
        let usual = usual(cells.iter().map(|cell| cell.2));
        Self { n: cells.iter().map(|cell| cell.2).sum(), usual, cells }
    }

    /// Responses of a model.
    fn of(&self, model: usize) -> f64 {
        self.cells.binary_search_by_key(&model, |cell| cell.1).map_or(0.0, |place| self.cells[place].2)
    }
}

/// One choice of models: in each of the questions, and by model one over its responses to all questions.
struct Models {
    chosen: Vec<Chosen>,
    one: Vec<f64>,
    /// Questions in which it has two responses and more.
    questions: usize,
}

/// What a cell's rows add up to: elements that are not 0, and their values.
type Sum = Vec<(u32, f64)>;

/// Leaves the elements that two questions and more have, and numbers them anew in the order in which they come: the most
/// frequent ones stand together. Gives how many there are.
fn shared(sums: &mut [Vec<Sum>], elements: usize) -> usize {
    const SHARED: u32 = u32::MAX;
    // 0, or 1 + the only question that has an element.
    let mut owner = vec![0; elements];
    for (question, sum) in (1..).zip(&*sums) {
        for &(key, _) in sum.iter().flatten() {
            let owner = &mut owner[key as usize];
            *owner = if *owner == 0 || *owner == question { question } else { SHARED };
        }
    }
    let (mut number, mut next) = (vec![SHARED; elements], 0);
    for &(key, _) in sums.iter().flatten().flatten() {
        if owner[key as usize] == SHARED && number[key as usize] == SHARED {
            number[key as usize] = next;
            next += 1;
        }
    }
    sums.par_iter_mut().flatten().for_each(|sum| {
        sum.retain_mut(|entry| {
            entry.0 = number[entry.0 as usize];
            entry.0 != SHARED
        });
    });
    next as usize
}

/// A sum of vectors whose elements can be looked up.
struct Dense(Vec<f64>);

impl Dense {
    fn add(&mut self, list: &[(u32, f64)]) {
        list.iter().for_each(|&(key, value)| self.0[key as usize] += value);
    }

    fn clear(&mut self, list: &[(u32, f64)]) {
        list.iter().for_each(|&(key, _)| self.0[key as usize] = 0.0);
    }

    fn dot(&self, list: &[(u32, f64)]) -> f64 {
        list.iter().map(|&(key, value)| self.0[key as usize] * value).sum()
    }
}

/// Of question i and each later one, by cell of i: the product with the same model's rows there.
fn own(i: usize, some: &[&Question], sums: &[Vec<Sum>], dense: &mut Dense) -> Vec<Vec<f64>> {
    let mut found: Vec<Vec<f64>> = (i + 1..some.len()).map(|_| vec![0.0; sums[i].len()]).collect();
    for (a, cell) in some[i].cells.iter().enumerate() {
        dense.add(&sums[i][a]);
        for (j, found) in (i + 1..).zip(&mut found) {
            if let Ok(b) = some[j].cells.binary_search_by_key(&cell.0, |other| other.0) {
                found[a] = dense.dot(&sums[j][b]);
            }
        }
        dense.clear(&sums[i][a]);
    }
    found
}

/// A question's rows together, and weighted by one over their model's responses to all questions.
fn together(chosen: &Chosen, sums: &[Sum], one: &[f64], scatter: &mut [Scatter; 2]) -> Vec<(u32, f64, f64)> {
    let [plain, weighted] = scatter;
    for &(cell, model, _) in &chosen.cells {
        for &(key, value) in &sums[cell] {
            plain.add(key, value);
            weighted.add(key, value * one[model]);
        }
    }
    let (mut found, mut place) = (Vec::new(), 0);
    plain.drain(|key, value| found.push((key, value, 0.0)));
    // Both were touched in the same order.
    weighted.drain(|_, value| {
        found[place].2 = value;
        place += 1;
    });
    found
}

/// Of question j with each other one: the product of all rows here and there, and the sum over models of the product of all
/// rows here with a model's rows there, times the model's responses here over those to all questions.
fn across(
    j: usize,
    choice: &Models,
    sums: &[Vec<Sum>],
    all: &[Vec<(u32, f64, f64)>],
    dense: &mut Dense,
) -> Vec<(f64, f64)> {
    let here = &choice.chosen[j];
    all[j].iter().for_each(|&(key, value, _)| dense.0[key as usize] = value);
    let other = |i: usize| {
        if i == j {
            return (0.0, 0.0);
        }
        let (mut plain, mut weighted) = (0.0, 0.0);
        for &(key, value, more) in &all[i] {
            let x = dense.0[key as usize];
            (plain, weighted) = (plain + x * value, weighted + x * more);
        }
        let mut product = here.usual * weighted;
        for &(cell, model, _) in &choice.chosen[i].cells {
            let more = here.of(model) - here.usual;
            if more != 0.0 {
                product += more * choice.one[model] * dense.dot(&sums[i][cell]);
            }
        }
        (plain, product)
    };
    let found = (0..all.len()).map(other).collect();
    all[j].iter().for_each(|&(key, ..)| dense.0[key as usize] = 0.0);
    found
}

/// All products of some questions in some elements.
#[derive(Default)]
struct Products {
    own: Vec<Vec<Vec<f64>>>,
    /// By choice.
    across: Vec<Vec<Vec<(f64, f64)>>>,
}

impl Products {
    fn add(&mut self, other: Self) {
        if self.own.is_empty() {
            *self = other;
            return;
        }
        let own = self.own.iter_mut().flatten().flatten().zip(other.own.iter().flatten().flatten());
        own.for_each(|(sum, x)| *sum += x);
        let across = self.across.iter_mut().flatten().flatten().zip(other.across.iter().flatten().flatten());
        across.for_each(|(sum, x)| *sum = (sum.0 + x.0, sum.1 + x.1));
    }

    /// What questions i < j have in common, of a choice of models.
    fn common(&self, (i, j): (usize, usize), (place, choice): (usize, &Models)) -> Common {
        let (here, there) = (&choice.chosen[i], &choice.chosen[j]);
        let (all, of_here) = self.across[place][j][i];
        let of_there = self.across[place][i][j].1;
        let mut found = Common { all: (all, here.n * there.n), ..Common::default() };
        for &(cell, model, n) in &here.cells {
            let (own, other) = (self.own[i][j - i - 1][cell], there.of(model));
            found.own = (found.own.0 + own, found.own.1 + n * other);
            found.centred += choice.one[model] * (own + n * other * all / (here.n * there.n));
        }
        found.centred -= of_here / there.n + of_there / here.n;
        found
    }
}

/// Bytes held at most for vectors of `dim` elements, of which a response has `some`; `count` says how many of the responses at
/// some positions take part.
pub fn bytes(corpus: &Corpus, (dim, some): (usize, usize), count: impl Fn(&Range<usize>) -> usize) -> usize {
    let of_query = |cells: &Vec<crate::corpus::layout::Cell>| -> usize {
        cells.iter().map(|cell| (count(&cell.positions) * some).min(dim)).sum()
    };
    let mut entries: Vec<usize> = corpus.layout.cells.iter().map(of_query).collect();
    entries.sort_unstable_by(|a, b| b.cmp(a));
    let entries: usize = entries.into_iter().take(u_statistic::QUERIES).sum();
    let lists = (size_of::<(u32, f64)>() * entries).min(BLOCK);
    // Lists, each question's together, and on each thread three sums.
    lists + lists / 2 + 26 * rayon::current_num_threads() * elements(entries, dim, BLOCK)
}

/// Pairs of at most 16 questions that have two responses of each choice of models, for each choice.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn pairs(
    questions: &[Question],
    vectors: &impl Vectors,
    keeps: &[&[bool]],
    observer: &dyn Observer,
) -> Result<Vec<Pairs>> {
    in_blocks(questions, vectors, keeps, BLOCK, observer)
}

fn in_blocks(
    questions: &[Question],
    vectors: &impl Vectors,
    keeps: &[&[bool]],
    bytes: usize,
    observer: &dyn Observer,
) -> Result<Vec<Pairs>> {
    let several = |question: &&Question, keep: &[bool]| Chosen::new(question, keep).n > 1.0;
    let all: Vec<&Question> =
        questions.iter().filter(|question| keeps.iter().all(|keep| several(question, keep))).collect();
    let some: Vec<&Question> = u_statistic::some(all.len()).into_iter().map(|place| all[place]).collect();
    let choice = |keep: &&[bool]| {
        let mut counts = vec![0usize; keep.len()];
        let cells = questions.iter().flat_map(|question| &question.cells);
        cells.for_each(|(model, positions)| counts[*model as usize] += positions.len());
        Models {
            chosen: some.iter().map(|question| Chosen::new(question, keep)).collect(),
            one: counts.into_iter().map(|n| 1.0 / n.max(1) as f64).collect(),
            questions: questions.iter().filter(|question| several(question, keep)).count(),
        }
    };
    let choices: Vec<Models> = keeps.iter().map(choice).collect();
    let (dim, k) = (vectors.dim(), some.len());
    let size = elements(most(some.iter().copied(), vectors), dim, bytes);
    let at_once = k.div_ceil(2 * rayon::current_num_threads()).max(1);
    let mut products = Products::default();
    for start in (0..dim).step_by(size) {
        observer.check_stop()?;
        let keys = start as u32..(start + size).min(dim) as u32;
        let scatter = || Scatter::new(keys.len());
        let sum = |scatter: &mut Scatter, question: &&Question| -> Vec<Sum> {
            let cell = |(_, positions): &(u32, Vec<usize>)| {
                positions.iter().for_each(|&position| vectors.add(position, &keys, scatter));
                let mut found = Vec::new();
                scatter.drain(|key, value| found.push((key, value)));
                found
            };
            question.cells.iter().map(cell).collect()
        };
        let mut sums: Vec<Vec<Sum>> = some.par_iter().with_min_len(at_once).map_init(scatter, sum).collect();
        let left = shared(&mut sums, keys.len());
        let (scatter, dense) = (|| Scatter::new(left), || Dense(vec![0.0; left]));
        let places = || (0..k).into_par_iter().with_min_len(at_once);
        let own = places().map_init(dense, |dense, i| own(i, &some, &sums, dense)).collect();
        let of_choice = |choice: &Models| {
            let all: Vec<Vec<(u32, f64, f64)>> = places()
                .map_init(
                    || [scatter(), scatter()],
                    |scatter, i| together(&choice.chosen[i], &sums[i], &choice.one, scatter),
                )
                .collect();
            places().map_init(dense, |dense, j| across(j, choice, &sums, &all, dense)).collect()
        };
        products.add(Products { own, across: choices.iter().map(of_choice).collect() });
    }
    let of_choice = |one: (usize, &Models)| {
        let row = |i: usize| (i + 1..k).map(|j| products.common((i, j), one)).collect();
        Pairs { questions: one.1.questions, rows: (0..k).map(row).collect() }
    };
    Ok(choices.iter().enumerate().map(of_choice).collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::planted;
    use super::super::Excerpts;
    use super::super::vectors::{Content, Form};
    use super::*;
    use crate::base::events::Silent;
    use crate::base::random::Stream;

    /// Every product of two questions from whole vectors, in one block and in many; some models are not chosen, some
    /// answer few questions, and one question has a single answer of those that are.
    #[test]
    fn what_questions_have_in_common_is_that_of_whole_vectors() {
        let random = Stream::new(3, "pairs of questions");
        let asked = |i: u64| match i {
            ..20 => i == 6 || i % 5 == 2,
            20..60 => i % 5 < 2,
            _ => true,
        };
        let keys = (0..400u64).filter(|&i| i == 6 || random.below(i, 0, 3) > 0 && asked(i));
        let keys: Vec<(String, String)> = keys.map(|i| (format!("{:02}", i / 20), format!("{}", i % 5))).collect();
        let (mut corpus, _) = planted::planted(keys.into_iter(), 7);
        let text = |row: usize| -> String {
            let text = if row < 20 { row % 7 } else { 7 + row % 40 } as u64;
            (0..300).map(|i| b"abcdefgh"[random.below(text, i, 8) as usize] as char).collect()
        };
        let texts: Vec<String> = (0..corpus.len()).map(text).collect();
        corpus.rows.excerpts = Some(Excerpts::of_texts(&texts));
        let excerpts = corpus.rows.excerpts.as_ref().unwrap();
        let keep = [true, true, false, true, true];
        let (questions, _) = Question::all(&corpus, excerpts, &[], &[true; 5]);
        fn compared(questions: &[Question], vectors: &impl Vectors, keep: &[bool]) {
            let whole = |positions: &[usize]| -> Vec<f64> {
                let (mut sum, mut found) = (Scatter::new(vectors.dim()), vec![0.0; vectors.dim()]);
                positions.iter().for_each(|&p| vectors.add(p, &(0..vectors.dim() as u32), &mut sum));
                sum.drain(|key, value| found[key as usize] = value);
                found
            };
            let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
            let mut counts = vec![0.0; keep.len()];
            questions.iter().flat_map(|q| &q.cells).for_each(|cell| counts[cell.0 as usize] += cell.1.len() as f64);
            let chosen =
                |q: &&Question| q.cells.iter().filter(|c| keep[c.0 as usize]).map(|c| c.1.len()).sum::<usize>() > 1;
            let all: Vec<&Question> = questions.iter().filter(chosen).collect();
            assert_eq!(all.len(), questions.len() - 1);
            let some: Vec<&Question> = u_statistic::some(all.len()).into_iter().map(|i| all[i]).collect();
            // By question: model, responses, sum, centred sum.
            let of = |question: &Question| -> Vec<(u32, f64, Vec<f64>, Vec<f64>)> {
                let cells = question.cells.iter().filter(|cell| keep[cell.0 as usize]);
                let sums: Vec<(u32, f64, Vec<f64>)> =
                    cells.map(|cell| (cell.0, cell.1.len() as f64, whole(&cell.1))).collect();
                let n: f64 = sums.iter().map(|sum| sum.1).sum();
                let mean: Vec<f64> =
                    (0..vectors.dim()).map(|i| sums.iter().map(|sum| sum.2[i]).sum::<f64>() / n).collect();
                let centred = |sum: &(u32, f64, Vec<f64>)| -> Vec<f64> {
                    sum.2.iter().zip(&mean).map(|(x, m)| x - sum.1 * m).collect()
                };
                sums.iter().map(|sum| (sum.0, sum.1, sum.2.clone(), centred(sum))).collect()
            };
            for bytes in [BLOCK, 1 << 12] {
                let found = in_blocks(questions, vectors, &[&[true; 5], keep], bytes, &Silent).unwrap().remove(1);
                assert_eq!((found.questions, found.rows.len()), (all.len(), some.len()));
                for (i, row) in found.rows.iter().enumerate() {
                    for (place, got) in row.iter().enumerate() {
                        let (here, there) = (of(some[i]), of(some[i + 1 + place]));
                        let pairs = || here.iter().flat_map(|a| there.iter().map(move |b| (a, b)));
                        let same = || pairs().filter(|(a, b)| a.0 == b.0);
                        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-10, "{got} {want}");
                        close(got.own.0, same().map(|(a, b)| dot(&a.2, &b.2)).sum());
                        close(got.own.1, same().map(|(a, b)| a.1 * b.1).sum());
                        close(got.all.0, pairs().map(|(a, b)| dot(&a.2, &b.2)).sum());
                        close(got.all.1, pairs().map(|(a, b)| a.1 * b.1).sum());
                        close(got.centred, same().map(|(a, b)| dot(&a.3, &b.3) / counts[a.0 as usize]).sum());
                    }
                }
            }
        }
        compared(&questions[..9], &Content(&corpus), &keep);
        compared(&questions, &Content(&corpus), &keep);
        compared(&questions[..6], &Form::new(&corpus, excerpts), &keep);
    }
}
