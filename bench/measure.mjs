// One suite: a server per row, kept for all rounds, and the client against one of them at a time: A B C A B C.
// The first visit is a warm-up and is thrown away.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { implementationOf } from './implementations.mjs';
import { runClient, startServer } from './processes.mjs';
import { median, pairedRatio, spread } from './statistics.mjs';

/**
 * @typedef {object} Timing
 * @property {number} rounds
 * @property {number} firstWarmMs before the first round of a server: compilers and caches
 * @property {number} warmMs before every window
 * @property {number} runMs the window
 */

/** @param {import('./suites.mjs').Suite} suite */
async function startServers(suite, bench) {
  const servers = {};
  const failed = {};
  for (const [label, form] of Object.entries(suite.rows)) {
    const implementation = bench.implementations[implementationOf(label)];
    const path =
      suite.transport === 'tcp' || suite.transport === 'udp'
        ? '-'
        : join(bench.directory, `${label.replace(':', '-')}.sock`);
    rmSync(path, { force: true });
    const command = [...implementation.command, suite.job, suite.transport, path, form];
    try {
      servers[label] = await startServer({
        pinner: bench.native.client,
        core: bench.cores.server,
        command,
      });
    } catch (error) {
      failed[label] = error.message;
    }
  }
  return { servers, failed };
}

function loadOf(suite, server, bench, warmMs, runMs) {
  const spin = bench.cores.count > 1 && !suite.oneCore ? 1 : 0;
  const [mode, ...options] = suite.load;
  return [
    mode,
    server.address,
    `pid=${server.pid}`,
    `spin=${spin}`,
    `warm=${warmMs}`,
    `run=${runMs}`,
    ...(spin ? options : options.filter((o) => !o.startsWith('spin'))),
  ];
}

/**
 * @param {import('./suites.mjs').Suite} suite
 * @param {object} bench
 * @param {(label: string, round: number) => void} onProgress
 */
export async function measure(suite, bench, onProgress) {
  const { rounds, firstWarmMs, warmMs, runMs } = bench.timing;
  const core = suite.oneCore ? bench.cores.server : bench.cores.client;
  const visit = (server, warm, run) =>
    runClient({
      pinner: bench.native.client,
      core,
      load: loadOf(suite, server, bench, warm, run),
      limit: 3 * (warm + run) + 60_000,
    });
  const { servers, failed } = await startServers(suite, bench);
  const windows = Object.fromEntries(Object.keys(servers).map((label) => [label, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [label, server] of Object.entries(servers)) {
      if (failed[label]) continue;
      onProgress(label, round);
      try {
        const result =
          round === 0 ? await visit(server, firstWarmMs, 50) : await visit(server, warmMs, runMs);
        if (round > 0) windows[label].push(result);
      } catch (error) {
        failed[label] = server.epitaph() || error.message;
      }
    }
  }
  for (const server of Object.values(servers)) await server.stop();
  return summarize(suite, windows, failed);
}

/** Rows of one suite, with everything the tables, the chart and the check want. */
function summarize(suite, windows, failed) {
  // beside idle connections the busy ones are what counts; the window before them is what they are held against
  const last = (result) => result.idle ?? result.window;
  const cpu = (label) => windows[label]?.map((result) => last(result).cpuPerOp) ?? [];
  const rate = (label) => windows[label]?.map((result) => last(result).rate) ?? [];
  const rows = Object.keys(suite.rows).map((label) => {
    if (failed[label]) return { label, failed: failed[label] };
    const all = windows[label].map(last);
    const beforeIdle = windows[label].map((result) =>
      result.idle ? result.window.cpuPerOp : undefined,
    );
    return {
      label,
      cpuPerOp: spread(cpu(label)),
      rate: median(rate(label)),
      timesC: pairedRatio(cpu(label), cpu('c')),
      rateTimesC: pairedRatio(rate(label), rate('c')),
      netTimes: pairedRatio(cpu('node'), cpu(label)),
      timesBase: label.startsWith('eagain')
        ? pairedRatio(cpu(label), cpu(label.replace('eagain', 'base')))
        : undefined,
      idleTimes: pairedRatio(cpu(label), beforeIdle),
      p50us: median(all.map((w) => w.p50us)),
      p99us: median(all.map((w) => w.p99us)),
      busy: median(all.map((w) => w.busy)),
      waited: median(all.map((w) => w.waited)),
      switchesPerOp: median(all.map((w) => w.switchesPerOp)),
      windows: windows[label],
    };
  });
  const { name, title, operation = 'message', note, oneCore = false } = suite;
  return { name, title, operation, note, oneCore, rows };
}
