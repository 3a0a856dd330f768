/**
 * A subscription's status in words. Pure: nothing is asked and nothing is shown here.
 * @import { DateRow, Stage, SubscriptionStatus, View } from './types.js'
 */

const FREE = 'free';
const DATE = new Intl.DateTimeFormat('en', { dateStyle: 'long' });

/** @param {string} iso */
export const day = (iso) => DATE.format(new Date(iso));

/**
 * @param {SubscriptionStatus} status
 * @param {boolean} paid whether the customer has just come from the payment page
 * @returns {View}
 */
export function viewOf(status, paid) {
  const { planId } = status;
  const ended = status.status === 'none' || status.status === 'canceled';
  const free = planId === FREE;
  return {
    ...wordsOf(status, paid),
    stages: stagesOf(status, paid),
    date: dateOf(status),
    // Whose plan is no longer sold (null) pays all the same, and may want to cancel.
    billing: status.status !== 'none' && !free,
    stoppable: free && !ended,
    plansLink: ended ? 'See the plans' : free ? 'Upgrade' : '',
  };
}

/**
 * The one date that matters most now.
 * @param {SubscriptionStatus} status
 * @returns {DateRow | null}
 */
function dateOf({ active, planId, currentPeriodEnd, cancelAtPeriodEnd, dataKeptUntil, paymentProblem, status, tenant }) {
  /** @param {string} label @param {string | null | undefined} date */
  const row = (label, date) => (date ? { label, date } : null);
  if (status === 'canceled') return tenant.state === 'none' ? null : row('Data kept until', dataKeptUntil);
  if (status === 'past_due') return active ? row('Act by', paymentProblem?.actBy) : null;
  if (planId === FREE) return row('Trial ends on', currentPeriodEnd);
  return row(cancelAtPeriodEnd ? 'Ends on' : 'Renews on', currentPeriodEnd);
}

/**
 * What is being set up right now; nothing where there is only one thing to wait for.
 * @param {SubscriptionStatus} status
 * @param {boolean} paid
 * @returns {Stage[]}
 */
function stagesOf({ planId, status, tenant }, paid) {
  const waiting = paid && ['none', 'canceled'].includes(status) && tenant.state !== 'deleting';
  const settingUp = status === 'provisioning' && ['pending', 'ready'].includes(tenant.state);
  if (!waiting && !settingUp) return [];
  const payment = planId === FREE ? 'Started' : waiting ? 'Payment' : 'Paid';
  return [
    { text: payment, state: waiting ? 'now' : 'done' },
    { text: 'Workspace', state: waiting ? 'next' : 'now' },
    { text: 'Ready', state: 'next' },
  ];
}

/**
 * @param {SubscriptionStatus} status
 * @param {boolean} paid
 * @returns {Pick<View, 'tone' | 'headline' | 'detail' | 'underWay'>}
 */
function wordsOf(status, paid) {
  const { tenant } = status;
  const detail = tenant.message ?? '';
  if (tenant.state === 'failed') {
    return { tone: 'bad', headline: 'Your workspace could not be set up', detail, underWay: false };
  }
  if (tenant.state === 'deleting') {
    return busy('Your workspace is being removed', detail || 'This usually takes less than a minute.');
  }
  switch (status.status) {
    case 'provisioning':
      // Stopped before it was set up: nothing goes on by itself.
      if (['none', 'suspended'].includes(tenant.state)) return active(status);
      return busy('Setting up your subscription…', detail || 'This usually takes a few seconds.');
    case 'active':
      return active(status);
    case 'past_due':
      return pastDue(status);
    case 'canceled':
      return canceled(status, paid);
    default:
      return nothing(status, paid);
  }
}

/** @param {string} headline @param {string} detail @returns {ReturnType<typeof wordsOf>} */
const busy = (headline, detail) => ({ tone: 'busy', headline, detail, underWay: true });

const waiting = busy('Setting up your subscription…', 'We are waiting for your payment to arrive.');

/** @param {SubscriptionStatus} status @returns {ReturnType<typeof wordsOf>} */
function active({ active, planId, currentPeriodEnd: end, cancelAtPeriodEnd, over, tenant }) {
  if (!active || tenant.state === 'suspended') {
    const detail = tenant.message ?? 'Your data is kept. Please contact support, and we will sort it out.';
    return { tone: 'warn', headline: 'Your workspace is suspended', detail, underWay: false };
  }
  if (tenant.state === 'pending') {
    return busy('Updating your workspace…', tenant.message ?? 'Your workspace keeps running meanwhile.');
  }
  if (over?.[0]) return tooMuch(over, over[0].actBy);
  const ending = end && cancelAtPeriodEnd && planId !== FREE;
  const detail = ending
    ? `It runs until ${day(end)}, and then your subscription ends. You can carry on under “Manage billing”.`
    : 'Everything is up and running.';
  return { tone: 'good', headline: 'Your workspace is ready', detail, underWay: false };
}

/** @type {Record<string, string>} */
const RESOURCES = {
  'requests.cpu': 'CPU', 'limits.cpu': 'CPU limits', 'requests.memory': 'memory', 'limits.memory': 'memory limits',
  'requests.storage': 'storage',
};

/** @param {NonNullable<SubscriptionStatus['over']>} over @param {string} actBy @returns {ReturnType<typeof wordsOf>} */
function tooMuch(over, actBy) {
  const list = new Intl.ListFormat('en').format(over.map(({ name, by }) => `${by} ${RESOURCES[name] ?? name}`));
  const what = Date.parse(actBy) > Date.now()
    ? `Please scale down by ${day(actBy)}. After that we stop the newest parts until the rest fits; nothing is deleted.`
    : 'Please remove what you no longer need, or choose a larger plan. Nothing is deleted.';
  return { tone: 'warn', headline: 'Your workspace uses more than your plan', detail: `Over by ${list}. ${what}`, underWay: false };
}

/** @param {SubscriptionStatus} status @returns {ReturnType<typeof wordsOf>} */
function pastDue({ active, paymentProblem, tenant }) {
  const underWay = tenant.state === 'pending';
  if (!active) {
    const why = paymentProblem ? 'Your payment failed. Update your payment method' : 'Your subscription is paused. Resume it';
    const detail = `${why}, and it starts again. Your data is kept.`;
    return { tone: 'bad', headline: 'Your workspace is suspended', detail, underWay };
  }
  const by = paymentProblem?.actBy ? `by ${day(paymentProblem.actBy)}` : 'soon';
  const detail = `Please update your payment method ${by} to keep your workspace running.`;
  return { tone: 'warn', headline: 'Your last payment failed', detail, underWay };
}

/** @param {SubscriptionStatus} status @param {boolean} paid @returns {ReturnType<typeof wordsOf>} */
function canceled({ dataKeptUntil, tenant }, paid) {
  if (paid) return waiting;
  const again = dataKeptUntil && tenant.state !== 'none'
    ? `Your data is kept until ${day(dataKeptUntil)}. Subscribe again before then to carry on where you left off.`
    : 'Subscribe again anytime to get a new workspace.';
  const detail = tenant.message ?? again;
  return { tone: 'idle', headline: 'Your subscription has ended', detail, underWay: false };
}

/** @param {SubscriptionStatus} status @param {boolean} paid @returns {ReturnType<typeof wordsOf>} */
function nothing({ tenant }, paid) {
  if (paid) return waiting;
  const detail = tenant.message ?? 'Choose a plan, and your workspace is ready moments later.';
  return { tone: 'idle', headline: 'You have no subscription yet', detail, underWay: false };
}
