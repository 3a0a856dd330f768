"""`/api/auth/*`: sign-up, log-in and recovery, carried to the user pool."""

import re
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.entrypoints.http import (
    ANY_TYPE,
    accepted,
    answers,
    done,
    json_only,
    some_texts,
    texts,
)

if TYPE_CHECKING:
    from chalicelib.ports import Accounts
    from chalicelib.services.accounts import AccountBook

routes = Blueprint(__name__)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s]{2,63}")
_SENT = {"message": "If the address can be used here, a mail with a code is on its way."}


@routes.route("/api/auth/signup", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def signup() -> Response:
    """Always the same answer, whether or not the address is known."""
    book = _book()
    email, password = texts(json_only(routes.current_request), "email", "password")
    book.sign_up(_address(email), password)
    return accepted(_SENT)


@routes.route("/api/auth/confirm", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def confirm() -> Response:
    """Confirm an address with the code that was mailed to it, and with the password typed here."""
    book = _book()
    body = some_texts(json_only(routes.current_request), "email", "code", optional=("password",))
    book.confirm(_address(body["email"]), body["code"].strip(), body.get("password"))
    return done()


@routes.route("/api/auth/resend", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def resend() -> Response:
    """Mail a new code."""
    accounts = _accounts()
    (email,) = texts(json_only(routes.current_request), "email")
    accounts.resend(_address(email))
    return accepted(_SENT)


@routes.route("/api/auth/login", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def login() -> dict[str, Any]:
    """Tokens for an address and its password."""
    accounts = _accounts()
    email, password = texts(json_only(routes.current_request), "email", "password")
    return dict(accounts.log_in(_address(email), password))


@routes.route("/api/auth/refresh", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def refresh() -> dict[str, Any]:
    """A new token."""
    accounts = _accounts()
    (refresh_token,) = texts(json_only(routes.current_request), "refreshToken")
    return dict(accounts.refresh(refresh_token))


@routes.route("/api/auth/logout", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def logout() -> Response:
    """Revoke a refresh token; one that is no good already is fine."""
    accounts = _accounts()
    (refresh_token,) = texts(json_only(routes.current_request), "refreshToken")
    accounts.log_out(refresh_token)
    return done()


@routes.route("/api/auth/password-reset", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def password_reset() -> Response:
    """Mail a reset code."""
    accounts = _accounts()
    (email,) = texts(json_only(routes.current_request), "email")
    accounts.forgot_password(_address(email))
    return accepted(_SENT)


@routes.route("/api/auth/password-reset/confirm", methods=["POST"], content_types=ANY_TYPE)
@answers(routes)
def password_reset_confirm() -> Response:
    """Set a new password with the code that was mailed."""
    book = _book()
    email, code, password = texts(json_only(routes.current_request), "email", "code", "password")
    book.reset_password(_address(email), code.strip(), password)
    return done()


def _accounts() -> "Accounts":
    accounts = wiring.accounts()
    if accounts is None:
        raise NotFound("Sign-in is not offered here.")
    return accounts


def _book() -> "AccountBook":
    book = wiring.account_book()
    if book is None:
        raise NotFound("Sign-in is not offered here.")
    return book


def _address(email: str) -> str:
    """Addresses differ by case to no mail system of today; to the pool they would."""
    address = email.strip().lower()
    if not _EMAIL.fullmatch(address):
        raise InvalidRequest("Please enter a whole e-mail address.")
    return address
