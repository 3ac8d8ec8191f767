//! Section E: form and content.

use super::Interval;
use serde::{Deserialize, Serialize};

/// Whose pairs a line of form.parquet is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormGroup {
    /// Two answers of one model.
    #[default]
    OneModel,
    /// Answers of two models.
    OtherModels,
    /// What people wrote.
    People,
}

impl FormGroup {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneModel => "one_model",
            Self::OtherModels => "other_models",
            Self::People => "people",
        }
    }

    /// As sentences name it.
    pub fn words(self) -> &'static str {
        match self {
            Self::OneModel => "one model’s",
            Self::OtherModels => "different models’",
            Self::People => "people’s",
        }
    }
}

/// A mean over pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its interval over queries.
    pub ci: Option<Interval>,
}

/// Means over the same pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FormPairs {
    /// Cosine of the 4-gram counts of the first 300 characters.
    pub form: Mean,
    /// Cosine of the embeddings.
    pub content: Mean,
    /// Share of pairs that begin with the same five words.
    pub opening: Mean,
}

/// One line of form.parquet. Only responses with 300 characters count.
#[derive(Debug, Clone, PartialEq)]
pub struct FormRow {
    /// Whose pairs.
    pub group: FormGroup,
    /// Name of the model; `None` for all together, each pair counting once.
    pub model: Option<String>,
    /// Responses.
    pub responses: u64,
    /// Queries (copies of a query are one).
    pub queries: u64,
    /// Pairs of different queries; `None` if there is none.
    pub other_query: Option<FormPairs>,
    /// Pairs of the same query.
    pub same_query: Option<FormPairs>,
    /// How many times smaller 20,000 bytes of beginnings become; of `one_model` together the median over models.
    pub compression: Option<f64>,
}

/// A value beside its reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// The value.
    pub value: f64,
    /// What it is set against.
    pub reference: f64,
    /// `value - reference`.
    pub difference: f64,
    /// Interval of `difference` over queries.
    pub interval: Option<Interval>,
}

/// Models' pairs beside the reference's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FormContrast {
    /// Whose pairs.
    pub group: FormGroup,
    /// Whether they are of different queries.
    pub other_query: bool,
    /// Queries.
    pub queries: u64,
    /// Form.
    pub form: Contrast,
    /// Content.
    pub content: Contrast,
    /// Same opening.
    pub opening: Contrast,
}

/// Share of the variation within queries that models explain, by model means of rows centred by query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct FormStyle {
    /// The share.
    pub r2: f64,
    /// Its mean if models were shuffled within each query, in closed form.
    pub expected: f64,
    /// `(r2 - expected) / (1 - expected)`.
    pub adjusted: f64,
    /// Interval of `adjusted` over queries.
    pub interval: Option<Interval>,
    /// Queries with 2 responses.
    pub queries: u64,
}

/// Form and content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FormSummary {
    /// Responses that count.
    pub responses: u64,
    /// Responses with fewer than 300 characters.
    pub short: u64,
    /// What contrasts are set against: people, or different models.
    pub reference: FormGroup,
    /// Of all models.
    #[serde(flatten)]
    pub all: FormFound,
    /// The same without models that answer regardless of the query; `None` if there is none.
    pub without_regardless: Option<FormFound>,
}

/// What is found of form and content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FormFound {
    /// Different queries first.
    pub contrasts: Vec<FormContrast>,
    /// What models explain of form.
    pub style_form: Option<FormStyle>,
    /// Of content, on the same responses.
    pub style_content: Option<FormStyle>,
}
