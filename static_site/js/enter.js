/**
 * Sign-up and login: two verbs, one way on. Both may ask for the mailed code in between.
 * @import { LoginResponse } from './types.js'
 */
import { clear, form } from './forms.js';
import { call, signedIn, signIn, tryTo } from './session.js';

const FREE = 'free';

const query = new URLSearchParams(location.search);
const plan = /^[a-z0-9-]{1,40}$/.exec(query.get('plan') ?? '')?.[0];
/** @type {Record<string, string>} what was typed, for as long as the code is waited for */
let credentials = {};

/**
 * Where a path leads, if it is a page of this site. The whole address is followed: a path alone,
 * such as that of `/.//evil.example`, could be read as another host.
 * @param {string | null} path
 */
function samesite(path) {
  if (!path?.startsWith('/') || /[\\\p{Cc}]/u.test(path)) return null;
  const url = tryTo(() => new URL(path, location.origin));
  return url?.origin === location.origin ? url : null;
}

function goOn() {
  const target = samesite(query.get('returnTo')) ?? new URL('/dashboard', location.origin);
  if (plan) target.searchParams.set('plan', plan);
  location.replace(target);
}

async function logIn() {
  /** @type {LoginResponse} */
  const tokens = await call('/api/auth/login', { body: credentials });
  signIn(tokens);
  // The pricing page goes on with a purchase only where somebody has just signed in for it.
  if (plan) tryTo(() => sessionStorage.setItem('purchase', plan));
  goOn();
}

const step = form('credentials', async ({ email = '', password = '' }) => {
  credentials = { email: email.trim(), password };
  if (step.dataset.verb === 'signup') {
    await call('/api/auth/signup', { body: credentials });
    return askForCode();
  }
  await logIn();
});

const code = form('code', async (values) => {
  // With the password: whoever else has signed up with this address, it is the one that counts.
  await call('/api/auth/confirm', { body: { ...credentials, code: values.code?.trim() } });
  await logIn();
});

function askForCode() {
  clear();
  step.hidden = true;
  code.hidden = false;
  const address = code.querySelector('[data-address]');
  if (address) address.textContent = credentials.email ?? '';
  const heading = document.querySelector('h1');
  if (heading) heading.textContent = 'Look into your inbox';
  document.querySelector('#why')?.setAttribute('hidden', '');
  code.querySelector('input')?.focus();
}

form('resend', async () => {
  await call('/api/auth/resend', { body: { email: credentials.email } });
  const said = document.querySelector('#resent');
  if (said) said.textContent = 'If the address can be used, a new code is on its way.';
});

// The API does not tell who has yet to confirm an address; whoever has a code knows.
document.querySelector('[data-have-code]')?.addEventListener('click', () => {
  if (!step.checkValidity()) return step.requestSubmit(); // says what is missing
  const [email = '', password = ''] = [...step.querySelectorAll('input')].map(({ value }) => value);
  credentials = { email: email.trim(), password };
  askForCode();
});

for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('[data-keep-query]'))) {
  link.search = location.search;
}
const why = document.querySelector('#why');
if (why && plan === FREE) why.textContent = 'Right after, one click starts your Free plan.';
else if (why && plan) why.textContent = 'Your purchase goes on by itself right after.';
else if (why && query.get('returnTo')) why.textContent = 'Please sign in, and we take you back there.';
const said = document.querySelector('#changed');
if (query.get('reset') === 'done') said?.removeAttribute('hidden');
if (signedIn()) goOn();
