// Where the result came from, and the files beside this page.

// A small number as a power of ten.
const powerOfTen = (value) => value.toExponential(1).replace('-', '−');

function provenanceSection({ manifest, summary }) {
  const backend = manifest.backend || {};
  const settings = manifest.settings?.effective || {};
  const pass = manifest.pair_pass || {};
  const files = Array.isArray(manifest.inputs) ? manifest.inputs : [];
  const device = [backend.backend?.toUpperCase(), backend.device, backend.driver].filter(Boolean).join(' · ');
  const rows = facts([
    ['hivescope', manifest.hivescope],
    [
      'Input',
      `${counted(manifest.input_files ?? files.length, 'file')}, ${counted(summary.rows, 'response')}, ${counted(summary.dim, 'dimension')}`,
    ],
    ['Pairs formed', has(pass.pairs) ? count(pass.pairs) : null],
    ['Device', device],
    ['Kernel', backend.kernel ? `${backend.kernel}, what its bound leaves open computed again in f64` : null],
    ['Why this device', manifest.backend_choice],
    ['Pairs looked at again in f32', pass.refined ? count(pass.refined) : null],
    ['Similarity in f32 off by at most', has(pass.half_bound_max) ? powerOfTen(2 * pass.half_bound_max) : null],
    ['Pairs computed in f64', has(pass.rescored) ? count(pass.rescored) : null],
    ['Histogram off by at most', pass.histogram_bound ? powerOfTen(pass.histogram_bound) : null],
  ]);
  const held = Object.entries(settings).map(([name, value]) => [
    el('code', {}, `--${name}`),
    settingText(name, value),
  ]);
  const inputs = files.length
    ? folded('Input files and their fingerprints', () =>
        table('Input files', INPUT_COLUMNS, files, { tall: files.length > 14 }),
      )
    : null;
  const raw = folded('manifest.json as it stands', () =>
    el('pre', { tabindex: '0' }, visible(JSON.stringify(manifest, null, 2))),
  );
  return section(
    'provenance',
    'Provenance',
    null,
    rows,
    held.length ? [el('h3', {}, 'Settings that held'), facts(held)] : null,
    timings(manifest),
    inputs,
    raw,
  );
}

const INPUT_COLUMNS = [
  { title: 'File', text: true, value: file => file.name, show: name => corpus(name) },
  { title: 'Rows', value: file => file.rows, show: count },
  { title: 'Size', value: file => file.bytes, show: bytes },
  {
    title: 'Fingerprint (BLAKE3)',
    text: true,
    value: file => file.fingerprint,
    show: mark => el('code', {}, mark),
  },
];

function settingText(name, value) {
  if (!has(value)) return null;
  if (name === 'memory') return bytes(value);
  return Array.isArray(value) ? value.join(', ') : typeof value === 'number' ? count(value) : String(value);
}

const STEPS = {
  read: 'reading',
  open_backend: 'opening the device',
  pairs: 'forming all pairs',
  pair_tables: 'writing the tables of pairs',
  measures: 'measures',
  texts: 'reading how texts begin',
  measure_tables: 'writing the other tables',
  tables: 'writing tables',
};

function timings(manifest) {
  const steps = Object.keys(STEPS).filter(name => has(manifest.seconds?.[name]));
  const all = steps.reduce((sum, name) => sum + manifest.seconds[name], 0);
  if (!all) return null;
  const bar = share => el('span', { class: 'track' }, el('i', { style: { width: `${share * 100}%` } }));
  const lines = steps.map(name => [
    el('span', {}, STEPS[name]),
    bar(manifest.seconds[name] / all),
    el('span', {}, seconds(manifest.seconds[name])),
  ]);
  return [el('h3', {}, `Time: ${seconds(all)}`), el('div', { class: 'timings' }, lines)];
}

function filesSection({ files }) {
  const columns = [
    { title: 'File', text: true, value: file => file.name, show: name => el('a', { href: name }, name) },
    { title: 'What it holds', text: true, value: file => file.what },
    { title: 'Size', value: file => file.bytes, show: bytes },
  ];
  const lead =
    'They lie beside this page; move the directory as a whole. Any tool that reads Parquet reads them.';
  return section('files', 'Files', lead, table('Files of this result', columns, files));
}
