// The table at the end of a run, as text for a terminal.

const two = (value) => (value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** @param {number} ns */
export const time = (ns) =>
  ns >= 10_000 ? `${(ns / 1000).toFixed(1)} µs` : `${ns.toFixed(ns < 100 ? 1 : 0)} ns`;

/** @param {{ median: number, min: number, max: number } | undefined} s */
export const ratio = (s) => (s ? two(s.median) : '–');

/** @param {{ median: number, min: number, max: number } | undefined} s */
export const ratioAndSpread = (s) => (s ? `${two(s.median)} (${two(s.min)}–${two(s.max)})` : '–');

const rate = (perSecond) =>
  perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(2)} M/s` : `${(perSecond / 1e3).toFixed(1)} k/s`;
const micros = (us) => (us ? us.toFixed(us < 100 ? 1 : 0) : '–');

const pad = (cells, widths) =>
  cells.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ');

/** Columns that no row fills are left out. @param {string[]} head @param {string[][]} body */
export function align(head, body) {
  const used = head.map((_, i) => i === 0 || body.some((cells) => cells[i] !== '–'));
  const lines = [head, ...body].map((cells) => cells.filter((_, i) => used[i]));
  const widths = lines[0].map((_, i) => Math.max(...lines.map((cells) => cells[i].length)));
  return lines.map((cells) => pad(cells, widths));
}

const HEAD = [
  '',
  'CPU/op',
  '× C',
  'net ×',
  '× base',
  'idle ×',
  'rate',
  'rate × C',
  'p50 µs',
  'p99 µs',
  'busy',
  'sleeps/op',
];

function cellsOf(row) {
  return [
    row.label,
    time(row.cpuPerOp.median),
    ratioAndSpread(row.timesC),
    ratioAndSpread(row.netTimes),
    ratioAndSpread(row.timesBase),
    ratioAndSpread(row.idleTimes),
    rate(row.rate),
    ratio(row.rateTimesC),
    micros(row.p50us),
    micros(row.p99us),
    `${Math.round(row.busy * 100)} %`,
    row.switchesPerOp.toFixed(3),
  ];
}

/** @param {Awaited<ReturnType<import('./measure.mjs').measure>>} suite */
export function suiteTable(suite) {
  const measured = suite.rows.filter((row) => !row.failed);
  const failed = suite.rows
    .filter((row) => row.failed)
    .map((row) => `  ${row.label}: FAILED: ${row.failed}`);
  return [
    `${suite.title}  [${suite.name}; an operation is one ${suite.operation}]`,
    ...align(HEAD, measured.map(cellsOf)),
    ...failed,
    ...(suite.note ? [`  (${suite.note})`] : []),
    '',
  ].join('\n');
}

const kib = (bytes) => (bytes === undefined ? '–' : `${(bytes / 1024).toFixed(2)} KiB`);

/** @param {Awaited<ReturnType<import('./memory.mjs').measureMemory>>} memory */
export function memoryTable(memory) {
  const body = memory.rows.map((row) =>
    row.failed
      ? [row.label, '–', '–', `FAILED: ${row.failed}`]
      : [row.label, kib(row.heap), kib(row.resident), ''],
  );
  return [
    `Memory per idle connection (${memory.connections} TCP connections, beyond the kernel's own)`,
    ...align(
      ['', 'heap+external', 'resident', 'remark'],
      body.map((c) => c.map((x) => x || '–')),
    ),
    '',
  ].join('\n');
}

const signed = (value, unit, digits = 1) =>
  `${value < 0 ? '' : '+'}${value.toFixed(digits)} ${unit}`;

/** @param {Awaited<ReturnType<import('./importing.mjs').measureImport>>} importing */
export function importTable(importing) {
  const body = importing.rows.map((row) =>
    row.failed
      ? [row.label, '–', '–', '–', '–', `FAILED: ${row.failed}`]
      : [
          row.label,
          signed(row.wallMs, 'ms'),
          signed(row.inProcessMs, 'ms'),
          signed(row.rss / 1024, 'KiB', 0),
          signed(row.heap / 1024, 'KiB', 0),
          row.rxjs ? 'loads rxjs' : '–',
        ],
  );
  return [
    'Import, over an empty program (medians)',
    ...align(['', 'process', 'statement', 'resident', 'heap', 'remark'], body),
    '',
  ].join('\n');
}
