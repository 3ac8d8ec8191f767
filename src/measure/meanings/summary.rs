//! Headlines and the curve of distinct meanings.

use super::super::intervals;
use super::super::intervals::total;
use super::super::summary::Parts;
use super::super::tables::{Headline, Interval, Labels, LeftOut, MeaningsLine, MeaningsSummary};
use super::super::tables::{ONE_SAMPLE, left_out};
use super::super::view::View;
use super::adjusted_rand::Agreement;
use super::cut::{interval, slope};
use super::{LEAST_PER_1000, MOST, OfQuery, groups, periods};

type Terms = Vec<(f64, f64)>;

/// One value a query, where it has one.
fn terms(view: &View, labels: usize, value: impl Fn(&OfQuery) -> Option<f64>) -> Terms {
    view.meanings[labels].iter().map(|query| value(query).map_or((0.0, 0.0), |value| (value, 1.0))).collect()
}

fn distinct(view: &View, labels: usize) -> Terms {
    terms(view, labels, |query| query.all.map(|all| all.hill.zero))
}

/// Sums over the models of a query, and how many they are.
fn of_models(view: &View, labels: usize) -> Terms {
    view.meanings[labels].iter().map(|query| query.models).collect()
}

/// As many as there are responses.
fn most(query: &OfQuery) -> f64 {
    query.all.map_or(0.0, |all| f64::from(all.seen.n))
}

/// As many as there are responses, over the models of a query.
fn most_of_models(query: &OfQuery) -> f64 {
    query.models.1 * f64::from(query.at_n)
}

fn pooled(view: &View, labels: usize) -> Terms {
    view.meanings[labels].iter().map(|query| (query.models.1 * query.pooled, query.models.1)).collect()
}

/// Agreement found and possible: nothing where labellings are all together or all apart.
fn shared(view: &View, labels: usize) -> Terms {
    view.meanings[labels].iter().map(|q| q.agreement.map_or((0.0, 0.0), |a| (a.found, a.possible))).collect()
}

/// Least and most of some numbers.
fn range(values: impl Iterator<Item = u32> + Clone) -> Option<(u32, u32)> {
    Some((values.clone().min()?, values.max()?))
}

/// `at 10 answers` or `at 2 to 10 answers`.
fn at((least, most): (u32, u32), of: &str) -> String {
    if least == most { format!("at {least} answers {of}") } else { format!("at {least} to {most} answers {of}") }
}

fn cut(labels: Labels) -> String {
    match labels {
        Labels { c: Some(c), tau: Some(tau), .. } => {
            format!("clusters cut at a mean cosine of {tau:.3}, {:.0} % of the way from the floor to 1", 100.0 * c)
        }
        Labels { tau: Some(tau), .. } => format!("clusters cut at a mean cosine of {tau:.3}"),
        _ => "by the given classes".into(),
    }
}

