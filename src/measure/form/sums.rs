//! The scalars that every mean over pairs rests on, by question and author.
//!
//! Two passes over the questions for each block of authors: sums over all questions, then each question's products with
//! them. What is held at once is the sums of a block and those of a few questions, not all texts.

use super::vectors::{BUCKETS, Scatter, Sparse, Vectors, whole};
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Excerpts};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Bytes of the sums of a block of authors.
const BLOCK: usize = 128 << 20;

/// The responses to a question (queries that are copies of each other are one) that are long enough.
pub struct Question {
    /// Lowest query id.
    pub query: usize,
    /// Positions of each model's responses, models ascending.
    pub cells: Vec<(u32, Vec<usize>)>,
    /// Positions of what people wrote.
    pub people: Vec<usize>,
}

impl Question {
    /// Number of the models' responses.
    pub fn n(&self) -> f64 {
        self.cells.iter().map(|cell| cell.1.len() as f64).sum()
    }

    /// Questions in order, of the models that `keep` has and of people, and how many responses were too short.
    pub fn all(corpus: &Corpus, excerpts: &Excerpts, people: &[bool], keep: &[bool]) -> (Vec<Self>, u64) {
        let mut short = 0;
        let mut questions = Vec::new();
        for members in super::super::sums::groups(corpus) {
            let mut found = Self { query: members[0], cells: Vec::new(), people: Vec::new() };
            let mut of_models: Vec<(u32, usize)> = Vec::new();
            for position in members.iter().flat_map(|&query| corpus.layout.query_positions[query].clone()) {
                let row = corpus.layout.row_at[position] as usize;
                let (model, person) = (corpus.rows.model[row], people.get(row).copied().unwrap_or(false));
                if !person && !keep[model as usize] {
                    continue;
                }
                match (whole(corpus, excerpts, position), person) {
                    (None, _) => short += 1,
                    (Some(_), true) => found.people.push(position),
                    (Some(_), false) => of_models.push((model, position)),
                }
            }
            of_models.sort_unstable();
            let cells = of_models.chunk_by(|a, b| a.0 == b.0);
            found.cells = cells.map(|cell| (cell[0].0, cell.iter().map(|one| one.1).collect())).collect();
            if !found.cells.is_empty() || !found.people.is_empty() {
                questions.push(found);
            }
        }
        (questions, short)
    }
}

/// A group's responses to one question against the same group's to others: S is the sum of the vectors here, T of all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Part {
    /// Responses here.
    pub n: f64,
    /// Responses in all.
    pub all: f64,
    /// |S|^2.
    pub square: f64,
    /// <S, T>.
    pub with_all: f64,
}

impl Part {
    /// Sum of cosines and number of the pairs within the question.
    pub fn same(&self) -> (f64, f64) {
        ((self.square - self.n) / 2.0, self.n * (self.n - 1.0) / 2.0)
    }

    /// The same of the pairs of one of these and one of another question.
    pub fn other(&self) -> (f64, f64) {
        (self.with_all - self.square, self.n * (self.all - self.n))
    }
}

/// An author's rows of one question, centred at the mean of the models' responses to it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Centred {
    /// Squared length of their sum X.
    pub square: f64,
    /// Product of X with the author's sum of X over all questions.
    pub with_all: f64,
    /// Squared length of that sum.
    pub all: f64,
}

/// What one question says.
#[derive(Debug, Clone, Default)]
pub struct OfQuestion {
    /// Query id.
    pub query: usize,
    /// By model: its responses, and their centred sum.
    pub models: Vec<(u32, Part, Centred)>,
    /// All models together.
    pub together: Part,
    /// People.
    pub people: Part,
}

/// Sums over all questions.
struct Totals {
    /// By model of the block.
    models: Vec<Vec<f64>>,
    /// Centred sums, row-major: elements x models of the block, since a question's sum meets those of all models.
    centred: Vec<f64>,
    /// By model of the block: squared lengths of the centred sums.
    squares: Vec<f64>,
    together: Vec<f64>,
    people: Vec<f64>,
}

impl Totals {
    fn zeros(models: usize, dim: usize) -> Self {
        let zeros = || vec![0.0; dim];
        Self {
            models: vec![zeros(); models],
            centred: vec![0.0; models * dim],
            squares: vec![0.0; models],
            together: zeros(),
            people: zeros(),
        }
    }

    fn clear(&mut self) {
        self.together.fill(0.0);
        self.people.fill(0.0);
        self.models.par_iter_mut().for_each(|sum| sum.fill(0.0));
        self.centred.par_chunks_mut(BUCKETS).for_each(|part| part.fill(0.0));
    }

