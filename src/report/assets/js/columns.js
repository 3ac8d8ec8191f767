// Columns that several tables share.

const similarity = value => decimal(value);

const pairColumns = [
  { title: 'Model', text: true, value: row => row.a, show: name => corpus(name) },
  { title: 'Model', text: true, value: row => row.b, show: name => corpus(name) },
  { title: 'Mean', value: row => row.mean, show: similarity },
  { title: '95 % interval', value: row => row.ci_low, show: (low, row) => interval(low, row.ci_high) },
  { title: 'Floor', value: row => row.floor, show: similarity },
  { title: 'Queries', value: row => row.queries, show: count },
];

/** Only the columns in which some row has a value. */
function filled(columns, rows) {
  return columns.filter(column => rows.some(row => has(column.value(row))));
}

/** Rows of an object of columns of equal length. */
function rowsOf(columns) {
  const names = Object.keys(columns);
  return columns[names[0]].map((_, row) => Object.fromEntries(names.map(name => [name, columns[name][row]])));
}
