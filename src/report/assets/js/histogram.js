// All pairs of the corpus by similarity, in four relations: the floor and the tail in one picture.

const RELATIONS = {
  same_query_same_model: 'same query, same model',
  same_query_other_model: 'same query, other model',
  other_query_same_model: 'other query, same model',
  other_query_other_model: 'other query, other model',
};

function histogramSection({ histogram, summary }) {
  if (!histogram) return null;
  const relations = histogram.relations
    .map(relation => ({
      ...relation,
      kind: `relation ${relation.name}`,
      label: RELATIONS[relation.name] || words(relation.name),
      pairs: relation.counts.reduce((sum, pairs) => sum + pairs, 0),
    }))
    .filter(relation => relation.pairs);
  if (!relations.length) return null;
  relations.forEach(
    relation => (relation.summary = summary.relations.find(one => one.relation === relation.name)),
  );
  const state = { logarithmic: true };
  const plot = responsive('Share of pairs by similarity, for each relation', width =>
    histogramPlot(histogram, relations, state.logarithmic, width),
  );
  const button = el(
    'button',
    { type: 'button', 'aria-pressed': 'true', onclick: () => toggle() },
    'Logarithmic',
  );
  function toggle() {
    state.logarithmic = !state.logarithmic;
    button.setAttribute('aria-pressed', String(state.logarithmic));
    plot.replaceChildren(...histogramPlot(histogram, relations, state.logarithmic, plot.clientWidth));
  }
  const all = relations.reduce((sum, relation) => sum + relation.pairs, 0);
  const lead =
    `Every pair of responses, ${count(all)} in all, by cosine similarity in bins of 0.01. Pairs of different queries are the floor; what lies to the right of them is what a shared query, or a shared model, makes alike. ` +
    'Under the plot, for each relation: 1st to 99th percentile, the middle half, the median.' +
    (histogram.exact ? '' : ' Counts are coarse: a pair can stand one bin off.');
  const kinds = key(relations.map(relation => [relation.kind, relation.label]));
  return section(
    'histogram',
    'All pairs',
    lead,
    el('div', { class: 'choice' }, button),
    kinds,
    plot,
    folded('Quantiles and tails as tables', () => relationTables(relations)),
  );
}

function histogramPlot({ low, high }, relations, log, width) {
  const shares = relations.map(relation => relation.counts.map(pairs => pairs / relation.pairs));
  const used = low.map((_, bin) => bin).filter(bin => shares.some(share => share[bin] > 0));
  const [first, last] = [used[0], used[used.length - 1]];
  const [from, to] = [Math.floor(low[first] * 10 + 1e-9) / 10, Math.ceil(high[last] * 10 - 1e-9) / 10];
  const [left, right, top, bottom] = [58, width - 14, 26, 300];
  const x = linear(from, to, left, right);
  const positive = shares.flat().filter(share => share > 0);
  const [most, least] = [Math.max(...positive), Math.min(...positive)];
  const bottomPower = Math.floor(Math.log10(least));
  const topPower = Math.ceil(Math.log10(most));
  const y = log ? logarithmic(10 ** bottomPower, 10 ** topPower, bottom, top) : linear(0, most, bottom, top);
  const powers = Array.from({ length: topPower - bottomPower + 1 }, (_, k) => 10 ** (bottomPower + k));
  const grid = log
    ? axisLeft(powers, y, left, {
        show: shareOfPairs,
        title: '% of the relation’s pairs in a bin',
        to: right,
      })
    : axisLeft(ticks(0, most, 5), y, left, {
        show: shareOfPairs,
        title: '% of the relation’s pairs in a bin',
        to: right,
      });
  const curves = relations.map((relation, r) => {
    let path = '';
    let pen = false;
    for (let bin = first; bin <= last; bin += 1) {
      const share = shares[r][bin];
      if (log && !share) {
        pen = false;
        continue;
      }
      path += `${pen ? 'L' : 'M'}${x(low[bin]).toFixed(1)} ${y(share).toFixed(1)}H${x(high[bin]).toFixed(1)}`;
      pen = true;
    }
    return svg('path', { d: path, class: `curve ${relation.kind}` });
  });
  const lanes = relations
    .filter(relation => relation.summary)
    .map((relation, lane) => quantileLane(relation, x, bottom + 62 + lane * 24, left, right));
  const height = bottom + 62 + lanes.length * 24 + 4;
  const guide = line(0, top, 0, bottom, 'guide');
  const drawn = canvas(
    width,
    height,
    'Similarity of all pairs in four relations',
    grid,
    curves,
    axisBelow(ticks(from, to, width / 90), x, bottom, {
      show: value => decimal(value, 1),
      title: 'cosine similarity',
      from: left,
      to: right,
    }),
    lanes,
    guide,
  );
  drawn.addEventListener('pointermove', event => {
    const at = event.clientX - drawn.getBoundingClientRect().left;
    const bin = low.findIndex((edge, k) => x(edge) <= at && at < x(high[k]));
    if (bin < first || bin > last) return tip(event);
    Object.entries({ x1: at, x2: at, class: 'guide on' }).forEach(([name, value]) =>
      guide.setAttribute(name, value),
    );
    const pairs = relations.map(relation => `${relation.label}: ${counted(relation.counts[bin], 'pair')}`);
    return tip(event, [el('b', {}, `${decimal(low[bin], 2)} to ${decimal(high[bin], 2)}`), ...pairs]);
  });
  drawn.addEventListener('pointerleave', event => {
    guide.setAttribute('class', 'guide');
    tip(event);
  });
  return [drawn];
}

