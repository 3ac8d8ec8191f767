//! Whether a text reads like a refusal: a list of rules of our own, on the beginning of the text.
//!
//! English only, by wording only: it neither knows whether the answer was due nor reads past the beginning. A text that
//! quotes such words at its beginning counts too.

/// Normalised characters that are looked at.
const BEGINNING: usize = 200;

/// Words that are a refusal wherever they stand in the beginning. As [`UNABLE`] they begin with the word `i`.
const REFUSALS: [&str; 13] = [
    "i must decline",
    "i have to decline",
    "i must respectfully decline",
    "i respectfully decline",
    "i decline to",
    "i must refuse",
    "i refuse to",
    "i'd rather not",
    "i would rather not",
    "i'm not comfortable",
    "i am not comfortable",
    "i don't feel comfortable",
    "i do not feel comfortable",
];

/// Words for not being able or willing, which are a refusal together with an act.
const UNABLE: [&str; 12] = [
    "i can't",
    "i cannot",
    "i can not",
    "i'm unable to",
    "i am unable to",
    "i'm not able to",
    "i am not able to",
    "i'm not allowed to",
    "i am not allowed to",
    "i won't",
    "i will not",
    "i do not have the ability to",
];

/// What an assistant would have to do; one of the [`REACH`] words after [`UNABLE`].
const ACTS: [&str; 24] = [
    "access",
    "accommodate",
    "answer",
    "assist",
    "browse",
    "comply",
    "complete",
    "create",
    "discuss",
    "engage",
    "fulfil",
    "fulfill",
    "generate",
    "give",
    "help",
    "offer",
    "participate",
    "perform",
    "produce",
    "provide",
    "respond",
    "share",
    "support",
    "write",
];

/// Words in which an act must follow, as in `i cannot in good conscience help`.
const REACH: usize = 4;

/// Words with which a text begins that apologises for not answering.
const APOLOGIES: [&str; 8] = [
    "i'm sorry, but i",
    "i am sorry, but i",
    "sorry, but i",
    "i'm sorry, i can",
    "i'm sorry but i",
    "sorry, i can't",
    "i apologize, but i",
    "i apologise, but i",
];

/// Whether a normalised text (white space folded, lower case) begins like a refusal.
pub fn is_refusal(normal: &str) -> bool {
    let end = normal.char_indices().nth(BEGINNING).map_or(normal.len(), |(end, _)| end);
    let beginning = normal[..end].replace(['\u{2018}', '\u{2019}'], "'");
    // Where the word `i` stands.
    let speaker = beginning.match_indices('i').filter(|&(at, _)| {
        let before = beginning[..at].chars().next_back();
        matches!(beginning.as_bytes().get(at + 1), Some(b' ' | b'\'')) && !before.is_some_and(char::is_alphanumeric)
    });
    let acts = |rest: &str| {
        let mut words = rest.split_whitespace().take(REACH);
        !rest.trim_start().starts_with("help but")
            && words.any(|word| ACTS.contains(&word.trim_end_matches(|c: char| !c.is_alphanumeric())))
    };
    let refuses = |said: &str| {
        REFUSALS.iter().any(|words| said.starts_with(words))
            || UNABLE.iter().any(|words| said.strip_prefix(words).is_some_and(acts))
    };
    APOLOGIES.iter().any(|words| beginning.starts_with(words)) || speaker.map(|(at, _)| &beginning[at..]).any(refuses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::layout::normalise_text;

    #[test]
    fn refusals_are_told_from_answers() {
        for text in [
            "I’m sorry, but I can’t help with that.",
            "As an AI language model, I cannot in good conscience\nprovide instructions.",
            "I must respectfully decline.",
            "Unfortunately I am unable to browse the web.",
            "I won't write that.",
        ] {
            assert!(is_refusal(&normalise_text(text)), "{text}");
        }
        let late = format!("{} I cannot help with that.", "An answer of many words. ".repeat(12));
        for text in [
            "",
            "I'm sorry to hear that your cat is ill. Here is what you can do:",
            "I can't help but smile when I think of it.",
            "I can't wait to tell you: the answer is 4.",
            "You cannot assist him, but Mr Can't can.",
            "The word \"decline\" has several senses.",
            &late,
        ] {
            assert!(!is_refusal(&normalise_text(text)), "{text}");
        }
    }
}
