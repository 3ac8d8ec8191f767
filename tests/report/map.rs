//! The map of all answers in a browser: moving, filtering, who a point is, and hostile texts there.

use super::hostile::write_hostile;
use super::{browser, hivescope, open, probed_by};
use std::path::Path;

/// Put into a copy of the page: does with the map what a reader would, and writes down what is seen.
const MAP_PROBE: &str = r#"
// Virtual time does not wait for frames.
requestAnimationFrame = act => setTimeout(() => act(performance.now()), 16);
addEventListener('load', async () => {
  const rest = (time = 450) => new Promise(done => setTimeout(done, time));
  const find = selector => document.querySelector(selector);
  const [frame, tip] = [find('.map-frame'), find('#tip')];
  const place = (x, y) => { const box = frame.getBoundingClientRect();
    return { bubbles: true, cancelable: true, pointerId: 1, pointerType: 'mouse', clientX: box.left + x, clientY: box.top + y }; };
  const point = (kind, x, y) => frame.dispatchEvent(new PointerEvent(kind, place(x, y)));
  const status = () => find('.map-status').textContent;
  const picture = () => { const canvas = frame.querySelector('canvas');
    // Of a copy: a canvas that is read several times is complained of.
    const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height }).getContext('2d');
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let hash = 7; const colours = new Set();
    for (let i = 0; i < data.length; i += 4) { const one = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2]; colours.add(one);
      hash = (Math.imul(hash, 31) + one) | 0; }
    return { hash, colours: colours.size }; };
  const tips = async most => { const found = new Set();
    for (let y = 4; y < frame.clientHeight && found.size < most; y += 9) for (let x = 4; x < frame.clientWidth && found.size < most; x += 9) {
      point('pointermove', x, y);
      if (tip.hidden) continue;
      await rest(40);
      found.add(tip.textContent);
    }
    return [...found]; };
  const key = async name => { frame.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true })); await rest(); return picture().hash; };
  await rest();
  const seen = { all: status(), first: picture(), label: frame.getAttribute('aria-label') };
  seen.tips = await tips(10);
  seen.elements = tip.querySelectorAll('img, script, iframe, svg, link').length;
  point('pointerleave', 0, 0);
  seen.left = tip.hidden;
  seen.plus = await key('+');
  seen.right = await key('ArrowRight');
  seen.zero = await key('0');
  frame.dispatchEvent(new WheelEvent('wheel', { ...place(200, 200), deltaY: -400 }));
  await rest();
  seen.wheel = picture().hash;
  point('pointerdown', 100, 100); point('pointermove', 180, 140); point('pointermove', 190, 150); point('pointerup', 190, 150);
  await rest();
  seen.drag = picture().hash;
  point('dblclick', 100, 100);
  frame.dispatchEvent(new MouseEvent('dblclick', place(100, 100)));
  await rest();
  seen.back = picture().hash;
  seen.legend = find('.map-legend').textContent;
  seen.choices = [...find('.map-side select').options].map(option => option.value);
  find('.map-legend button').click();
  await rest();
  seen.one = { status: status(), picture: picture(), tips: await tips(3), by: find('.map-side select').value };
  find('#map details').open = true;
  await rest();
  seen.table = find('#map table').textContent;
  find('.map-status button').click();
  await rest();
  seen.again = status();
  const search = find('.map-side input');
  if (search) {
    const buttons = () => find('.map-side .models').querySelectorAll('button').length;
    seen.listed = buttons();
    search.value = search.getAttribute('placeholder') === 'Find a query' ? 'query 0003' : 'model 003'; search.dispatchEvent(new Event('input'));
    seen.narrowed = buttons();
  }
  document.body.append(Object.assign(document.createElement('output'), { id: 'probe', textContent: JSON.stringify(seen) }));
});
"#;

/// What the probe saw of the map in a report.
fn map_of(browser: &Path, directory: &Path, corpus: &Path) -> serde_json::Value {
    let (_, page) = probed_by(MAP_PROBE, directory, corpus);
    let seen = open(browser, &page, false);
    assert!(seen.console.is_empty(), "the console says: {:#?}", seen.console);
    seen.probe()
}

#[test]
fn the_map_says_who_a_point_is_and_moves_and_filters() {
    let Some(browser) = browser() else { return };
    let here = tempfile::tempdir().unwrap();
    let corpus = here.path().join("planted.parquet");
    let synth = "synth --quiet --form 0.3 --queries 12 --models 10 --samples 3 --dim 64 --out";
    hivescope(&synth.split(' ').chain([corpus.to_str().unwrap()]).collect::<Vec<_>>());
    let seen = map_of(&browser, here.path(), &corpus);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    assert!(text(&seen["all"]).starts_with("All 360 answers"), "{seen}");
    assert!(text(&seen["label"]).contains("360 answers") && text(&seen["label"]).contains("Arrow keys"));
    // Anti-aliased discs of 8 colours and grey.
    assert!(seen["first"]["colours"].as_u64().unwrap() > 30, "{seen}");
    for tip in seen["tips"].as_array().unwrap() {
        assert!(text(tip).contains("model 0") && text(tip).contains("query 0") && text(tip).contains("row "), "{tip}");
        assert!(text(tip).chars().count() > 160 && text(tip).contains('…'), "no text in {tip}");
    }
    assert_eq!(seen["left"], true, "the tip stays when the pointer goes");
    let first = &seen["first"]["hash"];
    for moved in ["plus", "right", "wheel", "drag"] {
        assert_ne!(&seen[moved], first, "{moved} does nothing");
    }
    assert!(seen["plus"] != seen["right"] && seen["wheel"] != seen["drag"]);
    assert_eq!((&seen["zero"], &seen["back"]), (first, first), "the whole map is not shown again");
    let choices: Vec<String> = seen["choices"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(choices, ["query", "model", "cluster"]);
    let one = &seen["one"];
    assert!(
        text(&one["status"]).starts_with("30 of 360 answers") && text(&one["status"]).contains("query 0000"),
        "{one}"
    );
    assert_ne!(&one["picture"]["hash"], first);
    assert!(one["tips"].as_array().unwrap().iter().all(|tip| text(tip).contains("query 0000")), "{one}");
    assert_eq!(one["tips"].as_array().unwrap().len(), 3, "{one}");
    // One query alone is coloured by its meanings.
    assert!(one["by"] == "cluster" && text(&seen["table"]).contains("meaning 1"), "{seen}");
    assert!(text(&seen["again"]).starts_with("All 360 answers"));
    assert_eq!((&seen["listed"], &seen["narrowed"]), (&12.into(), &1.into()));
}

#[test]
fn hostile_texts_on_the_map_stay_text() {
    let Some(browser) = browser() else { return };
    let here = tempfile::tempdir().unwrap();
    let corpus = here.path().join("hostile.parquet");
    write_hostile(&corpus);
    let seen = map_of(&browser, here.path(), &corpus);
    // The browser writes its output down as HTML.
    for part in ["tips", "legend"].map(|part| seen[part].to_string()) {
        assert!(part.contains("&lt;img src=") && part.contains("WWWWWWWW"), "{part}");
    }
    assert_eq!(seen["elements"], 0, "a text became an element");
}
