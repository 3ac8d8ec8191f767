//! What the paper printed, and whose name in a dump is whose in the paper.
//!
//! Source: "Artificial Hivemind", arXiv 2510.22954 (data/README.md). Not here: anything computed from a corpus.

use crate::base::error::printable;
use crate::base::{Error, Result};
use std::collections::BTreeMap;

/// Table 6: percent of 100 queries by bin of intra-model similarity, the highest bin first.
const TABLE_6: &str = include_str!("../../../data/infinity_chat_table6.csv");
/// 17 x 17 block of the inter-model similarity in percent; the diagonal counts each response with itself.
const INTER: &str = include_str!("../../../data/infinity_chat_inter_block.csv");

/// The bins of Table 6 as the paper prints them, the highest first.
pub const BINS: [&str; 10] =
    ["0.9-1.0", "0.8-0.9", "0.7-0.8", "0.6-0.7", "0.5-0.6", "0.4-0.5", "0.3-0.4", "0.2-0.3", "0.1-0.2", "0.0-0.1"];

/// The column "Average" over the 25 models of the main part, the highest bin first.
pub const MAIN_AVERAGE: [f64; 10] = [43.84, 35.24, 12.56, 4.92, 1.92, 0.72, 0.56, 0.20, 0.04, 0.0];
/// The column "Average" over all 79 models, as it is printed.
#[cfg(test)]
const ALL_AVERAGE: [f64; 10] = [33.65, 36.47, 16.29, 7.46, 3.00, 1.54, 1.13, 0.43, 0.04, 0.00];

/// Distinct models among the 50 nearest answers: "about 8", read off Figure 8 (25 models, 50 samples).
pub const DISTINCT_AT_50: f64 = 8.0;
/// Appendix C.4: mean similarity within a prompt and across paraphrases of it (42 models, 30 queries, 20 samples).
pub const PARAPHRASE: [f64; 2] = [0.821, 0.781];
/// Percent of query means above .7 and .8 under min-p decoding.
pub const MIN_P: [f64; 2] = [81.0, 61.2];

/// Queries, samples a model and query, dimension and name of the embedding model.
pub const QUERIES: usize = 100;
/// See [`QUERIES`].
pub const SAMPLES: usize = 50;
/// See [`QUERIES`].
pub const DIM: usize = 1536;
/// See [`QUERIES`].
pub const EMBEDDING_MODEL: &str = "text-embedding-3-small";

/// The published tables.
#[derive(Debug, Clone)]
pub struct Published {
    /// Names of Table 6.
    pub models: Vec<String>,
    /// Percent by bin, the highest first, a model each.
    pub bins: Vec<[f64; 10]>,
    /// Inter-model similarity in percent by places (a <= b) in `models`.
    pub inter: BTreeMap<(usize, usize), f64>,
}

