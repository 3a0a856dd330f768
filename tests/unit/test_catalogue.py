"""plans.toml: what ships, and that every mistake in it is named."""

import re
from pathlib import Path

import pytest

import chalicelib
from chalicelib.domain import catalogue_file, tenant
from chalicelib.domain.errors import Misconfigured
from chalicelib.entrypoints import storefront

DNS = '# dns_ranges = ["169.254.20.10/32"]'
TEXT = (Path(chalicelib.__file__).parent / "plans.toml").read_text("utf-8")


def test_the_plans_that_are_sold(catalogue):
    """Three plans at their prices, in the order in which they are shown."""
    sold = [(p.id, p.name, p.price, p.interval, p.popular) for p in catalogue.plans]
    assert sold == [
        ("free", "Free Trial", 0, None, False),
        ("basic", "Basic", 2900, "month", False),
        ("pro", "Pro", 9900, "month", True),
    ]
    assert catalogue.plan("pro").features[-1] == "Custom integrations"


def test_names_in_stripe_lead_there_and_back(catalogue):
    """A price's product is ours by its id, and another stage's is not."""
    basic = catalogue.plan("basic")
    assert catalogue.product_id("dev", basic) == "arm-engine-dev-basic"
    assert catalogue.lookup_key("prod", basic) == "arm-engine-prod-basic-month"
    assert catalogue.plan_of_product("dev", "arm-engine-dev-basic") == basic
    assert catalogue.plan_of_product("dev", "arm-engine-prod-basic") is None
    assert catalogue.plan_of_product("dev", "arm-engine-dev-free") is None


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("price = 2900", 'price = "29"', "plans.basic.price: must be a whole number"),
        ("price = 2900", "price = -1", "plans.basic.price: must be a whole number from 0"),
        ("price = 2900", "price = true", "plans.basic.price"),
        ("price = 2900", "price = 0", "plans.basic.price: must be 0 for the plan 'free'"),
        ("price = 9900\n", "", "plans.pro.price: missing"),
        ('interval = "month"', 'interval = "week"', "plans.basic.interval"),
        ("popular = true", "poplar = true", "plans.pro.poplar: unknown key"),
        ('"pods" = "40"', '"pods" = "many"', "plans.basic.quota.pods: must be a Kubernetes quan"),
        ('"pods" = "40"', '"pods" = 40', "plans.basic.quota.pods"),
        ('max_cpu = "16", ', "", "plans.pro.container: must have default_cpu"),
        (
            ', max_ephemeral_storage = "32Gi"',
            "",
            "plans.pro.container: must have all of default_eph",
        ),
        ("[plans.basic]", "[plans.Basic]", "plans.Basic.id: must look like"),
        ("grace_days = 7", "grace_days = -7", "policy.grace_days"),
        ("[cluster]", "[clutser]", "clutser: unknown section"),
        ('currency = "usd"', 'currency = "US$"', "product.currency"),
        (
            '"10.0.0.0/8", ',
            '"10.0.0.1/8", ',
            "cluster.blocked_ranges: must be a list of address ra",
        ),
        (
            '"10.0.0.0/8", ',
            '"10.0.0.0/255.0.0.0", ',
            "cluster.blocked_ranges: must be a list of address ra",
        ),
        (
            '"64:ff9b::/96"',
            '"::ffff:0:0/96"',
            "cluster.blocked_ranges: ::ffff:0:0/96 is IPv4 written as IPv6",
        ),
        ('"10.0.0.0/8", ', '"0.0.0.0/0", ', "cluster.blocked_ranges: 0.0.0.0/0 is every address"),
        (DNS, 'dns_ranges = ["169.254.20.10"]', "cluster.dns_ranges: must be a list of address ra"),
        (DNS, 'dns_ranges = "169.254.20.10/32"', "cluster.dns_ranges: must be a list"),
        (
            DNS,
            'dns_ranges = ["::ffff:a9fe:0/112"]',
            "cluster.dns_ranges: ::ffff:a9fe:0/112 is IPv4",
        ),
        ("popular = true", 'templates = "../etc"', "plans.pro.templates: must look like"),
        ("support@arm-engine.io", "nobody", "product.support_email"),
        (
            'app = "arm-engine"',
            f'app = "{"a" * 64}"',
            "product.app: must have at most 63 characters",
        ),
        (
            'prefix = "arm"',
            f'prefix = "{"a" * 47}"',
            "product.namespace_prefix: must have at most 46 characters, not 47",
        ),
        (
            'domain = "arm-engine.io"',
            f'domain = "{"a." * 126}io"',
            "product.label_domain: must have at most 253 characters, not 254",
        ),
        (
            '"kube-system"',
            f'"{"a" * 64}"',
            "cluster.dns_namespace: must have at most 63 characters",
        ),
        (
            '"ingress-nginx"',
            f'"{"a" * 64}"',
            "cluster.ingress_namespace: must have at most 63 characters",
        ),
        ('"kube-dns"', '"kube dns"', "cluster.dns_labels.k8s-app: must look like"),
        ('"kube-dns"', f'"{"k" * 64}"', "cluster.dns_labels.k8s-app: must have at most 63"),
        ('"k8s-app" =', '"k8s app" =', "cluster.dns_labels.k8s app: its name must look like"),
        ('"k8s-app" =', '"K/app" =', "cluster.dns_labels.K/app: its prefix must look like"),
        ("[plans.pro]", f"[plans.{'p' * 64}]", "must have at most 63 characters, not 64"),
        ("environments =", '"API calls" =', "plans.free.entitlements.API calls: its name must"),
        ("environments =", '"" =', "plans.free.entitlements.: its name must look like"),
        ("environments =", '"a/b" =', "plans.free.entitlements.a/b: must have no slash"),
        (
            "environments =",
            f"{'e' * 52} =",
            f"plans.free.entitlements.{'e' * 52}: must have at most 51 characters, not 52",
        ),
        ('"pods" = "40"', '"po ds" = "40"', "plans.basic.quota.po ds: its name must look like"),
    ],
)
def test_every_mistake_is_named_with_plan_and_key(old, new, named):
    """Whoever edits the file is told where and what."""
    assert old in TEXT
    with pytest.raises(Misconfigured, match=r"plans\.toml") as raised:
        catalogue_file.parse(TEXT.replace(old, new, 1))
    assert named in str(raised.value)


