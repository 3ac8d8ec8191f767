// The table of contents: what the page shows, in this order. A section that has nothing to show is null.

const SECTIONS = [
  headlinesSection,
  heatMapSection,
  pairsSection,
  mapSection,
  histogramSection,
  intraSection,
  topNSection,
  variationSection,
  worthSection,
  checksSection,
  packagingSection,
  meaningsSection,
  stagesSection,
  trendsSection,
  formSection,
  teamsSection,
  growthSection,
  peopleSection,
  queriesSection,
  examplesSection,
  modelsSection,
  regardlessSection,
  duplicatesSection,
  leftOutSection,
  readingSection,
  provenanceSection,
  filesSection,
];

function head(data) {
  const { summary, manifest } = data;
  const sizes = [
    counted(summary.rows, 'response'),
    counted(summary.queries, 'query', 'queries'),
    counted(summary.models, 'model'),
  ];
  if (has(manifest.pair_pass?.pairs)) sizes.push(counted(manifest.pair_pass.pairs, 'pair'));
  return el(
    'header',
    {},
    el('p', { class: 'kicker' }, 'hivescope'),
    el(
      'h1',
      {},
      summary.models > 1
        ? 'Do these models still say different things?'
        : 'Does this model still say different things?',
    ),
    answer(data),
    el(
      'ul',
      { class: 'sizes' },
      sizes.map(size => el('li', {}, size)),
    ),
  );
}

function contents(sections) {
  const link = one => el('li', {}, el('a', { href: `#${one.id}` }, one.querySelector('h2').textContent));
  return el('ol', {}, sections.map(link));
}

function report() {
  const data = JSON.parse(document.getElementById('data').textContent);
  const sections = SECTIONS.map(make => make(data)).filter(has);
  document.getElementById('main').replaceChildren(head(data), ...sections);
  document.getElementById('contents').replaceChildren(contents(sections));
  drawFigures();
}

report();
