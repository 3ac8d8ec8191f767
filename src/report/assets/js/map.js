// The map of all answers: what colours mean, who is shown, and what is said of a point.

/**
 * Colours that eyes of every kind tell apart: at least 22 (light) and 18 (dark) apart in CIELAB, seen with each of the three
 * colour deficiencies (Machado et al. 2009), grey among them; twice as much without. People come first, in orange.
 */
const PALETTE = {
  light: {
    ground: [255, 255, 255],
    grey: [122, 128, 138],
    colours: [
      [205, 90, 0],
      [33, 44, 142],
      [43, 130, 82],
      [227, 135, 211],
      [64, 140, 255],
      [124, 0, 17],
      [224, 192, 0],
      [117, 48, 235],
    ],
  },
  dark: {
    ground: [27, 30, 35],
    grey: [120, 127, 138],
    colours: [
      [250, 145, 60],
      [52, 89, 216],
      [3, 180, 118],
      [241, 179, 196],
      [115, 223, 255],
      [237, 78, 77],
      [223, 255, 46],
      [184, 116, 193],
    ],
  },
};
const COLOURS = PALETTE.light.colours.length;
/** Values that a list shows before one types. */
const LISTED = 60;

function mapSection({ map, summary }) {
  if (!map) return null;
  const points = new Points(map);
  const { explained, shown, responses } = summary.map;
  const both = explained[0] + explained[1];
  const lead = [
    'Each point is an answer. This is the flat picture that shows most of how the answers differ',
    summary.dim > 2
      ? [
          ', and still it shows only ',
          el('strong', {}, percent(both)),
          ` of it: ${percent(1 - both)} lies in the other ${counted(summary.dim - 2, 'direction')}. Points far apart here are far apart in truth; points side by side need not be alike.`,
        ]
      : ': with vectors of two elements, all of it.',
    shown < responses
      ? ` Shown are ${count(shown)} of ${count(responses)} answers, drawn at random${map.people && points.category('source') ? '; of what people wrote all, up to half of them' : ''}.`
      : null,
  ];
  const parts = new AnswerMap(points, summary, map.people || []);
  const axes = `To the right the first principal component (${percent(explained[0])} of the variance of all answers), upwards the second (${percent(explained[1])}), on one scale.`;
  return section(
    'map',
    'The map of all answers',
    lead,
    parts.status,
    el('div', { class: 'beside' }, parts.view.whole, parts.side),
    el('p', { class: 'soft map-axes' }, axes),
    parts.table,
  );
}

class AnswerMap {
  constructor(points, summary, people) {
    this.points = points;
    this.people = people;
    this.filters = new Map();
    this.colourOf = new Map();
    const useful = points.categories.filter(one => one.size > 1 && one.name !== 'sample');
    this.by = this.first(useful);
    const label = `Map of ${counted(points.size, 'answer')} on their two principal components. Arrow keys move it, plus and minus zoom, 0 shows all of it; the answer nearest to the middle is read out. A table follows.`;
    this.view = new MapView(points, label, {
      look: (found, place) => this.say(found, place),
      recoloured: () => this.write(),
    });
    this.status = el('p', { class: 'soft map-status', 'aria-live': 'polite' });
    this.legend = el('ul', { class: 'map-legend' });
    this.table = el('div');
    this.choice = el(
      'select',
      { onchange: () => this.colour(points.category(this.choice.value)) },
      useful.map(one =>
        el(
          'option',
          { value: one.name, selected: one === this.by },
          one.name === 'cluster' ? 'meaning' : one.name,
        ),
      ),
    );
    this.lists = useful
      .filter(one => ['query', 'model'].includes(one.name))
      .map(one => new ValueList(one, value => this.toggle(one, value)));
    this.side = el(
      'div',
      { class: 'side map-side' },
      this.by ? el('label', { class: 'choice' }, 'Colour by ', this.choice) : null,
      this.legend,
      this.lists.map(list => list.whole),
    );
    this.update();
    Promise.all(points.categories.map(one => one.ready)).then(() => {
      this.lists.forEach(list => list.narrow());
      this.write();
    });
  }

