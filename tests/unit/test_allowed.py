"""What a plan opens to its tenants: nothing unless it says so, and only what can be a word."""

from pathlib import Path

import pytest

import chalicelib
from chalicelib.domain import catalogue_file, tenant
from chalicelib.domain.allowed import NOTHING_MORE
from chalicelib.domain.errors import Misconfigured
from chalicelib.domain.labels import Labels

TEXT = (Path(chalicelib.__file__).parent / "plans.toml").read_text("utf-8")
BEFORE = "[plans.pro]\n"
CLOSED = (
    "node_selectors", "tolerations", "runtime_classes", "storage_classes", "ingress_classes",
    "ingress_annotations", "extended_resources",
)  # fmt: skip


def pro(*lines):
    """The catalogue, with these lines at its dearest plan in place of its own lists."""
    head, _, plan = TEXT.partition(BEFORE)
    kept = [
        line for line in plan.splitlines() if not line.startswith((*CLOSED, "registries", "object"))
    ]
    return catalogue_file.parse(head + BEFORE + "\n".join([*lines, *kept]))


def annotations(catalogue):
    found = tenant.objects(catalogue, "0" * 16, catalogue.plan("pro"))[0]["metadata"]["annotations"]
    return {key.partition("/")[2]: text for key, text in found.items()}


def test_a_plan_that_says_nothing_opens_nothing():
    """But where images come from, without which there would be nothing to run."""
    plan = pro().plan("pro")
    assert plan.allowed == NOTHING_MORE
    assert [getattr(plan.allowed, key) for key in CLOSED] == [()] * len(CLOSED)
    assert plan.allowed.registries == ("*",)


def test_the_words_travel_on_the_namespace():
    """Each list as words with commas between them, under a name that only the worker writes."""
    found = annotations(
        pro(
            'tolerations = ["team=a:NoSchedule", "spot"]',
            'registries = ["ghcr.io/us", "localhost:5000"]',
            "data_kib = 512",
        )
    )
    assert found["allowed.tolerations"] == "team=a:NoSchedule,spot"
    assert found["allowed.registries"] == "ghcr.io/us,localhost:5000"
    assert (found["allowed.data-kib"], found["allowed.object-kib"]) == ("512", "64")
    assert found["allowed.storage-classes"] == ""


def test_hosts_are_below_the_tenants_own_domain():
    """And there are none without a domain for apps."""
    catalogue = pro()
    domain = catalogue.cluster.apps_domain
    assert annotations(catalogue)["hosts"] == f"arm-{'0' * 16}.{domain}"
    without = catalogue_file.parse(TEXT.replace(f'apps_domain = "{domain}"\n', ""))
    assert annotations(without)["hosts"] == ""
    assert Labels.of(catalogue.product).hosts == "arm-engine.io/hosts"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('tolerations = ["team=a:Never"]', "plans.pro.tolerations"),
        ('tolerations = [":NoSchedule"]', "plans.pro.tolerations"),
        ('tolerations = "spot"', "plans.pro.tolerations: must be a list of texts"),
        ('node_selectors = ["team=a,b"]', "plans.pro.node_selectors"),
        ('node_selectors = [""]', "plans.pro.node_selectors"),
        ('node_selectors = ["*"]', "plans.pro.node_selectors"),
        ("runtime_classes = [1]", "plans.pro.runtime_classes"),
        ('storage_classes = ["Fast"]', "plans.pro.storage_classes"),
        ('ingress_classes = ["a/b/c"]', "plans.pro.ingress_classes"),
        ('ingress_annotations = ["nginx.ingress.kubernetes.io/*"]', "plans.pro.ingress_annotations"),
        ('extended_resources = ["gpu"]', "plans.pro.extended_resources"),
        ('registries = ["https://ghcr.io"]', "plans.pro.registries"),
        ('registries = ["ghcr.io/"]', "plans.pro.registries"),
        ("object_kib = 0", "plans.pro.object_kib: must be a whole number from 1 to 1024"),
        ("data_kib = 2000", "plans.pro.data_kib: must be a whole number from 1 to 1024"),
    ],
)  # fmt: skip
def test_what_can_be_no_word_is_refused(line, named):
    """By plan and key, when the catalogue is loaded."""
    with pytest.raises(Misconfigured) as raised:
        pro(line)
    assert named in str(raised.value)


def test_a_domain_for_apps_is_one():
    """A name with a dot in it, and short enough for what comes before it."""
    for wrong in ("apps", "https://apps.example.com", f"{'a.' * 70}com"):
        text = TEXT.replace('apps_domain = "apps.arm-engine.io"', f'apps_domain = "{wrong}"')
        with pytest.raises(Misconfigured) as raised:
            catalogue_file.parse(text)
        assert "cluster.apps_domain" in str(raised.value)
