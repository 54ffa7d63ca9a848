// Every way of level 1 to send and to receive one message with control data.

import type { Message, OutgoingMessage, Socket } from '../../lib/index';

/** Room for 253 descriptors and more. */
export const ROOM = 2048;

export type Receive = (socket: Socket, controlSize?: number) => Promise<Message>;
export type Send = (socket: Socket, message: OutgoingMessage) => Promise<unknown>;

const RECEIVE: Readonly<Record<string, Receive>> = {
  recvmsg: (socket, controlSize = ROOM) => socket.recvmsg({ controlSize }),
  'recvmsg into memory': (socket, controlSize = ROOM) =>
    socket.recvmsg({ into: [Buffer.alloc(100), Buffer.alloc(65_536)], controlSize }),
  recvmmsg: async (socket, controlSize = ROOM) => (await socket.recvmmsg(1, { controlSize }))[0],
  tryRecvmsg: async (socket, controlSize = ROOM) => {
    await socket.ready({ read: true });
    return socket.tryRecvmsg({ controlSize })!;
  },
};

const SEND: Readonly<Record<string, Send>> = {
  sendmsg: (socket, message) => socket.sendmsg(message),
  sendmmsg: (socket, message) => socket.sendmmsg([message]),
  trySendmsg: (socket, message) => Promise.resolve(socket.trySendmsg(message)),
};

/** Each way to send and each way to receive, for `describe.each`. */
export const WAYS: readonly (readonly [how: string, send: Send, receive: Receive])[] = (
  [
    ['sendmsg', 'recvmsg'],
    ['sendmsg', 'recvmsg into memory'],
    ['sendmmsg', 'recvmmsg'],
    ['trySendmsg', 'tryRecvmsg'],
  ] as const
).map(([to, from]) => [`${to} → ${from}`, SEND[to], RECEIVE[from]]);
