//! The modules are floors of a house: imports go down only.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the ground up.
const ORDER: [&str; 9] = ["base", "corpus", "input", "compute", "measure", "run", "output", "report", "cli"];

fn floor(module: &str) -> Option<usize> {
    ORDER.iter().position(|&name| name == module)
}

/// Modules named by `crate::X` in `source`, `crate::{X, Y::...}` included; comments don't count.
fn imports(source: &str) -> Vec<String> {
    let code: String = source.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let name =
        |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.trim_start().strip_prefix('{') else {
            found.push(name(rest));
            continue;
        };
        let (mut depth, mut start) = (0, 0);
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    found.push(name(&group[start..i]));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.push(name(&group[start..i]));
                    start = i + 1;
                }
                _ => {}
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// Imports of `source`, a file of `module`, that go up.
fn upward(module: &str, source: &str) -> Vec<String> {
    let own = floor(module).expect("a module that has a floor");
    imports(source).into_iter().filter(|name| floor(name).is_some_and(|other| other > own)).collect()
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn imports_go_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for module in ORDER {
        let mut files = Vec::new();
        sources(&root.join(module), &mut files);
        for file in files {
            let found = upward(module, &fs::read_to_string(&file).unwrap());
            assert!(found.is_empty(), "{} imports from above: {found:?}", file.display());
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} files were read");
}

#[test]
fn every_module_has_a_floor() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for line in library.lines() {
        if let Some(name) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            assert!(floor(name).is_some(), "`{name}` is not in the order of floors");
        }
    }
}

#[test]
fn an_upward_import_would_be_seen() {
    assert_eq!(upward("measure", "use crate::cli::args;"), ["cli"]);
    assert_eq!(upward("base", "use crate::{base::Error, run::{a, b},\n output};"), ["run", "output"]);
    assert_eq!(upward("input", "fn f() { crate::compute::tile::g() }"), ["compute"]);
    assert!(upward("input", "use crate::base::Error; // not crate::cli").is_empty());
    assert!(upward("cli", "use crate::{run, report};").is_empty());
}
