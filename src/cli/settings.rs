//! Flags over environment over hivescope.toml over defaults.
//!
//! clap already puts flags over `HIVESCOPE_*`; here the file fills what both left open. The merge works on the
//! serialised form of the settings, so a new setting is one field in `args/settings.rs` and nothing here.

use super::args::{BadRowArg, HistogramArg, InputSettings, IoArg, PassSettings};
use super::memory;
use crate::base::{Error, Result};
use crate::corpus::{Number, Role};
use crate::input::{InputOptions, Io, OnBadRow};
use crate::measure::MeasureSettings;
use crate::run::{HistogramChoice, PairSettings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Name of the settings file that is looked for in the working directory.
pub const FILE: &str = "hivescope.toml";

/// The settings file: a flat table whose keys are names of flags.
#[derive(Debug, Clone, Default)]
pub struct SettingsFile {
    /// Where it was read from; `None` if there is none.
    pub path: Option<PathBuf>,
    values: Map<String, Value>,
}

/// The fields of a settings struct as a map; what was not given is null.
fn fields(settings: &impl Serialize) -> Result<Map<String, Value>> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Error::Run("settings are not a table".into())),
        Err(error) => Err(Error::Run(format!("settings can't be serialised: {error}"))),
    }
}

impl SettingsFile {
    /// Reads `config`, or `hivescope.toml` in the working directory if it is there.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file is missing, is not TOML or has an unknown key.
    pub fn read(config: Option<&Path>) -> Result<Self> {
        let path = match config {
            Some(path) => path,
            None if Path::new(FILE).is_file() => Path::new(FILE),
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Usage(format!("settings file {}: {error}", path.display())))?;
        Self::parse(&text, path)
    }

    /// Reads settings from `text`; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Usage`], see [`Self::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let values: Map<String, Value> =
            toml::from_str(text).map_err(|error| Error::Usage(format!("settings file {}: {error}", path.display())))?;
        let mut known = fields(&InputSettings::default())?;
        known.extend(fields(&PassSettings::default())?);
        if let Some(key) = values.keys().find(|key| !known.contains_key(*key)) {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(Error::Usage(format!(
                "settings file {}: unknown key `{key}`; keys are {}",
                path.display(),
                names.join(", ")
            )));
        }
        Ok(Self { path: Some(path.to_owned()), values })
    }

    /// `typed` with the file's values where nothing was typed.
    ///
    /// # Errors
    /// [`Error::Usage`] if a value of the file has the wrong type.
    pub fn fill<T: Serialize + DeserializeOwned>(&self, typed: &T) -> Result<T> {
        let mut map = fields(typed)?;
        for (key, value) in &mut map {
            if value.is_null()
                && let Some(from_file) = self.values.get(key)
            {
                // TOML has no null, but nan and inf, which JSON has not.
                if from_file.is_null() {
                    let path = self.path.as_deref().unwrap_or(Path::new(FILE));
                    return Err(Error::Usage(format!("settings file {}: {key} is no finite number", path.display())));
                }
                *value = from_file.clone();
            }
        }
        serde_json::from_value(Value::Object(map)).map_err(|error| {
            let path = self.path.as_deref().unwrap_or(Path::new(FILE));
            Error::Usage(format!("settings file {}: {error}", path.display()))
        })
    }
}

/// What [`crate::input`] needs, from settings already merged.
///
/// # Errors
/// [`Error::Usage`] for a bad `--memory`.
pub fn input_options(inputs: &[String], settings: &InputSettings, scratch: PathBuf) -> Result<InputOptions> {
    let roles = [
        (Role::Source, &settings.source),
        (Role::Family, &settings.family),
        (Role::Stage, &settings.stage),
        (Role::Arm, &settings.arm),
        (Role::Context, &settings.context),
        (Role::Class, &settings.class),
        (Role::Team, &settings.team),
        (Role::Time, &settings.time),
        (Role::RatingTime, &settings.rating_time),
    ];
    let numbers = [(Number::Quality, &settings.quality), (Number::Expertise, &settings.expertise)];
    Ok(InputOptions {
        inputs: inputs.to_vec(),
        embedding: settings.embedding.clone(),
        query: settings.query.clone(),
        model: settings.model.clone(),
        sample: settings.sample.clone(),
        text: settings.text.clone(),
        roles: roles.into_iter().filter_map(|(role, name)| Some((role, name.clone()?))).collect(),
        numbers: numbers.into_iter().filter_map(|(number, name)| Some((number, name.clone()?))).collect(),
        on_bad_row: match settings.on_bad_row {
            Some(BadRowArg::Skip) => OnBadRow::Skip,
            Some(BadRowArg::Error) | None => OnBadRow::Error,
        },
        io: match settings.io {
            Some(IoArg::Pread) => Io::Pread,
            Some(IoArg::Mmap) | None => Io::Mmap,
        },
        page_path: true,
        memory: memory::budget(settings.memory.as_deref())?,
        scratch,
    })
}

