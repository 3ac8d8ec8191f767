//! `hivescope run`: the whole way from files to a result directory.

use super::args::{InputSettings, Messages, PassSettings, RunArgs, TextsArg};
use super::observer::Console;
use super::settings::{self, SettingsFile};
use super::{backend, memory, messages};
use crate::base::units::{show_count, show_seconds};
use crate::base::{Event, Observer, Result};
use crate::compute::outcome::Neighbors;
use crate::compute::{BackendInfo, PairOutcome};
use crate::corpus::Corpus;
use crate::input::{self, InputOptions};
use crate::measure::tables::MapRow;
use crate::measure::{self, Headline, Measures};
use crate::output::{self, ResultDirectory};
use crate::{report, run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Longest text of an example, in characters.
const EXAMPLE_CHARS: usize = 500;

/// Settings after merging, as manifest.json records them.
struct Settings {
    inputs: Vec<String>,
    out: PathBuf,
    overwrite: bool,
    input: InputSettings,
    pass: PassSettings,
}

/// Removes DIR.partial unless the run got to its end.
pub(super) struct Cleanup {
    pub(super) partial: PathBuf,
    pub(super) armed: bool,
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if self.armed {
            // Best effort: the error that brought us here is the one to report.
            drop(std::fs::remove_dir_all(&self.partial));
        }
    }
}

/// Wall-clock seconds of the steps.
struct Clock {
    last: Instant,
    seconds: BTreeMap<&'static str, f64>,
}

impl Clock {
    fn lap(&mut self, name: &'static str) {
        let now = Instant::now();
        self.seconds.insert(name, (now - self.last).as_secs_f64());
        self.last = now;
    }
}

/// Runs `run`.
///
/// # Errors
/// Whatever stops a run; the exit code is that of the [`crate::base::Error`].
pub fn main(args: &RunArgs, flags: &Messages) -> anyhow::Result<u8> {
    let file = SettingsFile::read(flags.config.as_deref())?;
    let settings = Settings {
        inputs: args.inputs.clone(),
        out: args.out.clone(),
        overwrite: args.overwrite,
        input: file.fill(&args.input)?,
        pass: file.fill(&args.pass)?,
    };
    let console = Console::new(flags);
    let started = Instant::now();
    let pool = settings::pool(settings.input.threads)?;
    let measures = pool.install(|| work(&settings, &console))?;
    show(&measures, &settings.out, started.elapsed().as_secs_f64(), flags);
    Ok(0)
}

/// Everything but printing.
fn work(settings: &Settings, console: &Console) -> Result<Measures> {
    // Mistakes in flags and the input's paths and columns show before anything is made.
    let mut pair_settings = settings::pair_settings(&settings.pass)?;
    let asked = backend::asked(&settings.pass, pair_settings.histogram)?;
    let measure_settings = settings::measure_settings(&settings.pass);
    let mut options = settings::input_options(&settings.inputs, &settings.input, PathBuf::new())?;
    let inputs: Vec<PathBuf> = settings.inputs.iter().map(PathBuf::from).collect();
    let directory = ResultDirectory::create(&settings.out, &inputs, settings.overwrite)?;
    let mut cleanup = Cleanup { partial: directory.partial.clone(), armed: true };
    options.scratch.clone_from(&directory.partial);

    let mut clock = Clock { last: Instant::now(), seconds: BTreeMap::new() };
    let corpus = input::read(&options, console)?;
    for message in &corpus.notes {
        console.event(Event::Note { message: message.clone() });
    }
    memory::give_back();
    clock.lap("read");
    let (mut backend, choice) = backend::choose(&asked, (corpus.len(), corpus.dim()), console)?;
    let info = backend.info();
    console.event(Event::Detail { message: format!("{} {}: {choice}", info.backend, info.device) });
    clock.lap("open_backend");
    pair_settings.held = memory::held(&corpus);
    memory::warn_of_measures(&corpus, &measure_settings, options.memory, console);
    pair_settings.memory = options.memory.saturating_sub(pair_settings.held);
    pair_settings.scratch.clone_from(&directory.partial);
    let mut outcome = run::pair_pass(&corpus, backend.as_mut(), &pair_settings, console)?;
    drop(backend);
    input::verify_unchanged(&corpus)?;
    clock.lap("pairs");
    directory.write_pair_tables(&corpus, &outcome)?;
    let nearest = output::nearest(&outcome.neighbors);
    (outcome.neighbors, outcome.edges) = (Neighbors::default(), None);
    memory::give_back();
    clock.lap("pair_tables");
    let mut measures = measure::all(&corpus, &outcome, &measure_settings, console)?;
    clock.lap("measures");
    if settings.pass.texts != Some(TextsArg::Hidden) {
        fill_texts(&mut measures, &options, &corpus)?;
    }
    clock.lap("texts");
    console.check_stop()?;
    directory.write_responses(&corpus, &outcome, &nearest, &measures)?;
    directory.write_measures(&corpus, &measures)?;
    clock.lap("measure_tables");
    directory.write_manifest(&manifest(
        settings,
        &options,
        &corpus,
        (&outcome, &measures),
        &info,
        &choice,
        &clock.seconds,
    ))?;
    report::write(&directory.partial)?;
    console.check_stop()?;
    directory.finish()?;
    cleanup.armed = false;
    Ok(measures)
}

