//! report.html from the data it shows.

use serde_json::Value;

const HTML: &str = include_str!("assets/report.html");
const STYLES: [&str; 4] = [
    include_str!("assets/css/base.css"),
    include_str!("assets/css/parts.css"),
    include_str!("assets/css/plots.css"),
    include_str!("assets/css/map.css"),
];

/// One script in this order: tools first, then one file a section, the table of contents last.
const SCRIPTS: [&str; 35] = [
    include_str!("assets/js/format.js"),
    include_str!("assets/js/dom.js"),
    include_str!("assets/js/table.js"),
    include_str!("assets/js/scale.js"),
    include_str!("assets/js/plot.js"),
    include_str!("assets/js/forest.js"),
    include_str!("assets/js/columns.js"),
    include_str!("assets/js/headlines.js"),
    include_str!("assets/js/matrix.js"),
    include_str!("assets/js/heat_map.js"),
    include_str!("assets/js/points.js"),
    include_str!("assets/js/map_view.js"),
    include_str!("assets/js/map.js"),
    include_str!("assets/js/histogram.js"),
    include_str!("assets/js/intra.js"),
    include_str!("assets/js/top_n.js"),
    include_str!("assets/js/variation.js"),
    include_str!("assets/js/worth.js"),
    include_str!("assets/js/checks.js"),
    include_str!("assets/js/packaging.js"),
    include_str!("assets/js/meanings.js"),
    include_str!("assets/js/periods.js"),
    include_str!("assets/js/stages.js"),
    include_str!("assets/js/trends.js"),
    include_str!("assets/js/form.js"),
    include_str!("assets/js/teams.js"),
    include_str!("assets/js/growth.js"),
    include_str!("assets/js/people.js"),
    include_str!("assets/js/extremes.js"),
    include_str!("assets/js/models.js"),
    include_str!("assets/js/duplicates.js"),
    include_str!("assets/js/left_out.js"),
    include_str!("assets/js/reading.js"),
    include_str!("assets/js/provenance.js"),
    include_str!("assets/js/report.js"),
];

/// The whole page. `data` may hold anything: it stands in a JSON block that none of its characters can end.
pub(super) fn html(data: &Value) -> String {
    with_scripts(data, &SCRIPTS)
}

/// The same page with other scripts.
pub(super) fn with_scripts(data: &Value, scripts: &[&str]) -> String {
    let data = escaped(data);
    // The page's policy runs only scripts that carry this word. It derives from the data, so no text in the data can
    // know it, and the same result gives the same page.
    let nonce = blake3::hash(data.as_bytes()).to_hex();
    // The data come last, so that nothing in them is taken for a placeholder.
    HTML.replace("{{nonce}}", &nonce[..32])
        .replacen("{{styles}}", &STYLES.concat(), 1)
        .replacen("{{scripts}}", &scripts.concat(), 1)
        .replacen("{{data}}", &data, 1)
}

/// JSON that can stand in a script element: no character of it can end the element.
fn escaped(data: &Value) -> String {
    let text = data.to_string();
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    // All of these are rare: what lies between them is copied whole.
    for (at, c) in text.match_indices(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        out.push_str(&text[copied..at]);
        out.extend(c.chars().map(|c| format!("\\u{:04x}", c as u32)));
        copied = at + c.len();
    }
    out.push_str(&text[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_leave_the_data() {
        let bad = "</script><img src=x onerror=alert(1)>\u{2028}&{{data}}<!--";
        let page = html(&serde_json::json!({"notes": [bad]}));
        assert!(!page.contains("</script><img"), "the text ends the data block");
        assert!(page.contains("\\u003c/script\\u003e\\u003cimg src=x onerror=alert(1)\\u003e\\u2028\\u0026{{data}}"));
        assert_eq!(page.matches("\\u003c/script").count(), 1, "a placeholder in the data was filled");
    }

    #[test]
    fn every_placeholder_of_the_page_is_filled() {
        let page = html(&serde_json::json!({}));
        assert!(!page.contains("{{"), "a placeholder is left");
        assert_eq!(page.matches("://").count(), 1, "the SVG name space is the only address");
    }
}
