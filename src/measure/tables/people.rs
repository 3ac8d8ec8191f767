//! Section H: people beside models.

use super::Interval;

/// Models beside people: means over queries of cosines to the same query.
#[derive(Debug, Clone, PartialEq)]
pub struct Parity {
    /// Queries that both have.
    pub queries: u64,
    /// Mean cosine of the models' responses.
    pub models: f64,
    /// Mean cosine of people's responses.
    pub people: f64,
    /// `sum (1 - models) / sum (1 - people)`; `None` if people's responses are all equal.
    pub rho: Option<f64>,
    /// Interval of `rho` over queries, that of its logarithm.
    pub rho_ci: Option<Interval>,
    /// Interval of `models - people` over queries.
    pub crowding_ci: Option<Interval>,
}

impl Parity {
    /// Excess crowding: `models - people`.
    pub fn crowding(&self) -> f64 {
        self.models - self.people
    }
}

/// Distances (1 - cosine) to the nearest of equally many candidates, means over queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// Queries with 2 responses of either side.
    pub queries: u64,
    /// Least and most candidates of a query.
    pub n: (u32, u32),
    /// From people to models.
    pub people_to_models: f64,
    /// From people to other people.
    pub people_to_people: f64,
    /// Interval of their difference.
    pub people_ci: Option<Interval>,
    /// From models to people.
    pub models_to_people: f64,
    /// From models to other responses of models.
    pub models_to_models: f64,
    /// Interval of their difference.
    pub models_ci: Option<Interval>,
}

impl Nearest {
    /// `people_to_models - people_to_people`.
    pub fn people_difference(&self) -> f64 {
        self.people_to_models - self.people_to_people
    }

    /// `models_to_people - models_to_models`.
    pub fn models_difference(&self) -> f64 {
        self.models_to_people - self.models_to_models
    }
}

/// What a source adds to the effective number (order 2) of n responses at equal shares, means over queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Adds {
    /// Queries.
    pub queries: u64,
    /// Least and most responses n of a query.
    pub n: (u32, u32),
    /// Effective number of n responses of all sources.
    pub with: f64,
    /// Of n responses of all but this one.
    pub without: f64,
    /// Interval of the difference over queries.
    pub ci: Option<Interval>,
    /// The difference with sources dealt out at random, mean over the times that they are.
    pub placebo: f64,
    /// Where the middle 95 % of these lie.
    pub placebo_range: Option<Interval>,
}

impl Adds {
    /// `with - without`.
    pub fn adds(&self) -> f64 {
        self.with - self.without
    }
}

/// One line of sources.parquet: all models, the responses of a source, or of one model in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceRow {
    /// Name of the source; `None` for every source but people.
    pub source: Option<String>,
    /// Name of the model; `None` for all of the source.
    pub model: Option<String>,
    /// Whether the source is people.
    pub people: bool,
    /// One model's responses beside people's: models with n >= 2, each counting once.
    pub individual: Option<Parity>,
    /// Different models' responses beside different people's: pairs of models, each counting once.
    pub population: Option<Parity>,
    /// Distances to the nearest.
    pub nearest: Option<Nearest>,
    /// What the source adds.
    pub adds: Option<Adds>,
}
