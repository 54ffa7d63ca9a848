// What 'eagain' exports, by name. A change here is a change of the public API: of docs/guide.md and CHANGELOG.md.

import { join } from 'node:path';
import ts from 'typescript';
import * as eagain from '../../lib';
import { ROOT } from './sources';

const VALUES = {
  connect: 'function',
  listen: 'function',
  bind: 'function',
  createConnection: 'function',
  socket: 'function',
  socketpair: 'function',
  poll: 'function',
  fromFd: 'function',
  listenFds: 'function',
  Socket: 'class',
  StreamSocket: 'class',
  Listener: 'class',
  MessageSocket: 'class',
  DatagramSocket: 'class',
  SeqpacketSocket: 'class',
  RawSocket: 'class',
  SocketDuplex: 'class',
  OwnedFd: 'class',
  constants: 'object',
  defineOption: 'function',
  bpf: 'object',
  codecs: 'object',
  netdb: 'object',
  inet: 'object',
  interfaces: 'object',
} as const;

const TYPES = [
  'Address',
  'AddressHints',
  'AddressInfo',
  'AddressInput',
  'AddressPreference',
  'BatchSent',
  'BindDatagramOptions',
  'BindOptions',
  'BindRawSocketOptions',
  'BufferLock',
  'Bytes',
  'CloseOptions',
  'Codec',
  'ConnectDatagramOptions',
  'ConnectOptions',
  'ConnectSeqpacketOptions',
  'ConnectStreamOptions',
  'Constants',
  'Control',
  'CreateConnectionOptions',
  'Data',
  'DuplexAddress',
  'Endpoint',
  'ErrorQueueEntry',
  'Family',
  'FileHandleLike',
  'FileRange',
  'Flags',
  'GettableOption',
  'GroupFilter',
  'GroupMembership',
  'GroupSource',
  'HasFd',
  'HostEntry',
  'How',
  'IcmpFilter',
  'InetAddress',
  'InetMetadata',
  'InheritedEndpoint',
  'Interest',
  'InterfaceAddress',
  'IoVec',
  'Ipv6Interface',
  'IterateOptions',
  'ListenOptions',
  'ListenSeqpacketOptions',
  'ListenStreamOptions',
  'Md5Signature',
  'Membership',
  'MemoryInfo',
  'Message',
  'MtuDiscovery',
  'MulticastOptions',
  'NameInfo',
  'NetlinkAddress',
  'NetworkEntry',
  'NetworkInterface',
  'ObserveOptions',
  'OpaqueAddress',
  'OptionDefinition',
  'OptionValue',
  'OutgoingControl',
  'OutgoingMessage',
  'Overflow',
  'OverflowOptions',
  'Owner',
  'PacketAddress',
  'PacketFanout',
  'PacketGroup',
  'PacketInfo',
  'PacketMembership',
  'PacketStatistics',
  'PacketVersion',
  'PathMtu',
  'PeerCredentials',
  'PollResult',
  'Polled',
  'ProtocolEntry',
  'RawAddress',
  'RawGroup',
  'RawOutgoingMessage',
  'ReadOnly',
  'Readiness',
  'ReceiveMessage',
  'ReceiveMessages',
  'Received',
  'RepairOption',
  'RepairWindow',
  'RolloverStatistics',
  'SendFileOptions',
  'SendOptions',
  'ServeOptions',
  'ServiceEntry',
  'SetOnly',
  'SettableOption',
  'SettableOptions',
  'SinkOptions',
  'SinkOverflow',
  'SocketMetadata',
  'SocketOptions',
  'SocketType',
  'Source',
  'SystemError',
  'TcpInfo',
  'Timeouts',
  'TimestampingFlag',
  'TrafficClass',
  'Transfer',
  'TxTime',
  'TxTimeFlag',
  'UdpEncapsulation',
  'UdpMetadata',
  'UnixAddress',
  'VsockAddress',
  'Wait',
];

function kindOf(value: unknown): string {
  if (typeof value !== 'function') return typeof value;
  return /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'function';
}

interface Exported {
  /** Whether there is a value behind the name. */
  readonly value: boolean;
  readonly documented: boolean;
}

/** Every name that a module exports. */
function exportsOf(file: string): Map<string, Exported> {
  const config = join(ROOT, 'tsconfig.json');
  const json = ts.readJsonConfigFile(config, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonSourceFileConfigFileContent(json, ts.sys, ROOT);
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const found = new Map<string, Exported>();
  const look = (module: ts.Symbol, prefix: string): void => {
    for (const symbol of checker.getExportsOfModule(module)) {
      const alias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
      const target = alias ? checker.getAliasedSymbol(symbol) : symbol;
      const isModule = (target.flags & ts.SymbolFlags.ValueModule) !== 0;
      if (isModule) look(target, `${symbol.name}.`);
      found.set(prefix + symbol.name, {
        value: (target.flags & ts.SymbolFlags.Value) !== 0,
        // A module is what its members are, and has no place for a word of its own.
        documented: isModule || target.getDocumentationComment(checker).length > 0,
      });
    }
  };
  look(checker.getSymbolAtLocation(program.getSourceFile(file)!)!, '');
  return found;
}

const found = exportsOf(join(ROOT, 'lib/index.ts'));

test('the values are these, and no others', () => {
  const values = Object.entries(eagain).map(([name, value]) => [name, kindOf(value)]);
  expect(Object.fromEntries(values)).toEqual(VALUES);
});

test('the types are these, and no others', () => {
  const names = [...found.keys()].filter((name) => !name.includes('.')).sort();
  const [values, types] = [true, false].map((value) =>
    names.filter((name) => found.get(name)!.value === value),
  );
  expect(values).toEqual(Object.keys(VALUES).sort());
  expect(types).toEqual(TYPES);
});

test('every one has a docstring, which an editor shows', () => {
  const bare = [...found].filter(([, { documented }]) => !documented).map(([name]) => name);
  expect(found.size).toBeGreaterThan(100);
  expect(bare).toEqual([]);
});
