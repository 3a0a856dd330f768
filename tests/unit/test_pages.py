"""The pages as they stand in the files: what they sell, and that they can be read by anybody."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from chalicelib import wiring
from chalicelib.entrypoints import storefront
from ops import pages

SITE = Path(__file__).parents[2] / "static_site"
PAGES = sorted(str(page.relative_to(SITE)) for page in SITE.rglob("*.html"))
VOID = {"br", "input", "link", "meta", "path", "rect"}
SERVED = {
    "/",
    "/pricing",
    "/login",
    "/signup",
    "/password-reset",
    "/dashboard",
    "/about",
    "/contact",
}


class Element:
    def __init__(self, tag, attributes):
        self.tag, self.attributes = tag, dict(attributes)
        self.children, self.texts = [], []

    def all(self, tag=None, css=None):
        """Every element below this one that has the tag and the class asked for."""
        for child in self.children:
            if (tag is None or child.tag == tag) and (css is None or css in child.classes):
                yield child
            yield from child.all(tag, css)

    def one(self, tag=None, css=None):
        """The only one of them."""
        (found,) = self.all(tag, css)
        return found

    @property
    def classes(self):
        """The names in its class attribute."""
        return (self.attributes.get("class") or "").split()

    @property
    def text(self):
        """All text in it, as it would be read."""
        return "".join(part if isinstance(part, str) else part.text for part in self.texts).strip()


class Tree(HTMLParser):
    """Elements with their children; closing tags must fit."""

    def __init__(self, text):
        super().__init__()
        self.root = Element("", [])
        self._open = [self.root]
        self.feed(text)
        assert self._open == [self.root], "every element is closed"

    def handle_starttag(self, tag, attrs):
        """Go one level down, but for elements that hold nothing."""
        element = Element(tag, attrs)
        self._open[-1].children.append(element)
        self._open[-1].texts.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        """An element that closes itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        """Go back up; what closes is what was opened last."""
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        """Keep text in its place between the elements."""
        self._open[-1].texts.append(data)


def read(page):
    return (SITE / page).read_text("utf-8")


@pytest.fixture(params=PAGES)
def page(request):
    return Tree(read(request.param)).root


def test_the_cards_show_what_is_sold():
    """The pricing page names, prices and describes each plan as the catalogue does, in its order."""
    cards = list(Tree(read("pricing.html")).root.all("article"))
    shown = [
        {
            "id": card.one("button").attributes["value"],
            "name": card.one("h2").text,
            "priceDisplay": card.one(css="price").text,
            "interval": card.one(css="period").text.removeprefix("per "),
            "features": [line.text for line in card.one("ul").all("li")],
            "popular": "popular" in card.classes,
        }
        for card in cards
    ]
    catalogue = wiring.catalogue()
    sold = [
        {"interval": "", "popular": False}
        | {k: v for k, v in told.items() if k != "price"}
        | {"features": list(told["features"])}
        for told in storefront.listed(catalogue)
    ]
    assert shown == sold


def test_only_the_popular_plan_wears_the_badge():
    """A card's badge can be seen exactly where the plan is the popular one."""
    for card in Tree(read("pricing.html")).root.all("article"):
        hidden = "hidden" in card.one(css="badge").attributes
        assert hidden is ("popular" not in card.classes)


def test_the_answers_follow_the_policy():
    """The days that the pricing page promises are those of the catalogue."""
    said = [p.text for d in Tree(read("pricing.html")).root.all("details") for p in d.all("p")]
    days = [int(number) for text in said for number in re.findall(r"(\d+) days", text)]
    catalogue = wiring.catalogue()
    (trial,) = [plan.trial_days for plan in catalogue.plans if plan.id == "free"]
    assert days == [trial, catalogue.policy.grace_days, catalogue.policy.retention_days]


def test_the_dashboard_knows_the_plans_names():
    """The dashboard calls a plan what the catalogue calls it."""
    names = Tree(read("dashboard.html")).root.one("template").all("data")
    shown = {name.attributes["value"]: name.text for name in names}
    assert shown == {plan.id: plan.name for plan in wiring.catalogue().plans}


