/**
 * The plans: kept equal to what is sold, and bought from here.
 * @import { Failure } from './session.js'
 * @import { CheckoutSessionRequest, CheckoutSessionResponse, Plan, SubscriptionStatus } from './types.js'
 */
import { call, callSignedIn, leaveFor, report, signedIn, toLogin } from './session.js';

const FREE = 'free';
const OWN_WORDS = ['payment_processing', 'tenant_being_removed', 'workspace_held', 'payment_disputed', 'other_currency',
  'free_used', 'free_full'];
const plans = /** @type {HTMLFormElement} */ (document.querySelector('#plans'));
const notice = /** @type {HTMLElement} */ (document.querySelector('#notice'));

/** @param {string} plan */
async function buy(plan) {
  if (!signedIn()) return toLogin(plan);
  const button = buttonOf(plan);
  if (!button || button.disabled) return;
  notice.replaceChildren();
  const label = button.textContent;
  button.textContent = 'Processing…';
  button.disabled = true;
  button.ariaBusy = 'true';
  const again = () => {
    button.textContent = label;
    button.disabled = false;
    button.removeAttribute('aria-busy');
  };
  addEventListener('pageshow', ({ persisted }) => persisted && again(), { once: true });
  try {
    await (plan === FREE ? startFree() : checkOut(plan));
  } catch (problem) {
    const failure = report(problem);
    if (failure.status === 401) return toLogin(plan);
    again();
    button.focus({ preventScroll: true });
    button.after(notice); // beside what was pressed
    notice.append(message(failure), ...remedy(failure, plan));
  }
}

/** @param {string} planId */
async function checkOut(planId) {
  /** @type {CheckoutSessionRequest} */
  const body = { planId };
  /** @type {CheckoutSessionResponse} */
  const session = await callSignedIn('/api/subscriptions/create-checkout-session', { body });
  leaveFor(session.checkoutUrl);
}

async function startFree() {
  await callSignedIn('/api/subscriptions/start-free');
  location.assign('/dashboard');
}

/**
 * What a customer reads.
 * @param {Failure} failure
 */
function message({ status, code, message }) {
  const text = document.createElement('p');
  if (code === 'redirect_failed') {
    text.append('Failed to redirect to checkout. Please try again or ', link('/contact', 'contact support'), '.');
  } else if (OWN_WORDS.includes(code) && message) {
    text.append(message, ' ', link('/dashboard', 'Go to your dashboard'));
  } else if (status === 409) {
    text.append('You already have an active subscription. Visit your ', link('/dashboard', 'dashboard'), '.');
  } else if (status === 400) {
    text.append('Invalid plan selected. Please refresh and try again.');
  } else if (status === 0) {
    text.append('Failed to connect. Please check your internet and try again.');
  } else {
    text.append('Failed to start checkout. Please try again.');
  }
  return text;
}

/**
 * A button, where pressing one may help.
 * @param {Failure} failure
 * @param {string} plan
 */
function remedy({ status }, plan) {
  if (status === 409) return [];
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button small';
  button.textContent = status === 400 ? 'Refresh' : 'Try again';
  button.addEventListener('click', () => (status === 400 ? location.reload() : buy(plan)));
  return [button];
}

/**
 * @param {string} address
 * @param {string} text
 */
function link(address, text) {
  const a = document.createElement('a');
  a.href = address;
  a.textContent = text;
  return a;
}

/** @param {string} plan */
function buttonOf(plan) {
  return /** @type {HTMLButtonElement | null} */ (plans.querySelector(`button[value="${CSS.escape(plan)}"]`));
}

/** @param {Plan} plan */
const told = ({ id, name, priceDisplay, interval, popular, features }) =>
  String([id, name, priceDisplay, interval ? `per ${interval}` : '', popular === true, features]);

/** @param {Element} card */
function shown(card) {
  const [name, price, period] = ['h2', '.price', '.period'].map((part) => card.querySelector(part)?.textContent);
  const features = [...card.querySelectorAll('li')].map((line) => line.textContent);
  const id = card.querySelector('button')?.value;
  return String([id, name, price, period, card.classList.contains('popular'), features]);
}

/** Whether a card is in use: then it stays as it is. */
const buying = () => plans.querySelector('[aria-busy], .notice') !== null;

/** The cards stand in the page; they are drawn anew only where something else is sold by now. */
async function refresh() {
  /** @type {Plan[]} */
  const sold = await call('/api/subscriptions/plans', { method: 'GET' });
  const same = String([...plans.querySelectorAll('article')].map(shown)) === String(sold.map(told));
  if (same || buying()) return;
  const { draw } = await import('./cards.js');
  if (!buying()) draw(plans, sold);
}

async function markCurrent() {
  /** @type {SubscriptionStatus} */
  const { planId, status } = await callSignedIn('/api/subscriptions/status', { method: 'GET' });
  const button = planId && buttonOf(planId);
  if (!button || !['active', 'provisioning', 'past_due'].includes(status)) return;
  button.textContent = 'Your current plan';
  button.disabled = true;
  button.closest('article')?.classList.add('current');
}

async function start() {
  const wanted = new URLSearchParams(location.search).get('plan');
  if (wanted) history.replaceState(null, '', location.pathname); // neither reload nor Back buys again
  const signedInForIt = wanted && signedIn() && sessionStorage.getItem('purchase') === wanted;
  sessionStorage.removeItem('purchase');
  if (signedInForIt) return buy(wanted);
  await refresh().catch(report);
  if (signedIn()) await markCurrent().catch(report);
  if (wanted) buttonOf(wanted)?.focus();
}

plans.addEventListener('submit', (event) => {
  event.preventDefault();
  if (event.submitter instanceof HTMLButtonElement) buy(event.submitter.value);
});
start();
