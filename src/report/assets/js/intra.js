// How alike one model's answers to the same query are: the paper's histogram, per model and over models.

const PAPER =
  'In “Artificial Hivemind” (25 models, 50 samples a query, another embedding model) 79 % of query means were at or above 0.8; the line is theirs, the numbers cannot be compared.';

function intraSection({ summary, models }) {
  if (!summary.intra_bins) return null;
  const box = el('div', {});
  const show = place => {
    const [plain, paper] =
      place < 0
        ? [summary.intra_bins, summary.intra_paper_bins]
        : [models.bins[place], models.paper_bins[place]];
    const kinds = plain.some((value, bin) => otherInPaper(value, paper?.[bin]))
      ? key([
          ['swatch bar', 'bins as they are'],
          ['swatch paper', 'as the paper counts them, where it differs'],
        ])
      : '';
    box.replaceChildren(
      kinds,
      intraPlot(plain, paper),
      folded('As a table', () => intraTable(plain, paper)),
    );
    if (box.isConnected) drawFigures();
  };
  const repeated = models.model
    .map((name, place) => ({ name, place }))
    .filter(({ place }) => models.bins[place]);
  const pick = el(
    'select',
    { onchange: () => show(Number(pick.value)) },
    el(
      'option',
      { value: -1 },
      repeated.length === 1 ? 'All models' : `Mean of ${counted(repeated.length, 'model')}`,
    ),
    repeated.map(({ name, place }) => el('option', { value: place }, shortened(name, 60))),
  );
  show(-1);
  const lead = `For each query, the mean similarity of one model’s answers among themselves; the bars are percent of queries. ${PAPER}`;
  const choice = repeated.length > 1 ? el('label', { class: 'choice' }, 'Show ', pick) : null;
  return section('intra', 'How alike one model’s answers are', lead, choice, box);
}

// The paper's edges are numpy's, so a mean of exactly 0.3, 0.6 or 0.7 falls lower, and one past 1 is dropped.
const otherInPaper = (value, paper) => has(paper) && Math.abs(value - paper) >= 0.05;

const tenth = bin => `${decimal(bin / 10, 1)} to ${decimal((bin + 1) / 10, 1)}`;

function intraPlot(plain, paper) {
  const most = Math.max(...plain, ...(paper || []), 1);
  const above = plain[8] + plain[9];
  return responsive('Percent of queries by mean similarity within a model', width => {
    const [left, right, top, bottom] = [44, width - 12, 58, 240];
    const x = linear(0, 1, left, right);
    const y = linear(0, most, bottom, top);
    const bars = plain.map((value, bin) => {
      const wide = (right - left) / 10 - 4;
      const words = [
        tenth(bin),
        `${decimal(value, 1)} % of queries`,
        paper ? `${decimal(paper[bin], 1)} % as the paper counts` : null,
      ].filter(has);
      const over = { onpointermove: e => tip(e, words), onpointerleave: e => tip(e) };
      return [
        svg('rect', {
          x: x(bin / 10) + 2,
          y: y(value),
          width: wide,
          height: bottom - y(value),
          class: 'bar',
          ...over,
        }),
        otherInPaper(value, paper?.[bin])
          ? svg('rect', {
              x: x(bin / 10) + 2,
              y: y(paper[bin]),
              width: wide,
              height: bottom - y(paper[bin]),
              class: 'paper',
            })
          : null,
        value >= 0.05 && wide > 26
          ? label(x(bin / 10 + 0.05), y(Math.max(value, paper?.[bin] || 0)) - 5, decimal(value, 1), {
              class: 'tick',
              'text-anchor': 'middle',
            })
          : null,
      ];
    });
    return canvas(
      width,
      284,
      `${decimal(above, 1)} percent of query means are at or above 0.8`,
      axisLeft(ticks(0, most, 3), y, left, {
        show: value => `${decimal(value, 0)} %`,
        title: '% of queries',
        to: right,
      }),
      bars,
      axisBelow(ticks(0, 1, width > 500 ? 10 : 5), x, bottom, {
        show: value => decimal(value, 1),
        title: 'mean similarity of the model’s answers',
        from: left,
        to: right,
      }),
      marked(
        [{ at: 0.8, words: `at or above 0.8: ${decimal(above, 1)} %`, kind: 'here' }],
        x,
        22,
        bottom,
        width,
      ),
    );
  });
}

function intraTable(plain, paper) {
  const rows = plain.map((value, bin) => ({ bin, value, paper: paper?.[bin] }));
  const columns = [
    { title: 'Mean similarity', text: true, value: row => tenth(row.bin) },
    { title: '% of queries', value: row => row.value, show: value => decimal(value, 1) },
    { title: '% as the paper counts', value: row => row.paper, show: value => decimal(value, 1) },
  ];
  return table('Similarity within a model', columns, rows);
}
