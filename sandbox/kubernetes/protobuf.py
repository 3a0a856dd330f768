r"""As much of protobuf as kubectl insists on: two bodies that it sends.

Kubernetes wraps a message as `k8s\0` and an `Unknown` whose second field is the message.
"""

from collections.abc import Iterator

from sandbox.kubernetes.kinds import Object

_MAGIC = b"k8s\x00"
_VARINT, _LENGTH = 0, 2
_REVIEWED = ("namespace", "verb", "group", "version", "resource", "subresource", "name")


def access_review(body: bytes) -> Object:
    """A SelfSubjectAccessReview.

    Raises:
        ValueError: it is none.
    """
    spec = _message(_unwrapped(body), 2)
    asked = _message(spec, 1)
    found = {_REVIEWED[n - 1]: text for n, text in _texts(asked) if n <= len(_REVIEWED)}
    return {"spec": {"resourceAttributes": {k: v for k, v in found.items() if v}}}


def token_request(body: bytes) -> Object:
    """A TokenRequest.

    Raises:
        ValueError: it is none.
    """
    spec = _message(_unwrapped(body), 2)
    seconds = next((v for n, v in _fields(spec) if n == 4 and isinstance(v, int)), 0)  # noqa: PLR2004 - expirationSeconds
    return {"spec": {"expirationSeconds": seconds}}


def _unwrapped(body: bytes) -> bytes:
    if not body.startswith(_MAGIC):
        raise ValueError("not a Kubernetes protobuf message")
    return _message(body[len(_MAGIC) :], 2)


def _message(body: bytes, number: int) -> bytes:
    return next((v for n, v in _fields(body) if n == number and isinstance(v, bytes)), b"")


def _texts(body: bytes) -> Iterator[tuple[int, str]]:
    for number, value in _fields(body):
        if isinstance(value, bytes):
            yield number, value.decode()


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(body):
        tag, at = _read(body, at)
        value, at = _read(body, at)
        if tag & 7 == _VARINT:
            yield tag >> 3, value
        elif tag & 7 == _LENGTH and at + value <= len(body):
            yield tag >> 3, body[at : at + value]
            at += value
        else:
            raise ValueError("not a message of numbers and texts")


def _read(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(body):
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return value, at
    raise ValueError("a number that does not end")
