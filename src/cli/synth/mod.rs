//! `hivescope synth`: corpora whose true values are known.
//!
//! A planted response is `sqrt(C) e0 + sqrt(B - C) q + sqrt(A - B) c + sqrt(1 - A) r` with one direction `q` a query,
//! `c` a cell (query, model) and `r` a response. Where all directions are orthogonal, the cosine of two responses is
//! A within a cell, B across models of one query and C across queries, exactly.
//!
//! One thing may vary beside ([`Variation`]). With meanings `c` is that of a meaning of the query: each response has one
//! of the K at random, whatever its model, or with probability 1 - H of K others that are its model's alone (the later half
//! of the first L alone, if so many are asked for), and the cosine is A within a meaning, B across meanings. With growth there is no
//! end of meanings: a Pitman-Yor process of discount b gives each response a meaning that was there or a new one. With
//! people, theirs are spread evenly over some of a query's meanings, a model's over others. With contexts a cell is
//! (query, model, context), and part of `c` is common to a model's cells of a query, so that their cosine is S. With stages
//! a cell is (query, model, stage), and B is larger by R at each than at the one before; with two arms only in the first. With a style part T of `c` is common to all of a
//! model's cells, so that its cosine across queries is C + T. With lengths the models write short and long texts in turn,
//! and part D of `q` is common to those of like length only: across lengths the cosine is B - D. With form
//! there are texts: the first characters of each, as many as give 4-gram counts a cosine of F, are its model's, the rest its
//! own, all at random. With refusals the last of a model's answers have one direction in common instead of `q` and `c`,
//! whatever is asked; with copies the first answers of all models but the first are those of the first. With teams a cell is a team's; every second one has `c` taken away, so that its cosine is B, and its
//! quality follows the outcome model.

mod labels;
mod planted;
mod stages;
mod table;
mod truths;
mod variation;

use super::args::{Messages, SynthArgs, SynthKind};
use super::messages;
use crate::base::Error;
use parquet::arrow::ArrowWriter;
pub use planted::{Planted, PlantedRows};
use std::fs::File;
pub use variation::Variation;

