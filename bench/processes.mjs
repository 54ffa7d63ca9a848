// The two processes of a race: a server that says when it is ready, and the client that prints one line of JSON.
// Both run under `client pin`, which puts them on one core and lets them die with us.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The line of a complaint that names the error: no stack, no path. @param {string} text */
export const wordOf = (text) =>
  /^\S*Error\b.*$/m.exec(text)?.[0] ?? text.trim().split('\n').at(-1) ?? '';

const READY_MS = 15_000;
const GONE_MS = 3_000;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function start(pinner, core, command, env) {
  const child = spawn(pinner, ['pin', String(core), ...command], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.stdin.on('error', () => {});
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = (complaint + text).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, lines, complaint: () => wordOf(complaint) };
}

/** The next line of a process, or its complaint as an error. */
async function lineOf(started, ms) {
  const late = setTimeout(() => started.child.kill('SIGKILL'), ms);
  const { value, done } = await started.lines.next();
  clearTimeout(late);
  if (done) throw new Error(started.complaint() || 'ended without a word');
  return value;
}

/**
 * @typedef {object} Server
 * @property {number} pid
 * @property {string} address the client's option that reaches it
 * @property {() => Promise<NodeJS.MemoryUsage>} memory
 * @property {() => string} epitaph how it ended, if it has, and what it complained of
 * @property {() => Promise<void>} stop
 *
 * @returns {Promise<Server>}
 */
export async function startServer({ pinner, core, command, env }) {
  const started = start(pinner, core, command, env);
  const line = await lineOf(started, READY_MS);
  const where = /^ready (\/.*|\d+)$/.exec(line)?.[1];
  if (!where) throw new Error(`the server said '${line}' and not that it is ready`);
  return {
    pid: started.child.pid,
    address: where.startsWith('/') ? `path=${where}` : `port=${where}`,
    async memory() {
      started.child.stdin.write('memory\n');
      return JSON.parse(await lineOf(started, READY_MS));
    },
    epitaph() {
      const { exitCode, signalCode } = started.child;
      const end = exitCode ?? signalCode;
      return end === null
        ? ''
        : `the server ended with ${end}: ${started.complaint() || 'no word'}`;
    },
    async stop() {
      if (started.child.exitCode !== null || started.child.signalCode !== null) return;
      const gone = new Promise((resolve) => started.child.once('exit', resolve));
      started.child.kill('SIGTERM');
      const late = setTimeout(() => started.child.kill('SIGKILL'), GONE_MS);
      await gone;
      clearTimeout(late);
    },
  };
}

/** Runs the client to its end and gives what it printed. */
export async function runClient({ pinner, core, load, limit }) {
  const started = start(pinner, core, [pinner, ...load]);
  const gone = new Promise((resolve) => started.child.once('exit', resolve));
  const result = JSON.parse(await lineOf(started, limit));
  await gone;
  return result;
}

/** A client that holds its connections until `release`. */
export async function holdConnections({ pinner, core, load }) {
  const started = start(pinner, core, [pinner, ...load]);
  const gone = new Promise((resolve) => started.child.once('exit', resolve));
  await lineOf(started, 60_000);
  return {
    async release() {
      started.child.stdin.end();
      await gone;
    },
  };
}