def test_the_longest_names_make_what_kubernetes_takes():
    """A namespace and the keys of its annotations, each to the last character."""
    text = TEXT.replace('prefix = "arm"', f'prefix = "{"a" * 46}"')
    text = text.replace("environments =", f"{'e' * 51} =")
    sold = catalogue_file.parse(text)
    namespace = tenant.objects(sold, "0" * 16, sold.plan("pro"))[0]["metadata"]
    assert len(namespace["name"]) == 63
    names = [key.partition("/")[2] for key in namespace["annotations"]]
    assert max(map(len, names)) == 63


def test_all_mistakes_are_named_at_once():
    """Nobody has to run it again for the next one."""
    broken = TEXT.replace("price = 2900", "price = -1").replace(
        "grace_days = 7", 'grace_days = "7"'
    )
    with pytest.raises(Misconfigured) as raised:
        catalogue_file.parse(broken)
    assert "plans.basic.price" in str(raised.value)
    assert "policy.grace_days" in str(raised.value)


def test_what_is_not_toml_is_told_as_such():
    """A slip of the keyboard is told for what it is."""
    with pytest.raises(Misconfigured, match="not TOML"):
        catalogue_file.parse("[product")


def test_a_yearly_price_is_another_offer_of_the_same_plan():
    """It is asked for by its own id, has its own lookup key, and leads to the same product."""
    sold = catalogue_file.parse(TEXT.replace("# yearly_price = 29000", "yearly_price = 29000"))
    offer = sold.offer("basic-year")
    assert (offer.plan.id, offer.amount, offer.interval) == ("basic", 29000, "year")
    assert sold.lookup_key("dev", offer.plan, offer.interval) == "arm-engine-dev-basic-year"
    assert sold.offer("basic").amount == 2900
    assert sold.offer("free") is None
    entry = next(e for e in storefront.listed(sold) if e["id"] == "basic-year")
    assert entry == {
        "id": "basic-year", "name": "Basic", "price": 29000, "priceDisplay": "$290",
        "interval": "year", "features": list(offer.plan.features),
    }  # fmt: skip


