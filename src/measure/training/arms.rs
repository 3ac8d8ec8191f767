//! The arms of a training experiment, such as with and without a critic, and which of them is the reference.

use super::super::variants::{self, Variants};
use crate::corpus::{Corpus, Dictionary, Role};

/// Names that say of an arm that nothing was added in it; the first of these that an arm has, upper case, dashes and
/// underscores aside, makes it the reference.
pub const PLAIN: [&str; 16] = [
    "none",
    "no critic",
    "without critic",
    "without a critic",
    "without",
    "no",
    "control",
    "baseline",
    "reference",
    "base",
    "plain",
    "vanilla",
    "default",
    "off",
    "false",
    "0",
];

/// The arms of a corpus.
pub struct Arms<'a> {
    corpus: &'a Corpus,
    people: &'a [bool],
    names: &'a Dictionary,
    of_row: &'a [u32],
    /// Ids, the reference first, then by name.
    pub ids: Vec<u32>,
    /// By arm and family, whether the family has responses in it.
    has: Vec<Vec<bool>>,
}

/// The reference first, then by name.
fn in_order(names: &Dictionary, mut ids: Vec<u32>) -> Vec<u32> {
    let plain = |id: &u32| {
        let name = names.name(*id).trim().to_lowercase().replace(['-', '_'], " ");
        PLAIN.iter().position(|known| *known == name)
    };
    let reference = ids.iter().copied().filter(|id| plain(id).is_some()).min_by_key(plain);
    ids.sort_by_key(|&id| (Some(id) != reference, id));
    ids
}

impl<'a> Arms<'a> {
    /// The arms of the rows that have a family and a stage, and that no person wrote.
    ///
    /// # Errors
    /// Why there is nothing to compare.
    pub fn new(corpus: &'a Corpus, people: &'a [bool]) -> Result<Self, &'static str> {
        let categories = &corpus.rows.categories;
        let arm = categories.get(&Role::Arm).ok_or("no arm column")?;
        let stage = categories.get(&Role::Stage).ok_or("no stage column")?;
        let (families, family) = variants::families(corpus);
        let names = &arm.dictionary;
        let mut has = vec![vec![false; families.len()]; names.len()];
        for (row, &family) in family.iter().enumerate() {
            let person = people.get(row).copied().unwrap_or(false);
            if let Some(has) = has.get_mut(arm.ids[row] as usize)
                && let Some(has) = has.get_mut(family as usize)
            {
                *has |= !person && stage.ids[row] != u32::MAX;
            }
        }
        let ids = (0..names.len() as u32).filter(|&id| has[id as usize].contains(&true)).collect();
        let arms = Self { corpus, people, names, of_row: &arm.ids, ids: in_order(names, ids), has };
        match arms.ids.len() {
            0 => Err("the arm column is empty"),
            1 => Err("one arm; needs at least 2 (a null is no arm of its own: it belongs to all)"),
            _ => Ok(arms),
        }
    }

    /// Name of an arm.
    pub fn name(&self, id: u32) -> &'a str {
        self.names.name(id)
    }

    /// The cells of one arm: its rows, and those without an arm (a stage before arms part) of families that it has.
    pub fn variants(&self, id: u32) -> Option<Variants<'a>> {
        let (_, family) = variants::families(self.corpus);
        let has = &self.has[id as usize];
        Variants::of_rows(self.corpus, Role::Stage, |row| {
            let common = self.of_row[row] == u32::MAX && has.get(family[row] as usize).copied().unwrap_or(false);
            !self.people.get(row).copied().unwrap_or(false) && (self.of_row[row] == id || common)
        })
    }

    /// Names of the families with stages that are in no arm.
    pub fn outside(&self, cells: &Variants<'_>) -> Vec<String> {
        let mut ids: Vec<u32> = cells.cells().iter().map(|cell| cell.family).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|&family| !self.has.iter().any(|arm| arm[family as usize]));
        ids.into_iter().map(|family| cells.families.name(family).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_the_arm_without_anything() {
        let order = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let dictionary = Dictionary::from_names(&names).0;
            let ids = in_order(&dictionary, (0..dictionary.len() as u32).collect());
            ids.into_iter().map(|id| dictionary.name(id).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(order(&["critic", "No_Critic"]), ["No_Critic", "critic"]);
        assert_eq!(order(&["a", "baseline", "none"]), ["none", "a", "baseline"]);
        assert_eq!(order(&["true", "false"]), ["false", "true"]);
        assert_eq!(order(&["without-critic", "with-critic"]), ["without-critic", "with-critic"]);
        assert_eq!(order(&["b", "a"]), ["a", "b"]);
    }
}
