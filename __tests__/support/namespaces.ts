// Network namespaces of a test's own, and sockets in them: a child opens each and passes it here (SCM_RIGHTS), so
// that the library runs in this process. Names begin with "eagain-"; gone with the scope.

import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { Socket } from '../../lib/socket/socket';

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

let made = 0;

export class Namespace implements Disposable {
  readonly name = `eagain-${process.pid}-${threadId}-${made++}`;

  constructor() {
    ip('netns', 'add', this.name);
    this.ip('link', 'set', 'lo', 'up');
  }

  /** `ip` within. */
  ip(...args: readonly string[]): void {
    ip('-n', this.name, ...args);
  }

  /** `sysctl -w` within: 'net.ipv4.ip_forward=1' … */
  sysctl(...settings: readonly string[]): void {
    execFileSync('ip', ['netns', 'exec', this.name, 'sysctl', '-qw', ...settings]);
  }

  /** A program's process within. */
  spawn(file: string, args: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn('ip', ['netns', 'exec', this.name, file, ...args]);
  }

  /** What a program has printed when it has ended, whatever its exit code. */
  async run(file: string, args: readonly string[]): Promise<string> {
    const child = this.spawn(file, args);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    return output;
  }

  /** What `ip -j` says within. */
  json(...args: readonly string[]): unknown {
    return JSON.parse(execFileSync('ip', ['-n', this.name, '-j', ...args], { encoding: 'utf8' }));
  }

  /** The index of an interface within. */
  indexOf(name: string): number {
    const [link] = this.json('link', 'show', name) as [{ ifindex: number }];
    return link.ifindex;
  }

  /** A veth pair: `here` in this namespace, with an address each, and `there` in the other one. */
  link(
    other: Namespace,
    here: readonly [name: string, ...addresses: string[]],
    there: typeof here,
  ): void {
    this.ip('link', 'add', here[0], 'type', 'veth', 'peer', 'name', there[0], 'netns', other.name);
    for (const [namespace, [name, ...addresses]] of [
      [this, here],
      [other, there],
    ] as const) {
      for (const address of addresses) {
        const nodad = address.includes(':') ? ['nodad'] : [];
        namespace.ip('addr', 'add', address, 'dev', name, ...nodad);
      }
      namespace.ip('link', 'set', name, 'up');
    }
  }

  /** A socket that lives within: numbers as for socket(2). */
  async socket(domain: number, type: number, protocol = 0): Promise<Socket> {
    const [socket] = await this.sockets(1, domain, type, protocol);
    return socket;
  }

  /** Several such, for the price of one. */
  async sockets(count: number, domain: number, type: number, protocol = 0): Promise<Socket[]> {
    using receiver = Socket.open('unix', 'dgram');
    // In the file system: abstract names are a network namespace's own (unix(7)).
    const folder = mkdtempSync(join(tmpdir(), 'eagain-'));
    const path = join(folder, 'socket');
    receiver.bind({ path });
    const program = [
      'import socket, sys',
      `s = [socket.socket(${domain}, ${type}, ${protocol}) for _ in range(${count})]`,
      'c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)',
      `c.connect("${path}")`,
      'socket.send_fds(c, [b"x"], [each.fileno() for each in s])',
    ].join('\n');
    const child = spawn('ip', ['netns', 'exec', this.name, 'python3', '-c', program], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const gone = new Promise<never>((_, reject) => {
      child.on('exit', (code) => code !== 0 && reject(new Error(`python3 ended with ${code}`)));
    });
    const receiving = Promise.race([receiver.recvmsg({ controlSize: 2048 }), gone]);
    const message = await receiving.finally(() => rmSync(folder, { recursive: true }));
    const [part] = message.control;
    if (part?.kind !== 'rights') throw new Error('no socket came');
    return part.fds.map((fd) => Socket.fromFd(fd.take()));
  }

  [Symbol.dispose](): void {
    ip('netns', 'del', this.name);
  }
}

export interface Wire extends Disposable {
  readonly near: Namespace;
  readonly far: Namespace;
}

/** Two namespaces with a wire between them: 10.9.0.1 and fd09::1 on `near0`, 10.9.0.2 and fd09::2 on `far0`. */
export function wire(): Wire {
  const [near, far] = [new Namespace(), new Namespace()];
  near.link(far, ['near0', '10.9.0.1/24', 'fd09::1/64'], ['far0', '10.9.0.2/24', 'fd09::2/64']);
  return {
    near,
    far,
    [Symbol.dispose](): void {
      near[Symbol.dispose]();
      far[Symbol.dispose]();
    },
  };
}

/** Whether this process may make one. */
export const CAN_MAKE_NAMESPACES = ((): boolean => {
  try {
    using namespace = new Namespace();
    execFileSync('ip', ['netns', 'exec', namespace.name, 'python3', '-c', 'import socket']);
    return true;
  } catch {
    return false;
  }
})();
