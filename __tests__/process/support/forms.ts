// Every form in which this library is used, each as a program that says what came of it. The texts of these
// functions go where they run (program.ts): each is whole in itself.

import type { Inside } from './inside';

type Form = (inside: Inside) => Promise<unknown>;

const streamPromises: Form = async ({ eagain }) => {
  const listener = await eagain.listen({ host: '127.0.0.1', port: 0 });
  const { port } = listener.address as { port: number };
  const [server, client] = await Promise.all([
    listener.accept(),
    eagain.connect({ host: '127.0.0.1', port }),
  ]);
  const data = Buffer.alloc(3 << 20, 'stream');
  const writing = client.write(data).then(() => client.end());
  const got = await server.readExactly(data.length);
  await writing;
  const end = await server.read();
  await Promise.all([server.close(), client.close(), listener.close()]);
  return [got.equals(data), end, client.bytesWritten, server.bytesRead];
};

const streamIterated: Form = async ({ eagain, name }) => {
  const path = name();
  const listener = await eagain.listen({ path });
  const client = await eagain.connect({ path });
  let count = 0;
  for await (const server of listener) {
    await client.write('iterated');
    await client.end();
    for await (const chunk of server) count += chunk.length;
    await server.close();
    break;
  }
  await Promise.all([client.close(), listener.close()]);
  return count;
};

const streamObserved: Form = async ({ eagain, name }) => {
  const path = name();
  const listener = await eagain.listen({ path });
  const [client, server] = await Promise.all([eagain.connect({ path }), listener.accept()]);
  const whole = new Promise<string>((resolve, reject) => {
    let text = '';
    server.observe().subscribe({
      next: (chunk) => (text += chunk.toString()),
      error: reject,
      complete: () => resolve(text),
    });
  });
  await client.write('observed');
  await client.end();
  const text = await whole;
  await Promise.all([client.close(), server.close(), listener.close()]);
  return text;
};

const streamDuplex: Form = async ({ eagain, load }) => {
  const { pipeline } = load('node:stream/promises') as typeof import('node:stream/promises');
  const { Readable } = load('node:stream') as typeof import('node:stream');
  const listener = await eagain.listen({ host: '127.0.0.1', port: 0 });
  const { port } = listener.address as { port: number };
  const [server, client] = await Promise.all([
    listener.accept(),
    eagain.connect({ host: '127.0.0.1', port }),
  ]);
  const echo = server.toDuplex();
  const echoing = pipeline(echo, echo);
  const duplex = client.toDuplex();
  const chunks = Array.from({ length: 64 }, (_, i) => Buffer.alloc(1 << 14, i));
  const received: Buffer[] = [];
  duplex.on('data', (chunk: Buffer) => received.push(chunk));
  const ended = new Promise((resolve) => duplex.on('end', resolve));
  await Promise.all([pipeline(Readable.from(chunks), duplex), echoing, ended]);
  await listener.close();
  return Buffer.concat(received).equals(Buffer.concat(chunks));
};

const datagrams: Form = async ({ eagain }) => {
  const inbox = await eagain.bind({ host: '127.0.0.1' });
  const { port } = inbox.localAddress as { port: number };
  const outbox = await eagain.connect({ type: 'dgram', host: '127.0.0.1', port });
  const got: string[] = [];
  const receiving = inbox.receive();
  await outbox.send('one');
  got.push((await receiving).data.toString());
  await outbox.send('');
  got.push((await inbox.receive()).data.toString());
  await outbox.sendBatch(['two', 'three'].map((text) => ({ data: Buffer.from(text) })));
  for (const { data } of await inbox.receiveBatch(8)) got.push(data.toString());
  const messages = inbox.iterate();
  const next = messages.next();
  await outbox.send('four');
  got.push((await next).value!.data.toString());
  await messages.return!();
  const observed = new Promise<string>((resolve) => {
    const subscription = inbox.observe().subscribe(({ data }) => {
      subscription.unsubscribe();
      resolve(data.toString());
    });
  });
  await outbox.send('five');
  got.push(await observed);
  await Promise.all([inbox.close(), outbox.close()]);
  return got;
};