/// Puts the beginnings of texts into the examples and onto the map.
fn fill_texts(measures: &mut Measures, options: &InputOptions, corpus: &Corpus) -> Result<()> {
    if corpus.rows.text_hash.is_none() {
        return Ok(());
    }
    let rows: Vec<u32> = measures.summary.examples.iter().flat_map(|example| example.rows).collect();
    let mut texts = input::texts(options, corpus, &rows, EXAMPLE_CHARS)?;
    let (pairs, _) = texts.as_chunks_mut::<2>();
    for (example, pair) in measures.summary.examples.iter_mut().zip(pairs) {
        if let [Some(first), Some(second)] = pair {
            example.texts = Some([take(first), take(second)]);
        }
    }
    let rows: Vec<u32> = measures.map.iter().map(|point| point.row).collect();
    let texts = input::texts(options, corpus, &rows, MapRow::CHARS)?;
    measures.map.iter_mut().zip(texts).for_each(|(point, text)| point.text = text);
    Ok(())
}

/// The input files as manifest.json has them.
pub(super) fn input_files(corpus: &Corpus) -> Vec<Value> {
    (corpus.files.iter())
        .map(|file| json!({"name": file.name, "bytes": file.bytes, "rows": file.rows, "fingerprint": file.fingerprint}))
        .collect()
}

/// manifest.json: where the result came from.
fn manifest(
    settings: &Settings,
    options: &InputOptions,
    corpus: &Corpus,
    (outcome, measures): (&PairOutcome, &Measures),
    info: &BackendInfo,
    choice: &str,
    seconds: &BTreeMap<&'static str, f64>,
) -> Value {
    let files = input_files(corpus);
    let stats = &outcome.stats;
    let pair = settings::pair_settings(&settings.pass).ok();
    json!({
        "version": 1,
        "hivescope": env!("CARGO_PKG_VERSION"),
        "settings": {
            "inputs": settings.inputs,
            "out": settings.out.to_string_lossy(),
            "overwrite": settings.overwrite,
            "input": settings.input,
            "pass": settings.pass,
            "effective": {
                "k": outcome.k,
                "threshold": settings.pass.threshold,
                "max-edges": pair.as_ref().map(|pair| pair.max_edges),
                "near-duplicate": pair.as_ref().map(|pair| pair.near_duplicate),
                "histogram": pair.as_ref().map(|pair| pair.histogram),
                "seed": pair.as_ref().map(|pair| pair.seed),
                "human": settings::measure_settings(&settings.pass).human,
                "tau": measures.summary.meanings.as_ref().and_then(|meanings| meanings.tau),
                "memory": options.memory,
                "threads": rayon::current_num_threads(),
            },
        },
        "rows": corpus.len(),
        "skipped_rows": corpus.skipped,
        "dim": corpus.dim(),
        "inputs": files,
        "backend": info,
        "backend_choice": choice,
        "pair_pass": {
            "pairs": stats.pairs, "refined": stats.refined, "survivors": stats.survivors, "repeated": stats.repeated,
            "device_faults": stats.device_faults,
            "rescored": stats.rescored, "listed": stats.listed, "longest_list": stats.longest_list,
            "rows_redone": stats.rows_redone, "settled": stats.settled,
            "copies": stats.copies, "half_bound_max": stats.half_bound_max,
            "histogram_bound": outcome.histogram.as_ref().map(|histogram| histogram.bound), "seconds": stats.seconds,
        },
        "seconds": seconds,
    })
}

/// Four decimals, without a sign where it rounds to 0.
fn decimal(value: f64) -> String {
    let shown = format!("{value:.4}");
    if shown == "-0.0000" { "0.0000".into() } else { shown }
}

/// A number for the table of headlines.
fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), decimal)
}

/// One line of the table of headlines.
fn headline(line: &Headline) -> Vec<String> {
    let interval = match &line.interval {
        Some(interval) => format!("{} to {}", decimal(interval.low), decimal(interval.high)),
        None => "-".into(),
    };
    vec![line.label.clone(), number(Some(line.value)), interval, number(line.floor)]
}

/// Prints the headline numbers and where the report is.
fn show(measures: &Measures, out: &Path, seconds: f64, flags: &Messages) {
    let report = out.join("report.html");
    if flags.json {
        messages::json(&json!({
            "type": "result", "directory": out.to_string_lossy(), "report": report.to_string_lossy(),
            "seconds": seconds, "headlines": measures.summary.headlines,
        }));
        return;
    }
    if flags.quiet {
        return;
    }
    let mut rows = vec![["", "value", "95 % interval", "floor"].map(String::from).to_vec()];
    rows.extend(measures.summary.headlines.iter().map(headline));
    messages::data(&messages::table_within(&rows, messages::width().unwrap_or(usize::MAX)));
    let summary = &measures.summary;
    messages::data(&format!(
        "{} responses, {} queries, {} models in {}\n{}",
        show_count(summary.rows),
        show_count(summary.queries),
        show_count(summary.models),
        show_seconds(seconds),
        report.display()
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounds_to_zero_has_no_sign() {
        assert_eq!(
            [-0.000_04, -0.0, 0.000_04, -0.000_06, -1.5].map(decimal),
            ["0.0000", "0.0000", "0.0000", "-0.0001", "-1.5000"]
        );
    }
}
