"""What would have been mailed, for the person at the sandbox to read."""

import html
import json
from datetime import UTC, datetime

import urllib3
from werkzeug.wrappers import Request, Response

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailbox of the sandbox</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;
color-scheme:light dark}}table{{border-collapse:collapse;width:100%}}
td,th{{text-align:left;padding:.5rem;border-bottom:1px solid #8884}}
code{{font-size:1.25em;letter-spacing:.1em}}</style>
<h1>Mailbox of the sandbox</h1>
<p>Nothing leaves this machine: what the user pool would mail is kept here. Newest first.</p>
<table><tr><th>At<th>To<th>Subject<th>Code</tr>{rows}</table></html>
"""
_NONE = '<tr><td colspan="4">No mail yet.</tr>'


class MailPages:
    """`/sandbox/` for people, `/sandbox/mail?to=` for programs."""

    def __init__(self, aws: str) -> None:
        self._aws = aws.rstrip("/")
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(5))

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        if request.path == "/sandbox/mail":
            return Response(self._mails(request.args.get("to")), content_type="application/json")
        if request.path == "/sandbox/health":
            return Response('{"ok": true}', content_type="application/json")
        if request.path.rstrip("/") == "/sandbox":
            rows = "".join(map(_row, json.loads(self._mails(None)))) or _NONE
            return Response(_PAGE.format(rows=rows), content_type="text/html; charset=utf-8")
        return Response('{"error": "the sandbox has no such route"}', 404)

    def _mails(self, to: str | None) -> bytes:
        fields = {"to": to} if to else {}
        return self._pool.request("GET", f"{self._aws}/sandbox/mail", fields=fields).data


def _row(mail: dict[str, object]) -> str:
    at = datetime.fromtimestamp(float(str(mail["at"])), UTC).strftime("%H:%M:%S UTC")
    to, subject, code = (html.escape(str(mail[name])) for name in ("to", "subject", "code"))
    return f"<tr><td>{at}<td>{to}<td>{subject}<td><code>{code}</code></tr>"
