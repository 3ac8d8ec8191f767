//! hivescope: do AI systems still say different things?
//!
//! The library behind the `hivescope` command. It reads Parquet dumps of response embeddings, forms all pairs of
//! responses tile by tile, and writes the exact nearest-neighbour graph, the hivemind measures and a report.
//!
//! The modules are floors of a house; a module imports only from those listed before it, and a test holds that:
//!
//! | floor | module | holds |
//! |---|---|---|
//! | 0 | [`base`] | errors, units, events, counter-based random numbers, the one similarity |
//! | 1 | [`corpus`] | what a corpus is: rows, keys, their order, the embeddings |
//! | 1 | [`input`] | from files to a corpus: one file per format, the page path, the checks |
//! | 2 | [`compute`] | tiles, the certificate, the backends (`cpu`, `gpu`) |
//! | 3 | [`measure`] | one file per measure; knows neither wgpu nor Parquet |
//! | 4 | [`run`] | the driver of the pair pass and of a whole run |
//! | 5 | [`output`] | tables and files of a result directory |
//! | 5 | [`report`] | the HTML report, made from a result directory |
//! | 6 | [`cli`] | flags, configuration file, progress, messages |

pub mod base;
pub mod cli;
pub mod compute;
pub mod corpus;
pub mod input;
pub mod measure;
pub mod output;
pub mod report;
pub mod run;
