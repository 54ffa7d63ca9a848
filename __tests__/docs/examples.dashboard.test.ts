// The example `dashboard` without a browser: its page, its samples, its end. With one: __tests__/real.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { leavesNoSockets } from '../support/descriptors';
import { ROOT } from './document';

const FILE = join(ROOT, 'dist-examples/dashboard.js');

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale', 'examples']);
}, 60_000);

leavesNoSockets();

async function fetched(url: string): Promise<IncomingMessage> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  return response;
}

test('example dashboard: --help says what it is', () => {
  expect(execFileSync(process.execPath, [FILE, '--help']).toString()).toMatch(/^dashboard /);
});

test('example dashboard: samples of what it does, as long as somebody looks', async () => {
  const child = spawn(process.execPath, [FILE, '--port', '0', '--seconds', '30']);
  const exited = once(child, 'close');
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const address = /http:\S+/.exec(String(line))![0];
    const page = await fetched(address);
    let html = '';
    for await (const chunk of page) html += String(chunk);
    expect(html).toMatch(/^<!doctype html>/);
    expect((await fetched(`${address}nothing`)).resume().statusCode).toBe(404);

    // Twice: the second one begins anew, what there is goes on.
    for (let visit = 0; visit < 2; visit++) {
      const stream = await fetched(`${address}samples`);
      expect(stream.headers['content-type']).toBe('text/event-stream');
      const seen: Record<string, number>[] = [];
      for await (const chunk of stream) {
        for (const [, json] of String(chunk).matchAll(/^data: (.*)$/gm))
          seen.push(JSON.parse(json) as Record<string, number>);
        if (seen.some(({ rate, lost, rtt }) => rate > 0 && lost > 0 && rtt > 0)) break;
      }
      expect(Object.keys(seen[0])).toEqual(['rate', 'lost', 'dropped', 'rtt']);
    }
  } finally {
    child.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
});
