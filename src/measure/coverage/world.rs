//! One distribution of queries in which everything that is measured varies from query to query; corpora are draws of it.
//!
//! A query has 3 models of 2 contexts x 2 stages x 3 responses, and 4 people. A response is the sum of a direction that all
//! share, one of the query, one of its meaning and noise. With effects there are also a style of each model, contexts and a
//! second stage that is closer together, people who vary more, texts of like length that are nearer, copies, and refusals
//! that say one thing. Without effects the responses to a query are independent draws, whoever wrote them. With gaps some
//! are missing.

use super::super::planted;
use crate::base::random::Stream;
use crate::base::similarity::Similarity;
use crate::compute::PairOutcome;
use crate::compute::outcome::{NearDuplicates, Nearest, Neighbors, PairStats};
use crate::corpus::{Category, Corpus, Dictionary, Role};
use std::ops::Range;

/// Models, which are the same in all corpora.
pub const MODELS: usize = 3;
const CONTEXTS: [&str; 2] = ["plain", "poem"];
const STAGES: [&str; 2] = ["sft", "rl"];
const SAMPLES: usize = 3;
const PEOPLE: usize = 4;
/// Responses of a model to a query.
const OF_MODEL: usize = CONTEXTS.len() * STAGES.len() * SAMPLES;
/// Responses to a query.
const ROWS: usize = MODELS * OF_MODEL + PEOPLE;
const DIM: usize = 32;
/// Most meanings of a query.
const MEANINGS: usize = 4;
/// Characters from which on a text is long.
const LONG: u32 = 100;

/// The distribution.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// Whether there is anything to be found.
    pub effects: bool,
    /// Whether answers are missing: 15 % of what a model, or people, answer to a query, and 0 to 70 % of a query's other answers.
    pub gaps: bool,
}

/// One draw of it.
struct Draw {
    effects: bool,
    /// Of this corpus.
    stream: Stream,
    /// Of what all corpora share.
    fixed: Stream,
}

/// Kinds of directions and of numbers, so that no two share a counter.
#[derive(Clone, Copy)]
enum Of {
    Topic,
    Meaning,
    Context,
    Length,
    Noise,
    Number,
}

/// Where a row stands in its query.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    query: usize,
    /// [`MODELS`] for people.
    model: usize,
    context: usize,
    stage: usize,
}

impl Place {
    fn new(row: usize) -> Self {
        let (query, at) = (row / ROWS, row % ROWS);
        let model = (at / OF_MODEL).min(MODELS);
        Self { row, query, model, context: at / SAMPLES % 2, stage: at / (2 * SAMPLES) % 2 }
    }

    fn person(self) -> bool {
        self.model == MODELS
    }
}

impl Draw {
    fn uniform(&self, place: usize, which: u64) -> f64 {
        self.stream.uniform((Of::Number as u64) << 56 | place as u64, which)
    }

    /// Element of a random direction of about unit length.
    fn direction(&self, of: Of, place: usize, i: usize) -> f64 {
        self.stream.normal((of as u64) << 56 | place as u64, i as u64) / (DIM as f64).sqrt()
    }

    /// Element of a direction that is the same in all corpora.
    fn known(&self, place: usize, i: usize) -> f64 {
        self.fixed.normal(place as u64, i as u64) / (DIM as f64).sqrt()
    }

    /// What varies by query, in 0 to 1.
    fn of_query(&self, query: usize, which: u64) -> f64 {
        self.uniform(query, 100 + which)
    }

    /// The row whose text and vector a row has: its own, or that of one before it.
    fn source(&self, row: usize) -> usize {
        let copied = |row: usize| self.uniform(row, 0) < 0.3 * self.of_query(row / ROWS, 0);
        let mut row = row;
        while self.effects && !row.is_multiple_of(ROWS) && copied(row) {
            row -= 1;
        }
        row
    }

    fn meaning(&self, place: Place) -> usize {
        let most = 1.0 + (MEANINGS as f64 - 1.0) * self.of_query(place.query, 1);
        (self.uniform(place.row, 1).powi(2) * most) as usize
    }

    fn refuses(&self, place: Place) -> bool {
        !place.person() && self.uniform(place.row, 2) < 0.2 * self.of_query(place.query, 2)
    }

    /// Whether a row is there where answers are missing.
    fn there(&self, place: Place) -> bool {
        let all = self.uniform(place.query * (MODELS + 1) + place.model, 200) >= 0.15;
        all && self.uniform(place.row, 300) < 0.3 + 0.7 * self.of_query(place.query, 8)
    }

    fn chars(&self, row: usize) -> u32 {
        let empty = self.uniform(row, 3) < 0.02;
        let length = f64::from(LONG) * (0.4 * self.stream.normal((Of::Number as u64) << 56 | row as u64, 4)).exp();
        if empty { 0 } else { length as u32 + 1 }
    }

