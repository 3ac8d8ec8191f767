//! Means over pairs and shares explained, each with what every question contributes to it.
//!
//! Pairs of different questions have a part in two of them, so contributions are those of leaving a question out.

use super::super::intervals::Noise;
use super::super::jackknife::Estimate;
use super::super::sums::{minus, plus};
use super::sums::{OfQuestion, Part, Scalars};

/// Whose pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// One model's.
    Model(u32),
    /// Each model's own.
    OneModel,
    /// Different models'.
    OtherModels,
    /// People's.
    People,
}

fn ratio(pairs: (f64, f64)) -> Option<f64> {
    (pairs.1 > 0.5).then(|| pairs.0 / pairs.1)
}

/// Sum and number of the pairs that a question has.
fn pairs(question: &OfQuestion, of: Of, part: fn(&Part) -> (f64, f64)) -> (f64, f64) {
    let models = || question.models.iter().map(|one| part(&one.1)).fold((0.0, 0.0), plus);
    match of {
        Of::Model(model) => {
            let place = question.models.binary_search_by_key(&model, |one| one.0);
            place.map_or((0.0, 0.0), |place| part(&question.models[place].1))
        }
        Of::OneModel => models(),
        Of::OtherModels => minus(part(&question.together), models()),
        Of::People => part(&question.people),
    }
}

/// Mean over pairs within a question, or with `other` of different questions; `None` if there is no pair.
pub fn mean(questions: &[OfQuestion], of: Of, other: bool) -> Option<Estimate> {
    let part = if other { Part::other } else { Part::same };
    let parts: Vec<(usize, (f64, f64))> = (questions.iter())
        .map(|question| (question.query, pairs(question, of, part)))
        .filter(|(_, pairs)| pairs.1 > 0.5)
        .collect();
    // A pair of questions is met from both.
    let sides = if other { 0.5 } else { 1.0 };
    let all = parts.iter().fold((0.0, 0.0), |t, one| plus(t, one.1));
    let all = (sides * all.0, sides * all.1);
    let value = ratio(all)?;
    let without = parts.iter().map(|(query, part)| (*query, ratio(minus(all, *part)))).collect();
    Some(Estimate::new(value, without))
}

/// How the mean over one model's pairs of different questions, less that over different models', varies where models are
/// alike: in pairs of questions alone, and where models have not all as many responses everywhere by question too.
pub fn noise_between_models(scalars: &Scalars) -> Option<Noise> {
    let questions = &scalars.questions;
    let sum = |of: &dyn Fn(&OfQuestion) -> (f64, f64)| questions.iter().map(of).fold((0.0, 0.0), plus);
    let own = sum(&|question| pairs(question, Of::OneModel, Part::other));
    let other = sum(&|question| pairs(question, Of::OtherModels, Part::other));
    let (mean, reference) = (ratio(own)?, ratio(other)?);
    // Pairs of a question and itself, which both means lack.
    let usual = ratio(sum(&|question| question.together.other()))?;
    let square = |part: &Part| part.square - usual * part.n * part.n;
    let itself = |question: &OfQuestion| {
        let models: f64 = question.models.iter().map(|one| square(&one.1)).sum();
        models / own.1 - (square(&question.together) - models) / other.1
    };
    let in_pairs = scalars.pairs.variance(|common| {
        let rest = minus(common.all, common.own);
        2.0 * (common.own.0 - mean * common.own.1) / own.1 - 2.0 * (rest.0 - reference * rest.1) / other.1
    })?;
    let n = questions.len() as f64;
    let average = questions.iter().map(|question| question.if_alike).sum::<f64>() / n;
    let squares: f64 = questions.iter().map(|question| (question.if_alike - average).powi(2)).sum();
    Some(Noise {
        at_zero: in_pairs + n / (n - 1.0) * squares,
        with_noise: mean - reference + questions.iter().map(itself).sum::<f64>(),
    })
}

/// Share of the variation within questions that models explain.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Style {
    /// R^2 of the model means of rows centred by question.
    pub r2: f64,
    /// Its mean if models were shuffled within each question.
    pub expected: f64,
    /// `(r2 - expected) / (1 - expected)`.
    pub adjusted: Estimate,
}

/// Sums that R^2 and its expectation rest on.
#[derive(Debug, Clone, Copy, Default)]
struct Variation {
    within: f64,
    explained: f64,
    expected: f64,
}

impl Variation {
    fn adjusted(self) -> Option<f64> {
        let rest = self.within - self.expected;
        (rest > 1e-9 * self.within).then(|| (self.explained - self.expected) / rest)
    }
}

/// What a question's rows vary, and by what the sum of n of its N drawn without replacement does: n (N - n) / (N - 1)
/// times the mean square.
fn variation(question: &OfQuestion) -> (f64, impl Fn(f64) -> f64) {
    let all = question.together.n;
    let within = if all > 1.0 { all - question.together.square / all } else { 0.0 };
    let drawn = move |n: f64| if all > 1.0 { n * (all - n) / (all - 1.0) * within / all } else { 0.0 };
    (within, drawn)
}

