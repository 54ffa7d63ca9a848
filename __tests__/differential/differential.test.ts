// The same calls through this library and through Python's socket module, on the same kernel: every outcome
// compared, byte for byte and errno for errno. cases.ts is the table; one Python process runs all of it.

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_IPV6, HAS_PYTHON } from '../support/machine';
import { temporaryFolder } from '../support/names';
import { needs } from '../support/needs';
import { CASES } from './cases';
import { run } from './ours';

leavesNoSockets();

const place = temporaryFolder();
const MET = HAS_PYTHON && HAS_IPV6 && CAN_OPEN_RAW;
const LIMIT = 60_000;

const ours: unknown[][] = [];
let theirs: unknown[][] = [];

async function python(input: object): Promise<unknown[][]> {
  const child = spawn('python3', [join(__dirname, 'theirs.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(input));
  return JSON.parse(await text(child.stdout)) as unknown[][];
}

beforeAll(async () => {
  if (!MET) return;
  const file = place('file');
  writeFileSync(file, Buffer.alloc(100, 'content '));
  // Names of both sides at the same time, and equally long.
  const tag = randomInt(0x10000000, 0x60000000);
  const asked = python({ tag, file, cases: CASES.map(({ steps }) => steps) });
  for (const [i, { steps }] of CASES.entries()) {
    ours.push(await run(steps, (tag + 0x10000000 + i).toString(16).padStart(8, '0'), file));
  }
  theirs = await asked;
}, LIMIT);

test('differential: names of cases are different ones, at least 300', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  expect(CASES.length).toBeGreaterThan(300);
});

const case_ = needs('Python, IPv6 and CAP_NET_RAW', MET);
for (const [i, { name, steps }] of CASES.entries()) {
  case_(`differential: ${name}`, () => {
    const told = (outcomes: unknown[]): unknown[] => steps.map((step, k) => [step, outcomes[k]]);
    expect(told(ours[i])).toEqual(told(theirs[i]));
  });
}

case_('differential: the kernel was asked, and said yes and no', () => {
  const all = theirs.flat();
  const errors = new Set(all.filter((outcome) => /^E[A-Z]+$/.test(String(outcome))));
  expect(errors.size).toBeGreaterThan(20);
  expect(all.filter((outcome) => outcome === 'ok').length).toBeGreaterThan(2000);
  expect(all.filter((outcome) => outcome === 'no such socket')).toEqual(
    ours.flat().filter((outcome) => outcome === 'no such socket'),
  );
});
