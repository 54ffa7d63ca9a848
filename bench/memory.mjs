// What one idle connection costs the server's process: its memory with 10,000 of them, less its memory without.
// The kernel's own memory for a socket is not in a process's resident size. The program's own is in it: `level1-await`
// holds a buffer of 4 KiB for each connection.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdConnections, startServer } from './processes.mjs';
import { median } from './statistics.mjs';

const CONNECTIONS = 10_000;
const PRIMING = 500;
const ROWS = {
  c: 'plain',
  node: 'plain',
  eagain: 'plain',
  'eagain:read': 'read',
  'eagain:duplex': 'duplex',
  'eagain:level1': 'level1',
  'eagain:level1-await': 'level1-await',
};

const residentOf = (pid) =>
  1024 * Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

async function memoryOf(server, label) {
  if (label === 'c') return { heap: 0, resident: residentOf(server.pid) };
  await server.memory(); // a second collection finishes what the first one's finalizers freed
  await sleep(50);
  const { heapUsed, external } = await server.memory();
  return { heap: heapUsed + external, resident: residentOf(server.pid) };
}

async function once(label, form, command, bench) {
  const server = await startServer({
    pinner: bench.native.client,
    core: bench.cores.server,
    command: [...command, 'echo', 'tcp', '-', form],
    env: label === 'c' ? {} : { BENCH_MEMORY: '1', NODE_OPTIONS: '--expose-gc' },
  });
  const hold = (count) =>
    holdConnections({
      pinner: bench.native.client,
      core: bench.cores.client,
      load: ['hold', server.address, `pid=${server.pid}`, `idle=${count}`],
    });
  try {
    await (await hold(PRIMING)).release(); // code and tables that the first connections bring
    await sleep(100);
    const before = await memoryOf(server, label);
    const held = await hold(CONNECTIONS);
    await sleep(100);
    const after = await memoryOf(server, label);
    await held.release();
    return {
      heap: (after.heap - before.heap) / CONNECTIONS,
      resident: (after.resident - before.resident) / CONNECTIONS,
    };
  } finally {
    await server.stop();
  }
}

export async function measureMemory(bench, onProgress) {
  const rows = [];
  for (const [label, form] of Object.entries(ROWS)) {
    const implementation = bench.implementations[label.split(':')[0]];
    if (!implementation) continue;
    const taken = [];
    let failed;
    for (let round = 1; round <= 3 && !failed; round++) {
      onProgress(label, round);
      await once(label, form, implementation.command, bench).then(
        (one) => taken.push(one),
        (error) => (failed = error.message),
      );
    }
    const values = (key) => median(taken.map((one) => one[key]));
    rows.push(
      failed ? { label, failed } : { label, heap: values('heap'), resident: values('resident') },
    );
  }
  return { connections: CONNECTIONS, rows };
}
