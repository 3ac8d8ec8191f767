// Tables: columns say how to show a value and how to sort by it.

/**
 * A table in a box of its own that scrolls sideways.
 *
 * `columns`: { title, value: row => number | string | null, show?: (value, row) => text | node, text?: boolean }.
 * A click on a title sorts, where `sortable`; nulls stay last.
 */
function table(caption, columns, rows, { sortable = false, tall = false } = {}) {
  const body = el('tbody');
  const fill = sorted => body.replaceChildren(...sorted.map(row => tableRow(columns, row)));
  let by = null;
  let ascending = false;
  const heads = columns.map((column, place) => {
    const head = el('th', { scope: 'col', class: column.text ? 'text' : null });
    if (!sortable) {
      head.append(column.title);
      return head;
    }
    head.append(el('button', { type: 'button', onclick: () => sort(place) }, column.title));
    return head;
  });
  function sort(place) {
    ascending = by === place ? !ascending : Boolean(columns[place].text);
    by = place;
    heads.forEach(head => head.removeAttribute('aria-sort'));
    heads[place].setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    fill([...rows].sort((a, b) => compare(columns[place].value(a), columns[place].value(b), ascending)));
  }
  fill(rows);
  const whole = el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, heads)), body);
  const box = {
    class: tall ? 'scroll tall' : 'scroll',
    tabindex: '0',
    role: 'region',
    'aria-label': caption,
  };
  return el('div', box, whole);
}

function tableRow(columns, row) {
  const cells = columns.map((column, place) => {
    const value = column.value(row);
    const shown = !has(value) ? DASH : column.show ? column.show(value, row) : value;
    const kind = place === 0 && column.text ? 'th' : 'td';
    return el(kind, { class: column.text ? 'text' : null, scope: kind === 'th' ? 'row' : null }, shown);
  });
  return el('tr', {}, cells);
}

function compare(a, b, ascending) {
  if (!has(a) || !has(b)) return has(b) - has(a);
  const order = typeof a === 'string' ? a.localeCompare(b) : a - b;
  return ascending ? order : -order;
}

/** A list of terms and what they are. */
function facts(pairs) {
  const shown = pairs.filter(([, value]) => has(value) && value !== '');
  return el(
    'dl',
    { class: 'facts' },
    shown.map(([term, value]) => el('div', {}, el('dt', {}, term), el('dd', {}, value))),
  );
}
