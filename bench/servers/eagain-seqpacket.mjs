// Level 2 over AF_UNIX SEQPACKET: records instead of chunks.
import { listen } from 'eagain';
import { asked, BACKLOG, ready } from './protocol.mjs';

/** @param {import('eagain').SeqpacketSocket} peer */
async function echo(peer) {
  try {
    for await (const record of peer) await peer.send(record.data);
  } catch {
    // the peer went away
  } finally {
    await peer.close();
  }
}

export const servers = {
  async echo() {
    const server = await listen({ path: asked.path, type: 'seqpacket', backlog: BACKLOG });
    ready(asked.path);
    for await (const peer of server) echo(peer);
  },
};