/// R^2 by model of the rows centred by question; `None` with one model, one question, or nothing left to explain.
pub fn style(scalars: &Scalars) -> Option<Style> {
    let Scalars { questions, centred, .. } = scalars;
    // By model: responses, squared length of the centred sum, its expectation.
    let mut of: Vec<(f64, f64, f64)> = centred.iter().map(|&square| (0.0, square, 0.0)).collect();
    let mut all = Variation::default();
    for question in questions {
        let (within, drawn) = variation(question);
        all.within += within;
        for (model, part) in &question.models {
            let one = &mut of[*model as usize];
            *one = (one.0 + part.n, one.1, one.2 + drawn(part.n));
        }
    }
    let present = of.iter().filter(|one| one.0 > 0.0);
    all.explained = present.clone().map(|one| one.1 / one.0).sum();
    all.expected = present.clone().map(|one| one.2 / one.0).sum();
    if present.count() < 2 || questions.iter().filter(|question| question.together.n > 1.0).count() < 2 {
        return None;
    }
    let value = all.adjusted()?;
    let without = |question: &OfQuestion| {
        let (within, drawn) = variation(question);
        let explained = all.explained + question.left_out;
        let mut left = Variation { within: all.within - within, explained, ..all };
        for (model, part) in &question.models {
            let (n, square, expected) = of[*model as usize];
            let rest = n - part.n;
            left.explained -= square / n;
            left.expected -= expected / n;
            if rest > 0.5 {
                left.explained += square / rest;
                left.expected += (expected - drawn(part.n)) / rest;
            }
        }
        left.adjusted()
    };
    let counted = questions.iter().filter(|question| question.together.n > 1.0);
    let mut adjusted = Estimate::new(value, counted.map(|question| (question.query, without(question))).collect());
    let room = all.within - all.expected;
    let in_pairs = scalars.pairs.variance(|common| 2.0 * common.centred / room);
    adjusted.noise = in_pairs.map(|at_zero| Noise { at_zero, with_noise: all.explained / room });
    Some(Style { r2: all.explained / all.within, expected: all.expected / all.within, adjusted })
}

#[cfg(test)]
mod tests {
    use super::super::super::planted;
    use super::super::Excerpts;
    use super::super::question::Question;
    use super::super::sums::scalars;
    use super::super::vectors::{Content, Form};
    use super::*;
    use crate::base::events::Silent;
    use crate::base::random::Stream;

    /// What a question contributes is what the number is without it, summed up again.
    #[test]
    fn contributions_are_those_of_leaving_a_question_out() {
        let keys: Vec<(String, String)> = [("a", [3, 1, 2]), ("b", [1, 4, 0]), (" A ", [1, 1, 1]), ("c", [2, 2, 2])]
            .iter()
            .flat_map(|(q, counts)| (0..3).flat_map(move |m| vec![(q.to_string(), m.to_string()); counts[m]]))
            .collect();
        let (mut corpus, _) = planted::planted(keys.into_iter(), 5);
        let random = Stream::new(4, "texts");
        let text = |row: usize| -> String {
            let short = if row == 5 { 299 } else { 330 };
            let letter = |i: u64| b"abc de"[random.below(row as u64 % 7, i, 6) as usize] as char;
            (0..short).map(|i| if i == 0 || i + 1 == short { 'x' } else { letter(i) }).collect()
        };
        let texts: Vec<String> = (0..corpus.len()).map(text).collect();
        corpus.rows.excerpts = Some(Excerpts::of_texts(&texts));
        let excerpts = corpus.rows.excerpts.as_ref().unwrap();
        let person = |row: usize| corpus.rows.model[row] == 2;
        let people: Vec<bool> = (0..corpus.len()).map(person).collect();
        let found = || Question::all(&corpus, excerpts, &people, &[true; 3]);
        let (questions, short) = found();
        assert!(short >= 1 && questions.len() == 3, "{short} are short");
        let form = Form::new(&corpus, excerpts);
        let of_form = |questions: &[Question]| scalars(questions, &form, &[&[true; 3]], &Silent).unwrap().remove(0);
        let content = Content(&corpus);
        let of_content =
            |questions: &[Question]| scalars(questions, &content, &[&[true; 3]], &Silent).unwrap().remove(0);
        let without = |left: usize| -> Vec<Question> {
            found().0.into_iter().enumerate().filter(|(place, _)| *place != left).map(|one| one.1).collect()
        };
        for scalars in [&of_form as &dyn Fn(&[Question]) -> Scalars, &of_content] {
            let all = scalars(&questions);
            let parts: Vec<Scalars> = (0..3).map(|left| scalars(&without(left))).collect();
            let agrees = |estimate: &Estimate, values: [f64; 3]| {
                let mean = values.iter().sum::<f64>() / 3.0;
                for (one, value) in estimate.contributions().iter().zip(values) {
                    assert!((one.1.unwrap() - 2.0 / 3.0 * (mean - value)).abs() < 1e-12, "{estimate:?} {values:?}");
                }
                assert_eq!(estimate.units(), 3);
            };
            let mut compared = 0;
            for of in [Of::Model(0), Of::OneModel, Of::OtherModels, Of::People] {
                for other in [true, false] {
                    let estimate = mean(&all.questions, of, other).unwrap();
                    let values = [0, 1, 2].map(|left| mean(&parts[left].questions, of, other).map(|one| one.value));
                    if let (3, [Some(a), Some(b), Some(c)]) = (estimate.units(), values) {
                        agrees(&estimate, [a, b, c]);
                        compared += 1;
                    }
                }
            }
            assert!(compared > 4);
            let values = [0, 1, 2].map(|left| style(&parts[left]).unwrap().adjusted.value);
            agrees(&style(&all).unwrap().adjusted, values);
        }
    }
}
