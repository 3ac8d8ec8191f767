//! Sections B and D: contexts and stages.

use super::Interval;

/// What the similarity across contexts is set against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// The same family in the same context: cells with n >= 2.
    SameContext,
    /// Another family in the same context: one response a cell is enough.
    OtherFamily,
}

impl Against {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SameContext => "same_context",
            Self::OtherFamily => "other_family",
        }
    }

    /// As sentences name it.
    pub fn words(self) -> &'static str {
        match self {
            Self::SameContext => "against the same context",
            Self::OtherFamily => "against other families",
        }
    }
}

/// One line of contexts.parquet: a family, or all of them together, across contexts. Means are over queries, cells
/// (query, family, context) counting equally; floors over pairs of different queries.
#[derive(Debug, Clone, PartialEq)]
pub struct ContextRow {
    /// What `reference` is.
    pub against: Against,
    /// Name of the family; `None` for all together, each query and family counting once.
    pub family: Option<String>,
    /// Names of the contexts.
    pub contexts: Vec<String>,
    /// Fewest responses of a cell.
    pub n: u32,
    /// Queries.
    pub queries: u64,
    /// Mean cosine of pairs of the same query and family, other context.
    pub other_context: f64,
    /// Its floor; `None` if there is one query.
    pub other_context_floor: Option<f64>,
    /// Mean cosine of pairs of the same query and context, of this family or of this and another.
    pub reference: f64,
    /// Its floor.
    pub reference_floor: Option<f64>,
    /// `(other_context - other_context_floor) / (reference - reference_floor)`, never clipped; `None` if the lower limit
    /// of the denominator is under .05 (1 - f).
    pub ratio: Option<f64>,
    /// Interval of `ratio` over queries.
    pub ci: Option<Interval>,
}

/// A mean at two stages, over the same queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// Queries.
    pub queries: u64,
    /// Mean at the earlier stage.
    pub a: f64,
    /// Mean at the later stage.
    pub b: f64,
    /// Interval of `a` over queries, of what is shown with one.
    pub ci_a: Option<Interval>,
    /// Likewise of `b`.
    pub ci_b: Option<Interval>,
    /// Interval of `b - a` over queries.
    pub ci: Option<Interval>,
}

impl Paired {
    /// `b - a`.
    pub fn difference(&self) -> f64 {
        self.b - self.a
    }
}

/// Pairs of texts of like length at two stages (ratio of characters at most 1.25), on the queries that have some at both.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// Share of the pairs that is kept at the earlier stage.
    pub kept_a: f64,
    /// Share kept at the later stage.
    pub kept_b: f64,
    /// Mean cosine of the kept pairs.
    pub matched: Paired,
    /// Mean cosine of all pairs of the same queries.
    pub unmatched: Paired,
}

/// One line of stages.parquet: a stage and a later one. Only families that have both stages of a query count for it.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRow {
    /// Name of the arm; `None` for the mean over arms of every query, each compared within itself.
    pub arm: Option<String>,
    /// Name of the earlier stage.
    pub stage_a: String,
    /// Name of the later stage.
    pub stage_b: String,
    /// Names of the families.
    pub families: Vec<String>,
    /// Mean cosine of different families' responses to the same query, each pair of families counting once; `None` if no
    /// query has two families.
    pub inter: Option<Paired>,
    /// The same for different queries at the earlier stage.
    pub floor_a: Option<f64>,
    /// At the later stage.
    pub floor_b: Option<f64>,
    /// `inter` on pairs of like length; `None` without texts or such pairs.
    pub matched: Option<Matched>,
    /// Mean cosine of a family's own responses to the same query, as many at one stage as at the other; `None` if no
    /// family has 2 at both.
    pub intra: Option<Paired>,
    /// Distinct meanings of a family's responses, rarefied to the same n; `None` without clusters or under 2 responses.
    pub distinct: Option<Paired>,
    /// Hill number of order 2 over that of order 0 at the same n: 1 if all meanings are equally common.
    pub evenness: Option<Paired>,
    /// Slope of the log frequency of meanings over their log rank, of the same number of responses and over the ranks that
    /// both stages have; no intervals: it is biased.
    pub frequency: Option<Paired>,
    /// From where on a response is in the first stage's tail; `None` unless `stage_a` is the first stage, a family has
    /// 5 responses there, and the line is not a mean over arms.
    pub tail_threshold: Option<f64>,
    /// Share of a family's responses in that tail.
    pub tail: Option<Paired>,
    /// Share of the first stage's meanings met again: in its other half, and in as many of the later stage's responses.
    pub coverage: Option<Paired>,
}

/// What is followed over stages and compared between arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Mean cosine of different families' responses.
    Inter,
    /// Mean cosine of a family's own responses.
    Intra,
    /// Distinct meanings at the same n.
    Distinct,
    /// Hill number of order 2 over that of order 0.
    Evenness,
    /// Share of responses in the first stage's tail.
    Tail,
    /// Share of the first stage's meanings met again.
    Coverage,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Inter, Self::Intra, Self::Distinct, Self::Evenness, Self::Tail, Self::Coverage];

    /// As tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inter => "inter",
            Self::Intra => "intra",
            Self::Distinct => "distinct",
            Self::Evenness => "evenness",
            Self::Tail => "tail",
            Self::Coverage => "coverage",
        }
    }

    /// As sentences name it, after `the`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Inter => "similarity of different families’ answers",
            Self::Intra => "similarity of one family’s own answers",
            Self::Distinct => "distinct meanings of one family’s answers",
            Self::Evenness => "evenness of one family’s meanings",
            Self::Tail => "share of answers in the first stage’s tail",
            Self::Coverage => "share of the first stage’s meanings met again",
        }
    }
}

/// What becomes of a quantity over stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Course {
    /// The later stage less the earlier one.
    Change,
    /// The least-squares slope over the stages' numbers.
    Slope,
}

impl Course {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Slope => "slope",
        }
    }
}

/// A number and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimated {
    /// The number.
    pub value: f64,
    /// Its interval over queries.
    pub ci: Option<Interval>,
}

/// One line of trends.parquet: a change or slope of an arm less that of the reference arm, or a slope by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendRow {
    /// Change or slope.
    pub course: Course,
    /// Of what.
    pub quantity: Quantity,
    /// Name of the arm; `None` without arms.
    pub arm: Option<String>,
    /// The arm that it is set against; `None` for a slope by itself.
    pub reference: Option<String>,
    /// Name of the first stage.
    pub stage_a: String,
    /// Name of the last stage.
    pub stage_b: String,
    /// How many stages.
    pub stages: u32,
    /// Names of the families that have all of these stages of a query.
    pub families: Vec<String>,
    /// Whether each family is compared with itself in the other arm; `None` without a reference.
    pub paired: Option<bool>,
    /// Queries.
    pub queries: u64,
    /// The number: of `arm`, less that of `reference`.
    pub difference: Estimated,
    /// In the arm, and in the reference; `None` without a reference.
    pub parts: Option<(Estimated, Estimated)>,
}
