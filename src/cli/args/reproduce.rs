//! `reproduce`: whose tables, and what the dump and the ratings call things.

use super::InputSettings;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What `reproduce` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Paper {
    /// "Artificial Hivemind", arXiv 2510.22954
    InfinityChat,
}

/// `reproduce`.
#[derive(Debug, Clone, Args)]
pub struct ReproduceArgs {
    /// Whose tables and figures
    #[arg(value_enum, value_name = "PAPER")]
    pub paper: Paper,
    /// Parquet files, directories or quoted globs
    #[arg(required_unless_present = "ratings", value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Result directory to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace DIR if it is a result of hivescope
    #[arg(long)]
    pub overwrite: bool,
    /// A model of the input and its name in the paper, where they are not alike; may be given again
    #[arg(long, value_name = "NAME=PAPER", help_heading = "Paper")]
    pub same: Vec<String>,
    /// What made the vectors; the paper has text-embedding-3-small
    #[arg(long, value_name = "NAME", help_heading = "Paper")]
    pub embedding_model: Option<String>,
    /// Column that tells top-p from min-p decoding
    #[arg(long, value_name = "COLUMN", help_heading = "Paper")]
    pub decoding: Option<String>,
    /// Its values that are min-p, separated by commas, in any case
    #[arg(
        long,
        value_name = "VALUES",
        value_delimiter = ',',
        default_value = "min-p,min_p,minp",
        help_heading = "Paper"
    )]
    pub min_p: Vec<String>,
    /// Values of the context column that are the query as it was asked, separated by commas; the others are paraphrases
    #[arg(
        long,
        value_name = "VALUES",
        value_delimiter = ',',
        default_value = "original,default,0",
        help_heading = "Paper"
    )]
    pub original: Vec<String>,
    /// Query whose answers to put on two principal components
    #[arg(long, value_name = "QUERY", help_heading = "Paper")]
    pub query_pca: Option<String>,
    /// Parquet file of human ratings of responses or of pairs of them
    #[arg(long, value_name = "FILE", help_heading = "Ratings")]
    pub ratings: Option<String>,
    /// Its column of lists of labels [default: human_labels, labels, ratings or annotations]
    #[arg(long, value_name = "COLUMN", help_heading = "Ratings")]
    pub rating_labels: Option<String>,
    /// Its counts for the first response, for the second, and of ties [default: count_1,count_2,count_tie]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Ratings")]
    pub rating_counts: Option<Vec<String>>,
    /// Its columns of scores by models, separated by commas; of pairs NAME for NAME_1 and NAME_2
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Ratings")]
    pub rating_scores: Vec<String>,
    /// Input and machine.
    #[command(flatten)]
    pub input: InputSettings,
}
