// The numbers a reader should leave with, each with what it must be read against.

// How each headline is shown, what it means and what it does not. One without a line here shows its label alone.
const HEADLINES = {
  inter_mean: {
    kind: 'similarity',
    means:
      'Two models are asked the same thing: this is how alike their answers are. 1 is the same meaning; the floor is what answers to different queries have.',
    not: line =>
      has(line.human)
        ? 'Up to the people’s value it may be the topic alone; only what lies above it speaks of the models.'
        : 'How much of it is the topic stays unknown without people’s answers to the same queries.',
  },
  intra_mean: {
    kind: 'similarity',
    means: 'One model is asked the same thing again: this is how alike its answers are.',
    not: () => 'It depends on sampling settings, such as temperature, as much as on the model.',
  },
  nearest_other_model: {
    kind: 'share',
    means:
      'How often the closest other answer to the same query comes from another model. Near the reference, the answers do not tell which model wrote them.',
    not: () => 'A low share says that models have a manner of their own, not that answers vary.',
  },
  nearest_other_model_corpus: {
    kind: 'share',
    means: 'The same over the whole corpus: how often the closest of all other answers is by another model.',
    not: () =>
      'With few answers of each model it is high for lack of candidates: read it beside the reference.',
  },
  nearest_other_query_corpus: {
    kind: 'share',
    means:
      'How often the closest of all other answers belongs to another query: those answers hardly depend on what was asked.',
    not: () => 'Queries on one subject raise it too.',
  },
  models_worth: {
    kind: 'worth',
    means:
      'All models’ answers to one query carry as much variety as this many answers that have nothing in common (Vendi score of order 2).',
    not: () => 'It is not a number of opinions, and it cannot be compared across embedding models.',
  },
  ensemble_gain: {
    kind: 'share',
    means:
      '0 %: several models add nothing to one model asked as often. 100 %: they add as much as answers to different queries would.',
    not: () => 'It does not say which models to combine.',
  },
  vendi_1: {
    kind: 'worth',
    means:
      'The answers to one query count as this many entirely different ones (Vendi score of order 1, the effective number).',
    not: () => 'It grows with the number of answers and cannot be compared across embedding models.',
  },
  distinct_meanings: {
    kind: 'worth',
    means:
      'Answers that are on average closer than the cut count as one meaning: this many are left of all answers to a query.',
    not: () =>
      'A meaning here is a topic and a wording, not a point of view; it grows with the number of answers.',
  },
  model_meanings: {
    kind: 'worth',
    means:
      'The same, of the answers of one model, at the same number of answers for each model of a query. Near the reference, models hold no meanings of their own.',
    not: () => 'It depends on sampling settings, such as temperature, as much as on the model.',
  },
  class_meanings: {
    kind: 'worth',
    means: 'The classes that the corpus itself gives, counted in the same way.',
    not: () => 'It is as good as those labels are.',
  },
  adjusted_rand: {
    kind: 'similarity',
    means: '1: the clusters are the given classes. 0: they agree no better than chance.',
    not: () => 'A query with one class gives 0 or 1 and nothing between.',
  },
  r2_cell: {
    kind: 'share',
    means:
      'Of how far answers to one query lie from their mean, this much lies between models, beyond what exchanging the models at random gives.',
    not: () => 'It is sensitive to spread as well as place: a model that varies less counts too.',
  },
  r2_style: {
    kind: 'share',
    means:
      'This much is a model’s own in all queries, whatever is asked, beyond what exchanging the models’ answers to a query gives.',
    not: () => 'It is sensitive to spread as well as place, and length or layout can be such a style.',
  },
  verbatim_share: {
    kind: 'share',
    means: 'Word for word the same as another answer, white space and case aside.',
    not: () => 'Short answers, such as a name or a number, repeat by themselves.',
  },
  growth: {
    kind: 'ratio',
    means:
      'The distinct meanings of n answers grow as n to this power, over the last factor of 4 in n. 1: every answer brings a new meaning; 0: more answers say nothing more.',
    not: () => 'It falls as n grows: compare it at the same number of answers.',
  },
  inflation: {
    kind: 'change',
    means:
      'How much faster the number of answers grows than that of their meanings, on a logarithmic scale. 0: each answer keeps its worth.',
    not: () => 'Meanings are topics and wordings, and it rests on the times that the corpus gives.',
  },
  rating_lag: {
    kind: 'ratio',
    means: 'How long after it was written an answer is rated: the mean over queries of their median answer.',
    not: () => 'Answers without a rating are still waiting and cannot count, so the lag is at least this.',
  },
  rho_population: {
    kind: 'ratio',
    means:
      'Answers of different models to one query are this many times as varied as answers of different people. 1 is parity; below it models crowd together.',
    not: () => 'People are whoever wrote these answers; each answer counts as another person’s.',
  },
  rho_individual: {
    kind: 'ratio',
    means:
      'One model asked again is this many times as varied as different people. 1 is parity: one model stands in for a crowd.',
    not: () => 'It depends on sampling settings, such as temperature, as much as on the model.',
  },
  nearest_to_models: {
    kind: 'change',
    means:
      'Above 0 models leave out what people say: for a person the nearest model answer is farther than the nearest other person, among equally many.',
    not: () => 'Distance is not worth: an answer can be far for being poor.',
  },
  nearest_to_people: {
    kind: 'change',
    means:
      'Above 0 models say what people do not: for a model answer the nearest person is farther than the nearest other model answer, among equally many.',
    not: () => 'Distance is not novelty that anyone wants.',
  },
  source_adds: {
    kind: 'change',
    means:
      'As many answers, once with people among them at an equal share and once without: this much is their effective number (Vendi score of order 2) larger.',
    not: () => 'What sources add does not add up, and it cannot be compared across embedding models.',
  },
  packaging: {
    kind: 'ratio',
    means:
      'One family is asked the same thing in another context: this much of the similarity of answers in one context is left, floors taken off. Near 1, the packaging changes nothing.',
    not: () => 'A prompt for length or style is not a persona: read which contexts these are.',
  },
  packaging_vendor: {
    kind: 'ratio',
    means:
      'A family’s answers in two contexts, set against different families’ answers in one, floors taken off. Above 1, the family matters more than the packaging.',
    not: () => 'A prompt for length or style is not a persona: read which contexts these are.',
  },
  stage_inter: {
    kind: 'change',
    means: 'The same families on the same queries, at an earlier and at a later stage of training.',
    not: () => 'Before and after is not cause and effect: the length of answers changes too.',
  },
  form_repeats: {
    kind: 'change',
    means:
      'Pairs of one model’s answers to different queries, by the 4-grams of their first 300 characters, less the same of the reference. Above 0 where content is not: form repeats where content differs.',
    not: () => 'Form and content are two scales. The thinking behind an answer is not observed.',
  },
  form_style: {
    kind: 'share',
    means:
      'How far the model by itself tells the form of an answer, among the answers to one query, beyond what shuffled models would.',
    not: () => 'A model whose answers vary less or more than others’ adds to it.',
  },
  effective_diversity: {
    kind: 'share',
    means: 'A pair of a team’s answers counts if the two differ in meaning and both are good.',
    not: () =>
      'More than the reference may also come from good answers that stand together in some teams, whatever their variety.',
  },
  team_outcome: {
    kind: 'change',
    means: 'Of the mean quality of a team’s answers, among teams of one query, expertise and size held fixed.',
    not: () => 'What goes together is not cause and effect.',
  },
  stage_intra: {
    kind: 'change',
    means: 'Each family asked the same thing again, at an earlier and at a later stage of training.',
    not: () => 'Before and after is not cause and effect.',
  },
  stage_distinct: {
    kind: 'change',
    means: 'How many more distinct meanings as many answers of a family hold at the later stage.',
    not: () => 'Meanings are topics and wordings; before and after is not cause and effect.',
  },
  stage_tail: {
    kind: 'change',
    means:
      'The farthest tenth of the first stage’s answers marks its tail: below 0 the later stage says less of what lay there.',
    not: () => 'A tail also holds failures: losing those is no loss.',
  },
  arm_inter: {
    kind: 'change',
    means: 'How the change from the first stage to the last in one arm differs from that in the reference arm.',
    not: () => 'It speaks of the arm only as far as nothing else differs between the arms.',
  },
  arm_intra: {
    kind: 'change',
    means: 'Each family asked the same thing again, in one arm and in the reference arm, before and after.',
    not: () => 'It speaks of the arm only as far as nothing else differs between the arms.',
  },
  arm_distinct: {
    kind: 'change',
    means: 'How many more distinct meanings one arm has kept than the reference arm, of as many answers.',
    not: () => 'It speaks of the arm only as far as nothing else differs between the arms.',
  },
  arm_tail: {
    kind: 'change',
    means: 'Above 0 more is left in this arm of what lay far out at the first stage than in the reference arm.',
    not: () => 'A tail also holds failures: keeping those is no gain.',
  },
};

