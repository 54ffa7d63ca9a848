// close-on-exec: a program that this process starts gets none of its sockets, unless it is given one on purpose.

import { run } from './support/program';

interface Seen {
  /** The kernel's names of all that this library has open. */
  ours: string[];
  /** Of those, what a child process has. */
  inherited: string[];
  /** Of those, what a child has to which one was given. */
  given: string[];
}

test('promise 8: child processes inherit no descriptor of this library', async () => {
  const { ours, inherited, given } = await run<Seen>(
    async ({ eagain, childProcess, descriptors, tell, name }) => {
      const before = descriptors();
      const listener = await eagain.listen({ host: '127.0.0.1', port: 0 });
      const { port } = listener.address as { port: number };
      const path = name();
      const records = await eagain.listen({ type: 'seqpacket', path });
      const [first, second] = eagain.socketpair();
      const kept = [
        listener,
        records,
        ...(await Promise.all([
          eagain.connect({ host: '127.0.0.1', port }),
          listener.accept(),
          eagain.connect({ type: 'seqpacket', path }),
          records.accept(),
          eagain.bind({ host: '127.0.0.1' }),
          eagain.bind({ type: 'raw', family: 'netlink', protocol: 'route' }),
        ])),
        first,
        first.dup(),
        eagain.Socket.fromFd(second.detach()),
        eagain.socket('unix', 'dgram'),
      ];
      await listener.accept({ timeout: 0 }).catch(() => undefined);
      const own = descriptors().filter((entry) => !before.includes(entry));
      const poller = 'anon_inode:[eventpoll]';
      const pollers = (entries: string[]): number =>
        entries.filter((entry) => entry === poller).length;
      if (pollers(descriptors()) > pollers(before)) own.push(poller);

      const ofChild = (extra: number | 'ignore'): string[] => {
        const script = 'for f in /proc/self/fd/*; do readlink "$f"; done';
        const { stdout } = childProcess.spawnSync('sh', ['-c', script], {
          stdio: ['ignore', 'pipe', 'ignore', extra],
          encoding: 'utf8',
        });
        return stdout.split('\n').filter((entry) => own.includes(entry));
      };
      tell({ ours: own, inherited: ofChild('ignore'), given: ofChild(first.fd) });
      process.exit(kept.length > 0 ? 0 : 1);
    },
  );
  // 12 sockets of the list, and the poller's own descriptor.
  expect(ours.filter((entry) => entry.startsWith('socket:'))).toHaveLength(12);
  expect(ours).toContain('anon_inode:[eventpoll]');
  expect(given).toHaveLength(1);
  expect(inherited).toEqual([]);
});
