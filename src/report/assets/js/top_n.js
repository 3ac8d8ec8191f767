// Distinct models among the nearest N answers, between chance and the least possible.

function topNSection({ summary, top_n: spread }) {
  const rows = summary.top_n.map(([n, seen, chance, least]) => ({
    n,
    seen,
    chance,
    least,
    quantiles: spread.find(one => one.n === n)?.quantiles,
  }));
  if (!rows.length) return null;
  const lead =
    'Take each answer and its N nearest other answers to the same query: how many different models wrote them? Where models cannot be told apart the curve reaches the reference; where each keeps to itself it lies at the least possible.';
  const kinds = key([
    ['seen', 'seen, mean over queries'],
    ['swatch spread', 'middle half of the queries'],
    ['chance', 'if models could not be told apart'],
    ['least', 'least possible'],
  ]);
  return section(
    'top-n',
    'Distinct models among the nearest',
    lead,
    kinds,
    topNPlot(rows),
    folded('As a table', () => topNTable(rows)),
  );
}

function topNPlot(rows) {
  const most = Math.max(...rows.map(row => Math.max(row.seen, row.chance)));
  return responsive('Distinct models among the nearest N answers', width => {
    const [left, right, top, bottom] = [44, width - 60, 26, 260];
    const x = linear(0, rows[rows.length - 1].n, left, right);
    const y = linear(0, most * 1.05, bottom, top);
    const path = value =>
      rows.map((row, k) => `${k ? 'L' : 'M'}${x(row.n).toFixed(1)} ${y(value(row)).toFixed(1)}`).join('');
    const last = rows[rows.length - 1];
    const spread = rows.every(row => row.quantiles)
      ? `${path(row => row.quantiles[1])}${[...rows]
          .reverse()
          .map(row => `L${x(row.n).toFixed(1)} ${y(row.quantiles[3]).toFixed(1)}`)
          .join('')}Z`
      : null;
    const over = row => ({
      onpointermove: e =>
        tip(e, [
          el('b', {}, `N = ${row.n}`),
          `seen ${decimal(row.seen, 2)}`,
          `reference ${decimal(row.chance, 2)}`,
          `least ${decimal(row.least, 2)}`,
        ]),
      onpointerleave: e => tip(e),
    });
    return canvas(
      width,
      304,
      `At N = ${last.n}: ${decimal(last.seen, 2)} models, reference ${decimal(last.chance, 2)}, least ${decimal(last.least, 2)}`,
      axisLeft(ticks(0, most, 4), y, left, {
        show: value => decimal(value, most < 4 ? 1 : 0),
        title: 'distinct models',
        to: right,
      }),
      spread ? svg('path', { d: spread, class: 'spread' }) : null,
      svg('path', { d: path(row => row.chance), class: 'curve chance' }),
      svg('path', { d: path(row => row.least), class: 'curve least' }),
      svg('path', { d: path(row => row.seen), class: 'curve seen' }),
      rows.map(row => svg('circle', { cx: x(row.n), cy: y(row.seen), r: 4, class: 'seen' })),
      rows.map(row =>
        svg('rect', {
          x: x(row.n) - 12,
          y: top,
          width: 24,
          height: bottom - top,
          class: 'hit',
          ...over(row),
        }),
      ),
      apart([last.chance, last.seen, last.least].map(y)).map((at, k) =>
        label(right + 8, at + 4, decimal([last.chance, last.seen, last.least][k], 2), { class: 'tick' }),
      ),
      axisBelow(
        rows.map(row => row.n),
        x,
        bottom,
        { show: count, title: 'N nearest answers', from: left, to: right },
      ),
    );
  });
}

/** Heights moved apart so that words on them do not lie on each other. */
function apart(heights) {
  const order = heights.map((_, k) => k).sort((a, b) => heights[a] - heights[b]);
  const moved = [...heights];
  order.slice(1).forEach((k, before) => (moved[k] = Math.max(moved[k], moved[order[before]] + 14)));
  return moved;
}

function topNTable(rows) {
  const columns = [
    { title: 'N', value: row => row.n, show: count },
    { title: 'Models seen', value: row => row.seen, show: value => decimal(value, 2) },
    {
      title: 'Middle half of queries',
      value: row => row.quantiles?.[1],
      show: (low, row) => interval(low, row.quantiles[3], value => decimal(value, 2)),
    },
    {
      title: 'If models could not be told apart',
      value: row => row.chance,
      show: value => decimal(value, 2),
    },
    { title: 'Least possible', value: row => row.least, show: value => decimal(value, 2) },
  ];
  return table('Distinct models among the nearest N', columns, rows);
}
