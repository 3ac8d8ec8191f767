// Building the page. Texts go in as text nodes only: nothing of the corpus is ever parsed as HTML.

const SVG = 'http://www.w3.org/2000/svg';

function build(node, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (!has(value) || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'style') Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter(has));
  return node;
}

/** An HTML element: `el('p', { class: 'soft' }, 'text', el('b', {}, 'more'))`. */
function el(tag, properties, ...children) {
  return build(document.createElement(tag), properties, children);
}

/** An SVG element. */
function svg(tag, properties, ...children) {
  return build(document.createElementNS(SVG, tag), properties, children);
}

/** A name or text of the corpus: isolated, so that its direction does not spill over. */
function corpus(text, properties) {
  return el('bdi', { dir: 'auto', ...properties }, visible(text));
}

/** A query, cut, the whole of it on demand. */
function query(text) {
  const line = text.trim().replace(/\s+/g, ' ');
  if (line === text && Array.from(text).length <= 140) return corpus(text);
  return el(
    'details',
    { class: 'long' },
    el('summary', {}, corpus(shortened(line, 120))),
    corpus(text, { class: 'text' }),
  );
}

/** A section with its heading; `lead` says in a sentence or two what is seen. */
function section(id, title, lead, ...children) {
  const heading = el('h2', { id: `${id}-heading` }, title);
  const words = lead ? el('p', { class: 'lead' }, lead) : null;
  return el('section', { id, 'aria-labelledby': `${id}-heading` }, heading, words, children);
}

/** Something folded away; `make` is called when it is first opened. */
function folded(summary, make) {
  const box = el('details', { class: 'folded' }, el('summary', {}, summary));
  box.addEventListener('toggle', () => {
    if (box.open && box.children.length === 1) box.append(...[make()].flat());
  });
  return box;
}

/** What stands where there is nothing to show. */
function empty(text) {
  return el('p', { class: 'empty' }, text);
}

/** Draws every figure that has come onto the page. */
const figures = [];
function drawFigures() {
  figures.splice(0).forEach(fit => fit());
}

/** A figure whose drawing depends on its width: drawn by `drawFigures`, and again whenever the width changes. */
function responsive(label, draw) {
  const box = el('div', { class: 'plot', role: 'group', 'aria-label': label });
  let drawn = 0;
  const fit = () => {
    const width = Math.floor(box.clientWidth);
    if (!width || width === drawn) return;
    drawn = width;
    box.replaceChildren(...[draw(width)].flat());
  };
  figures.push(fit);
  // In a frame of its own: a drawing changes the height, and so what is being observed.
  new ResizeObserver(() => requestAnimationFrame(fit)).observe(box);
  return box;
}

const ruled = document.createElement('canvas').getContext('2d');
const family = getComputedStyle(document.body).fontFamily;

/** Width in pixels of words in a plot. */
function wide(words, weight = 400) {
  ruled.font = `${weight} 12px ${family}`;
  return ruled.measureText(words).width;
}

/** A name cut in its middle to a width in pixels: names often differ at their ends. */
function fitted(name, pixels, weight) {
  const all = Array.from(visible(name).replace(/\s+/g, ' '));
  let kept = all.length;
  const words = () =>
    kept === all.length
      ? all.join('')
      : `${all.slice(0, Math.ceil(kept / 2)).join('')}…${all.slice(all.length - Math.floor(kept / 2)).join('')}`;
  if (all.length > 80) kept = 80;
  while (kept > 2 && wide(words(), weight) > pixels) kept -= 1;
  return words();
}

/** Shows `lines` (texts or nodes) beside the pointer; nothing hides it. */
function tip(event, lines) {
  const box = document.getElementById('tip');
  box.hidden = !lines;
  if (!lines) return;
  box.replaceChildren(...lines.map(line => el('div', {}, line)));
  const left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8);
  const below = event.clientY + 16;
  const top = below + box.offsetHeight > innerHeight ? event.clientY - box.offsetHeight - 12 : below;
  Object.assign(box.style, { left: `${Math.max(4, left)}px`, top: `${Math.max(4, top)}px` });
}