impl Parts<'_> {
    /// Headlines on distinct meanings and the curve over the cuts; what can't be told goes to `left`.
    pub fn meanings(&self, left: &mut Vec<LeftOut>) -> (Vec<Headline>, Option<MeaningsSummary>) {
        let labels = &self.meanings.labels;
        let chosen = labels.iter().position(|one| one.chosen);
        let classes = labels.iter().position(|one| one.tau.is_none());
        let name = "Distinct meanings";
        if chosen.is_none() {
            left.push(left_out(
                name,
                "no floor below 1 to cut from: answers to at least 2 queries that differ, or --tau",
            ));
        }
        if classes.is_none() {
            left.push(left_out("Distinct meanings by given classes", "no class column"));
        }
        let curve: Vec<MeaningsLine> = (0..labels.len()).filter_map(|at| self.line(at)).collect();
        if curve.is_empty() {
            if !labels.is_empty() {
                left.push(left_out(name, "no query has 2 responses"));
            }
            return (Vec::new(), None);
        }
        let all = |labels: usize| self.view.meanings[labels].iter().filter_map(|query| query.all);
        if !(0..labels.len()).any(|at| all(at).any(|all| all.seen.chao1().is_some())) {
            left.push(left_out("Chao1", "no query has a meaning that occurs twice"));
        }
        if !(0..labels.len()).any(|at| all(at).any(|all| all.seen.n >= LEAST_PER_1000)) {
            left.push(left_out("Distinct meanings in 1,000 answers", "no query has 500 responses"));
        }
        if !self.repeated {
            left.push(left_out("Distinct meanings of one model", ONE_SAMPLE));
        }
        if let Err(reason) = periods::periods(self.corpus) {
            left.push(left_out("Distinct meanings by time", &reason));
        }
        let first = chosen.unwrap_or(0);
        let n = range(all(first).map(|all| all.seen.n)).unwrap_or_default();
        let repeated = self.view.meanings[first].iter().map(|query| query.at_n).filter(|&n| n > 0);
        let summary = MeaningsSummary {
            tau: chosen.and_then(|at| labels[at].tau),
            c: chosen.and_then(|at| labels[at].c),
            n,
            model_n: range(repeated),
            curve,
            groups: groups::others(self.corpus, self.meanings, self.sums.queries.len(), self.weights),
            in_time: periods::change(self.meanings, self.sums.queries.len(), self.weights),
        };
        let mut headlines = Vec::new();
        if let Some(at) = chosen {
            headlines.extend(self.distinct("distinct_meanings", at, n));
            headlines.extend(self.of_one_model(at, summary.model_n));
        }
        if let Some(at) = classes {
            headlines.extend(self.distinct("class_meanings", at, n));
            headlines.extend(chosen.and_then(|at| self.agreement(at)));
        }
        (headlines, Some(summary))
    }

    /// The interval of a number of labels at a labelling, with what the floor does to its cut; by query there are at `most` so
    /// many.
    fn at_cut(&self, at: usize, terms: impl Fn(usize) -> Terms, most: fn(&OfQuery) -> f64) -> Option<Interval> {
        let slope = slope(self.meanings, at, |at| total(&terms(at)));
        let most: Vec<f64> = self.view.meanings[at].iter().map(most).collect();
        interval(self.meanings, (&terms(at), &most), slope, (1.0, self.weights))
    }

    /// A headline at a labelling.
    fn of_cut(
        &self,
        (name, label): (&str, &str),
        at: usize,
        terms: impl Fn(usize) -> Terms,
        most: fn(&OfQuery) -> f64,
    ) -> Option<Headline> {
        let mut headline = self.headline(name, label, &terms(at))?;
        headline.interval = self.at_cut(at, terms, most);
        Some(headline)
    }

    fn distinct(&self, name: &str, labels: usize, n: (u32, u32)) -> Option<Headline> {
        let label = match (name, self.several(), self.repeated) {
            ("class_meanings", ..) => "Given classes among all answers to one query",
            (_, true, false) => "Distinct meanings among the models' answers to one query",
            (_, true, true) => "Distinct meanings among all answers to one query",
            (_, false, _) => "Distinct meanings among one model's answers to one query",
        };
        let of = |labels| distinct(self.view, labels);
        let mut headline = self.of_cut((name, label), labels, of, most)?;
        headline.without_regardless = self.without(|view| distinct(view, labels));
        headline.notes.push(format!("{}; {}", at(n, "a query"), cut(self.meanings.labels[labels])));
        Some(headline)
    }

    /// Beside as many answers drawn from all models; one model alone has the headline above.
    fn of_one_model(&self, labels: usize, n: Option<(u32, u32)>) -> Option<Headline> {
        let n = n.filter(|_| self.several())?;
        let label = "Distinct meanings among one model's answers to one query";
        let of = |labels| of_models(self.view, labels);
        let mut headline = self.of_cut(("model_meanings", label), labels, of, most_of_models)?;
        headline.floor = total(&pooled(self.view, labels));
        headline.floor_label = Some("as many answers drawn from all models".into());
        headline.without_regardless = self.without(|view| of_models(view, labels));
        headline.notes.push(format!("{}; {}", at(n, "a model"), cut(self.meanings.labels[labels])));
        Some(headline)
    }

    fn agreement(&self, labels: usize) -> Option<Headline> {
        let at = |labels| terms(self.view, labels, |query| query.agreement.map(Agreement::index));
        let of = |view: &View| terms(view, labels, |query| query.agreement.map(Agreement::index));
        let label = "Agreement of the clusters with the given classes (adjusted Rand index)";
        let name = "adjusted_rand";
        let mut headline = self.headline(name, label, &at(labels))?;
        let slope = slope(self.meanings, labels, |labels| total(&at(labels)));
        let found = intervals::ratio(&self.meanings.floor.carried(&at(labels), slope), Some(self.weights));
        headline.interval = found.map(|found| Interval { low: found.low.max(-1.0), high: found.high.min(1.0) });
        headline.floor = Some(0.0);
        headline.floor_label = Some("if clusters were drawn at random".into());
        headline.without_regardless = self.without(of);
        headline.notes.push(cut(self.meanings.labels[labels]));
        let alone = self.one_class();
        if alone > 0 {
            headline.notes.push(format!(
                "it can only be 0 or 1 in the {alone} queries with a single class; by what there is to agree on, of all \
                 queries together, {:.3}",
                total(&shared(self.view, labels)).unwrap_or_default()
            ));
        }
        Some(headline)
    }

    /// Queries whose answers have one given class.
    fn one_class(&self) -> usize {
        let classes = self.meanings.labels.iter().position(|labels| labels.tau.is_none());
        let one = |query: &&OfQuery| query.all.is_some_and(|all| all.seen.distinct == 1);
        classes.map_or(0, |labels| self.view.meanings[labels].iter().filter(one).count())
    }

    /// Whether the headlines rest on more than one model.
    fn several(&self) -> bool {
        self.view.keep.iter().filter(|&&kept| kept).count() > 1
    }

    /// One labelling; `None` if no query has 2 responses.
    fn line(&self, labels: usize) -> Option<MeaningsLine> {
        let view = self.view;
        let mean = |value: &dyn Fn(&OfQuery) -> Option<f64>| total(&terms(view, labels, value));
        let models = of_models(view, labels);
        Some(MeaningsLine {
            labels: self.meanings.labels[labels],
            queries: view.meanings[labels].iter().filter(|query| query.all.is_some()).count() as u64,
            distinct: total(&distinct(view, labels))?,
            interval: self.at_cut(labels, |at| distinct(view, at), most),
            hill_1: mean(&|query| query.all.map(|all| all.hill.one))?,
            hill_2: mean(&|query| query.all.map(|all| all.hill.two))?,
            coverage: mean(&|query| query.all.map(|all| all.seen.coverage()))?,
            chao1: mean(&|query| query.all.and_then(|all| all.seen.chao1())),
            chao1_queries: (view.meanings[labels].iter())
                .filter(|query| query.all.is_some_and(|all| all.seen.chao1().is_some()))
                .count() as u64,
            per_1000: mean(&|query| query.all.and_then(|all| all.per_1000)),
            model: total(&models),
            model_interval: self.at_cut(labels, |at| of_models(view, at), most_of_models),
            pooled: total(&pooled(view, labels)),
            adjusted_rand: mean(&|query| query.agreement.map(Agreement::index)),
            adjusted_rand_shared: total(&shared(view, labels)),
        })
    }

    /// What to say of queries too large to be worked whole.
    pub fn drawn(&self) -> Option<String> {
        let large = self.corpus.layout.query_positions.iter().filter(|positions| positions.len() > MOST).count();
        (large > 0).then(|| {
            format!(
                "{large} queries have more than {MOST} responses: of each, {MOST} drawn by --seed are clustered, and as many \
                 asked for their nearest answers"
            )
        })
    }
}
