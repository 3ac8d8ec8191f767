// Distinct meanings by when answers were written.

/** A time as the column has it, long fractions cut. */
const shortTime = name => shortened(name.replace(/(\.\d{2})\d+/g, '$1'), 80);

function periodsPart({ groups, in_time: change }) {
  const rows = groups.filter(group => group.kind === 'time');
  if (rows.length < 2) return null;
  const value = row => row.distinct_adjusted ?? row.distinct;
  const range = change?.interval
    ? ` (95 %: ${interval(change.interval.low, change.interval.high, signed)})`
    : '';
  const words = change
    ? [
        el('strong', {}, signed(change.value)),
        `${range} distinct meanings at the last times, `,
        corpus(shortTime(change.to)),
        ', beside the first, ',
        corpus(shortTime(change.from)),
        `: as many answers of either, over the ${counted(change.queries, 'query', 'queries')} that have both.`,
      ]
    : 'No query has answers of the first time and of the last.';
  const plot = forest(
    'Distinct meanings by time',
    rows.map(row => ({
      name: shortTime(row.name),
      value: row.distinct,
      low: row.interval?.low,
      high: row.interval?.high,
      words: [
        corpus(shortTime(row.name)),
        `${worth(row.distinct)} distinct meanings of ${answersOf(row.at_n)}`,
        counted(row.queries, 'query', 'queries'),
      ],
    })),
    { show: worth, mark: { at: rows[0].distinct, words: 'as at first' }, axis: 'distinct meanings of a query' },
  );
  const apart = rows.some(row => row.queries !== rows[0].queries);
  return [
    el('h3', {}, 'By time, at the same number of answers'),
    el('p', {}, words),
    plot,
    el(
      'p',
      { class: 'soft' },
      'The same times for all queries: each by itself where there are few, else four groups of about equally many answers. Other models or sources may have answered at other times: then a difference is theirs. ',
      apart
        ? `Times do not all have the same queries; made comparable they hold ${rows.map(row => worth(value(row))).join(', ')} distinct meanings, in this order.`
        : '',
    ),
  ];
}
