//! The tables and figures of "Artificial Hivemind" (arXiv 2510.22954) from a dump, each number beside the published one.
//!
//! Everything is over the models that the paper has too, by name. What is measured is what the other measures
//! measure; here is only what the paper did with it. Not here: the published numbers (`published`), files, pages.

mod differs;
mod line;
mod pca;
mod prompts;
mod published;
mod ratings;
mod tables;

pub use differs::Differs;
pub use line::Line;
pub use pca::{Pca, Point};
pub use published::Published;
pub use ratings::{Item, ratings};

use super::tables::LeftOut;
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Role};
use serde::Serialize;
use std::path::PathBuf;
use tables::Tables;

/// What changes a reproduction.
#[derive(Debug, Clone)]
pub struct ReproduceSettings {
    /// Names of the dump and the paper that are one model.
    pub same: Vec<(String, String)>,
    /// What made the vectors, if it is known.
    pub embedding_model: Option<String>,
    /// Values of the column of decodings (role `arm`) that are min-p.
    pub min_p: Vec<String>,
    /// Values of the column of paraphrases (role `context`) that are the query as it was asked.
    pub original: Vec<String>,
    /// The query of the figure of principal components.
    pub query_pca: Option<String>,
    /// Seed of the intervals.
    pub seed: u64,
    /// Where the vectors of a part of the dump go; `None` for memory.
    pub scratch: Option<PathBuf>,
}

/// A model of the dump and its name in the paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matched {
    /// In the dump.
    pub name: String,
    /// In Table 6; `None` if the paper does not have it.
    pub paper: Option<String>,
}

/// What is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reproduction {
    /// Models of the dump.
    pub models: Vec<Matched>,
    /// What differs from the paper.
    pub differs: Vec<Differs>,
    /// Every number: parts in the order of docs/measures.md, models by name, bins from the highest.
    #[serde(skip)]
    pub lines: Vec<Line>,
    /// What this dump does not allow.
    pub left_out: Vec<LeftOut>,
    /// Principal components of a query.
    pub pca: Option<Pca>,
    /// Rated items.
    #[serde(skip)]
    pub items: Vec<Item>,
    /// Which kind of ratings there are.
    pub ratings: Option<&'static str>,
}

impl Reproduction {
    fn left_out(&mut self, measure: &str, reason: impl Into<String>) {
        self.left_out.push(LeftOut { measure: measure.into(), reason: reason.into() });
    }
}

