"""Every call of the API that is served: where, what does it, and the type of its parameters."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.stripe import (
    catalogue,
    checkout,
    configurations,
    coupons,
    customers,
    disputes,
    endpoints,
    money,
    payment_intents,
    payment_methods,
    sales,
    schedules,
    test_clocks,
)
from sandbox.stripe.objects import Obj


@dataclass(frozen=True, slots=True)
class Route:
    """`does` gets the ledger, the parameters, and what stands for `{}` in the path."""

    method: str
    path: str
    does: Callable[..., Obj]
    params: str


def _c(name: str) -> str:
    return f"checkout.Session{name}Params"


def _t(name: str) -> str:
    return f"test_helpers.TestClock{name}Params"


def _p(name: str) -> str:
    return f"billing_portal.{name}Params"


ROUTES = tuple(
    Route(*each)
    for each in (
        ("POST", "products", catalogue.create_product, "ProductCreateParams"),
        ("GET", "products", catalogue.list_products, "ProductListParams"),
        ("GET", "products/{}", catalogue.retrieve_product, "ProductRetrieveParams"),
        ("POST", "products/{}", catalogue.update_product, "ProductUpdateParams"),
        ("POST", "prices", catalogue.create_price, "PriceCreateParams"),
        ("GET", "prices", catalogue.list_prices, "PriceListParams"),
        ("GET", "prices/{}", catalogue.retrieve_price, "PriceRetrieveParams"),
        ("POST", "prices/{}", catalogue.update_price, "PriceUpdateParams"),
        ("POST", "customers", customers.create, "CustomerCreateParams"),
        ("GET", "customers", customers.list_all, "CustomerListParams"),
        ("GET", "customers/{}", customers.retrieve, "CustomerRetrieveParams"),
        ("POST", "customers/{}", customers.update, "CustomerUpdateParams"),
        ("DELETE", "customers/{}", customers.delete, "CustomerDeleteParams"),
        ("POST", "billing_portal/sessions", configurations.open_portal, _p("SessionCreate")),
        ("POST", "billing_portal/configurations", configurations.create, _p("ConfigurationCreate")),
        ("GET", "billing_portal/configurations", configurations.list_all, _p("ConfigurationList")),
        ("GET", "billing_portal/configurations/{}", configurations.retrieve,
         _p("ConfigurationRetrieve")),
        ("POST", "billing_portal/configurations/{}", configurations.update,
         _p("ConfigurationUpdate")),
        ("POST", "checkout/sessions", checkout.create, _c("Create")),
        ("GET", "checkout/sessions", sales.list_sessions, _c("List")),
        ("GET", "checkout/sessions/{}", sales.retrieve_session, _c("Retrieve")),
        ("GET", "checkout/sessions/{}/line_items", sales.list_lines,
         "checkout.SessionLineItemListParams"),
        ("POST", "checkout/sessions/{}/expire", checkout.expire, _c("Expire")),
        ("POST", "coupons", coupons.create, "CouponCreateParams"),
        ("GET", "coupons", money.list_of("coupon", "/v1/coupons"), "CouponListParams"),
        ("GET", "coupons/{}", money.retrieve("coupon", "coupon"), "CouponRetrieveParams"),
        ("POST", "promotion_codes", coupons.create_code, "PromotionCodeCreateParams"),
        ("GET", "promotion_codes", coupons.list_codes, "PromotionCodeListParams"),
        ("GET", "promotion_codes/{}", money.retrieve("promotion_code", "promotion_code"),
         "PromotionCodeRetrieveParams"),
        ("POST", "subscriptions", sales.create, "SubscriptionCreateParams"),
        ("POST", "subscriptions/{}/pause", sales.pause, "SubscriptionPauseParams"),
        ("POST", "subscriptions/{}/resume", sales.resume, "SubscriptionResumeParams"),
        ("GET", "subscriptions", sales.list_all, "SubscriptionListParams"),
        ("GET", "subscriptions/{}", sales.retrieve, "SubscriptionRetrieveParams"),
        ("POST", "subscriptions/{}", sales.update, "SubscriptionUpdateParams"),
        ("DELETE", "subscriptions/{}", sales.cancel, "SubscriptionCancelParams"),
        ("GET", "invoices", money.list_invoices, "InvoiceListParams"),
        ("GET", "invoices/{}", money.retrieve("invoice", "invoice"), "InvoiceRetrieveParams"),
        ("POST", "invoices/{}/pay", money.pay_invoice, "InvoicePayParams"),
        ("POST", "invoices/{}/void", money.void_invoice, "InvoiceVoidInvoiceParams"),
        ("POST", "invoices/{}/finalize", money.finalize_invoice, "InvoiceFinalizeInvoiceParams"),
        ("POST", "invoices/{}/mark_uncollectible", money.mark_uncollectible,
         "InvoiceMarkUncollectibleParams"),
        ("GET", "invoiceitems", money.list_items, "InvoiceItemListParams"),
        ("GET", "subscription_items", sales.list_items, "SubscriptionItemListParams"),
        ("GET", "subscription_schedules", schedules.list_all, "SubscriptionScheduleListParams"),
        ("GET", "subscription_schedules/{}", schedules.retrieve,
         "SubscriptionScheduleRetrieveParams"),
        ("POST", "subscription_schedules/{}/release", schedules.release,
         "SubscriptionScheduleReleaseParams"),
        ("POST", "test_helpers/test_clocks", test_clocks.create, _t("Create")),
        ("GET", "test_helpers/test_clocks", test_clocks.list_all, _t("List")),
        ("GET", "test_helpers/test_clocks/{}", test_clocks.retrieve, _t("Retrieve")),
        ("POST", "test_helpers/test_clocks/{}/advance", test_clocks.advance, _t("Advance")),
        ("DELETE", "test_helpers/test_clocks/{}", test_clocks.delete, _t("Delete")),
        ("GET", "invoice_payments", money.list_of("invoice_payment", "/v1/invoice_payments",
         "invoice", "status"), "InvoicePaymentListParams"),
        ("GET", "invoice_payments/{}", money.retrieve("invoice_payment", "invoice_payment"),
         "InvoicePaymentRetrieveParams"),
        ("GET", "charges", money.list_of("charge", "/v1/charges", "customer", "payment_intent"),
         "ChargeListParams"),
        ("GET", "charges/{}", money.retrieve("charge"), "ChargeRetrieveParams"),
        ("POST", "payment_methods", payment_methods.create, "PaymentMethodCreateParams"),
        ("GET", "payment_methods", payment_methods.list_all, "PaymentMethodListParams"),
        ("GET", "payment_methods/{}", money.retrieve("payment_method", "payment_method"),
         "PaymentMethodRetrieveParams"),
        ("POST", "payment_methods/{}/attach", payment_methods.attach,
         "PaymentMethodAttachParams"),
        ("POST", "payment_methods/{}/detach", payment_methods.detach,
         "PaymentMethodDetachParams"),
        ("POST", "payment_intents", payment_intents.create, "PaymentIntentCreateParams"),
        ("POST", "payment_intents/{}/confirm", payment_intents.confirm,
         "PaymentIntentConfirmParams"),
        ("POST", "payment_intents/{}/cancel", payment_intents.cancel, "PaymentIntentCancelParams"),
        ("GET", "payment_intents", money.list_of("payment_intent", "/v1/payment_intents",
         "customer"), "PaymentIntentListParams"),
        ("GET", "payment_intents/{}", money.retrieve("payment_intent", "intent"),
         "PaymentIntentRetrieveParams"),
        ("GET", "disputes", money.list_of("dispute", "/v1/disputes", "charge", "payment_intent"),
         "DisputeListParams"),
        ("GET", "disputes/{}", money.retrieve("dispute", "dispute"), "DisputeRetrieveParams"),
        ("POST", "disputes/{}", disputes.update, "DisputeUpdateParams"),
        ("POST", "disputes/{}/close", disputes.close, "DisputeCloseParams"),
        ("POST", "refunds", money.create_refund, "RefundCreateParams"),
        ("GET", "refunds", money.list_of("refund", "/v1/refunds", "charge", "payment_intent"),
         "RefundListParams"),
        ("GET", "refunds/{}", money.retrieve("refund", "refund"), "RefundRetrieveParams"),
        ("GET", "events", endpoints.list_events, "EventListParams"),
        ("GET", "events/{}", endpoints.retrieve_event, "EventRetrieveParams"),
        ("POST", "webhook_endpoints", endpoints.create, "WebhookEndpointCreateParams"),
        ("GET", "webhook_endpoints", endpoints.list_all, "WebhookEndpointListParams"),
        ("GET", "webhook_endpoints/{}", endpoints.retrieve, "WebhookEndpointRetrieveParams"),
        ("POST", "webhook_endpoints/{}", endpoints.update, "WebhookEndpointUpdateParams"),
        ("DELETE", "webhook_endpoints/{}", endpoints.delete, "WebhookEndpointDeleteParams"),
    )
)  # fmt: skip


@functools.cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("/v1/" + path.replace("{}", "([^/]+)"))


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a request, and the ids in its path."""
    for route in ROUTES:
        if route.method == method and (match := _pattern(route.path).fullmatch(path)):
            return route, match.groups()
    return None
