// This library: one file per kind of socket and level, each with the forms a user may choose from.
import { asked, serve } from './protocol.mjs';

const kinds = {
  tcp: './eagain-stream.mjs',
  unix: './eagain-stream.mjs',
  seqpacket: './eagain-seqpacket.mjs',
  udp: './eagain-datagram.mjs',
};
const level1 = {
  tcp: './level1-stream.mjs',
  unix: './level1-stream.mjs',
  seqpacket: './level1-stream.mjs',
  udp: './level1-datagram.mjs',
};
const table = asked.form.startsWith('level1') ? level1 : kinds;

serve((await import(table[asked.transport])).servers);
