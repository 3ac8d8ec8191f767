// Whether the headline holds without what hardly is an answer, and at like length.

const RESTRICTED = {
  all: 'All answers',
  without_refusals: 'Without refusals and empty ones',
  collapsed: 'Each text to a query once',
  without_refusals_collapsed: 'Both',
};

function checksSection({ summary }) {
  const { texts, length } = summary;
  if (!texts && !length) return null;
  const like = length?.like_length;
  const lines = (texts?.lines || []).map(one => ({
    ...one,
    title: RESTRICTED[one.name],
    what: counted(one.responses, 'response'),
  }));
  // What takes nothing away is not shown again.
  const shown = lines.filter(
    (one, place) => !lines.slice(0, place).some(other => other.responses === one.responses),
  );
  if (like) {
    shown.push({
      title: 'Pairs of like length',
      value: like.value,
      interval: like.interval,
      floor: like.floor,
      queries: like.queries,
      what: `${percent(like.kept, 0)} of the pairs`,
    });
    shown.push({
      title: 'All pairs of these queries',
      value: like.all_pairs,
      interval: like.all_pairs_interval,
      floor: like.all_pairs_floor,
      queries: like.queries,
      what: 'each query counting as in the line above',
    });
  }
  const floors = shown.map(one => one.floor).filter(has);
  const rows = shown.map((one, place) => ({
    name: one.title,
    strong: place === 0,
    value: one.value,
    low: one.interval?.low,
    high: one.interval?.high,
    words: [
      el('b', {}, one.title),
      `${decimal(one.value)} (${has(one.interval) ? interval(one.interval.low, one.interval.high) : 'no interval'})`,
      `floor ${decimal(one.floor)}`,
      one.what,
    ],
  }));
  const columns = [
    { title: 'What', text: true, value: row => row.title },
    { title: 'Similarity', value: row => row.value, show: similarity },
    {
      title: '95 % interval',
      value: row => row.interval?.low,
      show: (low, row) => interval(low, row.interval?.high),
    },
    { title: 'Floor', value: row => row.floor, show: similarity },
    { title: 'Queries', value: row => row.queries, show: count },
    { title: 'Of', text: true, value: row => row.what },
  ];
  const lead =
    'Similarity of different models’ answers to the same query once more, without what hardly is an answer and on texts of like length. If a line moves far from the first, what it leaves out carried part of the number.';
  return section(
    'checks',
    'Is it refusals, copies or length?',
    lead,
    shown.length
      ? forest('Similarity of different models’ answers, restricted', rows, {
          show: decimal,
          mark: { at: floors[0] ?? 0, words: `floor ${decimal(floors[0])}` },
          axis: 'mean cosine similarity',
        })
      : null,
    shown.length ? folded('As a table', () => table('Similarity, restricted', columns, shown)) : null,
    texts ? textShares(texts) : null,
    length ? lengthWords(length) : null,
  );
}

const TEXT_SHARES = {
  empty: 'Empty answers',
  refusal: 'Answers that read like a refusal',
  verbatim: 'Answers that another repeats word for word',
};

function textShares({ shares }) {
  const value = one => [
    el('strong', {}, percent(one.value)),
    ` (${count(one.responses)} of ${count(one.of)}${one.interval && one.responses ? `; 95 %: ${interval(one.interval.low, one.interval.high, percent)}` : ''})`,
  ];
  return [
    el('h3', {}, 'What hardly is an answer'),
    facts(shares.map(one => [TEXT_SHARES[one.name] || one.name, value(one)])),
    el(
      'p',
      { class: 'soft' },
      'Refusals are told by English wording at the beginning of a text: it misses others, and takes quoted ones for real.',
    ),
  ];
}

function lengthWords({ ratio, shorter, like_length: like, drawn }) {
  const value = rho =>
    rho
      ? [
          el('strong', {}, signed(rho.mean)),
          ` (${rho.interval ? `95 %: ${interval(rho.interval.low, rho.interval.high, signed)}; ` : ''}${counted(rho.queries, 'query', 'queries')})`,
        ]
      : null;
  const words = like
    ? [
        `On the ${percent(like.kept, 0)} of the pairs whose longer text has at most 1.25 times the characters of the shorter, similarity is `,
        el('strong', {}, decimal(like.value)),
        ` (floor ${decimal(like.floor)}) beside ${decimal(like.all_pairs)} (floor ${decimal(like.all_pairs_floor)}) of all pairs of the same queries: `,
        el('strong', {}, signed(like.difference)),
        like.difference_interval
          ? ` (95 %: ${interval(like.difference_interval.low, like.difference_interval.high, signed)}). `
          : '. ',
        'Matching selects pairs: models that write alike at length may also be alike in other ways. ',
      ]
    : null;
  return [
    el('h3', {}, 'Length'),
    words ? el('p', {}, words) : null,
    facts([
      ['Rank correlation of similarity with how far two lengths are apart', value(ratio)],
      ['Rank correlation of similarity with the length of the shorter text', value(shorter)],
    ]),
    el(
      'p',
      { class: 'soft' },
      'Spearman’s correlation within each query, over pairs of different models, averaged; 0: length says nothing. If the embedding model read only the beginning of long texts, lengths beyond that cannot matter here.',
      drawn ? ` In ${counted(drawn, 'query', 'queries')} some of the answers were drawn for it.` : null,
    ),
  ];
}
