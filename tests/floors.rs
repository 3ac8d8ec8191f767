//! Imports go down the floors only.

use std::path::{Path, PathBuf};

/// Modules from the lowest floor to the highest; each may import only from those before it.
const ORDER: [&str; 9] = ["base", "corpus", "input", "compute", "measure", "run", "output", "report", "cli"];

fn sources(directory: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Modules above `own` that `text` names as `crate::module`.
fn upward<'a>(own: &str, text: &str, order: &[&'a str]) -> Vec<&'a str> {
    let floor = order.iter().position(|m| *m == own).unwrap();
    order[floor + 1..].iter().filter(|above| text.contains(&format!("crate::{above}"))).copied().collect()
}

#[test]
fn imports_go_down_the_floors_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for module in ORDER {
        let mut files = Vec::new();
        sources(&src.join(module), &mut files);
        for file in files {
            seen += 1;
            let found = upward(module, &std::fs::read_to_string(&file).unwrap(), &ORDER);
            assert!(found.is_empty(), "{} imports from above: {found:?}", file.display());
        }
    }
    assert!(seen > 20, "the test found the sources");
}

#[test]
fn an_upward_import_is_noticed() {
    assert_eq!(upward("compute", "use crate::run::pair_pass;", &ORDER), ["run"]);
    assert!(upward("run", "use crate::compute::Backend;", &ORDER).is_empty());
}
