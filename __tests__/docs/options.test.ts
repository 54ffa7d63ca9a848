// docs/options.md: its tables are those of the library.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TABLES } from '../../lib/socket/options/tables';
import { ROOT } from './document';

test('docs/options.md is what scripts/options.mjs makes of the tables', () => {
  const script = join(ROOT, 'scripts/options.mjs');
  expect(() =>
    execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' }),
  ).not.toThrow();
});

test('docs/options.md has every option once, with what it is for', () => {
  const page = readFileSync(join(ROOT, 'docs/options.md'), 'utf8');
  const rows = [
    ...page.matchAll(/^\| `(\w+)` \| `[^`]+` \| .* \| (get, set|get|set|[;, a-z]+) \| (.+) \|$/gm),
  ];
  const keys = TABLES.flatMap((table) => Object.keys(table));
  expect(rows.map(([, key]) => key)).toEqual(keys);
});
