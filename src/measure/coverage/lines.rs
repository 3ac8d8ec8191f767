//! Every interval of a result by name.

use super::super::tables::{Interval, Measures, Nearest, Paired, Parity, SourceRow};

/// A number with its interval; joint intervals are several, which hold together or not at all.
#[derive(Debug, Clone)]
pub struct Line {
    /// Section and name.
    pub name: String,
    /// Numbers and their intervals.
    pub parts: Vec<(f64, Option<Interval>)>,
}

fn of_interval(i: Interval) -> f64 {
    (i.low + i.high) / 2.0
}

/// Lines while they are gathered.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn put(&mut self, name: impl Into<String>, value: f64, interval: Option<Interval>) {
        self.0.push(Line { name: name.into(), parts: vec![(value, interval)] });
    }

    fn paired(&mut self, name: &str, paired: Option<&Paired>) {
        if let Some(of) = paired {
            // Of other levels no interval is shown.
            if name == "inter" {
                self.put(format!("D {name}, first stage"), of.a, of.ci_a);
                self.put(format!("D {name}, later stage"), of.b, of.ci_b);
            }
            self.put(format!("D {name}, change"), of.difference(), of.ci);
        }
    }

    fn parity(&mut self, name: &str, parity: Option<&Parity>) {
        if let Some(of) = parity {
            self.0.extend(of.rho.map(|rho| Line { name: format!("H rho, {name}"), parts: vec![(rho, of.rho_ci)] }));
            self.put(format!("H crowding, {name}"), of.crowding(), of.crowding_ci);
        }
    }

    fn nearest(&mut self, nearest: Option<&Nearest>) {
        if let Some(of) = nearest {
            self.put("H nearest, from people", of.people_difference(), of.people_ci);
            self.put("H nearest, from models", of.models_difference(), of.models_ci);
        }
    }
}

/// The section of a headline that no table has with its interval; `None` for those that one has.
fn section(headline: &str) -> Option<char> {
    let own = ["packaging", "stage_", "rho_", "nearest_to_", "source_adds"];
    match headline {
        _ if own.iter().any(|start| headline.starts_with(start)) => None,
        "distinct_meanings" | "model_meanings" | "class_meanings" | "adjusted_rand" => Some('C'),
        "growth" | "inflation" => Some('G'),
        _ => Some('A'),
    }
}

/// All lines of a result.
pub fn lines(found: &Measures) -> Vec<Line> {
    let mut all = Lines::default();
    let summary = &found.summary;
    for line in &summary.headlines {
        if let Some(section) = section(&line.name) {
            all.put(format!("{section} {}", line.name), line.value, line.interval);
        }
    }
    if let Some(of) = &summary.ensemble.order_1 {
        all.put("A ensemble gain of order 1", of.value, of.interval);
    }
    if let Some(texts) = &summary.texts {
        texts.shares.iter().for_each(|of| all.put(format!("A share of texts: {}", of.name), of.value, of.interval));
        texts.lines.iter().skip(1).for_each(|of| all.put(format!("A inter_mean, {}", of.name), of.value, of.interval));
    }
    if let Some(length) = &summary.length {
        let (ratio, shorter) = (length.ratio.as_ref(), length.shorter.as_ref());
        ratio.into_iter().for_each(|of| all.put("A rank correlation with length ratio", of.mean, of.interval));
        shorter.into_iter().for_each(|of| all.put("A rank correlation with shorter length", of.mean, of.interval));
        if let Some(of) = &length.like_length {
            all.put("A inter_mean at like length", of.value, of.interval);
            all.put("A inter_mean beside like length", of.all_pairs, of.all_pairs_interval);
            all.put("A like length, difference", of.difference, of.difference_interval);
        }
    }
    let first = &found.models[0];
    all.put("A intra_mean of a model", first.intra_mean.unwrap_or(f64::NAN), first.intra_ci);
    all.put("C distinct meanings of a model", first.distinct.unwrap_or(f64::NAN), first.distinct_ci);
    let joint = |of: &dyn Fn(&super::super::tables::ModelRow) -> Option<Interval>| {
        found.models.iter().map(|row| (of(row).map_or(f64::NAN, of_interval), of(row))).collect()
    };
    all.0.push(Line { name: "A with_others, joint".into(), parts: joint(&|row| row.with_others_joint) });
    all.0.push(Line { name: "A intra_mean of models, joint".into(), parts: joint(&|row| row.intra_joint) });
    for pair in found.model_pairs.iter().filter(|pair| (pair.model_a, pair.model_b) == (0, 1)) {
        all.put("A mean of two models", pair.mean.unwrap_or(f64::NAN), pair.ci);
    }
    for row in &found.contexts {
        let whose = if row.family.is_some() { "of a family" } else { "of all" };
        if row.family.as_deref().is_none_or(|family| family == "0") {
            let name = format!("B packaging {}, {whose}", row.against.words());
            all.put(name, row.ratio.unwrap_or(f64::NAN), row.ci);
        }
    }
    if let Some(meanings) = &summary.meanings {
        for line in meanings.curve.iter().filter(|line| !line.labels.chosen && line.labels.tau.is_some()) {
            let c = line.labels.c.unwrap_or(f64::NAN);
            all.put(format!("C distinct meanings at c = {c:.1}"), line.distinct, line.interval);
        }
        for of in &meanings.groups {
            all.put(format!("C distinct meanings of a {}, {}", of.kind, of.name), of.distinct, of.interval);
        }
    }
    for row in &found.stages {
        all.paired("inter", row.inter.as_ref());
        all.paired("inter at like length", row.matched.as_ref().map(|of| &of.matched));
        all.paired("intra", row.intra.as_ref());
        all.paired("distinct meanings", row.distinct.as_ref());
        all.paired("evenness", row.evenness.as_ref());
        all.paired("tail", row.tail.as_ref());
        all.paired("meanings met again", row.coverage.as_ref());
    }
    if let Some(growth) = &summary.growth {
        for of in &growth.sources {
            all.put(format!("G growth of {}", of.name.as_deref().unwrap_or_default()), of.exponent, of.interval);
        }
    }
    let everyone: Vec<&SourceRow> = found.sources.iter().filter(|row| row.model.is_none()).collect();
    for row in everyone.iter().filter(|row| row.source.is_none()) {
        all.parity("individual", row.individual.as_ref());
        all.parity("population", row.population.as_ref());
        all.nearest(row.nearest.as_ref());
    }
    for adds in everyone.iter().filter(|row| row.people).filter_map(|row| row.adds.as_ref()) {
        all.put("H what people add", adds.adds(), adds.ci);
    }
    all.0
}
