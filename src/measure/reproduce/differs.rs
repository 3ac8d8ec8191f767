//! What of a dump is not as in the paper: embedding model, models, samples, queries.

use super::published::{DIM, EMBEDDING_MODEL, QUERIES, SAMPLES};
use super::tables::Tables;
use serde::Serialize;

/// Something that is not as in the paper, so that numbers can't be set beside each other, or only with care.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differs {
    /// What.
    pub what: &'static str,
    /// How it is here, and what it does to the comparison.
    pub how: String,
    /// Whether no similarity can be compared because of it.
    pub forbids: bool,
}

/// What is not as in the paper.
pub fn differs(tables: &Tables) -> Vec<Differs> {
    let mut found = Vec::new();
    let mut differs = |what, how: String, forbids| found.push(Differs { what, how, forbids });
    let dim = tables.corpus.dim();
    let beside = "similarities of different embedding models can't be compared, and the differences below say nothing";
    match &tables.settings.embedding_model {
        _ if dim != DIM => {
            differs("embedding model", format!("{dim} dimensions, {EMBEDDING_MODEL} has {DIM}: {beside}"), true);
        }
        Some(name) if !name.to_lowercase().contains(EMBEDDING_MODEL) => {
            differs("embedding model", format!("{name}, the paper has {EMBEDDING_MODEL}: {beside}"), true);
        }
        Some(_) => {}
        None => differs(
            "embedding model",
            format!(
                "{DIM} dimensions as {EMBEDDING_MODEL} has, but the dump does not say what made them (--embedding-model)"
            ),
            false,
        ),
    }
    let (here, all) = (tables.kept.iter().filter(|kept| **kept).count(), tables.published.models.len());
    if here < all {
        let rest = tables.kept.len() - here;
        let others =
            if rest > 0 { format!(" (the dump has {rest} more that it lacks, left out)") } else { String::new() };
        differs(
            "models",
            format!(
                "{here} of the {all} in Table 6{others}. Averages are over these {here}, beside the paper's over the same"
            ),
            false,
        );
    }
    if let Some((low, high)) = tables.samples().filter(|ends| *ends != (SAMPLES, SAMPLES)) {
        let range = if low == high { low.to_string() } else { format!("{low} to {high}") };
        differs(
            "samples",
            format!(
                "{range} a model and query, the paper has {SAMPLES}: the diagonal with self-pairs and Figure 8 depend on \
                 it, means do not, but bins of means over fewer samples spread wider"
            ),
            false,
        );
    }
    let queries = tables.corpus.layout.cells.iter().filter(|cells| !cells.is_empty()).count();
    let how = if queries == QUERIES {
        format!("{QUERIES}, as in the paper; whether they are the same is not checked")
    } else {
        format!("{queries}, the paper has {QUERIES}: other queries have other similarities")
    };
    differs("queries", how, false);
    found
}
