//! The summary: headline numbers with what they must be read with, what was left out, examples.

use super::ensemble::{self, Gain};
use super::intervals::{self, Weights};
use super::nearest::{self, Share};
use super::sums::Sums;
use super::tables::{Example, Headline, Interval, LeftOut, ModelPairRow, ModelRow, QueryRow, Summary, TopNRow};
use super::{MeasureSettings, duplicates, floors, histogram, intra, order, topn};
use crate::base::similarity::Similarity;
use crate::compute::PairOutcome;
use crate::corpus::{Corpus, Role};

/// Additions that a two-way bootstrap may take; beyond it resamples are fewer, but at least 100.
const TWO_WAY_WORK: f64 = 2e10;
const ONE_SAMPLE: &str = "one response per model and query; needs at least 2";

/// What the summary is made of.
pub struct Parts<'a> {
    /// The corpus.
    pub corpus: &'a Corpus,
    /// The pair pass.
    pub outcome: &'a PairOutcome,
    /// Settings.
    pub settings: &'a MeasureSettings,
    /// Per-query sums.
    pub sums: &'a Sums,
    /// Bootstrap weights over queries.
    pub weights: &'a Weights,
    /// Whether a person wrote each row; empty if there are no people.
    pub people: &'a [bool],
    /// models.parquet.
    pub models: &'a [ModelRow],
    /// model_pairs.parquet.
    pub pairs: &'a [ModelPairRow],
    /// queries.parquet.
    pub queries: &'a [QueryRow],
    /// topn.parquet.
    pub topn: &'a [TopNRow],
    /// Nearest share by query.
    pub shares: &'a [Option<Share>],
    /// Ensemble gain by query.
    pub gains: &'a [Option<Gain>],
    /// Mean squared similarity of unrelated pairs.
    pub unrelated: Option<f64>,
    /// Corpus floor.
    pub floor: Option<f64>,
    /// Whether some cell has n >= 2.
    pub repeated: bool,
}

/// Whether a person wrote each row; empty if there are none.
pub fn people(corpus: &Corpus, human: &[String]) -> Vec<bool> {
    let Some(source) = corpus.rows.categories.get(&Role::Source) else { return Vec::new() };
    let ids: Vec<u32> = human.iter().filter_map(|name| source.dictionary.id(name)).collect();
    let people: Vec<bool> = source.ids.iter().map(|id| ids.contains(id)).collect();
    if people.contains(&true) { people } else { Vec::new() }
}

fn total(terms: &[(f64, f64)]) -> Option<f64> {
    let (sum, count) = terms.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
    (count > 0.0).then(|| sum / count)
}

fn left_out(measure: &str, reason: &str) -> LeftOut {
    LeftOut { measure: measure.into(), reason: reason.into() }
}

