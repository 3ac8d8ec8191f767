//! The scalars that every mean over pairs rests on, by question and author.
//!
//! Each of them is a sum over the elements of the vectors (buckets of grams, dimensions), so elements are taken one at a
//! time. An element has a list of the cells (an author's responses to one question) whose sums have it, and from that
//! alone follow its sums over questions and over authors. Lists are made once for all choices of models, in blocks of
//! elements where all of them would be too large.

use super::choice::{Choice, NONE};
use super::pairs::{self, Pairs};
use super::question::Question;
use super::vectors::{Scatter, Vectors};
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::ops::Range;

/// Bytes of the lists that are held at once.
pub const BLOCK: usize = 128 << 20;
/// Parts of a block of elements. A thread works one, and what they give is added up in their order.
const PARTS: usize = 32;
/// Sums that a thread adds up at once.
const AT_ONCE: usize = 1 << 16;
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

/// What one question says.
#[derive(Debug, Clone, Default)]
pub struct OfQuestion {
    /// Query id.
    pub query: usize,
    /// By model that has responses here.
    pub models: Vec<(u32, Part)>,
    /// All models together.
    pub together: Part,
    /// People.
    pub people: Part,
    /// With X the sum of a model's rows here, centred at the mean of the models' responses to the question, C its sum over
    /// all questions, r the model's responses to others: the sum over the models here with r > 0 of `(|C - X|^2 - |C|^2) / r`.
    pub left_out: f64,
    /// What the question has a part in the mean over one model's pairs with other questions less that over different
    /// models', if all models were alike: 0 where all have as many responses everywhere.
    pub if_alike: f64,
}

/// What all questions say, of some of the models.
#[derive(Debug, Clone, Default)]
pub struct Scalars {
    /// Questions in order.
    pub questions: Vec<OfQuestion>,
    /// By model: |C|^2.
    pub centred: Vec<f64>,
    /// Some pairs of questions.
    pub pairs: Pairs,
}

/// What one cell has of one element.
#[derive(Clone, Copy)]
struct Entry {
    /// Element, counted from the first of the part.
    key: u32,
    cell: u32,
    value: f64,
}

/// One element of one question.
struct Run {
    question: u32,
    /// Places in the element's list.
    list: Range<usize>,
    /// Of the models.
    sum: f64,
}

/// What is used again for each element.
struct Work {
    /// By author.
    totals: Vec<f64>,
    /// By model.
    centred: Vec<f64>,
    runs: Vec<Run>,
}

impl Work {
    fn new(choice: &Choice) -> Self {
        let models = choice.usual.len();
        Self { totals: vec![0.0; models + 1], centred: vec![0.0; models], runs: Vec::new() }
    }
}

/// Sums over elements.
struct Sums {
    /// |S|^2 and <S, T> of each cell.
    cells: Vec<[f64; 2]>,
    /// The same of each question's models together, what [`OfQuestion::left_out`] is, and what `weight` times its rows has with
    /// all rows of other questions.
    questions: Vec<[f64; 4]>,
    centred: Vec<f64>,
}

fn add<const N: usize>(to: &mut [[f64; N]], from: &[[f64; N]]) {
    let each = to.as_flattened_mut().par_iter_mut().with_min_len(AT_ONCE).zip(from.as_flattened());
    each.for_each(|(sum, x)| *sum += x);
}

impl Sums {
    fn zeros(choice: &Choice) -> Self {
        Self {
            cells: vec![[0.0; 2]; choice.cells.len()],
            questions: vec![[0.0; 4]; choice.asked.len()],
            centred: vec![0.0; choice.usual.len()],
        }
    }

    fn clear(&mut self) {
        self.cells.fill([0.0; 2]);
        self.questions.fill([0.0; 4]);
        self.centred.fill(0.0);
    }

