//! The tables and figures on answers to the queries as they were asked: Table 6, similarities of models, Figure 8.

use super::line::Line;
use super::published::{BINS, DISTINCT_AT_50, MAIN_AVERAGE, Published, SAMPLES};
use super::{ReproduceSettings, Reproduction, differs, pca};
use crate::base::error::printable;
use crate::base::{Error, Observer, Result};
use crate::corpus::Corpus;
use crate::corpus::layout::normalise_text;
use crate::measure::intervals::{self, RESAMPLES, Weights};
use crate::measure::sums::Sums;
use crate::measure::tables::{Interval, IntraRow, ModelRow};
use crate::measure::{inter, intra, topn};

/// The tables on answers to the queries as they were asked.
pub struct Tables<'a> {
    /// Answers to the queries as they were asked, at top-p.
    pub corpus: &'a Corpus,
    /// What the paper printed.
    pub published: &'a Published,
    /// What was asked for.
    pub settings: &'a ReproduceSettings,
    /// Place in Table 6 of each model.
    matched: Vec<Option<usize>>,
    /// Whether the paper has it.
    pub kept: Vec<bool>,
}

impl<'a> Tables<'a> {
    /// # Errors
    /// [`Error::Usage`] if no model is one of the paper's.
    pub fn new(corpus: &'a Corpus, published: &'a Published, settings: &'a ReproduceSettings) -> Result<Self> {
        let names = corpus.rows.models.names();
        let given: Vec<_> = settings.same.iter().filter(|(ours, _)| names.contains(ours)).cloned().collect();
        let matched = published.matched(names, &given)?;
        let kept = matched.iter().map(Option::is_some).collect();
        Ok(Self { corpus, published, settings, matched, kept })
    }

    /// Adds all of them to what is done.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no such query, [`Error::Interrupted`].
    pub fn fill(&self, done: &mut Reproduction, observer: &dyn Observer) -> Result<()> {
        done.differs.extend(differs::differs(self));
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
    pub fn samples(&self) -> Option<(usize, usize)> {
        let cells = self.corpus.layout.cells.iter().flatten().filter(|cell| self.kept[cell.model as usize]);
        let counts = cells.map(|cell| cell.positions.len());
        counts.fold(None, |ends, n| Some(ends.map_or((n, n), |(low, high): (usize, usize)| (low.min(n), high.max(n)))))
    }
}
