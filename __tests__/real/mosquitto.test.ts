// An MQTT broker, through mqtt's stream builder.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MqttClient } from 'mqtt';
import { createConnection } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { needs } from '../support/needs';
import { find, folder, serves } from './support/programs';

const path = find('mosquitto');
const real = needs('mosquitto', path !== undefined);

const data = folder();
const at = serves(path, (port) => {
  writeFileSync(join(data, 'conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  return ['-c', join(data, 'conf')];
});

// Behind the above: the server's pipes are sockets too.
leavesNoSockets();

async function client(): Promise<MqttClient> {
  const made = new MqttClient(() => createConnection({ host: '127.0.0.1', port: at.port }), {
    reconnectPeriod: 0,
  });
  await new Promise((resolve) => made.once('connect', resolve));
  return made;
}

real('mosquitto: messages of quality 0, 1 and 2', async () => {
  const [listener, speaker] = [await client(), await client()];
  await listener.subscribeAsync('news/#', { qos: 2 });
  const heard: string[] = [];
  const all = new Promise<void>((resolve) => {
    listener.on('message', (topic, payload) => {
      if (heard.push(`${topic} ${payload.length}`) === 300) resolve();
    });
  });
  for (const qos of [0, 1, 2] as const)
    for (let i = 0; i < 100; i++)
      await speaker.publishAsync(`news/${qos}`, Buffer.alloc(10 * i), { qos });
  await all;
  expect(new Set(heard).size).toBe(300);
  await Promise.all([listener.endAsync(), speaker.endAsync()]);
});
