"""A site, and what its addresses mean: run through the sandbox's routing and the CDN's alike."""

FILES = (
    "index.html", "pricing.html", "404.html", "password-reset.html", "checkout/success.html",
    "js/main.js",
)  # fmt: skip
HIDDEN = ("js/types.d.ts", ".hidden")
"""Beside them in the folder, and never served."""

CASES = (
    ("/", 200, "index.html"),
    ("/pricing", 200, "pricing.html"),
    ("/checkout/success", 200, "checkout/success.html"),
    ("/js/main.js", 200, "js/main.js"),
    ("/password-reset", 200, "password-reset.html"),
    ("/password-reset/123456", 200, "password-reset.html"),
    ("/password-reset/", 301, "/password-reset"),
    ("/pricing/", 301, "/pricing"),
    ("/pricing.html", 301, "/pricing"),
    ("/index.html", 301, "/"),
    ("/index", 301, "/"),
    ("//", 301, "/"),
    ("//pricing", 301, "/pricing"),
    ("/checkout/success/", 301, "/checkout/success"),
    ("/nothing", 404, None),
    ("/404", 404, None),
    ("/404.html", 404, None),
    ("/js", 404, None),
    ("/js/main.js/", 404, None),
    ("/js/types.d.ts", 404, None),
    ("/.hidden", 404, None),
    ("/../secret", 404, None),
    ("/js/../../secret", 404, None),
    ("/js/../pricing", 404, None),
    ("/..\\secret.html", 404, None),
    ("/pricing\0", 404, None),
    ("//evil.example/pricing", 404, None),
    ("/Pricing", 404, None),
    ("/über", 404, None),
    ("/" + "a" * 5000, 404, None),
    ("/" + "a/" * 3000, 404, None),
)
"""A decoded path; the status; the file that is served, or where one is led to."""
