// SOCK_DGRAM: three thermometers send their readings, and an Observable of datagrams makes sense of them.

import { setTimeout as sleep } from 'node:timers/promises';
import { bind, connect, type DatagramSocket, type Message } from 'eagain';
import { bufferTime, filter, lastValueFrom, map, scan, take, tap, timeout } from 'rxjs';
import { portOf, show } from './address';
import type { Report } from './report';

interface Reading {
  place: string;
  celsius: number;
}

const PLACES = ['cellar', 'kitchen', 'roof'];
const ROUNDS = 40;
const HOT = 30;
/** Milliseconds. */
const WINDOW = 50;

export async function udp(report: Report): Promise<void> {
  const all = Array.from({ length: ROUNDS }, (_, round) => readingsOf(round));
  const hot = all.flat().filter(isHot);

  await using station = await bind({ host: '127.0.0.1' });
  report.fact('bound', show(station.localAddress));
  const [got] = await Promise.all([
    collect(station, hot.length, report),
    sendAll(all, portOf(station.localAddress)),
  ]);

  report.check(
    `${hot.length} of ${all.flat().length} datagrams were hot, and each of them arrived`,
    JSON.stringify(got.sort(byPlace)) === JSON.stringify(hot.sort(byPlace)),
  );
}

/** A datagram socket as an Observable: parsed, filtered, gathered in windows of time, then ended. */
function collect(station: DatagramSocket, count: number, report: Report): Promise<Reading[]> {
  return lastValueFrom(
    station.observe().pipe(
      filter((message) => !message.truncated),
      map(parse),
      filter(isHot),
      take(count),
      bufferTime(WINDOW),
      filter((readings) => readings.length > 0),
      tap((readings) => showWindow(readings, report)),
      scan((before: Reading[], readings) => [...before, ...readings], []),
      timeout({ each: 5_000 }),
    ),
  );
}

async function sendAll(rounds: readonly Reading[][], port: number): Promise<void> {
  const thermometers = await Promise.all(
    PLACES.map(() => connect({ type: 'dgram', host: '127.0.0.1', port })),
  );
  for (const readings of rounds) {
    await Promise.all(
      thermometers.map((thermometer, i) => thermometer.send(JSON.stringify(readings[i]))),
    );
    await sleep(5);
  }
  await Promise.all(thermometers.map((thermometer) => thermometer.close()));
}

function readingsOf(round: number): Reading[] {
  return PLACES.map((place, i) => ({ place, celsius: 12 + 10 * i + ((round * 7) % 15) }));
}

function parse(message: Message): Reading {
  return JSON.parse(message.data.toString()) as Reading;
}

function isHot({ celsius }: Reading): boolean {
  return celsius >= HOT;
}

function byPlace(a: Reading, b: Reading): number {
  return a.place < b.place ? -1 : a.place > b.place ? 1 : a.celsius - b.celsius;
}

function showWindow(readings: readonly Reading[], report: Report): void {
  const most = Math.max(...readings.map(({ celsius }) => celsius));
  const places = [...new Set(readings.map(({ place }) => place))].sort();
  const count = `${readings.length}`.padStart(2);
  report.fact(
    `in ${WINDOW} ms`,
    `hot readings: ${count}, up to ${most} °C, ${places.join(' and ')}`,
  );
}
