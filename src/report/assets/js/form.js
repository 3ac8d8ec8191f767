// How alike answers begin, whatever they say.

/** Models whose form is drawn beside each other. */
const FORMS_SHOWN = 30;

const FORM_OF = { one_model: 'one model’s answers', other_models: 'different models’ answers', people: 'people’s answers' };

const CHANNELS = [
  ['form', 'form'],
  ['content', 'content'],
  ['opening', 'same first five words'],
];

function formSection({ summary, form }) {
  const found = summary.form;
  if (!form || !(found?.contrasts.length || found?.style_form)) return null;
  const lead = [
    'Form is which groups of four characters the first 300 characters of an answer have, content its embedding; both of the same pairs. ',
    `${counted(found.responses, 'answer')} count${found.short ? `; ${count(found.short)} are shorter and left out` : ''}. `,
    'What went on in a model while it wrote is not observed: this shows form that repeats where content differs, and no more.',
  ];
  const other = found.contrasts.filter(one => one.other_query);
  const same = found.contrasts.filter(one => !one.other_query);
  return section('form', 'Form and content', lead, [
    formGroup('Answers to different queries', other, found, 'other_query'),
    formGroup('Answers to the same query', same, found, 'same_query'),
    formModels(form, summary),
    formStyle(found),
    formCompression(form),
    folded('As a table', () => formTable(form)),
  ]);
}

/** What contrasts are set against, in words. */
const formReference = found => FORM_OF[found.reference];

function formGroup(title, contrasts, found, name) {
  if (!contrasts.length) return null;
  const without = (found.without_regardless?.contrasts || []).filter(
    one => one.other_query === contrasts[0].other_query,
  );
  const sets = [...contrasts.map(one => [one, false]), ...without.map(one => [one, true])];
  const several = contrasts.length > 1;
  const rows = sets.flatMap(([one, fewer]) => CHANNELS.map(channel => formRow(one, fewer, channel, several)));
  return [
    el('h3', {}, title),
    contrasts.map(one => formWords(one, found)),
    without.map(one =>
      el(
        'p',
        {},
        `Without models that answer regardless of the query, ${FORM_OF[one.group]}: form ${formApart(one.form)}, content ${formApart(one.content)}.`,
      ),
    ),
    forest(`Difference to ${formReference(found)}: ${words(name)}`, rows, {
      show: signed,
      mark: { at: 0, words: `as ${formReference(found)}` },
      axis: 'difference of the mean',
    }),
    el(
      'p',
      { class: 'soft' },
      'Form and content are two scales: each is to be read against its own reference, not against the other.',
    ),
  ];
}

function formRow(one, fewer, [channel, title], several) {
  const { value, reference, difference, interval: limits } = one[channel];
  const whose = FORM_OF[one.group].replace(' answers', '');
  return {
    name: `${title}${several ? `, ${whose}` : ''}${fewer ? ', without those' : ''}`,
    strong: channel === 'form' && !fewer,
    soft: fewer,
    value: difference,
    low: limits?.low,
    high: limits?.high,
    words: [
      el('b', {}, title),
      `${FORM_OF[one.group]}${fewer ? ', without models that answer regardless' : ''}: ${decimal(value)}`,
      `reference ${decimal(reference)}`,
      `difference ${signed(difference)}${limits ? `, 95 %: ${interval(limits.low, limits.high, signed)}` : ''}`,
    ],
  };
}

/** A difference and its interval. */
function formApart({ difference, interval: limits }) {
  return `${signed(difference)}${limits ? ` (95 %: ${interval(limits.low, limits.high, signed)})` : ''}`;
}

function formWords(one, found) {
  const beside = contrast => `${decimal(contrast.value)} beside ${decimal(contrast.reference)}, `;
  const share = value => percent(value, 2);
  return el(
    'p',
    {},
    `The form of ${FORM_OF[one.group]} beside that of ${formReference(found)}: ${decimal(one.form.value)} beside ${decimal(one.form.reference)}, `,
    el('strong', {}, formApart(one.form)),
    `, over ${counted(one.queries, 'query', 'queries')}. Content of the same pairs: ${beside(one.content)}${formApart(one.content)}. `,
    `They begin with the same five words in ${share(one.opening.value)} of the pairs, beside ${share(one.opening.reference)}.`,
  );
}

