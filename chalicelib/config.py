"""Settings: from the environment, or below PARAMETERS_PATH in SSM; checked whole, as one."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.domain import stripe_key
from chalicelib.domain.errors import Misconfigured

MIN_SECRET = 32
"""Bytes that a shared HS256 secret needs at least (RFC 7518, 3.2)."""

_STAGE = re.compile(r"[a-z][a-z0-9]{0,15}")
_SESSION_MARK = "{CHECKOUT_SESSION_ID}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between deployments.

    Attributes:
        stripe_mode: which keys are accepted, so that nobody sells for real by mistake, nor gives
            away for nothing.
    """

    stage: str
    table_name: str
    queue_name: str
    site_url: str
    success_url: str
    cancel_url: str
    stripe_mode: stripe_key.Mode
    stripe_secret_key: str | None
    stripe_webhook_secrets: tuple[str, ...]
    stripe_api_base: str | None
    parameters_path: str | None
    jwt_issuer: str | None
    jwt_audience: str | None
    jwt_jwks_url: str | None
    jwt_secret: str | None
    user_pool_client_id: str | None
    user_pool_client_secret: str | None
    cluster_name: str | None
    kube_server: str | None
    kube_ca: str | None
    kube_token: str | None
    kube_token_file: str | None

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return self.stripe_mode == "live"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read and check.

        Raises:
            Misconfigured: every missing or malformed variable at once.
        """
        read = _Reader(env)
        site_url = read.url("SITE_URL") or ""
        site = site_url.rstrip("/")
        settings = cls(
            stage=read.required("STAGE", _STAGE, "dev, staging, prod: lower case, at most 16"),
            table_name=read.required("TABLE_NAME"),
            queue_name=read.required("QUEUE_NAME", re.compile(r"[\w-]+\.fifo"), "<name>.fifo"),
            site_url=site_url,
            success_url=read.url("CHECKOUT_SUCCESS_URL", needed=False)
            or f"{site}/checkout/success?session_id={_SESSION_MARK}",
            cancel_url=read.url("CHECKOUT_CANCEL_URL", needed=False) or f"{site}/checkout/cancel",
            stripe_mode=read.mode("STRIPE_MODE"),
            stripe_secret_key=read.optional("STRIPE_SECRET_KEY"),
            stripe_webhook_secrets=read.several("STRIPE_WEBHOOK_SECRET"),
            stripe_api_base=read.url("STRIPE_API_BASE", needed=False),
            parameters_path=read.optional("PARAMETERS_PATH"),
            jwt_issuer=read.optional("JWT_ISSUER"),
            jwt_audience=read.optional("JWT_AUDIENCE"),
            jwt_jwks_url=read.url("JWT_JWKS_URL", needed=False),
            jwt_secret=read.optional("JWT_SECRET"),
            user_pool_client_id=read.optional("USER_POOL_CLIENT_ID"),
            user_pool_client_secret=read.optional("USER_POOL_CLIENT_SECRET"),
            cluster_name=read.optional("CLUSTER_NAME"),
            kube_server=read.url("KUBE_SERVER", needed=False),
            kube_ca=read.pem("KUBE_CA"),
            kube_token=read.optional("KUBE_TOKEN"),
            kube_token_file=read.optional("KUBE_TOKEN_FILE"),
        )
        read.check(settings)
        return settings


class _Reader:
    """Takes variables one by one and remembers what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._problems: list[str] = []

    def optional(self, name: str) -> str | None:
        return self._env.get(name, "").strip() or None

    def required(self, name: str, pattern: re.Pattern[str] | None = None, shape: str = "") -> str:
        value = self.optional(name)
        if value is None:
            self._problems.append(f"{name} is missing")
            return ""
        if pattern and not pattern.fullmatch(value):
            self._problems.append(f"{name} must look like {shape}, not {value!r}")
        return value

    def mode(self, name: str) -> stripe_key.Mode:
        value = self.optional(name) or "test"
        if value not in {"test", "live"}:
            self._problems.append(f"{name} must be test or live, not {value!r}")
        return "live" if value == "live" else "test"

    def several(self, name: str) -> tuple[str, ...]:
        return tuple(
            part.strip() for part in (self.optional(name) or "").split(",") if part.strip()
        )

    def url(self, name: str, *, needed: bool = True) -> str | None:
        value = self.required(name) if needed else self.optional(name)
        if not value:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            self._problems.append(f"{name} must be a whole http(s) address, not {value!r}")
        return value

    def pem(self, name: str) -> str | None:
        """A certificate: as PEM text, as base64 of it (as kubeconfigs have it), or as a path."""
        value = self.optional(name)
        if value is None or value.startswith("-----BEGIN"):
            return value
        try:
            decoded = base64.b64decode(value, validate=True).decode()
            if decoded.startswith("-----BEGIN"):
                return decoded
        except (binascii.Error, UnicodeDecodeError):
            pass
        try:
            return Path(value).read_text()
        except (OSError, ValueError):
            self._problems.append(f"{name} must be PEM text, base64 of it, or a path to it")
            return None

    def check(self, settings: Settings) -> None:
        """What must hold between variables."""
        tell = self._problems.append
        if _SESSION_MARK not in settings.success_url:
            tell(f"CHECKOUT_SUCCESS_URL must contain {_SESSION_MARK}, which Stripe fills in")
        if not settings.stripe_secret_key and not settings.parameters_path:
            tell("STRIPE_SECRET_KEY is missing (or PARAMETERS_PATH, to read it from SSM)")
        if settings.stripe_secret_key:
            try:
                stripe_key.check(settings.stripe_secret_key, settings.stripe_mode)
            except Misconfigured as e:
                tell(str(e))
        if not (settings.jwt_issuer and settings.jwt_audience):
            tell("JWT_ISSUER and JWT_AUDIENCE are needed: no token can be checked without them")
        if bool(settings.jwt_jwks_url) == bool(settings.jwt_secret):
            tell("exactly one of JWT_JWKS_URL and JWT_SECRET is needed")
        if settings.jwt_secret and len(settings.jwt_secret.encode()) < MIN_SECRET:
            tell(f"JWT_SECRET must have at least {MIN_SECRET} bytes")
        if settings.kube_server and not (settings.kube_token or settings.kube_token_file):
            tell("KUBE_TOKEN is missing (or KUBE_TOKEN_FILE), though KUBE_SERVER is set")
        if self._problems:
            raise Misconfigured("settings: " + "; ".join(self._problems))
