// Distinct meanings: clusters of the answers to a query, how many there are, and how that depends on the cut.

/** `151 answers` or `149 to 151 answers`. */
function answersOf([least, most]) {
  return least === most ? `${count(least)} answers` : `${count(least)} to ${count(most)} answers`;
}

function meaningsSection({ summary, queries }) {
  const { meanings } = summary;
  if (!meanings) return null;
  const cuts = meanings.curve.filter(line => has(line.tau));
  const classes = meanings.curve.find(line => !has(line.tau));
  const chosen = cuts.find(line => line.chosen);
  const spread = chosen && queries.distributions.distinct;
  return section(
    'meanings',
    'Distinct meanings',
    meaningsLead(summary, chosen),
    chosen ? meaningsValue(summary, chosen) : null,
    meaningsFacts(meanings, chosen, classes),
    cuts.filter(line => has(line.c)).length > 1 ? meaningsCurve(summary, cuts, classes) : null,
    folded('Every cut as a table', () => meaningsTable(meanings)),
    spread ? meaningsSpread(spread, chosen) : null,
    meanings.groups.length ? meaningsGroups(meanings) : null,
    periodsPart(meanings),
    el(
      'p',
      { class: 'lead' },
      'What this does not show: clusters are topics and wording. They are perspectives only where labels of stance are given (a class column). ' +
        'The default share of 0.7 was chosen by the classes of one benchmark alone, so read the whole curve.',
    ),
  );
}

function meaningsLead(summary, chosen) {
  if (!chosen) return 'Counted by the classes that the corpus gives; there is no floor to cut clusters from.';
  const from = has(chosen.c)
    ? `, ${percent(chosen.c, 0)} of the way from answers to different queries (${decimal(summary.floor)}) to equal ones`
    : '';
  return `The answers to a query, all together, are merged into clusters as long as the mean similarity of two clusters is at least ${decimal(chosen.tau)}${from}. What is left counts as distinct meanings.`;
}

function meaningsValue({ meanings, models }, line) {
  const range = line.interval ? ` (95 %: ${interval(line.interval.low, line.interval.high, worth)})` : '';
  const alone =
    models > 1 && has(line.model)
      ? ` One model gives ${worth(line.model)} at ${answersOf(meanings.model_n)}; as many answers drawn from all models give ${worth(line.pooled)}.`
      : null;
  return el(
    'p',
    { class: 'value' },
    el('strong', {}, worth(line.distinct)),
    `of ${answersOf(meanings.n)} to a query${range}.`,
    alone,
  );
}

function meaningsFacts({ n }, line, classes) {
  const reached =
    n[1] < 1000 ? 'extrapolated' : n[0] < 1000 ? 'extrapolated where there are fewer' : 'rarefied';
  const found = line
    ? [
        ['As many equally common ones, order 1', worth(line.hill_1)],
        ['As many equally common ones, order 2', worth(line.hill_2)],
        ['Share of further answers whose meaning was seen (Good’s coverage)', percent(line.coverage)],
        [
          `Meanings there are at least (Chao1, indicative; ${counted(line.chao1_queries, 'query', 'queries')})`,
          has(line.chao1) ? worth(line.chao1) : null,
        ],
        [`Per 1,000 answers (${reached})`, has(line.per_1000) ? worth(line.per_1000) : null],
      ]
    : [];
  const given = classes
    ? [
        ['By the given classes', worth(classes.distinct)],
        [
          'Agreement of clusters and classes (adjusted Rand index), mean over queries',
          line ? decimal(line.adjusted_rand) : null,
        ],
        [
          'The same, all queries together: a query with one class and one cluster has no say',
          has(line?.adjusted_rand_shared) ? decimal(line.adjusted_rand_shared) : null,
        ],
      ]
    : [];
  return facts([...found, ...given]);
}

