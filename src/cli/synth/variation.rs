//! What varies in a planted corpus: one flag, one variant.

use super::stages::Design;
use crate::base::{Error, Result};
use crate::cli::args::SynthArgs;

/// What varies beside queries and models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Variation {
    /// Nothing.
    Nothing,
    /// So many meanings a query, which responses have whatever their model, and as many of each model's own.
    Meanings {
        /// How many.
        meanings: usize,
        /// Share of the responses that have one of those in common.
        shared: f64,
    },
    /// Meanings grow as n^b with the number of responses n, whatever their model, at times ln n.
    Growth {
        /// b.
        exponent: f64,
        /// By how much of its time a response's rating is later.
        lag: f64,
    },
    /// One more model is people.
    People {
        /// Meanings over which a model's responses are spread.
        modes: usize,
        /// Meanings over which people's are.
        people: usize,
    },
    /// Each model answers in so many contexts.
    Contexts {
        /// How many.
        contexts: usize,
        /// Cosine across contexts of one model and query.
        across: f64,
    },
    /// Of so many meanings a query, whatever the model, only some are left in the later half of a query's responses.
    Fewer {
        /// Meanings of the earlier half.
        meanings: usize,
        /// Meanings of the later half.
        later: usize,
    },
    /// Each model has stages; some meanings have two responses each, all others one meaning in common. At the last stage
    /// only this one is left.
    Dropped {
        /// Meanings that each stage after the first loses.
        dropped: usize,
        /// Stages and arms.
        design: Design,
    },
    /// Each model has stages.
    Stages {
        /// By how much each after the first raises the cosine across models.
        rise: f64,
        /// Stages and arms.
        design: Design,
    },
    /// Each model has a style, the same in all queries.
    Style {
        /// By how much that raises a model's cosine across queries.
        style: f64,
    },
    /// Models write short and long texts in turn.
    Lengths {
        /// By how much the cosine across models is lower where lengths differ.
        drop: f64,
    },
    /// Each model's texts begin alike: the cosine of their 4-grams.
    Form(f64),
    /// Some answers refuse, alike whatever is asked, and some of a model's repeat the first model's.
    Texts {
        /// Share of each model's answers that refuse.
        refusals: f64,
        /// Share of the answers of each model but the first that are copies.
        copies: f64,
    },
    /// Each cell is a team's: coefficients of diversity, expertise, their product, log size.
    Teams([f64; 4]),
}

impl Variation {
    /// What the flags ask for.
    ///
    /// # Errors
    /// [`Error::Usage`] if that is more than one.
    pub fn of(args: &SynthArgs) -> Result<Self> {
        let teams = match &args.teams {
            None => None,
            Some(given) => Some(Self::Teams(given.as_slice().try_into().map_err(|_| {
                Error::Usage("--teams takes four numbers: diversity, expertise, product, log size".into())
            })?)),
        };
        let design = Design { iterations: args.iterations, arms: args.arms };
        if design != Design::default() && args.drop.is_none() && args.rise.is_none() {
            return Err(Error::Usage("--iterations and --arms go with --rise or --drop".into()));
        }
        let wanted = [
            args.meanings.map(|meanings| match args.later {
                Some(later) => Self::Fewer { meanings, later },
                None => Self::Meanings { meanings, shared: args.shared },
            }),
            args.growth.map(|exponent| Self::Growth { exponent, lag: args.rating_lag }),
            args.people.map(|people| Self::People { modes: args.modes, people }),
            (args.contexts != 1).then_some(Self::Contexts { contexts: args.contexts, across: args.across }),
            args.drop.map(|dropped| Self::Dropped { dropped, design }),
            args.rise.map(|rise| Self::Stages { rise, design }),
            args.style.map(|style| Self::Style { style }),
            args.lengths.map(|drop| Self::Lengths { drop }),
            args.form.map(Self::Form),
            args.refusals
                .or(args.copies)
                .map(|_| Self::Texts { refusals: args.refusals.unwrap_or(0.0), copies: args.copies.unwrap_or(0.0) }),
            teams,
        ];
        let mut wanted = wanted.into_iter().flatten();
        let first = wanted.next().unwrap_or(Self::Nothing);
        if wanted.next().is_some() {
            let flags = "--meanings, --growth, --people, --contexts, --drop, --rise, --style, --lengths, --form, --refusals with \
                         --copies, and --teams";
            return Err(Error::Usage(format!("only one of {flags} can be planted in a corpus")));
        }
        Ok(first)
    }
}
