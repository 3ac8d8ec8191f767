// Teams: how much of their variety is of use, and what goes with how good their answers are.

const COEFFICIENTS = {
  diversity: ['diversity', 'per unit of 1 − mean cosine, at average expertise'],
  expertise: ['expertise', 'per unit of expertise, at average diversity'],
  diversity_x_expertise: ['diversity × expertise', 'by how much the slope of diversity changes per unit of expertise'],
  log_size: ['log size', 'per unit of the logarithm of the number of answers'],
};

function teamsSection({ summary, teams }) {
  const found = summary.teams;
  if (!found || !teams) return null;
  const lead = [
    `${counted(found.teams, 'team')}, ${counted(found.units, 'team and query', 'teams and queries')} with two or more rated answers. `,
    found.unrated ? `${counted(found.unrated, 'answer')} of a team without a quality take no part. ` : '',
    'Intervals resample teams, each with all its queries.',
  ];
  return section('teams', 'Teams', lead, [teamsEffective(found, teams), teamsOutcome(found)]);
}

function teamsEffective(found, teams) {
  const above = found.above_null;
  if (!above) return null;
  const spread = teams.effective;
  return [
    el('h3', {}, 'Variety that is of use'),
    el(
      'p',
      {},
      'Of a team’s pairs of answers, ',
      el('strong', {}, percent(above.value)),
      ` are distinct (cosine under ${decimal(found.tau)}) and both good (quality at or above ${anySize(found.bar)}). If quality were shuffled among the answers to a query it would be ${percent(above.reference)}: the difference is ${points(above.difference)} points${above.interval ? ` (95 %: ${interval(above.interval.low, above.interval.high, points)})` : ''}. ${percent(found.distinct)} of the pairs are distinct.`,
    ),
    spread
      ? distribution(spread, {
          title: 'share of pairs that are distinct and both good',
          show: value => percent(value, 0),
          noun: 'teams and queries',
          from: 0,
          to: 1,
          marks: [
            { at: above.value, words: 'all pairs', kind: 'here' },
            { at: above.reference, words: 'quality shuffled', kind: 'floor' },
          ],
        })
      : null,
    el(
      'p',
      { class: 'soft' },
      'More than the reference has two sources that this number does not tell apart: distinct answers that are good, and good answers that stand together in some teams. The bar is one quality for all queries.',
    ),
  ];
}

/** A number of any size. */
function anySize(value) {
  return has(value) ? String(Number(Number(value).toPrecision(4))).replace('-', '−') : DASH;
}

/** A difference of shares, in points of a hundred. */
function points(value) {
  return `${value > 0 ? '+' : ''}${decimal(100 * value, 1)}`;
}

function teamsOutcome(found) {
  if (!found.coefficients.length) return null;
  const [teams, units, queries] = found.model;
  const rows = found.coefficients.map(one => {
    const [name, about] = COEFFICIENTS[one.name] || [one.name, ''];
    const range = one.interval ? `95 %: ${interval(one.interval.low, one.interval.high, signed)}` : null;
    return {
      name,
      strong: one.name === 'diversity',
      value: one.value,
      low: one.interval?.low,
      high: one.interval?.high,
      words: [el('b', {}, name), signed(one.value), about, range].filter(has),
    };
  });
  return [
    el('h3', {}, 'What goes with a team’s quality'),
    el(
      'p',
      {},
      `The mean quality of a team’s answers, explained by their diversity (1 − mean cosine), the team’s expertise, their product and the logarithm of its size, among the teams of one query: ${counted(teams, 'team')}, ${counted(units, 'team and query', 'teams and queries')}, ${counted(queries, 'query', 'queries')}. Coefficients: `,
      found.coefficients.map((one, k) => [
        k ? '; ' : '',
        COEFFICIENTS[one.name]?.[0] || one.name,
        ' ',
        el('strong', {}, signed(one.value)),
        one.interval ? ` (${interval(one.interval.low, one.interval.high, signed)})` : '',
      ]),
      '.',
    ),
    forest('Coefficients of the outcome model', rows, {
      show: signed,
      mark: { at: 0, words: 'nothing to do with it' },
      axis: 'change of the mean quality, in its own units',
    }),
    el(
      'p',
      { class: 'soft' },
      'What goes together is not cause and effect: teams were not made diverse at random. The coefficients have different units and cannot be compared with each other.',
    ),
  ];
}
