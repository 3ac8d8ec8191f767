// What becomes of answers over stages in one arm, beside another; slopes over many stages.

/** Quantities in the order of the page: how tables name them, words, how to show a value. */
const COURSES = [
  ['distinct', 'Distinct meanings of one family’s answers', 'distinct meanings', worth],
  ['inter', 'Similarity of different families’ answers', 'similarity between families', decimal],
  ['intra', 'Similarity of one family’s own answers', 'similarity of own answers', decimal],
  ['evenness', 'Evenness of one family’s meanings', 'evenness of meanings', decimal],
  ['tail', 'Share in the first stage’s tail', 'share in the tail', decimal],
  ['coverage', 'Share of the first stage’s meanings met again', 'meanings met again', decimal],
];
/** How the lines of arms are drawn, the reference first. */
const ARM_LINES = ['chance', 'seen', 'least', 'other_query_same_model'];

function trendsSection({ stages, trends }) {
  if (!trends) return null;
  const beside = trends.filter(row => has(row.reference));
  const slopes = trends.filter(row => row.course === 'slope');
  const last = longest(beside.filter(row => row.course === 'change'));
  const reference = beside.length ? beside[0].reference : null;
  const arms = [...new Set(beside.map(row => row.arm))];
  const lead = has(reference)
    ? [
        'What changes over the stages in ',
        listed(arms),
        ' less what changes in ',
        corpus(shortened(reference, 60)),
        ', the reference (an arm with a name such as none, control or baseline, else the first by name). A stage before the arms part, without an arm, is in both.',
      ]
    : 'The least-squares slope of each number over the stages, of the families and queries that have all of them.';
  return section(
    'trends',
    has(reference) ? 'One arm beside another' : 'Over all stages',
    lead,
    last.length ? arms.map(arm => armChange(last.filter(row => row.arm === arm))) : null,
    courses(stages, has(reference) ? [reference, ...arms] : [null]),
    slopes.length ? slopesPart(slopes) : null,
    el(
      'p',
      { class: 'soft' },
      has(reference)
        ? 'What this does not show: a comparison before and after is not causal, and beside another arm only as far as nothing but the arm differs: data, steps and length of answers may. '
        : 'What this does not show: a comparison before and after is not causal: data, prompts and the length of answers change with the stage too. ',
      slopes.length ? 'A slope is a straight line, whether or not the numbers follow one.' : '',
    ),
    folded('As a table', () => trendsTable(trends)),
  );
}

/** The comparison of the most distant stages. */
function longest(rows) {
  const end = rows.map(row => row.stage_b).pop();
  const start = rows.find(row => row.stage_b === end)?.stage_a;
  return rows.filter(row => row.stage_a === start && row.stage_b === end);
}

/** A number with its sign and interval; `times` makes a slope a change along its line. */
function signedRange(value, low, high, times = 1, show = signed) {
  const range = has(low) ? ` (95 %: ${interval(low * times, high * times, show)})` : '';
  return `${show(value * times)}${range}`;
}

