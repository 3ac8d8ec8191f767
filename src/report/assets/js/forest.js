// One line a row: a value with its interval, beside what it is read against.

/**
 * `rows`: { name, value, low, high, soft, words }; `mark`: { at, words }. A row that is `soft` is drawn in grey.
 */
function forest(title, rows, { show, mark, axis, ticks: shown }) {
  const ends = rows.flatMap(row => [row.value, row.low, row.high]).filter(has);
  const [least, most] = [Math.min(mark.at, ...ends), Math.max(mark.at, ...ends)];
  const margin = (most - least || 1) * 0.06;
  return responsive(title, width => {
    const names = Math.min(width * 0.36, Math.max(...rows.map(row => wide(row.name, row.strong ? 600 : 400))) + 14);
    const [left, right, top, step] = [names, width - 62, 44, 27];
    const bottom = top + rows.length * step;
    const x = linear(least - margin, most + margin, left, right);
    const along = ticks(least - margin, most + margin, (right - left) / 60);
    const drawn = rows.map((row, place) => {
      const y = top + (place + 0.5) * step;
      const kind = row.soft ? 'soft' : '';
      const over = { onpointermove: e => tip(e, row.words), onpointerleave: e => tip(e) };
      return svg(
        'g',
        { class: 'whisker', ...over },
        svg('rect', { x: 0, y: y - step / 2, width, height: step, class: 'hit' }),
        label(left - 12, y + 4, fitted(row.name, left - 14, row.strong ? 600 : 400), {
          class: row.strong ? 'strong' : 'tick',
          'text-anchor': 'end',
        }),
        has(row.low) ? line(x(row.low), y, x(row.high), y, kind) : null,
        svg('circle', { cx: x(row.value), cy: y, r: row.strong ? 6 : 4.5, class: kind }),
        label(right + 10, y + 4, show(row.value), { class: 'tick' }),
      );
    });
    return canvas(
      width,
      bottom + 42,
      rows.map(row => `${row.name}: ${show(row.value)}`).join('; '),
      axisBelow(along, x, bottom, { show: shown ?? tickText(along), title: axis, from: left, to: right, top }),
      marked([{ ...mark, kind: 'floor' }], x, 22, bottom, width),
      drawn,
    );
  });
}

/** A number with its sign. */
function signed(value) {
  return has(value) && value > 0 ? `+${decimal(value)}` : decimal(value);
}

/** Names of the corpus, one after the other. */
function listed(names, most = 8) {
  const first = names.slice(0, most).map((name, k) => [k ? ', ' : '', corpus(shortened(name, 60))]);
  return [first, names.length > most ? ` and ${count(names.length - most)} more` : null];
}
