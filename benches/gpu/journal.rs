//! The file of measurements: one line of JSON each.

use hivescope::compute::BackendInfo;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;

/// One measurement. `torch_peer.py` writes the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// What was measured, e.g. `S1`.
    pub measurement: String,
    /// Kernel, with its tile.
    pub kernel: String,
    /// Share of the queries.
    pub scale: f64,
    /// Device name.
    pub device: String,
    /// Driver and version.
    pub driver: String,
    /// Commit that was measured.
    pub commit: String,
    /// Command line.
    pub command: String,
    /// What came out.
    pub figures: Value,
}

/// All measurements so far.
pub struct Journal {
    file: Option<PathBuf>,
    commit: String,
    command: String,
    lines: Vec<Line>,
}

impl Journal {
    /// Reads `file`, if it is there.
    ///
    /// # Errors
    /// If it can't be read, or a line of it is none of ours.
    pub fn open(file: Option<PathBuf>, commit: Option<String>) -> anyhow::Result<Self> {
        let text = match &file {
            Some(path) if path.exists() => std::fs::read_to_string(path)?,
            _ => String::new(),
        };
        let lines = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let built = option_env!("HIVESCOPE_COMMIT").map(String::from);
        let commit = commit.or(built).unwrap_or_else(|| "unknown".into());
        // Where the program and the file lie is nobody's concern.
        let mut words = std::env::args().skip(1);
        let mut command = "gpu".to_owned();
        while let Some(word) = words.next() {
            if word == "--out" {
                words.next();
            } else {
                command = format!("{command} {word}");
            }
        }
        Ok(Self { file, commit, command, lines })
    }

    /// Where kernels are remembered, so that every command takes the same.
    pub fn cache(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|file| file.with_extension("kernels.json"))
    }

    /// All lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The line of `measurement`, if it was made already.
    pub fn find(&self, measurement: &str, info: &BackendInfo, scale: f64) -> Option<&Line> {
        self.lines.iter().find(|line| {
            line.measurement == measurement
                && line.commit == self.commit
                && (&line.device, &line.driver, &line.kernel) == (&info.device, &info.driver, &info.kernel)
                && line.scale == scale
        })
    }

    /// Whether `measurement` was made already; said aloud.
    pub fn has(&self, measurement: &str, info: &BackendInfo, scale: f64) -> bool {
        let has = self.find(measurement, info, scale).is_some();
        if has {
            eprintln!("{measurement}, {}: measured already", info.kernel);
        }
        has
    }

    /// Appends and prints a measurement.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn add(&mut self, measurement: &str, info: &BackendInfo, scale: f64, figures: Value) -> anyhow::Result<()> {
        let line = Line {
            measurement: measurement.into(),
            kernel: info.kernel.clone(),
            scale,
            device: info.device.clone(),
            driver: info.driver.clone(),
            commit: self.commit.clone(),
            command: self.command.clone(),
            figures,
        };
        let text = serde_json::to_string(&line)?;
        println!("{text}");
        if let Some(path) = &self.file {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
            writeln!(file, "{text}")?;
        }
        self.lines.push(line);
        Ok(())
    }
}
