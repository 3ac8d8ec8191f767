// Answers that are almost the same.

function duplicatesSection({ summary, groups }) {
  const near = summary.near_duplicates;
  if (!near) return null;
  const lead = `Pairs of responses with a similarity of ${decimal(near.threshold, 2)} or more, and the groups that they join.`;
  const numbers = facts([
    ['Pairs', count(near.pairs)],
    ['Groups', count(near.components)],
    ['Responses in a group with more than one model', percent(near.share_shared)],
    [
      'Responses that another repeats word for word',
      has(near.verbatim_share) ? percent(near.verbatim_share) : 'no text column',
    ],
    [
      'The same, by another model',
      has(near.verbatim_share_other_model) ? percent(near.verbatim_share_other_model) : null,
    ],
  ]);
  const some = ({ count: all, first }) => [
    first.map((name, k) => [k ? ', ' : '', corpus(shortened(name, 80))]),
    all > first.length ? ` and ${count(all - first.length)} more` : null,
  ];
  const columns = [
    { title: 'Models', text: true, value: row => row.models.first[0], show: (_, row) => some(row.models) },
    { title: 'Responses', value: row => row.size, show: count },
    { title: 'Models', value: row => row.models.count, show: count },
    { title: 'Queries', value: row => row.queries.count, show: count },
    {
      title: 'To',
      text: true,
      value: row => row.queries.first[0],
      show: (_, row) => some({ ...row.queries, first: row.queries.first.slice(0, 1) }),
    },
  ];
  const largest = groups.length
    ? [
        el('h3', {}, groups.length < near.components ? 'The largest groups' : 'The groups'),
        table('Groups of near duplicates', columns, groups),
      ]
    : null;
  return section(
    'duplicates',
    'Near duplicates',
    lead,
    near.pairs ? numbers : empty('No two responses are that alike.'),
    near.pairs ? largest : null,
  );
}
