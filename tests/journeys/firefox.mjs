/**
 * A customer's way in Firefox, over WebDriver BiDi: from the pricing page to a namespace.
 * `node firefox.mjs SITE FIREFOX PASSWORD`; prints the namespace, or fails with the last page's words.
 */
import puppeteer from 'puppeteer-core';

const [site, executablePath, password] = process.argv.slice(2);
const email = `grace-${Math.random().toString(16).slice(2, 10)}@example.com`;
const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true, args: ['--no-remote'] });
const page = await browser.newPage();
page.setDefaultTimeout(20_000);
const wrong = [];
page.on('pageerror', (error) => wrong.push(String(error)));

/** @param {RegExp} pattern */
const arrives = (pattern) => page.waitForFunction((text) => new RegExp(text).test(location.href), {}, pattern.source);
/** @param {string} selector @param {string} text */
const write = (selector, text) => page.locator(selector).fill(text);
/** @param {string} selector */
const press = (selector) => page.locator(selector).click();

try {
  await page.goto(`${site}/pricing`);
  await press('[data-testid=subscribe-basic]');
  await arrives(/\/login\?returnTo=\/pricing&plan=basic$/);
  await press('main a[href*="/signup"]');
  await arrives(/\/signup/);
  await write('#email', email);
  await write('#password', password);
  await press('#credentials [type=submit]');
  await page.waitForSelector('#code-input', { visible: true });
  const [{ code }] = await (await fetch(`${site}/sandbox/mail?to=${encodeURIComponent(email)}`)).json();
  await write('#code-input', code);
  await press('#code [type=submit]');
  await arrives(/\/c\/pay\/cs_test_/);
  await write('[name=card_number]', '4242 4242 4242 4242');
  await write('[name=exp]', '12 / 34');
  await write('[name=cvc]', '123');
  await press('form:has([name=card_number]) [type=submit]');
  await arrives(/\/checkout\/success\?session_id=cs_test_/);
  await arrives(/\/dashboard$/);
  await page.waitForFunction(() => document.querySelector('#namespace')?.textContent?.startsWith('arm-')
    && document.querySelector('#card')?.getAttribute('data-tone') === 'good');
  const namespace = await page.$eval('#namespace', (one) => one.textContent);
  await press('[data-sign-out]');
  await arrives(/\/$/);
  const left = await page.evaluate(() => localStorage.length);
  if (left || wrong.length) throw new Error(`left in storage: ${left}; errors: ${wrong}`);
  console.log(namespace);
} catch (error) {
  console.error(`${error}\nat ${page.url()}: ${await page.evaluate(() => document.body.innerText).catch(() => '?')}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
