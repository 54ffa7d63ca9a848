// Descriptors that messages bring in: where they were wanted, a token stands in the place of each.

import { CONTROL_LENGTH, FACTS_PER_MESSAGE } from '../../../lib/native/binding';
import { isLittleEndian } from './sockets';
import { binding, C, FACTS, shared } from './wall';

/** Where a message of recvmmsg has the bytes of its control data among its facts. */
const LENGTH_FACT = 3;

// The library's decodeControl has an addon of its own behind it: not the one that is under test here.
const layout = binding.layout;
const WORD = layout['size_t'];
const aligned = (size: number): number => (size + WORD - 1) & ~(WORD - 1);
const HEADER = aligned(layout['cmsghdr']);

/** Closes those of the call that has just answered with `result`. */
export function closeReceived(name: string, args: readonly unknown[], result: number): void {
  if (name === 'recvmsg') closeIn(0, shared[CONTROL_LENGTH]);
  if (name !== 'recvmmsg') return;
  const place = aligned(Number(args[4]) | 0);
  for (let i = 0; i < result; i++) {
    closeIn(i * place, shared[FACTS + i * FACTS_PER_MESSAGE + LENGTH_FACT]);
  }
}

function closeIn(place: number, length: number): void {
  if (length === 0) return;
  const { buffer, byteOffset } = binding.slabs().receive;
  const { controlOffset } = binding.batchLayout;
  const view = new DataView(buffer, byteOffset + controlOffset + place, length);
  const int = (at: number): number => view.getInt32(at, isLittleEndian);
  for (let part = 0; length - part >= HEADER;) {
    // Of a length that is 64 bits wide the half that counts: nothing is as long as the other.
    const size = Math.max(int(part), WORD > 4 ? int(part + 4) : 0);
    if (size < HEADER) return;
    const isRights =
      int(part + layout['cmsghdr.cmsg_level']) === C.SOL_SOCKET &&
      int(part + layout['cmsghdr.cmsg_type']) === C.SCM_RIGHTS;
    // What was not wanted is closed, and -1.
    for (let at = part + HEADER; isRights && at + 4 <= part + size; at += 4) binding.close(int(at));
    part += aligned(size);
  }
}
