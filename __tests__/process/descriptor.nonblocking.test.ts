// O_NONBLOCK belongs to the open file: whoever has a duplicate may clear it, and no call may stop the loop for that.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { constants as C, Socket, socketpair } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { abstractName } from '../support/names';
import { abstract, tcp4 } from '../support/streams';

leavesNoSockets();

const O_NONBLOCK = 0o4000;

function isNonblocking({ fd }: Socket): boolean {
  const [, flags] = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))!;
  return (parseInt(flags, 8) & O_NONBLOCK) !== 0;
}

/** What libuv does in a child of what it inherits as its descriptors 0 to 2. A call that blocks is over after a second. */
async function lend(socket: Socket): Promise<void> {
  const second = new BigInt64Array([1n, 0n]);
  socket.setsockopt(C.SOL_SOCKET, C.SO_RCVTIMEO, second);
  socket.setsockopt(C.SOL_SOCKET, C.SO_SNDTIMEO, second);
  await once(spawn('true', { stdio: [socket.fd, 'ignore', 'ignore'] }), 'exit');
  expect(isNonblocking(socket)).toBe(false);
}

/** That `call` returns at once. */
function returns(socket: Socket, call: () => unknown): void {
  const before = performance.now();
  call();
  expect(performance.now() - before).toBeLessThan(900);
  expect(isNonblocking(socket)).toBe(true);
}

function listening(): Socket {
  const listener = Socket.open('unix', 'stream');
  listener.bind({ path: abstractName() });
  listener.listen(0);
  return listener;
}

test('accept(2)', async () => {
  using listener = listening();
  await lend(listener);
  returns(listener, () => expect(listener.tryAccept()).toBeNull());
});

test('connect(2)', async () => {
  using listener = listening();
  const address = listener.getsockname();
  using first = Socket.open('unix', 'stream');
  using second = Socket.open('unix', 'stream');
  await first.connect(address);
  await lend(second);
  const controller = new AbortController();
  let connecting: Promise<void> | undefined;
  returns(second, () => (connecting = second.connect(address, { signal: controller.signal })));
  controller.abort();
  await expect(connecting).rejects.toMatchObject({ code: 'ABORT_ERR' });
});

test('sendfile(2)', async () => {
  await using pair = await abstract();
  const { socket } = pair.client;
  while (socket.trySend(Buffer.alloc(65_536)) !== null);
  await lend(socket);
  const file = openSync(process.execPath, 'r');
  const sending = { it: Promise.resolve(0) };
  const controller = new AbortController();
  const { signal } = controller;
  returns(socket, () => (sending.it = pair.client.sendFile(file, { signal })));
  controller.abort();
  await expect(sending.it).rejects.toMatchObject({ code: 'ABORT_ERR' });
  closeSync(file);
});

test('splice(2), out of a TCP socket', async () => {
  await using pair = await tcp4();
  const [a, b] = socketpair();
  const { socket } = pair.server;
  await lend(socket);
  const controller = new AbortController();
  const spliced = { it: Promise.resolve(0) };
  returns(socket, () => (spliced.it = socket.splice(a, { signal: controller.signal })));
  controller.abort();
  await expect(spliced.it).rejects.toMatchObject({ code: 'ABORT_ERR' });
  a.close();
  b.close();
});
