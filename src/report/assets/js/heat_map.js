// Models beside models: a heat map with a crosshair, a read-out, a list of models and a table.

function heatMapSection({ pairs, summary }) {
  const matrix = new Matrix(pairs, summary.answers_regardless);
  if (!pairs.across) return null;
  const shown =
    matrix.size < summary.models
      ? ` Shown are the ${count(matrix.size)} models that answered most queries; model_pairs.parquet has all ${count(summary.models)}.`
      : '';
  const hasDiagonal = matrix.means.some((row, i) => has(row[i]));
  const lead =
    'Mean similarity of two models’ answers to the same query. ' +
    (hasDiagonal
      ? 'The diagonal is one model’s answers among themselves. '
      : 'The diagonal is empty: each model answered each query once. ') +
    (pairs.clustered ? 'Models stand in clustered order, so that models alike are neighbours.' : '') +
    shown;
  const map = new HeatMap(matrix, pairs.clustered);
  return section(
    'heat-map',
    'Models beside models',
    lead,
    map.whole,
    colourKey(matrix, summary.floor),
    map.table,
  );
}

class HeatMap {
  constructor(matrix, clustered) {
    this.matrix = matrix;
    this.clustered = matrix.names.map((_, i) => i);
    this.order = this.clustered;
    this.read = el('div', { class: 'read-out', 'aria-live': 'polite' });
    this.cells = el('canvas', { width: matrix.size, height: matrix.size, 'aria-hidden': 'true' });
    this.over = svg('g', { class: 'cross' });
    this.figure = responsive('Heat map', width => this.draw(width));
    this.figure.classList.add('heat');
    Object.entries({
      tabindex: '0',
      role: 'application',
      'aria-roledescription': 'heat map',
      'aria-label': `Mean similarity of ${count(matrix.size)} models, pair by pair. Arrow keys move between pairs.`,
    }).forEach(([name, value]) => this.figure.setAttribute(name, value));
    this.figure.addEventListener('pointermove', event => this.point(event));
    this.figure.addEventListener('pointerdown', event => this.point(event));
    this.figure.addEventListener('keydown', event => this.step(event));
    this.list = new ModelList(matrix, model => this.choose(model));
    const order = el(
      'button',
      { type: 'button', 'aria-pressed': 'false', onclick: () => this.sort(order) },
      'Alphabetical order',
    );
    const side = el('div', { class: 'side' }, this.read, clustered ? order : null, this.list.whole);
    this.whole = el('div', { class: 'beside' }, this.figure, side);
    this.table = el('div', {});
    this.paint();
    this.select(...this.first());
  }

  /** The most alike pair of different models: where the crosshair starts. */
  first() {
    let best = [0, Math.min(1, this.matrix.size - 1)];
    this.matrix.means.forEach((row, i) =>
      row.forEach((mean, j) => {
        const there = this.matrix.means[best[0]][best[1]];
        if (j > i && has(mean) && (!has(there) || mean > there)) best = [i, j];
      }),
    );
    return best;
  }

  /** Cells, one pixel each; the browser enlarges them. */
  paint() {
    const n = this.matrix.size;
    const image = new ImageData(n, n);
    this.order.forEach((a, y) =>
      this.order.forEach((b, x) => {
        const mean = this.matrix.means[a][b];
        if (has(mean)) image.data.set([...this.matrix.colourOf(mean), 255], 4 * (y * n + x));
      }),
    );
    this.cells.getContext('2d').putImageData(image, 0, 0);
  }

