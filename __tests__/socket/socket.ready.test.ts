// Socket.ready: poll(2) as a promise, level-triggered.

import { constants as C, Socket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection, thrown } from '../support/outcomes';
import { connectedSockets, fill, sockets } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

const QUIET = { read: false, write: false, priority: false, error: false, hangup: false };

test('ready: what is there already is told at once, as often as it is asked', async () => {
  using pair = sockets();
  await pair.b.send(Buffer.from('x'));
  for (let i = 0; i < 3; i++) {
    expect(await pair.a.ready({ read: true })).toEqual({ ...QUIET, read: true });
    expect(await pair.a.ready({ write: true })).toEqual({ ...QUIET, write: true });
  }
  expect(await pair.a.ready({ read: true, write: true, priority: true })).toEqual({
    ...QUIET,
    read: true,
    write: true,
  });
  // A hint takes nothing away.
  expect(await pair.a.recv(Buffer.alloc(4))).toBe(1);
});

test('ready: waits for reading', async () => {
  using pair = sockets('dgram');
  const waiting = pair.a.ready({ read: true });
  await turns();
  expect(await isPending(waiting)).toBe(true);
  await pair.b.send(Buffer.alloc(0));
  expect(await waiting).toEqual({ ...QUIET, read: true });
});

test('ready: waits for writing, and reading does not end that wait', async () => {
  using pair = await connectedSockets();
  const piece = Buffer.alloc(65536);
  const sent = await fill(pair.a);
  const waiting = pair.a.ready({ write: true });
  await pair.b.send(Buffer.from('x'));
  await turns();
  expect(await isPending(waiting)).toBe(true);
  for (let received = 0; received < sent;) received += await pair.b.recv(piece);
  expect(await waiting).toMatchObject({ write: true });
});

test('ready: several wait at once, for the same and for other things', async () => {
  using pair = sockets();
  const all = [
    pair.a.ready({ read: true }),
    pair.a.ready({ read: true, priority: true }),
    pair.a.recv(Buffer.alloc(1), { flags: C.MSG_PEEK }),
  ];
  await turns(2);
  await pair.b.send(Buffer.from('x'));
  expect(await Promise.all(all)).toEqual([{ ...QUIET, read: true }, { ...QUIET, read: true }, 1]);
});

test('ready: the end and a hang-up are told whether asked for or not', async () => {
  using pair = sockets();
  const waiting = pair.a.ready({ priority: true });
  pair.b.shutdown('write');
  await turns();
  // Half an end is something to read, and nothing else.
  expect(await isPending(waiting)).toBe(true);
  expect(await pair.a.ready({ read: true })).toEqual({ ...QUIET, read: true });
  pair.b.close();
  expect(await waiting).toEqual({ ...QUIET, hangup: true });
});

test('ready: an error is told, and stays for the call that takes it', async () => {
  using open = Socket.open('IPv4', 'dgram');
  using gone = Socket.open('IPv4', 'dgram');
  gone.bind({ address: '127.0.0.1', port: 0 });
  const address = gone.getsockname();
  gone.close();
  await open.connect(address);
  const waiting = open.ready({ priority: true });
  await open.send(Buffer.from('x'));
  expect(await waiting).toEqual({ ...QUIET, error: true });
  expect(thrown(() => open.tryRecv(Buffer.alloc(1)))).toMatchObject({ code: 'ECONNREFUSED' });
});

test('ready: a listener is readable when somebody waits for it', async () => {
  using listener = Socket.open('IPv4', 'stream');
  listener.bind({ address: '127.0.0.1', port: 0 });
  listener.listen();
  const waiting = listener.ready({ read: true });
  using client = Socket.open('IPv4', 'stream');
  await client.connect(listener.getsockname());
  expect(await waiting).toEqual({ ...QUIET, read: true });
  listener.tryAccept()!.close();
});

test('promise 2: ready ends with its signal or timeout, and the others wait on', async () => {
  using pair = sockets();
  const controller = new AbortController();
  const aborted = rejection(pair.a.ready({ read: true }, { signal: controller.signal }));
  const late = rejection(pair.a.ready({ read: true }, { timeout: 1 }));
  const patient = pair.a.ready({ read: true });
  expect(await late).toMatchObject({
    code: 'ERR_SOCKET_TIMEOUT',
    message: 'poll was not done within 1 ms',
  });
  controller.abort();
  expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
  expect(await isPending(patient)).toBe(true);
  await pair.b.send(Buffer.from('x'));
  expect(await patient).toMatchObject({ read: true });
});

// An error stands in the queue behind the reader that the event has woken.
test('ready: what poll(2) has is told though a read has met EAGAIN since', async () => {
  using socket = Socket.open('IPv4', 'dgram');
  using gone = Socket.open('IPv4', 'dgram');
  gone.bind({ address: '127.0.0.1', port: 0 });
  const address = gone.getsockname();
  gone.close();
  socket.set('receiveErrors', true);
  const reading = rejection(socket.recv(Buffer.alloc(1)));
  await turns(2);
  await socket.sendto(Buffer.from('x'), address);
  expect(await reading).toMatchObject({ code: 'ECONNREFUSED' });
  expect(socket.tryRecv(Buffer.alloc(1))).toBeNull();
  const waiting = rejection(socket.recv(Buffer.alloc(1)));
  expect(await socket.ready({ read: true })).toEqual({ ...QUIET, error: true });
  socket.close();
  expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
});
