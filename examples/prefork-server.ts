// One process accepts, others answer: each connection's descriptor goes to a worker beside a byte on a Unix socket
// (SCM_RIGHTS), and from then on the worker talks to the client with nobody in between.

import { fromFd, listen, socketpair, StreamSocket, type OwnedFd, type SocketDuplex } from 'eagain';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '7007' },
    workers: { type: 'string', default: '2' },
    worker: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

/** Where a worker finds its end of the channel. */
const CHANNEL = 3;

if (values.help === true) {
  console.log(
    'prefork-server [--port 7007] [--workers 2]\nEchoes lines; workers take the connections in turn.',
  );
} else if (values.worker === true) {
  work();
} else {
  void serve(Number(values.port), Number(values.workers));
}

interface Worker {
  readonly channel: SocketDuplex;
  readonly child: ChildProcess;
  /** What it was given and has not yet said that it has, oldest first. */
  readonly handed: StreamSocket[];
}

function hire(): Worker {
  const [ours, theirs] = socketpair();
  const child = spawn(process.execPath, [__filename, '--worker'], {
    stdio: ['ignore', 'inherit', 'inherit', theirs.fd],
  });
  theirs.close(); // The child has a copy.
  const channel = new StreamSocket(ours).toDuplex({ allowHalfOpen: false });
  channel.on('error', (error) => console.error(`worker ${child.pid}: ${error.message}`));
  // A byte for each connection that has arrived: the worker alone has it from then on. Closing this process's copy
  // is no end for the client.
  const handed: StreamSocket[] = [];
  channel.on('data', ({ length }: Buffer) => {
    for (const peer of handed.splice(0, length)) peer.socket.close();
  });
  return { channel, child, handed };
}

async function serve(port: number, count: number): Promise<void> {
  const server = await listen({ port });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void server.close());
  const workers = new Set<Worker>();
  let closing = false;
  // A worker is gone when its channel is: all its bytes have been read then, and what it died before taking goes to
  // the others.
  function add(): void {
    const worker = hire();
    workers.add(worker);
    worker.channel.once('close', () => {
      workers.delete(worker);
      if (!closing) add();
      for (const peer of worker.handed) {
        if (closing) peer.abort();
        else hand(peer);
      }
    });
  }
  // To the worker whose turn is longest ago.
  function hand(peer: StreamSocket): void {
    const worker = [...workers].at(0);
    if (worker === undefined) return peer.abort();
    workers.delete(worker);
    workers.add(worker);
    worker.handed.push(peer);
    worker.channel.writeWithFds('c', [peer.socket]);
  }

  for (let i = 0; i < count; i++) add();
  console.log(`listening on port ${server.address.port}`);
  for await (const peer of server) hand(peer);
  closing = true;
  const gone = [...workers].map(({ child }) => once(child, 'exit'));
  for (const { channel } of workers) channel.end();
  await Promise.all(gone);
  console.log('done');
}

// Ends when its channel has ended and its conversations are over; Ctrl-C, which it hears too, is its parent's affair.
function work(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  const channel = (fromFd(CHANNEL) as StreamSocket).toDuplex({ allowHalfOpen: false });
  channel.on('error', (error) => console.error(`worker ${process.pid}: ${error.message}`));
  channel.on('fds', (fds: OwnedFd[]) => {
    for (const owned of fds) {
      channel.write('k');
      const peer = fromFd(owned.take()) as StreamSocket;
      answer(peer).catch((error: unknown) => console.error(error));
    }
  });
  channel.resume();
}

async function answer(peer: StreamSocket): Promise<void> {
  for await (const chunk of peer) await peer.write(`${process.pid}: ${chunk.toString()}`);
  await peer.close();
}