    /// Adds what one element says; `list` has the cells that have it, and their values.
    fn element(&mut self, choice: &Choice, list: &[(u32, f64)], work: &mut Work) {
        let Work { totals, centred, runs } = work;
        let people = centred.len() as u32;
        totals.fill(0.0);
        centred.fill(0.0);
        runs.clear();
        for (place, &(cell, x)) in list.iter().enumerate() {
            let cell = &choice.cells[cell as usize];
            if cell.author == NONE {
                continue;
            }
            totals[cell.author as usize] += x;
            if runs.last().is_none_or(|run| run.question != cell.question) {
                runs.push(Run { question: cell.question, list: place..place, sum: 0.0 });
            }
            if let Some(run) = runs.last_mut() {
                run.list.end = place + 1;
                run.sum += if cell.author < people { x } else { 0.0 };
            }
        }
        let together: f64 = runs.iter().map(|run| run.sum).sum();
        // A model's centred sum is its own less n / N of each question's: the usual n for all, and what others have more.
        let mut all = 0.0;
        for run in runs.iter() {
            let asked = &choice.asked[run.question as usize];
            let mean = run.sum * asked.one;
            all += asked.usual * mean;
            let others = &choice.others[asked.others.clone()];
            others.iter().for_each(|other| centred[other.model as usize] -= other.more * mean);
        }
        let mut usual = 0.0;
        for (model, centred) in centred.iter_mut().enumerate() {
            *centred += totals[model] - all;
            self.centred[model] += *centred * *centred;
            usual += choice.usual[model] * *centred;
        }
        for run in runs.iter() {
            let asked = &choice.asked[run.question as usize];
            let mean = run.sum * asked.one;
            let others = &choice.others[asked.others.clone()];
            let with_centred = others.iter().map(|other| other.weight * centred[other.model as usize]).sum::<f64>()
                + if asked.usual > 0.0 { usual } else { 0.0 };
            // x - n mean is what a model has of X here, also where x is 0.
            let mut left_out = run.sum * run.sum * asked.square + 2.0 * mean * with_centred;
            let mut weighted = 0.0;
            for &(cell, x) in &list[run.list.clone()] {
                let (cell, sum) = (&choice.cells[cell as usize], &mut self.cells[cell as usize]);
                if cell.author == NONE {
                    continue;
                }
                *sum = [sum[0] + x * x, sum[1] + x * totals[cell.author as usize]];
                weighted += x * cell.weight;
                if let Some(centred) = centred.get(cell.author as usize) {
                    left_out += x * cell.rest * (x - 2.0 * (cell.n * mean + centred));
                }
            }
            let sum = &mut self.questions[run.question as usize];
            let run = [run.sum * run.sum, run.sum * together, left_out, weighted * (together - run.sum)];
            sum.iter_mut().zip(run).for_each(|(sum, x)| *sum += x);
        }
    }

    /// The sums by their names.
    fn scalars(self, choice: &Choice, questions: &[Question]) -> Scalars {
        let people = choice.usual.len();
        let mut found: Vec<OfQuestion> = (questions.iter().zip(&self.questions))
            .map(|(question, sum)| OfQuestion { query: question.query, left_out: sum[2], ..OfQuestion::default() })
            .collect();
        let all: f64 = choice.counts[..people].iter().sum();
        for (question, sum) in found.iter_mut().zip(&self.questions) {
            question.together = Part { n: 0.0, all, square: sum[0], with_all: sum[1] };
            question.people.all = choice.counts[people];
        }
        for (cell, sum) in choice.cells.iter().zip(&self.cells).filter(|one| one.0.author != NONE) {
            let all = choice.counts[cell.author as usize];
            let part = Part { n: cell.n, all, square: sum[0], with_all: sum[1] };
            let question = &mut found[cell.question as usize];
            if cell.author as usize == people {
                question.people = part;
            } else {
                question.together.n += cell.n;
                question.if_alike += cell.weight * cell.n;
                question.models.push((cell.author, part));
            }
        }
        let other =
            found.iter().map(|question| question.together.other()).fold((0.0, 0.0), |t, x| (t.0 + x.0, t.1 + x.1));
        let usual = other.0 / other.1.max(1.0);
        for (question, sum) in found.iter_mut().zip(&self.questions) {
            let rest = (all - question.together.n).max(1.0);
            question.if_alike = sum[3] / rest - usual * question.if_alike;
        }
        found.retain(|question| question.together.n + question.people.n > 0.0);
        Scalars { questions: found, centred: self.centred, pairs: Pairs::default() }
    }

    fn add(&mut self, other: &Self) {
        add(&mut self.cells, &other.cells);
        add(&mut self.questions, &other.questions);
        self.centred.iter_mut().zip(&other.centred).for_each(|(sum, x)| *sum += x);
    }
}

/// What the cells of some questions have of some elements: by part, in the order of the cells. A part has 2^`bits` elements.
fn entries(
    questions: &[Question],
    mut cell: u32,
    vectors: &impl Vectors,
    (keys, bits): (&Range<u32>, u32),
) -> Vec<Vec<Entry>> {
    let parts = keys.len().div_ceil(1 << bits);
    let expected = most(questions, vectors) / vectors.dim().div_ceil(keys.len()) / parts;
    let mut found: Vec<Vec<Entry>> = (0..parts).map(|_| Vec::with_capacity(expected)).collect();
    let mut sum = Scatter::new(keys.len());
    for positions in questions.iter().flat_map(Question::authors) {
        positions.iter().for_each(|&position| vectors.add(position, keys, &mut sum));
        sum.drain(|key, value| {
            let entry = Entry { key: key & ((1 << bits) - 1), cell, value };
            found[(key >> bits) as usize].push(entry);
        });
        cell += 1;
    }
    found
}

