// The picture of the map: a canvas that is moved and enlarged. Points are painted pixel by pixel into one image, which is
// what makes 100,000 of them smooth; colours, and who is shown, come from outside.

/** Pixels around the picture that points may reach into, so that none has to be cut. */
const EDGE = 48;
/** Largest radius of a point in pixels of the screen: within half of that edge. */
const LARGEST = 20;
/** A point's tint where it is not shown. */
const HIDDEN = 255;
/** A step of 16-bit coordinates is never larger than this, in pixels. */
const LARGEST_STEP = 1.5;

/** A disc at each quarter of a pixel: which pixels it covers and how much of 256, from `starts[quarter]` on. */
function stampsOf(radius, opacity, stride) {
  const reach = Math.ceil(radius + 0.5);
  const starts = [0];
  const offsets = [];
  const shares = [];
  for (let quarter = 0; quarter < 16; quarter += 1) {
    const [cx, cy] = [((quarter & 3) + 0.5) / 4, ((quarter >> 2) + 0.5) / 4];
    for (let dy = -reach; dy <= reach; dy += 1) {
      for (let dx = -reach; dx <= reach; dx += 1) {
        const far = Math.hypot(dx + 0.5 - cx, dy + 0.5 - cy);
        const share = Math.round(256 * opacity * Math.max(0, Math.min(1, radius + 0.5 - far)));
        if (!share) continue;
        offsets.push(dy * stride + dx);
        shares.push(share);
      }
    }
    starts.push(offsets.length);
  }
  return [starts, offsets, shares].map(list => Int32Array.from(list));
}

