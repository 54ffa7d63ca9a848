// docs/performance.svg, and in docs/performance.md all that stands between the two markers.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawChart } from './chart.mjs';
import { ratio, ratioAndSpread, time } from './table.mjs';

const DOCS = join(import.meta.dirname, '..', 'docs');
const BEGIN = '<!-- bench:begin (written by `npm run bench -- --docs`) -->';
const END = '<!-- bench:end -->';

const line = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, body) =>
  [line(head), line(head.map((_, i) => (i ? '---:' : '---'))), ...body.map(line)].join('\n');

const COLUMNS = ['eagain', 'eagain:level1', 'node', 'bun', 'deno'];
const TITLES = {
  eagain: 'eagain',
  'eagain:level1': 'eagain, level 1',
  node: 'Node.js',
  bun: 'Bun',
  deno: 'Deno',
};

function overview({ suites }) {
  const columns = COLUMNS.filter((label) =>
    suites.some((suite) => suite.rows.some((row) => row.label === label && row.timesC)),
  );
  const body = suites.map((suite) => {
    const find = (label) => suite.rows.find((row) => row.label === label);
    const c = find('c');
    return [
      suite.title,
      c?.cpuPerOp ? time(c.cpuPerOp.median) : '–',
      ...columns.map((label) => ratio(find(label)?.timesC)),
      ratio(find('eagain')?.netTimes),
    ];
  });
  return table(
    [
      'suite',
      'C, CPU per operation',
      ...columns.map((label) => `${TITLES[label]} × C`),
      'eagain net ×',
    ],
    body,
  );
}

function details(suite) {
  const body = suite.rows.map((row) =>
    row.failed
      ? [row.label, 'failed', '–', '–', '–', '–']
      : [
          row.label,
          time(row.cpuPerOp.median),
          ratioAndSpread(row.timesC),
          ratioAndSpread(row.netTimes),
          ratio(row.rateTimesC),
          row.p50us ? `${row.p50us} / ${row.p99us}` : '–',
        ],
  );
  const note = suite.note ? `\n\n${suite.note[0].toUpperCase()}${suite.note.slice(1)}.` : '';
  return `### ${suite.title}\n\n${table(['', 'CPU per operation', '× C (min–max)', 'net × (min–max)', 'rate × C', 'p50 / p99, µs'], body)}${note}`;
}

function memory({ rows }) {
  const kib = (bytes) => `${(bytes / 1024).toFixed(2)} KiB`;
  return table(
    ['per idle connection', 'heap and external', 'resident'],
    rows
      .filter((row) => !row.failed)
      .map((row) => [row.label, row.label === 'c' ? '–' : kib(row.heap), kib(row.resident)]),
  );
}

function importing({ rows }) {
  const measured = rows.filter((row) => !row.failed);
  return table(
    ['over an empty program', 'whole process', 'the statement', 'resident'],
    measured.map((row) => [
      `\`${row.label}\``,
      `${row.wallMs.toFixed(1)} ms`,
      `${row.inProcessMs.toFixed(1)} ms`,
      `${(row.rss / 1024).toFixed(0)} KiB`,
    ]),
  );
}

function machineOf({ machine, date, timing }) {
  const versions = Object.entries(machine.versions)
    .filter(([, version]) => version)
    .map(([name, version]) => `${name} ${version}`);
  return `Measured ${date.slice(0, 10)} on ${machine.cores} cores of ${machine.cpu}${machine.virtual ? ' (a virtual machine)' : ''}, ${machine.kernel}, ${machine.compiler}, ${versions.join(', ')}; medians of ${timing.rounds} rounds of ${timing.runMs} ms.`;
}

/** Everything between the markers. */
export function documentOf(result) {
  const parts = [
    machineOf(result),
    '![CPU time per operation as a multiple of C](performance.svg)',
    overview(result),
  ];
  if (result.memory) parts.push('## Memory of an idle connection', memory(result.memory));
  if (result.importing) parts.push('## Import', importing(result.importing));
  parts.push('## Every suite and form', ...result.suites.map(details));
  return parts.join('\n\n');
}

/** Writes the chart, and the table where docs/performance.md has (or is given) the markers. */
export async function writeDocs(result) {
  mkdirSync(DOCS, { recursive: true });
  writeFileSync(join(DOCS, 'performance.svg'), `${await drawChart(result)}\n`);
  const file = join(DOCS, 'performance.md');
  const text = existsSync(file)
    ? readFileSync(file, 'utf8')
    : `# Performance\n\n${BEGIN}\n${END}\n`;
  const begin = text.indexOf('<!-- bench:begin');
  const end = text.indexOf(END);
  if (begin < 0 || end < begin)
    throw new Error(`docs/performance.md lacks the markers ${BEGIN} and ${END}`);
  writeFileSync(
    file,
    `${text.slice(0, begin)}${BEGIN}\n\n${documentOf(result)}\n\n${text.slice(end)}`,
  );
  return [join(DOCS, 'performance.svg'), file];
}
