// How alike answers are at one training stage and at a later one.

/** Comparisons that are put into words and into the plot of changes. */
const STAGES_SHOWN = 4;

function stagesSection({ stages: lines }) {
  if (!lines) return null;
  // Arms have a section of their own: here a query counts with the mean over its arms.
  const stages = lines.filter(row => !has(row.arm));
  const arms = stages.length < lines.length;
  const lead = [
    'Each stage beside an earlier one, on the families and queries that have both: ',
    listed([...new Set(stages.flatMap(row => row.families))]),
    '. Before and after is not cause and effect: data, prompts and the length of answers change with the stage too.',
    arms
      ? ' Families are compared within one arm, and a query counts with the mean over its arms; arm by arm in the table.'
      : '',
  ];
  const inter = stages.filter(row => row.inter_queries);
  const intra = stages.filter(row => row.intra_queries);
  return section('stages', 'From one training stage to the next', lead, [
    inter.length
      ? [
          el('h3', {}, 'Different families’ answers to the same query'),
          inter.slice(0, STAGES_SHOWN).map(interWords),
          stageLines(inter, 'inter'),
          stageChanges(inter, 'inter'),
        ]
      : null,
    intra.length
      ? [
          el('h3', {}, 'One family’s own answers to the same query'),
          intra.slice(0, STAGES_SHOWN).map(intraWords),
          stageLines(intra, 'intra'),
          stageChanges(intra, 'intra'),
        ]
      : null,
    stagesMeanings(stages),
    stagesTails(stages),
    folded('As a table', () => stagesTable(lines)),
  ]);
}

const stepName = row => `${row.stage_a} to ${row.stage_b}`;

function change(row, name) {
  const [low, high] = [row[`${name}_ci_low`], row[`${name}_ci_high`]];
  const range = has(low) ? ` (95 %: ${interval(low, high, signed)})` : '';
  return `${signed(row[`${name}_difference`])}${range}`;
}

function interWords(row) {
  const like = row.matched_queries
    ? ` Only pairs of like length (the longer at most 1.25 times the shorter; ${percent(row.kept_a, 0)} and ${percent(row.kept_b, 0)} of the pairs): ${change(row, 'matched')} on ${counted(row.matched_queries, 'query', 'queries')}, where all pairs give ${change(row, 'unmatched')}. Matching selects pairs and queries.`
    : '';
  return el(
    'p',
    {},
    `${row.stage_a} to ${row.stage_b}: `,
    el('strong', {}, change(row, 'inter')),
    `, from ${decimal(row.inter_a)} to ${decimal(row.inter_b)} over ${counted(row.inter_queries, 'query', 'queries')}; answers to different queries (the floor) went from ${decimal(row.floor_a)} to ${decimal(row.floor_b)}.${like}`,
  );
}

function intraWords(row) {
  return el(
    'p',
    {},
    `${row.stage_a} to ${row.stage_b}: `,
    el('strong', {}, change(row, 'intra')),
    `, from ${decimal(row.intra_a)} to ${decimal(row.intra_b)} over ${counted(row.intra_queries, 'query', 'queries')}, as many answers at one stage as at the other.`,
  );
}