  /** What colours mean at first: who wrote it, where people did; models, where they are few; else queries. */
  first(useful) {
    const named = name => useful.find(one => one.name === name);
    const source = named('source');
    if (source?.names.some(name => this.people.includes(name))) return source;
    const model = named('model');
    return model && model.size <= COLOURS ? model : named('query') || model || useful[0];
  }

  colour(category) {
    [this.by, this.before] = [category, null];
    this.update();
  }

  /** One query alone has one colour: its meanings then have some, as long as it is alone. */
  settle() {
    const [query, cluster] = ['query', 'cluster'].map(name => this.points.category(name));
    const alone = this.filters.get(query)?.size === 1;
    if (alone && this.by === query && cluster?.size > 1) [this.by, this.before] = [cluster, query];
    else if (!alone && this.before) [this.by, this.before] = [this.before, null];
    if (this.by) this.choice.value = this.by.name;
  }

  /** Shows one more value of a category, or one less; none is all. */
  toggle(category, value) {
    const chosen = this.filters.get(category) || new Set();
    if (!chosen.delete(value)) chosen.add(value);
    if (chosen.size) this.filters.set(category, chosen);
    else this.filters.delete(category);
    this.settle();
    this.update();
    this.view.fit(this.filters.size ? this.view.shown : null);
  }

  showAll() {
    this.filters.clear();
    this.settle();
    this.update();
    this.view.fit(null);
  }

  /** Which points pass the filters, that of one category left out. */
  passing(except) {
    const among = new Uint8Array(this.points.size).fill(1);
    this.filters.forEach((chosen, category) => {
      if (category === except) return;
      category.ids.forEach((id, i) => chosen.has(id) || (among[i] = 0));
    });
    return among;
  }

  /** Tints of the points, from the filters and what colours mean. */
  update() {
    const { by } = this;
    const among = this.passing();
    this.coloured = [];
    const tints = Uint8Array.from(among, shown => (shown ? 0 : HIDDEN));
    if (by) {
      this.counts = by.counts(this.passing(by));
      const often = this.counts.subarray(0, by.size);
      const order = Array.from(often, (_, value) => value).filter(value => often[value]);
      const person = value => by.name === 'source' && this.people.includes(by.names[value]);
      const rank =
        by.name === 'cluster'
          ? (a, b) => by.names[a] - by.names[b]
          : (a, b) => person(b) - person(a) || often[b] - often[a];
      order.sort((a, b) => rank(a, b) || a - b);
      const chosen = this.filters.get(by);
      this.listed = chosen
        ? [...order.filter(value => chosen.has(value)), ...order.filter(value => !chosen.has(value))]
        : order;
      this.coloured = this.listed.slice(0, chosen ? Math.min(chosen.size, COLOURS) : COLOURS);
      const tintOf = new Uint8Array(by.size + 1);
      this.coloured.forEach((value, k) => (tintOf[value] = this.keep(value, k) + 1));
      by.ids.forEach((id, i) => (tints[i] = among[i] ? tintOf[Math.min(id, by.size)] : HIDDEN));
      this.tintOf = tintOf;
    }
    this.tints = tints;
    this.view.paint(tints);
    this.write();
  }

  /** A value keeps the colour that it had, where no other one shown has it. */
  keep(value, k) {
    const known = this.colourOf.get(this.by) || new Map();
    this.colourOf.set(this.by, known);
    if (!known.has(value)) {
      const taken = this.coloured
        .filter(other => other !== value && known.has(other))
        .map(other => known.get(other));
      const free = [k, ...Array(COLOURS).keys()].find(colour => !taken.includes(colour));
      known.set(value, free);
    }
    const before = this.coloured.slice(0, k).some(other => known.get(other) === known.get(value));
    if (before) {
      known.delete(value);
      return this.keep(value, k);
    }
    return known.get(value);
  }

