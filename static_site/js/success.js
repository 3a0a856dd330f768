/** After Stripe's page: says so, and leads on. It signs nobody in and believes nothing it is given. */
import { tryTo } from './session.js';

const SESSION = /^cs_(test|live)_[A-Za-z0-9]+$/;
const card = /** @type {HTMLElement} */ (document.querySelector('#card'));
const said = /** @type {HTMLElement} */ (document.querySelector('#said'));
const next = /** @type {HTMLElement} */ (document.querySelector('#next'));

function succeeded() {
  card.dataset.tone = 'good';
  said.textContent = 'Payment successful! Your subscription is being activated.';
  tryTo(() => sessionStorage.setItem('paid', String(Date.now()))); // the dashboard then waits for the payment
  setTimeout(() => { next.textContent = 'Redirecting to dashboard…'; }, 2000);
  setTimeout(() => location.replace('/dashboard'), 3000);
}

function unknown() {
  const heading = document.querySelector('h1');
  if (heading) heading.textContent = 'We cannot tell which payment this is';
  card.dataset.tone = 'warn';
  said.textContent = 'Invalid payment session. If you completed payment, check your dashboard.';
  said.dataset.testid = 'error';
  document.querySelector('#ways')?.removeAttribute('hidden');
}

if (SESSION.test(new URLSearchParams(location.search).get('session_id') ?? '')) succeeded();
else unknown();
