//! report.html in a browser: it draws itself without a complaint, and a hostile corpus stays text. Needs Chromium:
//! `CHROME` names it, `HIVESCOPE_TEST_BROWSER=require` makes a missing one a failure.

mod hostile;
mod map;
mod odd;

use assert_cmd::Command;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A host that exists nowhere: a request for it can only come from the page.
const HOST: &str = "hostile.invalid";

/// Put into a copy of the page: uses everything there is to use, then writes down what became of it.
const PROBE: &str = r#"
addEventListener('load', async () => {
  const rest = () => new Promise(done => setTimeout(done, 200));
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);
  const at = node => { const box = node.getBoundingClientRect();
    return { bubbles: true, clientX: box.left + box.width * 0.6, clientY: box.top + box.height * 0.4 }; };
  await rest();
  each('details', box => (box.open = true));
  await rest();
  each('.heat', map => {
    for (const kind of ['pointermove', 'pointerdown']) map.dispatchEvent(new PointerEvent(kind, at(map.querySelector('canvas'))));
    for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowDown', 'ArrowRight']) map.dispatchEvent(new KeyboardEvent('keydown', { key }));
  });
  each('.plot svg, .plot rect, .plot g', part => {
    part.dispatchEvent(new PointerEvent('pointermove', at(part)));
    part.dispatchEvent(new PointerEvent('pointerleave', at(part)));
  });
  each('main button', button => button.click());
  each('input', input => { input.value = 'i'; input.dispatchEvent(new Event('input')); });
  each('select', select => { select.selectedIndex = select.options.length - 1; select.dispatchEvent(new Event('change')); });
  await rest();
  const style = getComputedStyle(document.documentElement);
  const bright = colour => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 765;
  const painted = canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(part => part);
  const seen = {
    title: document.title, hacked: typeof window.hacked, images: document.images.length, scripts: document.scripts.length,
    page: bright(style.backgroundColor), ink: bright(style.color), width: innerWidth,
    beyond: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    blank: [...document.querySelectorAll('canvas')].filter(canvas => !painted(canvas)).length,
    undrawn: [...document.querySelectorAll('.plot')].filter(plot => !plot.querySelector('svg')).length,
    empty: [...document.querySelectorAll('section')].filter(part => part.children.length < 2).length,
  };
  if (parent !== window) parent.postMessage(JSON.stringify(seen), '*');
  else document.body.append(Object.assign(document.createElement('output'), { id: 'probe', textContent: JSON.stringify(seen) }));
});
"#;

/// A page around the page, since a window can't be as narrow as a phone.
const PHONE: &str = r#"<!doctype html><meta name="color-scheme" content="light dark"><title>phone</title>
<iframe src="probed.html" style="width: 390px; height: 1200px; border: 0"></iframe>
<script>addEventListener('message', event => document.body.append(
  Object.assign(document.createElement('output'), { id: 'probe', textContent: event.data })));</script>"#;

/// What the browser did with a page.
struct Seen {
    dom: String,
    console: Vec<String>,
    requests: Vec<String>,
}

impl Seen {
    /// What the probe wrote down.
    fn probe(&self) -> serde_json::Value {
        let start = self.dom.find("<output id=\"probe\">").expect("the probe came to its end") + 19;
        let end = start + self.dom[start..].find("</output>").unwrap();
        serde_json::from_str(&self.dom[start..end]).unwrap()
    }

    /// The part of the page in an element that starts with `tag`, up to `end`.
    fn part(&self, tag: &str, end: &str) -> &str {
        let start = self.dom.find(tag).unwrap_or_else(|| panic!("`{tag}` is not on the page"));
        &self.dom[start..start + self.dom[start..].find(end).unwrap()]
    }
}

fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROME") {
        return Some(named.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|p| p.is_file());
    if found.is_none() {
        assert_ne!(std::env::var("HIVESCOPE_TEST_BROWSER").as_deref(), Ok("require"), "no Chromium; set CHROME");
        eprintln!("skipped: no Chromium");
    }
    found
}

