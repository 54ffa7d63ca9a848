// Whoever only awaits is not forgotten: nothing but the call itself holds the library where no module cache does.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const LIBRARY = join(__dirname, '../../dist');

// As a bundle has it: the modules are in no cache, and in no closure that is alive.
const FORGOTTEN = `
  const load = () => {
    const loaded = require(${JSON.stringify(LIBRARY)});
    for (const key of Object.keys(require.cache)) delete require.cache[key];
    module.children.length = 0;
    return loaded;
  };`;

test('a server that only awaits goes on, however often what it does not hold is collected', async () => {
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      '-e',
      `${FORGOTTEN}
      (async () => {
        const server = await load().listen({ host: '127.0.0.1', port: 0 });
        let rounds = 0;
        setInterval(() => { gc(); if (++rounds === 5) console.log(port); }, 1).unref();
        const { port } = server.address;
        for await (const peer of server) { await peer.write('here'); await peer.close({ linger: 0 }); }
      })();`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const [said] = (await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => ['it ended']),
    ])) as [unknown];
    const port = Number(String(said));
    expect(port).toBeGreaterThan(0);
    for (let i = 0; i < 3; i++) {
      const [chunk] = (await once(dial(port, '127.0.0.1'), 'data')) as [Buffer];
      expect(chunk.toString()).toBe('here');
    }
  } finally {
    child.kill();
  }
});

test('and where nobody waits any more, its sockets are closed', async () => {
  const script = `${FORGOTTEN}
    const { readdirSync, readlinkSync } = require('node:fs');
    const sockets = () => readdirSync('/proc/self/fd').filter((fd) => {
      try { return readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
    }).length;
    (async () => {
      const before = sockets();
      await (async () => {
        const { socketpair } = load();
        const [a, b] = socketpair();
        const reading = a.recv(Buffer.alloc(1));
        await b.send(Buffer.from('x'));
        await reading;
      })();
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      for (let i = 0; i < 1000 && sockets() > before; i++) { gc(); await turn(); }
      console.log(sockets() - before);
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '-e', script]);
  expect(stdout.trim()).toBe('0');
});