const KINDS = {
  similarity: {
    show: decimal,
    end: value => decimal(value, value % 1 ? 2 : 0),
    from: () => 0,
    to: () => 1,
    along: linear,
  },
  share: { show: percent, end: value => percent(value, 0), from: () => 0, to: () => 1, along: linear },
  ratio: {
    show: value => decimal(value, 2),
    end: value => decimal(value, value % 1 ? 1 : 0),
    from: () => 0,
    to: line => Math.ceil(2 * Math.max(1, line.interval?.high ?? line.value)) / 2,
    along: linear,
  },
  change: { show: signed, end: value => signed(value), from: line => -farthest(line), to: farthest, along: linear },
  worth: {
    show: worth,
    end: value => decimal(value, 0),
    from: () => 1,
    to: (line, most) => Math.max(most, line.floor || 0, line.value),
    along: logarithmic,
  },
};

/** A round number that no end of a change's interval goes beyond, on either side of 0. */
function farthest(line) {
  const ends = [line.value, line.floor, line.interval?.low, line.interval?.high].filter(has).map(Math.abs);
  return Math.ceil(20 * Math.max(...ends, 0.01)) / 20;
}

function headlinesSection({ summary, queries }) {
  const most = queries.distributions.n?.quantiles[6][1] || 1;
  const cards = summary.headlines.map(line => card(line, most));
  const lead =
    'A line under each number places it: the mark is the value, the band its 95 % interval over queries, the open mark what it must be read against.';
  if (!cards.length)
    return section(
      'headlines',
      'In short',
      null,
      empty('This corpus gives no headline number; see what was left out.'),
    );
  return section('headlines', 'In short', lead, el('div', { class: 'cards' }, cards));
}

