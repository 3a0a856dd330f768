"""What the hosted pages look like."""

from markupsafe import Markup

_STYLE = Markup("""
:root{color-scheme:light dark;--ink:#1f2533;--soft:#667085;--line:#d6dae3;--page:#f5f6f9;
--card:#fff;--accent:#4b45d6;--bad:#b42318}
@media(prefers-color-scheme:dark){:root{--ink:#eef0f5;--soft:#a3abbd;--line:#3a4152;--page:#14171e;
--card:#1d222c;--accent:#8f8bff;--bad:#ff8a80}button{color:#14171e!important}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}main{max-width:27rem;margin:3rem auto;padding:0 1rem}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.5rem;
margin-top:1rem}h1{font-size:1.3rem;margin:0}.price{font-size:2rem;font-weight:650}
.soft{color:var(--soft);font-size:.9rem}.mode{display:inline-block;border:1px solid #b54708;
color:#b54708;border-radius:4px;padding:0 .4rem;font-size:.75rem;letter-spacing:.04em}
label{display:block;font-size:.9rem;margin-top:.8rem}input,select{width:100%;font:inherit;
padding:.6rem;border:1px solid var(--line);border-radius:6px;background:var(--card);
color:inherit}.two{display:grid;grid-template-columns:1fr 1fr;gap:.8rem}
button{width:100%;margin-top:1.2rem;padding:.7rem;border:0;border-radius:6px;font:inherit;
font-weight:600;background:var(--accent);color:#fff;cursor:pointer}
button.plain{background:none;border:1px solid var(--line);color:inherit!important}
.bad{color:var(--bad)}a{color:var(--accent)}:focus-visible{outline:3px solid var(--accent);
outline-offset:2px}
""")

_CARD = Markup("""
<label for="card_number">Card number</label>
<input id="card_number" name="card_number" inputmode="numeric" autocomplete="off" required
 placeholder="4242 4242 4242 4242">
<div class="two"><div><label for="exp">Expiry (MM/YY)</label>
<input id="exp" name="exp" inputmode="numeric" autocomplete="off"
 required placeholder="12/34"></div>
<div><label for="cvc">Security code</label>
<input id="cvc" name="cvc" inputmode="numeric" autocomplete="off"
 required placeholder="123"></div></div>
""")


def page(title: str, body: Markup) -> str:
    """A whole page."""
    return Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex"><link rel="icon" href="data:,">'
        "<style>{}</style></head><body><main>"
        '<span class="mode">TEST MODE</span> <span class="soft">A stand-in for Stripe. '
        "No money moves.</span>{}</main></body></html>"
    ).format(title, _STYLE, body)


def card_fields() -> Markup:
    """Number, expiry and security code."""
    return _CARD


def refusal(message: str | None) -> Markup:
    """Why the last try did not work."""
    return Markup('<p class="bad" role="alert">{}</p>').format(message) if message else Markup("")


def message(title: str, text: str, link: tuple[str, str] | None = None) -> str:
    """A page that only says something."""
    more = Markup('<p><a href="{}">{}</a></p>').format(*link) if link else Markup("")
    return page(
        title, Markup("<section><h1>{}</h1><p>{}</p>{}</section>").format(title, text, more)
    )
