use super::super::planted;
use super::*;
use crate::base::events::Silent;
use crate::corpus::{Category, Dictionary, Role};

/// 6 queries of models a, b and people, 3 responses each; sources as given, `-` for none.
fn found(sources: [&str; 3], humans: &[&str], queries: usize) -> People {
    let keys = (0..queries * 9).map(|row| (format!("{}", row / 9), ["a", "b", "c"][row % 9 / 3].to_string()));
    let mut corpus = planted::planted(keys, 6).0;
    let names: Vec<String> = (0..corpus.len()).map(|row| sources[row % 9 / 3].to_string()).collect();
    let (dictionary, mut ids) = Dictionary::from_names(&names);
    let none = dictionary.id("-");
    ids.iter_mut().filter(|id| Some(**id) == none).for_each(|id| *id = u32::MAX);
    corpus.rows.categories.insert(Role::Source, Category { dictionary, ids });
    let of_people: Vec<bool> = names.iter().map(|name| humans.contains(&name.as_str())).collect();
    let of_people = if of_people.contains(&true) { of_people } else { Vec::new() };
    let models =
        vec![ModelRow::default(), ModelRow { answers_regardless: true, ..ModelRow::default() }, ModelRow::default()];
    let weights = Weights::new(0, "intervals", 100, queries);
    people(&corpus, &of_people, &models, 0, &weights, &Silent).unwrap()
}

fn names(found: &People) -> Vec<(Option<&str>, Option<&str>)> {
    found.rows.iter().map(|row| (row.source.as_deref(), row.model.as_deref())).collect()
}

#[test]
fn lines_stand_by_source_and_model_and_people_are_one_side() {
    let one = found(["x", "x", "human"], &["human"], 6);
    let want = [(None, None), (Some("human"), None), (Some("x"), None), (Some("x"), Some("a")), (Some("x"), Some("b"))];
    assert_eq!(names(&one), want);
    assert!(one.rows[1].people && one.rows[1].individual.is_none() && one.rows[1].adds.is_some());
    let headlines: Vec<&str> = one.headlines.iter().map(|line| line.name.as_str()).collect();
    let want = ["rho_population", "rho_individual", "nearest_to_models", "nearest_to_people", "source_adds:people"];
    assert_eq!(headlines, want);
    // Model b answers regardless: without it one model alone is left.
    assert!(one.headlines[0].without_regardless.is_none());
    let own = one.rows[3].individual.as_ref().and_then(|parity| parity.rho);
    assert_eq!(one.headlines[1].without_regardless, own);
    // Of 3 + 6 responses the nearest of 2 on either side; 2 sources share 2 responses.
    assert_eq!(one.rows[0].nearest.as_ref().unwrap().n, (2, 2));
    assert_eq!(one.rows[1].adds.as_ref().unwrap().n, (2, 2));
    let both = found(["x", "crowd", "human"], &["human", "crowd"], 6);
    assert_eq!(names(&both)[1], (Some("crowd, human"), None));
    // Models without a source take no part.
    let alone = found(["x", "-", "human"], &["human"], 6);
    assert_eq!(names(&alone).last(), Some(&(Some("x"), Some("a"))));
    assert!(alone.rows[0].population.is_none());
}

/// Where people all say the same, models are not infinitely more varied: there is nothing to divide by.
#[test]
fn rho_is_undefined_where_people_do_not_vary() {
    let keys = (0..54).map(|row| (format!("{}", row / 9), ["a", "b", "c"][row % 9 / 3].to_string()));
    let stream = Stream::new(1, "people who agree");
    let mut corpus = planted::corpus(keys, 6, |row, i| {
        let place = if row % 9 < 6 { row } else { 1000 + row / 9 };
        0.3 + stream.normal(place as u64, i as u64) as f32
    });
    let people_of = |row: usize| row % 9 >= 6;
    let names: Vec<String> = (0..54).map(|row| if people_of(row) { "human" } else { "ai" }.to_string()).collect();
    let (dictionary, ids) = Dictionary::from_names(&names);
    corpus.rows.categories.insert(Role::Source, Category { dictionary, ids });
    let of_people: Vec<bool> = (0..54).map(people_of).collect();
    let weights = Weights::new(0, "intervals", 100, 6);
    let found = people(&corpus, &of_people, &vec![ModelRow::default(); 3], 0, &weights, &Silent).unwrap();
    let all = found.rows[0].population.as_ref().unwrap();
    assert!(all.rho.is_none() && all.rho_ci.is_none() && all.crowding_ci.is_some() && all.people > 0.999_999);
    assert!(found.headlines.iter().all(|line| !line.name.starts_with("rho")));
    assert!(found.left_out.iter().any(|left| left.measure.contains("rho")), "{:?}", found.left_out);
}

#[test]
fn what_the_corpus_lacks_is_named() {
    let left = |found: &People| {
        found.left_out.iter().map(|left| format!("{}: {}", left.measure, left.reason)).collect::<Vec<_>>().join("\n")
    };
    let nobody = found(["x", "y", "y"], &["human"], 6);
    assert!(left(&nobody).contains("no value of the source column is people"), "{}", left(&nobody));
    assert_eq!(names(&nobody), [(Some("x"), None), (Some("y"), None)]);
    let only = found(["human"; 3], &["human"], 6);
    assert!(only.rows.is_empty() && left(&only).contains("people only"), "{}", left(&only));
    let few = found(["x", "x", "human"], &["human"], 4);
    assert!(few.rows[0].individual.as_ref().unwrap().rho_ci.is_none());
    assert!(few.headlines[0].notes[0].contains("fewer than 5 queries"));
}
