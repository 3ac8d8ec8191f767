// How many more meanings more answers hold.

function growthSection({ summary }) {
  const { growth, meanings, rating_lag: lag } = summary;
  if (!growth) return null;
  const { all, sources, inflation } = growth;
  const range = all.interval ? ` (95 %: ${interval(all.interval.low, all.interval.high, two)})` : '';
  const lead = [
    'How many distinct meanings n answers to a query hold',
    has(meanings?.tau) ? ` (clusters cut at ${decimal(meanings.tau)}, as above)` : '',
    ', as the number n grows. Over the last factor of 4 it grows as n to the power b: at 1 every answer brings a meaning of its own, at 0 none does.',
  ];
  return section(
    'growth',
    'Do more answers hold more meanings?',
    lead,
    el(
      'p',
      { class: 'value' },
      'b = ',
      el('strong', {}, two(all.exponent)),
      `${range}. Four times as many answers hold ${two(all.ratio)} times as many meanings, of ${answersOf(all.n)} to a query, over ${counted(all.queries, 'query', 'queries')}.`,
    ),
    growthCurve(all),
    inflation ? growthInTime(all, inflation) : null,
    lag ? ratingLag(lag) : null,
    sources.length > 1 ? growthSources(sources) : null,
    el(
      'p',
      { class: 'lead' },
      'What this does not show: b itself falls as n grows, so compare corpora at the same n. ',
      inflation
        ? ''
        : 'Without a column of times this is growth with the number of answers, in any order; it says nothing of how fast they come.',
    ),
  );
}

const two = value => decimal(value, 2);

function growthCurve(all) {
  const points = all.curve;
  const last = points[points.length - 1];
  if (!last || last.n < 2) return null;
  const dated = points.every(point => has(point.distinct_in_time));
  const kinds = key(
    [
      ['seen', 'in any order'],
      dated ? ['chance', 'in the order of time'] : null,
      ['mark grey', 'every answer a new meaning'],
    ].filter(has),
  );
  const plot = responsive('Distinct meanings by number of answers', width => {
    const [left, right, top, bottom] = [44, width - 24, 26, 276];
    const x = logarithmic(1, last.n, left, right);
    const y = logarithmic(1, last.n, bottom, top);
    const path = value =>
      points.map((point, k) => `${k ? 'L' : 'M'}${x(point.n).toFixed(1)} ${y(value(point)).toFixed(1)}`).join('');
    const over = point => ({
      onpointermove: e =>
        tip(
          e,
          [
            el('b', {}, `${counted(point.n, 'answer')}`),
            `${worth(point.distinct)} distinct meanings`,
            dated ? `${worth(point.distinct_in_time)} in the order of time` : null,
          ].filter(has),
        ),
      onpointerleave: e => tip(e),
    });
    const along = logTicks(1, last.n);
    return canvas(
      width,
      320,
      points.map(point => `${count(point.n)}: ${worth(point.distinct)}`).join(', '),
      axisLeft(along, y, left, { show: count, title: 'distinct meanings', to: right }),
      line(x(1), y(1), x(last.n), y(last.n), 'mark grey'),
      dated ? svg('path', { d: path(point => point.distinct_in_time), class: 'curve chance' }) : null,
      svg('path', { d: path(point => point.distinct), class: 'curve seen' }),
      points.map(point => svg('circle', { cx: x(point.n), cy: y(point.distinct), r: 3.5, class: 'seen' })),
      points.map(point =>
        svg('rect', { x: x(point.n) - 8, y: top, width: 16, height: bottom - top, class: 'hit', ...over(point) }),
      ),
      axisBelow(along, x, bottom, { show: count, title: 'answers to a query', from: left, to: right }),
    );
  });
  const some = all.curve_queries < all.queries ? ` with the most answers of the ${count(all.queries)}` : '';
  const queries = `Mean over the ${counted(all.curve_queries, 'query', 'queries')}${some}; both axes are logarithmic, so b is the slope.`;
  return [kinds, plot, el('p', { class: 'soft' }, queries)];
}

function growthInTime(all, inflation) {
  const range = inflation.interval
    ? ` (95 %: ${interval(inflation.interval.low, inflation.interval.high, signed)})`
    : '';
  return [
    el('h3', {}, 'In time'),
    el(
      'p',
      {},
      'Answers grow faster than their meanings by ',
      el('strong', {}, signed(inflation.value)),
      `${range} per ${inflation.unit} on a logarithmic scale: answers by ${signed(inflation.answers)}, meanings by ${signed(inflation.meanings)}, from when a query’s first quarter of the answers was there to its last one; ${counted(inflation.queries, 'query', 'queries')}.`,
      has(all.exponent_in_time)
        ? ` In the order of time b is ${two(all.exponent_in_time)}, in any order ${two(all.exponent_of_dated)}: where they differ, the order matters.`
        : '',
    ),
  ];
}

function ratingLag(lag) {
  const range = of => (of ? ` (95 %: ${interval(of.low, of.high, two)})` : '');
  const slope = lag.slope_interval
    ? ` (95 %: ${interval(lag.slope_interval.low, lag.slope_interval.high, signed)})`
    : '';
  return el(
    'p',
    {},
    'Ratings come ',
    el('strong', {}, `${two(lag.value)} ${lag.unit === 'day' ? 'days' : 'units of time'}`),
    `${range(lag.interval)} after their answers: mean over ${counted(lag.queries, 'query', 'queries')} of the median.`,
    has(lag.slope)
      ? ` For each ${lag.unit} that an answer comes later the lag changes by ${signed(lag.slope)}${slope}: above 0 ratings fall behind.`
      : '',
    lag.waiting
      ? ` ${count(lag.waiting)} of ${count(lag.waiting + lag.rated)} answers have no rating yet, so the lag is at least this.`
      : '',
    lag.before ? ` ${count(lag.before)} ratings are older than their answers and do not count.` : '',
  );
}

function growthSources(rows) {
  const columns = [
    { title: 'Source', text: true, value: row => row.name, show: name => corpus(name) },
    { title: 'b', value: row => row.exponent, show: two },
    {
      title: '95 % interval',
      value: row => row.interval?.low,
      show: (low, row) => interval(low, row.interval.high, two),
    },
    { title: '4 times n', value: row => row.ratio, show: value => `× ${two(value)}` },
    { title: 'Of', value: row => answersOf(row.n) },
    { title: 'Queries', value: row => row.queries, show: count },
  ];
  const title = 'By source, at the same number of answers';
  return [el('h3', {}, title), table(title, filled(columns, rows), rows)];
}
