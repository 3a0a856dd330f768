"""A stateful stand-in for Stripe: API, hosted pages, signed webhooks, a clock to advance."""
