//! Pairs of some questions, one by one: what lies in pairs of questions alone, by which intervals know numbers that are 0 but
//! for noise.

use super::super::u_statistic;
use super::question::Question;
use super::vectors::{Scatter, Vectors};
use crate::base::{Observer, Result};
use rayon::prelude::*;
use std::ops::Range;

/// Bytes of the vectors that are held at once.
const BLOCK: usize = 128 << 20;

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

/// What some elements of the vectors of a question's models add up to.
struct Sums {
    /// By cell: element and value.
    cells: Vec<Vec<(u32, f64)>>,
}

impl Sums {
    fn new(question: &Question, vectors: &impl Vectors, keys: &Range<u32>, sum: &mut Scatter) -> Self {
        let cell = |(_, positions): &(u32, Vec<usize>)| {
            positions.iter().for_each(|&position| vectors.add(position, keys, sum));
            let mut found = Vec::new();
            sum.drain(|key, value| found.push((key, value)));
            found
        };
        Self { cells: question.cells.iter().map(cell).collect() }
    }
}

/// Some of the models in one question: places of their cells, models, responses.
struct Chosen {
    cells: Vec<(usize, usize, f64)>,
    n: f64,
}

impl Chosen {
    fn new(question: &Question, keep: &[bool]) -> Self {
        let all = question.cells.iter().enumerate();
        let cells: Vec<(usize, usize, f64)> = all
            .filter(|(_, cell)| keep[cell.0 as usize])
            .map(|(place, cell)| (place, cell.0 as usize, cell.1.len() as f64))
            .collect();
        Self { n: cells.iter().map(|cell| cell.2).sum(), cells }
    }
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

/// What question i has in common with all others, in some elements: by question, by its cells, (with the sum of all models' rows
/// in i, with the same model's).
fn row(i: usize, sums: &[Sums], chosen: &[Chosen], dense: &mut Dense) -> Vec<Vec<(f64, f64)>> {
    let here = &chosen[i].cells;
    here.iter().for_each(|&(cell, ..)| dense.add(&sums[i].cells[cell]));
    let with_all = |(j, there): (usize, &Chosen)| -> Vec<(f64, f64)> {
        let cell = |&(cell, ..): &(usize, usize, f64)| if i == j { 0.0 } else { dense.dot(&sums[j].cells[cell]) };
        there.cells.iter().map(|one| (cell(one), 0.0)).collect()
    };
    let mut found: Vec<Vec<(f64, f64)>> = chosen.iter().enumerate().map(with_all).collect();
    here.iter().for_each(|&(cell, ..)| dense.clear(&sums[i].cells[cell]));
    for &(cell, model, _) in here {
        dense.add(&sums[i].cells[cell]);
        for j in i + 1..chosen.len() {
            if let Ok(place) = chosen[j].cells.binary_search_by_key(&model, |one| one.1) {
                found[j][place].1 = dense.dot(&sums[j].cells[chosen[j].cells[place].0]);
            }
        }
        dense.clear(&sums[i].cells[cell]);
    }
    found
}

/// What two questions have in common, from what each has with the other.
fn common(here: &Chosen, there: &Chosen, counts: &[f64], of_here: &[(f64, f64)], of_there: &[(f64, f64)]) -> Common {
    let mut found = Common::default();
    let all: f64 = of_there.iter().map(|one| one.0).sum();
    found.all = (all, here.n * there.n);
    for (a, &(_, model, n)) in here.cells.iter().enumerate() {
        let Ok(b) = there.cells.binary_search_by_key(&model, |one| one.1) else { continue };
        let (share, other) = (n / here.n, there.cells[b].2 / there.n);
        let own = of_there[b].1;
        found.own = (found.own.0 + own, found.own.1 + n * there.cells[b].2);
        // A model's rows here with all rows there are in `of_here`.
        let centred = own - other * of_here[a].0 - share * of_there[b].0 + share * other * all;
        found.centred += centred / counts[model];
    }
    found
}

/// Pairs of at most 16 questions that have two responses of the models that `keep` has.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn pairs(questions: &[Question], vectors: &impl Vectors, keep: &[bool], observer: &dyn Observer) -> Result<Pairs> {
    in_blocks(questions, vectors, keep, BLOCK, observer)
}

fn in_blocks(
    questions: &[Question],
    vectors: &impl Vectors,
    keep: &[bool],
    bytes: usize,
    observer: &dyn Observer,
) -> Result<Pairs> {
    let all: Vec<&Question> = questions.iter().filter(|question| Chosen::new(question, keep).n > 1.0).collect();
    let some: Vec<&Question> = u_statistic::some(all.len()).into_iter().map(|place| all[place]).collect();
    let chosen: Vec<Chosen> = some.iter().map(|question| Chosen::new(question, keep)).collect();
    let mut counts = vec![0.0; keep.len()];
    for (model, positions) in questions.iter().flat_map(|question| &question.cells) {
        counts[*model as usize] += positions.len() as f64;
    }
    let (dim, k) = (vectors.dim(), some.len());
    let cells = some.iter().flat_map(|question| &question.cells);
    let entries: usize = cells.map(|cell| (cell.1.len() * vectors.some()).min(dim)).sum();
    let size = dim.div_ceil((16 * entries).div_ceil(bytes).max(1)).max(1);
    // What each question has with the others: [i][j][cell of j].
    let mut with: Vec<Vec<Vec<(f64, f64)>>> = Vec::new();
    for start in (0..dim).step_by(size) {
        observer.check_stop()?;
        let keys = start as u32..(start + size).min(dim) as u32;
        let scatter = || Scatter::new(keys.len());
        let sums: Vec<Sums> = (some.par_iter())
            .map_init(scatter, |scatter, question| Sums::new(question, vectors, &keys, scatter))
            .collect();
        let dense = || Dense(vec![0.0; keys.len()]);
        let found: Vec<_> = (0..k).into_par_iter().map_init(dense, |dense, i| row(i, &sums, &chosen, dense)).collect();
        if with.is_empty() {
            with = found;
            continue;
        }
        for (sum, more) in with.iter_mut().flatten().flatten().zip(found.iter().flatten().flatten()) {
            *sum = (sum.0 + more.0, sum.1 + more.1);
        }
    }
    let pair = |i: usize, j: usize| common(&chosen[i], &chosen[j], &counts, &with[j][i], &with[i][j]);
    let rows = (0..k).map(|i| (i + 1..k).map(|j| pair(i, j)).collect()).collect();
    Ok(Pairs { questions: all.len(), rows })
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
    /// answer few questions.
    #[test]
    fn what_questions_have_in_common_is_that_of_whole_vectors() {
        let random = Stream::new(3, "pairs of questions");
        let keys = (0..400u64).filter(|i| random.below(*i, 0, 3) > 0 && (*i > 60 || i % 5 < 2));
        let keys: Vec<(String, String)> = keys.map(|i| (format!("{:02}", i / 20), format!("{}", i % 5))).collect();
        let (mut corpus, _) = planted::planted(keys.into_iter(), 7);
        let text = |row: usize| -> String {
            (0..300).map(|i| b"abcdefgh"[random.below(row as u64 % 40, i, 8) as usize] as char).collect()
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
                let found = in_blocks(questions, vectors, keep, bytes, &Silent).unwrap();
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