def test_one_navigation_for_all_pages():
    """Header and footer are the same everywhere but for the mark on the page one is on."""

    def frame(page):
        text = read(page).replace(' aria-current="page"', "")
        return re.findall(r"<header.*?</header>|<footer.*?</footer>", text, re.DOTALL)

    assert len(frame("index.html")) == 2
    assert {page for page in PAGES if frame(page) != frame("index.html")} == set()


def test_the_policy_of_the_site_can_be_kept(page):
    """No page carries a script, a style or a handler of its own, nor loads from elsewhere."""
    for element in page.all():
        attributes = element.attributes
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert element.tag != "style"
        assert element.tag != "script" or (attributes.get("src") and not element.text)
        for name in ("src", "action") + (("href",) if element.tag == "link" else ()):
            assert re.match(r"/(?!/)", attributes.get(name) or "/x")


def test_what_a_page_loads_is_there(page):
    """Every file that a page names exists, and every link within the site leads to a page."""
    for element in page.all():
        path = element.attributes.get("src") or element.attributes.get("href") or ""
        if element.tag == "a":
            assert path in SERVED or path.startswith(("#", "mailto:{{product.support_email}}"))
        elif path:
            assert (SITE / path.removeprefix("/")).is_file(), path


def test_a_page_can_be_found_through_by_ear(page):
    """One h1, one main with a skip link to it, a title, a description and a language."""
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("h1").text
    assert page.one("title").text
    assert page.one("main").attributes["id"] == "main"
    assert page.one(css="skip").attributes["href"] == "#main"
    described = [m for m in page.all("meta") if m.attributes.get("name") == "description"]
    assert len(described) == 1


def test_fields_have_labels_and_errors_have_a_place(page):
    """Ids are unique; each field has a label, a place for its error and an autocomplete hint."""
    ids = [e.attributes["id"] for e in page.all() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    labelled = [label.attributes["for"] for label in page.all("label")]
    fields = [f for f in page.all("input") if f.attributes.get("type") != "hidden"]
    assert [f.attributes["id"] for f in fields] == labelled
    for field in fields:
        assert field.attributes["autocomplete"]
        assert f"{field.attributes['id']}-error" in field.attributes["aria-describedby"].split()
        assert set(field.attributes["aria-describedby"].split()) <= set(ids)


def test_only_the_product_is_filled_in():
    """The pages know four placeholders, and no name or address that an adopter had to replace."""
    product = wiring.catalogue().product
    for page in PAGES:
        found = set(re.findall(r"\{\{.*?\}\}", read(page)))
        assert found <= {
            "{{product.name}}",
            "{{product.support_email}}",
            "{{logo}}",
            "{{login_url}}",
        }
        assert product.name not in read(page)
        assert product.support_email not in read(page)


def test_a_password_never_stands_in_an_address(page):
    """A form that holds a password is posted even where no script runs."""
    for form in page.all("form"):
        if any(f.attributes.get("type") == "password" for f in form.all("input")):
            assert form.attributes["method"] == "post"


def test_the_logo_can_stand_in_every_page():
    """It is put into the pages: no script, no inline style, no id, nothing from elsewhere."""
    for element in Tree((SITE / "logo.svg").read_text("utf-8")).root.all():
        assert element.tag not in {"script", "style", "image", "use"}
        assert not {"style", "id", "href"} & element.attributes.keys()
        assert not [name for name in element.attributes if name.startswith("on")]


def test_what_decides_what_is_shown_runs_before_it_is_shown(page):
    """Every script is a module that the first look waits for, so that nothing moves afterwards."""
    for script in page.all("script"):
        assert script.attributes["type"] == "module"
        assert script.attributes["blocking"] == "render"


def test_the_login_page_knows_where_accounts_are():
    """A stage's login_url stands in the page, escaped; without one nobody is sent anywhere."""
    product = wiring.catalogue().product
    with_one = pages.content("login.html", product, login_url='https://id.example/?a="b"').decode()
    assert '<meta name="login-url" content="https://id.example/?a=&quot;b&quot;">' in with_one
    assert '<meta name="login-url" content="">' in pages.content("login.html", product).decode()