/// The tables and figures on responses.
///
/// # Errors
/// [`crate::base::Error::Usage`] if no model is one of the paper's or there is no such query,
/// [`crate::base::Error::Interrupted`].
pub fn infinity_chat(corpus: &Corpus, settings: &ReproduceSettings, observer: &dyn Observer) -> Result<Reproduction> {
    let published = Published::shipped();
    let matched = published.matched(corpus.rows.models.names(), &settings.same)?;
    let mut done = Reproduction::default();
    let names = corpus.rows.models.names().iter().zip(&matched);
    done.models.extend(names.map(|(name, place)| Matched {
        name: name.clone(),
        paper: place.map(|place| published.models[place].clone()),
    }));
    let (decoding, prompts) = (corpus.rows.categories.get(&Role::Arm), corpus.rows.categories.get(&Role::Context));
    let min_p = decoding.map(|decoding| prompts::rows_with(decoding, &settings.min_p));
    let usual: Vec<bool> =
        min_p.as_ref().map_or_else(|| vec![true; corpus.len()], |rows| rows.iter().map(|x| !x).collect());
    let original =
        prompts.map(|prompts| prompts::rows_with(prompts, &settings.original)).filter(|rows| rows.contains(&true));
    let main: Vec<bool> = match &original {
        Some(original) => usual.iter().zip(original).map(|(a, b)| *a && *b).collect(),
        None => usual.clone(),
    };
    if main.contains(&true) {
        let part = main.contains(&false).then(|| corpus.subset(&main, settings.scratch.as_deref())).transpose()?;
        let tables = Tables::new(part.as_ref().unwrap_or(corpus), &published, settings)?;
        tables.fill(&mut done, observer)?;
    } else {
        let reason = "every answer is by min-p decoding or to a paraphrase";
        done.left_out("Tables and figures on answers at top-p", reason);
    }
    if prompts.is_some() && original.is_none() {
        done.differs.push(Differs {
            what: "prompts",
            how: format!(
                "no value of the context column is {}, so the tables pool all contexts of a query; name the prompt as it \
                 was asked with --original",
                settings.original.join(", ")
            ),
            forbids: false,
        });
    }
    let kept: Vec<bool> = matched.iter().map(Option::is_some).collect();
    prompts::paraphrases(corpus, prompts, (&usual, &kept), settings.seed, &mut done);
    match min_p {
        None => done.left_out("Min-p decoding", "the dump does not say the decoding (--decoding)"),
        Some(rows) => {
            let of_model = |row: usize| kept[corpus.rows.model[row] as usize];
            let asked = |row: usize| original.as_ref().is_none_or(|original| original[row]);
            let chosen = |(row, min_p): (usize, &bool)| *min_p && of_model(row) && asked(row);
            let rows: Vec<bool> = rows.iter().enumerate().map(chosen).collect();
            prompts::min_p(corpus, &rows, settings, &mut done, observer)?;
        }
    }
    if decoding.is_none() {
        done.differs.push(Differs {
            what: "decoding",
            how: "the dump does not say it; the paper's tables are at top-p 0.9, temperature 1.0, at most 2,048 tokens"
                .into(),
            forbids: false,
        });
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::events::Silent;
    use crate::measure::planted;

    fn settings() -> ReproduceSettings {
        ReproduceSettings {
            same: Vec::new(),
            embedding_model: None,
            min_p: vec!["min-p".into()],
            original: vec!["original".into()],
            query_pca: None,
            seed: 0,
            scratch: None,
        }
    }

    /// 25 models named as in the paper, 50 answers each.
    fn corpus(queries: usize, models: usize, samples: usize) -> Corpus {
        let names = Published::shipped().models;
        let keys: Vec<(String, String)> = (0..queries)
            .flat_map(|q| {
                names[..models].iter().flat_map(move |m| (0..samples).map(move |_| (format!("q{q}"), m.clone())))
            })
            .collect();
        let stream = crate::base::random::Stream::new(5, "reproduce test");
        planted::corpus(keys.into_iter(), 6, |row, i| stream.normal(row as u64, i as u64) as f32 + 0.9)
    }

    #[test]
    fn figure_8_of_25_models_and_50_samples_has_the_published_bounds() {
        let done = infinity_chat(&corpus(1, 25, 50), &settings(), &Silent).unwrap();
        let at = |what: &str, size: &str| {
            let there = |line: &&Line| {
                line.part == "figure_8" && line.name.as_deref() == Some(what) && line.other.as_deref() == Some(size)
            };
            done.lines.iter().find(there).unwrap().clone()
        };
        assert_eq!((at("least", "50").value, at("most", "50").value, at("most", "5").value), (1.0, 25.0, 5.0));
        assert!((at("null", "50").value - 21.89).abs() < 0.005);
        assert_eq!((at("seen", "50").published, at("seen", "45").published), (Some(8.0), None));
        // Labels are exchangeable in this corpus.
        assert!((at("seen", "50").value - at("null", "50").value).abs() < 0.5, "{:?}", at("seen", "50"));
    }

    #[test]
    fn what_differs_is_said() {
        let done = infinity_chat(&corpus(3, 4, 2), &settings(), &Silent).unwrap();
        let what: Vec<(&str, bool)> = done.differs.iter().map(|differs| (differs.what, differs.forbids)).collect();
        let expected =
            [("embedding model", true), ("models", false), ("samples", false), ("queries", false), ("decoding", false)];
        assert_eq!(what, expected);
        assert_eq!(done.models.iter().filter(|model| model.paper.is_some()).count(), 4);
        let same_models = done.lines.iter().find(|line| line.other.as_deref() == Some("the same models")).unwrap();
        assert_eq!(same_models.published, Some((87.0 + 81.0 + 76.0 + 87.0) / 4.0), "gpt-4o, three dates, and mini");
        let main = done.lines.iter().find(|line| line.other.as_deref() == Some("the 25 main models")).unwrap();
        assert!((main.published.unwrap() - 79.08).abs() < 1e-9);
    }

    #[test]
    fn one_sample_leaves_out_what_needs_two() {
        let done = infinity_chat(&corpus(3, 4, 1), &settings(), &Silent).unwrap();
        assert_eq!(done.lines.len(), 6);
        assert!(done.lines.iter().all(|line| line.part == "inter" && line.name != line.other), "{:?}", done.lines);
        let left: Vec<&str> = done.left_out.iter().map(|left| left.measure.as_str()).collect();
        assert_eq!(left, ["Table 6", "Share at or above 0.8", "Figure 8", "Paraphrases", "Min-p decoding"]);
    }
}
