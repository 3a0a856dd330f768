/**
 * The customer's session with the API: tokens that all tabs share, requests made with them, the
 * navigation that shows whether one is signed in, and the way to the login page. One module,
 * because every page needs the first half and each request delays the first look at a page.
 * @import { ApiError, LoginResponse, RefreshResponse, Session } from './types.js'
 */

const KEY = 'session';
const RENEW_BEFORE = 60_000; // milliseconds before its end at which a token is renewed
const PATIENCE = 30_000; // milliseconds
const REFUSED = [400, 401, 403, 404];
const STORAGE_BLOCKED = 'This browser keeps nothing for this site, so you cannot stay signed in. '
  + 'Allow it to store site data (or cookies) for this site, and sign in again.';

/** A request that did not work; `status` 0: no answer came at all. */
export class Failure extends Error {
  /**
   * @param {number} status
   * @param {Partial<ApiError['error']>} [error]
   */
  constructor(status, error = {}) {
    super(error.message ?? '');
    this.status = status;
    this.code = error.code ?? (status ? 'unknown' : 'no_connection');
    this.requestId = error.requestId ?? 'none';
  }
}

/** @returns {Session | null} null also where storage is off, or holds something else */
const held = () => tryTo(() => JSON.parse(localStorage.getItem(KEY) ?? 'null'));

export const signedIn = () => held() !== null;

/** @param {LoginResponse} tokens */
export function signIn({ token, refreshToken, expiresIn }) {
  /** @type {Session} */
  const session = { token, refreshToken, expiresAt: Date.now() + expiresIn * 1000 };
  try {
    localStorage.setItem(KEY, JSON.stringify(session));
  } catch {
    throw new Failure(-1, { code: 'storage_blocked', message: STORAGE_BLOCKED });
  }
  show();
}

export function signOut() {
  tryTo(() => localStorage.removeItem(KEY));
  show();
}

/**
 * What this browser may refuse: to keep anything for a site, or to read an address.
 * @template T
 * @param {() => T} act
 */
export function tryTo(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

/**
 * @param {string} path
 * @param {{ method?: string, body?: object, bearer?: string, keepalive?: boolean }} [options]
 * @returns {Promise<any>} the answer's JSON, or null where it has none
 */
export async function call(path, { method = 'POST', body, bearer, keepalive = false } = {}) {
  /** @type {RequestInit} */
  const request = { method, keepalive, signal: AbortSignal.timeout(PATIENCE) };
  const headers = new Headers({ Accept: 'application/json' });
  if (bearer) headers.set('Authorization', `Bearer ${bearer}`);
  if (body) {
    headers.set('Content-Type', 'application/json');
    request.body = JSON.stringify(body);
  }
  const answer = await fetch(path, { ...request, headers }).catch(() => { throw new Failure(0); });
  const json = await answer.json().catch(() => null);
  if (!answer.ok) throw new Failure(answer.status, json?.error);
  return json;
}

/**
 * The same for whoever is signed in; a token that is refused is renewed once.
 * @param {string} path
 * @param {{ method?: string, body?: object }} [options]
 */
export async function callSignedIn(path, options) {
  const bearer = await token();
  try {
    return await call(path, { ...options, bearer });
  } catch (failure) {
    if (!(failure instanceof Failure) || failure.status !== 401) throw failure;
  }
  const renewed = await token(bearer);
  return call(path, { ...options, bearer: renewed }).catch((failure) => {
    if (failure.status === 401) signOut();
    throw failure;
  });
}

/**
 * A token that still holds for a while; a failure with status 401 when nobody is signed in.
 * @param {string} [refused] a token that the API did not take
 * @returns {Promise<string>}
 */
async function token(refused) {
  const session = held();
  const usable = session?.token !== refused && Number(session?.expiresAt) - Date.now() > RENEW_BEFORE;
  if (!session || usable) return tokenOf(session);
  // One tab renews for all; the others find the new token when it is their turn.
  return navigator.locks ? navigator.locks.request(KEY, () => renew(session)) : renew(session);
}

/** @param {Session | null} session */
function tokenOf(session) {
  if (!session) throw new Failure(401, { code: 'unauthenticated' });
  return session.token;
}

/** @param {Session} old @returns {Promise<string>} */
async function renew(old) {
  const isOld = () => held()?.token === old.token;
  if (!isOld()) return tokenOf(held());
  const { refreshToken } = old;
  /** @type {RefreshResponse} */
  const renewed = await call('/api/auth/refresh', { body: { refreshToken } }).catch((failure) => {
    if (!REFUSED.includes(failure.status)) throw failure;
    if (isOld()) signOut();
    throw new Failure(401, { code: failure.code, requestId: failure.requestId });
  });
  if (isOld()) signIn({ refreshToken, ...renewed }); // signed out meanwhile: it stays so
  return tokenOf(held());
}

/**
 * Written to the console with the request's id, for whoever is asked for help.
 * @param {unknown} problem
 * @returns {Failure}
 */
export function report(problem) {
  const failure = problem instanceof Failure ? problem : new Failure(-1, { code: `bug: ${problem}` });
  console.error(`${failure.code} (HTTP ${failure.status}, request ${failure.requestId})`);
  return failure;
}

/** @param {string} address where Stripe's page is said to be; plain HTTP only on this machine */
export function leaveFor(address) {
  const url = tryTo(() => new URL(address));
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback);
  if (!url || !safe) throw new Failure(-1, { code: 'redirect_failed' });
  location.assign(url.href);
}

/**
 * To the login page, and back here afterwards.
 * @param {string} [plan] the purchase that then goes on
 */
export function toLogin(plan) {
  const purchase = plan ? `&plan=${encodeURIComponent(plan)}` : '';
  location.assign(`/login?returnTo=${location.pathname}${purchase}`);
}

/** @param {() => void} act called when another tab signs in or out */
export function onOtherTab(act) {
  addEventListener('storage', ({ key }) => (key === KEY || key === null) && act());
}

function show() {
  document.documentElement.dataset.session = signedIn() ? 'in' : 'out';
}

show();
onOtherTab(show);
addEventListener('pageshow', show);
document.querySelector('[data-sign-out]')?.addEventListener('click', () => {
  const refreshToken = held()?.refreshToken;
  signOut();
  // Whether or not this arrives, nobody is signed in here any more.
  if (refreshToken) call('/api/auth/logout', { body: { refreshToken }, keepalive: true }).catch(() => {});
  location.assign('/');
});
