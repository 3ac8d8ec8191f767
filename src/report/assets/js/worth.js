// What a query's answers are worth: the effective number, as a distribution over queries.

function worthSection({ summary, queries }) {
  const { vendi_1: first, vendi_2: second, n } = queries.distributions;
  if (!first) return null;
  const line = summary.headlines.find(one => one.name === 'models_worth');
  const number =
    n.quantiles[0][1] === n.quantiles[6][1]
      ? count(n.mean)
      : `${count(n.quantiles[0][1])} to ${count(n.quantiles[6][1])}`;
  const lead =
    `Each query has ${number} answers. The effective number says how many entirely different answers carry the same variety: 1 if all say the same, as many as there are answers if no two have anything in common. ` +
    (line
      ? `Here ${counted(summary.models, 'model')}, asked once each, are worth ${worth(line.value)} by order 2` +
        (has(line.floor)
          ? `; the same models answering different queries would be worth ${worth(line.floor)}.`
          : '.')
      : 'Order 1 counts rare answers more, order 2 common ones.');
  const plot = (spread, title) => {
    const marks = [
      { at: spread.mean, words: `mean ${worth(spread.mean)}`, kind: 'here' },
      { at: spread.quantiles[3][1], words: `median ${worth(spread.quantiles[3][1])}`, kind: 'median' },
    ];
    return el(
      'div',
      {},
      el('h3', {}, title),
      distribution(spread, { title: 'effective number of answers', show: worth, marks }),
    );
  };
  const both = el(
    'div',
    { class: 'two' },
    plot(first, 'Order 1: rare answers count'),
    second ? plot(second, 'Order 2: common answers count') : null,
  );
  return section(
    'worth',
    'What the answers to one query are worth',
    lead,
    line ? worthScale(line, n.mean, first.mean) : null,
    both,
  );
}

/** One sample a model: the number of answers, what unrelated ones would be worth, and what these are, on one line. */
function worthScale(line, answers, first) {
  const points = [
    { at: answers, words: `${count(Math.round(answers))} answers`, kind: 'grey' },
    { at: line.floor, words: `unrelated: ${worth(line.floor)}`, kind: 'floor' },
    { at: line.value, words: `these: ${worth(line.value)}`, kind: 'here' },
    { at: first, words: `order 1: ${worth(first)}`, kind: 'median' },
  ].filter(point => has(point.at));
  const to = Math.max(...points.map(point => point.at), 2);
  return responsive('Number of answers and what they are worth', width => {
    const [left, right] = [14, width - 14];
    const x = logarithmic(1, to, left, right);
    return canvas(
      width,
      126,
      points.map(point => point.words).join(', '),
      svg('rect', { x: left, y: 56, width: Math.max(0, x(line.value) - left), height: 10, class: 'bar' }),
      marked(points, x, 16, 70, width),
      axisBelow(logTicks(1, to), x, 70, {
        show: count,
        title: 'answers, logarithmic',
        from: left,
        to: right,
      }),
    );
  });
}
