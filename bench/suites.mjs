// What is measured: one entry per suite. A suite is a load of the C client (native/client*.c), a job of the servers
// (servers/protocol.mjs) and the implementations, with their forms, that do it.

/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {string} title
 * @property {string} job what the servers do
 * @property {'tcp' | 'unix' | 'seqpacket' | 'udp'} transport
 * @property {string[]} load the client's mode and options
 * @property {Record<string, string>} rows label -> form; the label is `implementation` or `implementation:form`
 * @property {boolean} [core] runs with --quick
 * @property {boolean} [oneCore] server and client share one core
 * @property {string} [operation] what one operation is, where it is not a message
 * @property {string} [note] printed under the table
 */

/** Rows by label; a label without a form is the plain one. */
const rows = (...labels) =>
  Object.fromEntries(labels.map((label) => [label, label.split(':')[1] ?? 'plain']));

const others = ['bun', 'deno'];
const streamEcho = rows('c', 'node', 'eagain', 'eagain:level1', ...others);
const everyStreamForm = rows(
  'c',
  'node',
  'eagain',
  'eagain:read',
  'eagain:into',
  'eagain:serve',
  'eagain:observe',
  'eagain:duplex',
  'eagain:web',
  'eagain:level1',
  'eagain:level1-await',
  ...others,
);
const churn = rows('c', 'node', 'eagain', 'eagain:serve', ...others);
const accepting = rows('c', 'node', 'eagain', 'eagain:level1', ...others);
const bulkReceive = rows(
  'c',
  'node',
  'eagain',
  'eagain:into',
  'eagain:duplex',
  'eagain:level1',
  'eagain:level1-await',
  ...others,
);
const bulkSend = rows('c', 'node', 'eagain', 'eagain:level1', ...others);

/** @returns {Suite} */
function echo(transport, connections, more = {}) {
  return {
    name: `${transport}-echo-${connections}`,
    title: `${transport === 'seqpacket' ? 'SEQPACKET' : transport.toUpperCase()} echo 64 B, ${connections} connection${connections > 1 ? 's' : ''}`,
    job: 'echo',
    transport,
    load: ['echo', `family=${transport}`, `n=${connections}`],
    rows: streamEcho,
    ...more,
  };
}

// A client with few connections sleeps as real peers do; with many there is always work, and a client that never
// sleeps keeps the price of waking it (an interrupt, dear in a virtual machine) out of the server's sends.
const sleeping = {
  note: "the client sleeps between messages: the wake-ups, which are the kernel's, are most of the figure",
};

