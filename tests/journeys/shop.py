"""The running sandbox, and a customer of it, as programs outside of it see them."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import requests

PASSWORD = "correct horse battery"
PAYS = "4242424242424242"
DECLINES = "4000000000000002"
PATIENCE = 20


def until(look, what, patience=PATIENCE):
    """What `look` finds, once it finds something; what was seen last, if it never does."""
    end = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}; last seen: {found!r}")
        time.sleep(0.02)


class Sandbox:
    """One that runs; `ready` is what its ready file says."""

    def __init__(self, process, ready_file):
        self.process = process
        self._ready_file = ready_file

    @property
    def ready(self):
        """As it is now: a part that was started again has another pid."""
        return json.loads(self._ready_file.read_text())

    def url(self, part, path=""):
        """An address of a part."""
        return self.ready[part] + path

    def faults(self, part, **faults):
        """Make a part misbehave."""
        answer = self.ask("POST", part, "/sandbox/faults", json=faults)
        assert answer.status_code == 200, answer.text

    def ask(self, method, part, path, **more):
        """A route that only the sandbox has."""
        return requests.request(
            method, self.url(part, path), timeout=60, verify=self.ready["ca"], **more
        )

    def kubectl(self, *arguments):
        """What the real kubectl says."""
        done = subprocess.run(
            [shutil.which("kubectl"), "--kubeconfig", self.ready["kubeconfig"], *arguments],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        return done.stdout

    def deliveries(self, tenant_id=None):
        """What Stripe delivered, or tries to."""
        found = self.ask("GET", "stripe", "/sandbox/deliveries").json()
        return [d for d in found if tenant_id is None or tenant_id in json.dumps(d)]

    def logs(self):
        """Everything that the parts have logged."""
        return {f.stem: f.read_text() for f in Path(self.ready["logs"]).glob("*.log")}


class Customer:
    """Somebody with an address of their own, who does what the pages do."""

    def __init__(self, sandbox):
        self.email = f"ada-{uuid4().hex[:12]}@example.com"
        self.token = None
        self._sandbox = sandbox
        self._http = requests.Session()

    def call(self, method, path, body=None):
        """The API through the site, as the pages call it."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self._http.request(
            method, self._sandbox.url("site", path), json=body, headers=headers, timeout=35
        )

    def code(self):
        """The newest code in the mailbox."""
        mail = self._http.get(
            self._sandbox.url("site", "/sandbox/mail"), params={"to": self.email}, timeout=5
        )
        return mail.json()[0]["code"]

    def sign_in(self):
        """Sign up, confirm, log in."""
        account = {"email": self.email, "password": PASSWORD}
        assert self.call("POST", "/api/auth/signup", account).status_code == 202
        confirm = {"email": self.email, "code": self.code()}
        assert self.call("POST", "/api/auth/confirm", confirm).status_code == 204
        self.token = self.call("POST", "/api/auth/login", account).json()["token"]
        return self

    def checkout(self, plan="basic"):
        """Press the button; the answer."""
        return self.call("POST", "/api/subscriptions/create-checkout-session", {"planId": plan})

    def pay(self, url, card=PAYS):
        """Fill in the hosted page; where it leads."""
        page = self._http.get(url, timeout=5)
        assert page.status_code == 200, page.text
        action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
        form = {"card_number": card, "exp": "12/34", "cvc": "123"}
        target = requests.compat.urljoin(url, action[1]) if action and action[1] else url
        return self._http.post(target, data=form, timeout=10, allow_redirects=False)

    def buy(self, plan="basic", card=PAYS):
        """All of it."""
        answer = self.checkout(plan)
        assert answer.status_code == 200, answer.text
        paid = self.pay(answer.json()["checkoutUrl"], card)
        assert paid.status_code == 303, paid.text
        return answer.json()["sessionId"]

    def status(self):
        """What the dashboard reads."""
        answer = self.call("GET", "/api/subscriptions/status")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def becomes(self, status, patience=PATIENCE):
        """The status, once it is this one."""
        seen = []

        def look():
            seen[:] = [self.status()]
            return seen[0] if seen[0]["status"] == status else None

        try:
            return until(look, f"status {status}", patience)
        except AssertionError as e:
            raise AssertionError(f"{e}: {seen}") from e
