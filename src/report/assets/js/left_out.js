// What this corpus does not allow, and notes on the input.

function leftOutSection({ summary }) {
  const reasons = new Map();
  summary.left_out.forEach(({ measure, reason }) =>
    reasons.set(reason, [...(reasons.get(reason) || []), measure]),
  );
  const lead = 'What lacks its columns or its number of responses is left out, never shown as 0.';
  const list = [...reasons].map(([reason, measures]) => [
    `${reason[0].toUpperCase()}${reason.slice(1)}`,
    el(
      'ul',
      {},
      measures.map(measure => el('li', {}, measure)),
    ),
  ]);
  const skipped = summary.skipped_rows
    ? [`${counted(summary.skipped_rows, 'row')} of the input could not be used and were skipped`]
    : [];
  const notes = [...summary.notes, ...skipped];
  if (!list.length && !notes.length) return null;
  return section(
    'left-out',
    'What was left out, and why',
    list.length ? lead : 'Nothing: this corpus has what every measure of this version needs.',
    list.length ? facts(list) : null,
    notes.length
      ? [
          el('h3', {}, 'Notes on this corpus'),
          el(
            'ul',
            { class: 'notes' },
            notes.map(note => el('li', {}, corpus(note))),
          ),
        ]
      : null,
  );
}