function meaningsCurve({ meanings, models }, cuts, classes) {
  const lines = cuts.filter(line => has(line.c));
  const alone = models > 1 && lines.every(line => has(line.model));
  const chosen = lines.find(line => line.chosen);
  const most = Math.max(
    ...lines.map(line => Math.max(line.distinct, line.interval?.high ?? 0)),
    classes?.distinct ?? 0,
  );
  const [first, last] = [Math.min(0.5, lines[0].c), Math.max(0.9, lines[lines.length - 1].c)];
  const kinds = key(
    [
      ['seen', 'all answers, mean over queries'],
      lines.every(line => line.interval) ? ['swatch spread', '95 % interval'] : null,
      alone ? ['chance', `one model, at ${answersOf(meanings.model_n)}`] : null,
      classes ? ['mark classes', 'given classes'] : null,
    ].filter(has),
  );
  const plot = responsive('Distinct meanings by where clusters are cut', width => {
    const [left, right, top, bottom] = [44, width - 24, 42, 276];
    const x = linear(first, last, left + 12, right - 12);
    const y = linear(0, most * 1.05, bottom, top);
    const path = value =>
      lines.map((line, k) => `${k ? 'L' : 'M'}${x(line.c).toFixed(1)} ${y(value(line)).toFixed(1)}`).join('');
    const band = lines.every(line => line.interval)
      ? `${path(line => line.interval.low)}${[...lines]
          .reverse()
          .map(line => `L${x(line.c).toFixed(1)} ${y(line.interval.high).toFixed(1)}`)
          .join('')}Z`
      : null;
    const over = line => ({
      onpointermove: e =>
        tip(e, [
          el('b', {}, `cut at ${decimal(line.tau)} (c = ${decimal(line.c, 2)})`),
          `${worth(line.distinct)} distinct meanings`,
          ...(line.interval ? [`95 %: ${interval(line.interval.low, line.interval.high, worth)}`] : []),
          ...(alone ? [`one model: ${worth(line.model)}`] : []),
        ]),
      onpointerleave: e => tip(e),
    });
    const marks = chosen ? [{ at: chosen.c, words: `cut at ${decimal(chosen.tau)}`, kind: 'grey' }] : [];
    return canvas(
      width,
      320,
      lines.map(line => `c ${decimal(line.c, 2)}: ${worth(line.distinct)}`).join(', '),
      axisLeft(ticks(0, most, 4), y, left, {
        show: value => decimal(value, most < 4 ? 1 : 0),
        title: 'distinct meanings',
        to: right,
      }),
      band ? svg('path', { d: band, class: 'spread' }) : null,
      marked(marks, x, 22, bottom, width),
      classes ? line(left, y(classes.distinct), right, y(classes.distinct), 'mark classes') : null,
      alone ? svg('path', { d: path(line => line.model), class: 'curve chance' }) : null,
      svg('path', { d: path(line => line.distinct), class: 'curve seen' }),
      lines.map(line => svg('circle', { cx: x(line.c), cy: y(line.distinct), r: 4, class: 'seen' })),
      lines.map(line =>
        svg('rect', {
          x: x(line.c) - 12,
          y: top,
          width: 24,
          height: bottom - top,
          class: 'hit',
          ...over(line),
        }),
      ),
      axisBelow(ticks(first, last, 4), x, bottom, {
        show: value => decimal(value, 1),
        title:
          width < 500
            ? 'c: the cut, from floor 0 to equal 1'
            : 'c: where clusters are cut, from the floor (0) to equal (1)',
        from: left,
        to: right,
      }),
    );
  });
  return [el('h3', {}, 'How it depends on the cut'), kinds, plot];
}

function meaningsTable({ curve }) {
  const columns = [
    {
      title: 'Cut',
      text: true,
      value: row => (has(row.tau) ? `${has(row.c) ? `c = ${decimal(row.c, 2)}` : '--tau'}` : 'given classes'),
    },
    { title: 'Mean similarity', value: row => row.tau, show: similarity },
    { title: 'Distinct', value: row => row.distinct, show: worth },
    {
      title: '95 % interval',
      value: row => row.interval?.low,
      show: (low, row) => interval(low, row.interval.high, worth),
    },
    { title: 'Order 1', value: row => row.hill_1, show: worth },
    { title: 'Order 2', value: row => row.hill_2, show: worth },
    { title: 'Coverage', value: row => row.coverage, show: value => percent(value) },
    { title: 'Chao1', value: row => row.chao1, show: worth },
    { title: 'Per 1,000', value: row => row.per_1000, show: worth },
    { title: 'One model', value: row => row.model, show: worth },
    { title: 'Drawn from all', value: row => row.pooled, show: worth },
    { title: 'Adjusted Rand', value: row => row.adjusted_rand, show: similarity },
    { title: 'All queries together', value: row => row.adjusted_rand_shared, show: similarity },
  ];
  return table('Distinct meanings by cut', filled(columns, curve), curve);
}

function meaningsSpread(spread, chosen) {
  // queries.parquet counts everyone; the number above leaves people out where there are models beside them.
  const everyone = Math.abs(spread.mean - chosen.distinct) > 1e-9 ? ': everyone’s answers' : '';
  // Whole numbers stand above their place on the axis.
  const single = spread.width === 1;
  const bars = single ? { ...spread, start: spread.start - 0.5 } : spread;
  const range = (low, high) =>
    single ? counted(low + 0.5, 'meaning') : `${count(low)} to ${count(high - 1)} meanings`;
  const marks = [
    { at: spread.mean, words: `mean ${worth(spread.mean)}`, kind: 'here' },
    { at: spread.quantiles[3][1], words: `median ${worth(spread.quantiles[3][1])}`, kind: 'median' },
  ];
  return [
    el('h3', {}, `Queries, clusters cut at ${decimal(chosen.tau)}${everyone}`),
    distribution(bars, { title: 'distinct meanings of all answers to a query', show: worth, marks, range }),
  ];
}

/** One table a column: sources, stages. */
function meaningsGroups({ groups }) {
  const kinds = [...new Set(groups.map(group => group.kind))].filter(kind => kind !== 'time');
  return kinds.map(kind => {
    const rows = groups.filter(group => group.kind === kind);
    const title = `By ${kind}, at the same number of answers`;
    const columns = [
      {
        title: kind[0].toUpperCase() + kind.slice(1),
        text: true,
        value: row => row.name,
        show: name => corpus(name),
      },
      { title: 'Distinct', value: row => row.distinct_adjusted ?? row.distinct, show: worth },
      {
        title: '95 % interval',
        value: row => row.interval?.low,
        show: (low, row) => interval(low, row.interval.high, worth),
      },
      { title: 'Of', value: row => answersOf(row.at_n) },
      { title: 'Queries', value: row => row.queries, show: count },
    ];
    return [el('h3', {}, title), table(title, filled(columns, rows), rows)];
  });
}
