"""The running sandbox, and a customer of it, as programs outside of it see them."""

import base64
import json
import re
import shutil
import subprocess
import time
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import boto3
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

    def advance(self, days):
        """Let time go on; what falls due on the way has happened when this returns."""
        seconds = int(days * 86_400)
        answer = self.ask("POST", "stripe", "/sandbox/clock", json={"advance": seconds})
        assert answer.status_code == 200, answer.text

    def stripe(self, path, method="GET", **params):
        """Stripe's own word."""
        answer = requests.request(
            method, self.url("stripe", f"/v1/{path}"), timeout=10,
            params=params if method == "GET" else None,
            data=None if method == "GET" else params,
            auth=(self.ready["stripeKey"], ""),
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.json()

    def record(self, tenant_id):
        """The record's own word."""
        table = boto3.resource(
            "dynamodb", region_name="us-east-1", endpoint_url=self.url("aws"),
            aws_access_key_id="x", aws_secret_access_key="x",
        ).Table(self.ready["table"])  # fmt: skip
        key = {"pk": f"TENANT#{tenant_id}", "sk": "RECORD"}
        return table.get_item(Key=key, ConsistentRead=True).get("Item")

    def namespace(self, name):
        """The cluster's own word: plan and whether it is suspended; None when it is not there."""
        listed = json.loads(self.kubectl("get", "namespaces", "-o", "json"))["items"]
        for found in listed:
            metadata = found["metadata"]
            if metadata["name"] == name and found["status"]["phase"] == "Active":
                suspended = metadata["annotations"]["arm-engine.io/suspended"] == "true"
                return metadata["labels"]["arm-engine.io/plan"], suspended
        return None

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

    @property
    def tenant_id(self):
        """Whose record is theirs: by issuer and subject of the token."""
        payload = self.token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return sha256(f"{claims['iss']}\n{claims['sub']}".encode()).hexdigest()[:16]

    def subscriptions(self):
        """All that Stripe has of theirs, the newest first."""
        (customer,) = self._sandbox.stripe("customers", email=self.email)["data"]
        return self._sandbox.stripe("subscriptions", customer=customer["id"], status="all")["data"]

    def portal(self, action, **form):
        """Do something on the portal's page."""
        url = self.call("POST", "/api/subscriptions/create-portal-session").json()["portalUrl"]
        form = {"subscription": self.subscriptions()[0]["id"], "action": action} | form
        done = self._http.post(url, data=form, timeout=10, allow_redirects=False)
        assert done.status_code == 303, done.text

    def agreed(self, stripe, record, cluster, patience=PATIENCE):
        """The three-way check: Stripe's, the record's and the cluster's own word, and the audit's.

        Args:
            stripe: the newest subscription's status.
            record: status and entitlement as the customer reads them.
            cluster: the namespace's plan and whether it is suspended, or None.
            patience: seconds.
        """
        namespace = f"arm-{self.tenant_id}"
        said = []

        def agree():
            item, status = self._sandbox.record(self.tenant_id), self.status()
            subscriptions = self.subscriptions()
            live = [
                s for s in subscriptions if s["status"] not in {"canceled", "incomplete_expired"}
            ]
            said[:] = [
                subscriptions[0]["status"],
                (status["status"], status["active"]),
                self._sandbox.namespace(namespace),
                item["nudged"] == item["reconciled"],
                (item["billing"].get("subscription") or {}).get("status") == stripe,
                len(live) <= 1,
            ]
            return said == [stripe, record, cluster, True, True, True]

        try:
            until(agree, "agreement", patience)
        except AssertionError as e:
            raise AssertionError(f"{e}: {said}") from e
        audit = requests.post(self._sandbox.url("worker", "/audit"), timeout=60).json()
        assert [f for f in audit["findings"] if f["tenant_id"] == self.tenant_id] == []

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
