/** A new password: first the address, then the mailed code, which may stand in the page's address. */
import { clear, form } from './forms.js';
import { call } from './session.js';

const [, mailed = ''] = /^\/password-reset\/([^/]+)/.exec(location.pathname) ?? [];

const first = form('address', async ({ email = '' }) => {
  await call('/api/auth/password-reset', { body: { email: email.trim() } });
  askForPassword(email.trim());
});

const second = form('renewal', async ({ email = '', code = '', password = '' }) => {
  const body = { email: email.trim(), code: code.trim(), password };
  await call('/api/auth/password-reset/confirm', { body });
  location.assign('/login?reset=done');
});

/**
 * @param {string} email
 * @param {string} [code]
 */
function askForPassword(email, code = '') {
  clear();
  first.hidden = true;
  second.hidden = false;
  const heading = document.querySelector('h1');
  if (heading) heading.textContent = 'Choose a new password';
  for (const input of second.querySelectorAll('input')) {
    if (input.name === 'email') input.value = email;
    if (input.name === 'code') input.value = code;
  }
  [...second.querySelectorAll('input')].find(({ value }) => !value)?.focus();
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ''; // not an address that we mailed
  }
}

if (mailed) askForPassword('', decoded(mailed));
