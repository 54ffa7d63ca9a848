// Level 2 over UDP: async iterator, batches, Observable, GRO and GSO.
import { bind } from 'eagain';
import { BURST, HOST, MESSAGE, ready, REQUEST } from './protocol.mjs';

const BATCH = 256;
const TRAIN = 64;

async function open(options) {
  const udp = await bind({ host: HOST, port: 0, ...options });
  ready(udp.localAddress.port);
  return udp;
}

// All that a datagram can say beside its bytes.
const METADATA = { packetInfo: true, ttl: true, tos: true, timestamps: true, drops: true };

let count = 0;

/**
 * @param {import('eagain').DatagramSocket} udp
 * @param {import('eagain').Message} message
 */
function take(udp, message) {
  if (message.data.length === REQUEST) udp.send(String(count), message.from);
  else count += message.segments?.length || 1;
}

async function countIterated(options) {
  const udp = await open(options);
  for await (const message of udp) take(udp, message);
}

async function countBatches(options) {
  const udp = await open(options);
  for (;;) for (const message of await udp.receiveBatch(BATCH)) take(udp, message);
}

async function countReceived() {
  const udp = await open();
  for (;;) take(udp, await udp.receive());
}

async function countObserved() {
  const udp = await open();
  udp.observe().subscribe((message) => take(udp, message));
}

async function echo() {
  const udp = await open();
  for await (const message of udp) await udp.send(message.data, message.from);
}

async function echoBatches() {
  const udp = await open();
  for (;;) {
    const messages = await udp.receiveBatch(BATCH);
    await udp.sendBatch(messages.map((message) => ({ data: message.data, to: message.from })));
  }
}

async function echoObserved() {
  const udp = await open();
  udp.observe().subscribe((message) => udp.send(message.data, message.from));
}

/** @param {(udp: import('eagain').DatagramSocket, to: import('eagain').Address) => Promise<unknown>} send */
async function burst(send) {
  const udp = await open();
  for await (const request of udp) await send(udp, request.from);
}

async function sendSingly(udp, to) {
  for (let i = 0; i < BURST; i++) await udp.send(MESSAGE, to);
}

// Sends made together go together: the library's own queue.
async function sendTogether(udp, to) {
  await Promise.all(Array.from({ length: BURST }, () => udp.send(MESSAGE, to)));
}

async function sendBatch(udp, to) {
  await udp.sendBatch(Array.from({ length: BURST }, () => ({ data: MESSAGE, to })));
}

const train = Buffer.concat(Array(TRAIN).fill(MESSAGE));
const control = [{ kind: 'segmentSize', value: MESSAGE.length }];

async function sendTrains(udp, to) {
  for (let i = 0; i < BURST; i += TRAIN) await udp.send(train, to, { control });
}

export const servers = {
  count: () => countIterated(),
  'count receive': countReceived,
  'count batch': () => countBatches(),
  'count observe': countObserved,
  'count metadata': () => countIterated(METADATA),
  'count batch-metadata': () => countBatches(METADATA),
  'count gro': () => countIterated({ gro: true }),
  'count gro-batch': () => countBatches({ gro: true }),
  echo,
  'echo batch': echoBatches,
  'echo observe': echoObserved,
  burst: () => burst(sendSingly),
  'burst queue': () => burst(sendTogether),
  'burst batch': () => burst(sendBatch),
  'burst gso': () => burst(sendTrains),
};
