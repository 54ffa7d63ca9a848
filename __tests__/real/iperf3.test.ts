// iperf3's UDP test through a forwarder of ours, in both directions: what iperf3 has counted and what we have agree.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { bind, connect, listen, type DatagramSocket, type StreamSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { needs } from '../support/needs';
import { until } from '../support/turns';
import { find, freePort, start, type Program } from './support/programs';

const path = find('iperf3');
const real = needs('iperf3', path !== undefined);
const HOST = '127.0.0.1';

let server: Program | undefined;
let port = 0;

beforeAll(async () => {
  if (path === undefined) return;
  port = await freePort();
  server = start(path, ['-s', '-B', HOST, '-p', String(port), '--forceflush']);
  const { stdout } = server.process;
  while (!server.output().includes('Server listening')) await once(stdout!, 'data');
}, 30_000);

afterAll(() => server?.stop());
leavesNoSockets();

/** Both halves of a connection, each ended for itself. */
async function join(near: StreamSocket, far: StreamSocket): Promise<void> {
  const pump = async (from: StreamSocket, into: StreamSocket): Promise<void> => {
    for await (const chunk of from) await into.write(chunk);
    await into.end();
  };
  await Promise.all([pump(near, far), pump(far, near)]);
  await far.close();
}

/** TCP and UDP of one port, to the same port of the server's. */
class Forwarder implements AsyncDisposable {
  /** Datagrams that went on, and of those that the kernel dropped what came with the next one. */
  readonly there = { passed: 0, told: 0 };
  readonly back = { passed: 0, told: 0 };
  private readonly flows = new Map<number, Promise<DatagramSocket>>();
  private readonly stop = new AbortController();

  private constructor(
    private readonly to: number,
    private readonly near: DatagramSocket,
  ) {}

  static async start(to: number): Promise<Forwarder & { port: number }> {
    const control = await listen({ host: HOST, port: 0 });
    const { port } = control.address as { port: number };
    const near = await bind({ host: HOST, port, drops: true });
    const forwarder = new Forwarder(to, near);
    const { signal } = forwarder.stop;
    void control.serve(async (peer) => join(peer, await connect({ host: HOST, port: to })), {
      signal,
      drainTimeout: 100,
    });
    void forwarder.forward();
    return Object.assign(forwarder, { port });
  }

  private async forward(): Promise<void> {
    const { near, there } = this;
    while (!near.socket.closed) {
      for (const { data, from, drops } of await near.receiveBatch(64).catch(() => [])) {
        there.told = drops ?? there.told;
        const flow = await this.flowOf((from as { port: number }).port);
        await flow.send(data);
        there.passed++;
      }
    }
  }

  private flowOf(client: number): Promise<DatagramSocket> {
    let flow = this.flows.get(client);
    if (flow === undefined) {
      flow = connect({ type: 'dgram', host: HOST, port: this.to, drops: true });
      this.flows.set(client, flow);
      void flow.then((far) => this.answers(far, { address: HOST, port: client }));
    }
    return flow;
  }

  private async answers(far: DatagramSocket, to: { address: string; port: number }): Promise<void> {
    const { near, back } = this;
    while (!far.socket.closed) {
      const messages = await far.receiveBatch(64).catch(() => []);
      for (const { drops } of messages) back.told = drops ?? back.told;
      back.passed += (await near.sendBatch(messages.map(({ data }) => ({ data, to })))).sent;
    }
  }

  /** All that the kernel has dropped for want of room, also behind the last one that came. */
  async dropped(): Promise<{ there: number; back: number }> {
    const [flow] = await Promise.all(this.flows.values());
    const [there, back] = [this.near, flow].map(({ socket }) => socket.get('memoryInfo').drops);
    return { there, back };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    for (const flow of this.flows.values()) await (await flow).close();
    await this.near.close();
  }
}

interface Report {
  error?: string;
  end: {
    sum: { packets: number; lost_packets: number; bytes: number };
    streams: { udp: { packets: number; out_of_order: number } }[];
  };
}

const ARGS = ['-c', HOST, '-u', '-b', '50M', '-t', '2', '-l', '1400', '-J'];

async function load(through: number, ...more: string[]): Promise<Report> {
  const client = start(path!, [...ARGS, '-p', String(through), ...more]);
  await once(client.process, 'close');
  const report = JSON.parse(client.output()) as Report;
  expect(report.error).toBeUndefined();
  return report;
}

/** Datagrams that all UDP sockets here have dropped for want of room (/proc/net/snmp). */
function dropsOfAll(): number {
  const [names, figures] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(figures[names.indexOf('RcvbufErrors')]);
}

real(
  'iperf3 -u through a forwarder: every datagram went on, or was counted as dropped',
  async () => {
    await using forwarder = await Forwarder.start(port);
    const before = dropsOfAll();
    const { end } = await load(forwarder.port);
    const { there, back } = forwarder;
    const { packets, lost_packets: lost } = end.sum;
    // 50 Mbit/s for 2 s are 8,900 datagrams. The first datagram of a flow is not of the load, but its greeting.
    expect(packets).toBeGreaterThan(5000);
    const dropped = await forwarder.dropped();
    await until(() => there.passed + dropped.there >= packets + 1);
    expect(there.passed + dropped.there).toBe(packets + 1);
    expect(there.told).toBeLessThanOrEqual(dropped.there);
    expect([back.passed, dropped.back]).toEqual([1, 0]);
    // What is lost was dropped here, or by the server's own socket.
    expect(lost).toBeLessThanOrEqual(dropsOfAll() - before);
    expect(end.streams[0].udp.out_of_order).toBe(0);
  },
  60_000,
);

real(
  'iperf3 -u -R through a forwarder: and so on the way back',
  async () => {
    await using forwarder = await Forwarder.start(port);
    const before = dropsOfAll();
    const { end } = await load(forwarder.port, '-R');
    const { there, back } = forwarder;
    const { packets, lost_packets: lost } = end.sum;
    expect(packets).toBeGreaterThan(5000);
    const dropped = await forwarder.dropped();
    await until(() => back.passed + dropped.back >= packets + 1);
    expect(back.passed + dropped.back).toBe(packets + 1);
    expect(back.told).toBeLessThanOrEqual(dropped.back);
    expect([there.passed, dropped.there]).toEqual([1, 0]);
    expect(lost).toBeLessThanOrEqual(dropsOfAll() - before);
    expect(end.streams[0].udp.out_of_order).toBe(0);
  },
  60_000,
);
