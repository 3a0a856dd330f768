/**
 * Forms that say what is wrong beside the field and in a summary that takes the focus, and that
 * cannot be sent twice.
 * @import { Problem } from './types.js'
 */
import { report } from './session.js';

// A shop that keeps its accounts elsewhere sends people there; what they came for is kept.
const elsewhere = document.querySelector('meta[name="login-url"]')?.getAttribute('content');
if (elsewhere) location.replace(elsewhere + location.search);

const summary = /** @type {HTMLElement} */ (document.querySelector('#problems'));
const FIELD_OF = new Map([['weak_password', 'password'], ['invalid_code', 'code']]);

/**
 * @param {string} id
 * @param {(values: Record<string, string>) => Promise<unknown>} work
 */
export function form(id, work) {
  const form = /** @type {HTMLFormElement} */ (document.getElementById(id));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('[type=submit]'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    clear();
    const missing = fields(form).flatMap(mistake);
    if (missing.length) return tell(missing);
    button.disabled = true;
    button.setAttribute('aria-busy', 'true');
    await work(Object.fromEntries(fields(form).map(({ name, value }) => [name, value])))
      .catch((problem) => tell([inWords(problem)]))
      .finally(() => {
        button.disabled = false;
        button.removeAttribute('aria-busy');
      });
  });
  return form;
}

/** @param {HTMLFormElement} form */
const fields = (form) => /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll('input')]);

/** @param {HTMLInputElement} input @returns {Problem[]} */
function mistake({ name, validity, dataset }) {
  const text = validity.valueMissing ? dataset.missing : dataset.wrong;
  return validity.valid ? [] : [{ field: name, text: text ?? 'Please check this field.' }];
}

/** @param {unknown} problem @returns {Problem} */
function inWords(problem) {
  const { status, code, message } = report(problem);
  if (status === 404) {
    return { text: 'Accounts are not available on this site at the moment. Please contact support.' };
  }
  if (status === 0) return { text: 'Failed to connect. Please check your internet and try again.' };
  const text = (status > 0 || code === 'storage_blocked') && message ? message : 'Something went wrong. Please try again.';
  const field = FIELD_OF.get(code);
  return field ? { field, text } : { text };
}

export function clear() {
  summary.hidden = true;
  for (const input of document.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  for (const error of document.querySelectorAll('.field-error')) error.textContent = '';
}

/** @param {Problem[]} problems */
function tell(problems) {
  summary.querySelector('ul')?.replaceChildren(...problems.map(({ field, text }) => {
    const item = document.createElement('li');
    const input = [...document.querySelectorAll(`[name="${field}"]`)].find((found) => found.getClientRects().length);
    if (!input) {
      item.textContent = text;
      return item;
    }
    input.setAttribute('aria-invalid', 'true');
    const beside = document.getElementById(`${input.id}-error`);
    if (beside) beside.textContent = text;
    const link = document.createElement('a');
    link.href = `#${input.id}`;
    link.textContent = text;
    item.append(link);
    return item;
  }));
  summary.hidden = false;
  summary.focus();
}

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-show]'))) {
  button.hidden = false;
  button.addEventListener('click', () => {
    const input = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.show ?? ''));
    const hidden = input.type === 'password';
    input.type = hidden ? 'text' : 'password';
    button.textContent = hidden ? 'Hide' : 'Show';
    button.setAttribute('aria-label', `${button.textContent} password`);
  });
}
