/**
 * Draws the plans' cards anew, in the form of those that stand in the page.
 * @import { Plan } from './types.js'
 */

/**
 * @param {HTMLElement} plans
 * @param {Plan[]} sold
 */
export function draw(plans, sold) {
  const model = plans.querySelector('article');
  if (model) plans.querySelectorAll('article').forEach((old) => old.remove());
  if (model) plans.append(...sold.map((plan) => card(model, plan)));
}

/**
 * @param {HTMLElement} model
 * @param {Plan} plan
 */
function card(model, plan) {
  const made = /** @type {HTMLElement} */ (model.cloneNode(true));
  /** @param {string} selector @returns {HTMLElement | null} */
  const part = (selector) => made.querySelector(selector);
  /** @param {string} selector @param {string} text */
  const write = (selector, text) => part(selector)?.replaceChildren(text);
  made.classList.toggle('popular', plan.popular === true);
  made.classList.remove('current');
  part('.badge')?.toggleAttribute('hidden', !plan.popular);
  made.setAttribute('aria-labelledby', `plan-${plan.id}`);
  part('h2')?.setAttribute('id', `plan-${plan.id}`);
  write('h2', plan.name);
  write('.price', plan.priceDisplay);
  write('.period', plan.interval ? `per ${plan.interval}` : '');
  write('.lead', plan.price ? 'Billed by card. Cancel anytime.' : 'No card needed.');
  part('ul')?.replaceChildren(...plan.features.map(line));
  const button = /** @type {HTMLButtonElement | null} */ (part('button'));
  if (button) {
    button.value = plan.id;
    button.disabled = false;
    button.dataset.testid = `subscribe-${plan.id}`;
    button.textContent = plan.price ? `Subscribe to ${plan.name}` : 'Start for free';
  }
  return made;
}

/** @param {string} text */
function line(text) {
  const item = document.createElement('li');
  item.textContent = text;
  return item;
}
