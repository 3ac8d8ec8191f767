//! The tables and figures of "Artificial Hivemind" (arXiv 2510.22954) from a dump, each number beside the published one.
//!
//! Everything is over the models that the paper has too, by name. What is measured is what the other measures
//! measure; here is only what the paper did with it. Not here: the published numbers (`published`), files, pages.

mod pca;
mod prompts;
mod published;
mod ratings;

pub use pca::{Pca, Point};
pub use published::Published;
pub use ratings::{Item, ratings};

use super::intervals::{self, RESAMPLES, Weights};
use super::sums::Sums;
use super::tables::{Interval, IntraRow, LeftOut, ModelRow};
use super::{inter, intra, topn};
use crate::base::error::printable;
use crate::base::{Error, Observer, Result};
use crate::corpus::layout::normalise_text;
use crate::corpus::{Corpus, Role};
use published::{BINS, DIM, DISTINCT_AT_50, EMBEDDING_MODEL, MAIN_AVERAGE, MIN_P, PARAPHRASE, QUERIES, SAMPLES};
use serde::Serialize;
use std::path::PathBuf;

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

/// One number beside the published one. Similarities of the parts `table_6` to `inter` are percent, as printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Table or figure.
    pub part: &'static str,
    /// Model of the dump; of a scorer in the parts on ratings. `None` for an average.
    pub name: Option<String>,
    /// Second model, bin, N or what the part compares.
    pub other: Option<String>,
    /// Here.
    pub value: f64,
    /// 95 % interval over queries, of averages.
    pub interval: Option<Interval>,
    /// In the paper.
    pub published: Option<f64>,
    /// `value` with the decimals that the paper prints.
    pub rounded: f64,
    /// Queries, models, answers or items it is of.
    pub n: u64,
}

impl Line {
    fn new(part: &'static str, name: Option<&str>, other: Option<&str>, (value, decimals): (f64, usize)) -> Self {
        Self {
            part,
            name: name.map(str::to_owned),
            other: other.map(str::to_owned),
            value,
            interval: None,
            published: None,
            // Half to even on the exact decimal value, as Python prints.
            rounded: format!("{value:.decimals$}").parse().unwrap_or(value),
            n: 0,
        }
    }

    fn published(self, published: Option<f64>) -> Self {
        Self { published, ..self }
    }

    fn of(self, n: usize) -> Self {
        Self { n: n as u64, ..self }
    }

