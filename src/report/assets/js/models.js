// One line a model, and the models that answer regardless of the query.

function modelsSection({ models, summary }) {
  const rows = rowsOf(models);
  const columns = [
    { title: 'Model', text: true, value: row => row.model, show: name => corpus(name) },
    { title: 'Responses', value: row => row.n, show: count },
    { title: 'Queries', value: row => row.queries, show: count },
    { title: 'Within', value: row => row.intra_mean, show: similarity },
    {
      title: '95 % interval',
      value: row => row.intra_ci_low,
      show: (low, row) => interval(low, row.intra_ci_high),
    },
    { title: 'Not separable from the next', value: row => row.intra_next, show: count },
    { title: 'At or above 0.8', value: row => row.share_ge_0_8, show: share => `${decimal(share, 0)} %` },
    { title: 'Floor', value: row => row.floor, show: similarity },
    { title: 'Effective number', value: row => row.vendi_1, show: worth },
    { title: 'Distinct meanings', value: row => row.distinct, show: worth },
    { title: 'With others', value: row => row.with_others, show: similarity },
    {
      title: 'Joint 95 % interval',
      value: row => row.with_others_joint_low,
      show: (low, row) => interval(low, row.with_others_joint_high),
    },
    { title: 'Not separable from the next', value: row => row.with_others_next, show: count },
    { title: 'Most like', text: true, value: row => row.most_like, show: name => corpus(name) },
    { title: 'Similarity', value: row => row.most_like_mean, show: similarity },
    { title: 'Not separable from the next', value: row => row.most_like_next, show: count },
    { title: 'Refusals', value: row => row.refusal_share, show: percent },
    { title: 'Empty', value: row => row.empty_share, show: percent },
    { title: 'Repeated word for word', value: row => row.verbatim_share, show: percent },
  ];
  const cut =
    rows.length < summary.models
      ? ` The first ${count(rows.length)} of ${count(summary.models)}; models.parquet has all.`
      : '';
  const lead = `Within: mean similarity of a model’s answers to the same query. Floor: its answers to different queries. With others: its answers and those of all other models; joint intervals hold for all models at once. Not separable from the next: so many models with a lower mean cannot be told from it on the queries both have, all comparisons taken together; each such column speaks of the mean before it. Select a title to sort.${cut}`;
  return section(
    'models',
    'Models',
    lead,
    table('Models', filled(columns, rows), rows, { sortable: true, tall: rows.length > 14 }),
  );
}

function regardlessSection({ models, summary }) {
  const names = summary.answers_regardless;
  if (!names.length) return null;
  const floors = new Map(models.model.map((name, i) => [name, models.floor[i]]));
  const rows = names.map(model => ({ model, floor: floors.get(model) }));
  const limit = has(summary.floor) ? summary.floor + 0.1 * (1 - summary.floor) : null;
  const lead =
    `${counted(names.length, 'model')} with an own floor above ${decimal(limit)}, a tenth of the way from the corpus floor (${decimal(summary.floor)}) to 1. ` +
    'Own floor: the mean similarity of a model’s answers to different queries. Such models may refuse, repeat one text or ignore the question. Headlines are given with them and without.';
  const columns = [
    { title: 'Model', text: true, value: row => row.model, show: name => corpus(name) },
    { title: 'Own floor', value: row => row.floor, show: similarity },
  ];
  return section(
    'regardless',
    'Models that answer regardless of the query',
    lead,
    table('Models that answer regardless', columns, rows, { tall: rows.length > 14 }),
  );
}
