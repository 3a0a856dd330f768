/**
 * Lighthouse on every page, as a phone on slow 4G sees it, against a sandbox of its own.
 *
 *     npm ci --prefix bench && node bench/pages.mjs [--json] [PATH…]   RUNS=5, CHROME=/usr/bin/chromium
 *
 * Prints a table: the four categories (performance as the median of RUNS), bytes over the wire,
 * requests and layout shift. Fails if a page misses its goal.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import lighthouse from 'lighthouse';
import puppeteer from 'puppeteer-core';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const RUNS = Number(process.env.RUNS ?? 5);
const CHROME = process.env.CHROME ?? '/usr/bin/chromium';
const JSON_LINES = process.argv.includes('--json');
const CHOSEN = process.argv.slice(2).filter((argument) => argument.startsWith('/'));
const FLAGS = [
  '--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
const PASSWORD = 'Correct-horse-9';
const OUT = [
  '/', '/about', '/pricing', '/contact', '/signup', '/login', '/password-reset',
  '/password-reset/123456', '/checkout/success', '/checkout/cancel',
];
const IN = ['/pricing', '/dashboard'];
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'];
const BYTES = 40_000;
const REQUESTS = 8;

async function startSandbox() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-pages-'));
  const file = join(folder, 'ready.json');
  const python = join(ROOT, '.venv/bin/python');
  const child = spawn(python, ['-m', 'sandbox', '--port', '0', '--ready-file', file], { cwd: ROOT, stdio: 'ignore' });
  while (!existsSync(file)) {
    if (child.exitCode !== null) throw new Error('the sandbox did not start; `make demo` says why');
    await pause(100);
  }
  const { site } = JSON.parse(readFileSync(file, 'utf8'));
  const stop = async () => {
    child.kill();
    await new Promise((done) => { child.once('exit', done); });
    rmSync(folder, { recursive: true });
  };
  return { site, stop };
}

/** Somebody new, signed in, with the Free plan running; the session as the pages keep it. */
async function customer(site) {
  const email = `bench-${Date.now()}@example.com`;
  const call = async (path, body, token) => {
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
    const answer = await fetch(site + path, { method: 'POST', headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json().catch(() => null);
  };
  await call('/api/auth/signup', { email, password: PASSWORD });
  const [{ code }] = await (await fetch(`${site}/sandbox/mail?to=${encodeURIComponent(email)}`)).json();
  await call('/api/auth/confirm', { email, code });
  const { token, refreshToken, expiresIn } = await call('/api/auth/login', { email, password: PASSWORD });
  await call('/api/subscriptions/start-free', undefined, token);
  await pause(3000); // until the workspace is ready
  return JSON.stringify({ token, refreshToken, expiresAt: Date.now() + expiresIn * 1000 });
}

/** The same, once more where Lighthouse itself stumbles, as it does on a machine that is busy. */
async function look(...what) {
  for (let left = 3; ; left -= 1) {
    const lhr = await once(...what);
    if (!lhr.runtimeError) return lhr;
    if (!left) throw new Error(`${what[0]}: ${lhr.runtimeError.message}`);
  }
}

/** One page, once; a browser of its own, so that nothing is cached. */
async function once(url, onlyCategories, session) {
  const browser = await puppeteer.launch({ executablePath: CHROME, args: FLAGS });
  try {
    if (session) {
      const page = await browser.newPage();
      await page.goto(new URL('/contact', url).href);
      await page.evaluate((kept) => localStorage.setItem('session', kept), session);
      const network = await page.createCDPSession();
      await network.send('Network.clearBrowserCache');
      await page.close();
    }
    const port = Number(new URL(browser.wsEndpoint()).port);
    const { lhr } = await lighthouse(url, { port, onlyCategories, disableStorageReset: true, logLevel: 'silent' });
    return lhr;
  } finally {
    await browser.close();
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const percent = (category) => Math.round(category.score * 100);

async function measure(site, path, session) {
  const first = await look(site + path, CATEGORIES, session);
  const speeds = [percent(first.categories.performance)];
  while (speeds.length < RUNS) {
    speeds.push(percent((await look(site + path, ['performance'], session)).categories.performance));
    process.stderr.write('.');
  }
  const asked = first.audits['network-requests'].details.items;
  const scores = [median(speeds), ...CATEGORIES.slice(1).map((name) => percent(first.categories[name]))];
  const missed = CATEGORIES.slice(1).flatMap((name) => first.categories[name].auditRefs
    .filter(({ id, weight }) => weight && (first.audits[id].score ?? 1) < 1).map(({ id }) => id));
  const bytes = asked.reduce((sum, { transferSize }) => sum + transferSize, 0);
  const shift = first.audits['cumulative-layout-shift'].numericValue;
  const good = scores.every((score) => score === 100) && bytes < BYTES && asked.length < REQUESTS && shift === 0;
  return { path: path + (session ? ', signed in' : ''), scores, bytes, requests: asked.length, shift, missed, good };
}

const { site, stop } = await startSandbox();
try {
  const session = await customer(site);
  const say = JSON_LINES ? () => {} : console.log;
  say('| page | performance | accessibility | best practices | SEO | bytes | requests | layout shift |');
  say('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [path, kept] of [...OUT.map((path) => [path, '']), ...IN.map((path) => [path, session])]) {
    if (CHOSEN.length && !CHOSEN.includes(path)) continue;
    const row = await measure(site, path, kept);
    if (JSON_LINES) console.log(JSON.stringify(row));
    say(`| ${row.path} | ${row.scores.join(' | ')} | ${row.bytes} | ${row.requests} | ${row.shift} |`);
    if (row.missed.length) console.error(`${row.path} misses: ${row.missed}`);
    if (!row.good) process.exitCode = 1;
  }
} finally {
  await stop();
}
