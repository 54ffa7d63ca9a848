// AF_VSOCK, which is its own level. vsock(7).

import { flag, int, uint64 } from './codec';
import { milliseconds } from './structs';
import { getter, option, type Table } from './table';
import type { ReadOnly } from './types';

export interface VsockOptions {
  /** Bytes; within the next two. */
  vsockBufferSize: bigint;
  /** The least that `vsockBufferSize` may be. */
  vsockBufferMinSize: bigint;
  /** The most that `vsockBufferSize` may be. */
  vsockBufferMaxSize: bigint;
  /** Milliseconds that a blocking connect waits. */
  vsockConnectTimeout: number;
  /** The host's identifier of a peer on the same host: VMCI only. */
  vsockPeerHostVmId: ReadOnly<number>;
  /** Whether the peer is privileged: VMCI only. */
  vsockTrusted: ReadOnly<boolean>;
}

export const VSOCK: Table<VsockOptions> = {
  vsockBufferSize: option('AF_VSOCK', 'SO_VM_SOCKETS_BUFFER_SIZE', uint64),
  vsockBufferMinSize: option('AF_VSOCK', 'SO_VM_SOCKETS_BUFFER_MIN_SIZE', uint64),
  vsockBufferMaxSize: option('AF_VSOCK', 'SO_VM_SOCKETS_BUFFER_MAX_SIZE', uint64),
  vsockConnectTimeout: option('AF_VSOCK', 'SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW', milliseconds),
  vsockPeerHostVmId: getter('AF_VSOCK', 'SO_VM_SOCKETS_PEER_HOST_VM_ID', int()),
  vsockTrusted: getter('AF_VSOCK', 'SO_VM_SOCKETS_TRUSTED', flag),
};
