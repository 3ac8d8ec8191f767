// Scales and colours.

/** Maps [from, to] to [low, high]. */
function linear(from, to, low, high) {
  const span = to - from || 1;
  return value => low + ((value - from) / span) * (high - low);
}

/** The same on a logarithmic scale. */
function logarithmic(from, to, low, high) {
  const along = linear(Math.log(from), Math.log(to), low, high);
  return value => along(Math.log(value));
}

/** Round numbers between two ends, about `wanted` of them. */
function ticks(from, to, wanted) {
  // What is apart by rounding alone is one place: steps as small as that would not move a number.
  const apart = to - from > 1e-9 * Math.max(Math.abs(from), Math.abs(to)) ? to - from : 0;
  const rough = apart / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map(k => k * power).find(k => k >= rough * 0.999) || power;
  const found = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; k += 1) found.push(k * step + 0);
  return found;
}

/** How to show ticks: as many decimals as their step needs. */
function tickText(values) {
  const step = values.length > 1 ? values[1] - values[0] : values[0] || 1;
  return value => decimal(value, Math.max(0, Math.min(4, -Math.floor(Math.log10(step) + 1e-9))));
}

/** 1, 2, 5, 10, 20, ... between two ends. */
function logTicks(from, to) {
  const found = [];
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to; power *= 10) {
    for (const k of [1, 2, 5])
      if (k * power >= from * 0.999 && k * power <= to * 1.001) found.push(k * power);
  }
  return found;
}

// Viridis: even steps for the eye, and for eyes that tell few colours apart.
const STOPS = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
];

/** Colour of a share of the way along the scale, as [red, green, blue]. */
function colour(share) {
  const along = Math.max(0, Math.min(1, share)) * (STOPS.length - 1);
  const stop = Math.min(STOPS.length - 2, Math.floor(along));
  return STOPS[stop].map((low, k) => Math.round(low + (STOPS[stop + 1][k] - low) * (along - stop)));
}

function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}

/** Black or white, whichever reads better on a colour. */
function inkOn([red, green, blue]) {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? '#111' : '#fff';
}

/** The `p` quantile of sorted numbers. */
function quantileOf(sorted, p) {
  return sorted[Math.round(p * (sorted.length - 1))];
}
