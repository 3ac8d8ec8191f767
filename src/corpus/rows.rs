//! Rows and their keys, in file order.

use super::Excerpts;
use std::collections::BTreeMap;

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: std::path::PathBuf,
    /// Name relative to INPUT, as tables show it.
    pub name: String,
    /// Size in bytes when it was opened.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970 when it was opened (0 if unknown).
    pub modified_ns: u128,
    /// Rows in the file, skipped ones included.
    pub rows: u64,
    /// blake3 of the footer (last 64 KiB at most) and the size: the fingerprint in manifest.json.
    pub fingerprint: String,
}

/// Distinct strings in bytewise order; an id is the place in that order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dictionary {
    names: Vec<String>,
}

impl Dictionary {
    /// Sorts and removes repeats of `names`; returns the dictionary and, for each input name, its id.
    pub fn from_names(names: &[String]) -> (Self, Vec<u32>) {
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let ids = names.iter().map(|name| sorted.partition_point(|other| other < name) as u32).collect();
        (Self { names: sorted }, ids)
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of `id`.
    pub fn name(&self, id: u32) -> &str {
        &self.names[id as usize]
    }

    /// All names in id order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Bytes held.
    fn memory(&self) -> usize {
        self.names.iter().map(|name| size_of::<String>() + name.capacity()).sum()
    }

    /// Id of `name`.
    pub fn id(&self, name: &str) -> Option<u32> {
        self.names.binary_search_by(|other| other.as_str().cmp(name)).ok().map(|id| id as u32)
    }
}

/// A categorical column: one id a row; `u32::MAX` where the value is null.
#[derive(Debug, Clone, Default)]
pub struct Category {
    /// Distinct values.
    pub dictionary: Dictionary,
    /// One id a row.
    pub ids: Vec<u32>,
}

impl Category {
    /// Bytes held.
    fn memory(&self) -> usize {
        size_of_val(self.ids.as_slice()) + self.dictionary.memory()
    }
}

/// Optional columns, each switching on the measures that need it (MEASURES "Columns").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who wrote it; people are one value of it.
    Source,
    /// The model that stages and contexts are variants of.
    Family,
    /// Training stage.
    Stage,
    /// With or without a critic.
    Arm,
    /// Persona, style or prompt variant.
    Context,
    /// Given meaning labels.
    Class,
    /// Team.
    Team,
    /// When it was written: numbers or dates, as [`crate::measure`] reads them.
    Time,
    /// When its quality was rated, in the same unit.
    RatingTime,
}

/// Optional columns of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// How good a response is.
    Quality,
    /// How much of an expert its author is.
    Expertise,
}

/// The sample key of each row.
#[derive(Debug, Clone)]
pub enum Samples {
    /// Whole numbers, or the order of appearance within (query, model).
    Number(Vec<i64>),
    /// Strings.
    Name(Category),
}

/// One entry a row, in file order.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Index into the files.
    pub file: Vec<u32>,
    /// Row within its file, from 0, skipped rows counted.
    pub file_row: Vec<u64>,
    /// Query id.
    pub query: Vec<u32>,
    /// Model id.
    pub model: Vec<u32>,
    /// Names of the queries.
    pub queries: Dictionary,
    /// Names of the models.
    pub models: Dictionary,
    /// Sample keys.
    pub sample: Samples,
    /// With text: blake3 (first 16 bytes) of each response's normalised text (white space folded, lower case);
    /// 0 where the text is null or empty.
    pub text_hash: Option<Vec<u128>>,
    /// With text: characters of each response's text as it stands; 0 where the text is null.
    pub text_chars: Option<Vec<u32>>,
    /// With text: whether each response's text reads like a refusal.
    pub refusal: Option<Vec<bool>>,
    /// With text: how each response's normalised text begins.
    pub excerpts: Option<Excerpts>,
    /// Columns of numbers that the input has, one value a row; NaN where it is null, not finite, or 1e100 and more in size.
    pub numbers: BTreeMap<Number, Vec<f64>>,
    /// Optional columns that the input has.
    pub categories: BTreeMap<Role, Category>,
}

impl Rows {
    /// Rows of one file that have a query and a model each, names with ids, and nothing else.
    pub fn of_keys((queries, query): (Dictionary, Vec<u32>), (models, model): (Dictionary, Vec<u32>)) -> Self {
        let n = query.len();
        Self {
            file: vec![0; n],
            file_row: (0..n as u64).collect(),
            query,
            model,
            queries,
            models,
            sample: Samples::Number(vec![0; n]),
            text_hash: None,
            text_chars: None,
            refusal: None,
            excerpts: None,
            numbers: BTreeMap::new(),
            categories: BTreeMap::new(),
        }
    }

    /// Bytes of anonymous memory held.
    pub fn memory(&self) -> u64 {
        let mut bytes = size_of_val(self.file.as_slice()) + size_of_val(self.file_row.as_slice());
        bytes += size_of_val(self.query.as_slice()) + size_of_val(self.model.as_slice());
        bytes += self.text_hash.as_deref().map_or(0, size_of_val);
        bytes += self.text_chars.as_deref().map_or(0, size_of_val);
        bytes += self.refusal.as_deref().map_or(0, size_of_val);
        bytes += self.excerpts.as_ref().map_or(0, Excerpts::memory);
        bytes += self.numbers.values().map(|values| size_of_val(values.as_slice())).sum::<usize>();
        bytes += match &self.sample {
            Samples::Number(numbers) => size_of_val(numbers.as_slice()),
            Samples::Name(category) => category.memory(),
        };
        bytes += self.categories.values().map(Category::memory).sum::<usize>();
        (bytes + self.queries.memory() + self.models.memory()) as u64
    }
}
