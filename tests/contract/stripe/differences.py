"""What the pinned version of Stripe's API has that the document, of an earlier one, does not.

Each is a line of Stripe's own changelog, and each is met: one that is not is to be taken out.
"""

import copy
from dataclasses import dataclass
from typing import Any

TEXT = {"type": "string", "maxLength": 5000}
TEXTS = {"type": "array", "items": TEXT}


def _id_of(kind):
    return {
        "anyOf": [TEXT, {"$ref": f"#/components/schemas/{kind}"}],
        "nullable": True,
        "x-expansionResources": {"oneOf": [{"$ref": f"#/components/schemas/{kind}"}]},
    }


@dataclass(frozen=True)
class Difference:
    """`line` of the changelog at `version`; `fields` come to a schema, `values` to an enum of it."""

    version: str
    line: str
    schema: str
    fields: Any = ()
    required: tuple = ()
    field: str = ""
    values: tuple = ()

    def change(self, schemas, _paths):
        """Bring the document to what the line says."""
        schema = schemas[self.schema] = copy.deepcopy(schemas[self.schema])
        schema["properties"].update(dict(self.fields))
        schema.setdefault("required", []).extend(self.required)
        if self.values:
            schema["properties"][self.field]["enum"].extend(self.values)


@dataclass(frozen=True)
class Parameter(Difference):
    """`schema` is the path that a parameter is posted to."""

    def change(self, _schemas, paths):
        """As above."""
        path = paths[self.schema] = copy.deepcopy(paths[self.schema])
        (form,) = path["post"]["requestBody"]["content"].values()
        form["schema"]["properties"][self.field]["enum"].extend(self.values)


@dataclass(frozen=True)
class Call(Difference):
    """`schema` is a path that can be posted to, with `fields`; `field` is what it answers with."""

    def change(self, _schemas, paths):
        """As above."""
        form = {"type": "object", "properties": dict(self.fields)}
        answer = {"$ref": f"#/components/schemas/{self.field}"}
        paths[self.schema] = {
            "post": {
                "operationId": self.schema,
                "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}},
                "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
            }
        }


@dataclass(frozen=True)
class Removed(Difference):
    """`values` are parameters that can no longer be posted to the paths in `required`."""

    def change(self, _schemas, paths):
        """As above."""
        for name in self.required:
            path = paths[name] = copy.deepcopy(paths[name])
            (form,) = path["post"]["requestBody"]["content"].values()
            for each in self.values:
                del form["schema"]["properties"][each]


REMOVED = (
    Removed(
        "2026-09-30.endive",
        "⚠️ Remove support for `payment_method_types` on `Checkout.SessionCreateParams`, `PaymentIntentConfirmParams`, `PaymentIntentCreateParams`, `PaymentIntentUpdateParams`, `SetupIntentCreateParams`, and `SetupIntentUpdateParams`",
        "",
        required=("/v1/checkout/sessions", "/v1/payment_intents"),
        values=("payment_method_types",),
    ),
)
"""What can no longer be asked for: the stand-in refuses it, and so it never comes to be met."""

ADDED = (
    Parameter(
        "2026-10-28.endive",
        "Add support for new value `2026-10-28.endive` on enum `WebhookEndpointCreateParams.api_version`",
        "/v1/webhook_endpoints", field="api_version", values=("2026-10-28.endive",),
    ),
    Difference(
        "2026-10-28.endive",
        "Add support for new values `appeal_needs_response` and `appeal_under_review` on enum `Dispute.status`",
        "dispute",
        field="status",
        values=("appeal_needs_response", "appeal_under_review"),
    ),
    Difference(
        "2026-10-28.endive",
        "Change `SubscriptionSchedule.pause_schedules` to be required",
        "subscription_schedule",
        fields={"pause_schedules": {"type": "array", "items": {"type": "object"}}},
        required=("pause_schedules",),
    ),
    Call(
        "2026-09-30.endive",
        "Add support for `pause` method on resource `Subscription`",
        "/v1/subscriptions/{subscription}/pause",
        fields={
            "bill_for": {"type": "object", "additionalProperties": {"type": "object"}},
            "expand": TEXTS,
            "invoicing_behavior": {"type": "string", "enum": ["invoice", "pending_invoice_item"]},
            "type": {"type": "string", "enum": ["subscription"]},
        },
        field="subscription",
    ),
    Difference(
        "2026-08-26.dahlia",
        "Change `PaymentIntent.allowed_payment_method_types` and `SetupIntent.allowed_payment_method_types` to be required",
        "payment_intent",
        fields={"allowed_payment_method_types": TEXTS | {"nullable": True}},
        required=("allowed_payment_method_types",),
    ),
    Difference(
        "2026-07-29.dahlia",
        "Add support for `customer_account` and `customer` on `Refund`",
        "refund",
        fields={"customer": _id_of("customer"), "customer_account": TEXT | {"nullable": True}},
    ),
    Difference(
        "2026-07-29.dahlia",
        "Add support for `payment_method` on `Refund` and `Topup`",
        "refund",
        fields={"payment_method": _id_of("payment_method")},
    ),
    Difference(
        "2026-06-24.dahlia",
        "Add support for `custom_fields`, `description`, and `footer` on `Subscription.invoice_settings`",
        "subscriptions_resource_subscription_invoice_settings",
        fields={
            "custom_fields": {"type": "array", "nullable": True, "items": {"type": "object"}},
            "description": TEXT | {"nullable": True},
            "footer": TEXT | {"nullable": True},
        },
    ),
)  # fmt: skip
DIFFERENCES = ADDED + REMOVED
