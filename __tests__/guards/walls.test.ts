// The walls of docs/architecture.md: calls go down only, and each room knows what it may know.

import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { importsOf, includesOf, sourcesOf } from './sources';

type Sources = ReadonlyMap<string, string>;

const LIB = sourcesOf('lib', /\.ts$/);
const ADDON = sourcesOf('addon', /\.(cc|h|inc)$/);

/** The rooms of lib/, and those below that each may call. Beside itself, none may call another one. */
const BELOW: Readonly<Partial<Record<string, readonly string[]>>> = {
  native: [],
  core: ['native'],
  socket: ['core', 'native'],
  names: ['core', 'native'],
  adapters: [],
  endpoints: ['adapters', 'names', 'socket', 'core'],
  '': ['endpoints', 'adapters', 'names', 'socket', 'core'],
};

/** What all adapters may know of their own room. */
const COMMON: readonly string[] = ['adapters/contract', 'adapters/overflow'];

/** Parts of one adapter, each in a file of its own, and whose. */
const PARTS: Readonly<Partial<Record<string, string>>> = {
  'adapters/idle_timer': 'adapters/duplex.ts',
};

/** Modules that are somebody's alone: their values. `lazy` ones are loaded when they are needed. */
const OWNERS: Readonly<Partial<Record<string, { file: string; lazy: boolean }>>> = {
  'stream/web': { file: 'adapters/web.ts', lazy: false },
  rxjs: { file: 'adapters/observe.ts', lazy: true },
  stream: { file: 'adapters/duplex.ts', lazy: false },
  'node-gyp-build': { file: 'native/load.ts', lazy: false },
};

/** Modules of which a room does not even know the types. */
const NEVER: Readonly<Partial<Record<string, readonly string[]>>> = {
  native: ['rxjs', 'stream', 'net', 'dgram', 'dns'],
  core: ['rxjs', 'stream', 'net', 'dgram', 'dns'],
  socket: ['rxjs', 'stream', 'dns'],
  names: ['rxjs', 'stream', 'net', 'dgram'],
};

const roomOf = (path: string): string => (path.includes('/') ? path.split('/')[0] : '');

/** `node:stream/promises` → `stream`, `rxjs/operators` → `rxjs`. */
const packageOf = (module: string): string => module.replace(/^node:/, '').split('/')[0];

function libProblems(sources: Sources): string[] {
  const problems: string[] = [];
  for (const [path, text] of sources) {
    for (const { module, type, lazy } of importsOf(path, text)) {
      const problem =
        module === undefined
          ? path !== 'native/load.ts' && 'loads what the program computes'
          : module.startsWith('.')
            ? relativeProblem(path, module)
            : packageProblem(path, module, type, lazy);
      if (typeof problem === 'string') problems.push(`lib/${path}: ${problem}`);
    }
  }
  return problems;
}

function relativeProblem(path: string, module: string): string | undefined {
  const target = posix.join(posix.dirname(path), module);
  if (target.startsWith('..')) return `${module} is outside of lib/`;
  const [from, to] = [roomOf(path), roomOf(target)];
  const below = BELOW[from];
  if (below === undefined) return `${from}/ is no room of the house`;
  if (from !== to) return below.includes(to) ? undefined : `${from || 'index'} → ${to || 'index'}`;
  // Adapters know what is common to them: never each other, core, native.
  if (from === 'adapters' && !COMMON.includes(target) && PARTS[target] !== path)
    return `adapters → ${target}`;
  return undefined;
}

function packageProblem(
  path: string,
  module: string,
  type: boolean,
  lazy: boolean,
): string | undefined {
  const name = packageOf(module);
  if (NEVER[roomOf(path)]?.includes(name) === true) return `${roomOf(path)} → ${module}`;
  const owner = OWNERS[module.replace(/^node:/, '')] ?? OWNERS[name];
  if (owner === undefined) {
    if (!builtinModules.includes(name)) return `${module} is no dependency`;
    return module.startsWith('node:') ? undefined : `${module} without node:`;
  }
  if (type) return undefined;
  if (path !== owner.file) return `${module} belongs to ${owner.file}`;
  return owner.lazy && !lazy ? `${module} is loaded at once` : undefined;
}