function formModels(form, { form: found, answers_regardless: regardless }) {
  const reference = form.find(row => row.pairs === found.reference);
  const odd = new Set(regardless.map(name => name.slice(0, 400)));
  const all = form.filter(row => row.pairs === 'one_model' && row.model !== null && has(row.other_query_form));
  const models = all.filter(row => !odd.has(row.model.slice(0, 400)));
  if (models.length < 2 || !has(reference?.other_query_form)) return null;
  const shown = models.sort((a, b) => b.other_query_form - a.other_query_form).slice(0, FORMS_SHOWN);
  const left = [
    models.length > shown.length ? `The ${shown.length} highest of ${count(models.length)} models. ` : null,
    all.length > models.length
      ? `Without ${counted(all.length - models.length, 'model that answers', 'models that answer')} regardless of the query: see the table.`
      : null,
  ].filter(has);
  const rows = shown.map(row => ({
    name: row.model,
    value: row.other_query_form,
    low: row.other_query_form_ci_low,
    high: row.other_query_form_ci_high,
    words: [
      el('b', {}, corpus(shortened(row.model, 80))),
      `form ${decimal(row.other_query_form)}${has(row.other_query_form_ci_low) ? `, 95 %: ${interval(row.other_query_form_ci_low, row.other_query_form_ci_high)}` : ''}`,
      `content ${decimal(row.other_query_content)}`,
      `same first five words ${percent(row.other_query_opening, 2)}`,
    ],
  }));
  return [
    el('h3', {}, 'Form of each model’s answers to different queries'),
    forest('Form of answers to different queries, by model', rows, {
      show: decimal,
      mark: { at: reference.other_query_form, words: formReference(found) },
      axis: 'mean cosine of 4-grams',
    }),
    left.length ? el('p', { class: 'soft' }, left) : null,
  ];
}

function formStyle(found) {
  const { style_form: form, style_content: content, without_regardless: fewer } = found;
  if (!form || !content) return null;
  const range = one => (one.interval ? ` (95 %: ${interval(one.interval.low, one.interval.high, percent)})` : '');
  const without = fewer?.style_form
    ? ` Without models that answer regardless of the query: ${percent(fewer.style_form.adjusted)} of form, ${percent(fewer.style_content?.adjusted)} of content.`
    : '';
  return [
    el('h3', {}, 'How much of it is the model'),
    el(
      'p',
      {},
      'Within a query, the model explains ',
      el('strong', {}, percent(form.adjusted)),
      `${range(form)} of how form varies and ${percent(content.adjusted)}${range(content)} of how content does, beyond what shuffled models would.${without} A model whose answers vary less or more than others’ adds to it.`,
    ),
  ];
}

function formCompression(form) {
  const of = (pairs, model) => form.find(row => row.pairs === pairs && (row.model === null) === !model)?.compression;
  const [one, others, people] = [of('one_model'), of('other_models'), of('people')];
  const parts = [
    has(one) ? `${decimal(one, 2)} times for one model (median over models)` : null,
    has(others) ? `${decimal(others, 2)} for all models mixed` : null,
    has(people) ? `${decimal(people, 2)} for people` : null,
  ].filter(has);
  return parts.length
    ? el('p', {}, `20 kB of beginnings, one answer a query before a second to any, compress ${parts.join(', ')}.`)
    : null;
}

function formTable(form) {
  const range = name => ({
    title: '95 % interval',
    value: row => row[`${name}_ci_low`],
    show: (low, row) => interval(low, row[`${name}_ci_high`]),
  });
  const columns = [
    { title: 'Pairs', text: true, value: row => words(row.pairs) },
    { title: 'Model', text: true, value: row => row.model, show: corpus },
    { title: 'Answers', value: row => row.responses, show: count },
    { title: 'Queries', value: row => row.queries, show: count },
    { title: 'Other query: form', value: row => row.other_query_form, show: similarity },
    range('other_query_form'),
    { title: 'content', value: row => row.other_query_content, show: similarity },
    { title: 'same opening', value: row => row.other_query_opening, show: value => percent(value, 2) },
    { title: 'Same query: form', value: row => row.same_query_form, show: similarity },
    range('same_query_form'),
    { title: 'content', value: row => row.same_query_content, show: similarity },
    { title: 'same opening', value: row => row.same_query_opening, show: value => percent(value, 2) },
    { title: 'Compression', value: row => row.compression, show: value => decimal(value, 2) },
  ];
  return table('Form and content', filled(columns, form), form, { sortable: true, tall: form.length > 14 });
}