  /** Canvas, labels and numbers for a width. */
  draw(width) {
    const n = this.matrix.size;
    const longest = Math.max(...this.matrix.names.map(name => wide(shortened(name, 60))));
    this.left = Math.round(Math.min(longest * 1.12 + 18, width * (n < 20 ? 0.38 : 0.3), 230));
    this.cell = Math.min(88, (width - this.left - (n < 30 ? 40 : 2)) / n);
    // Cells of whole pixels are even; tiny ones would lose too much of the width to it.
    if (this.cell >= 10) this.cell = Math.floor(this.cell);
    const slanted = this.cell >= 15;
    const above = Math.min(longest, 130);
    this.top = slanted ? above * 0.75 + 18 : 24;
    const side = this.cell * n;
    // In shares of the figure, so that cells and labels stay together where a printer makes it narrower.
    const height = this.top + side + 4;
    Object.assign(this.cells.style, {
      left: `${(this.left / width) * 100}%`,
      top: `${(this.top / height) * 100}%`,
      width: `${(side / width) * 100}%`,
    });
    const step = Math.ceil(13 / this.cell);
    const middle = i => (i + 0.5) * this.cell;
    const labels = this.order.map((model, i) => {
      if (i % step) return null;
      const name = fitted(this.matrix.names[model], this.left - 12);
      const beside = label(this.left - 8, this.top + middle(i) + 4, name, {
        class: 'tick',
        'text-anchor': 'end',
      });
      if (!slanted) return beside;
      const [x, y] = [this.left + middle(i) + 3, this.top - 6];
      return [
        beside,
        label(x, y, fitted(this.matrix.names[model], above), {
          class: 'tick',
          transform: `rotate(-48 ${x} ${y})`,
        }),
      ];
    });
    const numbers =
      this.cell >= 34
        ? this.order.map((a, i) => this.order.map((b, j) => this.number(a, b, middle(j), middle(i))))
        : [];
    this.frame = canvas(width, height, 'Labels of the heat map', labels, numbers, this.over);
    this.frame.setAttribute('aria-hidden', 'true');
    this.cross();
    this.list.mark(this.row);
    return [this.cells, this.frame];
  }

  number(a, b, x, y) {
    const mean = this.matrix.means[a][b];
    if (!has(mean)) return null;
    const words = decimal(mean, 2).replace(/^0/, '');
    return label(this.left + x, this.top + y + 4, words, {
      class: 'cell',
      'text-anchor': 'middle',
      style: { fill: inkOn(this.matrix.colourOf(mean)) },
    });
  }

  /** Marks the chosen row and column, and names them at the edges. */
  cross() {
    if (!this.cell) return;
    const [y, x] = [this.order.indexOf(this.row), this.order.indexOf(this.column)];
    const side = this.cell * this.matrix.size;
    const frame = (x, y, width, height) => svg('rect', { x, y, width, height });
    const tag = (model, x, y, room, anchor) => {
      const words = fitted(this.matrix.names[model], room, 600);
      const long = wide(words, 600) + 10;
      const from =
        anchor === 'end' ? x - long : Math.max(this.left, Math.min(x - long / 2, this.left + side - long));
      return [
        svg('rect', { x: from, y: y - 10, width: long, height: 19, rx: 4, class: 'tag' }),
        label(from + long / 2, y + 4, words, { class: 'tag-words', 'text-anchor': 'middle' }),
      ];
    };
    this.over.replaceChildren(
      ...[
        frame(this.left, this.top + y * this.cell, side, this.cell),
        frame(this.left + x * this.cell, this.top, this.cell, side),
        tag(this.row, this.left - 3, this.top + (y + 0.5) * this.cell, this.left - 14, 'end'),
        this.cell < 15
          ? tag(this.column, this.left + (x + 0.5) * this.cell, this.top - 12, side - 12, 'middle')
          : [],
      ].flat(),
    );
  }

  select(row, column) {
    if (this.row === row && this.column === column) return;
    const moved = this.row !== row;
    [this.row, this.column] = [row, column];
    this.cross();
    const { names } = this.matrix;
    const { mean, ci_low: low, ci_high: high, floor, published, queries } = this.matrix.at(row, column);
    this.read.replaceChildren(
      el(
        'p',
        { class: 'names' },
        corpus(names[row]),
        row === column ? ' with itself' : [' and ', corpus(names[column])],
      ),
      el('p', { class: 'value' }, el('strong', {}, decimal(mean)), ` ${has(low) ? interval(low, high) : ''}`),
      facts([
        ['Floor of this pair', floor === undefined ? null : decimal(floor)],
        ['In the paper', has(published) ? decimal(published) : null],
        ['Queries', count(queries)],
      ]),
    );
    if (moved)
      this.table.replaceChildren(
        folded(['All similarities of ', corpus(names[row])], () => this.rowTable(row)),
      );
  }

  rowTable(row) {
    const columns = [{ ...pairColumns[1], title: 'Beside' }, ...pairColumns.slice(2)];
    return table('Mean similarity beside each model', columns, this.matrix.row(row), {
      sortable: true,
      tall: true,
    });
  }

  choose(model) {
    const closest = this.matrix.row(model).find(pair => pair.j !== model);
    this.select(model, closest ? closest.j : model);
  }

