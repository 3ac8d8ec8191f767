//! `hivescope reproduce`: the tables and figures of a paper from a dump, each number beside the published one.

use super::args::{Messages, ReproduceArgs};
use super::observer::Console;
use super::run::{Cleanup, input_files};
use super::settings::{self, SettingsFile};
use super::{memory, messages};
use crate::base::units::show_count;
use crate::base::{Error, Event, Observer, Result};
use crate::corpus::{Corpus, Role};
use crate::input::{self, InputOptions, RatingColumns};
use crate::measure::reproduce::{self, Line, ReproduceSettings, Reproduction};
use crate::output::ResultDirectory;
use crate::report;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Parts shown on the terminal: those that are one number of the whole dump.
const SHOWN: [&str; 3] = ["share_at_least_0_8", "paraphrases", "min_p"];

/// Runs `reproduce`.
///
/// # Errors
/// Whatever stops it; the exit code is that of the [`Error`].
pub fn main(args: &ReproduceArgs, flags: &Messages) -> anyhow::Result<u8> {
    let file = SettingsFile::read(flags.config.as_deref())?;
    let input = file.fill(&args.input)?;
    let console = Console::new(flags);
    let pool = settings::pool(input.threads)?;
    let args = ReproduceArgs { input, ..args.clone() };
    let done = pool.install(|| work(&args, &console))?;
    show(&done, &args.out, flags);
    Ok(0)
}

/// `--same NAME=PAPER`.
fn pairs(same: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let pair = text.rsplit_once('=').map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
        pair.ok_or_else(|| Error::Usage(format!("--same {text}: write NAME=PAPER")))
    };
    same.iter().map(pair).collect()
}

/// `--rating-*`.
fn rating_columns(args: &ReproduceArgs) -> Result<RatingColumns> {
    let counts = args.rating_counts.clone().map(<[String; 3]>::try_from).transpose();
    let counts = counts.map_err(|given| {
        let given = given.join(",");
        Error::Usage(format!("--rating-counts {given}: three columns, for the first, for the second, ties"))
    })?;
    Ok(RatingColumns { labels: args.rating_labels.clone(), counts, scores: args.rating_scores.clone() })
}

/// Everything but printing.
fn work(args: &ReproduceArgs, console: &Console) -> Result<Reproduction> {
    let started = Instant::now();
    let rating_columns = rating_columns(args)?;
    let mut options = settings::input_options(&args.inputs, &args.input, PathBuf::new())?;
    options.roles.extend(args.decoding.clone().map(|column| (Role::Arm, column)));
    let mut given = settings_of(args, &options)?;
    let inputs: Vec<PathBuf> = args.inputs.iter().chain(&args.ratings).map(PathBuf::from).collect();
    let directory = ResultDirectory::create(&args.out, &inputs, args.overwrite)?;
    let mut cleanup = Cleanup { partial: directory.partial.clone(), armed: true };
    options.scratch.clone_from(&directory.partial);

    // Ratings first: they are small, and their mistakes show at once.
    let ratings = args.ratings.as_ref().map(|file| input::ratings(Path::new(file), &rating_columns)).transpose()?;
    let corpus = if args.inputs.is_empty() { None } else { Some(input::read(&options, console)?) };
    let mut done = Reproduction::default();
    if let Some(corpus) = &corpus {
        for message in &corpus.notes {
            console.event(Event::Note { message: message.clone() });
        }
        // A part of the dump is a copy: in a file where memory would not hold the vectors twice.
        let twice = memory::held(corpus).saturating_mul(2) > options.memory;
        given.scratch = twice.then(|| directory.partial.clone());
        done = reproduce::infinity_chat(corpus, &given, console)?;
        input::verify_unchanged(corpus)?;
    }
    if let Some(ratings) = &ratings {
        reproduce::ratings(ratings, &mut done);
    }
    console.check_stop()?;
    directory.write_reproduction(&done)?;
    directory.write_manifest(&manifest(args, &options, corpus.as_ref(), started.elapsed().as_secs_f64()))?;
    report::write_reproduction(&directory.partial)?;
    directory.finish()?;
    cleanup.armed = false;
    Ok(done)
}

/// What [`crate::measure::reproduce`] needs.
fn settings_of(args: &ReproduceArgs, options: &InputOptions) -> Result<ReproduceSettings> {
    Ok(ReproduceSettings {
        same: pairs(&args.same)?,
        embedding_model: args.embedding_model.clone(),
        min_p: args.min_p.clone(),
        original: args.original.clone(),
        query_pca: args.query_pca.clone(),
        seed: 0,
        scratch: Some(options.scratch.clone()),
    })
}

/// manifest.json: where the result came from.
fn manifest(args: &ReproduceArgs, options: &InputOptions, corpus: Option<&Corpus>, seconds: f64) -> Value {
    json!({
        "version": 1,
        "hivescope": env!("CARGO_PKG_VERSION"),
        "paper": "infinity-chat",
        "settings": {
            "inputs": args.inputs, "out": args.out.to_string_lossy(), "overwrite": args.overwrite, "input": args.input,
            "effective": {
                "same": args.same, "embedding-model": args.embedding_model, "decoding": args.decoding,
                "min-p": args.min_p, "original": args.original, "query-pca": args.query_pca, "ratings": args.ratings,
                "rating-labels": args.rating_labels, "rating-counts": args.rating_counts,
                "rating-scores": args.rating_scores, "memory": options.memory, "threads": rayon::current_num_threads(),
            },
        },
        "rows": corpus.map(Corpus::len),
        "skipped_rows": corpus.map(|corpus| corpus.skipped),
        "dim": corpus.map(Corpus::dim),
        "inputs": corpus.map(input_files).unwrap_or_default(),
        "seconds": {"all": seconds},
    })
}

/// Prints the numbers on the whole dump, what differs, and where the page is.
fn show(done: &Reproduction, out: &Path, flags: &Messages) {
    let page = out.join("reproduction.html");
    let whole: Vec<&Line> =
        done.lines.iter().filter(|line| SHOWN.contains(&line.part) && line.name.is_none()).collect();
    if flags.json {
        let lines: Vec<Value> = (whole.iter())
            .map(|line| json!({"part": line.part, "other": line.other, "value": line.value, "published": line.published}))
            .collect();
        messages::json(&json!({
            "type": "reproduction", "directory": out.to_string_lossy(), "page": page.to_string_lossy(),
            "differs": done.differs, "lines": lines,
        }));
        return;
    }
    if flags.quiet {
        return;
    }
    let mut rows = vec![["", "beside", "here", "paper", "difference"].map(String::from).to_vec()];
    rows.extend(whole.iter().map(|line| {
        let digits = if line.part == "paraphrases" { 3 } else { 2 };
        let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.digits$}"));
        let other = line.other.clone().unwrap_or_default();
        let difference = line.difference().map_or_else(|| "-".into(), |value| format!("{value:+.digits$}"));
        vec![line.part.replace('_', " "), other, number(Some(line.value)), number(line.published), difference]
    }));
    if rows.len() > 1 {
        messages::data(&messages::table_within(&rows, messages::width().unwrap_or(usize::MAX)));
    }
    for differs in &done.differs {
        messages::data(&format!("{}: {}", differs.what, crate::base::error::printable(&differs.how)));
    }
    let matched = done.models.iter().filter(|model| model.paper.is_some()).count();
    let of = if done.models.is_empty() {
        format!("{} rated items", show_count(done.items.len() as u64))
    } else {
        format!("{matched} of {} models are in the paper", done.models.len())
    };
    messages::data(&format!("{of}\n{}", page.display()));
}
