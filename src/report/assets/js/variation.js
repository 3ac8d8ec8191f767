// How much of the variation within queries goes with the model.

const SHARES = {
  cell: {
    name: 'Query by query',
    means: 'between the means of the models’ answers to one query',
    not: 'A model’s answers to one query can stand together for any reason: a manner, an opinion, or little variety.',
  },
  style: {
    name: 'Style',
    means: 'what a model’s answers have in common, whatever is asked',
    not: 'A style here is any common direction of the vectors: length and layout are part of it.',
  },
};

function variationSection({ summary }) {
  const found = Object.keys(SHARES)
    .map(kind => ({ ...SHARES[kind], ...summary.variation[kind], kind }))
    .filter(one => has(one.r2));
  if (!found.length) return null;
  const fine = value => percent(value, 2);
  const rows = found.map(one => ({
    name: one.name,
    strong: true,
    value: one.adjusted,
    low: one.interval?.low,
    high: one.interval?.high,
    words: [
      el('b', {}, one.name),
      `${percent(one.adjusted)} (${has(one.interval) ? interval(one.interval.low, one.interval.high, percent) : 'no interval'})`,
      `as found ${fine(one.r2)}, models exchanged ${fine(one.permuted)}, p = ${decimal(one.p)}`,
    ],
  }));
  const columns = [
    { title: 'Share', text: true, value: row => row.name },
    { title: 'As found', value: row => row.r2, show: fine },
    { title: 'Models exchanged', value: row => row.permuted, show: fine },
    { title: 'Beyond that', value: row => row.adjusted, show: fine },
    {
      title: '95 % interval',
      value: row => row.interval?.low,
      show: (low, row) => interval(low, row.interval?.high, fine),
    },
    { title: 'p', value: row => row.p, show: value => decimal(value) },
    { title: 'Queries', value: row => row.queries, show: count },
  ];
  const lead =
    'Answers to one query differ. This much of how far they lie from their mean goes with who wrote them, beyond what it would be if models were exchanged at random; 0 means that models cannot be told apart, 100 % that each always says one thing of its own.';
  const share = one => [
    `${one.name}: `,
    el('strong', {}, percent(one.adjusted)),
    ` is ${one.means}${one.p <= 0.05 ? '' : ', which chance gives too'} (p = ${decimal(one.p)})`,
    has(one.without_regardless)
      ? [
          '; without the models that answer regardless of the query ',
          el('strong', {}, percent(one.without_regardless)),
        ]
      : null,
    `. ${one.not} `,
  ];
  const folding = found.find(one => has(one.folded));
  return section(
    'variation',
    'Does it matter which model answers?',
    lead,
    found.map(one => el('p', {}, share(one))),
    forest('Share of the variation within queries that goes with the model', rows, {
      show: percent,
      mark: { at: 0, words: 'models exchanged' },
      axis: 'share of the variation within queries',
      ticks: value => percent(value, found.some(one => one.adjusted > 0.1) ? 0 : 1),
    }),
    table('Share of variation by model', columns, found),
    el(
      'p',
      { class: 'soft' },
      `Sensitive to spread as well as place: models that vary more or less than others raise p’s test too. By ${count(found[0].permutations)} permutations within queries`,
      folding
        ? `; to be quick, the test for ${folding.kind === 'style' ? 'style' : 'cells'} is made on vectors folded into ${folding.folded} numbers, the shares on whole ones.`
        : '.',
    ),
  );
}
