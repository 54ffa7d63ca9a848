// The types of socket options: what each gives and takes, what is read-only or set-only, and one of a program's own.
// Never run: `npm run typecheck` is the test.

import {
  bpf,
  codecs,
  connect,
  bind,
  constants,
  defineOption,
  listen,
  type IcmpFilter,
  type OptionValue,
  type PeerCredentials,
  type ReadOnly,
  type SetOnly,
  type SettableOptions,
  type Socket,
  type SocketOptions,
} from 'eagain';
import { sure, type Same } from './check';

declare module 'eagain' {
  interface SocketOptions {
    typeTestNumber: number;
    typeTestReadOnly: ReadOnly<string>;
    typeTestSetOnly: SetOnly<number>;
  }
}

export function gets(socket: Socket): void {
  sure<Same<ReturnType<typeof socket.get<'noDelay'>>, boolean>>();
  const linger = socket.get('linger');
  sure<Same<typeof linger, number | false>>();
  const credentials = socket.get('peerCredentials');
  sure<Same<typeof credentials, PeerCredentials>>();
  const filter = socket.get('icmpFilter');
  sure<Same<typeof filter, IcmpFilter>>();
  const { rto, bytesAcked, bytesSent } = socket.get('tcpInfo');
  sure<Same<typeof rto, number>>();
  sure<Same<typeof bytesAcked, bigint>>();
  sure<Same<typeof bytesSent, bigint | undefined>>();
  sure<Same<OptionValue<'typeTestReadOnly'>, string>>();
  // @ts-expect-error: no such option
  socket.get('noDelays');
  // @ts-expect-error: it can only be set
  socket.get('joinGroup');
  // @ts-expect-error: it can only be set
  socket.get('detachFilter');
  // @ts-expect-error: the program's own is set-only
  socket.get('typeTestSetOnly');
}

export function sets(socket: Socket): void {
  const same: Socket = socket.set('noDelay', true).set('keepIdle', 5);
  same.set('attachFilter', bpf.port(53)).set('detachFilter', true);
  socket.set('joinGroup', { group: '239.1.2.3', interface: 'lo' });
  socket.set('netlinkAddMembership', 1);
  socket.set('maxPacingRate', 5n);
  socket.set('linger', false);
  // @ts-expect-error: a switch is a boolean
  socket.set('noDelay', 1);
  // @ts-expect-error: a number
  socket.set('keepIdle', '5');
  // @ts-expect-error: a bigint
  socket.set('maxPacingRate', 5);
  // @ts-expect-error: only `false` is a boolean that it takes
  socket.set('linger', true);
  // @ts-expect-error: one of the words
  socket.set('mtuDiscover', 'maybe');
  // @ts-expect-error: words of the list
  socket.set('timestamping', ['everything']);
  // @ts-expect-error: read-only
  socket.set('error', 0);
  // @ts-expect-error: read-only, whatever the value
  socket.set('tcpInfo', socket.get('tcpInfo'));
  // @ts-expect-error: an action has one value
  socket.set('detachFilter', false);
  // @ts-expect-error: a group is needed
  socket.set('joinGroup', { interface: 'lo' });
  // @ts-expect-error: a filter blocks or passes
  socket.set('icmpFilter', { block: [1], pass: [2] });
  // @ts-expect-error: no such option
  socket.set('noDelays', true);
}

export async function verbs(): Promise<void> {
  const options: SettableOptions = { noDelay: true, priority: 3 };
  await connect({ port: 80, options });
  await listen({ port: 80, options: { deferAccept: 3 } });
  await bind({ port: 80, options: { joinGroup: { group: '239.1.2.3' }, ttl: undefined } });
  const partial: Partial<SocketOptions> = { noDelay: true };
  sure<Same<(typeof partial)['noDelay'], boolean | undefined>>();
  // @ts-expect-error: no such option
  await connect({ port: 80, options: { noDelays: true } });
  // @ts-expect-error: read-only
  await connect({ port: 80, options: { error: 0 } });
  // @ts-expect-error: the option's own type
  await listen({ port: 80, options: { keepIdle: '5' } });
}

export function own(socket: Socket): void {
  const at = { level: constants.IPPROTO_TCP, name: 99 };
  defineOption('typeTestNumber', { ...at, codec: codecs.int(0, 5) });
  defineOption('typeTestReadOnly', { ...at, codec: codecs.text(15), access: 'get' });
  socket.set('typeTestNumber', 5).set('typeTestSetOnly', 3);
  // @ts-expect-error: a codec of numbers
  defineOption('typeTestNumber', { ...at, codec: codecs.flag });
  // @ts-expect-error: not declared
  defineOption('typeTestNothing', { ...at, codec: codecs.int() });
  // @ts-expect-error: 'get', 'set' or 'both'
  defineOption('typeTestNumber', { ...at, codec: codecs.int(), access: 'write' });
}

export function programs(): void {
  bpf.assemble([['ldh', 12], ['jeq', 0x806, 'keep'], ['ret', 0], 'keep:', ['ret', 1]]);
  // @ts-expect-error: no such mnemonic
  bpf.assemble([['load', 12]]);
  // @ts-expect-error: a label ends with a colon
  bpf.assemble(['keep']);
  // @ts-expect-error: a jump has a target
  bpf.assemble([['jeq', 1]]);
  // @ts-expect-error: protocols with ports are these
  bpf.port(80, { protocol: 'sctp' });
}
