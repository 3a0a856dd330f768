"""The way to Stripe: what is tried again, what is not, and what is never said."""

import socket
import threading

import pytest

from chalicelib.domain.errors import Temporary
from chalicelib.gateways.stripe_api import RETRIES, StripeApi
from sandbox import certificate
from sandbox.kubernetes.__main__ import _tls

KEY = "sk_test_that_nobody_may_read"


@pytest.fixture
def hangs_up(monkeypatch):
    """A server that takes every connection, and ends it; the heads of what was asked."""
    monkeypatch.setattr("stripe._http_client.HTTPClient._sleep_time_seconds", lambda *_, **__: 0)
    running = []

    def start(tls=None):
        listening, heads = socket.create_server(("127.0.0.1", 0)), []

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                heads.append(b"")
                try:
                    with tls.wrap_socket(connection, server_side=True) if tls else connection as c:
                        heads[-1] = c.recv(65536)
                except OSError:
                    connection.close()  # it did not trust us

        thread = threading.Thread(target=serve)
        thread.start()
        running.append((listening, thread))
        return listening.getsockname()[1], heads

    yield start
    for listening, thread in running:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def test_a_connection_that_breaks_is_tried_again_under_the_same_key(hangs_up):
    """Whether the first was carried out cannot be known; Stripe does it once for one key."""
    port, heads = hangs_up()
    stripe = StripeApi(KEY, api_base=f"http://127.0.0.1:{port}")
    with pytest.raises(Temporary, match="does not answer"):
        stripe.create_customer(email=None, metadata={}, idempotency_key="once")
    assert len(heads) == 1 + RETRIES
    assert all(b"Idempotency-Key: once" in head for head in heads)
    assert all(head.startswith(b"POST /v1/customers HTTP/1.1") for head in heads)


def test_a_certificate_that_is_not_trusted_is_not_asked_twice(hangs_up, tmp_path):
    """It will be no better the second time, and the key stays here."""
    port, heads = hangs_up(_tls(*certificate.make(tmp_path)))
    stripe = StripeApi(KEY, api_base=f"https://127.0.0.1:{port}")
    with pytest.raises(Temporary, match="does not answer"):
        stripe.subscriptions("cus_1")
    assert heads == [b""]


def test_a_key_that_cannot_be_sent_is_not_shown(hangs_up):
    """A line break in it, say: no request is made, and the message has nothing of it."""
    port, heads = hangs_up()
    stripe = StripeApi(f"{KEY}\nx", api_base=f"http://127.0.0.1:{port}")
    with pytest.raises(Temporary) as caught:
        stripe.subscriptions("cus_1")
    assert KEY not in str(caught.value)
    assert heads == []
