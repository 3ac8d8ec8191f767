//! The summary: headline numbers with what they must be read with, what was left out, examples.

use super::adjusted::Method;
use super::ensemble;
use super::intervals::{self, OfQuery, Weights, total};
use super::moves::Moves;
use super::nearest;
use super::sums::{QuerySums, Sums, plus};
use super::tables::{
    EnsembleSummary, Headline, Interval, LeftOut, Meanings, ModelPairRow, ModelRow, ONE_SAMPLE, QueryRow, Summary,
    TopNRow, VariationSummary, left_out,
};
use super::view::View;
use super::{MeasureSettings, duplicates, examples, floors, histogram, intra, order, topn};
use crate::compute::PairOutcome;
use crate::corpus::{Corpus, Role};
use rayon::prelude::*;

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
    /// meanings.parquet.
    pub meanings: &'a Meanings,
    /// What headlines rest on: the models, without people where there are models beside them.
    pub view: &'a View,
    /// The same without models that answer regardless of the query; `None` if there is none.
    pub regular: Option<&'a View>,
    /// How the models' adjusted means were made comparable.
    pub compared: Method,
    /// Corpus floor.
    pub floor: Option<f64>,
    /// How the mean squared similarity of unrelated answers moves with each query.
    pub squares: Moves,
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

/// Models that are not people throughout (all models if there is nobody else).
pub fn kept(corpus: &Corpus, people: &[bool]) -> Vec<bool> {
    let mut kept = vec![people.is_empty(); corpus.rows.models.len()];
    for (&model, &person) in corpus.rows.model.iter().zip(people) {
        kept[model as usize] |= !person;
    }
    if kept.contains(&true) { kept } else { vec![true; kept.len()] }
}

