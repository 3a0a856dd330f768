/**
 * The dashboard: how the subscription stands, looked at again only while something is under way
 * and somebody is looking.
 * @import { PortalSessionResponse, Stage, SubscriptionStatus, View } from './types.js'
 */
import { callSignedIn, leaveFor, onOtherTab, report, signedIn, toLogin, tryTo } from './session.js';
import { day, viewOf } from './status-view.js';

const FIRST_WAIT = 500; // milliseconds
const LONGEST_WAIT = 10_000;
const PAYMENT_PATIENCE = 120_000; // how long after the payment page a missing payment is waited for

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id @param {string} text written only if it is new: it is read out each time */
const write = (id, text) => part(id).textContent === text || part(id).replaceChildren(text);

let wait = FIRST_WAIT;
let timer = 0;
let retry = start; // what "Try again" does: what failed last

async function look() {
  clearTimeout(timer);
  try {
    show(await callSignedIn('/api/subscriptions/status', { method: 'GET' }));
    write('error', '');
  } catch (problem) {
    retry = start;
    if (failed(problem)) again();
  }
}

function again() {
  clearTimeout(timer);
  timer = setTimeout(() => document.hidden || look(), wait);
  wait = Math.min(wait * 1.3, LONGEST_WAIT);
}

/** @param {SubscriptionStatus} status */
function show(status) {
  const paidAt = Number(tryTo(() => sessionStorage.getItem('paid')) ?? 0);
  const view = viewOf(status, Date.now() - paidAt < PAYMENT_PATIENCE);
  if (!view.underWay) tryTo(() => sessionStorage.removeItem('paid'));
  part('card').dataset.tone = view.tone;
  part('card').removeAttribute('aria-busy');
  write('status', view.headline);
  write('detail', view.detail);
  part('under-way').hidden = !view.underWay;
  part('stages').replaceChildren(...view.stages.map(stage));
  facts(status, view);
  part('billing').hidden = !view.billing;
  part('billing').classList.toggle('quiet', view.plansLink !== '');
  part('stop').hidden = !view.stoppable;
  part('plans-link').hidden = !view.plansLink;
  write('plans-link', view.plansLink);
  part('help').hidden = !['bad', 'warn'].includes(view.tone);
  if (view.underWay) again();
}

/** @param {Stage} stage */
function stage({ text, state }) {
  const item = document.createElement('li');
  item.textContent = text;
  item.classList.toggle('done', state === 'done');
  if (state === 'now') item.setAttribute('aria-current', 'step');
  return item;
}

/** @param {SubscriptionStatus} status @param {View} view */
function facts({ planId, tenant }, { date }) {
  const names = /** @type {HTMLTemplateElement} */ (part('plan-names')).content;
  const known = planId && names.querySelector(`[value="${CSS.escape(planId)}"]`);
  fact('plan', (known && known.textContent) || planId || '');
  fact('namespace', tenant.namespace ?? '');
  fact('date', date ? day(date.date) : '');
  write('date-label', date?.label ?? '');
}

/** @param {string} id @param {string} text */
function fact(id, text) {
  write(id, text);
  part(id).closest('div')?.toggleAttribute('hidden', !text);
}

/**
 * Shows what went wrong; tells whether it is worth looking again.
 * @param {unknown} problem
 */
function failed(problem) {
  const { status, message } = report(problem);
  if (status === 401) {
    toLogin();
    return false;
  }
  const offline = 'Failed to connect. Please check your internet and try again.';
  write('error', status === 0 ? offline : (status !== 404 && message) || 'Something went wrong. Please try again.');
  if (part('card').ariaBusy) {
    part('card').dataset.tone = 'warn';
    write('status', 'Your subscription cannot be shown yet');
  }
  return status === 0 || status >= 500;
}

/** @param {string} id @param {() => Promise<unknown>} work */
function button(id, work) {
  const pressed = /** @type {HTMLButtonElement} */ (part(id));
  addEventListener('pageshow', () => { pressed.disabled = false; });
  pressed.addEventListener('click', async () => {
    pressed.disabled = true;
    write('error', '');
    await work().catch((problem) => {
      failed(problem);
      pressed.disabled = false;
      retry = () => pressed.click();
    });
  });
}

button('billing', async () => {
  /** @type {PortalSessionResponse} */
  const { portalUrl } = await callSignedIn('/api/subscriptions/create-portal-session');
  leaveFor(portalUrl);
});

const dialog = /** @type {HTMLDialogElement} */ (part('stop-dialog'));
part('stop').addEventListener('click', () => dialog.showModal());
part('stop-no').addEventListener('click', () => dialog.close());
button('stop-yes', async () => {
  dialog.close();
  wait = FIRST_WAIT;
  clearTimeout(timer);
  show(await callSignedIn('/api/subscriptions/stop-free'));
  /** @type {HTMLButtonElement} */ (part('stop-yes')).disabled = false;
});

part('copy').hidden = !navigator.clipboard;
part('copy').addEventListener('click', async () => {
  await navigator.clipboard.writeText(part('namespace').textContent ?? '').then(
    () => write('copy', 'Copied'),
    () => write('copy', 'Not allowed'),
  );
  setTimeout(() => write('copy', 'Copy'), 2000);
});
part('retry').addEventListener('click', () => retry());

function start() {
  if (!signedIn()) return toLogin();
  wait = FIRST_WAIT;
  look();
}

start();
onOtherTab(start);
addEventListener('pageshow', ({ persisted }) => persisted && start());
document.addEventListener('visibilitychange', () => {
  const busy = !part('under-way').hidden || part('error').textContent;
  if (!document.hidden && busy) start();
});
