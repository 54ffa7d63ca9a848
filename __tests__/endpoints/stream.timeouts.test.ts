// StreamSocket.setTimeouts(): deadlines for every later call, without a timer for any of them.

import { leavesNoSockets } from '../support/descriptors';
import { rejection, thrown } from '../support/outcomes';
import { tcp4 } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();
const LATE = { code: 'ERR_SOCKET_TIMEOUT' };

test('timeouts: a read that waits too long', async () => {
  await using pair = await tcp4();
  expect(pair.client.setTimeouts({ read: 40 })).toBe(pair.client);
  for (const call of [
    () => pair.client.read(),
    () => pair.client.read(Buffer.alloc(1)),
    () => pair.client.iterate().next(),
  ]) {
    const began = performance.now();
    expect(await rejection(call())).toMatchObject(LATE);
    expect(performance.now() - began).toBeGreaterThan(39);
  }
  await pair.server.write('in time');
  expect((await pair.client.read())?.toString()).toBe('in time');
});

test('timeouts: a write that does not get away says how far it came', async () => {
  await using pair = await tcp4();
  pair.client.setTimeouts({ write: 20 });
  const data = Buffer.alloc(16 << 20);
  const error = await rejection(pair.client.write(data));
  expect(error).toMatchObject(LATE);
  expect(error.bytesTransferred).toBeGreaterThan(0);
  expect(error.bytesTransferred).toBe(pair.client.bytesWritten);
});

test('timeouts: a timeout of the call’s own takes their place', async () => {
  await using pair = await tcp4();
  pair.client.setTimeouts({ read: 10 });
  const patient = pair.client.read({ timeout: 60_000 });
  const behind = rejection(pair.client.read());
  expect(await behind).toMatchObject(LATE);
  expect(await isPending(patient)).toBe(true);
  await pair.server.write('x');
  expect((await patient)?.toString()).toBe('x');
});

test('timeouts: Infinity takes them back, and others have none', async () => {
  await using pair = await tcp4();
  await using other = await tcp4();
  pair.client.setTimeouts({ read: 10 });
  pair.server.setTimeouts({ read: 10 }).setTimeouts({ read: Infinity });
  const forever = [pair.server.read(), other.client.read()];
  expect(await rejection(pair.client.read())).toMatchObject(LATE);
  for (const reading of forever) expect(await isPending(reading)).toBe(true);
  pair.server.abort();
  other.client.abort();
  for (const reading of forever) await rejection(reading);
});

test('timeouts: a thousand calls start no timer', async () => {
  await using pair = await tcp4();
  pair.client.setTimeouts({ read: 60_000, write: 60_000 });
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const reading = Array.from({ length: 1000 }, () => rejection(pair.client.read()));
  await turns(2);
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(
    before,
  );
  pair.client.abort();
  await Promise.all(reading);
});

test('timeouts: misuse', async () => {
  await using pair = await tcp4();
  const set = pair.client.setTimeouts.bind(pair.client) as (o?: unknown) => unknown;
  expect(thrown(() => set())).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  expect(thrown(() => set({ read: '1' }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  expect(thrown(() => set({ write: -1 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  expect(thrown(() => set({ write: NaN }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
});

test('timeouts: calls from before have none, and those with one keep it', async () => {
  await using pair = await tcp4();
  const before = [pair.client.read(), pair.client.read({ timeout: 60_000 })];
  pair.client.setTimeouts({ read: 10 });
  expect(await rejection(pair.client.read())).toMatchObject(LATE);
  for (const reading of before) expect(await isPending(reading)).toBe(true);
  await pair.server.write('1');
  expect((await before[0])?.toString()).toBe('1');
  await pair.server.write('2');
  expect((await before[1])?.toString()).toBe('2');
});

test('timeouts: close() has its own limits', async () => {
  await using pair = await tcp4();
  pair.client.setTimeouts({ read: 10, write: 10 });
  const closing = pair.client.close({ linger: 60_000 });
  // Others who began later are late by now.
  await using other = await tcp4();
  other.client.setTimeouts({ read: 40 });
  expect(await rejection(other.client.read())).toMatchObject(LATE);
  expect(pair.client.socket.closed).toBe(false);
  await pair.server.end();
  await closing;
});

test('timeouts: the caller’s object is read once', async () => {
  await using pair = await tcp4();
  const answers = [10, 'ten'];
  const timeouts = {
    get read(): number {
      return answers.shift() as number;
    },
  };
  pair.client.setTimeouts(timeouts);
  expect(answers).toEqual(['ten']);
  expect(await rejection(pair.client.read())).toMatchObject(LATE);
});
