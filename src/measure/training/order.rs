//! The order of training stages.

use crate::corpus::Dictionary;

/// Some stages in order, each with its number: base, sft, rl (0, 1, 2), or numbers ascending; `None` if they are neither.
pub fn ordered(names: &Dictionary, mut ids: Vec<u32>) -> Option<Vec<(u32, f64)>> {
    let known = |name: &str| ["base", "sft", "rl"].iter().position(|stage| name.trim().eq_ignore_ascii_case(stage));
    let number = |name: &str| name.trim().parse::<f64>().ok().filter(|step| step.is_finite());
    let place = |of: &dyn Fn(&str) -> Option<f64>| ids.iter().map(|&id| of(names.name(id))).collect::<Option<Vec<_>>>();
    let places = place(&|name| known(name).map(|place| place as f64)).or_else(|| place(&number))?;
    let mut order: Vec<(u32, f64)> = ids.drain(..).zip(places).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_come_in_the_order_of_training_or_of_steps() {
        let order = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let dictionary = Dictionary::from_names(&names).0;
            let ids = ordered(&dictionary, (0..dictionary.len() as u32).collect())?;
            Some(ids.into_iter().map(|(id, at)| (dictionary.name(id).to_owned(), at)).collect::<Vec<_>>())
        };
        let some = |of: &[(&str, f64)]| Some(of.iter().map(|one| (one.0.to_owned(), one.1)).collect::<Vec<_>>());
        assert_eq!(order(&["rl", "SFT", "base"]), some(&[("base", 0.0), ("SFT", 1.0), ("rl", 2.0)]));
        assert_eq!(order(&["1000", "20", "3e2"]), some(&[("20", 20.0), ("3e2", 300.0), ("1000", 1000.0)]));
        assert_eq!(order(&["base", "20"]), None);
        assert_eq!(order(&["nan", "20"]), None);
    }
}