    /// Takes from the centred sums each model's share of what questions add up to, in their order.
    fn centre(&mut self, questions: &[Sums], first: u32) {
        let models = self.models.len();
        let shares: Vec<Vec<f64>> = (questions.iter())
            .map(|question| {
                let mut shares = vec![0.0; models];
                let each = question.models.iter();
                each.for_each(|cell| shares[(cell.model - first) as usize] = cell.n / question.n);
                shares
            })
            .collect();
        // Each thread has some of the elements.
        let elements = (self.centred.len() / models).div_ceil(rayon::current_num_threads()).max(1);
        self.centred.par_chunks_mut(elements * models).enumerate().for_each(|(place, part)| {
            let from = (place * elements) as u32;
            for (question, shares) in questions.iter().zip(&shares) {
                for (key, value) in question.together.iter() {
                    let start = key.wrapping_sub(from) as usize * models;
                    let Some(row) = part.get_mut(start..start.saturating_add(models)) else { continue };
                    row.iter_mut().zip(shares).for_each(|(sum, share)| *sum -= share * value);
                }
            }
        });
    }

    /// Adds the models' own sums to the centred ones, and takes the squared lengths.
    fn finish(&mut self) {
        let models = self.models.len();
        let of_models = &self.models;
        self.centred.par_chunks_exact_mut(models).enumerate().for_each(|(key, row)| {
            row.iter_mut().zip(of_models).for_each(|(centred, sum)| *centred += sum[key]);
        });
        self.squares.fill(0.0);
        for row in self.centred.chunks_exact(models) {
            self.squares.iter_mut().zip(row).for_each(|(square, x)| *square += x * x);
        }
    }

    /// Products of a vector with the centred sums of all models of the block.
    fn with_centred(&self, vector: &Sparse) -> Vec<f64> {
        let models = self.models.len();
        let mut products = vec![0.0; models];
        for (key, value) in vector.iter() {
            let row = &self.centred[key as usize * models..(key as usize + 1) * models];
            products.iter_mut().zip(row).for_each(|(product, x)| *product += value * x);
        }
        products
    }
}

/// A model's sum of one question.
struct Cell {
    model: u32,
    n: f64,
    sum: Sparse,
    /// Product with the sum of all models.
    together: f64,
}

/// Sums of one question.
struct Sums {
    models: Vec<Cell>,
    together: Sparse,
    people: Sparse,
    n: f64,
}

fn sums(scatters: &mut [Scatter; 2], question: &Question, vectors: &impl Vectors, block: &Range<u32>) -> Sums {
    let [of_cell, together] = scatters;
    let mut models = Vec::new();
    for (model, positions) in &question.cells {
        let into = if block.contains(model) { &mut *of_cell } else { &mut *together };
        positions.iter().for_each(|&position| vectors.add(position, into));
        if block.contains(model) {
            let sum = of_cell.take();
            sum.iter().for_each(|(key, value)| together.add(key, value));
            models.push(Cell { model: *model, n: positions.len() as f64, sum, together: 0.0 });
        }
    }
    models.iter_mut().for_each(|cell| cell.together = cell.sum.dot(together.values()));
    question.people.iter().for_each(|&position| vectors.add(position, of_cell));
    Sums { models, together: together.take(), people: of_cell.take(), n: question.n() }
}

/// Two sums in the making for each thread.
struct Scatters(Vec<Mutex<[Scatter; 2]>>);

impl Scatters {
    fn new(dim: usize) -> Self {
        let two = || Mutex::new([Scatter::new(dim), Scatter::new(dim)]);
        Self((0..rayon::current_num_threads()).map(|_| two()).collect())
    }

    /// Sums of a question, by the thread that asks.
    fn sums(&self, question: &Question, vectors: &impl Vectors, block: &Range<u32>) -> Sums {
        let own = &self.0[rayon::current_thread_index().unwrap_or(0)];
        // Nothing that holds them panics half-way through a sum.
        sums(&mut own.lock().unwrap_or_else(PoisonError::into_inner), question, vectors, block)
    }
}

/// Questions taken at once.
fn at_once() -> usize {
    2 * rayon::current_num_threads()
}

/// Models whose sums are held at once.
fn block_models(dim: usize) -> usize {
    (BLOCK / (16 * dim)).max(1)
}

