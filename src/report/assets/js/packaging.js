// What stays when only the context (a persona, a style, a prompt variant) changes.

const AGAINST = {
  same_context: {
    title: 'Against asking again in the same context',
    of: 'times as alike as its answers in one context',
    reference: 'Same context',
    mark: 'changes nothing',
    reads:
      'At 1 another context changes the answers no more than asking again does; at 0 answers in two contexts have no more in common than answers to different queries.',
  },
  other_family: {
    title: 'Against other families in the same context',
    of: 'times as alike as different families in one context',
    reference: 'Other family, same context',
    mark: 'as much',
    reads:
      'Above 1 a family stays closer to itself in another context than families are to each other in the same one; at 1 a change of packaging and a change of maker do the same.',
  },
};

function packagingSection({ contexts }) {
  if (!contexts) return null;
  const groups = Object.keys(AGAINST)
    .map(against => contexts.filter(row => row.against === against))
    .filter(rows => rows.length);
  const all = groups[0][0];
  const lead = [
    'The same family, the same query, another context: ',
    listed(all.contexts),
    '. Each similarity is taken above its floor, which is that of answers to different queries. ',
    'A context is what its name says: a prompt that asks for a length or a style is not a persona.',
  ];
  return section('packaging', 'When only the packaging changes', lead, groups.map(packagingGroup));
}

function packagingGroup(rows) {
  const about = AGAINST[rows[0].against];
  const [all, ...families] = rows;
  const range = has(all.ci_low) ? ` (95 %: ${interval(all.ci_low, all.ci_high, value => decimal(value, 2))})` : '';
  const words = has(all.ratio)
    ? [
        'Above its floor, one family across contexts is ',
        el('strong', {}, decimal(all.ratio, 2)),
        `${range} ${about.of}: ${decimal(all.other_context)} (floor ${decimal(all.other_context_floor)}) beside ${decimal(all.reference)} (floor ${decimal(all.reference_floor)}), over ${counted(families.length, 'family', 'families')} and ${counted(all.queries, 'query', 'queries')}. `,
      ]
    : [
        `Over all families there is no ratio: ${decimal(all.reference)} is too near its floor of ${decimal(all.reference_floor)}, or too uncertain. `,
      ];
  const shown = families.filter(row => has(row.ratio)).sort((a, b) => b.ratio - a.ratio);
  const undefinedRows = families.length - shown.length;
  const cut = shown.slice(0, 40);
  const plotted = [...(has(all.ratio) ? [{ ...all, strong: true }] : []), ...cut].map(row => ({
    name: row.family ?? 'all families',
    strong: row.strong,
    value: row.ratio,
    low: row.ci_low,
    high: row.ci_high,
    words: [
      el('b', {}, row.family === null ? 'all families' : corpus(shortened(row.family, 80))),
      `ratio ${decimal(row.ratio)}${has(row.ci_low) ? `, 95 %: ${interval(row.ci_low, row.ci_high)}` : ''}`,
      `other context ${decimal(row.other_context)}, floor ${decimal(row.other_context_floor)}`,
      `${about.reference.toLowerCase()} ${decimal(row.reference)}, floor ${decimal(row.reference_floor)}`,
    ],
  }));
  const left = [
    shown.length > cut.length ? `The ${cut.length} highest of ${count(shown.length)} families. ` : null,
    undefinedRows
      ? `${counted(undefinedRows, 'family has', 'families have')} no ratio: too near the floor, or too few queries.`
      : null,
  ].filter(has);
  return [
    el('h3', {}, about.title),
    el('p', {}, words, about.reads),
    plotted.length
      ? forest('Packaging by family', plotted, {
          show: value => decimal(value, 2),
          mark: { at: 1, words: about.mark },
          axis: 'ratio above the floors',
        })
      : null,
    left.length ? el('p', { class: 'soft' }, left) : null,
    folded('As a table', () => packagingTable(rows, about)),
  ];
}

function packagingTable(rows, about) {
  const columns = [
    {
      title: 'Family',
      text: true,
      value: row => row.family ?? '',
      show: (_, row) => (row.family === null ? 'all families' : corpus(row.family)),
    },
    { title: 'Contexts', text: true, value: row => row.contexts.join(), show: (_, row) => listed(row.contexts) },
    { title: 'Queries', value: row => row.queries, show: count },
    { title: 'Other context', value: row => row.other_context, show: similarity },
    { title: 'Its floor', value: row => row.other_context_floor, show: similarity },
    { title: about.reference, value: row => row.reference, show: similarity },
    { title: 'Its floor', value: row => row.reference_floor, show: similarity },
    { title: 'Ratio', value: row => row.ratio, show: similarity },
    { title: '95 % interval', value: row => row.ci_low, show: (low, row) => interval(low, row.ci_high) },
  ];
  return table('Packaging by family', columns, rows, { sortable: true, tall: rows.length > 14 });
}
