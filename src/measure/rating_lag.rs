//! How far ratings lag behind answers (MEASURES section G). Part of summary.json.
//!
//! The lag of a response is the time of its rating less its own. Ratings that are still to come cannot be seen, and
//! ratings before the answer are no ratings of it: both are counted and take no part.

use super::intervals::total;
use super::intervals::{self, Weights};
use super::tables::left_out;
use super::tables::{Headline, LeftOut, RatingLag};
use super::times::Times;
use crate::corpus::{Corpus, Role};

/// What the corpus says about its ratings' times.
#[derive(Debug, Default)]
pub struct Lag {
    /// Its part of summary.json.
    pub summary: Option<RatingLag>,
    /// The lag.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// The middle value; of two the mean. `values` are sorted by this.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let upper = *values.get(half)?;
    Some(if values.len() % 2 == 1 { upper } else { 0.5 * (values[half - 1] + upper) })
}

/// Sums of a query's rated responses (time t, lag l) for the slope of l on t: `sum (t - mean t)(l - mean l)` and
/// `sum (t - mean t)^2`.
fn covariation(rated: &[(f64, f64)]) -> (f64, f64) {
    let n = rated.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| rated.iter().map(of).sum::<f64>() / n;
    let (time, lag) = (mean(|one| one.0), mean(|one| one.1));
    (rated.iter()).fold((0.0, 0.0), |sum, one| (sum.0 + (one.0 - time) * (one.1 - lag), sum.1 + (one.0 - time).powi(2)))
}

/// Times of answers and of ratings in one unit.
fn times(corpus: &Corpus) -> Result<(Times, Times), String> {
    let rating = Times::of(corpus, Role::RatingTime)?;
    let time = Times::of(corpus, Role::Time)?;
    if time.unit != rating.unit {
        return Err(format!("times are counted in one {}, times of ratings in one {}", time.unit, rating.unit));
    }
    Ok((time, rating))
}

/// The lag of ratings behind the answers of the models in `keep`.
pub fn rating_lag(corpus: &Corpus, keep: &[bool], weights: &Weights) -> Lag {
    let left =
        |reason: &str| Lag { left_out: vec![left_out("Lag of ratings behind answers", reason)], ..Lag::default() };
    let (time, rating) = match times(corpus) {
        Ok(both) => both,
        Err(reason) => return left(&reason),
    };
    let queries = corpus.layout.canonical.len();
    let (mut medians, mut slopes) = (vec![(0.0, 0.0); queries], vec![(0.0, 0.0); queries]);
    let mut found = RatingLag { unit: time.unit.into(), ..RatingLag::default() };
    for query in 0..queries {
        let mut rated = Vec::new();
        for position in corpus.layout.query_positions[query].clone() {
            let row = corpus.layout.row_at[position] as usize;
            if !keep[corpus.rows.model[row] as usize] {
                continue;
            }
            match (time.of_row[row], rating.of_row[row]) {
                (Some(time), Some(rating)) if rating >= time => rated.push((time, rating - time)),
                (Some(_), Some(_)) => found.before += 1,
                (Some(_), None) => found.waiting += 1,
                (None, _) => found.undated += 1,
            }
        }
        found.rated += rated.len() as u64;
        slopes[query] = covariation(&rated);
        let mut lags: Vec<f64> = rated.iter().map(|one| one.1).collect();
        medians[query] = median(&mut lags).map_or((0.0, 0.0), |lag| (lag, 1.0));
    }
    let Some(value) = total(&medians) else { return left("no response is rated after it was written") };
    found.queries = medians.iter().filter(|median| median.1 > 0.0).count() as u64;
    found.value = value;
    found.interval = intervals::ratio(&medians, Some(weights));
    found.slope = total(&slopes);
    found.slope_interval = found.slope.and_then(|_| intervals::ratio(&slopes, Some(weights)));
    let headlines = vec![headline(&found)];
    Lag { summary: Some(found), headlines, left_out: Vec::new() }
}

