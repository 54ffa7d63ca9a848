// StreamSocket.sendFile(): files of every kind of name, parts of them, and how far it is.

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { leavesNoSockets } from '../support/descriptors';
import { temporaryFolder } from '../support/names';
import { rejection, thrown } from '../support/outcomes';
import { abstract, tcp4 } from '../support/streams';

leavesNoSockets();
const place = temporaryFolder();
const data = randomBytes(8 << 20);

function written(): string {
  const path = place();
  writeFileSync(path, data);
  return path;
}

test.each([['tcp', tcp4] as const, ['unix', abstract] as const])(
  'sendFile: by path, handle and descriptor, over %s',
  async (_kind, make) => {
    const path = written();
    await using handle = await open(path);
    const fd = openSync(path, 'r');
    for (const file of [path, handle, fd]) {
      await using pair = await make();
      const sending = pair.client.sendFile(file);
      expect((await pair.server.readExactly(data.length)).equals(data)).toBe(true);
      expect(await sending).toBe(data.length);
      expect(pair.client.bytesWritten).toBe(data.length);
    }
    closeSync(fd);
  },
);

test('sendFile: a part of it, and no more than there is', async () => {
  const path = written();
  await using pair = await tcp4();
  expect(await pair.client.sendFile(path, { offset: 100, length: 50 })).toBe(50);
  expect((await pair.server.readExactly(50)).equals(data.subarray(100, 150))).toBe(true);
  expect(await pair.client.sendFile(path, { offset: data.length - 10, length: 50 })).toBe(10);
  expect(await pair.client.sendFile(path, { offset: data.length + 10 })).toBe(0);
});

test('sendFile: a handle that is closed meanwhile is EBADF, whoever has its number then', async () => {
  const path = written();
  await using pair = await abstract();
  const handle = await open(path);
  const sending = rejection(pair.client.sendFile(handle));
  const { fd } = handle;
  await handle.close();
  const stranger = openSync(process.execPath, 'r');
  expect(stranger).toBe(fd);
  const received: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of pair.server) received.push(chunk);
  })();
  const error = await sending;
  expect(error).toMatchObject({ code: 'EBADF', syscall: 'sendfile' });
  await pair.client.close();
  await reading;
  expect(Buffer.concat(received).equals(data.subarray(0, error.bytesTransferred))).toBe(true);
  closeSync(stranger);
});

test('promise 6: it goes in its turn among the writes', async () => {
  const fd = openSync(written(), 'r');
  await using pair = await tcp4();
  const all = [pair.client.write('<'), pair.client.sendFile(fd), pair.client.write('>')];
  const got = await pair.server.readExactly(data.length + 2);
  await Promise.all(all);
  expect(got.subarray(0, 1).toString() + got.subarray(-1).toString()).toBe('<>');
  expect(got.subarray(1, -1).equals(data)).toBe(true);
  closeSync(fd);
});

test('sendFile: progress grows to the end', async () => {
  await using pair = await tcp4();
  const seen: [number, number][] = [];
  const sending = pair.client.sendFile(written(), { onProgress: (...at) => seen.push(at) });
  await pair.server.readExactly(data.length);
  await sending;
  await Promise.resolve();
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.map(([sent]) => sent)).toEqual(seen.map(([sent]) => sent).sort((a, b) => a - b));
  expect(seen.at(-1)).toEqual([data.length, data.length]);
});

test('promise 2: given up, it says how far it came', async () => {
  await using pair = await tcp4();
  const path = place();
  writeFileSync(path, Buffer.alloc(32 << 20));
  const error = await rejection(pair.client.sendFile(path, { timeout: 10 }));
  expect(error.code).toBe('ERR_SOCKET_TIMEOUT');
  expect(error.bytesTransferred).toBe(pair.client.bytesWritten);
});

test('sendFile: a file that is not there, and misuse', async () => {
  await using pair = await tcp4();
  const send = pair.client.sendFile.bind(pair.client) as (...args: unknown[]) => Promise<number>;
  expect(await rejection(send(place()))).toMatchObject({ code: 'ENOENT' });
  for (const args of [[], [null], [{}], [1.5], ['x', { offset: -1 }], ['x', { onProgress: 1 }]])
    expect(thrown(() => send(...args)).code).toMatch(/^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/);
});

test('sendFile: what fstat(2) calls empty is sent, or refused by the kernel', async () => {
  await using pair = await tcp4();
  const version = readFileSync('/proc/version');
  const seen: [number, number][] = [];
  const onProgress = (...at: [number, number]): void => void seen.push(at);
  expect(await pair.client.sendFile('/proc/version', { onProgress })).toBe(version.length);
  expect((await pair.server.readExactly(version.length)).equals(version)).toBe(true);
  expect(seen).toEqual([[version.length, Infinity]]);
  expect(await pair.client.sendFile('/dev/zero', { length: 5 })).toBe(5);
  for (const path of ['/proc/self/status', '/dev/null'])
    expect(await rejection(pair.client.sendFile(path))).toMatchObject({
      code: 'EINVAL',
      syscall: 'sendfile',
      bytesTransferred: 0,
    });
  const empty = place();
  writeFileSync(empty, '');
  expect(await pair.client.sendFile(empty)).toBe(0);
});