function armChange(rows) {
  if (!rows.length) return null;
  const [{ arm, reference, stage_a: from, stage_b: to, paired_by: by }] = rows;
  const named = [corpus(shortened(arm, 60)), ' beside ', corpus(shortened(reference, 60))];
  const shown = COURSES.flatMap(([name, , words]) =>
    rows.filter(row => row.measure === name).map(row => ({ ...row, words })),
  );
  const sentence = row =>
    el(
      'li',
      {},
      `${row.words}: `,
      el('strong', {}, signed(row.value)),
      has(row.ci_low) ? ` (95 %: ${interval(row.ci_low, row.ci_high, signed)})` : '',
      `; ${signed(row.arm_value)} in `,
      corpus(shortened(arm, 40)),
      `, ${signed(row.reference_value)} in `,
      corpus(shortened(reference, 40)),
      row.queries === rows[0].queries ? '' : `, over ${counted(row.queries, 'query', 'queries')}`,
    );
  const plot = some =>
    some.length
      ? forest(
          `Changes from ${from} to ${to} beside the reference`,
          some.map(row => ({
            name: row.words,
            value: row.value,
            low: row.ci_low,
            high: row.ci_high,
            words: [el('b', {}, row.words), signedRange(row.value, row.ci_low, row.ci_high)],
          })),
          {
            show: signed,
            mark: { at: 0, words: 'both changed alike' },
            axis: `change from ${from} to ${to}, less the reference’s`,
          },
        )
      : null;
  const isCount = row => row.measure === 'distinct';
  return [
    el('h3', {}, named, `: change from ${from} to ${to}`),
    el('ul', {}, shown.map(sentence)),
    el(
      'p',
      { class: 'soft' },
      `Over ${counted(rows[0].queries, 'query', 'queries')}. `,
      by === 'query_and_family'
        ? 'Each family is compared with itself in the other arm, on the same queries: '
        : 'No family is in both arms, so the arms differ in their families too; queries are the same: ',
      listed(rows[0].families),
      '.',
    ),
    plot(shown.filter(isCount)),
    plot(shown.filter(row => !isCount(row))),
  ];
}

/** Values by stage, a line an arm, one small plot a quantity. */
function courses(stages, arms) {
  const shown = arms.slice(0, ARM_LINES.length);
  const of = arm => stages.filter(row => (row.arm ?? null) === arm);
  const drawn = COURSES.map(([name, title, , show]) => {
    const lines = shown.map(arm => course(of(arm), name));
    return lines.some(points => points.length > 1)
      ? el('div', {}, el('h4', {}, title), coursePlot(title, lines, shown, show))
      : null;
  }).filter(has);
  if (!drawn.length) return null;
  return [
    el('h3', {}, 'Stage by stage'),
    has(arms[0])
      ? key(shown.map((arm, k) => [k ? ARM_LINES[k] : 'chance', corpus(shortened(arm, 40))]))
      : null,
    arms.length > shown.length
      ? el('p', { class: 'soft' }, `The first ${shown.length} of ${count(arms.length)} arms.`)
      : null,
    el('div', { class: 'two' }, drawn),
  ];
}

/** { stage, value } of the first stage and those that are compared with it. */
function course(rows, name) {
  const first = rows[0]?.stage_a;
  const found = rows.filter(row => row.stage_a === first && row[`${name}_queries`]);
  if (!found.length) return [];
  const start = { stage: first, value: found[found.length - 1][`${name}_a`] };
  return [start, ...found.map(row => ({ stage: row.stage_b, value: row[`${name}_b`] }))];
}

/** Where a stage stands on the axis: its number, or its place. */
function stageNumber(stage) {
  const known = ['base', 'sft', 'rl'].indexOf(stage.trim().toLowerCase());
  return known < 0 ? Number(stage) : known;
}