    /// `value` - `published`.
    pub fn difference(&self) -> Option<f64> {
        self.published.map(|published| self.value - published)
    }
}

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
/// [`Error::Usage`] if no model is one of the paper's or there is no such query, [`Error::Interrupted`].
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
    match prompts {
        None => done.left_out("Paraphrases", "there is no column that tells a query's paraphrases apart (--context)"),
        Some(prompts) => {
            let terms = prompts::paraphrases(corpus, prompts, &usual, &kept);
            let cells: f64 = terms.iter().map(|term| term[2]).sum();
            if cells > 0.0 {
                let weights = Weights::new(settings.seed, "intervals", RESAMPLES, terms.len());
                for (k, what) in ["within a prompt", "across paraphrases"].into_iter().enumerate() {
                    let value = terms.iter().map(|term| term[k]).sum::<f64>() / cells;
                    let terms: Vec<(f64, f64)> = terms.iter().map(|term| (term[k], term[2])).collect();
                    let line = Line::new("paraphrases", None, Some(what), (value, 3)).of(cells as usize);
                    let interval = intervals::ratio(&terms, Some(&weights));
                    done.lines.push(Line { interval, ..line.published(Some(PARAPHRASE[k])) });
                }
            } else {
                let reason = "no model answered two prompts of a query, one of them twice";
                done.left_out("Paraphrases", reason);
            }
        }
    }
    match min_p {
        None => done.left_out("Min-p decoding", "the dump does not say the decoding (--decoding)"),
        Some(rows) => {
            let of_model = |row: usize| kept[corpus.rows.model[row] as usize];
            let asked = |row: usize| original.as_ref().is_none_or(|original| original[row]);
            let chosen = |(row, min_p): (usize, &bool)| *min_p && of_model(row) && asked(row);
            let rows: Vec<bool> = rows.iter().enumerate().map(chosen).collect();
            let shares = match rows.contains(&true) {
                true => prompts::above(&corpus.subset(&rows, settings.scratch.as_deref())?, observer)?,
                false => Vec::new(),
            };
            for (k, what) in ["above 0.7", "above 0.8"].into_iter().enumerate().filter(|_| !shares.is_empty()) {
                let value = shares.iter().map(|share| share[k]).sum::<f64>() / shares.len() as f64;
                let line = Line::new("min_p", None, Some(what), (value, 1)).of(shares.len());
                done.lines.push(line.published(Some(MIN_P[k])));
            }
            if shares.is_empty() {
                let reason = format!("no model answered a query twice with decoding {}", settings.min_p.join(" or "));
                done.left_out("Min-p decoding", reason);
            }
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

/// The tables on answers to the queries as they were asked.
struct Tables<'a> {
    corpus: &'a Corpus,
    published: &'a Published,
    settings: &'a ReproduceSettings,
    /// Place in Table 6 of each model.
    matched: Vec<Option<usize>>,
    kept: Vec<bool>,
}

impl<'a> Tables<'a> {
    fn new(corpus: &'a Corpus, published: &'a Published, settings: &'a ReproduceSettings) -> Result<Self> {
        let names = corpus.rows.models.names();
        let given: Vec<_> = settings.same.iter().filter(|(ours, _)| names.contains(ours)).cloned().collect();
        let matched = published.matched(names, &given)?;
        let kept = matched.iter().map(Option::is_some).collect();
        Ok(Self { corpus, published, settings, matched, kept })
    }

    fn fill(&self, done: &mut Reproduction, observer: &dyn Observer) -> Result<()> {
        done.differs.extend(self.differs());
        let sums = Sums::new(self.corpus, &[], observer)?;
        let intra: Vec<IntraRow> = intra::rows(&sums).into_iter().filter(|row| self.kept[row.model as usize]).collect();
        let weights = Weights::new(self.settings.seed, "intervals", RESAMPLES, sums.queries.len());
        if intra.is_empty() {
            for part in ["Table 6", "Share at or above 0.8", "Figure 8"] {
                done.left_out(part, "no model that the paper has answered a query twice");
            }
        } else {
            self.table_6(&intra, &weights, &mut done.lines);
        }
        observer.check_stop()?;
        self.inter(&sums, &weights, &mut done.lines);
        observer.check_stop()?;
        if !intra.is_empty() {
            self.top_n(&mut done.lines, observer)?;
        }
        if let Some(name) = &self.settings.query_pca {
            let query = self.query(name)?;
            done.pca = pca::pca(self.corpus, query, &self.kept);
            if done.pca.is_none() {
                done.left_out("Principal components", "the query has fewer than 3 answers, or they do not differ");
            }
        }
        Ok(())
    }

    fn name(&self, model: usize) -> &str {
        self.corpus.rows.models.name(model as u32)
    }

    /// The query of that name, or the only one that is equal but for white space and case.
    fn query(&self, name: &str) -> Result<usize> {
        let queries = &self.corpus.rows.queries;
        let like = || queries.names().iter().position(|other| normalise_text(other) == normalise_text(name));
        queries.id(name).map(|id| id as usize).or_else(like).ok_or_else(|| {
            let first: Vec<String> = queries.names().iter().take(3).map(|name| printable(name)).collect();
            let name = printable(name);
            Error::Usage(format!("--query-pca `{name}`: there is no such query; the first are {}", first.join(" | ")))
        })
    }

    /// Table 6 and the shares at or above .8.
    fn table_6(&self, intra: &[IntraRow], weights: &Weights, lines: &mut Vec<Line>) {
        let mut means: Vec<Vec<f64>> = vec![Vec::new(); self.matched.len()];
        intra.iter().for_each(|row| means[row.model as usize].push(row.mean));
        let (mut average, mut theirs, mut models) = ([0.0; 10], [0.0; 10], 0);
        let mut shares = Vec::new();
        for (model, means) in means.iter().enumerate().filter(|(_, means)| !means.is_empty()) {
            let Some(place) = self.matched[model] else { continue };
            // The paper's order: the highest bin first.
            let mut bins = intra::paper_bins(means);
            bins.reverse();
            let paper = &self.published.bins[place];
            for (k, bin) in BINS.into_iter().enumerate() {
                let line = Line::new("table_6", Some(self.name(model)), Some(bin), (bins[k], 0)).of(means.len());
                lines.push(line.published(Some(paper[k])));
                average[k] += bins[k];
                theirs[k] += paper[k];
            }
            models += 1;
            let line = Line::new("share_at_least_0_8", Some(self.name(model)), None, (bins[0] + bins[1], 0));
            shares.push(line.of(means.len()).published(Some(paper[0] + paper[1])));
        }
        let of_models = models as f64;
        for (k, bin) in BINS.into_iter().enumerate() {
            let line = Line::new("table_6_average", None, Some(bin), (average[k] / of_models, 2)).of(models);
            lines.push(line.published(Some(theirs[k] / of_models)));
        }
        lines.append(&mut shares);
        // Percent of the models' query means, a query at a time.
        let queries = self.corpus.layout.cells.len();
        let mut terms = vec![(0.0, 0.0); queries];
        for row in intra {
            let term = &mut terms[row.query as usize];
            let high = (0.8..=1.0).contains(&row.mean);
            *term = (term.0 + if high { 100.0 } else { 0.0 }, term.1 + 1.0);
        }
        let interval = intervals::ratio(&terms, Some(weights));
        let value = (average[0] + average[1]) / of_models;
        let all =
            self.published.bins.iter().map(|bins| bins[0] + bins[1]).sum::<f64>() / self.published.bins.len() as f64;
        for (beside, published) in [
            ("the same models", (theirs[0] + theirs[1]) / of_models),
            ("the 25 main models", MAIN_AVERAGE[0] + MAIN_AVERAGE[1]),
            ("all 79 models", all),
        ] {
            let line = Line::new("share_at_least_0_8", None, Some(beside), (value, 2)).of(models);
            lines.push(Line { interval, ..line.published(Some(published)) });
        }
    }

    /// The matrix of models, self-pairs on its diagonal as in the paper, and the plain diagonal beside.
    fn inter(&self, sums: &Sums, weights: &Weights, lines: &mut Vec<Line>) {
        let pairs = inter::rows(sums, &vec![ModelRow::default(); sums.models], Some(weights), RESAMPLES);
        let mut plain = Vec::new();
        for pair in pairs {
            let (a, b) = (pair.model_a as usize, pair.model_b as usize);
            let (Some(x), Some(y)) = (self.matched[a], self.matched[b]) else { continue };
            let (name, other) = (Some(self.name(a)), Some(self.name(b)));
            let percent = |value: f64| (100.0 * value, 1);
            let interval = pair.ci.map(|ci| Interval { low: 100.0 * ci.low, high: 100.0 * ci.high });
            // With one answer a query the diagonal would be self-pairs alone: 1, whatever the model.
            if let Some(value) = pair.paper_mean.filter(|_| pair.mean.is_some()) {
                let line = Line::new("inter", name, other, percent(value)).of(pair.queries as usize);
                let published = self.published.inter.get(&(x.min(y), x.max(y))).copied();
                // On the diagonal the interval is that of the mean without self-pairs.
                let interval = interval.filter(|_| a != b);
                lines.push(Line { interval, ..line.published(published) });
            }
            if let Some(value) = pair.mean.filter(|_| a == b) {
                let line = Line::new("intra", name, None, percent(value)).of(pair.queries as usize);
                plain.push(Line { interval, ..line });
            }
        }
        lines.append(&mut plain);
    }

    /// Figure 8.
    fn top_n(&self, lines: &mut Vec<Line>, observer: &dyn Observer) -> Result<()> {
        let (rows, _) = topn::all(self.corpus, &self.kept, self.settings.seed, observer)?;
        let as_published =
            self.samples() == Some((SAMPLES, SAMPLES)) && self.kept.iter().filter(|kept| **kept).count() == 25;
        for (size, seen, null, least) in topn::by_size(&rows) {
            let of_size: Vec<_> = rows.iter().filter(|row| row.top_n == size).collect();
            let most = of_size.iter().map(|row| self.most(row.query as usize, usize::from(size))).sum::<f64>();
            let most = most / of_size.len() as f64;
            for (what, value) in [("seen", seen), ("least", least), ("most", most), ("null", null)] {
                let line = Line::new("figure_8", Some(what), Some(&size.to_string()), (value, 0)).of(of_size.len());
                let comparable = as_published && what == "seen" && size == 50;
                lines.push(line.published(comparable.then_some(DISTINCT_AT_50)));
            }
        }
        Ok(())
    }

    /// The most models that the nearest `size` others of an answer to `query` can come from, mean over answers.
    fn most(&self, query: usize, size: usize) -> f64 {
        let cells = self.corpus.layout.cells[query].iter().filter(|cell| self.kept[cell.model as usize]);
        let counts: Vec<usize> = cells.map(|cell| cell.positions.len()).collect();
        let models = |own: usize| (counts.len() - usize::from(own == 1)).min(size);
        counts.iter().map(|&n| (n * models(n)) as f64).sum::<f64>() / counts.iter().sum::<usize>() as f64
    }

    /// Fewest and most answers of a kept model to a query.
    fn samples(&self) -> Option<(usize, usize)> {
        let cells = self.corpus.layout.cells.iter().flatten().filter(|cell| self.kept[cell.model as usize]);
        let counts = cells.map(|cell| cell.positions.len());
        counts.fold(None, |ends, n| Some(ends.map_or((n, n), |(low, high): (usize, usize)| (low.min(n), high.max(n)))))
    }

    /// What is not as in the paper.
    fn differs(&self) -> Vec<Differs> {
        let mut found = Vec::new();
        let mut differs = |what, how: String, forbids| found.push(Differs { what, how, forbids });
        let dim = self.corpus.dim();
        let beside =
            "similarities of different embedding models can't be compared, and the differences below say nothing";
        match &self.settings.embedding_model {
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
        let (here, all) = (self.kept.iter().filter(|kept| **kept).count(), self.published.models.len());
        if here < all {
            let rest = self.kept.len() - here;
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
        if let Some((low, high)) = self.samples().filter(|ends| *ends != (SAMPLES, SAMPLES)) {
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
        let queries = self.corpus.layout.cells.iter().filter(|cells| !cells.is_empty()).count();
        let how = if queries == QUERIES {
            format!("{QUERIES}, as in the paper; whether they are the same is not checked")
        } else {
            format!("{queries}, the paper has {QUERIES}: other queries have other similarities")
        };
        differs("queries", how, false);
        found
    }
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

    #[test]
    fn numbers_round_as_the_paper_prints() {
        let rounded = |value, decimals| Line::new("x", None, None, (value, decimals)).rounded;
        assert_eq!((rounded(0.125, 2), rounded(2.5, 0), rounded(88.249, 1)), (0.12, 2.0, 88.2));
    }
}
