// How to read the numbers.

function readingSection({ summary }) {
  const points = [
    [
      'A cosine alone means nothing',
      `Read each similarity against its floor: what answers to different queries have under the same embedding${has(summary.floor) ? ` (here ${decimal(summary.floor)})` : ''}. Even a value far above it can be the topic: under a common embedding model people’s answers to one question average about 0.66 to 0.73.`,
    ],
    [
      'Intervals are over queries',
      'They say how much a mean would move with other queries like these, the models given. Where it says “for other models too”, models were drawn anew as well. Pairs are never taken as independent.',
    ],
    [
      'It depends on the embedding',
      'Another embedding model gives other numbers, floors and effective numbers. Compare within one report, or between reports with the same embedding of the same queries.',
    ],
    [
      'Alike is not the same as wrong',
      'Where there is one right answer, alike is what it should be. The measure speaks of variety, not of quality.',
    ],
  ];
  return section('reading', 'How to read this', null, facts(points));
}
