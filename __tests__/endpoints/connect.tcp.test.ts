// connect() and listen() with what TCP has beyond a stream: Multipath TCP, and data in the SYN.

import { connect, constants as C, listen } from '../../lib/index';
import { runInChild } from '../support/child';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_UNSHARE, HAS_MPTCP } from '../support/machine';
import { needs } from '../support/needs';

leavesNoSockets();
const mptcp = needs('Multipath TCP in the kernel', HAS_MPTCP);
const namespace = needs('a network namespace of its own (unshare, ip)', CAN_UNSHARE);

mptcp('mptcp: both ends speak it, and it is a stream like any other', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0, protocol: 'mptcp' });
  const { port } = server.address;
  await using client = await connect({ host: '127.0.0.1', port, protocol: 'mptcp' });
  await using peer = await server.accept();
  // MPTCP_INFO fails with EOPNOTSUPP on a connection that has fallen back to TCP (mptcp_getsockopt_info).
  for (const { socket } of [client, peer]) {
    expect(socket.protocol).toBe(C.IPPROTO_MPTCP);
    expect(socket.getsockopt(284, 1).length).toBeGreaterThan(0);
  }
  const data = Buffer.alloc(3 << 20, 'm');
  const writing = client.write(data).then(() => client.end());
  expect((await peer.readExactly(data.length)).equals(data)).toBe(true);
  expect(await peer.read()).toBeNull();
  await peer.write('reply');
  expect((await client.readExactly(5)).toString()).toBe('reply');
  await writing;
});

mptcp('mptcp: a client of plain TCP is served too', async () => {
  await using server = await listen({ port: 0, protocol: 'mptcp' });
  const client = await connect({ host: '127.0.0.1', port: server.address.port });
  const peer = await server.accept();
  await client.write('plain');
  expect((await peer.readExactly(5)).toString()).toBe('plain');
  client.abort();
  peer.abort();
});

namespace('fast open: the first write travels in the SYN', async () => {
  const outcome = await runInChild(
    `
    const { constants: C } = eagain;
    const server = await eagain.listen({
      host: '127.0.0.1',
      port: 0,
      configure: (socket) => socket.setsockopt(C.IPPROTO_TCP, C.TCP_FASTOPEN, 16),
    });
    const once = async (text) => {
      const client = await eagain.connect({
        host: '127.0.0.1',
        port: server.address.port,
        configure: (socket) => socket.setsockopt(C.IPPROTO_TCP, C.TCP_FASTOPEN_CONNECT, 1),
      });
      const reading = client.read();
      await client.write(text);
      const peer = await server.accept();
      const heard = (await peer.readExactly(text.length)).toString();
      await peer.write('reply');
      const reply = (await reading).toString();
      // struct tcp_info: byte 5 is tcpi_options, of which 32 is TCPI_OPT_SYN_DATA.
      const inSyn = (client.socket.getsockopt(C.IPPROTO_TCP, C.TCP_INFO)[5] & 32) !== 0;
      await Promise.all([client.close(), peer.close()]);
      return { heard, reply, inSyn };
    };
    // The first connection fetches the cookie.
    report([await once('first'), await once('second')]);
    await server.close();
  `,
    { network: 'sysctl -qw net.ipv4.tcp_fastopen=3' },
  );
  expect(outcome).toEqual([
    { heard: 'first', reply: 'reply', inSyn: false },
    { heard: 'second', reply: 'reply', inSyn: true },
  ]);
});