  point(event) {
    const box = this.cells.getBoundingClientRect();
    const { size } = this.matrix;
    const x = Math.floor(((event.clientX - box.left) / box.width) * size);
    const y = Math.floor(((event.clientY - box.top) / box.height) * size);
    const inside = i => i >= 0 && i < size;
    if (!inside(x) || !inside(y)) return;
    this.select(this.order[y], this.order[x]);
    this.list.mark(this.row);
  }

  step(event) {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const within = i => Math.max(0, Math.min(this.matrix.size - 1, i));
    const [y, x] = [this.order.indexOf(this.row) + move[0], this.order.indexOf(this.column) + move[1]];
    this.select(this.order[within(y)], this.order[within(x)]);
    this.list.mark(this.row);
  }

  sort(button) {
    const alphabetical = this.order === this.clustered;
    const { names } = this.matrix;
    this.order = alphabetical
      ? [...this.clustered].sort((a, b) => names[a].localeCompare(names[b]))
      : this.clustered;
    button.setAttribute('aria-pressed', String(alphabetical));
    this.paint();
    this.list.fill(this.order);
    this.list.mark(this.row);
    this.figure.replaceChildren(...this.draw(this.figure.clientWidth));
  }
}

/** The names of the heat map in its order; typing narrows them, a click chooses one. */
class ModelList {
  constructor(matrix, choose) {
    this.items = matrix.names.map((name, model) => {
      const button = el('button', { type: 'button', onclick: () => this.pick(model, choose) }, corpus(name));
      return el('li', {}, button);
    });
    this.names = matrix.names.map(name => name.toLowerCase());
    this.list = el('ol', { class: 'models' });
    const find = el('input', {
      type: 'search',
      placeholder: 'Find a model',
      'aria-label': 'Find a model',
      oninput: () => this.narrow(find.value),
    });
    this.whole = el('div', { class: 'model-list' }, find, this.list);
    this.fill(matrix.names.map((_, i) => i));
  }

  fill(order) {
    this.list.replaceChildren(...order.map(model => this.items[model]));
  }

  narrow(text) {
    this.items.forEach((item, model) => (item.hidden = !this.names[model].includes(text.toLowerCase())));
  }

  pick(model, choose) {
    choose(model);
    this.mark(model, false);
  }

  /** Marks a model and brings it into sight within the list. */
  mark(model, scroll = true) {
    this.items.forEach((item, i) => item.firstChild.setAttribute('aria-pressed', String(i === model)));
    const item = this.items[model];
    if (scroll) this.list.scrollTop = item.offsetTop - this.list.offsetTop - this.list.clientHeight / 2;
  }
}

/** The colours on an axis from the floor to 1, so that the stretch is seen. */
function colourKey(matrix, floor) {
  return responsive('Colour scale', width => {
    const end = Math.min(width, 560);
    const [left, right] = [16, end - 16];
    const from = Math.min(has(floor) ? floor : matrix.least, matrix.least);
    const x = linear(from, 1, left, right);
    const pieces = 48;
    const span = (x(matrix.high) - x(matrix.low)) / pieces;
    const bar = Array.from({ length: pieces }, (_, k) =>
      svg('rect', {
        x: x(matrix.low) + k * span,
        y: 24,
        width: span + 0.6,
        height: 12,
        fill: css(colour((k + 0.5) / pieces)),
      }),
    );
    const ends = [
      svg('rect', {
        x: x(matrix.least),
        y: 28,
        width: Math.max(0, x(matrix.low) - x(matrix.least)),
        height: 4,
        fill: css(colour(0)),
      }),
      svg('rect', {
        x: x(matrix.high),
        y: 28,
        width: Math.max(0, x(matrix.most) - x(matrix.high)),
        height: 4,
        fill: css(colour(1)),
      }),
    ];
    return canvas(
      end,
      62,
      `Colours from ${decimal(matrix.low)} to ${decimal(matrix.high)}${has(floor) ? `; the floor is ${decimal(floor)}` : ''}`,
      line(left, 30, right, 30, 'base'),
      ends,
      bar,
      has(floor)
        ? [
            line(x(floor), 18, x(floor), 42, 'mark floor'),
            label(x(floor), 12, `floor ${decimal(floor)}`, {
              class: 'mark-words floor',
              'text-anchor': x(floor) < end / 2 ? 'start' : 'end',
            }),
          ]
        : null,
      axisBelow(ticks(from, 1, end / 80), x, 40, { show: value => decimal(value, 1), from: left, to: left }),
    );
  });
}