  /** The words: how many are shown, the legend, the lists, the table. */
  write() {
    const { by, points, filters } = this;
    const shown = this.view.shown.reduce((sum, one) => sum + one, 0);
    const clear = filters.size
      ? el('button', { type: 'button', onclick: () => this.showAll() }, 'Show all')
      : null;
    const names = [...filters].flatMap(([category, chosen]) => [...chosen].map(value => category.of(value)));
    this.status.replaceChildren(
      el(
        'b',
        {},
        filters.size
          ? `${count(shown)} of ${counted(points.size, 'answer')}`
          : `All ${counted(points.size, 'answer')}`,
      ),
      ...[clear].filter(has),
      el(
        'span',
        {},
        ...(names.length
          ? [
              corpus(names[0].trim().replace(/\s+/g, ' ')),
              names.length > 1 ? ` and ${count(names.length - 1)} more` : '',
            ]
          : []),
      ),
    );
    this.lists.forEach(list => list.mark(filters.get(list.category)));
    if (!by) return;
    const palette = PALETTE[this.view.scheme];
    const chosen = filters.get(by);
    const item = value => {
      const colour = this.tintOf[value];
      const on = Boolean(chosen?.has(value));
      return el(
        'li',
        {},
        el(
          'button',
          { type: 'button', 'aria-pressed': String(on), onclick: () => this.toggle(by, value) },
          el('i', { class: 'tint', style: { background: colour ? css(palette.colours[colour - 1]) : null } }),
          corpus(shortened(by.of(value), 70)),
          el('span', { class: 'soft' }, count(this.counts[value])),
        ),
      );
    };
    const others = this.listed.length - Math.min(this.listed.length, COLOURS);
    const none = this.counts[by.size];
    const noun = { query: 'queries', family: 'families', cluster: 'meanings' }[by.name] || `${by.name}s`;
    this.legend.replaceChildren(
      ...this.listed.slice(0, COLOURS).map(item),
      ...[
        others && !chosen
          ? el('li', { class: 'rest' }, el('i', { class: 'tint' }), `${count(others)} other ${noun}, in grey`)
          : null,
        none && !chosen
          ? el('li', { class: 'rest' }, el('i', { class: 'tint' }), `${count(none)} without`)
          : null,
        by.name === 'cluster' && !filters.has(points.category('query'))
          ? el(
              'li',
              { class: 'rest' },
              'Meanings are counted within each query, the largest first: choose a query to see its own.',
            )
          : null,
      ].filter(has),
    );
    this.table.replaceChildren(folded(['Where these groups lie, as a table'], () => this.groups()));
  }

  /** What stands for the picture where it cannot be seen: number, middle and spread of each coloured group. */
  groups() {
    const { points, by } = this;
    const sums = new Map();
    for (let i = 0; i < points.size; i += 1) {
      if (this.tints[i] === HIDDEN) continue;
      const value = this.tints[i] ? by.ids[i] : -1;
      const sum = sums.get(value) || { value, n: 0, x: 0, y: 0, squares: 0 };
      const [x, y] = [points.low[0] + points.x[i] * points.step, points.low[1] + points.y[i] * points.step];
      sum.n += 1;
      sum.x += x;
      sum.y += y;
      sum.squares += x * x + y * y;
      sums.set(value, sum);
    }
    const rows = [...sums.values()].map(({ value, n, x, y, squares }) => ({
      name: value < 0 ? 'others' : by.of(value),
      n,
      x: x / n,
      y: y / n,
      spread: Math.sqrt(Math.max(0, squares / n - (x / n) ** 2 - (y / n) ** 2)),
    }));
    const columns = [
      { title: 'Group', text: true, value: row => row.name, show: name => corpus(shortened(name, 120)) },
      { title: 'Answers', value: row => row.n, show: count },
      { title: 'Middle, first component', value: row => row.x, show: similarity },
      { title: 'Middle, second', value: row => row.y, show: similarity },
      { title: 'Spread', value: row => row.spread, show: similarity },
    ];
    return table(
      'Groups on the map: answers, middle, and root mean square distance from it',
      columns,
      rows.sort((a, b) => b.n - a.n),
      { sortable: true },
    );
  }