/// Bytes held at most for vectors of `dim` elements, of which a response has `some`.
pub fn bytes(corpus: &Corpus, dim: usize, some: usize) -> usize {
    let models = corpus.rows.models.len().min(block_models(dim));
    let of_query = corpus.layout.query_positions.iter().zip(&corpus.layout.cells).map(|(rows, cells)| {
        let all = rows.len() * some;
        12 * (all.min(cells.len() * dim) + all.min(dim))
    });
    let waiting = at_once().min(corpus.layout.cells.len());
    let scattered = rayon::current_num_threads() * 18 * dim;
    8 * dim * (2 * models + 2) + scattered + waiting * of_query.max().unwrap_or(0)
}

/// Adds up the sums of all questions, of the models of a block.
fn add_up(
    questions: &[Question],
    vectors: &impl Vectors,
    (block, scatters): (&Range<u32>, &Scatters),
    totals: &mut Totals,
    observer: &dyn Observer,
) -> Result<()> {
    totals.clear();
    for chunk in questions.chunks(at_once()) {
        observer.check_stop()?;
        let found: Vec<Sums> = chunk.par_iter().map(|question| scatters.sums(question, vectors, block)).collect();
        // Each total is added up in the order of the questions.
        totals.models.par_iter_mut().zip(block.clone().into_par_iter()).for_each(|(sum, model)| {
            for question in &found {
                let Ok(place) = question.models.binary_search_by_key(&model, |cell| cell.model) else { continue };
                question.models[place].sum.add_to(sum);
            }
        });
        totals.centre(&found, block.start);
        for question in &found {
            question.together.add_to(&mut totals.together);
            question.people.add_to(&mut totals.people);
        }
    }
    totals.finish();
    Ok(())
}

/// Products of one question's sums with those of all.
fn products(question: &Question, sums: &Sums, totals: &Totals, first: u32, counts: &Counts) -> OfQuestion {
    let part =
        |sum: &Sparse, total: &[f64], n: f64, all: f64| Part { n, all, square: sum.square(), with_all: sum.dot(total) };
    let together = part(&sums.together, &totals.together, sums.n, counts.together);
    let with_centred = totals.with_centred(&sums.together);
    let models = (sums.models.iter())
        .map(|cell| {
            let place = (cell.model - first) as usize;
            let own = |(key, value): (u32, f64)| value * totals.centred[key as usize * totals.models.len() + place];
            let one = part(&cell.sum, &totals.models[place], cell.n, counts.models[cell.model as usize]);
            // X = S - n / N (sum of the question's), so its products are those of both.
            let share = cell.n / sums.n;
            let centred = Centred {
                square: one.square - 2.0 * share * cell.together + share * share * together.square,
                with_all: cell.sum.iter().map(own).sum::<f64>() - share * with_centred[place],
                all: totals.squares[place],
            };
            (cell.model, one, centred)
        })
        .collect();
    let people = part(&sums.people, &totals.people, question.people.len() as f64, counts.people);
    OfQuestion { query: question.query, models, together, people }
}

/// Responses of each model, of all models, of people.
struct Counts {
    models: Vec<f64>,
    together: f64,
    people: f64,
}

/// The scalars of all questions, in their order; `models` is the number of models.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn scalars(
    questions: &[Question],
    vectors: &impl Vectors,
    models: usize,
    observer: &dyn Observer,
) -> Result<Vec<OfQuestion>> {
    let mut counts = Counts { models: vec![0.0; models], together: 0.0, people: 0.0 };
    for question in questions {
        question.cells.iter().for_each(|(model, cell)| counts.models[*model as usize] += cell.len() as f64);
        counts.together += question.n();
        counts.people += question.people.len() as f64;
    }
    let mut all: Vec<OfQuestion> = Vec::new();
    let size = block_models(vectors.dim()).min(models) as u32;
    let scatters = Scatters::new(vectors.dim());
    let mut totals = Totals::zeros(size as usize, vectors.dim());
    let mut first = 0;
    while first < models as u32 {
        let block = first..(first + size).min(models as u32);
        add_up(questions, vectors, (&block, &scatters), &mut totals, observer)?;
        let one = |question: &Question| -> Result<OfQuestion> {
            observer.check_stop()?;
            Ok(products(question, &scatters.sums(question, vectors, &block), &totals, first, &counts))
        };
        let found: Vec<OfQuestion> = questions.par_iter().map(one).collect::<Result<_>>()?;
        if all.is_empty() {
            all = found;
        } else {
            all.iter_mut().zip(found).for_each(|(all, found)| all.models.extend(found.models));
        }
        first = block.end;
    }
    Ok(all)
}
