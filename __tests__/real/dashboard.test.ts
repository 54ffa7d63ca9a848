// The example `dashboard` in headless Chromium: its lines grow, and say something. Both run in a network namespace
// that has a loopback and nothing else, so that the browser can reach nobody but us.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { CAN_MAKE_NAMESPACES, Namespace } from '../support/namespaces';
import { needs } from '../support/needs';
import { find, folder, start, type Program } from './support/programs';

const ROOT = join(__dirname, '../..');
const chromium = find('chromium') ?? find('chromium-browser') ?? find('google-chrome');
const ip = find('ip');
const real = needs(
  'chromium, and network namespaces',
  chromium !== undefined && ip !== undefined && CAN_MAKE_NAMESPACES,
);
const profile = folder();

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  `--user-data-dir=${profile}`,
];

let namespace: Namespace | undefined;
let program: Program | undefined;
let browser: Browser | undefined;

beforeAll(() => {
  if (chromium === undefined || ip === undefined || !CAN_MAKE_NAMESPACES) return;
  const build = [join(ROOT, 'scripts/build.mjs'), '--if-stale', 'native', 'dist', 'examples'];
  execFileSync(process.execPath, build);
  namespace = new Namespace();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await program?.stop();
  namespace?.[Symbol.dispose]();
}, 30_000);

/** Starts the example within, and tells where its page is. */
async function serve(within: readonly string[]): Promise<string> {
  const running = start(ip!, [
    ...within,
    process.execPath,
    join(ROOT, 'dist-examples/dashboard.js'),
    ...['--port', '0', '--seconds', '60'],
  ]);
  program = running;
  return new Promise((resolve, reject) => {
    running.process.stdout!.on('data', () => {
      const address = /http:\S+/.exec(running.output())?.[0];
      if (address !== undefined) resolve(address);
    });
    running.process.once('exit', () => reject(new Error(running.output())));
  });
}

/** What a chart shows: its number, and how many points its line has. */
async function chart(page: Page, id: string): Promise<{ value: number; points: number }> {
  const text = await page.evaluate(`document.querySelector('#${id} output').textContent`);
  const line = await page.evaluate(
    `document.querySelector('#${id} polyline').getAttribute('points')`,
  );
  return {
    value: Number(String(text).replace(/,/g, '')),
    points: String(line).split(' ').length,
  };
}

real(
  'dashboard: its page plots rates, losses and round trips as they come',
  async () => {
    const within = ['netns', 'exec', namespace!.name];
    const address = await serve(within);
    browser = await puppeteer.launch({
      executablePath: ip!,
      ignoreDefaultArgs: true,
      args: [...within, chromium!, ...FLAGS, 'about:blank'],
      pipe: true,
      timeout: 60_000,
    });
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('requestfailed', (request) => complaints.push(request.url()));
    await page.goto(address);

    // A burst comes once a second, and loses something.
    await page.waitForFunction(
      `['rate', 'lost', 'rtt'].every((id) => {
        const value = Number(document.querySelector('#' + id + ' output').textContent.replace(/,/g, ''));
        return value > 0;
      })`,
    );
    const before = await chart(page, 'rate');
    await page.waitForFunction(
      `document.querySelector('#rate polyline').getAttribute('points').split(' ').length >= ${before.points + 5}`,
    );
    for (const id of ['rate', 'lost', 'rtt'])
      expect((await chart(page, id)).points).toBeGreaterThanOrEqual(before.points + 5);
    expect((await chart(page, 'lost')).value).toBeGreaterThan(0);
    expect(await page.evaluate(`document.querySelector('#state').textContent`)).toBe('live');
    expect(complaints).toEqual([]);

    await browser.close();
    browser = undefined;
    await program!.stop();
    expect(program!.process.exitCode).toBe(0);
    expect(program!.output()).toMatch(/done\n$/);
  },
  120_000,
);