/// What [`crate::run`] needs.
///
/// # Errors
/// [`Error::Usage`] for a value out of range.
pub fn pair_settings(settings: &PassSettings) -> Result<PairSettings> {
    let defaults = PairSettings::default();
    let k = settings.k.unwrap_or(defaults.k);
    if !(1..=1024).contains(&k) {
        return Err(Error::Usage(format!("--k {k} is out of range: 1 to 1024")));
    }
    let near_duplicate = settings.near_duplicate.unwrap_or(defaults.near_duplicate);
    let cosines =
        [("--threshold", settings.threshold), ("--near-duplicate", Some(near_duplicate)), ("--tau", settings.tau)];
    for (flag, value) in cosines {
        if let Some(value) = value.filter(|value| !(-1.0..=1.0).contains(value)) {
            return Err(Error::Usage(format!("{flag} {value} is out of range: a cosine lies between -1 and 1")));
        }
    }
    if let Some(bar) = settings.quality_bar.filter(|bar| !bar.is_finite()) {
        return Err(Error::Usage(format!("--quality-bar {bar} is no number")));
    }
    Ok(PairSettings {
        k,
        threshold: settings.threshold,
        max_edges: settings.max_edges.unwrap_or(defaults.max_edges),
        near_duplicate,
        histogram: match settings.histogram {
            None | Some(HistogramArg::Auto) => HistogramChoice::Auto,
            Some(HistogramArg::Exact) => HistogramChoice::Exact,
            Some(HistogramArg::Coarse) => HistogramChoice::Coarse,
            Some(HistogramArg::Off) => HistogramChoice::Off,
        },
        seed: settings.seed.unwrap_or(defaults.seed),
        ..defaults
    })
}

/// What [`crate::measure`] needs.
pub fn measure_settings(settings: &PassSettings) -> MeasureSettings {
    let defaults = MeasureSettings::default();
    MeasureSettings {
        seed: settings.seed.unwrap_or(defaults.seed),
        human: settings.human.clone().unwrap_or(defaults.human),
        tau: settings.tau,
        quality_bar: settings.quality_bar,
        ..defaults
    }
}

/// Most threads: beyond that a machine is busy with the threads alone.
const MOST_THREADS: usize = 4096;

/// A rayon pool of `threads` threads (all if `None`); work goes inside [`rayon::ThreadPool::install`].
///
/// # Errors
/// [`Error::Usage`] for 0 threads or far too many, [`Error::Run`] if threads can't be started.
pub fn pool(threads: Option<usize>) -> Result<rayon::ThreadPool> {
    if let Some(threads) = threads.filter(|threads| !(1..=MOST_THREADS).contains(threads)) {
        return Err(Error::Usage(format!("--threads {threads} is out of range: 1 to {MOST_THREADS}")));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .build()
        .map_err(|error| Error::Run(format!("threads can't be started: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_wins_over_the_file() {
        let file = SettingsFile::parse("k = 7\nseed = 3\nhistogram = \"off\"", Path::new("x.toml")).unwrap();
        let typed = PassSettings { k: Some(5), ..PassSettings::default() };
        let merged = file.fill(&typed).unwrap();
        assert_eq!((merged.k, merged.seed, merged.histogram), (Some(5), Some(3), Some(HistogramArg::Off)));
        assert_eq!(pair_settings(&merged).unwrap().histogram, HistogramChoice::Off);
    }

    #[test]
    fn an_unknown_key_and_a_wrong_type_are_usage_errors() {
        assert_eq!(SettingsFile::parse("kk = 7", Path::new("x.toml")).unwrap_err().exit_code(), 2);
        let file = SettingsFile::parse("k = \"seven\"", Path::new("x.toml")).unwrap();
        assert_eq!(file.fill(&PassSettings::default()).unwrap_err().exit_code(), 2);
        for value in ["tau = nan", "threshold = inf"] {
            let file = SettingsFile::parse(value, Path::new("x.toml")).unwrap();
            assert_eq!(file.fill(&PassSettings::default()).unwrap_err().exit_code(), 2, "{value}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for settings in [
            PassSettings { k: Some(0), ..PassSettings::default() },
            PassSettings { k: Some(1025), ..PassSettings::default() },
            PassSettings { threshold: Some(f64::NAN), ..PassSettings::default() },
            PassSettings { near_duplicate: Some(1.5), ..PassSettings::default() },
            PassSettings { tau: Some(-1.5), ..PassSettings::default() },
            PassSettings { quality_bar: Some(f64::NAN), ..PassSettings::default() },
        ] {
            assert_eq!(pair_settings(&settings).unwrap_err().exit_code(), 2);
        }
    }
}
