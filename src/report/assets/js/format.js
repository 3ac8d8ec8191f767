'use strict';

// Numbers and texts as the page shows them.

const has = value => value !== null && value !== undefined;
const DASH = '–';

/** A number with fixed decimals, without a sign where it rounds to 0; a dash if there is none. */
function decimal(value, digits = 3) {
  if (!has(value)) return DASH;
  const shown = Number(value).toFixed(digits);
  return shown.replace('-', Number(shown) === 0 ? '' : '−');
}

/** A count with thousands separated. */
function count(value) {
  return has(value) ? Number(value).toLocaleString('en') : DASH;
}

/** A count and its noun. */
function counted(value, noun, plural = noun + 's') {
  return `${count(value)} ${Number(value) === 1 ? noun : plural}`;
}

function percent(share, digits = 1) {
  return has(share) ? `${decimal(share * 100, digits)} %` : DASH;
}

/** Two or three digits that matter, for effective numbers: 1.96, 12.4, 151. */
function worth(value) {
  if (!has(value)) return DASH;
  return decimal(value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

function interval(low, high, show = decimal) {
  return has(low) && has(high) ? `${show(low)} to ${show(high)}` : DASH;
}

function bytes(value) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${decimal(value, unit && value < 100 ? 1 : 0)} ${units[unit]}`;
}

function seconds(value) {
  if (!has(value)) return DASH;
  if (value < 0.001) return 'under 1 ms';
  if (value < 1) return `${decimal(value * 1000, 0)} ms`;
  return value < 120 ? `${decimal(value, 1)} s` : `${decimal(value / 60, 1)} min`;
}

/** `same_query_other_model` in words. */
function words(name) {
  return String(name).replaceAll('_', ' ');
}

/** Text of the corpus with characters that draw nothing made visible; line breaks and tabs stay. */
function visible(text) {
  return String(text).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]/g, c =>
    c < '\u0020' ? String.fromCodePoint(0x2400 + c.charCodeAt(0)) : '\ufffd',
  );
}

/** The first characters of a text. */
function shortened(text, characters) {
  const all = Array.from(visible(text));
  return all.length > characters ? all.slice(0, characters - 1).join('') + '…' : all.join('');
}