/** Similarity along the stages: a line for each stage and the next that it can be compared with. */
function stageLines(rows, name) {
  const order = [...new Set(rows.flatMap(row => [row.stage_a, row.stage_b]))].sort(
    (a, b) => place(rows, a) - place(rows, b),
  );
  const steps = rows.filter(row => order.indexOf(row.stage_b) === order.indexOf(row.stage_a) + 1);
  const shown = steps.length ? steps : rows;
  const floors = name === 'inter';
  const ends = shown.flatMap(row => [row[`${name}_a`], row[`${name}_b`], row.inter_a_ci_low, row.inter_b_ci_high]);
  const most = Math.max(...ends.filter(has));
  const least = Math.min(0, ...shown.flatMap(row => [row.floor_a, row.floor_b]).filter(has), ...ends.filter(has));
  const kinds = floors
    ? key([
        ['seen', 'same query, with its 95 % interval'],
        ['chance', 'different queries: the floor'],
      ])
    : null;
  const plot = responsive('Similarity by training stage', width => {
    const [left, right, top, bottom] = [44, width - 12, 26, 230];
    const x = linear(-0.5, order.length - 0.5, left, right);
    const y = linear(Math.min(0, least), Math.max(most * 1.05, 0.1), bottom, top);
    const at = stage => x(order.indexOf(stage));
    const whisker = (stage, low, high) => (has(low) ? line(at(stage), y(low), at(stage), y(high), 'seen') : null);
    const ends = row => [
      [row.stage_a, row[`${name}_a`], row.floor_a, floors ? [row.inter_a_ci_low, row.inter_a_ci_high] : []],
      [row.stage_b, row[`${name}_b`], row.floor_b, floors ? [row.inter_b_ci_low, row.inter_b_ci_high] : []],
    ];
    const drawn = shown.map(row => {
      const [from, to] = ends(row);
      const words = [
        el('b', {}, stepName(row)),
        `${decimal(from[1])} to ${decimal(to[1])}`,
        floors ? `floor ${decimal(from[2])} to ${decimal(to[2])}` : null,
      ].filter(has);
      const over = { onpointermove: e => tip(e, words), onpointerleave: e => tip(e) };
      const pair = (value, kind) => line(at(from[0]), y(from[value]), at(to[0]), y(to[value]), kind);
      return svg(
        'g',
        over,
        svg('rect', {
          x: at(from[0]),
          y: top,
          width: Math.max(1, at(to[0]) - at(from[0])),
          height: bottom - top,
          class: 'hit',
        }),
        floors && has(from[2]) && has(to[2]) ? pair(2, 'curve chance') : null,
        pair(1, 'curve seen'),
        [from, to].map(([stage, value, , limits]) => [
          whisker(stage, ...limits),
          svg('circle', { cx: at(stage), cy: y(value), r: 5, class: 'seen' }),
          order.length <= 6
            ? label(at(stage) + (stage === from[0] ? -10 : 10), y(value) + 4, decimal(value), {
                class: 'tick',
                'text-anchor': stage === from[0] ? 'end' : 'start',
              })
            : null,
        ]),
      );
    });
    const every = Math.ceil((order.length * 48) / (right - left));
    const ticked = order.map((_, k) => k).filter(k => k % every === 0);
    const axis = { show: k => fitted(order[k], 90), title: 'training stage', from: left, to: right };
    return canvas(
      width,
      274,
      shown.map(row => `${stepName(row)}: ${decimal(row[`${name}_a`])} to ${decimal(row[`${name}_b`])}`).join('; '),
      axisLeft(ticks(Math.min(0, least), most, 4), y, left, {
        show: value => decimal(value, 1),
        title: 'mean similarity',
        to: right,
      }),
      drawn,
      axisBelow(ticked, x, bottom, axis),
    );
  });
  return [kinds, plot];
}

/** Where a stage stands: after all that are earlier than it somewhere. */
function place(rows, stage) {
  const earlier = new Set(rows.filter(row => row.stage_b === stage).map(row => row.stage_a));
  return [...earlier].reduce((most, other) => Math.max(most, place(rows, other) + 1), 0);
}

function stageChanges(rows, name) {
  const shown = rows.slice(0, STAGES_SHOWN);
  const one = (row, of, words, soft) => ({
    name: shown.length > 1 ? `${stepName(row)}: ${words}` : words,
    strong: of === name,
    soft,
    value: row[`${of}_difference`],
    low: row[`${of}_ci_low`],
    high: row[`${of}_ci_high`],
    words: [el('b', {}, stepName(row)), words, change(row, of)],
  });
  const lines = shown.flatMap(row => [
    one(row, name, name === 'inter' ? 'all pairs' : 'own answers', false),
    ...(name === 'inter' && row.matched_queries
      ? [
          one(row, 'matched', 'like length', true),
          one(row, 'unmatched', `all, those ${count(row.matched_queries)} queries`, true),
        ]
      : []),
  ]);
  return [
    forest('Change from stage to stage', lines, {
      show: signed,
      mark: { at: 0, words: 'no change' },
      axis: 'change of the mean similarity',
    }),
    rows.length > shown.length
      ? el('p', { class: 'soft' }, `The first ${shown.length} of ${count(rows.length)} comparisons.`)
      : null,
  ];
}

/** Distinct meanings and how evenly they are spread, at the same number of answers. */
function stagesMeanings(stages) {
  const rows = stages.filter(row => row.distinct_queries).slice(0, STAGES_SHOWN);
  if (!rows.length) return null;
  const words = row =>
    el(
      'p',
      {},
      `${stepName(row)}: `,
      el('strong', {}, change(row, 'distinct')),
      ` distinct meanings, from ${worth(row.distinct_a)} to ${worth(row.distinct_b)}, as many answers at one stage as at the other, over ${counted(row.distinct_queries, 'query', 'queries')}. Evenness (1: all meanings equally common) went from ${two(row.evenness_a)} to ${two(row.evenness_b)}: ${change(row, 'evenness')}.`,
      has(row.frequency_slope_a)
        ? ` The slope of log frequency over log rank of the meanings went from ${two(row.frequency_slope_a)} to ${two(row.frequency_slope_b)} (steeper: fewer meanings have more of the answers; ${counted(row.frequency_slope_queries, 'query', 'queries')} with 3 meanings at both stages). It is biased and has no interval: a description only.`
        : '',
    );
  return [
    el('h3', {}, 'Distinct meanings of one family’s answers'),
    rows.map(words),
    forest('Change in distinct meanings', rows.map(row => changeOf(row, 'distinct')), {
      show: signed,
      mark: { at: 0, words: 'no change' },
      axis: 'change in distinct meanings of a query',
    }),
  ];
}