function card(line, most) {
  // Some names go on with what they compare, after a colon.
  const about = HEADLINES[line.name.split(':')[0]] || { kind: 'similarity', not: () => null };
  const { show } = KINDS[about.kind];
  const limits = line.interval;
  return el(
    'article',
    { class: 'card', 'data-name': line.name },
    el('h3', {}, corpus(shortened(line.label, 300))),
    el(
      'p',
      { class: 'value' },
      el('strong', {}, show(line.value)),
      limits ? el('span', {}, `95 %: ${interval(limits.low, limits.high, show)}`) : null,
    ),
    ruler(line, KINDS[about.kind], most),
    facts([
      [
        line.floor_label
          ? `${about.kind === 'similarity' ? 'Floor' : 'Reference'}: ${line.floor_label}`
          : null,
        has(line.floor) ? show(line.floor) : null,
      ],
      ['People, same queries', has(line.human) ? show(line.human) : null],
      [
        'Interval for other models too',
        line.interval_models_too
          ? interval(line.interval_models_too.low, line.interval_models_too.high, show)
          : null,
      ],
      [
        'Without models that answer regardless',
        has(line.without_regardless) ? show(line.without_regardless) : null,
      ],
      ['Queries', count(line.queries)],
    ]),
    about.means ? el('p', {}, about.means) : null,
    about.not(line) ? el('p', { class: 'soft' }, about.not(line)) : null,
    line.notes.map(note => el('p', { class: 'note' }, corpus(note))),
  );
}

/** Value, interval, floor and people on one line. */
function ruler(line, kind, most) {
  const to = kind.to(line, most);
  const from = Math.min(kind.from(line), has(line.floor) ? line.floor : kind.from(line), line.value);
  if (!(to > from)) return null;
  const along = kind.along(from, to, 0, 100);
  const place = value => `${Math.max(0, Math.min(100, along(value)))}%`;
  const mark = (value, name) => (has(value) ? el('i', { class: name, style: { left: place(value) } }) : null);
  const band = line.interval
    ? el('i', {
        class: 'band',
        style: { left: place(line.interval.low), right: `calc(100% - ${place(line.interval.high)})` },
      })
    : null;
  return el(
    'div',
    { class: 'ruler', 'aria-hidden': 'true' },
    el(
      'div',
      { class: 'track' },
      band,
      mark(line.floor, 'floor'),
      mark(line.human, 'human'),
      mark(line.value, 'here'),
    ),
    el('div', { class: 'ends' }, el('span', {}, kind.end(from)), el('span', {}, kind.end(to))),
  );
}

/** One or two sentences that answer the question in the title. */
function answer({ summary }) {
  const named = Object.fromEntries(summary.headlines.map(line => [line.name, line]));
  const sentences = [];
  const { inter_mean: inter, intra_mean: intra, models_worth: pooled, vendi_1: vendi } = named;
  const distinct = named.distinct_meanings;
  const strong = words => el('strong', {}, words);
  if (inter) {
    sentences.push([
      'Different models’ answers to the same query have a mean cosine similarity of ',
      strong(decimal(inter.value)),
      has(inter.floor) ? `; answers to different queries, ${decimal(inter.floor)}` : '',
      has(inter.human) ? `; people’s answers to the same queries, ${decimal(inter.human)}` : '',
      '. ',
    ]);
  }
  if (intra)
    sentences.push([
      inter
        ? 'One model asked again: '
        : 'One model’s answers to the same query have a mean cosine similarity of ',
      strong(decimal(intra.value)),
      '. ',
    ]);
  if (pooled)
    sentences.push([
      `The answers of ${counted(summary.models, 'model')} to one query are worth `,
      strong(worth(pooled.value)),
      has(pooled.floor)
        ? ` unrelated ones; the same models on different queries give ${worth(pooled.floor)}. `
        : ' unrelated ones. ',
    ]);
  else if (!inter && !intra && vendi)
    sentences.push([
      'The answers to one query count as ',
      strong(worth(vendi.value)),
      ' entirely different ones. ',
    ]);
  if (distinct)
    sentences.push([
      `The ${answersOf(summary.meanings.n)} to one query hold `,
      strong(worth(distinct.value)),
      ' distinct meanings.',
    ]);
  return el('p', { class: 'answer' }, sentences);
}
