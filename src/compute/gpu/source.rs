//! WGSL from the files in `shaders/`: constants put in, shared pieces included, lines repeated.
//!
//! A file may hold `$NAME` for a number of the kernel, `//: include NAME` for a piece of `shaders/shared/`, and
//! `//: each i < NAME, j < 4` before a line that is wanted for every i and j, with `$i` and `$j` in it: cooperative matrices
//! can't be indexed without leaving registers, so they are variables of their own.

/// Numbers by name.
pub(super) type Constants = [(&'static str, usize)];

/// A shared piece.
fn shared(name: &str) -> Option<&'static str> {
    Some(match name {
        "job" => include_str!("../../../shaders/shared/job.wgsl"),
        "judge" => include_str!("../../../shaders/shared/judge.wgsl"),
        "register_tiles" => include_str!("../../../shaders/shared/register_tiles.wgsl"),
        _ => return None,
    })
}

/// `template` written out. Unknown names stay as they are: the compiler will name them.
pub(super) fn expand(template: &str, constants: &Constants) -> String {
    let mut out = String::with_capacity(2 * template.len());
    let mut lines = template.lines();
    while let Some(line) = lines.next() {
        let directive = line.trim_start().strip_prefix("//: ");
        if let Some(piece) = directive.and_then(|d| d.strip_prefix("include ")).and_then(shared) {
            out.push_str(&expand(piece, constants));
        } else if let Some(each) = directive.and_then(|d| d.strip_prefix("each ")) {
            let repeated = repeat(lines.next().unwrap_or_default(), each, constants);
            out.extend(repeated.iter().flat_map(|line| [line.as_str(), "\n"]));
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    let mut longest_first: Vec<_> = constants.iter().collect();
    longest_first.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    longest_first.iter().fold(out, |out, (name, value)| out.replace(&format!("${name}"), &value.to_string()))
}

/// `line` for every value of the variables in `each`.
fn repeat(line: &str, each: &str, constants: &Constants) -> Vec<String> {
    each.split(", ").fold(vec![line.to_owned()], |lines, variable| {
        let (name, bound) = variable.split_once(" < ").unwrap_or((variable, "0"));
        let known = constants.iter().find(|(known, _)| *known == bound).map(|(_, value)| *value);
        let bound = known.or_else(|| bound.parse().ok()).unwrap_or(0);
        let with = |line: &String, value: usize| line.replace(&format!("${name}"), &value.to_string());
        lines.iter().flat_map(|line| (0..bound).map(move |value| with(line, value))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_repeated_lines() {
        let template = "const A = $SIDEu;\n  //: each i < ROWS, j < 2\n  let c$i_$j = $SIDE_TWO;\nend";
        let constants = [("SIDE", 8), ("ROWS", 2), ("SIDE_TWO", 16)];
        let lines: Vec<String> = expand(template, &constants).lines().map(str::trim).map(String::from).collect();
        assert_eq!(
            lines,
            ["const A = 8u;", "let c0_0 = 16;", "let c0_1 = 16;", "let c1_0 = 16;", "let c1_1 = 16;", "end"]
        );
    }

    #[test]
    fn pieces_are_included_with_their_constants() {
        assert!(expand("//: include job", &[]).contains("fn tile_origin"));
        assert!(expand("//: include register_tiles", &[("DEPTH", 8)]).contains("const DEPTH = 8u;"));
    }
}
