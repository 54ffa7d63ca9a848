// A bus of D-Bus of our own, through dbus-native's stream option; and descriptors through it, in frames of our own,
// since no client on npm sends any without an addon.

import { closeSync, fstatSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { once, type EventEmitter } from 'node:events';
import { join } from 'node:path';
import { connect, createConnection, type OwnedFd, type SocketDuplex } from '../../lib/index';
import { leavesNoSockets, nameOf } from '../support/descriptors';
import { needs } from '../support/needs';
import { find, folder, start, type Program } from './support/programs';

type Reply = (error: unknown, ...values: never[]) => void;

/** What is used of dbus-native, whose own types leave out nearly all of it. */
interface Bus {
  readonly name: string;
  readonly connection: { readonly stream: SocketDuplex };
  readonly signals: EventEmitter;
  invoke(message: object, reply: Reply): void;
  invokeDbus(message: object, reply: Reply): void;
  addMatch(rule: string, reply: Reply): void;
  requestName(name: string, flags: number, reply: Reply): void;
  sendSignal(path: string, of: string, name: string, signature: string, args: unknown[]): void;
  exportInterface(object: object, path: string, description: object): void;
  mangle(path: string, of: string, member: string): string;
}
interface Message {
  readonly member?: string;
  readonly signature?: string;
  readonly replySerial?: number;
  readonly body?: unknown[];
}
/* eslint-disable @typescript-eslint/no-require-imports -- it has no types for these */
const { createClient } = require('@homebridge/dbus-native') as {
  createClient: (options: { stream: SocketDuplex }) => Bus;
};
const marshall = require('@homebridge/dbus-native/lib/marshall') as (
  signature: string,
  data: unknown[],
  offset?: number,
) => Buffer;
const { unmarshalMessages } = require('@homebridge/dbus-native/lib/message') as {
  unmarshalMessages: (stream: SocketDuplex, got: (message: Message) => void) => void;
};
/* eslint-enable @typescript-eslint/no-require-imports */

const daemon = find('dbus-daemon');
const real = needs('dbus-daemon', daemon !== undefined);
const place = folder();
const path = join(place, 'bus');
let server: Program | undefined;

const CONFIGURATION = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>`;

beforeAll(async () => {
  if (daemon === undefined) return;
  const configuration = join(place, 'bus.conf');
  writeFileSync(configuration, CONFIGURATION);
  server = start(daemon, [
    '--nofork',
    '--nopidfile',
    `--config-file=${configuration}`,
    '--print-address=1',
  ]);
  // It prints where it listens when it does.
  await Promise.race([once(server.process.stdout!, 'data'), once(server.process, 'exit')]);
  if (!server.output().startsWith('unix:path=')) throw new Error(server.output());
}, 30_000);

afterAll(async () => {
  await server?.stop();
});

leavesNoSockets();

const asked = <T>(ask: (reply: Reply) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    ask((error, value) => {
      if (error === null || error === undefined) resolve(value);
      else reject(new Error(JSON.stringify(error)));
    });
  });

async function end(...buses: readonly (Bus | SocketDuplex)[]): Promise<void> {
  for (const bus of buses) {
    const stream = 'connection' in bus ? bus.connection.stream : bus;
    const closed = once(stream, 'close');
    stream.end();
    stream.destroySoon();
    await closed;
  }
}

const OBJECT = '/org/example/Object';
const INTERFACE = 'org.example.Interface';

describe.each([
  ['createConnection()', () => Promise.resolve(createConnection({ path }))],
  ['toDuplex()', async () => (await connect({ path })).toDuplex()],
])('over %s', (_, stream) => {
  real('dbus: the bus answers, names are owned and found', async () => {
    const [one, other] = [
      createClient({ stream: await stream() }),
      createClient({ stream: await stream() }),
    ];
    const id = await asked<string>((reply) => one.invokeDbus({ member: 'GetId' }, reply));
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const name = 'org.example.Name';
    expect(await asked((reply) => one.requestName(name, 0, reply))).toBe(1);
    // 3: it is somebody else's, and this one may not wait for it (DBUS_NAME_FLAG_DO_NOT_QUEUE).
    expect(await asked((reply) => other.requestName(name, 4, reply))).toBe(3);
    const owner = await asked((reply) =>
      other.invokeDbus({ member: 'GetNameOwner', signature: 's', body: [name] }, reply),
    );
    expect(owner).toBe(one.name);
    const names = await asked<string[]>((reply) =>
      other.invokeDbus({ member: 'ListNames' }, reply),
    );
    expect(names).toEqual(expect.arrayContaining(['org.freedesktop.DBus', name, other.name]));
    await end(one, other);
  });

  real('dbus: calls and signals between two connections, of a megabyte and of many', async () => {
    const [one, other] = [
      createClient({ stream: await stream() }),
      createClient({ stream: await stream() }),
    ];
    const description = { name: INTERFACE, methods: { Reverse: ['s', 's'] }, signals: {} };
    const object = { Reverse: (text: string) => Buffer.from(text).reverse().toString() };
    one.exportInterface(object, OBJECT, description);
    await asked((reply) => other.addMatch(`type='signal',interface='${INTERFACE}'`, reply));
    const call = (text: string): Promise<string> =>
      asked((reply) =>
        other.invoke(
          {
            destination: one.name,
            path: OBJECT,
            interface: INTERFACE,
            member: 'Reverse',
            signature: 's',
            body: [text],
          },
          reply,
        ),
      );
    expect(await call('abc')).toBe('cba');
    const large = 'x'.repeat(1 << 20);
    expect(await call(`${large}y`)).toBe(`y${large}`);
    // The bus lets 128 calls of a connection wait for their replies.
    const many = Array.from({ length: 100 }, (_, i) => String(i));
    expect((await Promise.all(many.map(call))).length).toBe(many.length);

    const heard: number[] = [];
    const all = new Promise<void>((resolve) => {
      other.signals.on(other.mangle(OBJECT, INTERFACE, 'Counted'), ([n]: [number]) => {
        if (heard.push(n) === many.length) resolve();
      });
    });
    for (const i of many.keys()) one.sendSignal(OBJECT, INTERFACE, 'Counted', 'u', [i]);
    await all;
    expect(heard).toEqual([...many.keys()]);
    await end(one, other);
  });
});

// The fields of a message's header that are used here, by the numbers of the specification.
const FIELDS = {
  path: [1, 'o'],
  interface: [2, 's'],
  member: [3, 's'],
  destination: [6, 's'],
  signature: [8, 'g'],
  unixFds: [9, 'u'],
} as const;
const METHOD_CALL = 1;

function frame(
  serial: number,
  fields: Partial<Record<keyof typeof FIELDS, unknown>>,
  body: Buffer,
): Buffer {
  const list = Object.entries(fields).map(([field, value]) => {
    const [number, type] = FIELDS[field as keyof typeof FIELDS];
    return [number, [type, value]];
  });
  const head = Buffer.concat([
    marshall('yyyyuu', [0x6c, METHOD_CALL, 0, 1, body.length, serial]),
    marshall('a(yv)', [list], 12),
  ]);
  return Buffer.concat([head, Buffer.alloc(-head.length & 7), body]);
}

interface Passing {
  readonly stream: SocketDuplex;
  readonly name: string;
  /** What came, in order: descriptors wait in the queue until a message claims them. */
  readonly fds: OwnedFd[];
  message(matches: (message: Message) => boolean): Promise<Message>;
}

/** A client that has agreed on descriptors with the bus. */
async function passing(): Promise<Passing> {
  const stream = createConnection({ path });
  const fds: OwnedFd[] = [];
  stream.on('fds', (some: OwnedFd[]) => fds.push(...some));
  const answer = async (words: string): Promise<string> => {
    stream.write(words);
    const [line] = (await once(stream, 'data')) as [Buffer];
    return line.toString();
  };
  const user = Buffer.from(String(process.getuid!())).toString('hex');
  expect(await answer(`\0AUTH EXTERNAL ${user}\r\n`)).toMatch(/^OK /);
  expect(await answer('NEGOTIATE_UNIX_FD\r\n')).toBe('AGREE_UNIX_FD\r\n');
  stream.write('BEGIN\r\n');
  const came: Message[] = [];
  let look = (): void => undefined;
  unmarshalMessages(stream, (message) => {
    came.push(message);
    look();
  });
  const message = (matches: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve) => {
      look = (): void => {
        const found = came.find(matches);
        if (found !== undefined) resolve(found);
      };
      look();
    });
  const bus = {
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    destination: 'org.freedesktop.DBus',
  };
  stream.write(frame(1, { ...bus, member: 'Hello' }, Buffer.alloc(0)));
  const hello = await message(({ replySerial }) => replySerial === 1);
  return { stream, name: hello.body![0] as string, fds, message };
}

real('dbus: descriptors through the bus, from one connection to the other', async () => {
  const [one, other] = [await passing(), await passing()];
  const open = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => nameOf(fd) === __filename).length;
  const file = openSync(__filename, 'r');
  const to = { path: OBJECT, interface: INTERFACE, destination: other.name };
  for (const [i, count] of [1, 3, 16].entries()) {
    const member = `Take${count}`;
    // Places among the descriptors that came with the message: 'h', were it known to dbus-native.
    const body = marshall(
      'u'.repeat(count),
      Array.from({ length: count }, (_, k) => k),
    );
    const signature = 'u'.repeat(count);
    one.stream.writeWithFds(
      frame(10 + i, { ...to, member, signature, unixFds: count }, body),
      Array<number>(count).fill(file),
    );
    await other.message((message) => message.member === member);
    const theirs = other.fds.splice(0, count);
    expect(theirs).toHaveLength(count);
    for (const owned of theirs) expect(fstatSync(owned.fd).ino).toBe(fstatSync(file).ino);
    expect(open()).toBe(1 + count);
    theirs.forEach((owned) => owned.close());
  }
  expect(other.fds).toEqual([]);
  expect(open()).toBe(1);
  closeSync(file);
  await end(one.stream, other.stream);
});
