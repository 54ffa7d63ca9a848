// What is of Unix sockets: who is at the other end, and what comes with each message. unix(7).

import { flag, int, text, uint32List } from './codec';
import { credentials, type PeerCredentials } from './structs';
import { getter, option, setter, type Table } from './table';
import type { ReadOnly, SetOnly } from './types';

export interface UnixOptions {
  /** Each message comes with its sender's credentials. */
  passCredentials: boolean;
  /** Each message comes with a pidfd of its sender. */
  passPidfd: boolean;
  /** Each message comes with its sender's security context. */
  passSecurity: boolean;
  /** Descriptors are taken from messages: true unless told; without it they cannot even be sent here. */
  passRights: boolean;
  /** Each read of a stream comes with the number of bytes that are left. Linux 6.17. */
  unixInQueue: SetOnly<boolean>;
  /** Who connected, listened or made the pair. On TCP it is no error but nobody: pid 0 and ids of 4294967295. */
  peerCredentials: ReadOnly<PeerCredentials>;
  /** The peer's supplementary groups. */
  peerGroups: ReadOnly<readonly number[]>;
  /** A new descriptor that stands for the peer's process, pidfd_open(2): yours to close. */
  peerPidfd: ReadOnly<number>;
  /** The peer's security context. */
  peerSecurity: ReadOnly<string>;
}

const GROUPS = 65536; // NGROUPS_MAX

export const UNIX: Table<UnixOptions> = {
  passCredentials: option('SOL_SOCKET', 'SO_PASSCRED', flag),
  passPidfd: option('SOL_SOCKET', 'SO_PASSPIDFD', flag),
  passSecurity: option('SOL_SOCKET', 'SO_PASSSEC', flag),
  passRights: option('SOL_SOCKET', 'SO_PASSRIGHTS', flag),
  unixInQueue: setter('SOL_SOCKET', 'SO_INQ', flag),
  peerCredentials: getter('SOL_SOCKET', 'SO_PEERCRED', credentials),
  peerGroups: getter('SOL_SOCKET', 'SO_PEERGROUPS', uint32List(GROUPS)),
  peerPidfd: getter('SOL_SOCKET', 'SO_PEERPIDFD', int()),
  peerSecurity: getter('SOL_SOCKET', 'SO_PEERSEC', text(4095)),
};