const packedColour = ([red, green, blue]) => (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;

class MapView {
  /** `look(found, place)` is called with the point under the pointer, or null; `recoloured` when the palette changes. */
  constructor(points, label, { look, recoloured }) {
    this.points = points;
    this.look = look;
    this.recoloured = recoloured;
    this.canvas = el('canvas', { 'aria-hidden': 'true' });
    this.ring = el('i', { class: 'ring', hidden: true });
    const button = (words, title, act) =>
      el('button', { type: 'button', title, 'aria-label': title, onclick: act }, words);
    const tools = el(
      'div',
      { class: 'map-tools' },
      button('+', 'Zoom in', () => this.zoom(1.6)),
      button('−', 'Zoom out', () => this.zoom(1 / 1.6)),
      button('Whole map', 'Show the whole map', () => this.fit(null)),
    );
    this.frame = el(
      'div',
      { class: 'map-frame', tabindex: '0', role: 'application', 'aria-label': label },
      this.canvas,
      this.ring,
    );
    this.frame.setAttribute('aria-roledescription', 'map of points');
    this.whole = el('div', { class: 'map' }, this.frame, tools);
    this.tints = new Uint8Array(points.size);
    this.shown = new Uint8Array(points.size).fill(1);
    this.order = ['x', 'y'].map(() => new Uint16Array(points.size));
    this.ordered = new Uint8Array(points.size);
    this.layers = [];
    this.pointers = new Map();
    this.at = { x: 0, y: 0, scale: 0 };
    this.listen();
  }

  listen() {
    const { frame } = this;
    // A page that is being scrolled goes on scrolling when the map comes under the pointer.
    let scrolled = -Infinity;
    addEventListener('wheel', event => frame.contains(event.target) || (scrolled = event.timeStamp), {
      passive: true,
    });
    frame.addEventListener(
      'wheel',
      event => {
        if (event.timeStamp - scrolled < 300) {
          scrolled = event.timeStamp;
          return;
        }
        event.preventDefault();
        const lines = event.deltaMode === 1 ? 16 : 1;
        this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), this.placeOf(event));
      },
      { passive: false },
    );
    frame.addEventListener('pointerdown', event => this.press(event));
    frame.addEventListener('pointermove', event => this.move(event));
    ['pointerup', 'pointercancel'].forEach(kind =>
      frame.addEventListener(kind, event => this.release(event)),
    );
    frame.addEventListener('pointerleave', event => event.pointerType === 'mouse' && this.leave());
    frame.addEventListener('dblclick', () => this.fit(null));
    frame.addEventListener('keydown', event => this.key(event));
    frame.addEventListener('blur', () => this.leave());
    new ResizeObserver(() => this.resize()).observe(frame);
    addEventListener('resize', () => this.resize());
    // Paper is light.
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const recolour = scheme => {
      this.scheme = scheme;
      this.draw();
      this.recoloured();
    };
    this.scheme = dark.matches ? 'dark' : 'light';
    dark.addEventListener('change', () => recolour(dark.matches ? 'dark' : 'light'));
    addEventListener('beforeprint', () => recolour('light'));
    addEventListener('afterprint', () => recolour(dark.matches ? 'dark' : 'light'));
  }

  /** Gives each point its tint: 0 for grey, `HIDDEN`, or a colour of `PALETTE` from 1 on. */
  paint(tints) {
    this.tints = tints;
    const { size } = this.points;
    // Hidden ones below, colours on top, and in each layer an order that mixes what stands together in the data.
    const layer = tint => (tint === HIDDEN ? 0 : tint === 0 ? 1 : 2);
    const ends = [0, 0, 0];
    for (let i = 0; i < size; i += 1) {
      ends[layer(tints[i])] += 1;
      this.shown[i] = tints[i] === HIDDEN ? 0 : 1;
    }
    const next = [0, ends[0], ends[0] + ends[1]];
    this.layers = ends.map((count, k) => ({ from: next[k], to: next[k] + count }));
    for (let k = 0; k < size; k += 1) {
      const i = (k * 999983) % size;
      const at = next[layer(tints[i])]++;
      this.order[0][at] = this.points.x[i];
      this.order[1][at] = this.points.y[i];
      this.ordered[at] = tints[i] === HIDDEN ? 0 : tints[i];
    }
    this.leave();
    this.redraw();
  }

  /** Width and height in pixels of the page. */
  get room() {
    return { width: this.frame.clientWidth, height: this.frame.clientHeight };
  }

  resize() {
    const { width, height } = this.room;
    const ratio = Math.min(3, devicePixelRatio || 1);
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (!wide || !high || (this.ratio === ratio && this.canvas.width === wide && this.canvas.height === high))
      return;
    const zoom = this.at.scale ? this.at.scale / this.least : null;
    Object.assign(this.canvas, { width: wide, height: high });
    this.ratio = ratio;
    this.image = new ImageData(wide + 2 * EDGE, high + 2 * EDGE);
    this.pixels = new Uint32Array(this.image.data.buffer);
    const whole = this.around(this.points.box(null));
    this.least = whole.scale;
    if (zoom) this.at.scale = zoom * this.least;
    else this.at = whole;
    this.leave();
    this.draw();
  }

  /** Where a box fills the picture. */
  around({ left, right, low, high }) {
    const { width, height } = this.room;
    const scale = Math.min((width - 60) / Math.max(1, right - left), (height - 60) / Math.max(1, high - low));
    return { x: (left + right) / 2, y: (low + high) / 2, scale: Math.min(scale, LARGEST_STEP) };
  }

  /** Moves to where some points fill the picture, or all of them. */
  fit(among) {
    if (this.image && (!among || among.includes(1))) this.glide(this.around(this.points.box(among)));
  }

  glide(to) {
    const from = { ...this.at };
    const start = performance.now();
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.leave();
    const step = now => {
      if (this.gliding !== step) return;
      const t = still ? 1 : Math.min(1, Math.max(0, now - start) / 350);
      const eased = 1 - (1 - t) ** 3;
      const scale = from.scale * (to.scale / from.scale) ** eased;
      // The place moves with the scale, so that the way is straight on the screen.
      const along =
        Math.abs(to.scale / from.scale - 1) < 1e-6
          ? eased
          : (1 / from.scale - 1 / scale) / (1 / from.scale - 1 / to.scale);
      this.at = { x: from.x + (to.x - from.x) * along, y: from.y + (to.y - from.y) * along, scale };
      if (t < 1) requestAnimationFrame(step);
      else [this.at, this.gliding] = [{ ...to }, null];
      this.draw();
    };
    this.gliding = step;
    step(start);
    if (!still) requestAnimationFrame(step);
  }

  /** Enlarges about a place of the picture, its middle by default. */
  zoom(factor, place = { x: this.room.width / 2, y: this.room.height / 2 }) {
    if (!this.image) return;
    const before = this.pointAt(place);
    const scale = Math.max(0.6 * this.least, Math.min(LARGEST_STEP, this.at.scale * factor));
    this.gliding = null;
    this.at.scale = scale;
    const after = this.pointAt(place);
    this.shift(before.x - after.x, before.y - after.y);
  }

  shift(dx, dy) {
    const within = value => Math.max(0, Math.min(65535, value));
    this.gliding = null;
    this.at.x = within(this.at.x + dx);
    this.at.y = within(this.at.y + dy);
    this.ring.hidden = true;
    this.redraw();
  }

  placeOf(event) {
    const box = this.frame.getBoundingClientRect();
    return {
      x: event.clientX - box.left - this.frame.clientLeft,
      y: event.clientY - box.top - this.frame.clientTop,
    };
  }

  /** Coordinates at a place of the picture, and the other way round. */
  pointAt({ x, y }) {
    const { width, height } = this.room;
    return {
      x: this.at.x + (x - width / 2) / this.at.scale,
      y: this.at.y - (y - height / 2) / this.at.scale,
    };
  }

  placeAt(i) {
    const { width, height } = this.room;
    return {
      x: width / 2 + (this.points.x[i] - this.at.x) * this.at.scale,
      y: height / 2 - (this.points.y[i] - this.at.y) * this.at.scale,
    };
  }

  press(event) {
    const place = this.placeOf(event);
    this.pointers.set(event.pointerId, { ...place, from: place });
    // A pointer that a script made up cannot be captured.
    if (event.isTrusted) this.frame.setPointerCapture(event.pointerId);
  }

  move(event) {
    const held = this.pointers.get(event.pointerId);
    const place = this.placeOf(event);
    if (!held) {
      this.find(place, 14);
      return;
    }
    if (this.pointers.size > 1) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const apart = one => Math.max(20, Math.hypot(one.x - other.x, one.y - other.y));
      const middle = { x: (place.x + other.x) / 2, y: (place.y + other.y) / 2 };
      this.zoom(apart(place) / apart(held), middle);
      this.shift(-(place.x - held.x) / 2 / this.at.scale, (place.y - held.y) / 2 / this.at.scale);
    } else if (Math.hypot(place.x - held.from.x, place.y - held.from.y) > 4 || held.moved) {
      held.moved = true;
      this.frame.classList.add('held');
      this.leave();
      this.shift(-(place.x - held.x) / this.at.scale, (place.y - held.y) / this.at.scale);
    }
    Object.assign(held, place);
  }

  release(event) {
    const held = this.pointers.get(event.pointerId);
    this.pointers.delete(event.pointerId);
    this.frame.classList.remove('held');
    if (held && !held.moved && event.type === 'pointerup' && !this.pointers.size)
      this.find(this.placeOf(event), event.pointerType === 'mouse' ? 14 : 26);
  }

  key(event) {
    const { width, height } = this.room;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const factor = { '+': 1.3, '=': 1.3, '-': 1 / 1.3 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (by) this.shift((by[0] * width) / 10 / this.at.scale, (by[1] * height) / 10 / this.at.scale);
    else if (factor) this.zoom(factor);
    else if (event.key === '0' || event.key === 'Home') this.fit(null);
    else if (event.key === 'Escape') this.leave();
    else return;
    event.preventDefault();
    // Without a pointer it is the middle that is looked at.
    if (by || factor) this.find({ x: width / 2, y: height / 2 }, Math.max(width, height) / 4);
  }

  /** Marks the nearest point that is shown, and says which it is. */
  find(place, reach) {
    if (!this.image) return;
    const { x, y } = this.pointAt(place);
    const found = this.points.nearest(x, y, reach / this.at.scale, this.shown);
    if (!found) {
      this.leave();
      return;
    }
    const at = this.placeAt(found.i);
    this.ring.hidden = false;
    Object.assign(this.ring.style, { left: `${at.x}px`, top: `${at.y}px` });
    const box = this.frame.getBoundingClientRect();
    this.look(found, { clientX: box.left + at.x, clientY: box.top + at.y });
  }

  leave() {
    this.ring.hidden = true;
    this.look(null);
  }

  /** Draws with the next frame. */
  redraw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = null;
      this.draw();
    });
  }

  /** Radius of a point in pixels of the page: fewer and nearer points are larger. */
  radius() {
    const { width, height } = this.room;
    const some = Math.sqrt((width * height) / (14 * this.points.size));
    const zoom = this.least ? this.at.scale / this.least : 1;
    return Math.max(1.15, Math.min(4.5, some)) * Math.max(1, Math.min(2.6, zoom ** 0.3));
  }

  draw() {
    if (!this.image) return;
    const palette = PALETTE[this.scheme];
    this.pixels.fill(packedColour(palette.ground));
    const colours = Uint32Array.from([palette.grey, ...palette.colours], packedColour);
    const radius = Math.min(LARGEST, this.radius() * this.ratio);
    // One finger scrolls the page until there is something to move.
    this.frame.style.touchAction = this.at.scale > 1.05 * this.least ? 'none' : 'pan-y';
    const crowded = this.points.size > 3000;
    const [hidden, grey, tinted] = this.layers;
    const paint = (layer, size, opacity) =>
      this.discs(layer, colours, stampsOf(size * radius, opacity, this.image.width));
    paint(hidden, 0.75, 0.1);
    paint(grey, 1, crowded ? 0.35 : 0.5);
    paint(tinted, 1.1, crowded ? 0.75 : 0.85);
    this.canvas.getContext('2d', { alpha: false }).putImageData(this.image, -EDGE, -EDGE);
  }

  /** Paints the points of a layer, each over those before. */
  discs({ from, to }, colours, [starts, offsets, shares]) {
    const { pixels, ordered, ratio } = this;
    const [x, y] = this.order;
    const { width: stride, height } = this.image;
    const scale = this.at.scale * ratio;
    const left = stride / 2 - this.at.x * scale;
    const top = height / 2 + this.at.y * scale;
    // What the largest disc may reach is kept free.
    const [right, bottom] = [stride - EDGE / 2, height - EDGE / 2];
    for (let at = from; at < to; at += 1) {
      const px = x[at] * scale + left;
      const py = top - y[at] * scale;
      if (px < EDGE / 2 || px >= right || py < EDGE / 2 || py >= bottom) continue;
      const [ix, iy] = [px | 0, py | 0];
      const quarter = (((py - iy) * 4) << 2) | ((px - ix) * 4);
      const tint = colours[ordered[at]];
      const [redBlue, green] = [tint & 0xff00ff, tint & 0xff00];
      const place = iy * stride + ix;
      for (let k = starts[quarter]; k < starts[quarter + 1]; k += 1) {
        const pixel = pixels[place + offsets[k]];
        const share = shares[k];
        const rest = 256 - share;
        const outer = (Math.imul(pixel & 0xff00ff, rest) + Math.imul(redBlue, share)) >>> 8;
        const inner = (Math.imul(pixel & 0xff00, rest) + Math.imul(green, share)) >>> 8;
        pixels[place + offsets[k]] = 0xff000000 | (outer & 0xff00ff) | (inner & 0xff00);
      }
    }
  }
}
