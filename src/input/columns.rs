//! Which column plays which part.

use super::InputOptions;
use crate::base::{Error, Result};
use crate::corpus::{Number, Role};
use arrow::datatypes::{DataType, Schema};

/// Default names, first of the list that is there (DESIGN "Commands").
const EMBEDDING: [&str; 4] = ["embedding", "embeddings", "emb", "vector"];
const QUERY: [&str; 6] = ["query", "query_id", "prompt", "prompt_id", "instruction", "question"];
const MODEL: [&str; 4] = ["model", "model_name", "generator", "model_id"];
const SAMPLE: [&str; 4] = ["sample", "sample_id", "generation", "seed"];
const TEXT: [&str; 5] = ["text", "response", "output", "completion", "answer"];
const ROLES: [(Role, &[&str]); 9] = [
    (Role::Source, &["source"]),
    (Role::Family, &["family", "base_model"]),
    (Role::Stage, &["stage"]),
    (Role::Arm, &["arm"]),
    (Role::Context, &["context"]),
    (Role::Class, &["class"]),
    (Role::Team, &["team"]),
    (Role::Time, &["time"]),
    (Role::RatingTime, &["rating_time"]),
];

const NUMBERS: [(Number, &str); 2] = [(Number::Quality, "quality"), (Number::Expertise, "expertise")];

/// Names of the columns that were chosen, as they stand in the files.
#[derive(Debug, Clone)]
pub struct Columns {
    /// Vectors.
    pub embedding: String,
    /// Query keys.
    pub query: String,
    /// Model keys.
    pub model: String,
    /// Sample keys, if any.
    pub sample: Option<String>,
    /// Texts, if any.
    pub text: Option<String>,
    /// Optional columns.
    pub roles: Vec<(Role, String)>,
    /// Columns of numbers.
    pub numbers: Vec<(Number, String)>,
}

impl Columns {
    /// Names of all columns but the embedding.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        [self.query.as_str(), &self.model]
            .into_iter()
            .chain(self.sample.as_deref())
            .chain(self.text.as_deref())
            .chain(self.roles.iter().map(|(_, name)| name.as_str()))
            .chain(self.numbers.iter().map(|(_, name)| name.as_str()))
    }
}

/// Whether a column can be an embedding: a list of floats, or fixed-size binary of whole f32 values.
fn is_embedding(kind: &DataType) -> bool {
    match kind {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().is_floating()
        }
        DataType::FixedSizeBinary(width) => *width > 0 && width % 4 == 0,
        _ => false,
    }
}

fn is_key(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_key(value),
        kind => kind.is_integer(),
    }
}

/// A key, or a number or date as it stands.
fn is_time(kind: &DataType) -> bool {
    is_key(kind) || kind.is_floating() || matches!(kind, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

/// One column: the flag if given (exact name), else the first default name that is there, case-insensitive.
fn choose(
    schema: &Schema,
    file: &str,
    part: &str,
    flag: Option<&str>,
    names: &[&str],
    fits: fn(&DataType) -> bool,
) -> Result<Option<String>> {
    let candidates = || {
        let all: Vec<&str> =
            schema.fields().iter().filter(|f| fits(f.data_type())).map(|f| f.name().as_str()).collect();
        if all.is_empty() {
            "no column of the file could be it".to_owned()
        } else {
            format!("columns that could be it: {}", all.join(", "))
        }
    };
    let usage = |problem: String| Err(Error::Usage(format!("{file}: {problem}; {}", candidates())));
    if let Some(flag) = flag {
        let named: Vec<_> = schema.fields().iter().filter(|f| f.name() == flag).collect();
        return match named.as_slice() {
            [] => usage(format!("--{part} `{flag}`: there is no such column")),
            [one] if fits(one.data_type()) => Ok(Some(flag.to_owned())),
            [one] => usage(format!("--{part} `{flag}`: a column of type {} can't be it", one.data_type())),
            _ => usage(format!("--{part} `{flag}`: several columns have this name")),
        };
    }
    for name in names {
        let named: Vec<_> =
            schema.fields().iter().filter(|f| f.name().eq_ignore_ascii_case(name) && fits(f.data_type())).collect();
        match named.as_slice() {
            [] => {}
            [one] => return Ok(Some(one.name().clone())),
            many => {
                let names: Vec<&str> = many.iter().map(|f| f.name().as_str()).collect();
                return usage(format!(
                    "{} columns could be the {part}: {}; name one with --{part}",
                    many.len(),
                    names.join(", ")
                ));
            }
        }
    }
    Ok(None)
}

/// Chooses the columns of a file.
///
/// # Errors
/// [`Error::Usage`] for a column that is missing or ambiguous, with the candidates.
pub fn resolve(schema: &Schema, file: &str, options: &InputOptions) -> Result<Columns> {
    let required = |part: &str, flag: &Option<String>, names: &[&str], fits: fn(&DataType) -> bool| -> Result<String> {
        choose(schema, file, part, flag.as_deref(), names, fits)?.ok_or_else(|| {
            let all: Vec<&str> =
                schema.fields().iter().filter(|f| fits(f.data_type())).map(|f| f.name().as_str()).collect();
            let could = if all.is_empty() {
                "no column could be it".into()
            } else {
                format!("columns that could be it: {}", all.join(", "))
            };
            Error::Usage(format!(
                "{file}: no {part} column (looked for {}); name one with --{part}; {could}",
                names.join(", ")
            ))
        })
    };
    let optional =
        |part: &str, flag: &Option<String>, names: &[&str]| choose(schema, file, part, flag.as_deref(), names, is_key);
    let mut roles = Vec::new();
    for (role, names) in ROLES {
        let fits = if matches!(role, Role::Time | Role::RatingTime) { is_time } else { is_key };
        let flag = names[0].replace('_', "-");
        if let Some(name) = choose(schema, file, &flag, options.roles.get(&role).map(String::as_str), names, fits)? {
            roles.push((role, name));
        }
    }
    let mut numbers = Vec::new();
    for (number, name) in NUMBERS {
        let flag = options.numbers.get(&number).map(String::as_str);
        if let Some(found) = choose(schema, file, name, flag, &[name], DataType::is_numeric)? {
            numbers.push((number, found));
        }
    }
    Ok(Columns {
        embedding: required("embedding", &options.embedding, &EMBEDDING, is_embedding)?,
        query: required("query", &options.query, &QUERY, is_key)?,
        model: required("model", &options.model, &MODEL, is_key)?,
        sample: optional("sample", &options.sample, &SAMPLE)?,
        text: optional("text", &options.text, &TEXT)?,
        roles,
        numbers,
    })
}