/// Opens a page. All that the browser asks of any network goes to a listener of ours, which writes it down.
fn open(browser: &Path, page: &Path, dark: bool) -> Seen {
    let profile = tempfile::tempdir().unwrap();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = proxy.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let book = asked.clone();
    // Ends with the test process; what is asked after the browser has gone interests nobody.
    std::thread::spawn(move || {
        for stream in proxy.incoming().flatten() {
            let mut head = [0u8; 4096];
            let mut stream = stream;
            let length = stream.set_read_timeout(Some(Duration::from_secs(2))).and_then(|()| stream.read(&mut head));
            let head = String::from_utf8_lossy(&head[..length.unwrap_or(0)]).into_owned();
            book.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
        }
    });
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--v=0"])
        .args(["--proxy-bypass-list=<-loopback>", "--virtual-time-budget=8000", "--dump-dom"])
        .arg(format!("--proxy-server=http://127.0.0.1:{port}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--window-size=1600,1200")
        .arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }))
        .arg(format!("file://{}", page.display()))
        .timeout(Duration::from_secs(120))
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "the browser failed: {log}");
    let requests = asked.lock().unwrap().clone();
    Seen {
        dom: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect(),
        requests,
    }
}

fn hivescope(arguments: &[&str]) {
    let run = Command::new(env!("CARGO_BIN_EXE_hivescope")).args(arguments).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// A copy of a page with a probe in it.
fn with_probe(probe: &str, page: &Path) -> PathBuf {
    let html = fs::read_to_string(page).unwrap();
    let (before, after) = html.rsplit_once("</body>").unwrap();
    let nonce = html.split("<script nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let probed = page.with_file_name("probed.html");
    fs::write(&probed, format!("{before}<script nonce=\"{nonce}\">{probe}</script></body>{after}")).unwrap();
    fs::write(page.with_file_name("phone.html"), PHONE).unwrap();
    probed
}

/// Runs hivescope on a corpus; returns its summary and a copy of the report with the probe in it.
fn probed(directory: &Path, corpus: &Path) -> (serde_json::Value, PathBuf) {
    probed_by(PROBE, directory, corpus)
}

/// The same with another probe.
fn probed_by(probe: &str, directory: &Path, corpus: &Path) -> (serde_json::Value, PathBuf) {
    let out = directory.join("out");
    hivescope(&["run", "--quiet", "--backend", "cpu", "--out", out.to_str().unwrap(), corpus.to_str().unwrap()]);
    let summary = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    (summary, with_probe(probe, &out.join("report.html")))
}

/// What must hold of every page, on any screen.
fn is_sound(seen: &Seen, title: &str, width: u32, dark: bool) {
    assert!(seen.console.is_empty(), "the console says: {:#?}", seen.console);
    let asked: Vec<&String> = seen.requests.iter().filter(|line| line.contains(HOST)).collect();
    assert!(asked.is_empty(), "the page asked for {asked:?}");
    let probe = seen.probe();
    assert_eq!(probe["width"], width);
    assert_eq!(probe["title"], title);
    assert_eq!(probe["hacked"], "undefined", "a script of the corpus ran");
    assert_eq!(probe["images"], 0, "a text of the corpus became an element");
    assert_eq!(probe["scripts"], 3, "data, script and probe");
    for nothing in ["beyond", "blank", "undrawn", "empty"] {
        assert_eq!(probe[nothing], 0, "{nothing}: {probe}");
    }
    let (page, ink) = (probe["page"].as_f64().unwrap(), probe["ink"].as_f64().unwrap());
    assert!(if dark { page < 0.2 && ink > 0.8 } else { page > 0.9 && ink < 0.2 }, "page {page}, ink {ink}");
}

/// A number as cards show it, without a sign where it rounds to 0.
fn shown(name: &str, value: f64) -> String {
    let number = match name {
        "vendi_1" | "models_worth" | "distinct_meanings" | "model_meanings" | "class_meanings" => {
            format!("{value:.*}", if value < 10.0 { 2 } else { 1 })
        }
        "ensemble_gain" | "verbatim_share" | "r2_cell" | "r2_style" | "form_style" | "effective_diversity" => {
            format!("{:.1} %", value * 100.0)
        }
        "packaging" | "packaging_vendor" | "growth" | "rho_individual" | "rho_population" | "rating_lag" => {
            format!("{value:.2}")
        }
        _ if ["stage_", "arm_", "team_", "form_repeats", "nearest_to_", "source_adds", "inflation"]
            .iter()
            .any(|start| name.starts_with(start)) =>
        {
            format!("{}{value:.3}", if value > 0.0 { "+" } else { "" })
        }
        _ if name.starts_with("nearest_") => format!("{:.1} %", value * 100.0),
        _ => format!("{value:.3}"),
    };
    if number.contains(|c| ('1'..='9').contains(&c)) { number } else { number.replace('-', "") }
}

/// The page on a wide light screen, after it has proved sound there and on a narrow dark one.
fn sound_as(title: &str, browser: &Path, page: &Path) -> Seen {
    is_sound(&open(browser, &page.with_file_name("phone.html"), true), title, 390, true);
    let wide = open(browser, page, false);
    is_sound(&wide, title, 1600, false);
    wide
}

fn sound(browser: &Path, page: &Path) -> Seen {
    sound_as("hivescope report", browser, page)
}

#[test]
fn the_demo_draws_itself_in_light_and_dark_narrow_and_wide() {
    let Some(browser) = browser() else { return };
    let here = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gemma_demo.parquet");
    let (summary, page) = probed(here.path(), &demo);
    let seen = sound(&browser, &page);
    for section in [
        "headlines",
        "map",
        "worth",
        "meanings",
        "growth",
        "heat-map",
        "pairs",
        "histogram",
        "intra",
        "top-n",
        "variation",
        "checks",
        "queries",
        "examples",
        "models",
        "duplicates",
        "left-out",
        "reading",
        "provenance",
        "files",
    ] {
        assert!(seen.dom.contains(&format!("<section id=\"{section}\"")), "{section} is missing");
        assert!(seen.dom.contains(&format!("href=\"#{section}\"")), "{section} is not in the contents");
    }
    assert!(summary["headlines"].as_array().unwrap().len() >= 6);
    cards_show_headlines(&seen, &summary);
    assert!(seen.part("<header", "</header>").contains("958 responses"));
    assert!(seen.part("<section id=\"models\"", "</section>").contains("gemma-3-270m temperature 0.7"));
    let meanings = seen.part("<section id=\"meanings\"", "</section>");
    let cuts = summary["meanings"]["curve"].as_array().unwrap();
    assert_eq!(cuts.len(), 5);
    for cut in cuts {
        let number = shown("distinct_meanings", cut["distinct"].as_f64().unwrap());
        assert!(meanings.contains(&number) && meanings.contains(&shown("", cut["tau"].as_f64().unwrap())), "{number}");
    }
    assert!(meanings.contains("of 47 to 48 answers to a query") && meanings.contains("topics and wording"));
    let histogram = seen.part("<section id=\"histogram\"", "</section>");
    assert!(histogram.contains("458,403") && histogram.contains("same query, same model"));
    let percent = |value: &serde_json::Value| format!("{:.1} %", 100.0 * value.as_f64().unwrap());
    let variation = seen.part("<section id=\"variation\"", "</section>");
    for share in ["cell", "style"] {
        assert!(
            variation.contains(&percent(&summary["variation"][share]["adjusted"])),
            "{share} is not in {variation}"
        );
    }
    assert!(variation.contains("spread as well as place"));
    let checks = seen.part("<section id=\"checks\"", "</section>");
    let like = &summary["length"]["like_length"];
    for number in
        [&summary["texts"]["lines"][2]["value"], &like["value"], &like["floor"], &summary["length"]["ratio"]["mean"]]
    {
        assert!(checks.contains(&shown("", number.as_f64().unwrap())), "{number} is not in {checks}");
    }
    assert!(
        checks.contains(&percent(&summary["texts"]["shares"][2]["value"])) && checks.contains("Matching selects pairs")
    );
    let card = seen.part("data-name=\"ensemble_gain\"", "</article>");
    assert!(card.contains("Monte Carlo error") && card.contains("200 draws"));
    assert!(seen.part("<section id=\"models\"", "</section>").contains("Not separable from the next"));
    assert!(seen.part("<section id=\"pairs\"", "</section>").contains("separable"));
    assert!(seen.part("<section id=\"files\"", "</section>").contains("href=\"neighbors.parquet\""));
    assert!(seen.part("<section id=\"provenance\"", "</section>").contains("gemma_demo.parquet"));
}

/// Every headline has a card with its value and its interval.
fn cards_show_headlines(seen: &Seen, summary: &serde_json::Value) {
    for line in summary["headlines"].as_array().unwrap() {
        let (name, value) = (line["name"].as_str().unwrap(), line["value"].as_f64().unwrap());
        let card = seen.part(&format!("data-name=\"{name}\""), "</article>");
        let number = shown(name, value).replace('-', "−");
        assert!(card.contains(&format!("<strong>{number}</strong>")), "{name}: {number} is not in {card}");
        if let Some(low) = line["interval"]["low"].as_f64() {
            assert!(card.contains(&shown(name, low).replace('-', "−")), "{name}: its interval is not in {card}");
        }
    }
}

#[test]
fn sections_of_optional_columns_draw_themselves() {
    let Some(browser) = browser() else { return };
    for (columns, section, names) in [
        (["--contexts", "3"], "packaging", ["packaging", "packaging_vendor"]),
        (["--rise", "0.1"], "stages", ["stage_inter:sft:rl", "stage_intra:sft:rl"]),
        (["--drop", "1"], "stages", ["stage_distinct:sft:rl", "stage_tail:sft:rl"]),
        (["--rise=0.05", "--arms"], "trends", ["arm_inter:critic:sft:rl", "arm_intra:critic:sft:rl"]),
        (["--form", "0.3"], "form", ["form_repeats", "form_style"]),
        (["--teams", "4,1,2,.5"], "teams", ["effective_diversity", "team_outcome:diversity"]),
        (["--people", "4"], "people", ["rho_individual", "source_adds:people"]),
    ] {
        let here = tempfile::tempdir().unwrap();
        let corpus = here.path().join("planted.parquet");
        let samples = if ["--people", "--drop"].contains(&columns[0]) { "7" } else { "2" };
        let models = if section == "teams" { "30" } else { "4" };
        let sizes = ["--queries", "12", "--models", models, "--samples", samples, "--dim", "64"];
        let synth = [&["synth", "--quiet"][..], &sizes, &["--out"]].concat();
        let synth = Command::new(env!("CARGO_BIN_EXE_hivescope")).args(synth).arg(&corpus).args(columns).output();
        assert!(synth.unwrap().status.success());
        let (summary, page) = probed(here.path(), &corpus);
        let seen = sound(&browser, &page);
        cards_show_headlines(&seen, &summary);
        let headlines = summary["headlines"].as_array().unwrap();
        let part = seen.part(&format!("<section id=\"{section}\""), "</section>");
        for name in names {
            let line = headlines.iter().find(|line| line["name"] == name).unwrap();
            let number = shown(name, line["value"].as_f64().unwrap()).replace('-', "−");
            assert!(part.contains(&number), "{name}: {number} is not in {part}");
        }
        assert!((part.contains("model 003") || section == "teams") && part.contains("class=\"whisker\""));
    }
}

#[test]
fn growth_in_time_draws_itself() {
    let Some(browser) = browser() else { return };
    let here = tempfile::tempdir().unwrap();
    let corpus = here.path().join("planted.parquet");
    let synth = ["synth", "--quiet", "--growth", "0.5", "--queries", "12", "--dim", "64", "--out"];
    let synth = Command::new(env!("CARGO_BIN_EXE_hivescope")).args(synth).arg(&corpus).output();
    assert!(synth.unwrap().status.success());
    let (summary, page) = probed(here.path(), &corpus);
    let seen = sound(&browser, &page);
    cards_show_headlines(&seen, &summary);
    let part = seen.part("<section id=\"growth\"", "</section>");
    let inflation = summary["growth"]["inflation"]["value"].as_f64().unwrap();
    assert!(part.contains(&shown("inflation", inflation)) && part.contains("in the order of time"));
    assert!(part.contains("Ratings come") && part.contains("+0.500"), "{part}");
}

/// Title of reproduction.html.
const REPRODUCED: &str = "hivescope: Artificial Hivemind reproduced";

#[test]
fn a_reproduction_draws_itself_and_is_drawn_again() {
    let Some(browser) = browser() else { return };
    let here = tempfile::tempdir().unwrap();
    let path = |name: &str| here.path().join(name).to_str().unwrap().to_owned();
    crate::reproduce::dump(&here.path().join("dump.parquet"), &["original", "again"], &["top-p", "min-p"]);
    crate::reproduce::ratings(&here.path().join("ratings.parquet"), false);
    let (dump, out, ratings) = (path("dump.parquet"), path("out"), path("ratings.parquet"));
    let arguments = ["reproduce", "infinity-chat", "--quiet", &dump, "--out", &out, "--decoding", "decoding"];
    let more = ["--query-pca", "query 03", "--ratings", &ratings, "--rating-scores", "judge"];
    hivescope(&[&arguments[..], &more].concat());
    let page = here.path().join("out/reproduction.html");
    let first = fs::read(&page).unwrap();
    fs::remove_file(&page).unwrap();
    hivescope(&["report", "--quiet", &out]);
    assert!(first == fs::read(&page).unwrap() && !here.path().join("out/report.html").exists());

    let seen = sound_as(REPRODUCED, &browser, &with_probe(PROBE, &page));
    for section in [
        "compared",
        "table-6",
        "shares",
        "inter",
        "figure-8",
        "components",
        "disagreement",
        "correlation",
        "provenance",
    ] {
        assert!(seen.dom.contains(&format!("<section id=\"{section}\"")), "{section} is missing");
        assert!(seen.dom.contains(&format!("href=\"#{section}\"")), "{section} is not in the contents");
    }
    let compared = seen.part("<section id=\"compared\"", "</section>");
    assert!(
        compared.contains("79.08 %") && compared.contains("66.67 %") && compared.contains("not comparable"),
        "{compared}"
    );
    assert!(seen.part("<section id=\"shares\"", "</section>").contains("gpt-4o-2024-11-20"));
    assert!(seen.part("<section id=\"components\"", "</section>").contains("query 03"));
}

#[test]
fn this_test_notices_what_it_looks_for() {
    let Some(browser) = browser() else { return };
    let here = tempfile::tempdir().unwrap();
    let page = here.path().join("bad.html");
    let bad = format!("<img src=\"http://{HOST}/a\"><script>setTimeout(() => nothing.there, 10)</script>");
    fs::write(&page, format!("<!doctype html><title>bad</title><body>{bad}</body>")).unwrap();
    let seen = open(&browser, &page, false);
    assert!(seen.requests.iter().any(|line| line.contains(HOST)), "the request was not seen: {:?}", seen.requests);
    assert!(seen.console.iter().any(|line| line.contains("nothing is not defined")), "{:?}", seen.console);
}

#[test]
fn report_of_what_is_no_result_says_so() {
    let here = tempfile::tempdir().unwrap();
    let report = |directory: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_hivescope")).arg("report").arg(directory).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, message) = report(&here.path().join("nowhere"));
    assert!(code == Some(2) && message.contains("nowhere"), "{message}");
    let (code, message) = report(here.path());
    assert!(code == Some(2) && message.contains("not a result of hivescope"), "{message}");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/planted.parquet");
    let out = here.path().join("out");
    let arguments = ["run", "--quiet", "--backend", "cpu", "--out"];
    let run = Command::new(env!("CARGO_BIN_EXE_hivescope")).args(arguments).args([&out, &demo]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let first = fs::read(out.join("report.html")).unwrap();
    let (code, message) = report(&out);
    assert!(code == Some(0) && first == fs::read(out.join("report.html")).unwrap(), "{message}");
    let whole = fs::read(out.join("queries.parquet")).unwrap();
    fs::write(out.join("queries.parquet"), &whole[..whole.len() / 2]).unwrap();
    let (code, message) = report(&out);
    assert!(code == Some(3) && message.contains("queries.parquet"), "{message}");
    assert!(first == fs::read(out.join("report.html")).unwrap(), "a failed report replaced the old one");
}