function coursePlot(title, lines, arms, show) {
  const all = lines.flat();
  const at = [...new Set(all.map(point => point.stage))].sort((a, b) => stageNumber(a) - stageNumber(b));
  const values = all.map(point => point.value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = (most - least || Math.abs(most) || 1) * 0.12;
  return responsive(title, width => {
    const [left, right, top, bottom] = [48, width - 12, 14, 150];
    const x = linear(stageNumber(at[0]), stageNumber(at[at.length - 1]), left + 14, right - 14);
    const y = linear(least - margin, most + margin, bottom, top);
    const place = point => [x(stageNumber(point.stage)), y(point.value)];
    const drawn = lines.map((points, k) => {
      const kind = ARM_LINES[has(arms[0]) ? k : 1];
      const path = points.map((point, i) => `${i ? 'L' : 'M'}${place(point).map(v => v.toFixed(1)).join(' ')}`);
      return svg(
        'g',
        {},
        points.length ? svg('path', { d: path.join(''), class: `curve ${kind}` }) : null,
        points.map(point => {
          const words = [
            has(arms[k]) ? corpus(shortened(arms[k], 60)) : null,
            el('b', {}, point.stage),
            show(point.value),
          ].filter(has);
          return svg('circle', {
            cx: place(point)[0],
            cy: place(point)[1],
            r: 4,
            class: `seen ${kind}`,
            onpointermove: e => tip(e, words),
            onpointerleave: e => tip(e),
          });
        }),
      );
    });
    // Names of stages that would lie on each other are left out.
    let free = -Infinity;
    const named = at.filter(stage => {
      const half = wide(fitted(stage, 70)) / 2 + 5;
      const here = x(stageNumber(stage));
      if (here - half < free) return false;
      free = here + half;
      return true;
    });
    const levels = ticks(least - margin, most + margin, 4);
    return canvas(
      width,
      190,
      lines.map(points => points.map(point => `${point.stage}: ${show(point.value)}`).join(', ')).join('; '),
      axisLeft(levels, y, left, { show: tickText(levels), to: right }),
      drawn,
      axisBelow(named, stage => x(stageNumber(stage)), bottom, {
        show: stage => fitted(stage, 70),
        title: 'stage',
        from: left,
        to: right,
      }),
    );
  });
}

/** Slopes as changes along their line from the first stage to the last. */
function slopesPart(rows) {
  const [{ stage_a: from, stage_b: to, stages }] = rows;
  const span = stageNumber(to) - stageNumber(from);
  const named = row =>
    has(row.reference)
      ? `${shortened(row.arm, 40)} less ${shortened(row.reference, 40)}`
      : has(row.arm)
        ? shortened(row.arm, 40)
        : 'all';
  const part = (some, title) =>
    some.length
      ? forest(
          title,
          some.map(row => {
            const [, , words] = COURSES.find(([name]) => name === row.measure);
            const name = has(row.arm) ? named(row) : words;
            return {
              name,
              strong: has(row.reference),
              value: row.value * span,
              low: has(row.ci_low) ? row.ci_low * span : null,
              high: has(row.ci_high) ? row.ci_high * span : null,
              words: [el('b', {}, words), name, signedRange(row.value, row.ci_low, row.ci_high, span)],
            };
          }),
          { show: signed, mark: { at: 0, words: 'level' }, axis: `along the line from ${from} to ${to}` },
        )
      : null;
  const arms = rows.some(row => has(row.arm));
  const words = `Each line is fitted to ${counted(stages, 'stage')}, on the queries and families that have all of them, and shown as the change along it from ${from} to ${to}: the slope times ${count(span)}.`;
  const counts = rows.filter(row => row.measure === 'distinct');
  const shares = rows.filter(row => row.measure !== 'distinct');
  return [
    el('h3', {}, 'Slopes'),
    el('p', {}, words),
    arms
      ? COURSES.map(([name, title]) => {
          const of = rows.filter(row => row.measure === name);
          return of.length ? [el('h4', {}, title), part(of, title)] : null;
        })
      : [part(counts, 'Slope of distinct meanings'), part(shares, 'Slopes of similarities and shares')],
  ];
}

function trendsTable(rows) {
  const exact = value => (has(value) ? Number(value.toPrecision(4)).toString().replace('-', '−') : DASH);
  const range = name => ({
    title: '95 % interval',
    value: row => row[`${name}ci_low`],
    show: (low, row) => interval(low, row[`${name}ci_high`], exact),
  });
  const name = value => corpus(shortened(value, 60));
  const columns = [
    { title: 'Number', text: true, value: row => row.measure },
    { title: 'Change or slope', text: true, value: row => row.course },
    { title: 'Arm', text: true, value: row => row.arm, show: name },
    { title: 'Less', text: true, value: row => row.reference, show: name },
    { title: 'Stages', text: true, value: row => `${row.stage_a} to ${row.stage_b}` },
    { title: 'Queries', value: row => row.queries, show: count },
    { title: 'Value', value: row => row.value, show: exact },
    range(''),
    { title: 'In the arm', value: row => row.arm_value, show: exact },
    { title: 'In the reference', value: row => row.reference_value, show: exact },
  ];
  return table('Changes beside the reference, and slopes by stage number', filled(columns, rows), rows, {
    tall: rows.length > 14,
  });
}
