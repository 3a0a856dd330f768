"""ARM Engine's storefront and tenant control plane, as Lambda runs it."""