impl Parts<'_> {
    /// A headline of a ratio of sums over queries; `None` if no query has a term.
    pub fn headline(&self, name: &str, label: &str, terms: &[(f64, f64)]) -> Option<Headline> {
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

    /// A headline of a share of responses.
    fn share(&self, name: &str, label: &str, terms: &[(f64, f64)]) -> Option<Headline> {
        let interval = intervals::share(terms, Some(self.weights));
        Some(Headline { interval, ..self.headline(name, label, terms)? })
    }

    /// Interval of the intra (`same`) or inter headline for models in general.
    fn models_too(&self, keep: &[bool], same: bool) -> Option<Interval> {
        let of_query = |query: &QuerySums| {
            let cells: Vec<usize> = (0..query.cells()).filter(|&a| keep[query.models[a] as usize]).collect();
            let mut parts: Vec<(usize, (f64, f64))> =
                cells.iter().map(|&a| (query.models[a] as usize, (0.0, 0.0))).collect();
            let mut all = (0.0, 0.0);
            for (i, &a) in cells.iter().enumerate() {
                if same {
                    parts[i].1 = query.pairs(a, a);
                    all = plus(all, parts[i].1);
                    continue;
                }
                for (j, &b) in cells.iter().enumerate().skip(i + 1) {
                    let pair = query.pairs(a, b);
                    all = plus(all, pair);
                    parts[i].1 = plus(parts[i].1, pair);
                    parts[j].1 = plus(parts[j].1, pair);
                }
            }
            parts.retain(|part| part.1.1 > 0.0);
            OfQuery { all, models: parts }
        };
        intervals::two_way(&self.sums.queries.par_iter().map(of_query).collect::<Vec<_>>())
    }

    fn inter(&self) -> Option<Headline> {
        let keep = &self.view.keep;
        let terms: Vec<_> = self.sums.queries.iter().map(|q| q.inter(keep)).collect();
        let label = "Similarity of different models' answers to the same query";
        let mut headline = self.headline("inter_mean", label, &terms)?;
        headline.interval_models_too = self.models_too(keep, false);
        headline.floor = floors::corpus(self.sums, keep);
        headline.floor_label = Some("answers of different models to different queries".into());
        headline.human = total(&self.sums.queries.iter().map(|q| q.people).collect::<Vec<_>>());
        headline.without_regardless =
            self.without(|view| self.sums.queries.iter().map(|q| q.inter(&view.keep)).collect());
        Some(headline)
    }

    fn intra(&self) -> Option<Headline> {
        let keep = &self.view.keep;
        let terms: Vec<_> = self.sums.queries.iter().map(|q| q.intra(keep)).collect();
        let label = "Similarity of one model's answers to the same query";
        let mut headline = self.headline("intra_mean", label, &terms)?;
        headline.interval_models_too = self.models_too(keep, true);
        headline.floor = floors::same_model(self.sums, keep);
        headline.floor_label = Some("answers of one model to different queries".into());
        headline.without_regardless =
            self.without(|view| self.sums.queries.iter().map(|q| q.intra(&view.keep)).collect());
        Some(headline)
    }

    /// A ratio of sums over queries, without models that answer regardless of the query.
    pub fn without(&self, terms: impl Fn(&View) -> Vec<(f64, f64)>) -> Option<f64> {
        total(&terms(self.regular?))
    }

    fn nearest(&self) -> Vec<Headline> {
        let terms = |view: &View| {
            view.shares.iter().map(|s| s.map_or((0.0, 0.0), |s| (s.credit, s.responses))).collect::<Vec<_>>()
        };
        let nulls: Vec<_> = self.view.shares.iter().map(|s| s.map_or((0.0, 0.0), |s| (s.null, s.responses))).collect();
        let label = "Share of answers whose nearest other answer to the query is by another model";
        let mut found = Vec::new();
        if let Some(mut headline) = self.share("nearest_other_model", label, &terms(self.view)) {
            headline.floor = total(&nulls);
            headline.floor_label = Some("if models could not be told apart".into());
            headline.without_regardless = self.without(terms);
            found.push(headline);
        }
        if let Some(whole) = nearest::whole_corpus(self.corpus, self.outcome, &self.sums.counts) {
            let by_model = "Share of answers whose nearest other answer in the corpus is by another model";
            let by_query = "Share of answers whose nearest other answer in the corpus is to another query";
            for (name, label, terms, null) in [
                ("nearest_other_model_corpus", by_model, &whole.other_model, whole.model_null),
                ("nearest_other_query_corpus", by_query, &whole.other_query, whole.query_null),
            ] {
                let Some(mut headline) = self.share(name, label, terms) else { continue };
                headline.floor = Some(null);
                headline.floor_label = Some("if answers could not be told apart".into());
                found.push(headline);
            }
        }
        found
    }

    fn worth(&self) -> Option<Headline> {
        let both = |view: &View| -> Vec<(f64, f64, f64)> {
            let one = |squares| ensemble::worth(squares, view.unrelated);
            let queries = view.effects.queries.iter().map(|q| one(&q.squares));
            queries.map(|w| w.map_or((0.0, 0.0, 0.0), |(v, u)| (v, u.unwrap_or(0.0), 1.0))).collect()
        };
        let terms = |view: &View| both(view).iter().map(|t| (t.0, t.2)).collect::<Vec<_>>();
        let label = "What the models' answers to one query are worth, in unrelated answers";
        let mut headline = self.headline("models_worth", label, &terms(self.view))?;
        if self.view.unrelated.is_some() {
            headline.floor = total(&both(self.view).iter().map(|t| (t.1, t.2)).collect::<Vec<_>>());
            headline.floor_label = Some("as many models' answers to different queries".into());
        }
        headline.without_regardless = self.without(terms);
        Some(headline)
    }

    fn ensemble(&self, left: &mut Vec<LeftOut>) -> Option<Headline> {
        if !self.repeated {
            left.push(left_out("Ensemble gain", ONE_SAMPLE));
            return self.worth();
        }
        let terms = |view: &View| -> Vec<(f64, f64)> {
            let one = |query: usize| Some((view.gain(query)?.gain - 1.0, view.gain(query)?.unrelated? - 1.0));
            (0..view.effects.queries.len()).map(|query| one(query).unwrap_or((0.0, 0.0))).collect()
        };
        let defined: Vec<(f64, f64)> = (0..self.sums.queries.len())
            .filter_map(|query| self.view.gain(query).and_then(|g| Some((g.gain, g.unrelated?))))
            .collect();
        let count = defined.len() as f64;
        if count == 0.0 {
            left.push(left_out("Ensemble gain", "no query has two models with at least 4 responses each to compare"));
            return None;
        }
        let gain = defined.iter().map(|g| g.0).sum::<f64>() / count;
        let unrelated = defined.iter().map(|g| g.1).sum::<f64>() / count;
        if unrelated < 1.1 {
            let reason = "the gain of unrelated answers is under 1.1, so a share of it says nothing";
            left.push(left_out("Ensemble gain", reason));
            return None;
        }
        let label = "Variety gained by asking several models, as a share of what unrelated answers would gain";
        let mut headline = self.headline("ensemble_gain", label, &terms(self.view))?;
        headline.queries = defined.len() as u64;
        // Unrelated answers may gain less than one model's alone in some query.
        let carried = self.squares.carried(&terms(self.view), self.of_squares());
        headline.interval = intervals::quotient_of(&carried, Some(self.weights));
        headline.floor = Some(1.0);
        headline.floor_label = Some("each model answering a different query".into());
        headline.without_regardless = self.without(terms);
        headline.notes.push(format!("mean gain {gain:.3}, of unrelated answers {unrelated:.3}"));
        Some(headline)
    }

    /// What the ensemble gain grows by with the mean squared similarity of unrelated answers, over .1 % of that more and less.
    fn of_squares(&self) -> f64 {
        let Some(unrelated) = self.view.unrelated else { return 0.0 };
        let at = |unrelated: f64| {
            let gain = |one: &super::effective::Effective| ensemble::gain(&one.squares, Some(unrelated));
            let gains = self.view.effects.queries.iter().filter_map(gain);
            let sums =
                gains.fold((0.0, 0.0), |t, one| (t.0 + one.gain - 1.0, t.1 + one.unrelated.unwrap_or(1.0) - 1.0));
            sums.0 / sums.1
        };
        let step = 1e-3 * unrelated;
        (at(unrelated + step) - at(unrelated - step)) / (2.0 * step)
    }

    fn effective_number(&self) -> Option<Headline> {
        let terms = |view: &View| -> Vec<(f64, f64)> {
            let value = |query| view.vendi(query).map_or((0.0, 0.0), |v| (v.one, 1.0));
            (0..view.effects.queries.len()).map(value).collect()
        };
        let mut headline = self.headline("vendi_1", "Effective number of answers per query", &terms(self.view))?;
        headline.without_regardless = self.without(terms);
        Some(headline)
    }

    fn verbatim(&self) -> Option<Headline> {
        let terms = |view: &View| -> Vec<(f64, f64)> {
            let terms = duplicates::verbatim_terms(self.corpus, &view.keep).unwrap_or_default();
            terms.iter().map(|t| (t.0, t.2)).collect()
        };
        let label = "Share of answers that another answer repeats word for word";
        let mut headline = self.share("verbatim_share", label, &terms(self.view))?;
        headline.without_regardless = self.without(terms);
        Some(headline)
    }

    /// How models were made comparable, if they answered different queries.
    fn compared(&self) -> Option<String> {
        match self.compared {
            Method::Common(common, all) if common < all => {
                Some(format!("models are compared on the {common} of {all} queries that all of them have"))
            }
            Method::Common(..) => None,
            Method::Additive(common) => Some(format!(
                "models have only {common} queries in common: they are compared by means adjusted for the queries"
            )),
            Method::Unconnected => Some("models that share no query are not compared".into()),
        }
    }

    /// The summary.
    pub fn summary(&self) -> Summary {
        let corpus = self.corpus;
        let mut left = Vec::new();
        let keep = &self.view.keep;
        let several = self.sums.models > 1;
        let mut headlines = Vec::new();
        let inter = if several { self.inter() } else { None };
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
            headlines.extend(self.intra());
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
        let (found, meanings) = self.meanings(&mut left);
        headlines.extend(found);
        headlines.extend(self.effective_number());
        let duplicates = duplicates::summary(corpus, self.outcome);
        match duplicates.verbatim_share {
            Some(_) => headlines.extend(self.verbatim()),
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
        notes.extend(self.compared());
        notes.extend(self.drawn());
        let names = self.models.iter().filter(|m| m.answers_regardless);
        let kept = || self.models.iter().filter(|m| keep[m.model as usize]);
        let mean =
            |of: &dyn Fn(&ModelRow) -> Option<f64>| intra::mean_bins(kept().filter_map(of).map(|x| [x])).map(|[x]| x);
        Summary {
            version: 1,
            rows: corpus.len() as u64,
            dim: corpus.dim() as u64,
            queries: corpus.rows.queries.len() as u64,
            models: corpus.rows.models.len() as u64,
            skipped_rows: corpus.skipped,
            floor: self.floor,
            floors: floors::all(self.sums),
            headlines,
            relations,
            near_duplicates: Some(duplicates),
            answers_regardless: names.map(|m| corpus.rows.models.name(m.model).to_string()).collect(),
            top_n: topn::by_size(self.topn),
            intra_bins: intra::mean_bins(kept().filter_map(|m| m.bins)),
            intra_bins_underflow: mean(&|m| m.bins_underflow),
            intra_paper_bins: intra::mean_bins(kept().filter_map(|m| m.paper_bins)),
            intra_share_ge_0_8: mean(&|m| m.share_ge_0_8),
            meanings,
            // The measures that have these fill them.
            ensemble: EnsembleSummary::default(),
            variation: VariationSummary::default(),
            texts: None,
            length: None,
            most_alike_next: None,
            growth: None,
            rating_lag: None,
            form: None,
            teams: None,
            map: None,
            model_order: order::models(self.pairs, self.sums.models),
            left_out: left,
            notes,
            examples: examples::examples(corpus, self.sums, (self.queries, self.pairs), self.settings.seed),
        }
    }
}
