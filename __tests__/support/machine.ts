// What this machine can do, asked once, for needs().

import { execFileSync } from 'node:child_process';
import { socket } from '../../lib/socket/socket';

function works(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

/** Raw and packet sockets may be opened. */
export const CAN_OPEN_RAW = works(() => socket('IPv4', 'raw', 'icmp').close());

/** ::1 is there. */
export const HAS_IPV6 = works(() => {
  using probe = socket('IPv6', 'dgram');
  probe.bind({ address: '::1', port: 0 });
});

export const HAS_VSOCK = works(() => socket('vsock', 'stream').close());

export const HAS_PYTHON = works(() => python('import socket'));

/** What a Python 3 program prints. */
export function python(program: string): string {
  return execFileSync('python3', ['-c', program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Network namespaces of our own may be made, and their sysctls set. */
export const CAN_UNSHARE = works(() =>
  execFileSync('unshare', ['--net', 'sh', '-c', 'ip link set lo up'], { stdio: 'ignore' }),
);

export const HAS_MPTCP = works(() => socket('IPv4', 'stream', 'mptcp').close());