/// Most entries that the cells of some questions have.
pub fn most<'a>(questions: impl IntoIterator<Item = &'a Question>, vectors: &impl Vectors) -> usize {
    let cells = questions.into_iter().flat_map(Question::authors);
    cells.map(|positions| (positions.len() * vectors.some()).min(vectors.dim())).sum()
}

/// A part of the elements, while a thread works it.
struct Bench {
    /// The cells that have an element, ascending, and their values; one element after the other.
    lists: Vec<(u32, f64)>,
    /// Where each list ends.
    ends: Vec<usize>,
    /// By choice.
    of_choices: Vec<(Work, Sums)>,
}

impl Bench {
    fn new(choices: &[Choice]) -> Self {
        let of_choices = choices.iter().map(|choice| (Work::new(choice), Sums::zeros(choice))).collect();
        Self { lists: Vec::new(), ends: Vec::new(), of_choices }
    }

    /// Adds up a part of so many elements, from the entries of consecutive questions.
    fn work(&mut self, choices: &[Choice], parts: &[&[Entry]], elements: usize) {
        let Self { lists, ends, of_choices } = self;
        let entries = || parts.iter().copied().flatten();
        ends.clear();
        ends.resize(elements + 1, 0);
        entries().for_each(|entry| ends[entry.key as usize + 1] += 1);
        (1..=elements).for_each(|key| ends[key] += ends[key - 1]);
        lists.resize(ends[elements], (0, 0.0));
        // Each start moves to where its list ends.
        for entry in entries() {
            let place = &mut ends[entry.key as usize];
            lists[*place] = (entry.cell, entry.value);
            *place += 1;
        }
        for (choice, (work, sums)) in choices.iter().zip(of_choices) {
            sums.clear();
            let mut start = 0;
            for &end in ends.iter() {
                if start < end {
                    sums.element(choice, &lists[start..end], work);
                }
                start = end;
            }
        }
    }
}

/// Elements of a block, so that the lists of `entries` cells and elements take about so many bytes.
pub fn elements(entries: usize, dim: usize, bytes: usize) -> usize {
    dim.div_ceil((entries * size_of::<Entry>()).div_ceil(bytes).max(1)).max(1)
}

/// Bytes held at most for vectors of `dim` elements, of which a response has `some`; `count` says how many of the responses
/// at some positions take part.
pub fn bytes(corpus: &Corpus, (dim, some): (usize, usize), count: impl Fn(&Range<usize>) -> usize) -> usize {
    let cells = || corpus.layout.cells.iter().flatten();
    let entries: usize = cells().map(|cell| (count(&cell.positions) * some).min(dim)).sum();
    let threads = rayon::current_num_threads();
    // Of all models and without some of them; each thread's and what they add up to.
    let sums = 2 * (threads + 1) * (16 * cells().count() + 24 * corpus.layout.cells.len()) + 64 * cells().count();
    let block = (entries * size_of::<Entry>()).min(BLOCK);
    block + block / 4 + threads * (9 * elements(entries, dim, BLOCK) + 2 * block / PARTS) + sums
}

/// The scalars of all questions for each choice of models; `keeps` say by model whether it is chosen.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn scalars(
    questions: &[Question],
    vectors: &impl Vectors,
    keeps: &[&[bool]],
    observer: &dyn Observer,
) -> Result<Vec<Scalars>> {
    in_blocks(questions, vectors, keeps, BLOCK, observer)
}

