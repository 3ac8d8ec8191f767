// Most and least alike: queries, pairs of models, and answers side by side.

function queriesSection({ queries, summary }) {
  const { by, ranked, most, least, distributions } = queries;
  if (!ranked) return null;
  const across = by === 'inter_mean';
  const spread = distributions[by];
  const marks = [
    { at: summary.floor, words: `floor ${decimal(summary.floor)}`, kind: 'floor' },
    { at: spread.mean, words: `mean ${decimal(spread.mean)}`, kind: 'here' },
  ];
  const show = value => decimal(value, 2);
  const title = across ? 'similarity of different models’ answers' : 'similarity of the answers';
  const plot = distribution(spread, { title, show, marks, from: Math.min(0, summary.floor ?? 0), to: 1 });
  const lead = `How alike the answers to each of ${counted(ranked, 'query', 'queries')} are${across ? ', between models' : ''}. A topic with one right answer stands at the right end.`;
  const columns = [
    { title: 'Query', text: true, value: row => row.query, show: name => query(name) },
    { title: 'Between models', value: row => row.inter_mean, show: similarity },
    { title: 'Within a model', value: row => row.intra_mean, show: similarity },
    {
      title: 'All pairs',
      value: row => (has(row.inter_mean) || has(row.intra_mean) ? null : row.mean),
      show: similarity,
    },
    { title: 'Effective number', value: row => row.vendi_1, show: worth },
    { title: 'Distinct meanings', value: row => row.distinct, show: count },
    { title: 'Answers', value: row => row.n, show: count },
  ];
  const list = (words, rows) =>
    rows.length ? [el('h3', {}, words), table(words, filled(columns, rows), rows)] : null;
  return section('queries', 'Queries', lead, plot, list('Most alike', most), list('Least alike', least));
}

function pairsSection({ pairs, summary }) {
  if (!pairs.across) return null;
  const list = (words, rows) =>
    rows.length
      ? el('div', {}, el('h3', {}, words), table(`${words} pairs of models`, filled(pairColumns, rows), rows))
      : null;
  const lead = `The ends of ${counted(pairs.across, 'pair')} of models; intervals are over queries, these models given.${pairs.without_regardless ? ' Models that answer regardless of the query are left out here.' : ''}${
    has(summary.most_alike_next)
      ? summary.most_alike_next
        ? ` Who is most alike is not certain: the first pair is not separable from the next ${count(summary.most_alike_next)}.`
        : ' The first pair is separable from all others.'
      : ''
  }`;
  return section(
    'pairs',
    'Most and least alike models',
    lead,
    list('Most alike', pairs.most),
    list('Least alike', pairs.least),
  );
}

const EXAMPLES = {
  'most alike query': 'The query whose answers are most alike: its two closest answers',
  'least alike query': 'The query whose answers are least alike: even so, its two closest answers',
  'most alike models': 'The two models that are most alike: their two closest answers',
  'least alike models': 'The two models that are least alike: even so, their two closest answers',
};

function examplesSection({ summary }) {
  if (!summary.examples.length) return null;
  const texts = summary.examples.some(example => example.texts);
  const lead = texts
    ? 'Texts as they stand in the corpus, the first 500 characters. Read them before you trust a number.'
    : 'The input has no text column, so only rows are named: look them up by `row` in responses.parquet.';
  return section('examples', 'Answers side by side', lead, summary.examples.map(exampleOf));
}

function exampleOf(example) {
  const side = k =>
    el(
      'figure',
      {},
      el(
        'figcaption',
        {},
        corpus(example.models[k]),
        el('span', { class: 'soft' }, ` row ${count(example.rows[k])}`),
      ),
      example.texts
        ? el(
            'blockquote',
            { dir: 'auto' },
            example.texts[k].trim() ? visible(example.texts[k]) : el('i', {}, 'an empty answer'),
          )
        : null,
    );
  return el(
    'article',
    { class: 'example' },
    el('h3', {}, EXAMPLES[example.kind] || example.kind),
    el(
      'div',
      { class: 'asked' },
      query(example.query),
      el('span', { class: 'badge' }, `similarity ${decimal(example.similarity)}`),
    ),
    el('div', { class: 'two' }, side(0), side(1)),
  );
}
