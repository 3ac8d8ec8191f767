//! Groups of responses by when they were written, the same for all queries: each time by itself where there are few, else
//! four groups of about equally many responses of the corpus. Responses of one time are never parted.

use super::super::intervals::{self, Weights};
use super::super::tables::{Group, Meanings, Periods, PeriodsChange};
use super::super::times::Times;
use super::NONE;
use crate::corpus::{Corpus, Dictionary, Role};

/// Most times that are a group each.
pub const MOST: usize = 6;
/// Groups of more times.
const GROUPS: usize = 4;

/// For some times in order, given by how many responses they have, the group of each: the one that holds the middle of its
/// responses, were all of them shared out in order.
fn groups(counts: &[usize]) -> Vec<usize> {
    if counts.len() <= MOST {
        return (0..counts.len()).collect();
    }
    let all: usize = counts.iter().sum();
    let mut before = 0;
    let mut found: Vec<usize> = (counts.iter())
        .map(|&count| {
            let twice_the_middle = 2 * before + count;
            before += count;
            (GROUPS * twice_the_middle / (2 * all)).min(GROUPS - 1)
        })
        .collect();
    // A time with very many responses may leave a group without any.
    let mut used = found.clone();
    used.dedup();
    found.iter_mut().for_each(|group| *group = used.partition_point(|other| other < group));
    found
}

/// The groups of a corpus, and the one of each row (`u32::MAX` for none).
///
/// # Errors
/// Why there are none.
pub fn periods(corpus: &Corpus) -> Result<(Periods, Vec<u32>), String> {
    let times = Times::new(corpus)?;
    let category = corpus.rows.categories.get(&Role::Time).ok_or("no time column")?;
    // By value: (value, id of the first of its names, responses).
    let mut of_name: Vec<Option<(f64, u32, usize)>> = vec![None; category.dictionary.len()];
    for (&id, time) in category.ids.iter().zip(&times.of_row) {
        if let Some(time) = time {
            of_name[id as usize].get_or_insert((*time, id, 0)).2 += 1;
        }
    }
    let mut known: Vec<(f64, u32, usize)> = of_name.into_iter().flatten().collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let values: Vec<(f64, u32, usize)> = (known.chunk_by(|a, b| a.0 == b.0))
        .map(|same| (same[0].0, same[0].1, same.iter().map(|one| one.2).sum()))
        .collect();
    let group_of = groups(&values.iter().map(|value| value.2).collect::<Vec<_>>());
    if group_of.last().is_none_or(|&last| last == 0) {
        return Err("one time; needs at least 2".into());
    }
    let text = |value: &(f64, u32, usize)| category.dictionary.name(value.1).trim().to_owned();
    let mut names = Vec::new();
    let placed: Vec<_> = group_of.iter().zip(&values).collect();
    for members in placed.chunk_by(|a, b| a.0 == b.0) {
        let (first, last) = (text(members[0].1), text(members[members.len() - 1].1));
        names.push(if members.len() == 1 { first } else { format!("{first} to {last}") });
    }
    let (dictionary, order) = Dictionary::from_names(&names);
    let period = |time: &Option<f64>| {
        let place = time.map(|time| values.partition_point(|value| value.0 < time))?;
        Some(order[group_of[place]])
    };
    let of_row = times.of_row.iter().map(|time| period(time).unwrap_or(NONE)).collect();
    Ok((Periods { names: dictionary, order }, of_row))
}

/// Distinct meanings in the last group less those in the first, of the queries that have both.
pub fn change(meanings: &Meanings, queries: usize, weights: &Weights) -> Option<PeriodsChange> {
    let chosen = meanings.labels.iter().position(|labels| labels.chosen)?;
    let order = &meanings.periods.order;
    let (first, last) = (*order.first()?, *order.last()?);
    let mut found: Vec<[Option<f64>; 2]> = vec![[None; 2]; queries];
    for row in meanings.rows.iter().filter(|row| row.labels == chosen) {
        let Group::Time(id) = row.group else { continue };
        let ends = [first, last].into_iter().zip(&mut found[row.query as usize]);
        ends.filter(|(end, _)| *end == id).for_each(|(_, value)| *value = Some(row.hill.zero));
    }
    let terms: Vec<(f64, f64)> =
        found.iter().map(|[a, b]| a.zip(*b).map_or((0.0, 0.0), |(a, b)| (b - a, 1.0))).collect();
    let (sum, used) = terms.iter().fold((0.0, 0.0), |t, term| (t.0 + term.0, t.1 + term.1));
    (used > 0.0).then(|| PeriodsChange {
        from: meanings.periods.names.name(first).to_owned(),
        to: meanings.periods.names.name(last).to_owned(),
        queries: used as u64,
        value: sum / used,
        interval: intervals::ratio(&terms, Some(weights)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::planted;
    use super::*;
    use crate::corpus::Category;

    /// Names of the groups in the order of time, and the group of each row.
    fn found(times: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
        let mut corpus = planted::planted(times.iter().map(|_| ("q".into(), "m".into())), 2).0;
        let names: Vec<String> = times.iter().map(|name| (*name).to_owned()).collect();
        let (dictionary, ids) = Dictionary::from_names(&names);
        corpus.rows.categories.insert(Role::Time, Category { dictionary, ids });
        let (periods, of_row) = periods(&corpus)?;
        let name = |&id: &u32| periods.names.name(id).to_owned();
        Ok((periods.order.iter().map(name).collect(), of_row.iter().map(name).collect()))
    }

    #[test]
    fn few_times_are_a_group_each_in_their_order() {
        let (order, of_row) = found(&["10", "9", "2024", "9", "9.0"]).unwrap();
        assert_eq!(order, ["9", "10", "2024"]);
        assert_eq!(of_row, ["10", "9", "2024", "9", "9"]);
        assert!(found(&["7", "7"]).unwrap_err().contains("one time"));
    }

    #[test]
    fn many_times_make_four_groups_and_ties_stay_together() {
        let days: Vec<String> = (1..=20).map(|day| format!("2024-01-{day:02}")).collect();
        let (order, of_row) = found(&days.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert_eq!(order[0], "2024-01-01 to 2024-01-05");
        assert_eq!((order.len(), of_row[19].as_str()), (4, "2024-01-16 to 2024-01-20"));
        assert_eq!(groups(&[1, 1, 1, 1, 1, 1, 1, 1]), [0, 0, 1, 1, 2, 2, 3, 3]);
        // Half of all responses have one time, so that two groups are left of the middle ones.
        assert_eq!(groups(&[1, 1, 1, 20, 1, 1, 1, 10]), [0, 0, 0, 1, 2, 2, 2, 3]);
        assert_eq!(groups(&[30, 1, 1, 1, 1, 1, 1]), [0, 1, 1, 1, 1, 1, 1]);
    }
}