/// The same in blocks of so many bytes.
fn in_blocks(
    questions: &[Question],
    vectors: &impl Vectors,
    keeps: &[&[bool]],
    bytes: usize,
    observer: &dyn Observer,
) -> Result<Vec<Scalars>> {
    let choices: Vec<Choice> = keeps.iter().map(|keep| Choice::new(questions, keep)).collect();
    let mut sums: Vec<Sums> = choices.iter().map(Sums::zeros).collect();
    let (dim, threads) = (vectors.dim(), rayon::current_num_threads());
    let mut benches: Vec<Bench> = (0..threads).map(|_| Bench::new(&choices)).collect();
    let size = elements(most(questions, vectors), dim, bytes);
    let at_once = questions.len().div_ceil(4 * threads).max(1);
    let mut first = 0;
    let of_chunk = |chunk: &[Question]| {
        let before = first;
        first += chunk.iter().flat_map(Question::authors).count() as u32;
        before
    };
    let firsts: Vec<u32> = questions.chunks(at_once).map(of_chunk).collect();
    for start in (0..dim).step_by(size) {
        observer.check_stop()?;
        let keys = start as u32..(start + size).min(dim) as u32;
        let bits = keys.len().div_ceil(PARTS).next_power_of_two().trailing_zeros();
        let chunks = questions.par_chunks(at_once).zip(&firsts);
        let found: Vec<Vec<Vec<Entry>>> =
            chunks.map(|(chunk, first)| entries(chunk, *first, vectors, (&keys, bits))).collect();
        let parts: Vec<usize> = (0..found.first().map_or(0, Vec::len)).collect();
        for some in parts.chunks(threads) {
            observer.check_stop()?;
            benches.par_iter_mut().zip(some).for_each(|(bench, &part)| {
                let of_part: Vec<&[Entry]> = found.iter().map(|parts| parts[part].as_slice()).collect();
                bench.work(&choices, &of_part, 1 << bits);
            });
            for (bench, _) in benches.iter().zip(some) {
                sums.iter_mut().zip(&bench.of_choices).for_each(|(sum, part)| sum.add(&part.1));
            }
        }
    }
    let pairs = pairs::pairs(questions, vectors, keeps, observer)?;
    let all = choices.iter().zip(sums).zip(pairs);
    Ok(all.map(|((choice, sums), pairs)| Scalars { pairs, ..sums.scalars(choice, questions) }).collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::planted;
    use super::super::Excerpts;
    use super::super::vectors::{Content, Form, Openings};
    use super::*;
    use crate::base::events::Silent;
    use crate::base::random::Stream;

    fn close(got: &Part, want: &Part) {
        assert_eq!((got.n, got.all), (want.n, want.all));
        assert!((got.square - want.square).abs() < 1e-10 && (got.with_all - want.with_all).abs() < 1e-10);
    }

    /// Blocks of some elements and all at once, all models and some of them, on any number of threads; cells of one and
    /// more responses, questions that most models answered and that few did.
    #[test]
    fn sums_are_the_same_in_blocks_for_each_choice_and_on_any_number_of_threads() {
        let random = Stream::new(7, "sums of form");
        let keys = (0..300).filter(|i| random.below(*i, 0, 5) > 0 && (*i > 40 || i % 6 < 2));
        let keys: Vec<(String, String)> = keys.map(|i| (format!("{}", i / 20), format!("{}", i % 6))).collect();
        let (mut corpus, _) = planted::planted(keys.into_iter(), 11);
        let text = |row: usize| -> String {
            let letter = |i: u64| b"abcdefgh"[random.below(row as u64 % 50, i, 8) as usize] as char;
            (0..if row.is_multiple_of(9) { 200 } else { 300 }).map(letter).collect()
        };
        let texts: Vec<String> = (0..corpus.len()).map(text).collect();
        corpus.rows.excerpts = Some(Excerpts::of_texts(&texts));
        let excerpts = corpus.rows.excerpts.as_ref().unwrap();
        let people: Vec<bool> = (0..corpus.len()).map(|row| corpus.rows.model[row] == 5).collect();
        let some = [true, false, true, true, false, true];
        let (questions, _) = Question::all(&corpus, excerpts, &people, &[true; 6]);
        let (alone, _) = Question::all(&corpus, excerpts, &people, &some);
        fn compared(questions: &[Question], alone: &[Question], some: &[bool], vectors: &impl Vectors) {
            let keeps: [&[bool]; 2] = [&[true; 6], some];
            let of = |threads: usize, bytes: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| in_blocks(questions, vectors, &keeps, bytes, &Silent)).unwrap()
            };
            let all = of(1, BLOCK);
            assert_eq!(format!("{all:?}"), format!("{:?}", of(3, BLOCK)));
            let in_blocks = of(2, 1 << 12);
            assert_eq!(format!("{in_blocks:?}"), format!("{:?}", of(1, 1 << 12)));
            let alone = scalars(alone, vectors, &[some], &Silent).unwrap().remove(0);
            for (got, want) in [(&in_blocks[0], &all[0]), (&in_blocks[1], &all[1]), (&all[1], &alone)] {
                assert_eq!(got.questions.len(), want.questions.len());
                for (got, want) in got.questions.iter().zip(&want.questions) {
                    assert_eq!((got.query, got.models.len()), (want.query, want.models.len()));
                    got.models.iter().zip(&want.models).for_each(|(got, want)| close(&got.1, &want.1));
                    close(&got.together, &want.together);
                    close(&got.people, &want.people);
                    assert!((got.left_out - want.left_out).abs() < 1e-10, "{} {}", got.left_out, want.left_out);
                }
                let models = some.iter().enumerate().filter(|one| *one.1).map(|one| one.0);
                models.for_each(|m| assert!((got.centred[m] - want.centred[m]).abs() < 1e-10));
            }
        }
        compared(&questions, &alone, &some, &Form::new(&corpus, excerpts));
        compared(&questions, &alone, &some, &Content(&corpus));
        compared(&questions, &alone, &some, &Openings::new(&corpus, excerpts));
    }
}
