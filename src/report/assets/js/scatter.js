// Points on two axes, one colour a group.

/** `points`: { group, at: [x, y] }; `groups` in the order of their colours; a choice brings one group forward. */
function scatter(title, points, groups, axes) {
  const tint = group => css(colour(groups.length > 1 ? groups.indexOf(group) / (groups.length - 1) : 0.4));
  const [xs, ys] = [0, 1].map(k => points.map(point => point.at[k]));
  const ends = values => [Math.min(...values), Math.max(...values)];
  const state = { group: null };
  const plot = responsive(title, width => draw(width));
  function draw(width) {
    const [left, right, top, bottom] = [52, width - 12, 26, Math.min(460, width * 0.72 + 60)];
    const x = linear(...ends(xs), left + 8, right - 8);
    const y = linear(...ends(ys), bottom - 8, top + 8);
    const [along, up] = [ticks(...ends(xs), width / 110), ticks(...ends(ys), 5)];
    // The chosen group is drawn last, over the others.
    const order = [...points].sort((a, b) => (a.group === state.group) - (b.group === state.group));
    const dots = order.map(point =>
      svg('circle', {
        cx: x(point.at[0]).toFixed(1),
        cy: y(point.at[1]).toFixed(1),
        r: 3.5,
        class: state.group && point.group !== state.group ? 'dot behind' : 'dot',
        style: { fill: tint(point.group) },
        onpointermove: e => tip(e, [corpus(point.group)]),
        onpointerleave: e => tip(e),
      }),
    );
    return canvas(
      width,
      bottom + 44,
      `${title}: ${counted(points.length, 'point')}`,
      axisLeft(up, y, left, { show: tickText(up), title: axes[1], to: right }),
      axisBelow(along, x, bottom, { show: tickText(along), title: axes[0], from: left, to: right, top }),
      dots,
    );
  }
  const pick = el(
    'select',
    {
      onchange: () => {
        state.group = groups[pick.value - 1];
        plot.replaceChildren(draw(plot.clientWidth));
      },
    },
    el('option', { value: 0 }, `All ${count(groups.length)}`),
    groups.map((group, place) => el('option', { value: place + 1 }, shortened(group, 60))),
  );
  return [groups.length > 1 ? el('label', { class: 'choice' }, 'Show ', pick) : null, plot];
}
