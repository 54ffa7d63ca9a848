// The numbers that both sides of the wall write down: lib/native/binding.ts against the headers it names.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import * as wall from '../../lib/native/binding';
import { binding } from '../../lib/native/load';
import { importsOf, ROOT, sourcesOf } from './sources';

// Each header that has them, and the class that they belong to there.
const HEADERS = [
  ['loop/readiness.h', ''],
  ['loop/slot_table.cc', ''],
  ['loop/reactor.h', 'Reactor::'],
  ['sys/message_batch.h', 'MessageBatch::'],
  ['binding/shared.h', ''],
  ['sys/netdb.h', ''],
] as const;

/** The C++ constants of those headers, `Class::kName`; each may be told by those before it. */
function constantsOfAddon(): Map<string, number> {
  const known = new Map([['sizeof(sockaddr_storage)', binding.layout['sockaddr_storage']]]);
  for (const [header, scope] of HEADERS) {
    const code = readFileSync(join(ROOT, 'addon', header), 'utf8').replace(/\/\/.*$/gm, '');
    for (const [, name, expression] of code.matchAll(/\b(k[A-Z]\w*)\s*=\s*([^;,}]+)/g)) {
      const value = evaluate(expression, scope, known);
      if (value !== undefined) known.set(scope + name, value);
    }
  }
  return known;
}

/** Sums, products and shifts of numbers and of names that are known. */
function evaluate(
  expression: string,
  scope: string,
  known: ReadonlyMap<string, number>,
): number | undefined {
  const text = expression
    .replace(/sizeof\(\w+\)/g, (size) => String(known.get(size)))
    .replace(/\b(?:\w+::)*?(\w+::)?(k[A-Z]\w*)/g, (_, owner: string | undefined, name: string) =>
      String(known.get((owner ?? scope) + name) ?? known.get(name)),
    )
    .replace(/\b(\d+)u\b/g, '$1');
  return /^[\d\s+*()<|-]+$/.test(text) ? Number(runInNewContext(text)) : undefined;
}

const there = constantsOfAddon();

/** lib's name → addon's. PLACE_MASK is told by a number of bits. */
const SAME: Readonly<Record<string, string>> = {
  READ: 'kRead',
  WRITE: 'kWrite',
  PRIORITY: 'kPriority',
  ERROR: 'kError',
  HANGUP: 'kHangup',
  PEER_CLOSED: 'kPeerClosed',
  DISARMED: 'kDisarmed',
  REFERENCED: 'kReferenced',
  IN_TURN: 'kInTurn',
  MESSAGE_FLAGS: 'kMessageFlags',
  NAME_LENGTH: 'kNameLength',
  CONTROL_LENGTH: 'kControlLength',
  FACTS: 'kFacts',
  BATCH: 'kBatch',
  FACTS_PER_MESSAGE: 'MessageBatch::kFacts',
  HOSTS: 'kHosts',
  NETWORKS: 'kNetworks',
  PROTOCOLS: 'kProtocols',
  SERVICES: 'kServices',
};

const here = new Map(Object.entries(wall).filter(([, value]) => typeof value === 'number'));

test('every number of lib/native/binding.ts is compared here', () => {
  expect([...here.keys()].sort()).toEqual([...Object.keys(SAME), 'PLACE_MASK'].sort());
});

test.each(Object.entries(SAME))('%s is %s', (ours, theirs) => {
  expect(there.get(theirs)).toBeDefined();
  expect(here.get(ours)).toBe(there.get(theirs));
});

test("PLACE_MASK covers a token's place, and nothing of its generation", () => {
  expect(wall.PLACE_MASK).toBe(2 ** there.get('kPlaceBits')! - 1);
});

test('the readiness bits are one bit each, and none twice', () => {
  const names = ['READ', 'WRITE', 'PRIORITY', 'ERROR', 'HANGUP', 'PEER_CLOSED', 'DISARMED'];
  expect(names.map((name) => here.get(name))).toEqual(names.map((_, i) => 2 ** i));
});

test('the shared memory has room for the facts before the batch, and for a whole batch', () => {
  const facts = there.get('MessageBatch::kCapacity')! * wall.FACTS_PER_MESSAGE;
  expect(wall.BATCH - wall.FACTS).toBe(facts);
  expect(there.get('kSharedSize')! - wall.BATCH).toBe(2 * there.get('Reactor::kMaxEvents')!);
});

test.each([
  ['capacity', 'kCapacity'],
  ['head', 'kHead'],
  ['headStride', 'kHeadStride'],
  ['nameStride', 'kNameStride'],
  ['tailOffset', 'kTailOffset'],
  ['tailSize', 'kTailSize'],
  ['namesOffset', 'kNamesOffset'],
  ['sendSize', 'kSendSize'],
  ['controlOffset', 'kControlOffset'],
  ['controlStride', 'kControlStride'],
  ['controlSize', 'kControlSize'],
] as const)('the addon tells of %s what its header says of %s', (ours, theirs) => {
  const told = there.get(`MessageBatch::${theirs}`);
  expect(told).toBeDefined();
  expect(binding.batchLayout[ours]).toBe(told);
});

test('each outgoing message takes as many facts on both sides', () => {
  const source = sourcesOf('lib/socket', /^lay_out\.ts$/).get('lay_out.ts')!;
  const ours = /^const OUTGOING = (\d+);$/m.exec(source)?.[1];
  expect(Number(ours)).toBe(there.get('MessageBatch::kOutgoing'));
});

test('the functions of the addon are those of the Binding interface', () => {
  const source = readFileSync(join(ROOT, 'lib/native/binding.ts'), 'utf8');
  const body = /export interface Binding \{(.*?)\n\}/s.exec(source)![1];
  const declared = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name);
  expect(Object.keys(binding).sort()).toEqual(declared.sort());
  expect(importsOf('binding.ts', source).every(({ type }) => type)).toBe(true);
});
