// The points of the map: coordinates, categories, texts, and which of them is nearest.

/** Bytes of base64. */
function decoded(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Whole numbers of so many bits. */
function wholes(base64, bits) {
  const kinds = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array };
  return new kinds[bits](decoded(base64).buffer);
}

/** Texts in blocks of `size`, each unpacked when it is first asked for. */
class Packed {
  constructor(blocks, size) {
    this.blocks = blocks;
    this.size = size;
    this.found = [];
  }

  block(k) {
    if (!this.found[k]) this.found[k] = this.unpack(this.blocks[k]);
    return this.found[k];
  }

  async unpack(base64) {
    const bytes = new Blob([decoded(base64)]).stream();
    return JSON.parse(await new Response(bytes.pipeThrough(new DecompressionStream('gzip'))).text());
  }

  async at(i) {
    return (await this.block(Math.floor(i / this.size)))[i % this.size];
  }

  async all() {
    return (await Promise.all(this.blocks.map((_, k) => this.block(k)))).flat();
  }
}

/** A category: `ids[i]` is the place of a point's value among `names`, `none` where it has no value. */
class Category {
  constructor({ name, ids, bits, names, count }, block) {
    this.name = name;
    this.ids = wholes(ids, bits);
    this.none = 2 ** bits - 1;
    this.size = count ?? names.length;
    this.names = has(count) ? null : names;
    this.ready = has(count) ? this.load(new Packed(names, block)) : Promise.resolve();
  }

  /** Where the browser cannot unpack, values are numbered. */
  async load(packed) {
    this.names = await packed
      .all()
      .catch(() => Array.from({ length: this.size }, (_, k) => `${this.name} ${k + 1}`));
  }

  /** The name of a value; clusters are meanings, counted from 1. */
  of(value) {
    if (value >= this.size) return `no ${this.name}`;
    if (this.name === 'cluster') return `meaning ${Number(this.names[value]) + 1}`;
    return this.names ? this.names[value] : '…';
  }

  /** So many points of each value, of those that `among` takes. */
  counts(among) {
    const counts = new Uint32Array(this.size + 1);
    this.ids.forEach((id, i) => (counts[Math.min(id, this.size)] += among[i]));
    return counts;
  }
}

class Points {
  constructor({ x, y, low, step, row, columns, texts, block }) {
    this.x = wholes(x, 16);
    this.y = wholes(y, 16);
    this.row = wholes(row, 32);
    this.low = low;
    this.step = step;
    this.size = this.x.length;
    this.categories = columns.map(column => new Category(column, block));
    this.texts = texts && new Packed(texts, block);
    this.index();
  }

  category(name) {
    return this.categories.find(one => one.name === name);
  }

  /** Points by cell of a grid of 256 x 256. */
  index() {
    const cell = i => ((this.y[i] >> 8) << 8) | (this.x[i] >> 8);
    this.starts = new Uint32Array(65537);
    for (let i = 0; i < this.size; i += 1) this.starts[cell(i) + 1] += 1;
    for (let k = 0; k < 65536; k += 1) this.starts[k + 1] += this.starts[k];
    const next = this.starts.slice();
    this.members = new Uint32Array(this.size);
    for (let i = 0; i < this.size; i += 1) this.members[next[cell(i)]++] = i;
  }

  /** The nearest point of those that `shown` has, within a reach, and how many more lie at its very place. */
  nearest(x, y, reach, shown) {
    const cells = value => Math.max(0, Math.min(255, Math.floor(value / 256)));
    let best = null;
    let least = reach * reach;
    let more = 0;
    for (let row = cells(y - reach); row <= cells(y + reach); row += 1) {
      const from = this.starts[(row << 8) | cells(x - reach)];
      const to = this.starts[((row << 8) | cells(x + reach)) + 1];
      for (let k = from; k < to; k += 1) {
        const i = this.members[k];
        if (!shown[i]) continue;
        const far = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
        if (far > least) continue;
        const same = best !== null && this.x[i] === this.x[best] && this.y[i] === this.y[best];
        if (same) more += 1;
        else [best, least, more] = [i, far, 0];
      }
    }
    return best === null ? null : { i: best, more };
  }

  /** The box around some points, or around all of them; of some, those few that lie far out are left out. */
  box(among) {
    const cut = among ? 0.02 : 0;
    const ends = values => {
      const sorted = values.filter((_, i) => !among || among[i]).sort();
      return [quantileOf(sorted, cut), quantileOf(sorted, 1 - cut)];
    };
    const [[left, right], [low, high]] = [this.x, this.y].map(ends);
    return { left, right, low, high };
  }
}
