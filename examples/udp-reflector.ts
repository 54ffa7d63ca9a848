// A UDP reflector: what comes goes back where it came from. Datagrams that came as a train (GRO), one message with its
// segments, go back as a train (GSO): many datagrams cost what one does.

import { parseArgs } from 'node:util';
import { bind, type Message, type OutgoingControl, type OutgoingMessage } from 'eagain';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '7008' },
    plain: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help === true) {
  console.log(`udp-reflector [--port 7008] [--plain]
Sends back each datagram, on IPv6 and IPv4; --plain: without trains.`);
} else {
  void reflect(Number(values.port), values.plain !== true);
}

async function reflect(port: number, gro: boolean): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  await using socket = await bind({ port, gro, packetInfo: true, drops: true });
  console.log(`listening on port ${socket.localAddress.port}`);

  const counts = { datagrams: 0, messages: 0, refused: 0, drops: 0 };
  const every = setInterval(() => console.log(JSON.stringify(counts)), 1000);
  try {
    for (;;) {
      const messages = await socket.receiveBatch(64, stop);
      counts.messages += messages.length;
      for (const { segments, drops } of messages) {
        counts.datagrams += segments?.length ?? 1;
        counts.drops = drops ?? counts.drops;
      }
      // A message that cannot go (its sender is out of reach) keeps none of the others.
      let back = messages.map(toSender);
      while (back.length > 0) {
        const { sent, error } = await socket.sendBatch(back);
        if (error !== undefined) counts.refused++;
        back = back.slice(sent + 1);
      }
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  } finally {
    clearInterval(every);
  }
  console.log(`done: ${JSON.stringify(counts)}`);
}

/** Back from the address and the interface where it came in, in segments as it came. */
function toSender({ data, from, packetInfo, segments }: Message): OutgoingMessage {
  const control: OutgoingControl[] = [];
  if (packetInfo !== undefined) control.push({ kind: 'packetInfo', ...packetInfo });
  if (segments !== undefined) control.push({ kind: 'segmentSize', value: segments[0].length });
  return { data, ...(from !== null && { to: from }), control };
}
