// The triangle of pairs of models, as it comes in the data: cell (i, j), j <= i, stands at i (i + 1) / 2 + j.

class Matrix {
  /** `odd`: names of models whose pairs the colours need not tell apart. */
  constructor({ shown, triangle }, odd = []) {
    this.names = shown;
    this.triangle = triangle;
    this.means = shown.map((_, i) => shown.map((_, j) => triangle.mean[this.place(i, j)]));
    const all = triangle.mean.filter(has).sort((a, b) => a - b);
    this.filled = all.length;
    [this.least, this.most] = [all[0], all[all.length - 1]];
    // A few models unlike all others would use up the colours: they end at the 1st and 99th percentile of many pairs.
    const usual = shown.map(name => !odd.includes(name));
    const kept = this.means.flatMap((row, i) =>
      row.filter((mean, j) => j <= i && has(mean) && usual[i] && usual[j]),
    );
    const sorted = kept.length ? kept.sort((a, b) => a - b) : all;
    const cut = sorted.length > 200 ? 0.01 : 0;
    [this.low, this.high] = [quantileOf(sorted, cut), quantileOf(sorted, 1 - cut)];
  }

  get size() {
    return this.names.length;
  }

  place(i, j) {
    return i >= j ? (i * (i + 1)) / 2 + j : (j * (j + 1)) / 2 + i;
  }

  /** Mean, interval, floor and queries of two models. */
  at(i, j) {
    const place = this.place(i, j);
    return Object.fromEntries(Object.entries(this.triangle).map(([name, cells]) => [name, cells[place]]));
  }

  colourOf(mean) {
    return colour((mean - this.low) / (this.high - this.low || 1));
  }

  /** Model i beside every other, most alike first. */
  row(i) {
    const others = this.names.map((name, j) => ({ a: this.names[i], b: name, j, ...this.at(i, j) }));
    return others.filter(pair => has(pair.mean)).sort((x, y) => y.mean - x.mean);
  }
}
