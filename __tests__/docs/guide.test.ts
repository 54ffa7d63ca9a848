// The code of docs/: all of it compiles against dist/, and what prints something prints what stands below it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CAN_OPEN_RAW } from '../support/machine';
import { needs } from '../support/needs';
import { brokenLinks, readDocument, ROOT } from './document';
import { PATIENCE, Workshop } from './workshop';

const DOCUMENTS = [
  'README',
  'guide',
  'chapter',
  'streams',
  'messages',
  'observables',
  'names',
  'options',
  'calls',
  'errors',
  'performance',
  'architecture',
].map((name) => `docs/${name}.md`);

describe.each(DOCUMENTS)('%s', (path) => {
  const document = readDocument(path);
  const workshop = new Workshop();
  let complaints: string;

  beforeAll(async () => {
    complaints = await workshop.compile(document);
  }, PATIENCE);

  afterAll(() => {
    workshop.close();
  });

  test('the compiler accepts its code', () => {
    expect(complaints).toBe('');
  });

  test('its links lead somewhere', () => {
    expect(brokenLinks(document)).toEqual([]);
  });

  for (const block of document.blocks.filter(({ output }) => output !== undefined)) {
    const raw = block.code.startsWith('// Needs CAP_NET_RAW');
    needs('CAP_NET_RAW', !raw || CAN_OPEN_RAW)(`${block.place} prints what it says`, async () => {
      const { stdout, stderr } = await workshop.run(block);
      expect(stderr + stdout).toBe(block.output);
    });
  }
});

test('docs/errors.md has every code that the library makes', () => {
  const errors = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(ROOT, 'lib', name), 'utf8'));
  const codes = new Set(sources.join().match(/(?<=')(ERR_[A-Z_]+|ABORT_ERR)(?=')/g));
  expect(codes.size).toBeGreaterThan(5);
  expect([...codes].filter((code) => !errors.includes(`\`${code}\``))).toEqual([]);
});