const records: Form = async ({ eagain, name }) => {
  const path = name();
  const listener = await eagain.listen({ type: 'seqpacket', path });
  const [client, server] = await Promise.all([
    eagain.connect({ type: 'seqpacket', path }),
    listener.accept(),
  ]);
  for (const record of ['one', '', 'three']) await client.send(record);
  await client.end();
  const got: (string | null)[] = [];
  for (let i = 0; i < 4; i++) got.push((await server.receive())?.data.toString() ?? null);
  const rest: unknown[] = [];
  for await (const message of server) rest.push(message);
  await Promise.all([client.close(), server.close(), listener.close()]);
  return [...got, rest.length];
};

// 12 bytes of netlink header and a request for the list of interfaces: any user may ask the kernel that.
const raw: Form = async ({ eagain }) => {
  const route = await eagain.bind({ type: 'raw', family: 'netlink', protocol: 'route' });
  const RTM_GETLINK = 18;
  const NLM_F_REQUEST_AND_DUMP = 0x301;
  const request = new DataView(new ArrayBuffer(32));
  request.setUint32(0, 32, true);
  request.setUint16(4, RTM_GETLINK, true);
  request.setUint16(6, NLM_F_REQUEST_AND_DUMP, true);
  await route.send(request, { family: 'netlink', pid: 0, groups: 0 });
  const reply = await route.receive();
  await route.close();
  const RTM_NEWLINK = 16;
  return [reply.data.readUInt16LE(4) === RTM_NEWLINK, reply.from];
};

const level1: Form = async ({ eagain }) => {
  const [a, b] = eagain.socketpair('dgram');
  const into = Buffer.alloc(16);
  const receiving = b.recvfrom(into);
  await a.send(Buffer.from('level 1'));
  const { bytes, from } = await receiving;
  const { write } = await a.ready({ write: true });
  const twin = a.dup();
  await twin.sendmmsg([{ data: Buffer.from('x') }, { data: Buffer.from('y') }]);
  const two = await b.recvmmsg(4);
  for (const socket of [a, b, twin]) socket.close();
  return [into.toString('utf8', 0, bytes), from, write, two.length];
};

const givingUp: Form = async ({ eagain }) => {
  const [a, b] = eagain.socketpair();
  const codes: string[] = [];
  const controller = new AbortController();
  const attempts = [
    a.recv(Buffer.alloc(1), { signal: controller.signal }),
    b.recv(Buffer.alloc(1), { timeout: 1 }),
    b.recv(Buffer.alloc(1)),
  ].map((attempt) => attempt.catch(({ code }: { code: string }) => codes.push(code)));
  controller.abort();
  await attempts[1];
  b.close();
  await Promise.all(attempts);
  a.close();
  return codes;
};

export const FORMS: Readonly<Record<string, Form>> = {
  'a stream with promises': streamPromises,
  'a stream iterated': streamIterated,
  'a stream observed': streamObserved,
  'a stream as a Duplex': streamDuplex,
  'datagrams in every way': datagrams,
  'SEQPACKET records': records,
  'a raw socket': raw,
  'level 1': level1,
  'giving up: signal, timeout, close': givingUp,
};

/** What comes of each, wherever it runs. */
export const OUTCOMES: Readonly<Record<string, unknown>> = {
  'a stream with promises': [true, null, 3 << 20, 3 << 20],
  'a stream iterated': 8,
  'a stream observed': 'observed',
  'a stream as a Duplex': true,
  'datagrams in every way': ['one', '', 'two', 'three', 'four', 'five'],
  'SEQPACKET records': ['one', '', 'three', null, 0],
  'a raw socket': [true, { family: 'netlink', pid: 0, groups: 0 }],
  'level 1': ['level 1', { family: 'unix', path: '' }, true, 2],
  'giving up: signal, timeout, close': ['ABORT_ERR', 'ERR_SOCKET_TIMEOUT', 'ERR_SOCKET_CLOSED'],
};

/** A program that runs them all and tells each one's outcome, or its error. */
export const ALL_FORMS = `async (inside) => {
  const forms = {${Object.entries(FORMS)
    .map(([name, form]) => `${JSON.stringify(name)}: ${form.toString()}`)
    .join(',\n')}};
  const told = {};
  for (const [name, form] of Object.entries(forms)) {
    try { told[name] = await form(inside); } catch (error) { told[name] = error.stack; }
  }
  inside.tell(told);
}`;