/// A table of numbers: the heads of its columns, and the name and numbers of each line.
fn table(text: &'static str) -> (Vec<&'static str>, Vec<(&'static str, Vec<f64>)>) {
    let mut lines = text.lines();
    let heads = lines.next().map(|heads| heads.split(',').skip(1).collect()).unwrap_or_default();
    let number = |cell: &str| cell.trim().parse().unwrap_or(f64::NAN);
    let line =
        |line: &'static str| line.split_once(',').map(|(name, rest)| (name, rest.split(',').map(number).collect()));
    (heads, lines.filter_map(line).collect())
}

/// What follows the owner of a name, without "Meta-", as the paper's figures have it; lower case.
fn short(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    name.strip_prefix("meta-").map_or(name.clone(), str::to_owned)
}

impl Published {
    /// The tables that come with hivescope.
    pub fn shipped() -> Self {
        let (_, lines) = table(TABLE_6);
        let models: Vec<String> = lines.iter().map(|line| line.0.to_owned()).collect();
        let bins = lines.iter().map(|line| std::array::from_fn(|bin| line.1[bin])).collect();
        let (heads, lines) = table(INTER);
        // The block leaves out owner, "-Instruct" and "-Turbo".
        let place = |head: &str| {
            let head = head.to_lowercase();
            let names = [head.clone(), format!("{head}-instruct"), format!("{head}-instruct-turbo")];
            models.iter().position(|model| names.contains(&short(model)))
        };
        let places: Vec<Option<usize>> = heads.iter().map(|head| place(head)).collect();
        let mut inter = BTreeMap::new();
        for (a, (_, values)) in places.iter().zip(&lines) {
            for (b, &value) in places.iter().zip(values) {
                if let (Some(a), Some(b)) = (a, b) {
                    inter.insert((*a.min(b), *a.max(b)), value);
                }
            }
        }
        Self { models, bins, inter }
    }

    /// For each of `names` (of a dump) the model of Table 6 it is: by `given` pairs (of the dump, of the paper), else
    /// by name. Case, the owner before "/" and "Meta-" do not count, and "/" may be "_", as in the paper's files.
    ///
    /// # Errors
    /// [`Error::Usage`] if no name or a pair of `given` is in neither, or two names are one model.
    pub fn matched(&self, names: &[String], given: &[(String, String)]) -> Result<Vec<Option<usize>>> {
        let named = |name: &str| self.models.iter().position(|model| model == name);
        for (ours, theirs) in given {
            if !names.contains(ours) {
                return Err(Error::Usage(format!("--same {ours}={theirs}: the input has no model `{ours}`")));
            }
            if named(theirs).is_none() {
                let all = self.models.join(", ");
                return Err(Error::Usage(format!("--same {ours}={theirs}: Table 6 has no `{theirs}`; it has {all}")));
            }
        }
        let find = |name: &String| {
            if let Some((_, theirs)) = given.iter().find(|(ours, _)| ours == name) {
                return named(theirs);
            }
            let taken = |place: &usize| !given.iter().any(|(_, theirs)| *theirs == self.models[*place]);
            let same =
                |model: &String| short(model) == short(name) || model.replace('/', "_").eq_ignore_ascii_case(name);
            named(name).or_else(|| self.models.iter().position(same)).filter(taken)
        };
        let found: Vec<Option<usize>> = names.iter().map(find).collect();
        for (i, place) in found.iter().enumerate() {
            if let Some(place) = place
                && let Some(other) = found[..i].iter().position(|before| *before == Some(*place))
            {
                return Err(Error::Usage(format!(
                    "`{}` and `{}` are both {} of Table 6; say which with --same NAME={}",
                    printable(&names[other]),
                    printable(&names[i]),
                    self.models[*place],
                    self.models[*place]
                )));
            }
        }
        if found.iter().all(Option::is_none) {
            let first: Vec<String> = names.iter().take(10).map(|name| printable(name)).collect();
            return Err(Error::Usage(format!(
                "no model of the input is in Table 6 of the paper, by name. The input has {}{}; looked for {}. \
                 Name pairs with --same NAME=PAPER",
                first.join(", "),
                if names.len() > first.len() { ", ..." } else { "" },
                self.models.join(", ")
            )));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_have_the_identities_of_the_paper() {
        let published = Published::shipped();
        assert_eq!((published.models.len(), published.inter.len()), (79, 17 * 18 / 2));
        assert!(TABLE_6.lines().next().unwrap().ends_with(&BINS.join(",")), "the bins stand in this order");
        for (model, bins) in published.models.iter().zip(&published.bins) {
            assert_eq!(bins.iter().sum::<f64>(), 100.0, "{model}");
        }
        for (bin, printed) in ALL_AVERAGE.into_iter().enumerate() {
            let mean = published.bins.iter().map(|bins| bins[bin]).sum::<f64>() / 79.0;
            assert_eq!(format!("{mean:.2}"), format!("{printed:.2}"), "{}", BINS[bin]);
        }
        assert!((MAIN_AVERAGE[0] + MAIN_AVERAGE[1] - 79.08).abs() < 1e-9);
        assert!((MAIN_AVERAGE.iter().sum::<f64>() - 100.0).abs() < 1e-9);
        // A mean of 25 whole numbers is a multiple of 1/25.
        assert!(MAIN_AVERAGE.iter().all(|mean| (mean * 25.0 - (mean * 25.0).round()).abs() < 1e-9));
        let top = |name: &str| published.bins[published.models.iter().position(|model| model == name).unwrap()][0];
        assert_eq!((top("gemini-1.5-flash"), top("Qwen/Qwen2-0.5B-Instruct")), (62.0, 0.0));
    }

    #[test]
    fn the_block_is_symmetric_and_below_its_diagonal() {
        let (heads, lines) = table(INTER);
        for (a, (name, values)) in lines.iter().enumerate() {
            assert_eq!((heads[a], values.len()), (*name, 17));
            for (b, value) in values.iter().enumerate() {
                assert_eq!(*value, lines[b].1[a], "{name}, {}", heads[b]);
                assert!(a == b || *value < values[a], "{name}, {}", heads[b]);
            }
        }
    }

    #[test]
    fn names_match_without_owner_case_and_meta_but_not_without_instruct() {
        let published = Published::shipped();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let dump = ["GPT-4o-2024-11-20", "Qwen_Qwen2.5-7B-Instruct", "meta-llama/Llama-3.1-405B-Instruct-Turbo", "x"];
        let found = published.matched(&names(&dump), &[]).unwrap();
        let found: Vec<Option<&str>> = found.iter().map(|f| f.map(|place| published.models[place].as_str())).collect();
        assert_eq!(
            found,
            [
                Some("gpt-4o-2024-11-20"),
                Some("Qwen/Qwen2.5-7B-Instruct"),
                Some("meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo"),
                None
            ]
        );
        let base = published.matched(&names(&["meta-llama/Llama-3.1-8B", "o1-2024-12-17"]), &[]).unwrap();
        assert_eq!(base[0], None, "a base model is not its chat model");
        let given = [("x".to_owned(), "microsoft/phi-4".to_owned())];
        let found = published.matched(&names(&["x", "phi-4"]), &given).unwrap();
        assert_eq!(found.iter().flatten().count(), 1, "a given pair wins");
        for (dump, given, word) in [
            (&["x", "y"][..], &[][..], "looked for gpt-4o-2024-11-20"),
            (&["phi-4", "microsoft/phi-4"], &[], "both"),
            (&["x"], &[("y", "microsoft/phi-4")], "no model `y`"),
            (&["x"], &[("x", "phi-5")], "no `phi-5`"),
        ] {
            let given: Vec<_> =
                given.iter().map(|pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned())).collect();
            let error = published.matched(&names(dump), &given).unwrap_err();
            assert!(error.exit_code() == 2 && error.to_string().contains(word), "{error}");
        }
    }
}
