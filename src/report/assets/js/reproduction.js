// The page of `hivescope reproduce`: what was published beside what this dump gives.

const PARTS = [
  comparedSection,
  table6Section,
  sharesSection,
  interSection,
  figure8Section,
  componentsSection,
  disagreementSection,
  correlationSection,
  leftOutSection,
  reproductionProvenance,
];

const forbidden = ({ differs }) => differs.some(one => one.forbids);

const capital = text => text[0].toUpperCase() + text.slice(1);

/** Said where differences are shown although nothing can be compared. */
function warning(data) {
  return forbidden(data)
    ? ' The vectors are of another embedding model: the differences say nothing on the models.'
    : '';
}

const beside = (digits, unit = '') => [
  { title: 'Here', value: row => row.value, show: value => decimal(value, digits) + unit },
  { title: 'In the paper', value: row => row.published, show: value => decimal(value, digits) + unit },
  {
    title: 'Difference',
    value: row => row.difference,
    show: value => (value > 0 ? '+' : '') + decimal(value, digits) + unit,
  },
];

function comparedSection(data) {
  const { parts, differs } = data;
  if (!data.models.length && !differs.length) return null;
  const share = (parts.share_at_least_0_8 || []).filter(line => !has(line.name));
  const whole = [
    ...share.map(line => ({ ...line, what: 'Query means at or above 0.8', unit: ' %', digits: 2 })),
    ...(parts.paraphrases || []).map(line => ({ ...line, what: 'Mean similarity', unit: '', digits: 3 })),
    ...(parts.min_p || []).map(line => ({ ...line, what: 'Query means under min-p', unit: ' %', digits: 1 })),
  ];
  const number = (value, row) => decimal(value, row.digits) + row.unit;
  const columns = [
    { title: 'What', text: true, value: row => row.what },
    { title: 'Beside', text: true, value: row => row.other },
    { title: 'Here', value: row => row.value, show: number },
    {
      title: '95 % interval',
      value: row => row.low,
      show: (low, row) => interval(low, row.high, value => decimal(value, row.digits)),
    },
    { title: 'In the paper', value: row => row.published, show: number },
    { title: 'Difference', value: row => row.difference, show: (value, row) => (value > 0 ? '+' : '') + number(value, row) },
  ];
  const rest = differs.map(one => [
    one.forbids ? `${capital(one.what)}: not comparable` : capital(one.what),
    corpus(capital(one.how)),
  ]);
  const lead =
    'Each number beside the one in the paper. The interval is over queries; the paper has none, so a difference within it says nothing.' +
    warning(data);
  return section(
    'compared',
    'How it compares',
    lead,
    whole.length ? table('Numbers of the whole dump', columns, whole) : null,
    rest.length ? [el('h3', {}, 'What is not as in the paper'), facts(rest)] : null,
  );
}

function table6Section(data) {
  const lines = data.parts.table_6;
  if (!lines) return null;
  const average = data.parts.table_6_average;
  const bins = average.map(line => line.other);
  const models = [...new Set(lines.map(line => line.name))];
  const at = new Map(lines.map(line => [`${line.name}\n${line.other}`, line]));
  const both = line => `${decimal(line.value, 0)} (${decimal(line.published, 0)})`;
  const columns = [
    { title: 'Model', text: true, value: name => name, show: name => corpus(name) },
    ...bins.map(bin => ({
      title: bin,
      value: name => at.get(`${name}\n${bin}`).value,
      show: (_, name) => both(at.get(`${name}\n${bin}`)),
    })),
  ];
  const lead = `Percent of queries by the mean similarity of one model’s answers, in the paper’s bins: the mean of ${counted(models.length, 'model')} here and of the same in the paper.${warning(data)}`;
  return section(
    'table-6',
    'Table 6: how alike one model’s answers are',
    lead,
    key([
      ['swatch bar', 'here'],
      ['swatch paper', 'in the paper, the same models'],
    ]),
    binsPlot([...average].reverse()),
    folded('Every model, in percent: here (in the paper)', () =>
      table('Table 6', columns, models, { sortable: true, tall: models.length > 14 }),
    ),
  );
}

