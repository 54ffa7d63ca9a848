// sendmsg and recvmsg look at the elements of an array, and a getter among those is a program that runs in the
// middle of the call. What it does to sockets and memory must have been done before anything of them is used.

import { FACTS } from '../../lib/native/binding';
import { binding } from '../../lib/native/load';

const { shared } = binding.start(() => undefined);
const { AF_UNIX, EAGAIN, EBADF, EINVAL, SOCK_DGRAM } = binding.constants;

const opened: number[] = [];
afterEach(() => {
  for (const token of opened.splice(0)) binding.close(token);
});

function pair(): [number, number] {
  expect(binding.socketpair(AF_UNIX, SOCK_DGRAM, 0)).toBe(0);
  const [a, b] = [shared[FACTS], shared[FACTS + 1]];
  opened.push(a, b);
  return [a, b];
}

/** Opens more sockets than there are, so that the table of slots moves. */
function growTable(): void {
  for (let i = 0; i < 500; i++) opened.push(binding.open(AF_UNIX, SOCK_DGRAM, 0));
}

/** Some pieces, and one more that is asked for by a getter. */
function trap(pieces: readonly Uint8Array[], spring: () => void): Uint8Array[] {
  const get = (): Uint8Array => {
    spring();
    return new Uint8Array([1]);
  };
  return Object.defineProperty([...pieces], pieces.length, { get });
}

const received = (token: number): number => binding.recv(token, new Uint8Array(64), 0, 64, 0);

describe.each(['sendmsg', 'recvmsg'] as const)('%s', (name) => {
  const perform = (token: number, pieces: readonly Uint8Array[]): number =>
    name === 'sendmsg' ? binding.sendmsg(token, pieces, 0, 0) : binding.recvmsg(token, pieces, 0);

  test('promise 4: of a socket that a getter closes reaches nobody who has its number since', () => {
    pair();
    const [a] = pair();
    const fd = binding.fd(a);
    let stranger = -1;
    let other = -1;
    const pieces = trap([new Uint8Array(8)], () => {
      growTable();
      binding.close(a);
      [stranger, other] = pair();
      expect(binding.fd(stranger)).toBe(fd);
      binding.send(other, new Uint8Array(3), 0, 3, 0);
    });
    expect(perform(a, pieces)).toBe(-EBADF);
    expect(received(other)).toBe(-EAGAIN);
    expect(received(stranger)).toBe(3);
  });

  test('touches no memory that a getter gave away', () => {
    const [a, b] = pair();
    binding.send(b, new Uint8Array(8).fill(7), 0, 8, 0);
    const mine = new Uint8Array(8);
    let theirs = new Uint8Array(0);
    const pieces = trap([mine], () => {
      theirs = new Uint8Array(structuredClone(mine.buffer, { transfer: [mine.buffer] }));
    });
    // The piece that is left takes, or gives, one byte; recvmsg tells the length on the wire.
    expect(perform(a, pieces)).toBe(name === 'sendmsg' ? 1 : 8);
    expect([...theirs]).toEqual(new Array<number>(8).fill(0));
  });

  test('answers a getter that throws, and throws nothing itself', () => {
    const [a] = pair();
    const pieces = trap([], () => {
      throw new Error('thrown by a getter');
    });
    expect(perform(a, pieces)).toBe(-EINVAL);
  });
});
