// eagain: every socket your kernel has, awaited.

/// <reference types="node" preserve="true" />

export {
  connect,
  type ConnectDatagramOptions,
  type ConnectOptions,
  type ConnectSeqpacketOptions,
  type ConnectStreamOptions,
} from './endpoints/connect';
export {
  listen,
  type ListenOptions,
  type ListenSeqpacketOptions,
  type ListenStreamOptions,
} from './endpoints/listen';
export {
  bind,
  type BindDatagramOptions,
  type BindOptions,
  type BindRawSocketOptions,
} from './endpoints/bind';
export { fromFd, type Endpoint } from './endpoints/from_fd';
export { listenFds, type InheritedEndpoint } from './endpoints/listen_fds';
export { StreamSocket } from './endpoints/stream';
export type { CloseOptions } from './endpoints/closing';
export { Listener } from './endpoints/listener';
export { MessageSocket, type SendOptions } from './endpoints/message';
export type { InetMetadata, SocketMetadata, UdpMetadata } from './endpoints/metadata';
export type { Membership, MulticastOptions } from './socket/multicast';
export { DatagramSocket } from './endpoints/datagram';
export { SeqpacketSocket } from './endpoints/seqpacket';
export {
  RawSocket,
  type PacketGroup,
  type RawAddress,
  type RawGroup,
  type RawOutgoingMessage,
} from './endpoints/raw';
export type { IterateOptions, ObserveOptions, Source } from './endpoints/source';
export type { SinkOptions } from './endpoints/sink';
export { createConnection, type CreateConnectionOptions } from './endpoints/connection';
export { SocketDuplex, type DuplexAddress } from './adapters/duplex';
export type { ServeOptions } from './endpoints/serving';
export type { FileHandleLike, SendFileOptions } from './endpoints/send_file';
export type { Timeouts } from './endpoints/timeouts';
export type { Overflow } from './adapters/observe';
export type { OverflowOptions } from './adapters/overflow';
export type { SinkOverflow } from './adapters/sink';
export { Socket, socket, socketpair } from './socket/socket';
export type {
  FileRange,
  Flags,
  ReceiveMessage,
  ReceiveMessages,
  Transfer,
} from './socket/transfer_options';
export { poll, type Polled, type PollResult } from './socket/poll';
export type { Owner } from './socket/owner';
export type { Received } from './socket/receive';
export type { Interest, Readiness } from './socket/ready';
export type { Message, OutgoingMessage } from './socket/message';
export type { Control, HasFd, OutgoingControl, PacketInfo, TrafficClass } from './socket/control';
export { OwnedFd } from './socket/owned_fd';
export type { ErrorQueueEntry } from './socket/error_queue';
export type { BatchSent } from './socket/send_many';
export type { Bytes, Data, IoVec } from './socket/bytes';
export type {
  Address,
  AddressInput,
  InetAddress,
  NetlinkAddress,
  OpaqueAddress,
  PacketAddress,
  UnixAddress,
  VsockAddress,
} from './socket/address';
export {
  constants,
  type Constants,
  type Family,
  type How,
  type SocketType,
} from './socket/constants';
export * as bpf from './socket/bpf';
export * as codecs from './socket/options/codecs';
export { defineOption, type Codec, type OptionDefinition } from './socket/options';
export type * from './socket/options/types';
export { netdb, type AddressHints, type AddressInfo, type NameInfo } from './names/netdb';
export type { HostEntry, NetworkEntry, ProtocolEntry, ServiceEntry } from './names/entries';
export { inet } from './names/inet';
export { interfaces, type InterfaceAddress, type NetworkInterface } from './names/interfaces';
export type { SystemError } from './core/errors';
export type { Wait } from './core/validate';
