// StreamSocket: urgent bytes, beside the stream.

import { leavesNoSockets } from '../support/descriptors';
import { rejection, thrown } from '../support/outcomes';
import { tcp4 } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

test('urgent: a byte comes ahead of the stream, and leaves no trace in it', async () => {
  await using pair = await tcp4();
  const bytes = pair.server.urgent();
  const first = bytes.next();
  await pair.client.write('before');
  await turns();
  expect(await isPending(first)).toBe(true);
  await pair.client.sendUrgent(0x21);
  expect(await first).toEqual({ value: 0x21, done: false });
  await pair.client.write(' and after');
  expect((await pair.server.readExactly(16)).toString()).toBe('before and after');
  await pair.client.sendUrgent(0xff);
  expect(await bytes.next()).toEqual({ value: 0xff, done: false });
  await bytes.return!();
});

test('urgent: one that came before anybody asked', async () => {
  await using pair = await tcp4();
  await pair.client.sendUrgent(7);
  await pair.server.socket.ready({ priority: true });
  for await (const byte of pair.server.urgent()) {
    expect(byte).toBe(7);
    break;
  }
});

test('urgent: goes behind the writes that were made before it', async () => {
  await using pair = await tcp4();
  const data = Buffer.alloc(8 << 20, 'd');
  const writing = pair.client.write(data);
  const urgent = pair.client.sendUrgent(1);
  await turns();
  expect(await isPending(urgent)).toBe(true);
  expect(await pair.server.readExactly(data.length)).toHaveLength(data.length);
  await Promise.all([writing, urgent]);
});

test('urgent: ends with the connection, by close, reset and the end of both', async () => {
  for (const how of ['close', 'reset', 'ends'] as const) {
    await using pair = await tcp4();
    const next = pair.server.urgent().next();
    await turns(2);
    if (how === 'close') pair.server.socket.close();
    else if (how === 'reset') pair.client.abort();
    else await Promise.all([pair.client.end(), pair.server.end()]);
    const outcome = await next.catch((error: unknown) => (error as { code: string }).code);
    expect(outcome).toEqual(how === 'reset' ? expect.anything() : { done: true });
  }
});

test('promise 2: a wait that was left has taken no byte', async () => {
  await using pair = await tcp4();
  const left = pair.server.urgent();
  const step = left.next();
  await left.return!();
  expect(await step).toMatchObject({ done: true });
  const controller = new AbortController();
  const aborted = rejection(pair.server.urgent({ signal: controller.signal }).next());
  controller.abort();
  expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
  await pair.client.sendUrgent(9);
  expect(await pair.server.urgent().next()).toEqual({ value: 9, done: false });
});

test('urgent: misuse', async () => {
  await using pair = await tcp4();
  for (const [byte, code] of [
    [256, 'ERR_OUT_OF_RANGE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [1.5, 'ERR_OUT_OF_RANGE'],
    ['!', 'ERR_INVALID_ARG_TYPE'],
  ] as const)
    expect(thrown(() => pair.client.sendUrgent(byte as number))).toMatchObject({ code });
});
