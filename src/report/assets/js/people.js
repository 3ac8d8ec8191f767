// Models beside people: how varied, how far from each other, and what each source adds.

/** Models that the plot names. */
const PARITY_SHOWN = 40;

function peopleSection({ sources, summary }) {
  if (!sources) return null;
  const all = sources.find(row => row.source === null);
  const adding = sources.filter(row => row.adds_queries);
  const lead = all
    ? 'Models’ answers and people’s answers to the same queries. The variety of answers is 1 − their mean similarity; rho is that of the models over that of people: at 1 models are as varied as people, below 1 they crowd together. ' +
      (has(summary.floor) ? `Answers to different queries have a mean similarity of ${decimal(summary.floor)}.` : '')
    : 'What each source adds to the variety of the answers to a query.';
  return section('people', all ? 'Models beside people' : 'What a source adds', lead, [
    all ? parityWords(all) : null,
    all ? parityPlot(sources) : null,
    all?.nearest_queries ? nearestPart(sources) : null,
    adding.length ? addsPart(adding, all) : null,
    folded('As a table', () => sourcesTable(sources)),
    el(
      'p',
      { class: 'lead' },
      'What this does not show: whether an answer is good, or which of the topics are missing. Each of people’s answers counts as another person’s, and people are whoever wrote these.',
    ),
  ]);
}

function parityWords(all) {
  const one = (kind, words, whose) => {
    if (!has(all[`${kind}_rho`])) return null;
    const value = part => all[`${kind}_${part}`];
    const queries = value('queries');
    return el(
      'p',
      {},
      words,
      el('strong', {}, two(value('rho'))),
      has(value('rho_ci_low')) ? ` (95 %: ${interval(value('rho_ci_low'), value('rho_ci_high'), two)})` : '',
      ` times as varied as people’s: a mean similarity of ${decimal(value('models'))} beside ${decimal(value('people'))}, an excess crowding of ${signed(value('crowding'))}`,
      has(value('crowding_ci_low'))
        ? ` (95 %: ${interval(value('crowding_ci_low'), value('crowding_ci_high'), signed)})`
        : '',
      `, over ${counted(queries, 'query', 'queries')}${queries < 50 ? ', which are few' : ''}. `,
      value('rho_ci_low') < 1 && value('rho_ci_high') > 1
        ? `The interval holds 1: ${whose} may be as varied as people.`
        : '',
    );
  };
  return [
    one('population', 'Different models’ answers, set against different people’s, are ', 'they'),
    one('individual', 'One model’s answers, set against different people’s, are ', 'it'),
  ];
}

function parityRow(row, kind, name, strong) {
  const value = part => row[`${kind}_${part}`];
  return {
    name,
    strong,
    value: value('rho'),
    low: value('rho_ci_low'),
    high: value('rho_ci_high'),
    words: [
      el('b', {}, corpus(shortened(name, 80))),
      `rho ${decimal(value('rho'))}${has(value('rho_ci_low')) ? `, 95 %: ${interval(value('rho_ci_low'), value('rho_ci_high'))}` : ''}`,
      `models ${decimal(value('models'))}, people ${decimal(value('people'))}`,
      counted(value('queries'), 'query', 'queries'),
    ],
  };
}

function parityPlot(sources) {
  const all = sources.find(row => row.source === null);
  const sides = sources.filter(row => row.source !== null && row.model === null);
  const models = sources
    .filter(row => row.model !== null && has(row.individual_rho))
    .sort((a, b) => b.individual_rho - a.individual_rho);
  const several = sides.filter(row => !row.people).length > 1;
  const rows = [
    has(all.population_rho) ? parityRow(all, 'population', 'different models', true) : null,
    has(all.individual_rho) ? parityRow(all, 'individual', 'one model', true) : null,
    ...(several ? sides.filter(row => has(row.population_rho)) : []).map(row =>
      parityRow(row, 'population', `different models: ${row.source}`),
    ),
    ...models.slice(0, PARITY_SHOWN).map(row => parityRow(row, 'individual', row.model)),
  ].filter(has);
  if (!rows.length) return null;
  return [
    forest('Variety over that of people', rows, {
      show: two,
      mark: { at: 1, words: 'as varied as people' },
      axis: 'rho: variety over that of people',
    }),
    models.length > PARITY_SHOWN
      ? el('p', { class: 'soft' }, `The ${PARITY_SHOWN} most varied of ${count(models.length)} models.`)
      : null,
  ];
}