function shareOfPairs(share) {
  if (!share) return '0 %';
  const power = Math.floor(Math.log10(share * 100) + 1e-9);
  if (power >= -2) return `${(share * 100).toFixed(Math.max(0, -power))} %`;
  return `10⁻${Array.from(String(-power), digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit]).join('')} %`;
}

/** Quantiles of a relation under the plot, on its axis: 1 to 99 % thin, 25 to 75 % thick, the median a mark. */
function quantileLane(relation, x, y, left, right) {
  const at = Object.fromEntries(relation.summary.quantiles);
  const words = `${relation.label}: median ${decimal(at[0.5])}, half of the pairs between ${decimal(at[0.25])} and ${decimal(at[0.75])}`;
  const over = { onpointermove: e => tip(e, [words]), onpointerleave: e => tip(e) };
  const after = x(at[0.99]) + 8;
  const fits = after + 90 < right;
  return svg(
    'g',
    { class: `lane ${relation.kind}`, ...over },
    svg('rect', { x: left, y: y - 11, width: right - left, height: 22, class: 'hit' }),
    line(x(at[0.01]), y, x(at[0.99]), y, 'thin'),
    line(x(at[0.25]), y, x(at[0.75]), y, 'thick'),
    svg('circle', { cx: x(at[0.5]), cy: y, r: 5 }),
    label(fits ? after : x(at[0.01]) - 8, y + 4, `median ${decimal(at[0.5])}`, {
      class: 'tick',
      'text-anchor': fits ? 'start' : 'end',
    }),
  );
}

function relationTables(relations) {
  const rows = relations.filter(relation => relation.summary);
  const name = { title: 'Pairs of', text: true, value: row => row.label };
  const number = { title: 'Pairs', value: row => row.pairs, show: count };
  if (!rows.length) return [empty('No quantiles in summary.json.')];
  const quantiles = rows[0].summary.quantiles.map(([p], k) => ({
    title: `${decimal(p * 100, 0)} %`,
    value: row => row.summary.quantiles[k][1],
    show: similarity,
  }));
  const tails = rows[0].summary.tail_shares.map(([t], k) => ({
    title: `≥ ${decimal(t, 2)}`,
    value: row => row.summary.tail_shares[k][1],
    show: value => percent(value, 2),
  }));
  return [
    table('Quantiles of similarity', [name, number, ...quantiles], rows),
    table('Share of pairs at or above', [name, ...tails], rows),
  ];
}