/** What lay far out at the first stage, and whether it is still said. */
function stagesTails(stages) {
  const rows = stages.filter(row => row.tail_queries).slice(0, STAGES_SHOWN);
  if (!rows.length) return null;
  const words = row =>
    el(
      'p',
      {},
      `${stepName(row)}: of the answers at ${row.stage_b} `,
      el('strong', {}, percent(row.tail_b)),
      ` lie beyond ${has(row.tail_threshold) ? `${decimal(row.tail_threshold)}, ` : ''}where the farthest tenth of ${row.stage_a} begins (there ${percent(row.tail_a)}): ${change(row, 'tail')}, over ${counted(row.tail_queries, 'query', 'queries')}.`,
      row.coverage_queries
        ? ` Of the meanings in one half of ${row.stage_a}’s answers ${percent(row.coverage_a, 0)} are met again in the other half, ${percent(row.coverage_b, 0)} in as many of ${row.stage_b}’s: ${change(row, 'coverage')}.`
        : '',
    );
  const lines = rows.flatMap(row => [
    changeOf(row, 'tail', 'in the tail'),
    ...(row.coverage_queries ? [changeOf(row, 'coverage', 'met again')] : []),
  ]);
  return [
    el('h3', {}, 'The tail of the first stage'),
    rows.map(words),
    forest('Change of the tail', lines, {
      show: signed,
      mark: { at: 0, words: 'no change' },
      axis: 'change of the share',
    }),
    el(
      'p',
      { class: 'soft' },
      'Far out is not the same as worth saying: a tail also holds failures, and losing those is no loss.',
    ),
  ];
}

function changeOf(row, name, words = null) {
  return {
    name: words ? `${stepName(row)}: ${words}` : stepName(row),
    value: row[`${name}_difference`],
    low: row[`${name}_ci_low`],
    high: row[`${name}_ci_high`],
    words: [el('b', {}, stepName(row)), ...(words ? [words] : []), change(row, name)],
  };
}

function stagesTable(rows) {
  const range = name => ({
    title: '95 % interval',
    value: row => row[`${name}_ci_low`],
    show: (low, row) => interval(low, row[`${name}_ci_high`], signed),
  });
  const columns = [
    { title: 'Stages', text: true, value: stepName },
    { title: 'Arm', text: true, value: row => row.arm, show: name => corpus(shortened(name, 60)) },
    { title: 'Families', text: true, value: row => row.families.join(), show: (_, row) => listed(row.families) },
    { title: 'Queries', value: row => row.inter_queries || row.intra_queries, show: count },
    { title: 'Families, before', value: row => row.inter_a, show: similarity },
    { title: 'after', value: row => row.inter_b, show: similarity },
    { title: 'Change', value: row => row.inter_difference, show: signed },
    range('inter'),
    { title: 'Floor, before', value: row => row.floor_a, show: similarity },
    { title: 'after', value: row => row.floor_b, show: similarity },
    { title: 'Like length', value: row => row.matched_difference, show: signed },
    range('matched'),
    { title: 'Own answers, before', value: row => row.intra_a, show: similarity },
    { title: 'after', value: row => row.intra_b, show: similarity },
    { title: 'Change', value: row => row.intra_difference, show: signed },
    range('intra'),
    { title: 'Distinct meanings, before', value: row => row.distinct_a, show: worth },
    { title: 'after', value: row => row.distinct_b, show: worth },
    range('distinct'),
    { title: 'Evenness, before', value: row => row.evenness_a, show: similarity },
    { title: 'after', value: row => row.evenness_b, show: similarity },
    { title: 'Slope of frequencies, before', value: row => row.frequency_slope_a, show: two },
    { title: 'after', value: row => row.frequency_slope_b, show: two },
    { title: 'In the tail, before', value: row => row.tail_a, show: value => percent(value) },
    { title: 'after', value: row => row.tail_b, show: value => percent(value) },
    range('tail'),
    { title: 'Met again, before', value: row => row.coverage_a, show: value => percent(value, 0) },
    { title: 'after', value: row => row.coverage_b, show: value => percent(value, 0) },
    range('coverage'),
  ];
  return table('From stage to stage', filled(columns, rows), rows, { tall: rows.length > 14 });
}