impl Parts<'_> {
    /// A headline of a ratio of sums over queries; `None` if no query has a term.
    fn headline(&self, name: &str, label: &str, terms: &[(f64, f64)]) -> Option<Headline> {
        let queries = terms.iter().filter(|t| t.1 > 0.0).count();
        Some(Headline {
            name: name.into(),
            label: label.into(),
            value: total(terms)?,
            interval: intervals::ratio(terms, Some(self.weights)),
            queries: queries as u64,
            notes: intervals::warning(queries).into_iter().collect(),
            ..Headline::default()
        })
    }

    /// Models that are not people throughout (all models if there is nobody else).
    fn kept(&self) -> Vec<bool> {
        let mut kept = vec![self.people.is_empty(); self.sums.models];
        for (&model, &person) in self.corpus.rows.model.iter().zip(self.people) {
            kept[model as usize] |= !person;
        }
        if kept.contains(&true) { kept } else { vec![true; self.sums.models] }
    }

    /// Two-way interval of the intra or inter headline.
    fn models_too(&self, name: &str, value: f64, keep: &[bool], same: bool) -> Option<Interval> {
        let kept: Vec<usize> = (0..keep.len()).filter(|&m| keep[m]).collect();
        let mut place = vec![usize::MAX; keep.len()];
        kept.iter().enumerate().for_each(|(i, &m)| place[m] = i);
        let used: Vec<usize> = (0..self.sums.queries.len())
            .filter(|&q| {
                let query = &self.sums.queries[q];
                (if same { query.intra(keep) } else { query.inter(keep) }).1 > 0.0
            })
            .collect();
        let work: f64 = used.iter().map(|&q| (self.sums.queries[q].cells() as f64).powi(2)).sum();
        let resamples = self.settings.resamples.min(((TWO_WAY_WORK / work.max(1.0)) as usize).max(100));
        let statistic = |queries: &[u16], models: &[u16]| {
            let mut sums = (0.0, 0.0);
            for (&q, &w) in used.iter().zip(queries).filter(|(_, w)| **w > 0) {
                let query = &self.sums.queries[q];
                let weight = |a: usize| match place[query.models[a] as usize] {
                    usize::MAX => 0.0,
                    i => f64::from(models[i]),
                };
                let mut one = (0.0, 0.0);
                for a in 0..query.cells() {
                    let wa = weight(a);
                    if wa == 0.0 {
                        continue;
                    }
                    let (from, to) = if same { (a, a + 1) } else { (a + 1, query.cells()) };
                    for b in from..to {
                        let w = if same { wa } else { wa * weight(b) };
                        let (sum, pairs) = query.pairs(a, b);
                        one = (one.0 + w * sum, one.1 + w * pairs);
                    }
                }
                sums = (sums.0 + f64::from(w) * one.0, sums.1 + f64::from(w) * one.1);
            }
            (sums.1 > 0.0).then(|| sums.0 / sums.1)
        };
        intervals::two_way(self.settings.seed, name, resamples, (used.len(), kept.len()), value, statistic)
    }

    fn inter(&self, keep: &[bool], regular: &[bool]) -> Option<Headline> {
        let terms: Vec<_> = self.sums.queries.iter().map(|q| q.inter(keep)).collect();
        let label = "Similarity of different models' answers to the same query";
        let mut headline = self.headline("inter_mean", label, &terms)?;
        headline.interval_models_too = self.models_too("inter_mean", headline.value, keep, false);
        headline.floor = floors::corpus(self.sums, keep);
        headline.floor_label = Some("answers of different models to different queries".into());
        headline.human = total(&self.sums.queries.iter().map(|q| q.people).collect::<Vec<_>>());
        if regular != keep {
            headline.without_regardless =
                total(&self.sums.queries.iter().map(|q| q.inter(regular)).collect::<Vec<_>>());
        }
        Some(headline)
    }

    fn intra(&self, keep: &[bool], regular: &[bool]) -> Option<Headline> {
        let terms: Vec<_> = self.sums.queries.iter().map(|q| q.intra(keep)).collect();
        let label = "Similarity of one model's answers to the same query";
        let mut headline = self.headline("intra_mean", label, &terms)?;
        headline.interval_models_too = self.models_too("intra_mean", headline.value, keep, true);
        headline.floor = floors::same_model(self.sums, keep);
        headline.floor_label = Some("answers of one model to different queries".into());
        if regular != keep {
            headline.without_regardless =
                total(&self.sums.queries.iter().map(|q| q.intra(regular)).collect::<Vec<_>>());
        }
        Some(headline)
    }

    fn nearest(&self) -> Vec<Headline> {
        let terms: Vec<_> = self.shares.iter().map(|s| s.map_or((0.0, 0.0), |s| (s.credit, s.responses))).collect();
        let nulls: Vec<_> = self.shares.iter().map(|s| s.map_or((0.0, 0.0), |s| (s.null, s.responses))).collect();
        let label = "Share of answers whose nearest other answer to the query is by another model";
        let mut found = Vec::new();
        if let Some(mut headline) = self.headline("nearest_other_model", label, &terms) {
            headline.floor = total(&nulls);
            headline.floor_label = Some("if models could not be told apart".into());
            found.push(headline);
        }
        if let Some([model, model_null, query, query_null]) =
            nearest::whole_corpus(self.corpus, self.outcome, &self.sums.counts)
        {
            let queries = self.sums.queries.iter().filter(|q| q.cells() > 0).count() as u64;
            let whole = |name: &str, label: &str, value, null| Headline {
                name: name.into(),
                label: label.into(),
                value,
                floor: Some(null),
                floor_label: Some("if answers could not be told apart".into()),
                queries,
                ..Headline::default()
            };
            let label = "Share of answers whose nearest other answer in the corpus is by another model";
            found.push(whole("nearest_other_model_corpus", label, model, model_null));
            let label = "Share of answers whose nearest other answer in the corpus is to another query";
            found.push(whole("nearest_other_query_corpus", label, query, query_null));
        }
        found
    }

    fn ensemble(&self, left: &mut Vec<LeftOut>) -> Option<Headline> {
        if !self.repeated {
            left.push(left_out("Ensemble gain", ONE_SAMPLE));
            let both: Vec<_> = (self.sums.queries.iter())
                .map(|q| {
                    ensemble::worth(q, self.unrelated).map_or((0.0, 0.0, 0.0), |(v, u)| (v, u.unwrap_or(0.0), 1.0))
                })
                .collect();
            let terms: Vec<_> = both.iter().map(|t| (t.0, t.2)).collect();
            let label = "What the models' answers to one query are worth, in unrelated answers";
            let mut headline = self.headline("models_worth", label, &terms)?;
            if self.unrelated.is_some() {
                headline.floor = total(&both.iter().map(|t| (t.1, t.2)).collect::<Vec<_>>());
                headline.floor_label = Some("as many models' answers to different queries".into());
            }
            return Some(headline);
        }
        let defined: Vec<Option<(f64, f64)>> =
            self.gains.iter().map(|g| g.and_then(|g| g.unrelated.map(|u| (g.gain, u)))).collect();
        let count = defined.iter().flatten().count() as f64;
        if count == 0.0 {
            left.push(left_out("Ensemble gain", "no query has two models with at least 4 responses each to compare"));
            return None;
        }
        let gain = defined.iter().flatten().map(|g| g.0).sum::<f64>() / count;
        let unrelated = defined.iter().flatten().map(|g| g.1).sum::<f64>() / count;
        if unrelated < 1.1 {
            let reason = "the gain of unrelated answers is under 1.1, so a share of it says nothing";
            left.push(left_out("Ensemble gain", reason));
            return None;
        }
        let terms: Vec<_> = defined.iter().map(|g| g.map_or((0.0, 0.0), |g| (g.0 - 1.0, g.1 - 1.0))).collect();
        let label = "Variety gained by asking several models, as a share of what unrelated answers would gain";
        let mut headline = self.headline("ensemble_gain", label, &terms)?;
        headline.floor = Some(1.0);
        headline.floor_label = Some("each model answering a different query".into());
        headline.notes.push(format!("mean gain {gain:.3}, of unrelated answers {unrelated:.3}"));
        Some(headline)
    }

    /// The closest pair of rows among positions `first` and `second` (distinct positions), as an example.
    fn closest(&self, kind: &str, query: usize, models: Option<(u32, u32)>) -> Option<Example> {
        let (corpus, layout) = (self.corpus, &self.corpus.layout);
        let similarity = Similarity::new();
        let mut best: Option<(f32, u32, u32)> = None;
        let model = |p: usize| corpus.rows.model[layout.row_at[p] as usize];
        for i in layout.query_positions[query].clone() {
            for j in i + 1..layout.query_positions[query].end {
                let (a, b) = (model(i).min(model(j)), model(i).max(model(j)));
                if models.is_some_and(|m| m != (a, b)) {
                    continue;
                }
                let value = corpus.embeddings.similarity(&similarity, i, j);
                let rows = (layout.row_at[i].min(layout.row_at[j]), layout.row_at[i].max(layout.row_at[j]));
                if best.is_none_or(|(s, x, y)| value > s || (value == s && rows < (x, y))) {
                    best = Some((value, rows.0, rows.1));
                }
            }
        }
        let (value, a, b) = best?;
        let name = |row: u32| corpus.rows.models.name(corpus.rows.model[row as usize]).to_string();
        Some(Example {
            kind: kind.into(),
            query: corpus.rows.queries.name(query as u32).to_string(),
            models: [name(a), name(b)],
            rows: [a, b],
            similarity: value,
            texts: None,
        })
    }

    /// The closest answers of two models over all queries.
    fn closest_of_models(&self, kind: &str, pair: &ModelPairRow) -> Option<Example> {
        let models = (pair.model_a, pair.model_b);
        let mut best: Option<Example> = None;
        for query in 0..self.sums.queries.len() {
            let answered = &self.sums.queries[query].models;
            if answered.contains(&models.0) && answered.contains(&models.1) {
                let one = self.closest(kind, query, Some(models));
                best = match (best, one) {
                    (Some(b), Some(o)) if o.similarity > b.similarity => Some(o),
                    (None, one) => one,
                    (best, _) => best,
                };
            }
        }
        best
    }

    fn examples(&self) -> Vec<Example> {
        let mut found = Vec::new();
        let large: Vec<(usize, f64)> =
            self.queries.iter().filter(|q| q.n >= 3).filter_map(|q| Some((q.query as usize, q.mean?))).collect();
        let most = large.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
        let fewest = large.iter().copied().reduce(|a, b| if b.1 < a.1 { b } else { a });
        found.extend(most.and_then(|q| self.closest("most alike query", q.0, None)));
        if large.len() > 1 {
            found.extend(fewest.and_then(|q| self.closest("least alike query", q.0, None)));
        }
        let across = || self.pairs.iter().filter(|p| p.model_a != p.model_b && p.mean.is_some());
        let needed = across().map(|p| p.queries).max().unwrap_or(0).min(5);
        let pairs: Vec<&ModelPairRow> = across().filter(|p| p.queries >= needed).collect();
        let most = pairs.iter().copied().reduce(|a, b| if b.mean > a.mean { b } else { a });
        let fewest = pairs.iter().copied().reduce(|a, b| if b.mean < a.mean { b } else { a });
        found.extend(most.and_then(|p| self.closest_of_models("most alike models", p)));
        if pairs.len() > 1 {
            found.extend(fewest.and_then(|p| self.closest_of_models("least alike models", p)));
        }
        found
    }

    /// The summary.
    pub fn summary(&self) -> Summary {
        let corpus = self.corpus;
        let mut left = Vec::new();
        let keep = self.kept();
        let regular: Vec<bool> = keep.iter().zip(self.models).map(|(&k, m)| k && !m.answers_regardless).collect();
        let several = self.sums.models > 1;
        let mut headlines = Vec::new();
        let inter = if several { self.inter(&keep, &regular) } else { None };
        if inter.is_none() {
            let reason = if keep.iter().filter(|&&k| k).count() > 1 {
                "no query was answered by two models"
            } else {
                "one model; needs at least 2"
            };
            left.push(left_out("Similarity of different models", reason));
        }
        headlines.extend(inter);
        if self.repeated {
            headlines.extend(self.intra(&keep, &regular));
            if several {
                headlines.extend(self.nearest());
            } else {
                left.push(left_out("Nearest share", "one model; needs at least 2"));
            }
            if self.topn.is_empty() {
                left.push(left_out("Distinct models in the top N", "no query has more than 5 responses"));
            }
        } else {
            for measure in ["Similarity of one model's answers", "Distinct models in the top N", "Nearest share"] {
                left.push(left_out(measure, ONE_SAMPLE));
            }
        }
        if several {
            headlines.extend(self.ensemble(&mut left));
        } else {
            left.push(left_out("Ensemble gain", "one model; needs at least 2"));
        }
        let vendi: Vec<_> = self.queries.iter().map(|q| q.vendi_1.map_or((0.0, 0.0), |v| (v, 1.0))).collect();
        headlines.extend(self.headline("vendi_1", "Effective number of answers per query", &vendi));
        let duplicates = duplicates::summary(corpus, self.outcome);
        match duplicates.verbatim_share {
            Some(value) => headlines.push(Headline {
                name: "verbatim_share".into(),
                label: "Share of answers that another answer repeats word for word".into(),
                value,
                queries: self.sums.queries.iter().filter(|q| q.cells() > 0).count() as u64,
                ..Headline::default()
            }),
            None => left.push(left_out("Verbatim share", "no text column")),
        }
        let relations = match &self.outcome.histogram {
            Some(histogram) => histogram::summaries(histogram),
            None => {
                left.push(left_out("Similarity histogram", "switched off"));
                Vec::new()
            }
        };
        let mut notes = corpus.notes.clone();
        if self.people.is_empty() {
            notes.push("no people in the corpus: alike, but how much of it is the topic is unknown".into());
        } else if keep.contains(&false) {
            notes.push("headlines on models leave out the people; they stand beside them".into());
        }
        let names = self.models.iter().filter(|m| m.answers_regardless);
        Summary {
            version: 1,
            rows: corpus.len() as u64,
            dim: corpus.dim() as u64,
            queries: corpus.rows.queries.len() as u64,
            models: corpus.rows.models.len() as u64,
            skipped_rows: corpus.skipped,
            floor: self.floor,
            headlines,
            relations,
            near_duplicates: Some(duplicates),
            answers_regardless: names.map(|m| corpus.rows.models.name(m.model).to_string()).collect(),
            top_n: topn::by_size(self.topn),
            intra_bins: intra::mean_bins(self.models.iter().filter_map(|m| m.bins)),
            intra_paper_bins: intra::mean_bins(self.models.iter().filter_map(|m| m.paper_bins)),
            model_order: order::models(self.pairs, self.sums.models),
            left_out: left,
            notes,
            examples: self.examples(),
        }
    }
}