/** Bars with the outline of the paper's over them; `lines` from the lowest bin. */
function binsPlot(lines) {
  const most = Math.max(1, ...lines.flatMap(line => [line.value, line.published]));
  return responsive('Percent of queries by bin, here and in the paper', width => {
    const [left, right, top, bottom] = [44, width - 12, 34, 226];
    const x = linear(0, lines.length, left, right);
    const y = linear(0, most, bottom, top);
    const box = (place, value) => ({
      x: x(place) + 2,
      y: y(value),
      width: x(1) - x(0) - 4,
      height: bottom - y(value),
    });
    const bars = lines.map((line, place) => {
      const words = [line.other, `here ${decimal(line.value, 2)} %`, `paper ${decimal(line.published, 2)} %`];
      return [
        svg('rect', {
          ...box(place, line.value),
          class: 'bar',
          onpointermove: e => tip(e, words),
          onpointerleave: e => tip(e),
        }),
        svg('rect', { ...box(place, line.published), class: 'paper' }),
        line.value >= 0.05 && width > 560
          ? label(x(place + 0.5), y(Math.max(line.value, line.published)) - 5, decimal(line.value, 1), {
              class: 'tick',
              'text-anchor': 'middle',
            })
          : null,
      ];
    });
    const edges = lines.map((_, place) => place).concat(lines.length);
    return canvas(
      width,
      270,
      lines.map(line => `${line.other}: ${decimal(line.value, 1)} %`).join('; '),
      axisLeft(ticks(0, most, 3), y, left, { show: value => `${decimal(value, 0)} %`, title: '% of queries', to: right }),
      bars,
      axisBelow(edges, x, bottom, {
        show: edge => decimal(edge / 10, 1),
        title: 'mean similarity of the model’s answers',
        from: left,
        to: right,
      }),
    );
  });
}

function sharesSection(data) {
  const lines = (data.parts.share_at_least_0_8 || []).filter(line => has(line.name));
  if (!lines.length) return null;
  const sorted = [...lines].sort((a, b) => b.difference - a.difference);
  const points = value => `${value > 0 ? '+' : ''}${decimal(value, 0)}`;
  const rows = sorted.map(line => ({
    // Without the owner: names are cut where there is little room.
    name: visible(line.name).split('/').pop(),
    value: line.difference,
    words: [
      el('b', {}, corpus(line.name)),
      `here ${decimal(line.value, 1)} % of ${counted(line.n, 'query', 'queries')}`,
      `paper ${decimal(line.published, 1)} %`,
    ],
  }));
  const columns = [
    { title: 'Model', text: true, value: row => row.name, show: name => corpus(name) },
    ...beside(1, ' %'),
    { title: 'Queries', value: row => row.n, show: count },
  ];
  return section(
    'shares',
    'Share of queries at or above 0.8',
    `Here minus the paper, in points. A model’s share rests on one number a query: with 100 queries chance alone moves it by up to ten points.${warning(data)}`,
    forest('Share at or above 0.8, here minus the paper', rows, {
      show: points,
      mark: { at: 0, words: 'as in the paper' },
      axis: 'points of percent',
    }),
    folded('As a table', () => table('Share at or above 0.8', columns, sorted, { sortable: true, tall: true })),
  );
}

function interSection(data) {
  const lines = data.parts.inter;
  const names = [...new Set((lines || []).map(line => line.name))];
  if (names.length < 2) return null;
  const place = new Map(names.map((name, k) => [name, k]));
  const cells = names.length * (names.length + 1) / 2;
  const triangle = Object.fromEntries(
    ['mean', 'ci_low', 'ci_high', 'published', 'queries'].map(name => [name, Array(cells).fill(null)]),
  );
  const share = value => (has(value) ? value / 100 : null);
  lines.forEach(line => {
    const [a, b] = [place.get(line.name), place.get(line.other)].sort((x, y) => x - y);
    const at = (b * (b + 1)) / 2 + a;
    triangle.mean[at] = share(line.value);
    triangle.ci_low[at] = share(line.low);
    triangle.ci_high[at] = share(line.high);
    triangle.published[at] = share(line.published);
    triangle.queries[at] = line.n;
  });
  const map = new HeatMap(new Matrix({ shown: names, triangle }), false);
  const known = lines.filter(line => has(line.published));
  const plain = new Map((data.parts.intra || []).map(line => [line.name, line.value]));
  const columns = [
    { title: 'Model', text: true, value: row => row.name, show: name => corpus(name) },
    { title: 'Model', text: true, value: row => row.other, show: name => corpus(name) },
    ...beside(1, ' %'),
    {
      title: 'Without self-pairs',
      value: row => (row.name === row.other ? plain.get(row.name) : null),
      show: value => `${decimal(value, 1)} %`,
    },
  ];
  return section(
    'inter',
    'Models beside models',
    `Mean similarity of two models’ answers to the same query, all pairs counting alike. As in the paper the diagonal counts each answer with itself. hivescope has the paper’s numbers for a block of 17 models.${warning(data)}`,
    map.whole,
    map.table,
    known.length
      ? folded(`${counted(known.length, 'pair')} beside the paper’s`, () =>
          table('Similarity of models', columns, known, { sortable: true, tall: true }),
        )
      : empty('None of these pairs is in the paper’s block of 17 models.'),
  );
}

