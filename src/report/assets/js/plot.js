// Pieces that several plots share.

/** An SVG of a width and height, drawn one to one. */
function canvas(width, height, label, ...children) {
  const frame = { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label };
  return svg('svg', frame, children);
}

function label(x, y, words, properties) {
  return svg('text', { x, y, ...properties }, words);
}

function line(x1, y1, x2, y2, kind) {
  return svg('line', { x1, y1, x2, y2, class: kind });
}

/** Ticks, grid and title of a horizontal axis at height `y`. */
function axisBelow(values, x, y, { show = String, title, from, to, top }) {
  const marks = values.map(value => [
    has(top) ? line(x(value), top, x(value), y, 'grid') : null,
    label(x(value), y + 16, show(value), { class: 'tick', 'text-anchor': 'middle' }),
  ]);
  const words = title
    ? label((from + to) / 2, y + 36, title, { class: 'axis', 'text-anchor': 'middle' })
    : null;
  return [marks, line(from, y, to, y, 'base'), words];
}

/** Ticks, grid and title of a vertical axis at `x`. */
function axisLeft(values, y, x, { show = String, title, to }) {
  const marks = values.map(value => [
    line(x, y(value), to, y(value), 'grid'),
    label(x - 8, y(value) + 4, show(value), { class: 'tick', 'text-anchor': 'end' }),
  ]);
  return [marks, title ? label(0, 12, title, { class: 'axis' }) : null];
}

/**
 * Vertical lines with words, for values such as a mean or a floor. Words that would lie on each other go one row down.
 * `marks`: { at, words, kind }.
 */
function marked(marks, x, top, bottom, width) {
  const rows = [];
  const sorted = marks.filter(mark => has(mark.at)).sort((a, b) => a.at - b.at);
  const drawn = sorted.map(mark => {
    const at = x(mark.at);
    const reach = wide(mark.words, 600) + 12;
    const before = at + reach > width;
    const [from, to] = before ? [at - reach, at] : [at, at + reach];
    let row = rows.findIndex(taken => taken.every(([a, b]) => to < a || from > b));
    if (row < 0) row = rows.push([]) - 1;
    rows[row].push([from, to]);
    const words = { class: `mark-words ${mark.kind}`, 'text-anchor': before ? 'end' : 'start' };
    const high = top + row * 16;
    return [
      line(at, high, at, bottom, `mark ${mark.kind}`),
      label(at + (before ? -6 : 6), high + 11, mark.words, words),
    ];
  });
  // Words last, so that no line crosses them.
  return [drawn.map(([stroke]) => stroke), drawn.map(([, words]) => words)];
}

/** The key of a plot: a sample of each kind of line and its name. */
function key(items) {
  const sample = kind =>
    svg('svg', { width: 26, height: 10, 'aria-hidden': 'true' }, line(0, 5, 26, 5, kind));
  return el(
    'ul',
    { class: 'key' },
    items.map(([kind, words]) => el('li', {}, sample(kind), words)),
  );
}

/**
 * How a number is distributed over queries: bars, with marks. `spread` is { start, width, counts, mean, quantiles, n };
 * `range` says in words what a bar holds.
 */
function distribution(
  spread,
  {
    title,
    marks = [],
    show,
    from,
    to,
    noun = 'queries',
    range = (low, high) => `${show(low)} to ${show(high)}`,
  },
) {
  const high = spread.start + spread.counts.length * spread.width;
  const [first, last] = [Math.min(from ?? spread.start, spread.start), Math.max(to ?? high, high)];
  const most = Math.max(...spread.counts);
  return responsive(`${title}: distribution over ${noun}`, width => {
    const [left, right, top, bottom] = [44, width - 12, 58, 206];
    const x = linear(first, last, left, right);
    const y = linear(0, most, bottom, top);
    const along = ticks(first, last, width / 90);
    const bars = spread.counts.map((value, bin) => {
      const low = spread.start + bin * spread.width;
      const box = {
        x: x(low) + 0.5,
        y: y(value),
        width: Math.max(1, x(low + spread.width) - x(low) - 1),
        height: bottom - y(value),
      };
      const words = [range(low, low + spread.width), `${count(value)} of ${count(spread.n)} ${noun}`];
      return svg('rect', {
        ...box,
        class: 'bar',
        onpointermove: e => tip(e, words),
        onpointerleave: e => tip(e),
      });
    });
    return canvas(
      width,
      250,
      `${title}: from ${show(spread.quantiles[0][1])} to ${show(spread.quantiles[6][1])}, median ${show(spread.quantiles[3][1])}`,
      axisLeft(ticks(0, most, 3).filter(Number.isInteger), y, left, { show: count, title: noun, to: right }),
      bars,
      axisBelow(along, x, bottom, { show: tickText(along), title, from: left, to: right }),
      marked(marks, x, 22, bottom, width),
    );
  });
}
