// One line a model, and the models that answer regardless of the query.

function modelsSection({ models, pairs, summary }) {
  const matrix = new Matrix(pairs);
  const place = new Map(matrix.names.map((name, i) => [name, i]));
  const rows = rowsOf(models).map(row => {
    const alike =
      place.has(row.model) && matrix.filled
        ? matrix.row(place.get(row.model)).find(pair => pair.b !== row.model)
        : null;
    return { ...row, alike_name: alike?.b, alike_mean: alike?.mean };
  });
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
    { title: 'At or above 0.8', value: row => row.share_ge_0_8, show: share => `${decimal(share, 0)} %` },
    { title: 'Floor', value: row => row.floor, show: similarity },
    { title: 'Effective number', value: row => row.vendi_1, show: worth },
    { title: 'Distinct meanings', value: row => row.distinct, show: worth },
    { title: 'Most like', text: true, value: row => row.alike_name, show: name => corpus(name) },
    { title: 'Similarity', value: row => row.alike_mean, show: similarity },
  ];
  const cut =
    rows.length < summary.models
      ? ` The first ${count(rows.length)} of ${count(summary.models)}; models.parquet has all.`
      : '';
  const lead = `Within: mean similarity of a model’s answers to the same query. Floor: its answers to different queries. Select a title to sort.${cut}`;
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