fn headline(found: &RatingLag) -> Headline {
    let mut notes: Vec<String> = intervals::warning(found.queries as usize).into_iter().collect();
    if let Some(slope) = found.slope {
        notes.push(format!(
            "for each {} that an answer comes later its rating comes {slope:.4} later still",
            found.unit
        ));
    }
    if found.waiting > 0 {
        let (seen, waiting) = (found.rated + found.waiting, found.waiting);
        notes.push(format!("{waiting} of {seen} answers have no rating yet: the lag is at least this"));
    }
    if found.before > 0 {
        notes.push(format!("{} ratings are older than their answers and do not count", found.before));
    }
    Headline {
        name: "rating_lag".into(),
        label: format!(
            "Lag of ratings behind answers, in {}",
            if found.unit == "day" { "days" } else { "units of time" }
        ),
        value: found.value,
        interval: found.interval,
        floor: Some(0.0),
        floor_label: Some("if every answer were rated at once".into()),
        queries: found.queries,
        notes,
        ..Headline::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::random::Stream;
    use crate::corpus::{Category, Dictionary};
    use rayon::prelude::*;

    const EACH: usize = 12;
    const SEEDS: u64 = 1000;

    /// Queries of 12 responses of alternately two models, with times and times of ratings (null: none).
    fn corpus(queries: usize, time: impl Fn(usize) -> String, rating: impl Fn(usize) -> Option<String>) -> Corpus {
        let keys = (0..queries * EACH).map(|row| (format!("{:03}", row / EACH), format!("{}", row % 2)));
        let mut corpus = planted::corpus(keys, 1, |_, _| 1.0);
        let mut put = |role: Role, names: Vec<Option<String>>| {
            let (dictionary, mut ids) =
                Dictionary::from_names(&names.iter().map(|n| n.clone().unwrap_or_default()).collect::<Vec<_>>());
            let kept: Vec<String> = dictionary.names().iter().filter(|name| !name.is_empty()).cloned().collect();
            let shift = u32::from(kept.len() < dictionary.names().len());
            ids.iter_mut().zip(&names).for_each(|(id, name)| *id = name.as_ref().map_or(u32::MAX, |_| *id - shift));
            corpus.rows.categories.insert(role, Category { dictionary: Dictionary::from_names(&kept).0, ids });
        };
        put(Role::Time, (0..queries * EACH).map(|row| Some(time(row))).collect());
        put(Role::RatingTime, (0..queries * EACH).map(rating).collect());
        corpus
    }

    fn found(corpus: &Corpus) -> Lag {
        let queries = corpus.layout.canonical.len();
        rating_lag(corpus, &[true, true], &Weights::new(1, "t", 1000, queries))
    }

    #[test]
    fn the_median_of_two_is_between_them() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }

    #[test]
    fn what_waits_and_what_came_before_are_counted() {
        let rating = |row: usize| match row % EACH {
            0 => None,
            1 => Some("0.5".into()),
            place => Some(format!("{}", 3 * place)),
        };
        let one = found(&corpus(6, |row| format!("{}", row % EACH), rating));
        let summary = one.summary.unwrap();
        assert_eq!((summary.rated, summary.waiting, summary.before, summary.undated), (60, 6, 6, 0));
        // Lags are twice the times 2 to 11.
        assert!((summary.value - 13.0).abs() < 1e-12 && (summary.slope.unwrap() - 2.0).abs() < 1e-12);
        assert!(one.headlines[0].notes.iter().any(|note| note.starts_with("6 of 66 answers have no rating")));
    }

    #[test]
    fn what_is_lacking_is_named() {
        let reason = |lag: Lag| lag.left_out[0].reason.clone();
        let days = corpus(5, |_| "2024-01-01".into(), |_| Some("4".into()));
        assert!(reason(found(&days)).contains("times are counted in one day"));
        let early = corpus(5, |_| "5".into(), |_| Some("4".into()));
        assert!(reason(found(&early)).contains("no response is rated after"));
        let mut none = early;
        none.rows.categories.remove(&Role::RatingTime);
        assert!(reason(found(&none)).contains("no column of rating times"));
        // All at one time: a lag, but nothing that it could grow with.
        let at_once = found(&corpus(5, |_| "5".into(), |_| Some("6".into()))).summary.unwrap();
        assert_eq!((at_once.value, at_once.slope, at_once.slope_interval), (1.0, None, None));
    }

    /// Lags are 3 in the middle and on average, and grow by .25 with time, or do not.
    #[test]
    #[expect(clippy::print_stdout, reason = "what is covered is to be read")]
    fn planted_lags_are_recovered() {
        for (queries, least) in [(10, 91.0), (20, 92.0), (50, 92.5), (100, 92.5)] {
            for slope in [0.0, 0.25] {
                let held: Vec<[bool; 2]> = (0..SEEDS)
                    .into_par_iter()
                    .map(|seed| {
                        let stream = Stream::new(seed, "coverage of lags");
                        let at = |row: usize| (row % EACH) as f64;
                        // Symmetric in time and noise, so that the median is expected at the mean.
                        let noise = |row: usize| stream.uniform(0, row as u64) + stream.uniform(1, (row / EACH) as u64);
                        let rating =
                            |row: usize| Some(format!("{}", at(row) + 2.0 + noise(row) + slope * (at(row) - 5.5)));
                        let summary = found(&corpus(queries, |row| format!("{}", at(row)), rating)).summary.unwrap();
                        let holds = |i: Option<super::super::Interval>, truth: f64| {
                            i.is_some_and(|i| i.low <= truth && truth <= i.high)
                        };
                        [holds(summary.interval, 3.0), holds(summary.slope_interval, slope)]
                    })
                    .collect();
                for (which, name) in ["lag", "its slope"].into_iter().enumerate() {
                    let share = held.iter().filter(|h| h[which]).count() as f64 * 100.0 / SEEDS as f64;
                    println!("{queries} queries, slope {slope}: {name} held in {share:.1} %");
                    assert!((least..=98.0).contains(&share), "{name} {share}");
                }
            }
        }
    }
}