function addonProblems(sources: Sources): string[] {
  const problems: string[] = [];
  const add = (path: string, what: string): void => void problems.push(`addon/${path}: ${what}`);
  for (const [path, text] of sources) {
    for (const include of includesOf(text)) {
      const problem = includeProblem(path, include);
      if (problem !== undefined) add(path, problem);
    }
    // Platforms are chosen by file. constants.inc lists what the headers may lack.
    if (!path.endsWith('.inc') && /^\s*#\s*(if|ifdef|ifndef|elif)\b/m.test(text)) add(path, '#if');
  }
  return problems;
}

const FLOORS: Readonly<Partial<Record<string, readonly string[]>>> = {
  sys: ['sys'],
  loop: ['sys', 'loop'],
  binding: ['sys', 'loop', 'binding'],
};

const NODE_API = /^<(napi|napi-inl|node_api|node_api_types|js_native_api|js_native_api_types)\.h>$/;
// What only the cellar and the boiler may know: how this platform waits, and what only Linux has.
const PLATFORM = /^<(linux\/.*|asm\/.*|sys\/(epoll|event|eventfd|timerfd)\.h|poll\.h)>$/;

function includeProblem(path: string, include: string): string | undefined {
  const floor = roomOf(path);
  const below = FLOORS[floor];
  if (below === undefined) return `${floor}/ is no floor of the house`;
  if (NODE_API.test(include)) return floor === 'binding' ? undefined : `${floor} → ${include}`;
  if (/^<(v8|node|nan)[^/]*\.h>$/.test(include)) return `${include} is not Node-API`;
  if (/^<uv\.h>$|^<uv\//.test(include)) {
    return path === 'loop/host_uv.cc' ? undefined : `${include} belongs to loop/host_uv.cc`;
  }
  if (PLATFORM.test(include)) return floor === 'binding' ? `binding → ${include}` : undefined;
  if (include.startsWith('<')) return undefined;
  const target = /^"addon\/(.+)"$/.exec(include)?.[1];
  if (target === undefined) return `${include} is not "addon/…"`;
  return below.includes(roomOf(target)) ? undefined : `${floor} → ${include}`;
}

test('lib/: no arrow runs up or sideways', () => {
  expect(LIB.size).toBeGreaterThan(30);
  expect(libProblems(LIB)).toEqual([]);
});

test('lib/index.ts re-exports, nothing else', () => {
  const statements = LIB.get('index.ts')!
    .replace(/\/\/.*$/gm, '')
    .split(';');
  const others = statements.filter((text) => !/^\s*(export\b.*\bfrom '[^']+')?\s*$/s.test(text));
  expect(others).toEqual([]);
});

test('addon/: no include runs up or sideways, and no platform is chosen within a file', () => {
  expect(ADDON.size).toBeGreaterThan(25);
  expect(addonProblems(ADDON)).toEqual([]);
});

// A guard that cannot fail guards nothing.
describe('the guard of lib/ sees', () => {
  test.each([
    ['core/x.ts', "import { Socket } from '../socket/socket';", 'core → socket'],
    ['core/x.ts', "import type { Socket } from '../socket/socket';", 'core → socket'],
    ['core/x.ts', "let x: import('../socket/socket').Socket;", 'core → socket'],
    ['core/x.ts', "export { Socket } from '../socket/socket';", 'core → socket'],
    ['core/x.ts', "const x = () => import('../index');", 'core → index'],
    ['native/x.ts', "import '../core/errors';", 'native → core'],
    ['socket/x.ts', "import { netdb } from '../names/netdb';", 'socket → names'],
    ['socket/x.ts', "import { connect } from '../endpoints/connect';", 'socket → endpoints'],
    ['socket/x.ts', "import type { Readable } from 'node:stream';", 'socket → node:stream'],
    ['socket/x.ts', "import { lookup } from 'node:dns';", 'socket → node:dns'],
    ['names/x.ts', "import { Socket } from '../socket/socket';", 'names → socket'],
    ['adapters/x.ts', "import { iterate } from './iterate';", 'adapters → adapters/iterate'],
    ['adapters/x.ts', "import './idle_timer';", 'adapters → adapters/idle_timer'],
    ['adapters/x.ts', "import { closedError } from '../core/errors';", 'adapters → core'],
    ['adapters/x.ts', "import { binding } from '../native/load';", 'adapters → native'],
    ['endpoints/x.ts', "import { binding } from '../native/load';", 'endpoints → native'],
    ['endpoints/x.ts', "import { READ } from '../native/binding';", 'endpoints → native'],
    ['endpoints/x.ts', "import { Duplex } from 'node:stream';", 'belongs to adapters/duplex.ts'],
    [
      'endpoints/x.ts',
      "import { type A, Duplex } from 'node:stream';",
      'belongs to adapters/duplex',
    ],
    ['endpoints/x.ts', "import 'stream/promises';", 'belongs to adapters/duplex.ts'],
    ['endpoints/x.ts', "import { filter } from 'rxjs';", 'belongs to adapters/observe.ts'],
    ['adapters/observe.ts', "import { Observable } from 'rxjs';", 'rxjs is loaded at once'],
    ['adapters/observe.ts', "const rxjs = require('rxjs');", 'rxjs is loaded at once'],
    ['adapters/x.ts', "const f = () => require('rxjs');", 'belongs to adapters/observe.ts'],
    ['core/x.ts', "import _ from 'lodash';", 'lodash is no dependency'],
    ['core/x.ts', "import { readFileSync } from 'fs';", 'fs without node:'],
    ['core/x.ts', 'const f = (x: string) => require(x);', 'loads what the program computes'],
    ['attic/x.ts', "import '../core/errors';", 'attic/ is no room'],
    ['core/x.ts', "import '../../package.json';", 'outside of lib/'],
  ])('%s: %s', (path, text, problem) => {
    const problems = libProblems(new Map([[path, text]]));
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    ['endpoints/x.ts', "import type { Observable } from 'rxjs';"],
    ['endpoints/x.ts', "import { type DuplexOptions } from 'node:stream';"],
    ['adapters/observe.ts', "const f = () => require('rxjs') as typeof import('rxjs');"],
    ['adapters/duplex.ts', "import { Duplex } from 'node:stream';"],
    ['endpoints/x.ts', "import { resolve } from './resolve';"],
    ['index.ts', "export type { Wait } from './core/validate';"],
  ])('nothing wrong in %s: %s', (path, text) => {
    expect(libProblems(new Map([[path, text]]))).toEqual([]);
  });
});

describe('the guard of addon/ sees', () => {
  test.each([
    ['sys/x.cc', '#include "addon/loop/reactor.h"', 'sys → "addon/loop/reactor.h"'],
    ['sys/x.cc', '#include <uv.h>', 'belongs to loop/host_uv.cc'],
    ['sys/x.cc', '#include <node_api.h>', 'sys → <node_api.h>'],
    ['loop/x.h', '#include "addon/binding/shared.h"', 'loop → "addon/binding/shared.h"'],
    ['loop/x.h', '  #  include <napi.h>', 'loop → <napi.h>'],
    ['loop/reactor.cc', '#include <uv.h>', 'belongs to loop/host_uv.cc'],
    ['binding/x.cc', '#include <uv.h>', 'belongs to loop/host_uv.cc'],
    ['binding/x.cc', '#include <sys/epoll.h>', 'binding → <sys/epoll.h>'],
    ['binding/x.cc', '#include <v8.h>', 'is not Node-API'],
    ['binding/x.cc', '#include "shared.h"', 'is not "addon/…"'],
    ['attic/x.cc', '#include <errno.h>', 'attic/ is no floor'],
    ['sys/x.cc', '#ifdef __linux__', '#if'],
  ])('%s: %s', (path, text, problem) => {
    expect(addonProblems(new Map([[path, text]]))).toEqual([expect.stringContaining(problem)]);
  });
});
