/**
 * stripe-node at the stand-in: `node clients.mjs WHAT …`; prints one JSON document.
 */
import { createServer } from 'node:http';
import Stripe from 'stripe';

const [what, base, key, ...rest] = process.argv.slice(2);
const { hostname: host, port } = new URL(base);
const stripe = new Stripe(key, { host, port, protocol: 'http', telemetry: false, maxNetworkRetries: 0 });

/** @param {() => Promise<unknown>} ask */
const refusal = async (ask) => {
  try {
    await ask();
    return null;
  } catch (e) {
    return { type: e.type, rawType: e.rawType, status: e.statusCode, code: e.code };
  }
};

const does = {
  /** All customers, from the newest back by pages of two, and from the oldest on. */
  async pages() {
    const back = [];
    for await (const each of stripe.customers.list({ limit: 2 })) back.push(each.id);
    const on = [];
    for await (const each of stripe.customers.list({ limit: 2, ending_before: back.at(-1) })) on.push(each.id);
    return { back, on };
  },
  /** A subscription with everything of it that is kept elsewhere. */
  async expand(id) {
    const expand = ['customer', 'latest_invoice.payments', 'items.data.price.product'];
    const found = await stripe.subscriptions.retrieve(id, { expand });
    return {
      customer: found.customer.email,
      paid: found.latest_invoice.payments.data[0].status,
      product: found.items.data[0].price.product.id,
      unknown: await refusal(() => stripe.subscriptions.retrieve(id, { expand: ['colour'] })),
    };
  },
  /** One key: the same call, another one, and the same again. */
  async idempotency() {
    const options = { idempotencyKey: 'by-node' };
    const first = await stripe.customers.create({ name: 'Ada' }, options);
    const again = await stripe.customers.create({ name: 'Ada' }, options);
    const other = await refusal(() => stripe.customers.create({ name: 'Grace' }, options));
    return { same: first.id === again.id, replayed: again.lastResponse.headers['idempotent-replayed'], other };
  },
  /** What the stand-in delivers, as `constructEvent` takes it; and with another secret. */
  async webhook() {
    const got = new Promise((resolve) => {
      const server = createServer(async (request, response) => {
        const parts = [];
        for await (const part of request) parts.push(part);
        response.end(() => server.close());
        resolve({ body: Buffer.concat(parts), signature: request.headers['stripe-signature'] });
      });
      server.listen(0, '127.0.0.1', async () => {
        const url = `http://127.0.0.1:${server.address().port}/hook`;
        endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ['customer.created'] });
        await stripe.customers.create({ name: 'Ada' });
      });
    });
    let endpoint;
    const { body, signature } = await got;
    const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
    const wrong = await refusal(async () => stripe.webhooks.constructEvent(body, signature, 'whsec_other'));
    await stripe.webhookEndpoints.del(endpoint.id);
    return { type: event.type, name: event.data.object.name, version: event.api_version, wrong: wrong.type };
  },
  /** The header that Stripe would send with a body. */
  async sign(secret, payload) {
    return { header: stripe.webhooks.generateTestHeaderString({ payload, secret }) };
  },
};
console.log(JSON.stringify(await does[what](...rest)));