/** @type {Suite[]} */
export const suites = [
  echo('tcp', 1, { core: true, load: ['echo', 'n=1', 'spin=0'], ...sleeping }),
  echo('tcp', 1, {
    name: 'tcp-echo-1-one-core',
    title: 'TCP echo 64 B, 1 connection, server and client on one core',
    load: ['echo', 'n=1', 'spin=0'],
    oneCore: true,
  }),
  echo('tcp', 4, { load: ['echo', 'n=4', 'spin=0'], ...sleeping }),
  echo('tcp', 64, { core: true, rows: everyStreamForm }),
  echo('tcp', 1000),
  echo('unix', 1, { load: ['echo', 'family=unix', 'n=1', 'spin=0'], ...sleeping }),
  echo('unix', 4, { core: true, load: ['echo', 'family=unix', 'n=4', 'spin=0'], ...sleeping }),
  echo('unix', 64, { core: true, rows: everyStreamForm }),
  echo('unix', 1000),
  echo('seqpacket', 64, { rows: rows('c', 'eagain', 'eagain:level1') }),
  {
    name: 'tcp-idle-10000',
    title: 'TCP echo 64 B, 64 connections beside 10,000 idle ones',
    job: 'echo',
    transport: 'tcp',
    load: ['echo', 'n=64', 'idle=10000'],
    rows: streamEcho,
  },
  {
    name: 'tcp-churn',
    title: 'TCP connect + echo + close',
    job: 'echo',
    transport: 'tcp',
    load: ['churn', 'n=16'],
    rows: churn,
    core: true,
    operation: 'connection',
  },
  {
    name: 'unix-churn',
    title: 'UNIX connect + echo + close',
    job: 'echo',
    transport: 'unix',
    load: ['churn', 'family=unix', 'n=16'],
    rows: churn,
    core: true,
    operation: 'connection',
  },
  {
    name: 'tcp-accept',
    title: 'TCP accept + close',
    job: 'close',
    transport: 'tcp',
    load: ['accept', 'n=16'],
    rows: accepting,
    operation: 'connection',
  },
  {
    name: 'unix-accept',
    title: 'UNIX accept + close',
    job: 'close',
    transport: 'unix',
    load: ['accept', 'family=unix', 'n=16'],
    rows: accepting,
    operation: 'connection',
  },
  {
    name: 'tcp-receive',
    title: 'TCP bulk receive',
    job: 'drain',
    transport: 'tcp',
    load: ['bulk-to'],
    rows: bulkReceive,
    core: true,
    operation: '64 KiB',
  },
  {
    name: 'unix-receive',
    title: 'UNIX bulk receive',
    job: 'drain',
    transport: 'unix',
    load: ['bulk-to', 'family=unix'],
    rows: bulkReceive,
    operation: '64 KiB',
  },
  {
    name: 'tcp-send',
    title: 'TCP bulk send',
    job: 'pour',
    transport: 'tcp',
    load: ['bulk-from'],
    rows: bulkSend,
    operation: '64 KiB',
  },
  {
    name: 'unix-send',
    title: 'UNIX bulk send',
    job: 'pour',
    transport: 'unix',
    load: ['bulk-from', 'family=unix'],
    rows: bulkSend,
    operation: '64 KiB',
  },
  {
    name: 'udp-receive',
    title: 'UDP receive 64 B, receiver-bound',
    job: 'count',
    transport: 'udp',
    load: ['flood'],
    core: true,
    rows: rows(
      'c',
      'c:batch',
      'c:batch-metadata',
      'node',
      'eagain',
      'eagain:receive',
      'eagain:batch',
      'eagain:observe',
      'eagain:metadata',
      'eagain:batch-metadata',
      'eagain:level1',
      'eagain:level1-recvmmsg',
      ...others,
    ),
  },
  {
    name: 'udp-receive-gro',
    title: 'UDP receive 64 B in GRO trains',
    job: 'count',
    transport: 'udp',
    load: ['flood', 'segments=64'],
    rows: {
      c: 'gro',
      node: 'plain',
      eagain: 'gro',
      'eagain:batch': 'gro-batch',
      'eagain:level1': 'level1-gro',
    },
    note: 'C and eagain receive with UDP_GRO here; the others cannot and take each message by itself',
  },
  {
    name: 'udp-echo',
    title: 'UDP echo 64 B, 16 sockets × 4 outstanding',
    job: 'echo',
    transport: 'udp',
    load: ['datagram-echo', 'n=16', 'outstanding=4'],
    core: true,
    rows: rows(
      'c',
      'c:batch',
      'node',
      'eagain',
      'eagain:batch',
      'eagain:observe',
      'eagain:level1',
      ...others,
    ),
  },
  {
    name: 'udp-send',
    title: 'UDP send 64 B',
    job: 'burst',
    transport: 'udp',
    load: ['sink'],
    core: true,
    rows: rows(
      'c',
      'c:batch',
      'c:gso',
      'node',
      'eagain',
      'eagain:queue',
      'eagain:batch',
      'eagain:gso',
      'eagain:level1',
      ...others,
      'bun:batch',
    ),
    note: "nobody reads: each datagram goes through the sender's stack and is dropped at a full queue",
  },
];

// Forms that are raced for completeness and that --quick leaves out.
const SLOW_FORMS = new Set([
  'read',
  'into',
  'serve',
  'web',
  'level1-await',
  'receive',
  'level1-recvmmsg',
  'queue',
]);

/** @param {Suite} suite */
export function quickly(suite) {
  const kept = Object.entries(suite.rows).filter(
    ([label]) => !SLOW_FORMS.has(label.split(':')[1]) && !others.includes(label.split(':')[0]),
  );
  return { ...suite, rows: Object.fromEntries(kept) };
}
