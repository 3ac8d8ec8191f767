'use strict';
const COLORS = ['#0b8a91', '#d9822b', '#7a6bd1', '#8a9199'];
const has = x => x !== null && x !== undefined;
const f = (x, n = 3) => has(x) ? Number(x).toFixed(n) : '–';
const count = x => has(x) ? Number(x).toLocaleString('en') : '–';
function el(tag, cls, text, ...kids) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (has(text)) e.textContent = text;
  e.append(...kids);
  return e;
}
function tip(event, text) {
  const t = document.getElementById('tip');
  t.hidden = !text;
  if (!text) return;
  t.textContent = text;
  t.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - 310)) + 'px';
  t.style.top = event.clientY + 14 + 'px';
}
// Dark blue-green to yellow, readable on light and dark ground.
function color(t) {
  const stops = [[38, 50, 92], [22, 110, 130], [70, 170, 120], [245, 220, 90]];
  const x = Math.max(0, Math.min(1, t)) * 3, i = Math.min(2, Math.floor(x));
  return 'rgb(' + stops[i].map((a, k) => Math.round(a + (stops[i + 1][k] - a) * (x - i))).join() + ')';
}
function canvas(w, h, label) {
  const c = el('canvas'), r = 2;
  c.width = w * r; c.height = h * r; c.style.width = w + 'px';
  c.setAttribute('role', 'img'); c.setAttribute('aria-label', label);
  const g = c.getContext('2d');
  g.scale(r, r); g.font = '12px system-ui';
  return [c, g];
}
const ink = () => getComputedStyle(document.body).color;
function table(heads, rows, sortable) {
  const body = el('tbody'), head = el('tr'), t = el('table', '', null, el('thead', '', null, head), body);
  let last = -1, up = false;
  const fill = () => body.replaceChildren(...rows.map(r => el('tr', '', null, ...r.map(v =>
    el('td', '', typeof v === 'number' ? (Number.isInteger(v) ? count(v) : f(v)) : has(v) ? v : '–')))));
  heads.forEach((h, i) => {
    const th = el('th'); th.scope = 'col';
    if (sortable) {
      const b = el('button', '', h);
      b.onclick = () => {
        up = last === i ? !up : typeof rows[0]?.[i] === 'string'; last = i;
        rows.sort((a, c) => !has(a[i]) ? 1 : !has(c[i]) ? -1 : (a[i] < c[i] ? -1 : a[i] > c[i] ? 1 : 0) * (up ? 1 : -1));
        [...head.children].forEach(x => x.removeAttribute('aria-sort'));
        th.setAttribute('aria-sort', up ? 'ascending' : 'descending'); fill();
      };
      th.append(b);
    } else th.textContent = h;
    head.append(th);
  });
  fill();
  return el('div', 'scroll', null, t);
}
// Horizontal bars: [label, value, [[mark, what it is], ...]].
function bars(rows, most, digits) {
  const percent = v => Math.max(0, Math.min(100, v / most * 100)) + '%';
  return el('div', 'bars', null, ...rows.map(([label, value, marks]) => {
    const fill = el('i'), track = el('span', 'track', null, fill);
    fill.style.width = percent(value);
    (marks || []).forEach(([at, what]) => { const tick = el('u'); tick.style.left = percent(at); tick.title = what + ' ' + f(at, digits); track.append(tick); });
    return el('div', 'bar', null, el('span', '', label), track, el('span', '', f(value, digits)));
  }));
}
function heat(models, pairs, order) {
  const n = models.length, names = models.map(m => m.model), at = new Map(names.map((m, i) => [m, i]));
  const v = Array.from({ length: n }, () => Array(n).fill(null));
  for (const p of pairs) { const a = at.get(p.model_a), b = at.get(p.model_b); if (has(a) && has(b)) v[a][b] = v[b][a] = p.mean; }
  const all = v.flat().filter(has), lo = Math.min(...all), hi = Math.max(...all);
  const size = Math.max(6, Math.min(40, Math.floor(640 / n))), [c, g] = canvas(n * size, n * size, 'Mean similarity of every pair of models');
  const plain = names.map((_, i) => i), clustered = order && order.length === n ? order : plain; let now = clustered;
  const draw = () => { g.clearRect(0, 0, n * size, n * size); now.forEach((a, y) => now.forEach((b, x) => {
    if (has(v[a][b])) { g.fillStyle = color((v[a][b] - lo) / (hi - lo || 1)); g.fillRect(x * size, y * size, size - 1, size - 1); } })); };
  c.onmousemove = e => { const k = c.clientWidth / n, a = now[Math.floor(e.offsetY / k)], b = now[Math.floor(e.offsetX / k)];
    tip(e, has(a) && has(b) ? (a === b ? names[a] + ' with itself: ' : names[a] + ' and ' + names[b] + ': ') + f(v[a][b]) : ''); };
  c.onmouseleave = e => tip(e, '');
  const b = el('button', 'plain', 'Show in alphabetical order');
  b.onclick = () => { now = now === clustered ? plain : clustered; b.textContent = now === clustered ? 'Show in alphabetical order' : 'Show in clustered order'; draw(); };
  const bar = el('i'); bar.style.cssText = 'display:inline-block;width:160px;height:10px;margin:0 8px;background:linear-gradient(90deg,' + [0, .33, .67, 1].map(color) + ')';
  draw();
  return [c, el('div', 'soft', null, f(lo, 2), bar, f(hi, 2)), b];
}
function lines(hist) {
  const W = 900, H = 300, L = 44, names = [...new Set(hist.map(r => r.relation))], total = {};
  for (const r of hist) total[r.relation] = (total[r.relation] || 0) + r.pairs;
  const D = r => r.pairs / (total[r.relation] || 1), used = hist.filter(r => r.pairs);
  const x0 = Math.min(...used.map(r => r.low)), x1 = Math.max(...used.map(r => r.high)), bottom = Math.floor(Math.log10(Math.min(...used.map(D))));
  const X = x => L + (x - x0) / (x1 - x0 || 1) * (W - L - 8), Y = d => 8 + Math.log10(d) / (bottom || -1) * (H - 36);
  const [c, g] = canvas(W, H, 'Share of pairs by similarity for four relations, log scale');
  g.fillStyle = ink();
  for (let k = 0; k >= bottom; k--) { g.fillText('1e' + k, 4, Y(10 ** k) + 4); g.globalAlpha = .15; g.fillRect(L, Y(10 ** k), W - L, 1); g.globalAlpha = 1; }
  for (let x = Math.ceil(x0 * 5) / 5; x <= x1 + 1e-9; x += .2) g.fillText(x.toFixed(1), Math.min(X(x), W - 20), H - 6);
  names.forEach((name, i) => { g.strokeStyle = COLORS[i]; g.lineWidth = 2; g.beginPath(); let pen = false;
    for (const r of hist) if (r.relation === name) { if (!r.pairs) { pen = false; continue; } const x = X(r.low), y = Y(D(r)); pen ? g.lineTo(x, y) : g.moveTo(x, y); g.lineTo(X(r.high), y); pen = true; } g.stroke(); });
  c.onmousemove = e => { const x = x0 + (e.offsetX * W / c.clientWidth - L) / (W - L - 8) * (x1 - x0), r = hist.filter(h => h.low <= x && x < h.high);
    tip(e, r.length ? f(r[0].low, 2) + ' to ' + f(r[0].high, 2) + ' · ' + r.map(h => h.relation.replaceAll('_', ' ') + ': ' + count(h.pairs)).join(' · ') : ''); };
  c.onmouseleave = e => tip(e, '');
  const keys = names.map((n, i) => { const k = el('i'); k.style.background = COLORS[i]; return el('span', 'key', null, k, n.replaceAll('_', ' ')); });
  return [el('div', '', null, ...keys), c];
}
function render() {
  const d = JSON.parse(document.getElementById('data').textContent), s = d.summary, main = document.getElementById('main'), missing = [];
  const section = (ok, title, lead, make) => ok ? main.append(el('section', '', null, el('h2', '', title), el('p', 'soft', lead), ...make())) : missing.push([title, 'no data in this result']);
  main.replaceChildren(el('h1', '', 'Do these models still say different things?'),
    el('p', 'soft', `${count(s.rows)} responses · ${count(s.queries)} queries · ${count(s.models)} models · ${count(s.dim)} dimensions`));
  const iv = i => f(i.low) + ' to ' + f(i.high);
  const noPeople = (s.notes || []).some(n => n.startsWith('no people'));
  main.append(el('div', 'cards', null, ...(s.headlines || []).map(h => el('div', 'card', null, el('div', 'label', h.label), el('b', '', f(h.value)),
    ...[h.interval && '95 %: ' + iv(h.interval), h.interval_models_too && 'other models too: ' + iv(h.interval_models_too),
      has(h.floor) && (h.floor_label || 'floor') + ': ' + f(h.floor), has(h.human) ? 'people: ' + f(h.human) : noPeople && /^(inter|intra)_mean$/.test(h.name) && 'No human responses in this corpus to compare with.',
      has(h.without_regardless) && 'without models that answer regardless: ' + f(h.without_regardless), ...(h.notes || [])].filter(Boolean).map(t => el('div', '', t))))));
  const m = d.models || [], p = (d.pairs || []).filter(r => has(r.mean));
  section(m.length && p.length, 'Models beside models', 'Mean similarity of answers to the same query; the diagonal is within one model.', () => heat(m, p, s.model_order));
  section(m.length, 'Models', 'Select a column name to sort.', () => [table(['model', 'responses', 'queries', 'within', 'share ≥ .8 (%)', 'floor', 'Vendi 1'],
    m.map(r => [r.model, r.n, r.queries, r.intra_mean, r.share_ge_0_8, r.floor, r.vendi_1]), true)]);
  section(s.intra_bins || s.intra_paper_bins, 'How alike one model\u2019s answers are', 'Percent of queries by mean similarity within a model.', () => [
    s.intra_bins ? bars(s.intra_bins.map((v, i) => [(i / 10).toFixed(1) + ' to ' + ((i + 1) / 10).toFixed(1), v]), Math.max(...s.intra_bins, 1), 1) : '',
    table(['similarity', 'plain bins (%)', 'paper bins (%)'],
    Array.from({ length: 10 }, (_, i) => [(i / 10).toFixed(1) + ' to ' + ((i + 1) / 10).toFixed(1), f(s.intra_bins?.[i], 1), f(s.intra_paper_bins?.[i], 1)]))]);
  section(d.histogram?.some(r => r.pairs), 'All pairs', 'Share of pairs in each bin of .01, on a log scale: floor and tail together.', () => lines(d.histogram));
  section(s.top_n?.length, 'Distinct models among the nearest', 'Beside what exchangeable labels would give, and the least possible.', () => [
    bars(s.top_n.map(([n, seen, chance, least]) => ['N = ' + n, seen, [[chance, 'if models could not be told apart:'], [least, 'least possible:']]]), Math.max(...s.top_n.map(r => Math.max(r[1], r[2]))), 2),
    table(['N', 'models', 'null', 'least'], s.top_n)]);
  const q = rows => table(['query', 'responses', 'mean', 'between models', 'within model'], rows.map(r => [r.query.length > 160 ? r.query.slice(0, 160) + '…' : r.query, r.n, r.mean, r.inter_mean, r.intra_mean]));
  section(d.most?.length, 'Most alike queries', 'By similarity between models.', () => [q(d.most)]);
  section(d.least?.length, 'Least alike queries', 'By similarity between models.', () => [q(d.least)]);
  const across = p.filter(r => r.model_a !== r.model_b).sort((a, b) => b.mean - a.mean);
  section(across.length, 'Most alike pairs of models', 'Mean similarity on shared queries.', () => [table(['model', 'model', 'mean', 'floor'], across.slice(0, 10).map(r => [r.model_a, r.model_b, r.mean, r.floor]))]);
  section(across.length > 10, 'Least alike pairs of models', 'Mean similarity on shared queries.', () => [table(['model', 'model', 'mean', 'floor'], across.slice(-10).reverse().map(r => [r.model_a, r.model_b, r.mean, r.floor]))]);
  section(s.examples?.length, 'Examples', 'What these numbers look like.', () => s.examples.flatMap(e => [el('h3', '', `${e.kind}: ${e.query} (${f(e.similarity)})`),
    ...e.models.map((n, i) => el('blockquote', '', n + ', row ' + e.rows[i] + (e.texts ? '\n' + e.texts[i] : '')))]));
  const nd = s.near_duplicates;
  section(nd, 'Near duplicates', 'Responses that are almost the same.', () => [table(['threshold', 'pairs', 'groups', 'share with another model', 'verbatim', 'verbatim, other model'],
    [[f(nd.threshold), nd.pairs, nd.components, nd.share_shared, nd.verbatim_share, nd.verbatim_share_other_model]])]);
  section(s.answers_regardless?.length, 'Models that answer regardless of the query', 'Their answers to different queries are unusually alike.', () => [el('p', '', s.answers_regardless.join(', '))]);
  const out = [...(s.left_out || []).map(l => [l.measure, l.reason]), ...missing];
  if (out.length) main.append(el('h2', '', 'Left out'), table(['what', 'why'], out));
  if (s.notes?.length) main.append(el('h2', '', 'Notes'), ...s.notes.map(n => el('p', '', n)));
  main.append(el('h2', '', 'Provenance'), el('details', '', null, el('summary', '', 'manifest.json'), el('pre', '', JSON.stringify(d.manifest, null, 2))));
}
