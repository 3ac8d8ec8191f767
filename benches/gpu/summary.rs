//! `summary`: the file of measurements as Markdown for benches/RESULTS.md.

use super::journal::Line;
use serde_json::Value;

/// A figure, or nothing.
fn number(figures: &Value, name: &str, factor: f64, digits: usize) -> String {
    figures
        .pointer(name)
        .and_then(Value::as_f64)
        .map_or_else(String::new, |value| format!("{:.*}", digits, factor * value))
}

fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

fn head(names: &[&str]) {
    row(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    println!("|{}", "---|".repeat(names.len()));
}

/// The limits, and what kernels make of them.
fn limits(line: &Line) {
    let figures = &line.figures;
    println!(
        "\nLimits in registers alone: f32 {} TFLOP/s, matrix units {}.\n",
        number(figures, "/fma_tflops", 1.0, 3),
        number(figures, "/matrix_tflops", 1.0, 3)
    );
    head(&["kernel", "TFLOP/s at d = 1024", "of limit, %", "self-test", "chosen"]);
    for kernel in figures["kernels"].as_array().into_iter().flatten() {
        row(&[
            kernel["kernel"].as_str().unwrap_or_default().into(),
            number(kernel, "/tflops", 1.0, 3),
            number(kernel, "/of_limit", 100.0, 0),
            kernel["self_test"].as_str().unwrap_or_default().into(),
            if kernel["chosen"] == true { "yes".into() } else { String::new() },
        ]);
    }
}

/// Whole passes, slabs and peers.
fn passes(lines: &[&Line]) {
    println!();
    head(&[
        "",
        "kernel",
        "rows",
        "seconds",
        "TFLOP/s executed",
        "on the device",
        "of limit, %",
        "multiply",
        "load",
        "merge",
        "of it f64",
        "seed",
        "rank",
        "survivors a row",
        "in f64 a row",
        "list, mean",
        "longest",
        "rows redone",
        "whole, extrapolated",
    ]);
    for line in lines {
        let figure = |name: &str, factor, digits| number(&line.figures, name, factor, digits);
        row(&[
            line.measurement.clone(),
            line.kernel.clone(),
            figure("/rows", 1.0, 0),
            figure("/seconds", 1.0, 3),
            figure("/tflops_executed", 1.0, 3),
            figure("/tflops_on_device", 1.0, 3),
            figure("/of_limit", 100.0, 0),
            figure("/phases/multiply", 1.0, 2),
            figure("/phases/load", 1.0, 2),
            figure("/phases/merge", 1.0, 2),
            figure("/phases/rescore", 1.0, 2),
            figure("/phases/seed", 1.0, 2),
            figure("/phases/rank", 1.0, 2),
            figure("/survivors_a_row", 1.0, 1),
            figure("/computed_in_f64_a_row", 1.0, 1),
            figure("/list_mean", 1.0, 1),
            figure("/list_longest", 1.0, 0),
            figure("/rows_redone", 1.0, 0),
            figure("/whole_device_seconds_extrapolated", 1.0, 1),
        ]);
    }
}

/// Shares of the epilogue.
fn epilogues(lines: &[&Line]) {
    println!();
    head(&[
        "",
        "kernel",
        "multiply alone, TFLOP/s",
        "with both",
        "histogram, %",
        "survivors, %",
        "both, %",
        "survivors a row",
    ]);
    for line in lines {
        let figure = |name: &str, factor, digits| number(&line.figures, name, factor, digits);
        row(&[
            line.measurement.clone(),
            line.kernel.clone(),
            figure("/tflops_multiply", 1.0, 3),
            figure("/tflops_on_device", 1.0, 3),
            figure("/histogram_share", 100.0, 1),
            figure("/survivors_share", 100.0, 1),
            figure("/both_share", 100.0, 1),
            figure("/survivors_a_row", 1.0, 1),
        ]);
    }
}

/// Prints a section for each device, driver, commit and scale.
pub fn print(lines: &[Line]) {
    let key = |line: &Line| (line.device.clone(), line.driver.clone(), line.commit.clone(), line.scale.to_bits());
    let mut keys: Vec<_> = Vec::new();
    for line in lines {
        if !keys.contains(&key(line)) {
            keys.push(key(line));
        }
    }
    for each in keys {
        let own: Vec<&Line> = lines.iter().filter(|line| key(line) == each).collect();
        let scale = f64::from_bits(each.3);
        let part = if scale == 1.0 { String::new() } else { format!(", {scale} of the queries") };
        println!("\n### {}, driver {}, commit {}{part}\n", each.0, each.1, each.2);
        let some = |wanted: &dyn Fn(&str) -> bool| -> Vec<&Line> {
            own.iter().filter(|line| wanted(&line.measurement)).copied().collect()
        };
        for line in some(&|name| name == "check") {
            let same = if line.figures["same"] == true { "the same as the CPU" } else { "DIFFERENT from the CPU" };
            let passes = line.figures["passes"].as_array().map_or(0, Vec::len);
            println!("- {}: {same} in {passes} passes", line.kernel);
        }
        some(&|name| name == "limits").into_iter().for_each(limits);
        let epilogue = some(&|name| name.starts_with("epilogue"));
        if !epilogue.is_empty() {
            epilogues(&epilogue);
        }
        let rest = some(&|name| name != "check" && name != "limits" && !name.starts_with("epilogue"));
        if !rest.is_empty() {
            passes(&rest);
        }
        let commands: std::collections::BTreeSet<&str> = own.iter().map(|line| line.command.as_str()).collect();
        println!("\nCommands: {}", commands.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", "));
    }
}