/// Runs `synth`.
///
/// # Errors
/// Impossible sizes, or a file that can't be written.
pub fn main(args: &SynthArgs, flags: &Messages) -> anyhow::Result<u8> {
    let SynthKind::Planted = args.kind;
    let planted = Planted {
        queries: args.queries,
        models: args.models,
        samples: args.samples,
        variation: Variation::of(args)?,
        dim: args.dim,
        seed: args.seed,
        within: args.within,
        cross: args.cross,
        floor: args.floor,
    };
    let rows = planted.build()?;
    let (dim, exact) = (rows.dim, rows.exact);
    let batch = planted.table(rows)?;
    let file = File::create(&args.out).map_err(|error| Error::io(&args.out, error))?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    let meanings = match planted.variation {
        Variation::Meanings { meanings, .. } | Variation::Fewer { meanings, .. } => Some(meanings),
        _ => None,
    };
    let rise = if let Variation::Stages { rise, .. } = planted.variation { Some(rise) } else { None };
    let of_models = planted.model_meanings();
    let (growth, rho) = (planted.growth(), planted.rho());
    let by_meaning = planted.classes().is_some();
    let form = if let Variation::Form(form) = planted.variation { Some(form) } else { None };
    let of_texts = planted.of_texts();
    let teams = if let Variation::Teams(coefficients) = planted.variation { Some(coefficients) } else { None };
    if flags.json {
        let (within, cross) =
            if by_meaning { ("within_meanings", "across_meanings") } else { ("intra_mean", "inter_mean") };
        messages::json(&serde_json::json!({
            "type": "synth", "path": args.out.to_string_lossy(), "rows": planted.rows(), "dim": dim, "exact": exact,
            "meanings": meanings, "model_meanings": of_models.map(|of| of[0]), "pooled_meanings": of_models.map(|of| of[1]),
            within: planted.within, cross: planted.cross, "floor": planted.floor,
            "packaging": planted.packaging(), "rise": rise, "growth": growth,
            "rating_lag_slope": growth.map(|_| args.rating_lag), "r2_style": planted.r2_style(),
            "all_lengths": planted.of_all_lengths(),
            "rho_individual": rho.map(|rho| rho[0]), "rho_population": rho.map(|rho| rho[1]),
            "form": form, "teams": teams, "in_time": planted.in_time(),
            "inter_per_stage": planted.per_stage().map(|each| each.0),
            "distinct_per_stage": planted.per_stage().map(|each| each.1),
            "texts": of_texts.map(|lines| lines.map(|(name, value, floor)| {
                serde_json::json!({"name": name, "value": value, "floor": floor})
            })),
        }));
    } else if !flags.quiet {
        let how = if exact { "exact" } else { "approximate: random directions" };
        let (one, several) = if by_meaning { ("meaning", "meanings") } else { ("model", "models") };
        messages::data(&format!(
            "{}: {} rows of dimension {dim}\ntrue mean cosines ({how}): within a {one} and query {}, across {several} {}, \
             across queries {}",
            args.out.display(),
            planted.rows(),
            planted.within,
            planted.cross,
            planted.floor
        ));
        if let Some([own, pooled]) = of_models {
            messages::data(&format!(
                "expected meanings of one model's answers to a query {own:.4}, of as many drawn from all models {pooled:.4}"
            ));
        }
        if let (Variation::Contexts { across, .. }, Some(ratio)) = (planted.variation, planted.packaging()) {
            messages::data(&format!("across contexts {across}, a packaging ratio of {ratio:.4}"));
        }
        if let Some(r2) = planted.r2_style() {
            messages::data(&format!("a style of each model, an adjusted R2_style of {r2:.4}"));
        }
        if let Some(all) = planted.of_all_lengths().filter(|all| all.is_finite()) {
            messages::data(&format!("that across models is of texts of like length; of all pairs it is {all:.4}"));
        }
        if let Some(exponent) = growth {
            messages::data(&format!(
                "meanings grow by an exponent of {exponent:.4} over the last factor of 4; time is ln n\n\
                 ratings lag by {} of the time of their answer",
                args.rating_lag
            ));
        }
        if let Some([individual, population]) = rho.filter(|rho| rho.iter().all(|rho| rho.is_finite())) {
            messages::data(&format!("rho of one model {individual:.4}, of different models {population:.4}"));
        }
        if let Some(form) = form {
            messages::data(&format!(
                "form: 4-grams of one model's answers have a cosine near {form}, of different models' near 0"
            ));
        }
        for (name, value, floor) in of_texts.into_iter().flatten() {
            messages::data(&format!("texts, {}: across models {value:.4}, floor {floor:.4}", name.replace('_', " ")));
        }
        if let Some(coefficients) = teams {
            messages::data(&format!(
                "teams: quality changes by {coefficients:?} with diversity, expertise, their product, log size; every second \
                 team has the cosine across models"
            ));
        }
        if let (Some((inter, distinct)), Some(design)) = (planted.per_stage(), planted.design()) {
            let arm = if design.arms { ", in arm none; in arm critic nothing, so beside none minus that" } else { "" };
            messages::data(&format!(
                "from each of {} stages to the next: {inter} more across models, {distinct} distinct meanings of a model{arm}",
                design.stages()
            ));
        }
        if let Some(change) = planted.in_time() {
            messages::data(&format!(
                "from the first quarter of a query's answers to the last: {change:.4} distinct meanings expected"
            ));
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::similarity::Similarity;

    const PLANTED: Planted = Planted {
        queries: 3,
        models: 2,
        samples: 2,
        variation: Variation::Nothing,
        dim: None,
        seed: 0,
        within: 0.8,
        cross: 0.6,
        floor: 0.1,
    };

    #[test]
    fn the_closed_form_holds() {
        let rows = PLANTED.build().unwrap();
        assert!(rows.exact);
        let row = |i: usize| &rows.values[i * rows.dim..(i + 1) * rows.dim];
        let similarity = Similarity::new();
        for (other, expected) in [(0, 1.0), (1, 0.8), (2, 0.6), (4, 0.1)] {
            let got = similarity.dot(row(0), row(other));
            assert!((got - expected).abs() < 1e-6, "row {other}: {got} is not {expected}");
        }
    }

    /// Rows are (query, model, context or stage, sample).
    #[test]
    fn contexts_and_stages_have_their_cosines() {
        let contexts = |across| Planted { variation: Variation::Contexts { contexts: 2, across }, ..PLANTED };
        let design = stages::Design::default();
        let stages = |rise| Planted { variation: Variation::Stages { rise, design }, ..PLANTED };
        for (planted, pairs) in [
            (
                contexts(0.7),
                [(0, 1, 0.8), (0, 2, 0.7), (0, 4, 0.6), (2, 6, 0.6), (2, 4, 0.6), (0, 8, 0.1), (0, 10, 0.1)],
            ),
            (
                stages(0.15),
                [(0, 1, 0.8), (2, 3, 0.8), (0, 4, 0.6), (2, 6, 0.75), (2, 7, 0.75), (0, 8, 0.1), (2, 10, 0.1)],
            ),
        ] {
            let rows = planted.build().unwrap();
            assert!(rows.exact);
            let row = |i: usize| &rows.values[i * rows.dim..(i + 1) * rows.dim];
            for (a, b, expected) in pairs {
                let got = Similarity::new().dot(row(a), row(b));
                assert!((got - expected).abs() < 1e-6, "rows {a} and {b}: {got} is not {expected}");
            }
        }
        assert_eq!(contexts(0.5).build().unwrap_err().exit_code(), 2);
        assert_eq!(stages(0.25).build().unwrap_err().exit_code(), 2);
    }

    /// Rows are (query, model, arm, iteration, sample).
    #[test]
    fn only_the_first_arm_changes_from_iteration_to_iteration() {
        let design = stages::Design { iterations: Some(3), arms: true };
        let planted = Planted { variation: Variation::Stages { rise: 0.05, design }, ..PLANTED };
        let rows = planted.build().unwrap();
        let row = |i: usize| &rows.values[i * rows.dim..(i + 1) * rows.dim];
        for (a, b, expected) in [(0, 12, 0.6), (2, 14, 0.65), (4, 16, 0.7), (6, 18, 0.6), (10, 22, 0.6), (4, 5, 0.8)] {
            let got = Similarity::new().dot(row(a), row(b));
            assert!((got - expected).abs() < 1e-6, "rows {a} and {b}: {got} is not {expected}");
        }
        let dropped = Planted { variation: Variation::Dropped { dropped: 1, design }, samples: 9, ..PLANTED };
        let classes = dropped.classes().unwrap();
        let distinct = |variant: usize| {
            classes[9 * variant..9 * (variant + 1)].iter().collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!([0, 1, 2, 3, 4, 5].map(distinct), [3, 2, 1, 3, 3, 3]);
        assert_eq!(Planted { samples: 4, ..dropped }.build().unwrap_err().exit_code(), 2);
    }

    /// Rows are (query, model, sample); of three models the first and the last write short texts.
    #[test]
    fn styles_and_lengths_have_their_cosines() {
        let planted = |variation| Planted { variation, models: 3, ..PLANTED };
        for (planted, pairs) in [
            (planted(Variation::Style { style: 0.15 }), [(0, 1, 0.8), (0, 2, 0.6), (0, 6, 0.25), (0, 8, 0.1)]),
            (planted(Variation::Lengths { drop: 0.2 }), [(0, 1, 0.8), (0, 2, 0.4), (0, 4, 0.6), (0, 6, 0.1)]),
        ] {
            let rows = planted.build().unwrap();
            assert!(rows.exact);
            let row = |i: usize| &rows.values[i * rows.dim..(i + 1) * rows.dim];
            for (a, b, expected) in pairs {
                let got = Similarity::new().dot(row(a), row(b));
                assert!((got - expected).abs() < 1e-6, "rows {a} and {b}: {got} is not {expected}");
            }
        }
        assert_eq!(planted(Variation::Style { style: 0.25 }).build().unwrap_err().exit_code(), 2);
        assert_eq!(planted(Variation::Lengths { drop: 0.55 }).build().unwrap_err().exit_code(), 2);
    }

    /// Rows are (query, model, sample): of each model the last refuses, the first of model 1 is that of model 0.
    #[test]
    fn refusals_and_copies_have_their_cosines() {
        let texts =
            |refusals, copies| Planted { variation: Variation::Texts { refusals, copies }, samples: 4, ..PLANTED };
        let planted = texts(0.25, 0.3);
        let rows = planted.build().unwrap();
        assert!(rows.exact);
        let row = |i: usize| &rows.values[i * rows.dim..(i + 1) * rows.dim];
        let pairs =
            [(0, 4, 1.0), (0, 1, 0.8), (1, 4, 0.8), (1, 5, 0.6), (3, 7, 0.8), (3, 11, 0.8), (2, 3, 0.1), (0, 8, 0.1)];
        for (a, b, expected) in pairs {
            let got = Similarity::new().dot(row(a), row(b));
            assert!((got - expected).abs() < 1e-6, "rows {a} and {b}: {got} is not {expected}");
        }
        let [all, _, collapsed, both] = planted.of_texts().unwrap();
        // 16 pairs of models: copy and original, copy with two others, two with the rest of 3 x 3; refusals .8 and 6 x .1.
        let expected = (1.0 + 2.0 * 0.8 + 6.0 * 0.6 + 0.8 + 6.0 * 0.1) / 16.0;
        assert!((all.1 - expected).abs() < 1e-12 && (all.2 - (0.8 + 15.0 * 0.1) / 16.0).abs() < 1e-12, "{all:?}");
        assert!((collapsed.1 - (6.0 * 0.6 + 0.8 + 5.0 * 0.1) / 12.0).abs() < 1e-12, "{collapsed:?}");
        assert!((both.1 - 0.6).abs() < 1e-12 && (both.2 - 0.1).abs() < 1e-12, "{both:?}");
        for (refusals, copies) in [(0.6, 0.6), (-0.1, 0.0), (0.0, f64::NAN), (0.0, 1.5)] {
            assert_eq!(texts(refusals, copies).build().unwrap_err().exit_code(), 2);
        }
    }

    #[test]
    fn the_closed_form_holds_within_and_across_meanings() {
        let planted = Planted { variation: Variation::Meanings { meanings: 3, shared: 1.0 }, samples: 4, ..PLANTED };
        let (rows, classes) = (planted.build().unwrap(), planted.classes().unwrap());
        let row = |i: usize| &rows.values[i * rows.dim..(i + 1) * rows.dim];
        let similarity = Similarity::new();
        // 8 responses a query: with 3 meanings some share one, whatever their models.
        let mut same = 0;
        for (i, j) in (0..24).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let expected = match (i / 8 == j / 8, classes[i] == classes[j]) {
                (false, _) => 0.1,
                (true, false) => 0.6,
                (true, true) => 0.8,
            };
            same += usize::from(expected == 0.8 && i / 4 != j / 4);
            let got = similarity.dot(row(i), row(j));
            assert!((got - expected).abs() < 1e-6, "rows {i} and {j}: {got} is not {expected}");
        }
        assert!(rows.exact && same > 0);
        let none = Planted { variation: Variation::Meanings { meanings: 0, shared: 1.0 }, ..PLANTED };
        assert_eq!(none.build().unwrap_err().exit_code(), 2);
    }

    #[test]
    fn a_small_dimension_comes_near_and_nonsense_is_refused() {
        let rows = Planted { dim: Some(4096), queries: 30, models: 10, samples: 20, ..PLANTED };
        assert!(!Planted { dim: Some(16), ..PLANTED }.build().unwrap().exact);
        assert!(rows.exact_dim() > 4096);
        assert_eq!(Planted { cross: 0.9, ..PLANTED }.build().unwrap_err().exit_code(), 2);
        assert_eq!(Planted { floor: f64::NAN, ..PLANTED }.build().unwrap_err().exit_code(), 2);
    }
}