function nearestPart(sources) {
  const all = sources.find(row => row.source === null);
  const sides = sources.filter(row => row.nearest_queries && row.source !== null);
  const rows = (sides.length > 1 ? [all, ...sides] : [all]).flatMap(row => {
    const name = row.source === null ? '' : `: ${row.source}`;
    const one = (from, words, to, own) => ({
      name: `${words}${name}`,
      strong: row.source === null,
      value: row[`${from}_difference`],
      low: row[`${from}_ci_low`],
      high: row[`${from}_ci_high`],
      words: [
        el('b', {}, corpus(`${words}${name}`)),
        `to the nearest of the other side ${decimal(row[to])}`,
        `to the nearest of their own side ${decimal(row[own])}`,
        signed(row[`${from}_difference`]),
      ],
    });
    return [
      one('people', 'from people', 'people_to_models', 'people_to_people'),
      one('models', 'from models', 'models_to_people', 'models_to_models'),
    ];
  });
  const candidates = answersOf([all.nearest_n_least, all.nearest_n_most]);
  return [
    el('h3', {}, 'How far the nearest answer is'),
    el(
      'p',
      {},
      `Distances (1 − similarity) to the nearest of ${candidates}, as many on either side, the answer itself left out. From a person to the nearest model answer `,
      el('strong', {}, decimal(all.people_to_models)),
      `, to the nearest other person ${decimal(all.people_to_people)}; from a model answer to the nearest person `,
      el('strong', {}, decimal(all.models_to_people)),
      `, to the nearest other model answer ${decimal(all.models_to_models)}.`,
    ),
    forest('Distance to the other side, less that to the own', rows, {
      show: signed,
      mark: { at: 0, words: 'their own side' },
      axis: 'to the other side, less to the own side',
    }),
  ];
}

function addsPart(rows, all) {
  const n = answersOf([
    Math.min(...rows.map(row => row.adds_n_least)),
    Math.max(...rows.map(row => row.adds_n_most)),
  ]);
  const lines = rows.flatMap(row => [
    {
      name: row.source,
      strong: true,
      value: row.adds,
      low: row.adds_ci_low,
      high: row.adds_ci_high,
      words: [
        el('b', {}, corpus(shortened(row.source, 80))),
        `${signed(row.adds)}: ${worth(row.adds_with)} with, ${worth(row.adds_without)} without`,
        counted(row.adds_queries, 'query', 'queries'),
      ],
    },
    {
      name: 'placebo',
      soft: true,
      value: row.placebo,
      low: row.placebo_low,
      high: row.placebo_high,
      words: [el('b', {}, 'sources dealt out at random'), signed(row.placebo)],
    },
  ]);
  return [
    // Where people are missing the section has this title.
    all ? el('h3', {}, 'What a source adds') : null,
    el(
      'p',
      {},
      `The effective number (Vendi score of order 2) of ${n} drawn from all sources at equal shares, less that of as many drawn from all but this one: `,
      rows.map((row, k) => [
        k ? '; ' : '',
        corpus(shortened(row.source, 60)),
        ' ',
        el('strong', {}, signed(row.adds)),
        ` (placebo ${signed(row.placebo)})`,
      ]),
      '. The placebo deals the sources out at random among the same answers; its bar holds 95 % of the times. What sources add does not add up, and a source can take away: it then repeats what is there.',
    ),
    forest('What a source adds', lines, {
      show: signed,
      mark: { at: 0, words: 'nothing' },
      axis: 'effective number of answers added',
    }),
  ];
}

function sourcesTable(rows) {
  const range = (title, name, show) => ({
    title,
    value: row => row[`${name}_low`],
    show: (low, row) => interval(low, row[`${name}_high`], show),
  });
  const columns = [
    {
      title: 'Source',
      text: true,
      value: row => row.source ?? '',
      show: (_, row) => (row.source === null ? 'all but people' : corpus(row.source)),
    },
    {
      title: 'Model',
      text: true,
      value: row => row.model ?? '',
      show: (_, row) => (row.model === null ? 'all' : corpus(row.model)),
    },
    { title: 'rho, one model', value: row => row.individual_rho, show: two },
    range('95 % interval', 'individual_rho_ci', two),
    { title: 'rho, different models', value: row => row.population_rho, show: two },
    range('95 % interval', 'population_rho_ci', two),
    { title: 'Crowding, one model', value: row => row.individual_crowding, show: signed },
    { title: 'Crowding, different models', value: row => row.population_crowding, show: signed },
    { title: 'People to models', value: row => row.people_to_models, show: similarity },
    { title: 'to people', value: row => row.people_to_people, show: similarity },
    { title: 'Models to people', value: row => row.models_to_people, show: similarity },
    { title: 'to models', value: row => row.models_to_models, show: similarity },
    { title: 'Adds', value: row => row.adds, show: signed },
    range('95 % interval', 'adds_ci', signed),
    { title: 'Placebo', value: row => row.placebo, show: signed },
  ];
  return table('Sources and models', filled(columns, rows), rows, { tall: rows.length > 14 });
}
