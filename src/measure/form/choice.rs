//! Some of the models: how many responses there are of whom and where, and the weights that follow from that.

use super::question::Question;
use std::ops::Range;

/// Stands for the author of a cell that was not chosen.
pub const NONE: u32 = u32::MAX;

/// A cell, where some of the models are chosen.
pub struct Cell {
    /// Place of the question.
    pub question: u32,
    /// A model, or the number of models for people.
    pub author: u32,
    /// Responses.
    pub n: f64,
    /// 1 over the author's responses to other questions; 0 if there are none.
    pub rest: f64,
    /// Weight of a response in the mean over one model's pairs of different questions, less that over different models'.
    pub weight: f64,
}

/// A question, where some of the models are chosen.
pub struct Asked {
    /// 1 over the models' responses; 0 if there are none.
    pub one: f64,
    /// Responses that a model has here, but for those in `others`.
    pub usual: f64,
    /// Places of the models that have more or fewer.
    pub others: Range<usize>,
    /// Sum over models of (n / N)^2 `rest`.
    pub square: f64,
}

/// A model that has more or fewer responses to a question than is usual there.
pub struct Other {
    /// Which.
    pub model: u32,
    /// Responses more than usual.
    pub more: f64,
    /// What `n rest` is more than usual.
    pub weight: f64,
}

/// Some of the models: how many responses there are of whom and where.
pub struct Choice {
    /// All cells, question by question.
    pub cells: Vec<Cell>,
    /// By question.
    pub asked: Vec<Asked>,
    /// Of all questions.
    pub others: Vec<Other>,
    /// By author: responses.
    pub counts: Vec<f64>,
    /// By model: `n rest` of a cell of as many responses as most have.
    pub usual: Vec<f64>,
}

/// 1 over the responses that an author with `all` has to other questions than one with `n`.
fn rest(all: f64, n: f64) -> f64 {
    if all - n > 0.5 { 1.0 / (all - n) } else { 0.0 }
}

/// The number of responses that most cells have; 0 without a cell.
pub fn usual(responses: impl Iterator<Item = f64>) -> f64 {
    let mut counts: Vec<u64> = responses.map(|n| n as u64).collect();
    counts.sort_unstable();
    counts.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).map_or(0.0, |same| same[0] as f64)
}

/// Sets the weights of the models' cells.
fn weigh(cells: &mut [Cell], counts: &[f64]) {
    let all: f64 = counts.iter().sum();
    let model = |cell: &&Cell| (cell.author as usize) < counts.len();
    let here = |of: &[Cell]| -> f64 { of.iter().filter(model).map(|cell| cell.n).sum() };
    let own = |cell: &Cell| counts[cell.author as usize] - cell.n;
    let (mut same, mut other) = (0.0, 0.0);
    for of in cells.chunk_by(|a, b| a.question == b.question) {
        same += of.iter().filter(model).map(|cell| cell.n * own(cell)).sum::<f64>();
        other += here(of) * (all - here(of));
    }
    other -= same;
    if same < 0.5 || other < 0.5 {
        return;
    }
    for of in cells.chunk_by_mut(|a, b| a.question == b.question) {
        let rest = all - here(of);
        for cell in of.iter_mut().filter(|cell| (cell.author as usize) < counts.len()) {
            let own = own(cell);
            cell.weight = 2.0 * (own / same - (rest - own) / other);
        }
    }
}

impl Choice {
    /// The models that `keep` has, in some questions.
    pub fn new(questions: &[Question], keep: &[bool]) -> Self {
        let people = keep.len();
        let mut cells = Vec::new();
        let mut counts = vec![0.0; people + 1];
        for (place, question) in questions.iter().enumerate() {
            for (at, positions) in question.authors().enumerate() {
                let model = question.cells.get(at).map(|cell| cell.0);
                let author = model.map_or(people as u32, |model| if keep[model as usize] { model } else { NONE });
                let n = positions.len() as f64;
                if author != NONE {
                    counts[author as usize] += n;
                }
                cells.push(Cell { question: place as u32, author, n, rest: 0.0, weight: 0.0 });
            }
        }
        for cell in cells.iter_mut().filter(|cell| cell.author != NONE) {
            cell.rest = rest(counts[cell.author as usize], cell.n);
        }
        weigh(&mut cells, &counts[..people]);
        let most = usual(cells.iter().filter(|cell| (cell.author as usize) < people).map(|cell| cell.n));
        let of_usual = counts[..people].iter().map(|&all| if all > 0.0 { most * rest(all, most) } else { 0.0 });
        let mut choice = Self { usual: of_usual.collect(), asked: Vec::new(), others: Vec::new(), counts, cells };
        for of_question in choice.cells.chunk_by(|a, b| a.question == b.question) {
            let models: Vec<&Cell> = of_question.iter().filter(|cell| (cell.author as usize) < people).collect();
            let all: f64 = models.iter().map(|cell| cell.n).sum();
            let one = if all > 0.0 { 1.0 / all } else { 0.0 };
            let present = choice.counts[..people].iter().filter(|n| **n > 0.0).count();
            let odd = present - models.iter().filter(|cell| cell.n == most).count();
            let usual = if odd < models.len() { most } else { 0.0 };
            let start = choice.others.len();
            let mut here = models.iter().peekable();
            for model in (0..people).filter(|&model| choice.counts[model] > 0.0) {
                let cell = here.next_if(|cell| cell.author as usize == model);
                let (n, rest) = cell.map_or((0.0, 0.0), |cell| (cell.n, cell.rest));
                if n != usual {
                    let weight = n * rest - if usual > 0.0 { choice.usual[model] } else { 0.0 };
                    choice.others.push(Other { model: model as u32, more: n - usual, weight });
                }
            }
            let square = models.iter().map(|cell| cell.n * one * cell.n * one * cell.rest).sum();
            choice.asked.push(Asked { one, usual, others: start..choice.others.len(), square });
        }
        choice
    }
}