    /// Element i of the response at a place.
    fn value(&self, place: Place, i: usize) -> f64 {
        let topic = 0.8 + 0.8 * self.of_query(place.query, 3);
        let noise = 0.6 * self.direction(Of::Noise, place.row, i);
        let common = if i == 0 { 1.0 } else { 0.0 };
        let meaning = 0.5 * self.direction(Of::Meaning, place.query * MEANINGS + self.meaning(place), i);
        let plain = common + topic * self.direction(Of::Topic, place.query, i) + meaning;
        if !self.effects {
            return plain + noise;
        }
        if self.refuses(place) {
            return common + self.known(MODELS + 1, i) + 0.3 * noise;
        }
        let length = 2 * place.query + usize::from(self.chars(place.row) > LONG);
        let length = 0.5 * self.of_query(place.query, 4) * self.direction(Of::Length, length, i);
        let context = (place.query * (MODELS + 1) + place.model) * CONTEXTS.len() + place.context;
        let context = 0.5 * self.of_query(place.query, 5) * self.direction(Of::Context, context, i);
        let style = 0.4 * self.known(place.model, i);
        let nearer = 1.0 - 0.5 * self.of_query(place.query, 6);
        let scale = match (place.person(), place.stage) {
            (true, _) => 1.0 + self.of_query(place.query, 7),
            (false, 0) => 1.0,
            _ => nearer,
        };
        plain + length + context + style + scale * noise
    }
}

impl World {
    /// A corpus of `queries` queries.
    pub fn corpus(&self, seed: u64, queries: usize) -> Corpus {
        let fixed = Stream::new(0, "models of the world");
        let draw = Draw { effects: self.effects, stream: Stream::new(seed, "world"), fixed };
        let rows = 0..queries * ROWS;
        let of = |row: usize| Place { row: draw.source(row), ..Place::new(row) };
        let name = |place: Place| if place.person() { "human".into() } else { place.model.to_string() };
        let keys = rows.clone().map(|row| (format!("{:05}", row / ROWS), name(Place::new(row))));
        // A copy has the vector of its source, whoever repeats it.
        let mut values = Vec::with_capacity(rows.len() * DIM);
        for row in rows.clone() {
            let place = Place::new(draw.source(row));
            values.extend((0..DIM).map(|i| draw.value(place, i) as f32));
        }
        let mut corpus = planted::corpus(keys, DIM, |row, i| values[row * DIM + i]);
        let mut put = |role: Role, name: &dyn Fn(Place) -> String| {
            let names: Vec<String> = rows.clone().map(|row| name(Place::new(row))).collect();
            let (dictionary, ids) = Dictionary::from_names(&names);
            corpus.rows.categories.insert(role, Category { dictionary, ids });
        };
        put(Role::Source, &|place| if place.person() { "human".into() } else { "ai".into() });
        put(Role::Context, &|place| CONTEXTS[place.context].into());
        put(Role::Stage, &|place| STAGES[place.stage].into());
        put(Role::Class, &|place| draw.meaning(of(place.row)).to_string());
        // In an order that has nothing to do with models; 7 and the number of rows have no common factor.
        put(Role::Time, &|place| libm::log((place.row % ROWS * 7 % ROWS + 1) as f64).to_string());
        corpus.rows.text_chars = Some(rows.clone().map(|row| draw.chars(draw.source(row))).collect());
        let hash = |row: usize| if draw.chars(draw.source(row)) > 0 { draw.source(row) as u128 + 1 } else { 0 };
        corpus.rows.text_hash = Some(rows.clone().map(hash).collect());
        corpus.rows.refusal = Some(rows.clone().map(|row| draw.refuses(Place::new(draw.source(row)))).collect());
        if !self.gaps {
            return corpus;
        }
        let there: Vec<bool> = rows.map(|row| draw.there(Place::new(row))).collect();
        corpus.subset(&there, None).unwrap()
    }
}

/// What the pair pass would say of the nearest rows; `whole` forms all pairs, else there is no nearest row.
pub fn outcome(corpus: &Corpus, whole: bool) -> PairOutcome {
    let n = corpus.len();
    let mut nearest = vec![Nearest::default(); n];
    let (similarity, layout, rows) = (Similarity::new(), &corpus.layout, &corpus.rows);
    let mut see = |row: usize, other: usize, value: f32| {
        let one = &mut nearest[row];
        if one.ties > 0 && value < one.similarity {
            return;
        }
        if one.ties == 0 || value > one.similarity {
            *one = Nearest { similarity: value, ..Nearest::default() };
        }
        one.ties += 1;
        one.ties_other_model += u64::from(rows.model[row] != rows.model[other]);
        one.ties_other_query += u64::from(rows.query[row] != rows.query[other]);
    };
    let positions: Range<usize> = 0..if whole { n } else { 0 };
    for a in positions.clone() {
        for b in a + 1..positions.end {
            let value = corpus.embeddings.similarity(&similarity, a, b);
            let (x, y) = (layout.row_at[a] as usize, layout.row_at[b] as usize);
            see(x, y, value);
            see(y, x, value);
        }
    }
    PairOutcome {
        k: 0,
        neighbors: Neighbors::default(),
        nearest,
        duplicates: NearDuplicates { threshold: 0.99, pairs: 0, component: (0..n as u32).collect() },
        histogram: None,
        edges: None,
        stats: PairStats::default(),
    }
}