function figure8Section(data) {
  const lines = data.parts.figure_8;
  if (!lines) return null;
  const sizes = [...new Set(lines.map(line => line.other))];
  const at = (what, size) => lines.find(line => line.name === what && line.other === size);
  const rows = sizes.map(size => ({
    n: Number(size),
    seen: at('seen', size).value,
    chance: at('null', size).value,
    least: at('least', size).value,
    most: at('most', size).value,
    published: at('seen', size).published,
  }));
  const two = value => decimal(value, 2);
  const columns = [
    { title: 'N', value: row => row.n, show: count },
    { title: 'Models seen', value: row => row.seen, show: two },
    { title: 'In the paper, about', value: row => row.published, show: value => decimal(value, 0) },
    { title: 'Least possible', value: row => row.least, show: two },
    { title: 'Most possible', value: row => row.most, show: two },
    { title: 'If models could not be told apart', value: row => row.chance, show: two },
  ];
  return section(
    'figure-8',
    'Figure 8: distinct models among the nearest',
    'Each answer is an anchor; among its N nearest other answers to the same query, how many models? The paper reads about 8 at N = 50, of 25 models with 50 samples each; with other sizes the number is another, so none is set beside. The dashed curve is what exchangeable labels would give, which the paper does not show.',
    key([
      ['seen', 'seen, mean over queries'],
      ['chance', 'if models could not be told apart'],
      ['least', 'least possible'],
    ]),
    topNPlot(rows),
    folded('As a table', () => table('Distinct models among the nearest N', columns, rows)),
  );
}

function componentsSection({ pca }) {
  if (!pca) return null;
  const groups = [...new Set(pca.points.map(point => point.model))];
  const points = pca.points.map(point => ({ group: point.model, at: point.at }));
  const axes = pca.explained.map(
    (share, k) => `${['first', 'second'][k]} component, ${percent(share)} of the variance`,
  );
  const rest = 1 - pca.explained[0] - pca.explained[1];
  return section(
    'components',
    'Answers on two principal components',
    `Groups on two components are a picture, not a finding: ${percent(rest)} of the variance lies on the others.`,
    el('p', {}, query(pca.query)),
    scatter('Answers on two principal components', points, groups, axes),
  );
}

function disagreementSection({ parts, ratings }) {
  const lines = parts.ratings_disagreement;
  if (!lines) return null;
  const pairs = ratings === 'pairwise';
  const columns = [
    { title: 'Items', text: true, value: row => row.other },
    { title: 'Number', value: row => row.n, show: count },
    { title: pairs ? 'Mean disagreement' : 'Mean entropy, bits', value: row => row.value, show: value => decimal(value) },
  ];
  const lead = pairs
    ? 'Of each pair, 1 less the share of the larger camp, ties half to each: 0 where all prefer one response, 0.5 where they split.'
    : 'Entropy of the labels of each response. Tukey fences keep responses of similar quality, the last rows those on which people disagree most.';
  return section('disagreement', 'How far people disagree', lead, table('Rated items', columns, lines));
}

function correlationSection({ parts }) {
  const lines = parts.ratings_correlation;
  if (!lines) return null;
  const scorers = [...new Set(lines.map(line => line.name))];
  const subsets = [...new Set(lines.map(line => line.other))];
  const at = new Map(lines.map(line => [`${line.name}\n${line.other}`, line.value]));
  const columns = [
    { title: 'Items', text: true, value: subset => subset },
    ...scorers.map(scorer => ({
      title: corpus(scorer),
      value: subset => at.get(`${scorer}\n${subset}`),
      show: value => decimal(value),
    })),
  ];
  return section(
    'correlation',
    'Whether scorers follow people',
    'Spearman correlation of each scorer with the mean of people, over the items of a subset. The paper shows these in figures only. A subset of similar quality has less to correlate with: some of a fall is that.',
    table('Spearman correlation', columns, subsets),
  );
}

/** Where it came from; the section of report.html, which reads sizes from the summary. */
function reproductionProvenance(data) {
  const { rows, dim } = data.manifest;
  const summary = { rows: rows || 0, dim: dim || 0 };
  return provenanceSection({ manifest: data.manifest, summary });
}

function reproduction() {
  const data = JSON.parse(document.getElementById('data').textContent);
  const matched = data.models.filter(model => has(model.paper)).length;
  const sizes = [
    data.models.length ? `${count(matched)} of ${counted(data.models.length, 'model')} are in the paper` : null,
    data.manifest.rows ? counted(data.manifest.rows, 'response') : null,
    data.ratings ? `${data.ratings} ratings` : null,
  ].filter(has);
  document.title = 'hivescope: Artificial Hivemind reproduced';
  const head = el(
    'header',
    {},
    el('p', { class: 'kicker' }, 'hivescope'),
    el('h1', {}, '“Artificial Hivemind” from your responses'),
    el(
      'ul',
      { class: 'sizes' },
      sizes.map(size => el('li', {}, size)),
    ),
  );
  const sections = PARTS.map(make => make({ ...data, summary: { left_out: data.left_out, notes: [] } })).filter(has);
  const link = one => el('li', {}, el('a', { href: `#${one.id}` }, one.querySelector('h2').textContent));
  document.getElementById('main').replaceChildren(head, ...sections);
  document.getElementById('contents').replaceChildren(el('ol', {}, sections.map(link)));
  drawFigures();
}

reproduction();