def test_a_plan_that_is_withdrawn_is_known_and_not_sold():
    """Nothing offers it, by the month or by the year; its product still leads to it."""
    text = TEXT.replace("# yearly_price = 29000", "yearly_price = 29000\nsold = false")
    catalogue = catalogue_file.parse(text)
    assert {offer.id for offer in catalogue.offers} == {"pro"}
    assert catalogue.offer("basic") is catalogue.offer("basic-year") is None
    assert [entry["id"] for entry in storefront.listed(catalogue)] == ["free", "pro"]
    assert catalogue.plan_of_product("dev", "arm-engine-dev-basic").id == "basic"


def test_a_plan_that_is_withdrawn_keeps_the_id_of_its_yearly_price():
    """Its lookup key still stands at Stripe, so another plan cannot take it."""
    text = TEXT.replace("# yearly_price = 29000", "yearly_price = 29000\nsold = false")
    with pytest.raises(Misconfigured, match="basic-year"):
        catalogue_file.parse(text.replace("[plans.pro]", "[plans.basic-year]"))


def test_only_what_is_paid_for_is_withdrawn_from_sale():
    """Free has a cap of its own."""
    with pytest.raises(Misconfigured, match=r"plans\.free\.sold: only a paid plan"):
        catalogue_file.parse(TEXT.replace("price = 0", "price = 0\nsold = false"))


@pytest.mark.parametrize("said", ["inclusive", "exclusive"])
def test_whether_tax_is_in_a_price_can_be_said(said):
    """As Stripe's prices say it; left out, Stripe Tax's own default holds."""
    assert catalogue_file.parse(TEXT).product.tax_behavior == "unspecified"
    text = TEXT.replace('# tax_behavior = "exclusive"', f'tax_behavior = "{said}"')
    assert catalogue_file.parse(text).product.tax_behavior == said
    with pytest.raises(Misconfigured, match=r"product\.tax_behavior"):
        catalogue_file.parse(TEXT.replace('# tax_behavior = "exclusive"', 'tax_behavior = "no"'))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('interval = "month"', 'interval = "year"\nyearly_price = 1', "plans.basic.yearly_price"),
        ("price = 0", "price = 0\nyearly_price = 1", "plans.free.yearly_price"),
        ("# yearly_price = 29000", "yearly_price = 0", "plans.basic.yearly_price"),
    ],
)
def test_a_yearly_price_has_its_limits(old, new, named):
    """Only a plan that is paid by the month has one, and it is not nothing."""
    with pytest.raises(Misconfigured) as raised:
        catalogue_file.parse(TEXT.replace(old, new, 1))
    assert named in str(raised.value)


def test_a_plan_cannot_have_the_id_of_a_yearly_price():
    """One id, one thing that is sold."""
    text = TEXT.replace("# yearly_price = 29000", "yearly_price = 29000")
    with pytest.raises(Misconfigured, match="basic-year"):
        catalogue_file.parse(text.replace("[plans.pro]", "[plans.basic-year]"))


def test_a_catalogue_need_not_count_disk():
    """One from before it could: neither quota nor defaults speak of it."""
    text = re.sub(r', "?[a-z]+[._]ephemeral[-_]storage"? = "\w+"', "", TEXT)
    assert "ephemeral" not in text
    plan = catalogue_file.parse(text).plan("pro")
    limits = next(
        m
        for m in tenant.objects(catalogue_file.parse(text), "0" * 16, plan)
        if m["kind"] == "LimitRange"
    )
    assert set(limits["spec"]["limits"][0]["default"]) == {"cpu", "memory"}
