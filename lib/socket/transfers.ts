// What a caller of level 1 asks for, checked, as the operation that does it.

import { Buffer } from 'node:buffer';
import { invalidType } from '../core/errors';
import type { Operation } from '../core/operation';
import { integer, record } from '../core/validate';
import type { AddressInput } from './address';
import { bytesOf, piecesOf, roomOf, type Bytes, type IoVec } from './bytes';
import { constants as C } from './constants';
import { BATCH_CAPACITY, type Message, type OutgoingMessage } from './message';
import {
  Receive,
  ReceiveBatch,
  ReceiveFrom,
  ReceiveInto,
  ReceiveOne,
  type Received,
} from './receive';
import { outgoing, Send, SendMessage } from './send';
import { SendBatch } from './send_many';
import type { SocketState } from './state';
import {
  controlOf,
  flagsOf,
  sizeOf,
  type Flags,
  type ReceiveMessage,
  type ReceiveMessages,
  type Transfer,
} from './transfer_options';
import { ReceiveAllBytes, ReceiveAllFrom, ReceiveAllMessage } from './wait_all';

export function sending(
  state: SocketState,
  data: Bytes | IoVec,
  options: Transfer | undefined,
): Operation<number> {
  const flags = flagsOf(options);
  if (Array.isArray(data))
    return new SendMessage(state, piecesOf(data, 'data'), undefined, flags, 'send');
  return new Send(state, bytesOf(data, 'data'), flags);
}

export function sendingTo(
  state: SocketState,
  data: Bytes | IoVec,
  to: AddressInput,
  options: Transfer | undefined,
): Operation<number> {
  if (to === undefined) throw invalidType('to', 'an address', to);
  return new SendMessage(state, piecesOf(data, 'data'), to, flagsOf(options), 'sendto');
}

export function sendingMessage(
  state: SocketState,
  message: OutgoingMessage & { flags?: Flags },
): Operation<number> {
  record('message', message);
  return new SendMessage(
    state,
    piecesOf(message.data, 'message.data'),
    message.to,
    flagsOf(message),
    'sendmsg',
    message.control,
    'message.control',
  );
}

export function sendingMessages(
  state: SocketState,
  messages: readonly OutgoingMessage[],
  options: Transfer | undefined,
): Operation<number> {
  const batch = messages.slice(0, BATCH_CAPACITY).map((message, i) => {
    record(`messages[${i}]`, message);
    return outgoing(
      piecesOf(message.data, `messages[${i}].data`),
      message.to,
      message.control,
      state.domain,
      `messages[${i}]`,
    );
  });
  return new SendBatch(state, batch, flagsOf(options), messages[0]?.to);
}

export function receiving(
  state: SocketState,
  into: Bytes,
  options: Transfer | undefined,
): Operation<number> {
  return new Receive(state, roomOf(into, 'into'), flagsOf(options));
}

export function receivingFrom(
  state: SocketState,
  into: Bytes,
  options: Transfer | undefined,
): Operation<Received> {
  return new ReceiveFrom(state, roomOf(into, 'into'), flagsOf(options));
}

export function receivingMessage(
  state: SocketState,
  options: ReceiveMessage | undefined,
): Operation<Message> {
  const flags = flagsOf(options);
  const wanted = controlOf(options);
  if (options?.into === undefined) return new ReceiveOne(state, sizeOf(options), flags, wanted);
  return new ReceiveInto(state, piecesOf(options.into, 'options.into'), flags, wanted);
}

export function receivingMessages(
  state: SocketState,
  max: number,
  options: ReceiveMessages | undefined,
): Operation<Message[]> {
  const most = integer('max', max, 1);
  const wanted = controlOf(options);
  return new ReceiveBatch(state, most, sizeOf(options), flagsOf(options), wanted);
}

// The kernel waits for all (MSG_WAITALL) on a blocking stream alone: here as many calls as it takes.
const waitsForAll = ({ stream }: SocketState, flags: number): boolean =>
  (flags & C.MSG_WAITALL) !== 0 && stream;

/** `receiving`, for one who can wait for all. */
export function receivingAll(
  state: SocketState,
  into: Bytes,
  options: Transfer | undefined,
): Operation<number> {
  const room = roomOf(into, 'into');
  const flags = flagsOf(options);
  return waitsForAll(state, flags)
    ? new ReceiveAllBytes(state, room, flags)
    : new Receive(state, room, flags);
}

/** `receivingFrom`, for one who can wait for all. */
export function receivingAllFrom(
  state: SocketState,
  into: Bytes,
  options: Transfer | undefined,
): Operation<Received> {
  const room = roomOf(into, 'into');
  const flags = flagsOf(options);
  return waitsForAll(state, flags)
    ? new ReceiveAllFrom(state, room, flags)
    : new ReceiveFrom(state, room, flags);
}

/** `receivingMessage`, for one who can wait for all. */
export function receivingAllMessage(
  state: SocketState,
  options: ReceiveMessage | undefined,
): Operation<Message> {
  const flags = flagsOf(options);
  if (!waitsForAll(state, flags)) return receivingMessage(state, options);
  const into =
    options?.into === undefined
      ? [Buffer.allocUnsafe(sizeOf(options))]
      : piecesOf(options.into, 'options.into');
  return new ReceiveAllMessage(state, into, flags, controlOf(options));
}