  /** Says which answer a point is. Its text comes when it is unpacked, if the point is still the one. */
  async say(found, place) {
    this.said = found?.i;
    if (!found) {
      tip(null);
      return;
    }
    const { i, more } = found;
    const lines = text => this.lines(i, more, text);
    tip(place, lines(undefined));
    await this.points.category('query').ready;
    const text = this.points.texts ? await this.points.texts.at(i).catch(() => null) : null;
    if (this.said === i && !this.view.ring.hidden) tip(place, lines(text));
  }

  lines(i, more, text) {
    const { points } = this;
    const of = name => {
      const category = points.category(name);
      return category && category.ids[i] !== category.none ? category.of(category.ids[i]) : null;
    };
    const sample = points.category('sample')?.size > 1 ? of('sample') : null;
    const facts = ['source', 'family', 'stage', 'arm', 'context', 'team'].map(of);
    return [
      el('b', {}, corpus(shortened(of('model'), 80))),
      el('span', { class: 'asked-for' }, corpus(shortened(of('query').trim().replace(/\s+/g, ' '), 120))),
      has(text)
        ? el(
            'span',
            { class: 'said', dir: 'auto' },
            text.trim() ? visible(text.trim()) : el('i', {}, 'an empty answer'),
          )
        : null,
      el(
        'small',
        {},
        [
          ...facts
            .filter(fact => has(fact) && fact !== of('model'))
            .map(fact => [corpus(shortened(fact, 40)), ' · ']),
          has(sample) ? ['sample ', corpus(shortened(sample, 30)), ' · '] : null,
          has(of('cluster')) && points.category('cluster').size > 1
            ? `${of('cluster')} of its query · `
            : null,
          `row ${count(points.row[i])}`,
          more ? ` · and ${count(more)} more at this place` : null,
        ]
          .flat(2)
          .filter(has),
      ),
    ].filter(has);
  }
}

/** The values of a category, most frequent first: typing narrows them, a click shows them or takes them away. */
class ValueList {
  constructor(category, choose) {
    this.category = category;
    this.choose = choose;
    this.chosen = new Set();
    const counts = category.counts(new Uint8Array(category.ids.length).fill(1));
    this.sizes = counts;
    this.order = Array.from({ length: category.size }, (_, value) => value).sort(
      (a, b) => counts[b] - counts[a] || a - b,
    );
    this.list = el('ul', { class: 'models' });
    const words = category.name === 'query' ? 'Find a query' : 'Find a model';
    this.find = el('input', {
      type: 'search',
      placeholder: words,
      'aria-label': words,
      hidden: category.size <= COLOURS,
      oninput: () => this.narrow(),
    });
    this.whole = el('div', { class: 'model-list' }, this.find, this.list);
    this.narrow();
  }

  narrow() {
    const wanted = this.find.value.toLowerCase();
    const { names } = this.category;
    if (!names) return;
    const fits = value => !wanted || names[value].toLowerCase().includes(wanted);
    const found = [
      ...this.order.filter(value => this.chosen.has(value)),
      ...this.order.filter(value => !this.chosen.has(value) && fits(value)),
    ];
    const item = value => {
      const pressed = String(this.chosen.has(value));
      const button = { type: 'button', 'aria-pressed': pressed, onclick: () => this.choose(value) };
      return el(
        'li',
        {},
        el('button', button, corpus(shortened(names[value].trim().replace(/\s+/g, ' '), 90))),
      );
    };
    const more = found.length - LISTED;
    this.list.replaceChildren(
      ...found.slice(0, LISTED).map(item),
      ...(more > 0 ? [el('li', { class: 'soft rest' }, `${count(more)} more: type to find them`)] : []),
    );
  }

  mark(chosen) {
    this.chosen = chosen || new Set();
    this.narrow();
  }
}
